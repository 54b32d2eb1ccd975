/**
 * Checks of what comes from another peer: within the limits, or a `ProtocolError`.
 */
import { HEARTBEAT_INTERVAL_MAX_MS } from '../core/heartbeat-interval.js'
import { COUNTER_MAX, type Timestamp, WALL_MS_MAX } from '../core/version.js'
import { ADDRESSES_MAX, TEXT_MAX } from './limits.js'

/** Something from another peer that cannot be used. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  /** @param reason what it is counted under */
  constructor(
    readonly reason: 'version' | 'malformed' | 'limit',
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}

export function timestamp({ wallMs, counter }: Timestamp): Timestamp {
  inRange(wallMs, counter)
  return { wallMs, counter }
}

export function inRange(wallMs: number, counter: number): void {
  if (wallMs > WALL_MS_MAX || counter > COUNTER_MAX) {
    throw new ProtocolError('limit', `timestamp ${wallMs}.${counter} is out of range`)
  }
}

/** Incarnations are times of starts, and what a refutation adds to them. */
export function incarnation(value: number): number {
  atMost(value, WALL_MS_MAX, 'as an incarnation')
  return value
}

/** What a peer's wall clock shows. */
export function wallMs(value: number): number {
  atMost(value, WALL_MS_MAX, 'as a wall time')
  return value
}

/** How long a member says that it may stay silent. */
export function intervalMs(value: number): number {
  atMost(value, HEARTBEAT_INTERVAL_MAX_MS, 'as an interval of heartbeats in ms')
  return value
}

export function text(value: string, what: string): string {
  atMost(value.length, TEXT_MAX, `${what}'s characters`)
  return value
}

export function addresses(values: string[]): string[] {
  atMost(values.length, ADDRESSES_MAX, 'addresses')
  for (const value of values) text(value, 'address')
  return values
}

/** Text whose UTF-8 form is not empty and has at most `bytesMax` bytes. */
export function utf8(value: string, bytesMax: number, what: string): string {
  if (value.length === 0) throw new ProtocolError('malformed', `an empty ${what}`)
  // A character takes at most three bytes (a pair of surrogates four), so most need no counting.
  if (value.length * 3 > bytesMax) atMost(Buffer.byteLength(value), bytesMax, `${what}'s bytes`)
  return value
}

export function atMost(value: number, max: number, what: string): void {
  if (value > max) throw new ProtocolError('limit', `${value} ${what}, the limit is ${max}`)
}

export function at(items: readonly string[], index: number, what: string): string {
  const item = items[index]
  if (item === undefined) throw new ProtocolError('malformed', `no ${what} ${index}`)
  return item
}
