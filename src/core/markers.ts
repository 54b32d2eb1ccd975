/**
 * Markers: the latest clear of each cache, and the latest invalidation of each of its tags. Every member holds all of them,
 * whichever keys it owns, so that each undoes what it has, or hears of later, without anybody walking over keys.
 *
 * They are kept like tombstones: for their grace, and until all others have had them. Bounded in number; the oldest goes first
 * and is counted, for from then on what it undid could come back with a member that was away.
 *
 * Their digest, in slices of the time at which they were made, tells two members whether they hold the same and, where
 * not, about which ones it is: it is mostly the latest that one of them has yet to hear of.
 */
import { mix, stampOf } from './digest.js'
import { type Marker, undoes } from './entry.js'
import { type Expiring, ExpiryIndex } from './expiry.js'
import { type Recalled, supersedes, type Versioned } from './version.js'

/** Slices of the digest, and how long each is, in ms: more than an hour in all, from where they come round again. */
export const MARKER_SLICES = 64
const SLICE_MS = 65_536

/** Options of {@link Markers}. */
export interface MarkersOptions {
  /** How many are kept at most. */
  readonly itemsMax: number
  /** How long each is kept at least, in ms. */
  readonly graceMs: number
  /** One was forgotten before its grace was over, for want of room. */
  readonly onOverflow?: (marker: Marker) => void
}

/** A marker as it is held. */
interface Held extends Expiring {
  readonly marker: Marker
  /** What it contributes to the digest. */
  readonly digest: number
  /** Until when it is kept at least, by the monotonic clock. */
  untilMs: number
}

/** Those of one cache. */
interface OfCache {
  clear: Held | undefined
  readonly tags: Map<string, Held>
}

export class Markers {
  readonly #options: MarkersOptions
  readonly #byCache = new Map<string, OfCache>()
  /** Those within their grace, and those that are needed beyond it; each oldest first. */
  readonly #young = new Set<Held>()
  readonly #old = new Set<Held>()
  readonly #lapsing = new ExpiryIndex<Held>()
  readonly #slices = new Int32Array(MARKER_SLICES)
  /** Those that were made before do not count in the digest; wall time in ms. */
  #horizonMs = 0
  #overflowCount = 0

  constructor(options: MarkersOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** How many were forgotten for want of room before their grace was over, or while they were needed beyond it. */
  get overflowCount(): number {
    return this.#overflowCount
  }

  /** 32 bits of all that count. */
  get digest(): number {
    return this.#slices.reduce((digest, slice, place) => digest ^ mix(slice, place), 0)
  }

  /** The digest of each slice. */
  get slices(): Int32Array {
    return this.#slices.slice()
  }

  /** Takes in a marker. False when it undoes nothing that a later one does not. */
  add(marker: Marker, nowMs: number): boolean {
    if (this.outranking(marker) !== undefined) return false
    const ofCache = this.#ofCache(marker.cache)
    const { cache, tag, version } = marker
    const known = tag === undefined ? ofCache.clear : ofCache.tags.get(tag)
    if (known !== undefined) this.#forget(known)
    const digest = mix(mix(hashOf(cache), hashOf(tag ?? '')), stampOf(version))
    const untilMs = nowMs + this.#options.graceMs
    const held = { marker, digest, untilMs, expiresAt: Math.max(1, version.wallMs) }
    this.#byCache.set(cache, ofCache)
    if (tag !== undefined) ofCache.tags.set(tag, held)
    else {
      ofCache.clear = held
      for (const older of ofCache.tags.values()) {
        if (supersedes(marker, older.marker)) this.#forget(older)
      }
    }
    this.#young.add(held)
    if (this.#counts(held)) {
      this.#flip(held)
      this.#lapsing.add(held)
    }
    this.#makeRoom()
    return true
  }

  /** The latest clear of a cache. */
  clearOf(cache: string): Marker | undefined {
    return this.#byCache.get(cache)?.clear?.marker
  }

  /** A marker that undoes a record; undefined when none does. */
  undoing(record: Versioned & { readonly cache: string }): Marker | undefined {
    const ofCache = this.#byCache.get(record.cache)
    if (ofCache === undefined) return undefined
    const { clear, tags } = ofCache
    if (clear !== undefined && undoes(clear.marker, record)) return clear.marker
    if (record.tags === undefined || tags.size === 0) return undefined
    for (const tag of record.tags) {
      const marker = tags.get(tag)?.marker
      if (marker !== undefined && undoes(marker, record)) return marker
    }
    return undefined
  }

  /** What makes a marker no news: a later one for the same, or the same. */
  outranking(marker: Marker): Marker | undefined {
    const ofCache = this.#byCache.get(marker.cache)
    if (ofCache === undefined) return undefined
    const { clear, tags } = ofCache
    if (clear !== undefined && !supersedes(marker, clear.marker)) return clear.marker
    const same = marker.tag === undefined ? undefined : tags.get(marker.tag)
    return same === undefined || supersedes(marker, same.marker) ? undefined : same.marker
  }

  /** All that are held, oldest first. */
  *values(): Generator<Marker> {
    for (const { marker } of this.#all()) yield marker
  }

  /** Those that count in the digest. */
  counted(): Marker[] {
    return this.differing([])
  }

  /** Of those, what is in slices that another member holds differently. @param theirs the digest of each slice there */
  differing(theirs: ArrayLike<number>): Marker[] {
    const differing: Marker[] = []
    for (const held of this.#all()) {
      const slice = sliceOf(held)
      if (this.#counts(held) && this.#slices[slice] !== theirs[slice]) differing.push(held.marker)
    }
    return differing
  }

  /** Caches of which anything is held. */
  caches(): Iterable<string> {
    return this.#byCache.keys()
  }

  /** Those that were made before a wall time, in ms, count no more in the digest. Never back. */
  advance(horizonMs: number): void {
    if (horizonMs <= this.#horizonMs) return
    for (const held of this.#lapsing.due(horizonMs - 1, Number.POSITIVE_INFINITY)) {
      this.#flip(held)
      this.#lapsing.remove(held)
    }
    this.#horizonMs = horizonMs
  }

  /**
   * Forgets up to `limit` whose grace is over, and that all others have had. Returns how many it looked at.
   * @param agreedMs as of when all others have had all
   */
  purge(nowMs: number, limit: number, agreedMs: () => number): number {
    let seen = 0
    let agreedAtMs: number | undefined
    for (const those of [this.#old, this.#young]) {
      for (const held of those) {
        if (seen >= limit || held.untilMs > nowMs) break
        seen++
        if (!this.#counts(held)) agreedAtMs ??= agreedMs()
        const isNeeded = this.#counts(held) || held.expiresAt >= (agreedAtMs ?? 0)
        if (isNeeded) this.#renew(held, nowMs)
        else this.#forget(held)
      }
    }
    return seen
  }

  /** Gives up those that were made after a wall time, in ms, and counts all others again. */
  recall(limitMs: number): Recalled {
    const before = this.size
    let latestMs = 0
    for (const held of [...this.#all()]) {
      const { wallMs } = held.marker.version
      if (wallMs > limitMs) this.#forget(held)
      else latestMs = Math.max(latestMs, wallMs)
    }
    this.#horizonMs = 0
    this.#slices.fill(0)
    for (const held of this.#all()) {
      this.#flip(held)
      this.#lapsing.add(held)
    }
    return { count: before - this.size, latestMs }
  }

  #makeRoom(): void {
    while (this.size > this.#options.itemsMax) {
      const held = this.#oldest()
      if (held === undefined) return
      const isWithinGrace = this.#counts(held)
      this.#overflowCount++
      this.#forget(held)
      if (isWithinGrace) this.#options.onOverflow?.(held.marker)
    }
  }

  /** Of those that count, one that was made as early as any, to the second; before them, whatever counts no more. */
  #oldest(): Held | undefined {
    const [first] = this.#all()
    if (first !== undefined && !this.#counts(first)) return first
    const [earliest] = this.#lapsing.due(Number.MAX_SAFE_INTEGER, 1)
    return earliest ?? first
  }

  #renew(held: Held, nowMs: number): void {
    this.#young.delete(held)
    this.#old.delete(held)
    held.untilMs = nowMs + this.#options.graceMs
    this.#old.add(held)
  }

  #forget(held: Held): void {
    const { cache, tag } = held.marker
    const ofCache = this.#byCache.get(cache)
    if (tag !== undefined) ofCache?.tags.delete(tag)
    else if (ofCache !== undefined) ofCache.clear = undefined
    if (ofCache?.clear === undefined && ofCache?.tags.size === 0) this.#byCache.delete(cache)
    this.#young.delete(held)
    this.#old.delete(held)
    if (!this.#counts(held)) return
    this.#flip(held)
    this.#lapsing.remove(held)
  }

  /** All that are held, oldest first. */
  *#all(): Generator<Held> {
    yield* this.#old
    yield* this.#young
  }

  #counts({ expiresAt }: Held): boolean {
    return expiresAt >= this.#horizonMs
  }

  /** Puts a marker into the digest, or takes it out. */
  #flip(held: Held): void {
    const slice = sliceOf(held)
    this.#slices[slice] = (this.#slices[slice] as number) ^ held.digest
  }

  #ofCache(cache: string): OfCache {
    return this.#byCache.get(cache) ?? { clear: undefined, tags: new Map() }
  }
}

function sliceOf({ expiresAt }: Held): number {
  return Math.floor(expiresAt / SLICE_MS) % MARKER_SLICES
}

/** 32 bits of a text. */
function hashOf(text: string): number {
  let hash = text.length
  for (let at = 0; at < text.length; at++) hash = mix(hash, text.charCodeAt(at))
  return hash
}
