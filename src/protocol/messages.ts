/**
 * What the services say to each other, before it is encoded.
 */

import type { Horizon } from '../core/counted.js'
import type { KeyName, Marker, Write } from '../core/entry.js'
import type { Moments } from '../core/last-equal.js'
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
  /** The rings by which the sender places keys, each as the ids of its members; see {@link Placement}. */
  readonly rings: ReadonlyArray<readonly string[]>
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
  /** Which run of the sender this is: its first incarnation. */
  readonly opsEpoch: number
  /** Number of the last batch the sender published in this epoch. */
  readonly opsSequence: number
  /** Digest of the ring of which the sender holds all that it owns; 0 when it is still taking over. */
  readonly settledRing: bigint
  /** Its latest timestamp, in ms of wall time; 0 when it does not say. */
  readonly timestampMs: number
  /** The next heartbeat follows within this, in ms; 0 when it does not say. */
  readonly intervalMs: number
}

/** What a member that was pinged says of itself, as in its heartbeats. */
export type Vitals = Pick<Heartbeat, 'incarnation' | 'instance' | 'uptimeMs' | 'intervalMs'>

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
 * Writes, and markers of clears and invalidations. A write that is neither deleted nor has a payload is an announcement: its value is too large
 * for the message and has to be fetched.
 */
export interface Records {
  readonly writes: readonly Write[]
  readonly markers: readonly Marker[]
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
  /** The partitions that are wanted, each as a 1 at its place; undefined for all. */
  readonly partitions: Uint8Array | undefined
  /** Digest of the ring by which they are wanted; 0 for whichever. */
  readonly ring: bigint
  /** What the asker holds already; undefined where it does not say. */
  readonly held: HeldDigests | undefined
}

/** Digests of what is held of some partitions, one of each in their order, and as of when they are. */
export interface HeldDigests {
  readonly digests: Int32Array
  readonly horizon: Horizon
}

/** A part of a member's whole state. */
export interface StatePage extends Records {
  /** Every partition before this one has been sent. */
  readonly nextPartition: number
  readonly last: boolean
  /** On the first page: how far the sender had taken in everybody when it began. */
  readonly positions: readonly Position[]
  readonly clock: Timestamp
  /** On the first page: of the wanted partitions, those that the sender does not hold in full; undefined for none. */
  readonly lacking: Uint8Array | undefined
  /** On the first page: when the sender last held the same as members that are not there. */
  readonly moments: readonly Moments[]
  /** The sender places keys by another ring than the one asked by, and gives out nothing. */
  readonly otherRing: boolean
}

/** A question that one peer asks another over their stream of requests. */
export type Ask =
  /** Whether all batches up to `sequence` have been applied; answered once they are. */
  | { readonly kind: 'confirm'; readonly epoch: number; readonly sequence: number }
  /** To take in writes; the answer is an acknowledgement. `ring`: digest of the asker's; 0 when it does not matter. */
  | { readonly kind: 'replicate'; readonly records: Records; readonly ring: bigint }
  /** What is known of some keys. `large`: the first value is given however large it is, see {@link Answer}. */
  | {
      readonly kind: 'read'
      readonly keys: readonly KeyName[]
      readonly ring: bigint
      readonly large: boolean
    }
  /** The keys of a cache in some partitions, or how many they are. */
  | {
      readonly kind: 'scan'
      readonly cache: string
      readonly partitions: Uint8Array
      readonly fromPartition: number
      readonly countOnly: boolean
    }
  /**
   * Whether both know the same; see core/comparison.ts. `positions`: how far the other has come is wanted as well.
   * `givenUp`: partitions that the asker gives up to the other, which are what is compared, each a 1 at its place.
   */
  | {
      readonly kind: 'compare'
      readonly root: bigint
      readonly horizon: Horizon
      readonly positions: boolean
      readonly givenUp: Uint8Array | undefined
    }
  /** Where two differ: some nodes, and partitions that the asker does not compare. */
  | {
      readonly kind: 'narrow'
      readonly ring: bigint
      readonly seed: number
      readonly excluded: Uint8Array | undefined
      readonly nodes: readonly NodeDigests[]
      readonly givenUp: Uint8Array | undefined
    }
  /**
   * What the asker holds of some buckets. `isUrgent`: what may be under way is wanted as well. `givesOnly`: nothing is wanted,
   * but to hear what the other lacks.
   */
  | {
      readonly kind: 'list'
      readonly ring: bigint
      readonly seed: number
      readonly buckets: readonly BucketIds[]
      readonly isUrgent: boolean
      readonly moments: readonly PartitionMoment[]
      readonly givesOnly: boolean
    }
  /**
   * To take in records, and to tell what outranks them. `markers`: digests of the slices of the asker's markers; wanted are
   * those of slices that differ, too. `agreedMs`: as of when both hold the same, for the asker has had all, and given all;
   * 0 when that is not so.
   */
  | {
      readonly kind: 'exchange'
      readonly records: Records
      readonly markers: Int32Array | undefined
      readonly agreedMs: number
    }
  /** Whether who is asked lives; with a `target`, whether that one does when who is asked asks it. */
  | { readonly kind: 'ping'; readonly target?: string | undefined }

/** Digests of the partitions of a node. */
export interface NodeDigests {
  readonly node: number
  readonly partitions: readonly number[]
}

/** Digests of the buckets of a partition. */
export interface BucketDigests {
  readonly partition: number
  readonly buckets: readonly number[]
}

/** When a partition was last the same on both sides, in ms; 0 for never. */
export interface PartitionMoment {
  readonly partition: number
  readonly atMs: number
  /** Until when who tells this may have lost what it held without having deleted it, in ms; 0 for never. */
  readonly lostMs: number
}

/** The ids of what is held of a bucket. */
export interface BucketIds {
  readonly bucket: number
  readonly ids: readonly number[]
}

export type Answer =
  | { readonly kind: 'confirm'; readonly applied: boolean }
  /**
   * `refused`: writes whose version is too far ahead to be believed; `foreign`: indexes of those to keys that are not
   * owned by who answers; `ring`: digest of its ring.
   */
  | {
      readonly kind: 'replicate'
      readonly refused: number
      readonly ring: bigint
      readonly foreign: readonly number[]
    }
  /**
   * Entries, tombstones, stubs and the clears of the caches that were asked for; values that do not fit are only
   * announced. `open`: indexes of keys of which who answers need not hold the latest: that it has none means nothing.
   * `markers`: digest of those that it knows of.
   */
  | {
      readonly kind: 'read'
      readonly records: Records
      readonly ring: bigint
      readonly open: readonly number[]
      readonly markers?: number
    }
  /** `lacking`: of the wanted partitions, those that are not answered for; undefined for none. */
  | {
      readonly kind: 'scan'
      readonly keys: readonly string[]
      readonly count: number
      readonly nextPartition: number
      readonly lacking: Uint8Array | undefined
    }
  /** `nodes` and what goes with them is there where the two differ and have the same horizon. */
  | {
      readonly kind: 'compare'
      readonly equal: boolean
      readonly horizon: Horizon
      readonly ring: bigint
      readonly markers: number
      readonly excluded: Uint8Array | undefined
      readonly nodes: Int32Array | undefined
      readonly positions: readonly Position[]
    }
  /** `done`: how many of the nodes have been looked at. */
  | {
      readonly kind: 'narrow'
      readonly partitions: readonly BucketDigests[]
      readonly done: number
    }
  /** `wanted`: which of the asker's ids, counted from the first, are unknown. `done`: how many buckets were looked at. */
  | {
      readonly kind: 'list'
      readonly records: Records
      readonly wanted: readonly number[]
      readonly done: number
      readonly moments: readonly PartitionMoment[]
    }
  /** `markers`: digests of its slices, where it was asked for those that differ. */
  | {
      readonly kind: 'exchange'
      readonly records: Records
      readonly markers: Int32Array | undefined
    }
  /** Of who was pinged in the end; undefined when it has not answered. */
  | { readonly kind: 'ping'; readonly vitals: Vitals | undefined }
  /** Why there is no answer. */
  | { readonly kind: 'refusal'; readonly reason: string }

/** What one frame of a stream of requests asks. */
export interface Asks {
  readonly asks: ReadonlyArray<Numbered<Ask>>
  /** Numbers of earlier ones that nobody waits for any more. */
  readonly cancelled: readonly number[]
}

/** A question or an answer in a frame, with the number that the asker knows it by. */
export interface Numbered<T> {
  readonly id: number
  readonly body: T
}
