/**
 * Events of a peer as `start`, `up` and `events` tell them: one flat JSON object, or one readable
 * line.
 */
import type { PeerEvents } from '../api.js'
import { counted, shortId } from './format.js'

/** An event as one JSON line: its name, when it happened (wall time in ms), and what it carries. */
export interface EventLine {
  readonly event: string
  readonly at?: number
  readonly [field: string]: unknown
}

/** Names of all events of a peer. The type makes the list complete. */
export const PEER_EVENTS = Object.keys({
  'member:alive': true,
  'member:suspect': true,
  'member:dead': true,
  'member:left': true,
  'sync:start': true,
  'sync:end': true,
  'rebalance:start': true,
  'rebalance:end': true,
  alert: true,
} satisfies Record<keyof PeerEvents, true>) as (keyof PeerEvents)[]

/** Says in words what an event line says. */
export function describeEvent(line: EventLine): string {
  const [kind, what] = line.event.split(':')
  if (kind === 'member') {
    return `${text(line.name)} (${shortId(text(line.id))}) ${what === 'left' ? 'has left' : `is ${what}`}`
  }
  const from = shortId(text(line.member))
  if (line.event === 'sync:start') return `catching up from ${from}: ${text(line.reason)}`
  if (line.event === 'sync:end') {
    const taken = counted(Number(line.entries ?? 0), 'entry', 'entries')
    return line.ok === false
      ? `catching up from ${from} failed after ${taken}`
      : `caught up from ${from}: ${taken}`
  }
  if (line.event === 'rebalance:start') {
    return `the ring has changed: taking over ${counted(Number(line.partitions ?? 0), 'partition')}`
  }
  if (line.event === 'rebalance:end') {
    return `taken over: ${counted(Number(line.entries ?? 0), 'entry', 'entries')}`
  }
  if (line.event === 'alert') return `alert ${text(line.code)}: ${text(line.message)}`
  const { event, at: _, ...rest } = line
  return `${event} ${JSON.stringify(rest)}`
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? '')
}
