/**
 * What the driver of a chaos run and its children say to each other, over the channel that they were
 * forked with.
 */
import type { Ack, Consistency } from '../../api.js'
import type { HeldEntry } from '../../testing/checker/copies.js'
import type { Route } from './links.js'

/** Caches of the workload, and how many keys each has. The second is cleared now and then. */
export const CACHES = ['kept', 'cleared'] as const
export const KEYS_PER_CACHE = 75

/** Every key of the workload. */
export const KEYS: readonly string[] = Array.from({ length: KEYS_PER_CACHE }, (_, i) => `key-${i}`)

/** How a child works. */
export interface ChildPlan {
  readonly mesh: string
  /** Also what its values begin with. */
  readonly name: string
  readonly port: number
  readonly bootstrap: readonly string[]
  readonly replicas: number
  readonly ack: Ack
  readonly seed: number
  readonly operationsPerSecond: number
}

/** What the driver asks for. */
export type Command =
  | { readonly do: 'route'; readonly routes: readonly Route[] }
  | { readonly do: 'start'; readonly plan: ChildPlan }
  | { readonly do: 'ready' }
  | { readonly do: 'work' }
  | { readonly do: 'rest' }
  | { readonly do: 'clock'; readonly offsetMs: number }
  | { readonly do: 'look' }
  | { readonly do: 'contents' }
  | { readonly do: 'read' }

/** Answer to a command, by its number. */
export interface Answer {
  readonly answer: number
  readonly result?: unknown
  readonly error?: string
  readonly code?: string | undefined
}

/** What a child sees of the mesh. */
export interface Look {
  readonly status: string
  /** Ids of the members that it takes to be alive, sorted, and of those that it is not sure of. */
  readonly alive: readonly string[]
  readonly suspect: readonly string[]
  readonly ring: readonly string[]
  readonly openPartitions: number
  readonly hintCount: number
  readonly syncQueueSize: number
}

/** What a child holds of the keys that it owns: in the order of caches and keys. */
export interface Contents {
  readonly owned: ReadonlyArray<readonly [cache: string, key: string]>
  readonly held: ReadonlyArray<HeldEntry & { readonly cache: string; readonly key: string }>
}

/** What a child reads of every key at quorum. */
export type Readings = ReadonlyArray<
  readonly [cache: string, key: string, value: string | undefined]
>

/** What an operation does. */
export interface OperationBegun {
  readonly event: 'begun'
  /** Counts up in each child. */
  readonly number: number
  readonly kind: 'set' | 'delete' | 'clear' | 'invalidate'
  readonly cache: string
  readonly key?: string | undefined
  readonly value?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly tag?: string | undefined
  /** Clock of the latest version that the child had heard of: what it is about to write is later. */
  readonly after: string
}

/** What came of it. */
export interface OperationEnded {
  readonly event: 'ended'
  readonly number: number
  /** `open`: it failed, and may have taken effect; `refused`: it did not. */
  readonly outcome: 'acknowledged' | 'open' | 'refused'
  /** Undefined where the writer was not told. */
  readonly version?: string | undefined
  /** Of the error. */
  readonly code?: string | undefined
}

/** A value that was read. */
export interface ReadEnded {
  readonly event: 'read'
  readonly cache: string
  readonly key: string
  readonly consistency: Consistency
  readonly value: string | undefined
  readonly version: string | undefined
  readonly code?: string | undefined
}

/** A read that is below what the same child had been acknowledged before it asked. */
export interface StaleRead {
  readonly event: 'stale'
  readonly consistency: Consistency
  readonly message: string
  /** How long before now that had been acknowledged, in ms. */
  readonly acknowledgedAgoMs: number
}

/** What happens in a child by itself. */
export type Report =
  | OperationBegun
  | OperationEnded
  | ReadEnded
  | StaleRead
  | { readonly event: 'member'; readonly id: string; readonly state: string }
  /** It, or the machine, did not run for so long, until now. */
  | { readonly event: 'stall'; readonly forMs: number }
  /** Operations that were due and not begun, for too many were under way. */
  | { readonly event: 'held-back'; readonly count: number }
  | { readonly event: 'log'; readonly level: string; readonly message: string }
