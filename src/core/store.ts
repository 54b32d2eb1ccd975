/**
 * The local copy: every entry this member holds, with expiry, eviction and exact accounting of its size.
 *
 * `apply` is the only way in, for our own writes and for everybody else's alike, and `supersedes` alone decides
 * whether a write takes effect. So any order and any repetition of the same writes ends in the same state.
 *
 * Expiry, eviction and deletion are three things. A Delete leaves a tombstone, which is replicated, and which stays
 * for its grace even when the key is set again. An expired or evicted entry leaves a stub, its version, here only, so
 * that an older write that comes late does not show up in its place.
 *
 * Clearing a cache costs the same for ten entries and ten million: its map is dropped as a whole when the
 * marker is newer than all in it, and what hung on the entries is reclaimed by `sweep`, a slice at a time.
 */
import { ExpiringDigest, RecordDigest } from './digest.js'
import type { ClearMarker, Write } from './entry.js'
import { type EvictionPolicy, LruEviction } from './eviction.js'
import { ExpiryIndex } from './expiry.js'
import { PartitionIndex } from './partition-index.js'
import { type Remembered, RememberedKeys } from './remembered.js'
import { entryBytes, StoredEntry } from './stored-entry.js'
import {
  compareTimestamps,
  type Payload,
  supersedes,
  TIMESTAMP_ZERO,
  type Timestamp,
  type Version,
} from './version.js'

/** What is told to whoever watches the store. Called synchronously, after the change. */
export interface StoreListener {
  set(entry: StoredEntry): void
  delete(cache: string, key: string, version: Version): void
  expire(entry: StoredEntry): void
  evict(entry: StoredEntry): void
  clear(cache: string, version: Version): void
  /** The oldest tombstone was given up before its grace was over, for want of room. */
  tombstonesFull(): void
}

/** Options of {@link Store}. */
export interface StoreOptions {
  readonly clock: { now(): number; monotonicMs(): number }
  /** Hash of a key, 32 bits; see {@link keyHashOf}. */
  readonly keyHashOf: (cache: string, key: string) => number
  /** Entries held at most; `Infinity` for no limit. */
  readonly itemsMax: number
  /** Bytes held at most, as accounted by {@link entryBytes}; `Infinity` for no limit. */
  readonly bytesMax: number
  /** How long tombstones are kept, and how many at most. */
  readonly tombstoneGraceMs: number
  readonly tombstonesMax: number
  /** How long the version of an expired or evicted key is kept, and how many at most. */
  readonly stubGraceMs: number
  readonly stubsMax: number
  readonly listener?: StoreListener
}

/** What became of a write. */
export type Applied = 'applied' | 'superseded' | 'too large'

/** What is known of some keys. */
export interface Known {
  readonly writes: readonly Write[]
  readonly stubs: readonly Remembered[]
  readonly markers: readonly ClearMarker[]
}

/** The part of the store that belongs to one cache. */
interface Space {
  entries: Map<string, StoredEntry>
  /** The latest clear, and the latest timestamp of anything applied. */
  marker: ClearMarker | undefined
  latest: Timestamp
  /** Of the entries, by when they expire. */
  digest: ExpiringDigest
}

/** Expired and cleared entries that are taken out at once for want of room. */
const RECLAIM_SLICE = 16

export class Store {
  readonly #options: StoreOptions
  readonly #spaces = new Map<string, Space>()
  readonly #partitions = new PartitionIndex<StoredEntry>()
  readonly #eviction: EvictionPolicy<StoredEntry>
  readonly #expiry = new ExpiryIndex<StoredEntry>()
  readonly #tombstones: RememberedKeys
  readonly #stubs: RememberedKeys
  /** Entries of cleared caches whose links are still to be reclaimed. */
  readonly #cleared: Array<Iterator<StoredEntry>> = []
  #itemCount = 0
  #memoryBytes = 0
  #evictionCount = 0
  #expirationCount = 0

  constructor(options: StoreOptions, eviction: EvictionPolicy<StoredEntry> = new LruEviction()) {
    this.#options = options
    this.#eviction = eviction
    this.#tombstones = new RememberedKeys({
      itemsMax: options.tombstonesMax,
      graceMs: options.tombstoneGraceMs,
    })
    this.#stubs = new RememberedKeys({
      itemsMax: options.stubsMax,
      graceMs: options.stubGraceMs,
    })
  }

  /** Counts and sizes, as of now. Expired entries count until they are swept. */
  stats() {
    return {
      itemCount: this.#itemCount,
      memoryBytes: this.#memoryBytes,
      evictionCount: this.#evictionCount,
      expirationCount: this.#expirationCount,
      tombstoneCount: this.#tombstones.size,
      tombstoneOverflowCount: this.#tombstones.overflowCount,
      stubOverflowCount: this.#stubs.overflowCount,
    }
  }

  /** The live entry of a key, counted as used; undefined when there is none or it has expired. */
  get(cache: string, key: string): StoredEntry | undefined {
    const entry = this.#spaces.get(cache)?.entries.get(key)
    if (entry === undefined) return undefined
    if (entry.expiresAt !== 0 && entry.expiresAt <= this.#options.clock.now()) return undefined
    this.#eviction.touch(entry)
    return entry
  }

  /** Since when a key has had a live entry; undefined when it has none. Does not count as use. */
  createdAt(cache: string, key: string): number | undefined {
    const entry = this.#spaces.get(cache)?.entries.get(key)
    return entry === undefined || this.#hasExpired(entry) ? undefined : entry.createdAt
  }

  /** Live entries of one cache. Entries that come or go while it runs may be seen or not. */
  *entries(cache: string): Generator<StoredEntry> {
    for (const entry of this.#spaces.get(cache)?.entries.values() ?? []) {
      if (!this.#hasExpired(entry)) yield entry
    }
  }

  /** Number of live entries of one cache; expired ones count until they are swept. */
  size(cache: string): number {
    return this.#spaces.get(cache)?.entries.size ?? 0
  }

  /** Names of all caches that hold something or were cleared. */
  caches(): Iterable<string> {
    return this.#spaces.keys()
  }

  /** Everything of one partition that has not been cleared, live or expired and not yet swept. */
  partition(partition: number): readonly StoredEntry[] {
    return this.#partitions.entries(partition).filter((entry) => this.#holds(entry))
  }

  /** Live entries of one partition, of all caches. */
  *live(partition: number): Generator<StoredEntry> {
    for (const entry of this.partition(partition)) if (!this.#hasExpired(entry)) yield entry
  }

  /**
   * Equal on two members that hold the same entries; undefined when entries were evicted here, so that it says nothing.
   * Entries about to expire at `asOfMs` (wall time) do not count: they go at different moments on different members.
   */
  digest(asOfMs: number): bigint | undefined {
    if (this.#evictionCount > 0) return undefined
    const digest = new RecordDigest()
    for (const space of this.#spaces.values()) space.digest.addTo(digest, asOfMs)
    return digest.value
  }

  /**
   * All that is known of some keys: their entries, their tombstones or, where only the version is left, their stubs; and
   * the latest clears of their caches. An entry that has expired counts until it is swept. Nothing counts as used.
   */
  known(keys: ReadonlyArray<{ readonly cache: string; readonly key: string }>): Known {
    const writes: Write[] = []
    const stubs: Remembered[] = []
    const markers = new Set<ClearMarker>()
    for (const { cache, key } of keys) {
      const space = this.#spaces.get(cache)
      const record = space?.entries.get(key) ?? this.#remembered({ cache, key })
      if (record !== undefined && !record.deleted && record.payload === undefined)
        stubs.push(record)
      else if (record !== undefined) writes.push(record as Write)
      if (space?.marker !== undefined) markers.add(space.marker)
    }
    return { writes, stubs, markers: [...markers] }
  }

  /** Whether something later than a write is known of its key. */
  outranks(write: Remembered): boolean {
    const space = this.#spaces.get(write.cache)
    if (space?.marker !== undefined && supersedes(space.marker, write)) return true
    const known = space?.entries.get(write.key) ?? this.#remembered(write)
    return known !== undefined && supersedes(known, write)
  }

  /** Every tombstone still remembered. */
  tombstones(): Iterable<Write> {
    return this.#tombstones.values() as Iterable<Write>
  }

  /** Every key whose latest value has expired or was evicted, with its version. */
  stubs(): Iterable<Remembered> {
    return this.#stubs.values()
  }

  /** The latest clear marker of each cache. */
  *markers(): Generator<ClearMarker> {
    for (const { marker } of this.#spaces.values()) if (marker !== undefined) yield marker
  }

  /** Takes in a write, wherever it comes from, if it supersedes what is known of its key. */
  apply(write: Write): Applied {
    const held = this.#spaces.get(write.cache)?.entries.get(write.key)
    if (!this.#isNews(write, held)) return 'superseded'

    if (write.payload === undefined) this.#bury(write, held)
    else if (this.#hasExpired(write)) this.#skip(write, held, 'expire')
    else if (entryBytes(write.key, write.payload) > this.#options.bytesMax) {
      this.#skip(write, held, 'evict')
      return 'too large'
    } else this.#put(write, write.payload, held)
    return 'applied'
  }

  /** Takes in that there was a write whose value is gone elsewhere: what is older is outdated. */
  outdate(stub: Remembered): boolean {
    const held = this.#spaces.get(stub.cache)?.entries.get(stub.key)
    if (!this.#isNews(stub, held)) return false
    this.#skip(stub, held, 'expire')
    return true
  }

  /** Gives up a partition that belongs to others now, without a trace. Returns how many entries it had. */
  drop(partition: number): number {
    const entries = this.#partitions.entries(partition)
    for (const entry of entries) this.#remove(entry)
    return entries.length
  }

  /** Takes in a clear: everything of the cache written before the marker is gone. False when it is an old one. */
  clear(marker: ClearMarker): boolean {
    const space = this.#space(marker.cache)
    if (space.marker !== undefined && !supersedes(marker, space.marker)) return false
    space.marker = marker
    if (compareTimestamps(marker.version, space.latest) > 0) {
      space.latest = marker.version
      if (space.entries.size > 0) this.#cleared.push(space.entries.values())
      this.#itemCount -= space.entries.size
      space.entries = new Map()
      space.digest = new ExpiringDigest()
    } else {
      // The marker came late and newer writes stand beside older ones: rare, so a plain walk.
      for (const entry of space.entries.values()) {
        if (!supersedes(entry, marker)) this.#remove(entry)
      }
    }
    this.#options.listener?.clear(marker.cache, marker.version)
    return true
  }

  /**
   * Reclaims what has expired, been cleared or outlived its grace, at most about `limit` items.
   * Returns true when there may be more, so that the caller can give the event loop a turn in between.
   */
  sweep(limit: number): boolean {
    let left = limit - this.#reclaim(limit)
    const nowMs = this.#options.clock.monotonicMs()
    left -= this.#tombstones.purge(nowMs, Math.max(left, 0))
    left -= this.#stubs.purge(nowMs, Math.max(left, 0))
    return left <= 0
  }

  /** Whether something is later than all that is known of its key. @param held the entry of the key, if there is one */
  #isNews(record: Remembered, held: StoredEntry | undefined): boolean {
    const marker = this.#spaces.get(record.cache)?.marker
    if (marker !== undefined && !supersedes(record, marker)) return false
    const known = held ?? this.#remembered(record)
    return known === undefined || supersedes(record, known)
  }

  #put(write: Write, payload: Payload, held: StoredEntry | undefined): void {
    const space = this.#space(write.cache)
    if (compareTimestamps(write.version, space.latest) > 0) space.latest = write.version
    let entry = held
    if (entry === undefined) {
      entry = new StoredEntry(write, payload, this.#options.keyHashOf(write.cache, write.key))
      space.entries.set(write.key, entry)
      this.#itemCount++
      this.#partitions.add(entry)
      this.#eviction.admit(entry)
      this.#stubs.forget(write.cache, write.key)
    } else {
      flip(space, entry)
      this.#expiry.remove(entry)
      this.#memoryBytes -= entry.bytes
      entry.version = write.version
      entry.createdAt = write.createdAt
      entry.expiresAt = write.expiresAt
      entry.payload = payload
      entry.bytes = entryBytes(write.key, payload)
      this.#eviction.touch(entry)
    }
    flip(space, entry)
    this.#memoryBytes += entry.bytes
    this.#expiry.add(entry)
    this.#options.listener?.set(entry)
    this.#makeRoom()
  }

  #bury(write: Write, held: StoredEntry | undefined): void {
    if (held !== undefined) this.#remove(held)
    this.#stubs.forget(write.cache, write.key)
    const { overflowCount } = this.#tombstones
    this.#tombstones.remember(write, this.#options.clock.monotonicMs())
    if (this.#tombstones.overflowCount > overflowCount) this.#options.listener?.tombstonesFull()
    if (held !== undefined) this.#options.listener?.delete(write.cache, write.key, write.version)
  }

  /** A write that is not stored still replaces what is held: an older value must not be served in its stead. */
  #skip(write: Remembered, held: StoredEntry | undefined, why: 'expire' | 'evict'): void {
    if (held !== undefined) this.#remove(held)
    this.#rememberStub(write)
    if (held !== undefined) this.#options.listener?.[why](held)
  }

  #expire(entry: StoredEntry): void {
    const held = this.#holds(entry)
    this.#remove(entry)
    if (!held) return
    this.#rememberStub(entry)
    this.#expirationCount++
    this.#options.listener?.expire(entry)
  }

  #makeRoom(): void {
    const { bytesMax, itemsMax } = this.#options
    while (this.#memoryBytes > bytesMax || this.#itemCount > itemsMax) {
      // What nobody can read goes before what somebody may.
      if (this.#reclaim(RECLAIM_SLICE) > 0) continue
      const victim = this.#eviction.victim()
      if (victim === undefined) return
      this.#remove(victim)
      this.#rememberStub(victim)
      this.#evictionCount++
      this.#options.listener?.evict(victim)
    }
  }

  /** Keeps only the version of a key whose value is gone here, so that nothing older takes its place. */
  #rememberStub({ cache, key, version }: Remembered): void {
    this.#stubs.remember(
      { cache, key, version, deleted: false, payload: undefined },
      this.#options.clock.monotonicMs(),
    )
  }

  /** Takes an entry out of the store; one left over from before a clear, out of what still links to it. */
  #remove(entry: StoredEntry): void {
    const space = this.#spaces.get(entry.cache)
    if (space?.entries.get(entry.key) === entry) {
      space.entries.delete(entry.key)
      flip(space, entry)
      this.#itemCount--
      if (space.entries.size === 0 && space.marker === undefined) this.#spaces.delete(entry.cache)
    }
    this.#unlink(entry)
  }

  /** Takes an entry out of all but its cache's map. Harmless when that was done before. */
  #unlink(entry: StoredEntry): void {
    if (!this.#partitions.remove(entry)) return
    this.#memoryBytes -= entry.bytes
    this.#expiry.remove(entry)
    this.#eviction.remove(entry)
  }

  /** Takes out what has expired or was cleared, at most `limit` items. Returns how many. */
  #reclaim(limit: number): number {
    let reclaimed = 0
    for (const entry of this.#expiry.due(this.#options.clock.now(), limit)) {
      this.#expire(entry)
      reclaimed++
    }
    return reclaimed + this.#reclaimCleared(limit - reclaimed)
  }

  #reclaimCleared(limit: number): number {
    let reclaimed = 0
    while (reclaimed < limit) {
      const entries = this.#cleared[0]
      if (entries === undefined) break
      const { value, done } = entries.next()
      if (done) this.#cleared.shift()
      else {
        this.#unlink(value)
        reclaimed++
      }
    }
    return reclaimed
  }

  #space(cache: string): Space {
    let space = this.#spaces.get(cache)
    if (space === undefined) {
      space = {
        entries: new Map(),
        marker: undefined,
        latest: TIMESTAMP_ZERO,
        digest: new ExpiringDigest(),
      }
      this.#spaces.set(cache, space)
    }
    return space
  }

  /** The latest that is remembered of a key that is gone. */
  #remembered({ cache, key }: { readonly cache: string; readonly key: string }) {
    const buried = this.#tombstones.get(cache, key)
    const stub = this.#stubs.get(cache, key)
    if (buried === undefined || stub === undefined) return buried ?? stub
    return supersedes(stub, buried) ? stub : buried
  }

  /** Whether the entry is its cache's current one, and not one left over from before a clear. */
  #holds(entry: StoredEntry): boolean {
    return this.#spaces.get(entry.cache)?.entries.get(entry.key) === entry
  }

  #hasExpired({ expiresAt }: Write): boolean {
    return expiresAt !== 0 && expiresAt <= this.#options.clock.now()
  }
}

/** Puts an entry into its cache's digest, or takes it out. */
function flip(space: Space, { keyHash, version, expiresAt }: StoredEntry): void {
  space.digest.flip(keyHash, version, expiresAt)
}
