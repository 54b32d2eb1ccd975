/**
 * The local copy: every entry this member holds, with expiry, eviction and exact accounting of its size.
 *
 * `apply` is the only way in, for our own writes and for everybody else's alike, and `supersedes` alone decides
 * whether a write takes effect. So any order and any repetition of the same writes ends in the same state.
 *
 * Expiry, eviction and deletion are three things. A Delete leaves a tombstone, which is replicated, and which stays
 * for its grace, or until the key is set again. An expired or evicted entry leaves a stub, its version, here only, so
 * that an older write that comes late does not show up in its place.
 *
 * The latest that is known of each key, be it an entry, a tombstone or a stub, counts in the digest of its partition; see
 * counted.ts.
 *
 * Clearing a cache costs the same for ten entries and ten million: its map is dropped as a whole when the
 * marker is newer than all in it, and what hung on the entries is reclaimed by `sweep`, a slice at a time. So it is with what
 * bears a tag: an entry that a tag has undone is gone at once, and becomes a tombstone of its own version when it is next met.
 * A tombstone, because the key may have been overwritten: what was there before must not show again.
 */
import { CountedRecords, type Horizon } from './counted.js'
import type { PartitionDigests } from './digest.js'
import { type KeyName, leftOf, type Marker, type Write } from './entry.js'
import { type EvictionPolicy, LruEviction } from './eviction.js'
import { ExpiryIndex } from './expiry.js'
import { Markers } from './markers.js'
import { PartitionIndex } from './partition-index.js'
import { GoneKey, type Remembered, RememberedKeys } from './remembered.js'
import { PARTITIONS } from './ring.js'
import { entryBytes, StoredEntry } from './stored-entry.js'
import { TagIndex } from './tagged.js'
import {
  COUNTER_MAX,
  compareTimestamps,
  type Payload,
  type Recalled,
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
  invalidate(cache: string, tag: string, version: Version): void
  /** The oldest tombstone was given up before its grace was over, for want of room. */
  tombstonesFull(): void
  /** The same of a marker. */
  markersFull(): void
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
  /** How many markers are kept at most, for the same grace. */
  readonly markersMax: number
  /** Tells whether nobody needs a tombstone whose grace is over: made anew for each sweep that comes upon one. */
  readonly dispensable?: () => (gone: GoneKey) => boolean
  /** As of when all others have had all that is known here, in ms of wall time: they need no marker that is older. */
  readonly agreedMs?: () => number
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
  readonly markers: readonly Marker[]
}

/** The part of the store that belongs to one cache. */
interface Space {
  entries: Map<string, StoredEntry>
  /** Those that bear tags. */
  tagged: TagIndex<StoredEntry>
  /** The latest timestamp of anything applied. */
  latest: Timestamp
}

/** The horizon moves in whole seconds. */
const HORIZON_STEP_MS = 1_000

/** How far ahead of the present the horizon may be, in ms: of two members whose clocks differ a little, the other's counts. */
const AHEAD_MAX_MS = 5_000

/** Expired and cleared entries that are taken out at once for want of room. */
const RECLAIM_SLICE = 16

/** Entries that bear an invalidated tag which are reclaimed at once: about a millisecond's work. */
const UNDO_SLICE = 500

export class Store {
  readonly #options: StoreOptions
  readonly #spaces = new Map<string, Space>()
  readonly #partitions = new PartitionIndex<StoredEntry>()
  readonly #eviction: EvictionPolicy<StoredEntry>
  readonly #expiry = new ExpiryIndex<StoredEntry>()
  readonly #tombstones: RememberedKeys
  readonly #stubs: RememberedKeys
  readonly #markers: Markers
  /** What is gone, by partition. */
  readonly #gone = new PartitionIndex<GoneKey>()
  /** Of each partition, how much of what is gone others have the value of, and this member never had. */
  readonly #valuesOfOthers = new Uint32Array(PARTITIONS)
  readonly #counted = new CountedRecords(this.#expiry)
  /** What is left of cleared caches, its links still to be reclaimed, and what bears tags that were invalidated. */
  readonly #undone: Array<Iterator<StoredEntry | GoneKey>> = []
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
      needed: () => {
        const isDispensable = options.dispensable?.()
        return (gone) => this.#counted.has(gone) || isDispensable?.(gone) === false
      },
      onRemembered: (gone) => this.#remember(gone),
      onForgotten: (gone, forWantOfRoom) => this.#forgot(gone, forWantOfRoom),
    })
    this.#markers = new Markers({
      itemsMax: options.markersMax,
      graceMs: options.tombstoneGraceMs,
      onOverflow: ({ version }) => {
        this.#shortenGrace(version.wallMs)
        options.listener?.markersFull()
      },
    })
    this.#stubs = new RememberedKeys({
      itemsMax: options.stubsMax,
      graceMs: options.stubGraceMs,
      needed: () => (gone) => this.#counted.has(gone),
      onRemembered: (gone) => this.#remember(gone),
      onForgotten: (gone, forWantOfRoom) => this.#forgot(gone, forWantOfRoom),
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
      markerCount: this.#markers.size,
      markerOverflowCount: this.#markers.overflowCount,
    }
  }

  /** The live entry of a key, counted as used; undefined when there is none or it has expired. */
  get(cache: string, key: string): StoredEntry | undefined {
    const entry = this.#entry(cache, key)
    if (entry === undefined) return undefined
    if (entry.expiresAt !== 0 && entry.expiresAt <= this.#options.clock.now()) return undefined
    this.#eviction.touch(entry)
    return entry
  }

  /** Since when a key has had a live entry; undefined when it has none. Does not count as use. */
  createdAt(cache: string, key: string): number | undefined {
    const entry = this.#entry(cache, key)
    return entry === undefined || this.#hasExpired(entry) ? undefined : entry.createdAt
  }

  /** Live entries of one cache. Entries that come or go while it runs may be seen or not. */
  *entries(cache: string): Generator<StoredEntry> {
    for (const entry of this.#spaces.get(cache)?.entries.values() ?? []) {
      if (!this.#hasExpired(entry) && !this.#isUndone(entry)) yield entry
    }
  }

  /** Number of live entries of one cache; those that are expired or invalidated count until they are swept. */
  size(cache: string): number {
    return this.#spaces.get(cache)?.entries.size ?? 0
  }

  /** Names of all caches that hold something or were cleared. */
  *caches(): Generator<string> {
    const names = new Set(this.#markers.caches())
    for (const [name, { entries }] of this.#spaces) if (entries.size > 0) names.add(name)
    yield* names
  }

  /** Everything of one partition that has not been undone, live or expired and not yet swept. */
  partition(partition: number): readonly StoredEntry[] {
    const entries = this.#partitions.entries(partition)
    return this.areDigestsSettled ? entries : entries.filter((entry) => this.#holds(entry))
  }

  /** Live entries of one partition, of all caches. */
  *live(partition: number): Generator<StoredEntry> {
    for (const entry of this.partition(partition)) if (!this.#hasExpired(entry)) yield entry
  }

  /** The digest of each partition, as of {@link horizon}. */
  get digests(): PartitionDigests {
    return this.#counted.digests
  }

  /** What has lapsed before counts in no digest. */
  get horizon(): Horizon {
    return this.#counted.horizon
  }

  /** Partitions whose digests say nothing, each as a 1 at its place: something had to be forgotten for want of room. */
  get lossy(): Uint8Array {
    return this.#counted.lossy.flags
  }

  /** How many partitions that is. */
  get lossyCount(): number {
    return this.#counted.lossy.count
  }

  /** The clears and invalidations that are known. */
  get markers(): Markers {
    return this.#markers
  }

  /** Whether the digests are of what is held: after a marker they are not until what it left has been swept. */
  get areDigestsSettled(): boolean {
    return this.#undone.length === 0
  }

  /**
   * Moves the horizon on, in whole seconds: never back, and not far beyond the present. Costs what lapses.
   * @returns whether it is now the one that was asked for
   */
  advance({ valuesMs, tombstonesMs }: Horizon): boolean {
    const latestMs = this.#options.clock.now() + AHEAD_MAX_MS
    const isFar = valuesMs > latestMs || tombstonesMs > latestMs
    if (!isFar) this.#counted.advance({ valuesMs, tombstonesMs })
    const { horizon } = this.#counted
    this.#markers.advance(horizon.tombstonesMs)
    return horizon.valuesMs === valuesMs && horizon.tombstonesMs === tombstonesMs
  }

  /** All that counts in the digest of a partition: entries, tombstones and stubs. */
  counted(partition: number): Array<StoredEntry | GoneKey> {
    const counted: Array<StoredEntry | GoneKey> = []
    for (const entry of this.partition(partition)) if (this.#counted.has(entry)) counted.push(entry)
    for (const gone of this.#gone.entries(partition)) {
      if (this.#counted.has(gone) && this.#isKnown(gone)) counted.push(gone)
    }
    return counted
  }

  /**
   * All that is known of some keys: their entries, their tombstones or, where only the version is left, their stubs; the
   * latest clears of their caches; and what undoes a record of theirs, if that is given. An entry that has expired counts
   * until it is swept. Nothing counts as used.
   */
  known(keys: ReadonlyArray<KeyName | Remembered>): Known {
    const writes: Write[] = []
    const stubs: Remembered[] = []
    const markers = new Set<Marker>()
    for (const asked of keys) {
      const { cache, key } = asked
      const record = this.#entry(cache, key) ?? this.#remembered(asked)?.record
      if (record !== undefined && !record.deleted && record.payload === undefined)
        stubs.push(record)
      else if (record !== undefined) writes.push(record as Write)
      const clear = this.#markers.clearOf(cache)
      if (clear !== undefined) markers.add(clear)
      const undoing = 'version' in asked ? this.#markers.undoing(asked) : undefined
      if (undoing !== undefined) markers.add(undoing)
    }
    return { writes, stubs, markers: [...markers] }
  }

  /** Whether anything is known of a key. */
  isKnown(cache: string, key: string): boolean {
    return this.#entry(cache, key) !== undefined || this.#remembered({ cache, key }) !== undefined
  }

  /** Whether something later than a write is known of its key. */
  outranks(write: Remembered): boolean {
    if (this.#markers.undoing(write) !== undefined) return true
    const known = this.#entry(write.cache, write.key) ?? this.#remembered(write)?.record
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

  /** Takes in a write, wherever it comes from, if it supersedes what is known of its key. */
  apply(given: Write): Applied {
    const held = this.#entry(given.cache, given.key)
    if (!this.#isNews(given, held)) return 'superseded'
    // What its tags undo is as good as deleted: whatever it had replaced is gone all the same.
    const isUndone = given.tags !== undefined && this.#markers.undoing(given) !== undefined
    const write = isUndone ? leftOf(given) : given

    if (write.payload === undefined) this.#bury(write, held)
    else if (this.#hasExpired(write)) this.#skip(write, held, 'expire')
    else if (entryBytes(write.key, write.payload, write.tags) > this.#options.bytesMax) {
      this.#skip(write, held, 'evict')
      return 'too large'
    } else this.#put(write, write.payload, held)
    return 'applied'
  }

  /** Takes in that there was a write whose value is gone elsewhere: what is older is outdated. */
  outdate(stub: Remembered): boolean {
    const held = this.#entry(stub.cache, stub.key)
    if (!this.#isNews(stub, held)) return false
    this.#skip({ ...stub, isOfOthers: true }, held, 'expire')
    return true
  }

  /** Whether of something in a partition another member has the value, and this one never had. */
  lacksValues(partition: number): boolean {
    return this.#valuesOfOthers[partition] !== 0
  }

  /** Whether there is no entry in a partition. */
  isEmpty(partition: number): boolean {
    return !this.#partitions.has(partition)
  }

  /** Gives up a partition that belongs to others now, but for its tombstones. Returns how many entries it had. */
  drop(partition: number): number {
    const entries = this.#partitions.entries(partition)
    for (const entry of entries) this.#remove(entry)
    for (const gone of this.#gone.entries(partition)) {
      if (!gone.record.deleted) this.#stubs.reclaim(gone)
    }
    this.#counted.lossy.remove(partition)
    return entries.length
  }

  /**
   * Takes in a marker: everything of its cache that was written before, or what of it bears its tag, is gone. False when it
   * undoes nothing that a later one does not.
   */
  undo(marker: Marker): boolean {
    const { cache, tag, version } = marker
    const { clock, listener } = this.#options
    // What waits to be swept is told from what is not by the markers: none is forgotten before.
    if (this.#markers.size >= this.#options.markersMax)
      this.#reclaimUndone(Number.POSITIVE_INFINITY)
    if (!this.#markers.add(marker, clock.monotonicMs())) return false
    if (tag === undefined) this.#clear(marker)
    else {
      const tagged = this.#spaces.get(cache)?.tagged.take(tag)
      if (tagged !== undefined) this.#undone.push(tagged)
      // Few entries bear most tags: at once, so that the digests stay settled.
      this.#reclaimUndone(UNDO_SLICE)
    }
    if (tag === undefined) listener?.clear(cache, version)
    else listener?.invalidate(cache, tag, version)
    return true
  }

  /**
   * Gives up all that was written after a wall time, in ms, without a trace; and the horizon with it, which begins anew. Costs
   * what is held.
   */
  recall(limitMs: number): Recalled {
    let { count, latestMs } = this.#markers.recall(limitMs)
    this.#counted.restart()
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const entries = this.#partitions.entries(partition)
      const gone = this.#gone.entries(partition)
      for (const record of [...entries, ...gone]) this.#counted.add(record)
      for (const entry of entries) {
        const { wallMs } = entry.version
        if (wallMs <= limitMs) latestMs = Math.max(latestMs, wallMs)
        else {
          if (this.#holds(entry)) count++
          this.#remove(entry)
        }
      }
      for (const key of gone) {
        const { wallMs } = key.version
        const isBefore = wallMs <= limitMs
        if (isBefore) latestMs = Math.max(latestMs, wallMs)
        else count++
        if (isBefore && !this.#isOrphan(key)) continue
        if (key.record.deleted) this.#tombstones.reclaim(key)
        else this.#stubs.reclaim(key)
      }
    }
    for (const space of this.#spaces.values()) {
      if (space.latest.wallMs > limitMs) space.latest = { wallMs: limitMs, counter: COUNTER_MAX }
    }
    return { count, latestMs }
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
    const { agreedMs = () => Number.POSITIVE_INFINITY } = this.#options
    left -= this.#markers.purge(nowMs, Math.max(left, 0), agreedMs)
    return left <= 0
  }

  /** Whether something is later than all that is known of its key. @param held the entry of the key, if there is one */
  #isNews(record: Remembered, held: StoredEntry | undefined): boolean {
    const clear = this.#markers.clearOf(record.cache)
    if (clear !== undefined && !supersedes(record, clear)) return false
    if (held !== undefined) return supersedes(record, held)
    const known = this.#remembered(record)?.record
    return known === undefined || supersedes(record, known) || isValueOf(record, known)
  }

  #put(write: Write, payload: Payload, held: StoredEntry | undefined): void {
    const space = this.#raised(write)
    let entry = held
    if (entry === undefined) {
      entry = new StoredEntry(write, payload, this.#options.keyHashOf(write.cache, write.key))
      space.entries.set(write.key, entry)
      this.#itemCount++
      this.#partitions.add(entry)
      this.#eviction.admit(entry)
      this.#forget(write)
      if (entry.tags !== undefined) space.tagged.add(entry)
    } else {
      this.#counted.remove(entry)
      this.#expiry.remove(entry)
      this.#memoryBytes -= entry.bytes
      entry.version = write.version
      entry.createdAt = write.createdAt
      entry.expiresAt = write.expiresAt
      entry.payload = payload
      entry.bytes = entryBytes(write.key, payload, write.tags)
      if (entry.tags !== undefined) space.tagged.remove(entry)
      entry.tags = write.tags
      if (entry.tags !== undefined) space.tagged.add(entry)
      this.#eviction.touch(entry)
    }
    this.#memoryBytes += entry.bytes
    this.#expiry.add(entry)
    this.#counted.add(entry)
    this.#options.listener?.set(entry)
    this.#makeRoom()
  }

  #bury(write: Write, held: StoredEntry | undefined): void {
    if (held !== undefined) this.#remove(held)
    this.#rememberTombstone(write, held?.version.wallMs ?? this.#replacedMs(write))
    if (held !== undefined) {
      this.#options.listener?.delete(write.cache, write.key, write.version)
    }
  }

  /** When what is gone of a key was written; undefined where nothing is known of it. */
  #replacedMs(write: Write): number | undefined {
    const gone = this.#remembered(write)
    return gone?.record.deleted ? gone.replacedMs : gone?.version.wallMs
  }

  #rememberTombstone(write: Write, replacedMs?: number): void {
    const { keyHashOf, clock, listener } = this.#options
    this.#forget(write)
    this.#raised(write)
    const keyHash = keyHashOf(write.cache, write.key)
    const isFull = this.#tombstones.remember(write, keyHash, clock.monotonicMs(), replacedMs)
    if (isFull) listener?.tombstonesFull()
  }

  /** Drops all of a cache that a marker is newer than: its map as a whole, where that is everything. */
  #clear(marker: Marker): void {
    const space = this.#spaces.get(marker.cache)
    if (space === undefined) return
    if (compareTimestamps(marker.version, space.latest) > 0) {
      this.#itemCount -= space.entries.size
      const tombstones = this.#tombstones.takeCache(marker.cache)[Symbol.iterator]()
      const stubs = this.#stubs.takeCache(marker.cache)[Symbol.iterator]()
      this.#undone.push(space.entries.values(), tombstones, stubs)
      this.#spaces.delete(marker.cache)
      return
    }
    // The marker came late and newer writes stand beside older ones: rare, so a plain walk.
    for (const entry of space.entries.values()) {
      if (!supersedes(entry, marker)) this.#remove(entry)
    }
    for (const keys of [this.#tombstones, this.#stubs]) {
      for (const gone of keys.ofCache(marker.cache)) {
        if (!supersedes(gone.record, marker)) keys.reclaim(gone)
      }
    }
  }

  /** The entry of a key. One that its tags have undone becomes a tombstone at last. */
  #entry(cache: string, key: string): StoredEntry | undefined {
    const entry = this.#spaces.get(cache)?.entries.get(key)
    if (entry === undefined || !this.#isUndone(entry)) return entry
    this.#buryUndone(entry)
    return undefined
  }

  #buryUndone(entry: StoredEntry): void {
    this.#remove(entry)
    this.#rememberTombstone(leftOf(entry))
  }

  /** Whether its tags have undone an entry of its cache's map, which is yet to be swept. */
  #isUndone(entry: StoredEntry): boolean {
    if (entry.tags === undefined || this.#undone.length === 0) return false
    return this.#markers.undoing(entry) !== undefined
  }

  /** A write that is not stored still replaces what is held: an older value must not be served in its stead. */
  #skip(write: Remembered, held: StoredEntry | undefined, why: 'expire' | 'evict'): void {
    if (held !== undefined) this.#remove(held)
    this.#rememberStub(write)
    if (held !== undefined) this.#options.listener?.[why](held)
  }

  #expire(entry: StoredEntry): void {
    if (this.#isUndone(entry)) this.#reclaimEntry(entry)
    const isHeld = this.#isCurrent(entry)
    this.#remove(entry)
    if (!isHeld) return
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
  #rememberStub(record: Remembered): void {
    const { cache, key, version, expiresAt, isOfOthers = false } = record
    const { keyHashOf, clock } = this.#options
    this.#forget(record)
    this.#raised(record)
    this.#stubs.remember(
      { cache, key, version, expiresAt, deleted: false, payload: undefined, isOfOthers },
      keyHashOf(cache, key),
      clock.monotonicMs(),
    )
  }

  /** Nothing is remembered of a key: it has an entry, or is remembered anew. */
  #forget({ cache, key }: Remembered): void {
    this.#tombstones.forget(cache, key)
    this.#stubs.forget(cache, key)
  }

  #remember(gone: GoneKey): void {
    this.#gone.add(gone)
    this.#counted.add(gone)
    this.#countOfOthers(gone, 1)
  }

  #forgot(gone: GoneKey, forWantOfRoom: boolean): void {
    // Others may know of it, or hold what it stood for, and here it would look as if it had never come.
    const isMissed = forWantOfRoom && this.#counted.has(gone)
    if (this.#gone.remove(gone)) this.#countOfOthers(gone, -1)
    this.#counted.remove(gone)
    this.#tidy(gone.record.cache)
    if (isMissed && gone.hasGrace) this.#shortenGrace(gone.version.wallMs)
    else if (isMissed) this.#counted.lossy.add(gone.partition, gone.expiresAt)
  }

  /** Something gone is filed, or is no more. */
  #countOfOthers({ record, partition }: GoneKey, by: 1 | -1): void {
    if (!record.isOfOthers) return
    this.#valuesOfOthers[partition] = (this.#valuesOfOthers[partition] as number) + by
  }

  /** Whether it is left of a value that no marker undoes any more. */
  #isOrphan({ record }: GoneKey): boolean {
    if (!record.deleted || record.tags === undefined) return false
    return this.#markers.undoing({ ...record, deleted: false }) === undefined
  }

  /** A tombstone had to go that others may keep: as of now none that is as old counts, here and in their eyes. */
  #shortenGrace(deletedAtMs: number): void {
    const { valuesMs } = this.horizon
    const nextMs = (Math.floor(deletedAtMs / HORIZON_STEP_MS) + 1) * HORIZON_STEP_MS
    this.advance({ valuesMs, tombstonesMs: nextMs })
  }

  /** Whether it is what is remembered of its key, and not left over from before a clear. */
  #isKnown(gone: GoneKey): boolean {
    return this.areDigestsSettled || this.#remembered(gone.record) === gone
  }

  /** Takes an entry out of the store; one left over from before a clear, out of what still links to it. */
  #remove(entry: StoredEntry): void {
    const space = this.#spaces.get(entry.cache)
    if (space?.entries.get(entry.key) === entry) {
      space.entries.delete(entry.key)
      if (entry.tags !== undefined) space.tagged.remove(entry)
      this.#itemCount--
      this.#tidy(entry.cache)
    }
    this.#unlink(entry)
  }

  /** Takes an entry out of all but its cache's map. Harmless when that was done before. */
  #unlink(entry: StoredEntry): void {
    if (!this.#partitions.remove(entry)) return
    this.#counted.remove(entry)
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
    return reclaimed + this.#reclaimUndone(limit - reclaimed)
  }

  #reclaimUndone(limit: number): number {
    let reclaimed = 0
    while (reclaimed < limit) {
      const entries = this.#undone[0]
      if (entries === undefined) break
      const { value, done } = entries.next()
      if (done) this.#undone.shift()
      else {
        this.#reclaimOne(value)
        reclaimed++
      }
    }
    return reclaimed
  }

  #reclaimOne(left: StoredEntry | GoneKey): void {
    if (!(left instanceof GoneKey)) this.#reclaimEntry(left)
    else (left.record.deleted ? this.#tombstones : this.#stubs).reclaim(left)
  }

  /** An entry that a marker has undone, or did not: it was set again meanwhile, or the marker came late. */
  #reclaimEntry(entry: StoredEntry): void {
    if (!this.#isCurrent(entry)) this.#unlink(entry)
    else if (this.#isUndone(entry)) this.#buryUndone(entry)
    else this.#spaces.get(entry.cache)?.tagged.add(entry)
  }

  /** The part of a record's cache, which now knows of the record. */
  #raised({ cache, version }: Remembered): Space {
    const space = this.#space(cache)
    if (compareTimestamps(version, space.latest) > 0) space.latest = version
    return space
  }

  /** Nothing is kept of a cache of which nothing is known. */
  #tidy(cache: string): void {
    const space = this.#spaces.get(cache)
    if (space === undefined || space.entries.size > 0) return
    if (!this.#tombstones.knows(cache) && !this.#stubs.knows(cache)) this.#spaces.delete(cache)
  }

  #space(cache: string): Space {
    let space = this.#spaces.get(cache)
    if (space === undefined) {
      space = { entries: new Map(), tagged: new TagIndex(), latest: TIMESTAMP_ZERO }
      this.#spaces.set(cache, space)
    }
    return space
  }

  /** What is remembered of a key that is gone. */
  #remembered({ cache, key }: KeyName): GoneKey | undefined {
    return this.#tombstones.get(cache, key) ?? this.#stubs.get(cache, key)
  }

  /** Whether the entry is there, and not one left over from before a marker. */
  #holds(entry: StoredEntry): boolean {
    return this.#isCurrent(entry) && !this.#isUndone(entry)
  }

  #isCurrent(entry: StoredEntry): boolean {
    return this.#spaces.get(entry.cache)?.entries.get(entry.key) === entry
  }

  #hasExpired({ expiresAt }: Write): boolean {
    return expiresAt !== 0 && expiresAt <= this.#options.clock.now()
  }
}

/** Whether a record is the value of a stub that came from others: who gave it had no room for it, and another one has. */
function isValueOf({ deleted, payload, version }: Remembered, known: Remembered): boolean {
  if (deleted || payload === undefined || known.isOfOthers !== true) return false
  return compareTimestamps(version, known.version) === 0 && version.member === known.version.member
}
