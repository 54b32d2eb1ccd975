/**
 * Who watches whom, where the mesh is too large for everybody to hear everybody often.
 *
 * Members stand in a circle by their ids, and each watches the next few. Ids are random, so neighbours have nothing in common
 * that would make them fail together, and whoever knows the same members finds the same watchers. When a watcher is gone, the
 * next one takes its place. SWIM (Das, Gupta, Motivala, 2002) picks at random whom to ping instead; with fixed watchers each
 * knows its target's rhythm, so that phi accrual serves for pings as it does for heartbeats.
 */

/** How many watch each member: enough for two to confirm a third one's suspicion while one of them is in trouble itself. */
export const WATCHERS = 4

/** Whom a member watches among the live ones: the next few after it. All others, where there are no more. */
export function watchedBy(self: string, live: readonly string[], count = WATCHERS): string[] {
  const others = live.filter((id) => id !== self).sort()
  const next = others.findIndex((id) => id > self)
  const start = next === -1 ? 0 : next
  return Array.from(
    { length: Math.min(count, others.length) },
    (_, i) => others[(start + i) % others.length] as string,
  )
}
