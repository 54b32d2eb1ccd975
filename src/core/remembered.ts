/**
 * Versions of keys that are gone: tombstones of deleted ones, stubs of those that have expired or were evicted. As long as
 * one is remembered, a late copy of an older write cannot bring its key back.
 *
 * Bounded twice: by age (the grace, or as long as one is needed) and by number; beyond the number the oldest goes first, of
 * those beyond their grace if there are any, and is counted, because from then on a late write could slip through.
 */
import type { Counted } from './digest.js'
import type { Expiring } from './expiry.js'
import type { Filed } from './partition-index.js'
import { partitionAt } from './ring.js'
import type { Version, Versioned } from './version.js'

/** What is remembered of a key. */
export interface Remembered extends Versioned {
  readonly cache: string
  readonly key: string
  /** Wall time from which the value is gone everywhere, in ms since the epoch; 0 means never, or that there is none. */
  readonly expiresAt: number
  /** Of a stub: it came from another member, and this one never had the value. */
  readonly isOfOthers?: boolean
}

/** A key that is gone, as it is held. */
export class GoneKey implements Counted, Filed, Expiring {
  readonly record: Remembered
  readonly keyHash: number
  /**
   * When it stops to count in digests, as of a horizon: for a stub, and what a tag undid, when the value expires; for any
   * other tombstone when it was made, for all have the same grace. Wall time in ms; 0 for never.
   */
  readonly expiresAt: number
  /** Whether that is a moment from which the grace of tombstones counts. */
  readonly hasGrace: boolean
  /**
   * When what it took the place of was written, as far as that was known here, in ms: nobody can hold anything later that it
   * deletes. Infinite where nothing was.
   */
  readonly replacedMs: number
  /** Until when it is kept at least, by the monotonic clock. */
  untilMs: number
  isFiled = false
  before: this | undefined = undefined
  after: this | undefined = undefined

  constructor(
    record: Remembered,
    keyHash: number,
    untilMs: number,
    replacedMs = record.tags === undefined ? Number.POSITIVE_INFINITY : record.version.wallMs,
  ) {
    this.record = record
    this.replacedMs = replacedMs
    this.keyHash = keyHash
    this.hasGrace = record.deleted && record.expiresAt === 0
    this.expiresAt = this.hasGrace ? Math.max(1, record.version.wallMs) : record.expiresAt
    this.untilMs = untilMs
  }

  get version(): Version {
    return this.record.version
  }

  get partition(): number {
    return partitionAt(this.keyHash)
  }
}

/** Options of {@link RememberedKeys}. */
export interface RememberedKeysOptions {
  /** How many are kept at most. */
  readonly itemsMax: number
  /** How long each is kept, in ms. */
  readonly graceMs: number
  /** Tells whether one is to be kept beyond its grace: made anew for each purge that comes upon one. */
  readonly needed?: () => (gone: GoneKey) => boolean
  readonly onRemembered?: (gone: GoneKey) => void
  /** One is no longer remembered: for want of room, or because it was forgotten or its grace is over. */
  readonly onForgotten?: (gone: GoneKey, forWantOfRoom: boolean) => void
}

export class RememberedKeys {
  readonly #options: RememberedKeysOptions
  /** By cache, then key; each key also stands in `#young` or `#old`. */
  readonly #byCache = new Map<string, Map<string, GoneKey>>()
  /** Those within their grace, and those that are needed beyond it; each oldest first. A key remembered anew moves to the end. */
  readonly #young = new Set<GoneKey>()
  readonly #old = new Set<GoneKey>()
  #overflowCount = 0

  constructor(options: RememberedKeysOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** How many were forgotten for want of room before their grace was over, or while they were needed beyond it. */
  get overflowCount(): number {
    return this.#overflowCount
  }

  get(cache: string, key: string): GoneKey | undefined {
    return this.#byCache.get(cache)?.get(key)
  }

  /**
   * Remembers a key in place of what was remembered of it. Where there is no room, the oldest goes.
   * @param replacedMs see {@link GoneKey}
   * @returns whether one had to go that was within its grace
   */
  remember(record: Remembered, keyHash: number, nowMs: number, replacedMs?: number): boolean {
    const { cache, key } = record
    this.forget(cache, key)
    const gone = new GoneKey(record, keyHash, nowMs + this.#options.graceMs, replacedMs)
    let keys = this.#byCache.get(cache)
    if (keys === undefined) {
      keys = new Map()
      this.#byCache.set(cache, keys)
    }
    keys.set(key, gone)
    this.#young.add(gone)
    this.#options.onRemembered?.(gone)
    return this.#makeRoom()
  }

  forget(cache: string, key: string): void {
    const gone = this.get(cache, key)
    if (gone !== undefined) this.#forget(gone, false)
  }

  /** Forgets up to `limit` whose grace is over, and which are not needed. Returns how many it looked at. */
  purge(nowMs: number, limit: number): number {
    const { needed } = this.#options
    let isNeeded: ((gone: GoneKey) => boolean) | undefined
    let seen = 0
    for (const those of [this.#old, this.#young]) {
      for (const gone of those) {
        if (seen === limit || gone.untilMs > nowMs) break
        seen++
        isNeeded ??= needed?.()
        if (isNeeded?.(gone)) this.#renew(gone, nowMs)
        else this.#forget(gone, false)
      }
    }
    return seen
  }

  /** Oldest first. */
  *values(): Generator<Remembered> {
    for (const { record } of this.#old) yield record
    for (const { record } of this.#young) yield record
  }

  /** Whether any key of a cache is remembered. */
  knows(cache: string): boolean {
    return this.#byCache.has(cache)
  }

  /** Those of one cache, which may be forgotten meanwhile. */
  ofCache(cache: string): GoneKey[] {
    return [...(this.#byCache.get(cache)?.values() ?? [])]
  }

  /** All of one cache are known no more. Each of those returned takes room until it is {@link reclaim}ed. */
  takeCache(cache: string): Iterable<GoneKey> {
    const keys = this.#byCache.get(cache)
    this.#byCache.delete(cache)
    return keys?.values() ?? []
  }

  /** Forgets one that was taken; nothing when it is forgotten already. */
  reclaim(gone: GoneKey): void {
    if (this.#young.has(gone) || this.#old.has(gone)) this.#forget(gone, false)
  }

  #makeRoom(): boolean {
    let isYoung = false
    while (this.size > this.#options.itemsMax) {
      const [oldest] = this.#old.size > 0 ? this.#old : this.#young
      if (oldest === undefined) break
      isYoung = this.#young.has(oldest)
      this.#overflowCount++
      this.#forget(oldest, true)
    }
    return isYoung
  }

  #renew(gone: GoneKey, nowMs: number): void {
    this.#young.delete(gone)
    this.#old.delete(gone)
    gone.untilMs = nowMs + this.#options.graceMs
    this.#old.add(gone)
  }

  #forget(gone: GoneKey, forWantOfRoom: boolean): void {
    const { cache, key } = gone.record
    const keys = this.#byCache.get(cache)
    this.#young.delete(gone)
    this.#old.delete(gone)
    if (keys?.get(key) === gone) {
      keys.delete(key)
      if (keys.size === 0) this.#byCache.delete(cache)
    }
    this.#options.onForgotten?.(gone, forWantOfRoom)
  }
}
