/**
 * How often a member says that it lives. Each heartbeat goes to everybody, so that a mesh of n members carries n² of them in
 * each interval: the interval grows with the mesh, and what each member sends stays the same. From where it has grown, members
 * are pinged by a few watchers each, as often as before (see watchers.ts), and heartbeats carry only what else they say.
 */

/** Longest interval, in ms: beyond it the bytes grow again. */
export const HEARTBEAT_INTERVAL_MAX_MS = 60_000

/** What the interval depends on. */
export interface HeartbeatCost {
  /** Members that a heartbeat goes to. */
  readonly listeners: number
  /** Bytes of one, on the wire. */
  readonly bytes: number
  /** Bytes a second that heartbeats may take. */
  readonly bytesPerSecond: number
  /** Shortest interval, in ms. */
  readonly intervalMinMs: number
}

/** Ms between two heartbeats: as many as the bytes allow, but never fewer than the shortest interval. */
export function heartbeatIntervalMs(cost: HeartbeatCost): number {
  const { listeners, bytes, bytesPerSecond, intervalMinMs } = cost
  const wantedMs = (listeners * bytes * 1_000) / bytesPerSecond
  const longestMs = Math.max(intervalMinMs, HEARTBEAT_INTERVAL_MAX_MS)
  return Math.round(Math.min(longestMs, Math.max(intervalMinMs, wantedMs)))
}
