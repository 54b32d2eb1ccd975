/**
 * What the services say to each other, before it is encoded.
 */
import type { ClearMarker, Write } from '../core/entry.js'
import type { MemberDescription, MemberState } from '../core/members.js'
import type { Position } from '../core/positions.js'
import type { Remembered } from '../core/remembered.js'
import type { Timestamp } from '../core/version.js'

/** A member and what the sender takes it to be. */
export interface MemberReport extends MemberDescription {
  readonly state: MemberState
}

/** What must be equal in a mesh, and who is speaking. */
export interface Hello {
  readonly mesh: string
  readonly protocolMinor: number
  readonly replicas: number | 'all'
  readonly partitions: number
  readonly virtualNodes: number
  readonly tombstoneGraceMs: number
  /** Random at each start: tells apart two processes with one identity. */
  readonly instance: string
  /** The highest timestamp the sender knows. */
  readonly clock: Timestamp
  readonly self: MemberDescription
  /** Everybody else the sender knows. */
  readonly members: readonly MemberReport[]
  /** The sender's wall clock, in ms since the Unix epoch, and for how long it has run; 0 when it does not say. */
  readonly wallMs: number
  readonly uptimeMs: number
}

/** Why a hello is refused, seen from the peer that refuses. */
export interface Refusal {
  readonly field: string
  readonly ours: string
  readonly theirs: string
}

export type HelloReply = { readonly welcome: Hello } | { readonly refusal: Refusal }

export interface Heartbeat extends Omit<MemberDescription, 'id'> {
  readonly instance: string
  /** Rises with each heartbeat of an incarnation. */
  readonly sequence: number
  /** By the sender's monotonic clock. */
  readonly uptimeMs: number
  /** The sender's wall clock, in ms since the Unix epoch; 0 when it does not say. */
  readonly wallMs: number
  /** How late the sender's own timer fired. */
  readonly loopLagMs: number
  readonly viewDigest: bigint
  /** Which run of the sender this is: its first incarnation. */
  readonly opsEpoch: number
  /** Number of the last batch the sender published in this epoch. */
  readonly opsSequence: number
  /** Of the entries that the sender holds as of `wallMs`, those about to expire left out; 0 when it does not say. */
  readonly storeDigest: bigint
}

/** News of a member's state; `forgotten` drops a member that is gone. */
export interface MemberNews {
  readonly id: string
  readonly incarnation: number
  readonly state: MemberState | 'forgotten'
  /** The suspicion rests on every known address having refused a connection. */
  readonly refused: boolean
  /** Which run of the member `opsSequence` counts in; 0 when nothing of it was heard. */
  readonly opsEpoch: number
  /** How far the reporter has taken in what the member published; in a leave, all that it published. */
  readonly opsSequence: number
  /** Who it is, for those who have not heard of it. */
  readonly member?: MemberDescription
}

/**
 * Writes and clears. A write that is neither deleted nor has a payload is an announcement: its value is too large
 * for the message and has to be fetched.
 */
export interface Records {
  readonly writes: readonly Write[]
  readonly markers: readonly ClearMarker[]
  /** Keys whose latest value is gone at the sender, by expiry or eviction; older ones are outdated all the same. */
  readonly stubs?: readonly Remembered[]
}

/** A member's writes, as it publishes them. */
export interface Batch extends Records {
  /** Which run of the sender this is: its first incarnation. */
  readonly epoch: number
  /** 1, 2, 3 … within an epoch. */
  readonly sequence: number
}

export interface StateRequest {
  readonly fromPartition: number
}

/** A part of a member's whole state. */
export interface StatePage extends Records {
  /** Every partition before this one has been sent. */
  readonly nextPartition: number
  readonly last: boolean
  /** On the first page: how far the sender had taken in everybody when it began. */
  readonly positions: readonly Position[]
  readonly clock: Timestamp
}

export interface FetchRequest {
  readonly keys: ReadonlyArray<{ readonly cache: string; readonly key: string }>
}

/** A question that one peer asks another over their stream of requests. */
export type Ask =
  /** Whether all batches up to `sequence` have been applied; answered once they are. */
  | { readonly kind: 'confirm'; readonly epoch: number; readonly sequence: number }
  /** To take in writes; the answer is an acknowledgement. */
  | { readonly kind: 'replicate'; readonly records: Records }
  /** What is known of some keys. */
  | {
      readonly kind: 'read'
      readonly keys: ReadonlyArray<{ readonly cache: string; readonly key: string }>
    }

export type Answer =
  | { readonly kind: 'confirm'; readonly applied: boolean }
  /** `refused`: writes whose version is too far ahead to be believed. */
  | { readonly kind: 'replicate'; readonly refused: number }
  /** Entries, tombstones, stubs and the clears of the caches that were asked for. */
  | { readonly kind: 'read'; readonly records: Records }
  /** Why there is no answer. */
  | { readonly kind: 'refusal'; readonly reason: string }

/** A question or an answer in a frame, with the number that the asker knows it by. */
export interface Numbered<T> {
  readonly id: number
  readonly body: T
}
