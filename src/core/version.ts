/**
 * Versions and the one rule that orders them.
 *
 * A version is a hybrid logical timestamp (Kulkarni et al., "Logical Physical Clocks", 2014) and the member
 * that issued it. Last write wins needs a total order over entries, the same on every member and for every
 * path an entry can take: gossip, state transfer, repair, disk. {@link supersedes} is that order, and the only
 * place where two entries are compared.
 */

/** A hybrid logical timestamp: 48 bits of wall milliseconds, 16 bits of counter. */
export interface Timestamp {
  /** Milliseconds since the Unix epoch, below 2^48. */
  readonly wallMs: number
  /** Orders events within one millisecond, below 2^16; overflow carries into `wallMs`. */
  readonly counter: number
}

/** When and by whom something was written. */
export interface Version extends Timestamp {
  /** Id of the member that issued it. */
  readonly member: string
}

/** A value as it is stored and sent: text as itself, everything else as encoded bytes. */
export type Payload = string | Uint8Array

/** What {@link supersedes} needs to know of an entry. */
export interface Versioned {
  readonly version: Version
  /** True for a tombstone and a clear marker. */
  readonly deleted: boolean
  /** The value; undefined when deleted, or when only the version is remembered. */
  readonly payload: Payload | undefined
  /** Of a tombstone: those of the write that it is left of, where a tag undid it. It is no Delete of its own. */
  readonly tags?: readonly string[] | undefined
}

/** What became of writes that were made after a wall time. */
export interface Recalled {
  /** How many were given up. */
  readonly count: number
  /** Wall time of the latest that is left, in ms; 0 for none. */
  readonly latestMs: number
}

/** The timestamp before every other. */
export const TIMESTAMP_ZERO: Timestamp = { wallMs: 0, counter: 0 }

/** Highest wall time a timestamp can carry, in milliseconds. */
export const WALL_MS_MAX = 2 ** 48 - 1

/** Highest counter a timestamp can carry. */
export const COUNTER_MAX = 2 ** 16 - 1

/** Negative when `a` is earlier than `b`, 0 when equal, positive when later. */
export function compareTimestamps(a: Timestamp, b: Timestamp): number {
  return a.wallMs !== b.wallMs ? a.wallMs - b.wallMs : a.counter - b.counter
}

/**
 * Whether `a` wins over `b`: by clock, then delete over set, then member id, then the value itself (two values
 * under one version can only come from one identity running twice; all copies must still agree on one). What a tag undid
 * is over its own write, and otherwise counts as that does.
 * False for two equal entries, so that applying the same entry twice changes nothing.
 */
export function supersedes(a: Versioned, b: Versioned): boolean {
  const byClock = compareTimestamps(a.version, b.version)
  if (byClock !== 0) return byClock > 0
  if (isDelete(a) !== isDelete(b)) return isDelete(a)
  if (a.version.member !== b.version.member) return a.version.member > b.version.member
  if (a.deleted !== b.deleted) return a.deleted
  return comparePayloads(a.payload, b.payload) > 0
}

/** What decides between two entries, in the order in which {@link supersedes} looks. */
export type Grounds = 'clock' | 'delete' | 'member' | 'value'

/** On what grounds one of two entries wins; undefined when they are the same. */
export function decidedBy(a: Versioned, b: Versioned): Grounds | undefined {
  if (compareTimestamps(a.version, b.version) !== 0) return 'clock'
  if (isDelete(a) !== isDelete(b)) return 'delete'
  if (a.version.member !== b.version.member) return 'member'
  if (a.deleted !== b.deleted) return 'delete'
  return comparePayloads(a.payload, b.payload) === 0 ? undefined : 'value'
}

/** Whether it deletes whatever was written at its time, and not the one write alone that it is left of. */
function isDelete({ deleted, tags }: Versioned): boolean {
  return deleted && tags === undefined
}

/** An arbitrary total order: text before bytes, each in its own order; a value no longer known ties. */
function comparePayloads(a: Payload | undefined, b: Payload | undefined): number {
  if (a === undefined || b === undefined) return 0
  if (typeof a === 'string') return typeof b !== 'string' || a < b ? -1 : a > b ? 1 : 0
  if (typeof b === 'string') return 1
  for (let i = 0; i < a.length && i < b.length; i++) {
    if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number)
  }
  return a.length - b.length
}

/**
 * The printed form, `<12 hex digits of ms>-<4 hex digits of counter>-<member>`, which sorts as text in clock order.
 * It is the `x-hearsay-version` header and what `explain` shows.
 */
export function formatVersion(version: Version): string {
  return `${version.wallMs.toString(16).padStart(12, '0')}-${version.counter.toString(16).padStart(4, '0')}-${version.member}`
}
