/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The public contract: what `createPeer` returns and what a cache can do. Implemented by `peer.ts` and
 * `cache.ts`; the CLI, the HTTP gateway and the examples use nothing else.
 */
import { ACKS, type Ack } from './core/quorum.js'
import type { EventSource } from './emitter.js'

export { ACKS, type Ack }

/**
 * Whom a read asks.
 *
 * - `local`: the nearest copy: this peer's own where it owns the key; else what it wrote or read a short while ago (see
 *   `nearCache`); else an owner's. Where no owner answers, nothing is found
 * - `one`: an owner's copy; this peer's own where it is one. Where no owner answers, that is an error
 * - `quorum`: the latest of what ⌊replicas/2⌋+1 owners know (with `replicas: 'all'`, the majority of the members); those
 *   that are behind are brought up to date
 */
export type Consistency = (typeof CONSISTENCIES)[number]
export const CONSISTENCIES = ['local', 'one', 'quorum'] as const

/** Options of one cache; the same on every call of `peer.cache(name, …)` that gives any. */
export interface CacheOptions {
  /**
   * Time to live of an entry, in ms, unless the write says otherwise. 0 means that entries do not expire.
   * @default 0
   */
  ttl?: number
  /** Acknowledgements that writes wait for, unless the write says otherwise. @default 'none' */
  ack?: Ack
  /** Whom reads ask, unless the read says otherwise. @default 'local' */
  consistency?: Consistency
  /**
   * How old a copy of an entry that others own may be when a `local` read finds it here, in ms since an owner was asked;
   * 0 keeps no such copies. News of a write replaces or drops one at once; the bound is for news that gets lost.
   * @default 5000
   */
  nearCache?: number
}

/** Options of a read. */
export interface ReadOptions {
  /** Whom to ask. @default the cache's `consistency` */
  consistency?: Consistency
  /** Gives up waiting for others: the read fails with its reason. */
  signal?: AbortSignal
}

/** Options of {@link Cache.entry}. */
export interface EntryOptions extends ReadOptions {
  /** Whether it counts as a hit or a miss. @default false */
  counted?: boolean
}

/** Options of a write. */
export interface WriteOptions {
  /** Time to live of this entry, in ms; 0 means never. @default the cache's `ttl` */
  ttl?: number
  /**
   * By which it can be undone together with others, see {@link Cache.invalidateTags}: at most 32 texts of at most 128 bytes.
   * They are those of this value: the next set of the key says its own. @default none
   */
  tags?: Iterable<string>
  /** Acknowledgements to wait for. @default the cache's `ack` */
  ack?: Ack
  /**
   * Gives up waiting, for room in the write queue or for others: the write fails with its reason. One that has been queued
   * is not undone.
   */
  signal?: AbortSignal
}

/** Options of a delete, a clear and an invalidation. */
export type DeleteOptions = Pick<WriteOptions, 'ack' | 'signal'>

/** An entry with all that is known of it. */
export interface CacheEntry<T> {
  readonly key: string
  readonly value: T
  /** `<ms, hex>-<counter, hex>-<member id>`: sorts as text in the order in which writes win. */
  readonly version: string
  /**
   * Wall time in ms since the epoch at which the key was first set, as far as the member that wrote last knew: one that owns
   * no copy of the key may take its own write for the first.
   */
  readonly createdAt: number
  /** Wall time in ms since the epoch of the last write. */
  readonly updatedAt: number
  /** Wall time in ms since the epoch at which the entry expires; undefined when it does not. */
  readonly expiresAt: number | undefined
  /** What it was set with, each once; empty for none. */
  readonly tags: readonly string[]
}

/**
 * What this peer did, or heard of, in a cache. Of entries that it owns it hears all, once; of the others what is published,
 * which may be lost or come in another order: their `version` tells.
 */
export interface CacheEvents {
  set: { readonly key: string; readonly version: string }
  delete: { readonly key: string; readonly version: string }
  /** The entry's time was over. */
  expire: { readonly key: string; readonly version: string }
  /** The entry was given up here for want of room; other members still have it. */
  evict: { readonly key: string; readonly version: string }
  clear: { readonly version: string }
  /** What bore a tag is gone: said once, not for each key. */
  invalidate: { readonly tag: string; readonly version: string }
}

/** What this peer holds itself. All synchronous. */
export interface LocalCache<T> {
  /** Live entries held here. */
  entries(): IterableIterator<CacheEntry<T>>
  /** Keys of the live entries held here. */
  keys(): IterableIterator<string>
  /** Number of entries held here; an expired one counts until it has been swept. */
  readonly size: number
}

/**
 * A named keyspace, shared by the mesh.
 *
 * Values may be anything that structured data can express: primitives, plain objects and arrays, `Date`, `Map`,
 * `Set`, `bigint`, `Uint8Array` and the other typed arrays, `ArrayBuffer`, `RegExp`, also nested (up to 200 deep) and
 * circular. Every read returns a value of its own: changing it changes nothing in the cache. Instances of classes
 * become plain objects. `undefined` cannot be stored, for it means "not there".
 */
export interface Cache<T = unknown> extends EventSource<CacheEvents> {
  readonly name: string
  /** What this peer holds itself. */
  readonly local: LocalCache<T>
  /**
   * Sets a key. Resolves when the write has taken effect here and is queued for the others ({@link Peer.flush} waits for
   * them) or, with `ack`, when enough of them have it.
   * @throws InvalidKeyError, InvalidTtlError, InvalidTagError, InvalidOptionError, UnsupportedValueError, ValueTooLargeError,
   * SyncQueueFullError, HintsFullError, ClockSkewError: it had no effect; NotConfirmedError: too few have acknowledged it
   * within `syncTimeoutMs`, and whether it will stay is open; PeerStoppedError: it had no effect, or, where it waited for
   * acknowledgements, is as open
   */
  set(key: string, value: T, options?: WriteOptions): Promise<void>
  /**
   * The value of a key, or undefined.
   * @throws InvalidKeyError, InvalidOptionError, PeerStoppedError; NotConfirmedError when too few answer a `quorum` read
   * within `syncTimeoutMs`, or nobody a read at `one`
   */
  get(key: string, options?: ReadOptions): Promise<T | undefined>
  /**
   * Whether the key has a value. Does not count as a hit or a miss.
   * @throws InvalidKeyError, InvalidOptionError, PeerStoppedError; NotConfirmedError as `get` does
   */
  has(key: string, options?: ReadOptions): Promise<boolean>
  /**
   * Deletes a key. Resolves like `set`; true when there was something to delete, as far as this peer knew.
   * @throws InvalidKeyError, InvalidOptionError, SyncQueueFullError, HintsFullError, ClockSkewError: it had no effect;
   * NotConfirmedError, PeerStoppedError as `set` does
   */
  delete(key: string, options?: DeleteOptions): Promise<boolean>
  /**
   * The values of those keys that have one, in the order asked for. One request for each owner that is asked.
   * @throws InvalidKeyError, InvalidOptionError, PeerStoppedError; NotConfirmedError as `get` does, for any of the keys
   */
  getMany(keys: Iterable<string>, options?: ReadOptions): Promise<Map<string, T>>
  /**
   * Sets many keys; all are checked before the first takes effect.
   * @throws InvalidKeyError, InvalidTtlError, InvalidTagError, InvalidOptionError, UnsupportedValueError, ValueTooLargeError: none took
   * effect; SyncQueueFullError, HintsFullError, ClockSkewError: those before it did; NotConfirmedError, PeerStoppedError:
   * which of them did, and will stay, is open
   */
  setMany(
    entries: Iterable<readonly [key: string, value: T]>,
    options?: WriteOptions,
  ): Promise<void>
  /**
   * Deletes many keys. Returns how many had a value.
   * @throws InvalidKeyError, InvalidOptionError: none took effect; SyncQueueFullError, HintsFullError, ClockSkewError,
   * NotConfirmedError, PeerStoppedError as `setMany` does
   */
  deleteMany(keys: Iterable<string>, options?: DeleteOptions): Promise<number>
  /**
   * The value held here, owned or as a near copy, synchronously; undefined when this peer holds none. Never asks another
   * peer, and throws nothing.
   */
  peek(key: string): T | undefined
  /**
   * The entry of a key with its version and times, or undefined.
   * @throws InvalidKeyError, InvalidOptionError, PeerStoppedError; NotConfirmedError as `get` does
   */
  entry(key: string, options?: EntryOptions): Promise<CacheEntry<T> | undefined>
  /**
   * Forgets every entry written before now, on all members: one message, whatever the number of entries.
   * @throws InvalidOptionError, SyncQueueFullError, ClockSkewError: it had no effect; NotConfirmedError, PeerStoppedError
   * as `set` does
   */
  clear(options?: DeleteOptions): Promise<void>
  /**
   * Forgets every entry with one of some tags that was set before now, on all members: one message for each tag, whatever the
   * number of entries. What was set after it, by whichever member, stays.
   * @throws InvalidTagError, InvalidOptionError: it had no effect; SyncQueueFullError, ClockSkewError: the tags before it
   * have been; NotConfirmedError, PeerStoppedError as `set` does
   *
   * @example
   * await pages.set('/shoes/42', html, { tags: ['product:42', 'shoes'] })
   * await pages.invalidateTags('product:42')
   */
  invalidateTags(tags: string | Iterable<string>, options?: DeleteOptions): Promise<void>
  /**
   * All keys of the mesh, in no particular order, a page at a time. Writes made meanwhile may be seen or not.
   * @throws NotConfirmedError when a partition has no owner that answers; PeerStoppedError: both as one walks
   */
  keys(): AsyncIterableIterator<string>
  /** All entries of the mesh, in the same way. @throws NotConfirmedError, PeerStoppedError as `keys` does */
  entries(): AsyncIterableIterator<CacheEntry<T>>
  /**
   * Number of entries in the mesh.
   * @throws NotConfirmedError when a partition has no owner that answers; PeerStoppedError
   */
  size(): Promise<number>
}

/** What a member is taken to be. */
export type MemberState = 'alive' | 'suspect' | 'dead' | 'left'

/** A peer in the membership, as seen by this one. */
export interface MemberInfo {
  readonly id: string
  readonly name: string
  readonly state: MemberState
  /** Rises when the member restarts or refutes a suspicion. */
  readonly incarnation: number
  readonly addresses: readonly string[]
  /** Whether this is the peer that was asked. */
  readonly self: boolean
  /** `client`: takes part, and owns no keys. */
  readonly role: 'owner' | 'client'
  /** Whether requests to it are made, given up for a while because it has not answered, or tried again. */
  readonly breaker: 'closed' | 'open' | 'half-open'
  /** Partitions, of 4,096, of which the member is the first owner. 0 while it is not serving. */
  readonly partitions: number
}

/** Something that an operator should look at. */
export interface Alert {
  /** Stable name, such as `serving-alone`, `clock-skew`, `hello-refused`, `identity-in-use`, `tombstones-full`, `markers-full`. */
  readonly code: string
  readonly message: string
}

export interface PeerEvents {
  'member:alive': MemberInfo
  'member:suspect': MemberInfo
  'member:dead': MemberInfo
  'member:left': MemberInfo
  /** This peer begins, or has ended, taking over entries from another one. */
  'sync:start': { readonly member: string; readonly reason: string }
  'sync:end': { readonly member: string; readonly entries: number; readonly ok: boolean }
  /** The ring has changed: this peer begins to take over partitions, or has taken over all that it owns. */
  'rebalance:start': { readonly partitions: number }
  'rebalance:end': { readonly entries: number }
  alert: Alert
}

/** Where a key belongs. */
export interface Placement {
  /** 0 … 4095. */
  readonly partition: number
  /** Ids of the members that own the key, the primary first. */
  readonly owners: readonly string[]
}

/** What one owner holds of a key. */
export interface ReplicaExplanation {
  readonly id: string
  readonly name: string
  readonly self: boolean
  /** What the peer that was asked takes the owner to be. */
  readonly state: MemberState
  /** `primary`: the first owner; `earlier`: an owner before the ring changed, which counts until all is taken over. */
  readonly role: 'primary' | 'owner' | 'earlier'
  /**
   * - `value`, `deleted`: the latest that it knows
   * - `gone`: its value has expired, or was evicted there; the version is left
   * - `nothing`: it knows of no such key
   * - `unknown`: it has not answered
   */
  readonly holds: 'value' | 'deleted' | 'gone' | 'nothing' | 'unknown'
  /** Whether it has taken over all that it owns: otherwise that it holds nothing means nothing. */
  readonly inSync: boolean
  /** Whether it holds what wins. */
  readonly latest: boolean
  readonly version: string | undefined
  /** Id of the member that wrote it. */
  readonly writer: string | undefined
  /** Wall time of the write, in ms since the epoch, and how long ago that is by the mesh's clock. */
  readonly writtenAt: number | undefined
  readonly ageMs: number | undefined
  /** Wall time in ms since the epoch; undefined when it does not expire. */
  readonly expiresAt: number | undefined
  /** Of the value. */
  readonly bytes: number | undefined
}

/** Where a key belongs, what its owners hold, and which of it wins. */
export interface Explanation {
  readonly cache: string
  readonly key: string
  /** 0 … 4095. */
  readonly partition: number
  /** Ids of the owners, the primary first. */
  readonly owners: readonly string[]
  /** Whether the ring is changing, so that earlier owners count as well. */
  readonly changing: boolean
  readonly replicas: readonly ReplicaExplanation[]
  /** What wins; undefined when nobody knows anything of the key. */
  readonly winner:
    | {
        readonly version: string
        readonly writer: string
        readonly deleted: boolean
        /** The whole cache was cleared after the key was last written. */
        readonly cleared: boolean
        readonly ageMs: number
        /** In words. */
        readonly why: string
      }
    | undefined
  /** What the peer that was asked keeps beside: its own write that the owners have yet to take, and a near copy. */
  readonly hint: { readonly version: string } | undefined
  readonly near: { readonly version: string } | undefined
  /** How far the wall clock of the peer that was asked is ahead of the median of its peers', in ms. */
  readonly clockSkewMs: number
}

/** The ring as this peer sees it. */
export interface RingView {
  /** Ids of the members on the ring, sorted. */
  readonly members: readonly string[]
  locate(cache: string, key: string): Placement
}

/** Counters since the start, gauges as of now. Latencies are those of this peer's callers, in ms. */
export interface PeerStats {
  hitCount: number
  missCount: number
  /** hitCount / (hitCount + missCount); 0 before the first read. */
  hitRate: number
  setCount: number
  deleteCount: number
  /** Entries held here, over all caches. */
  itemCount: number
  /** Bytes of memory that the entries held here take. */
  memoryBytes: number
  evictionCount: number
  expirationCount: number
  tombstoneCount: number
  /** Tombstones given up for want of room: before their grace was over, or while a member that is called dead had yet to hear of them. */
  tombstoneOverflowCount: number
  /** Clears, and tags that were invalidated, that are remembered. */
  markerCount: number
  /** The same, given up for want of room like tombstones. */
  markerOverflowCount: number
  /** Versions of expired or evicted keys given up before their time, for want of room. */
  stubOverflowCount: number
  /** Of get, set and delete calls: mean and percentiles over the last minute or so. */
  avgLatencyMs: number
  p95LatencyMs: number
  p99LatencyMs: number
  /** Writes waiting to be published. */
  syncQueueSize: number
  /** Writes that had to wait for room in the queue. */
  syncQueueWaitCount: number
  /** Mean time from a write to its publication, over the recent batches. */
  syncLatencyMs: number
  /** Batches that could not be published, state transfers, rounds of repair and confirmations that failed. */
  syncErrorCount: number
  /** Writes published, and writes of others received. */
  opsPublishedCount: number
  opsReceivedCount: number
  /** Gaps noticed in what another member published, each of which leads to a round of repair, or a transfer of what differs. */
  opsGapCount: number
  /** Messages and frames dropped because they were malformed, by reason. */
  droppedCount: Readonly<Record<string, number>>
  /**
   * Rounds of repair that this peer has begun, those of them that found a difference, the records that took effect here by
   * them, and those that were sent.
   */
  repairRoundCount: number
  repairCount: number
  repairPulledCount: number
  repairPushedCount: number
  /** Records that other members have sent while partitions were taken over from them. */
  transferReceivedCount: number
  /** Partitions that are not repaired any more, because more versions of evicted entries were forgotten than fit. */
  lossyPartitions: number
  /** How far this peer's wall clock is ahead of the median of its peers', in ms; negative when it is behind. */
  clockSkewMs: number
  /** Requests to other members, those of them that got no answer, and those that wait for one. */
  requestCount: number
  requestErrorCount: number
  requestsInFlight: number
  /** Writes that wait for acknowledgements. */
  ackWaitCount: number
  /** Copies of other members that `quorum` reads have brought up to date. */
  readRepairCount: number
  /** Reads that went to owners, those of them for which a second one was asked, and those that nobody answered. */
  remoteReadCount: number
  hedgedReadCount: number
  unansweredReadCount: number
  /** Copies of others' entries that are kept for a while, the bytes they take, and reads that they answered. */
  nearCount: number
  nearBytes: number
  nearHitCount: number
  /** Writes to keys of others that their owners have yet to take, and the bytes they take. */
  hintCount: number
  hintBytes: number
  /** Writers that had to wait because too much of that was kept, and writes that were given up. */
  hintWaitCount: number
  hintExpiredCount: number
  /** Writes, deletes and markers of this peer that were given up: its clock was ahead, and the others refuse them. */
  recalledCount: number
  /**
   * Signs, of late, that this peer itself is in trouble, 0 to 8: the more, the longer it waits before it calls another one
   * dead. It was suspected in vain, its event loop was late, or it could not reach one that others reach.
   */
  healthScore: number
  /** Times this process stood still for over 500 ms, and so believed nobody dead. */
  stallCount: number
  /** Times this peer was kept off the ring for a while because it had been called dead again and again. */
  dampedCount: number
  /** Partitions, of 4,096, that this peer owns, and those of them that it is still taking over. */
  ownedPartitions: number
  openPartitions: number
  /** Requests and answers of members that place keys by a ring which does not count here. */
  otherRingCount: number
  /** Members taken to be running, this one included. */
  memberCount: number
  /** Time since the start. */
  uptimeMs: number
}

/** What {@link Peer.sync} has done. */
export interface SyncResult {
  /** With how many other members this peer has compared what it holds. */
  readonly memberCount: number
  /** Records that took effect here, and those that were sent to the others. */
  readonly pulledCount: number
  readonly pushedCount: number
}

/** A running peer. */
export interface Peer extends EventSource<PeerEvents>, AsyncDisposable {
  /** Its peer id. */
  readonly id: string
  readonly name: string
  /** Name of the mesh. */
  readonly mesh: string
  /** Multiaddrs at which others can dial it, its id included: what goes into another peer's `bootstrap`. */
  readonly addresses: readonly string[]
  /** Base URL of its HTTP gateway; undefined when that is off. */
  readonly http: string | undefined
  /** Everybody it knows of, itself first. */
  readonly members: readonly MemberInfo[]
  readonly ring: RingView
  /** What it does: catching up, serving, or on its way out. */
  readonly status: 'joining' | 'serving' | 'draining' | 'stopped'
  /**
   * The cache of that name: the same object each time.
   * @throws InvalidOptionError, InvalidTtlError when the name or an option is not valid, or too many caches are open;
   * CacheOptionsConflictError when it is open with other options
   */
  cache<T = unknown>(name: string, options?: CacheOptions): Cache<T>
  /** Names of the caches that hold something here or were opened here. */
  caches(): string[]
  /**
   * Resolves when this peer has caught up with the mesh and serves, or serves alone because it reached nobody
   * within `joinTimeoutMs`.
   * @throws PeerStoppedError
   */
  ready(): Promise<void>
  /**
   * Dials further peers of the mesh. Resolves when one has taken this peer in.
   * @throws InvalidOptionError when an address is none; HelloRefusedError when what answers may not share a mesh with this
   * peer; UnreachableError when nothing answers; PeerStoppedError
   */
  join(addresses: string | readonly string[]): Promise<void>
  /**
   * Forgets a dead or left member on all members, and stops looking for it.
   * @throws UnknownMemberError, MemberLiveError, PeerStoppedError
   */
  forget(id: string): Promise<void>
  /**
   * Resolves when every write made before has been applied by every live member.
   * @throws NotConfirmedError when some did not confirm within `syncTimeoutMs`; PeerStoppedError
   */
  flush(): Promise<void>
  /**
   * Compares what this peer holds with everybody who owns it as well, now, and makes the two of each pair equal, in up to
   * three passes, for what one of them had others may lack: then all have what any of them had when it was called. Left out
   * is what one of the two is still taking over, or had to evict and forget (`lossyPartitions`). Peers do this every
   * `antiEntropyIntervalMs` with one of the others, and whenever they have been apart; call it where that is to be over.
   * @throws SyncError naming those with whom that was not possible; PeerStoppedError
   */
  sync(): Promise<SyncResult>
  stats(): PeerStats
  /**
   * Asks every owner of a key what it holds, and says which of it wins and why.
   * @throws InvalidKeyError; InvalidOptionError when the name of the cache is not valid; PeerStoppedError
   */
  explain(cache: string, key: string): Promise<Explanation>
  /**
   * Leaves the mesh and stops: what is queued is published first, and others are told. May be called twice.
   * With `drain`, as at the end of `await using`, it hands over first: it waits until the other members have confirmed its
   * writes, and then until those that now own what it owned have taken that over, for both together up to
   * `syncTimeoutMs`. What is not done by then is no error: the log says so.
   */
  stop(options?: { drain?: boolean }): Promise<void>
}
