/**
 * Near copies: values of keys that others own, kept for a while because they were read here.
 *
 * A near copy is never older than its bound: it counts from when an owner was asked, not from when the answer came, and
 * nothing makes it younger but asking again. News of a later write replaces it or drops it at once, and keeps out an
 * answer that is still on its way. Bounded in bytes; the least recently used go first.
 */
import { type Marker, nameOf, type Write } from './entry.js'
import { LruEviction } from './eviction.js'
import { entryBytes } from './stored-entry.js'
import { supersedes, type Versioned } from './version.js'

/** A copy that was read here. */
interface NearCopy {
  write: Write
  /** When an owner was asked for it, on the monotonic clock in ms. */
  asOfMs: number
  bytes: number
  older: NearCopy | undefined
  newer: NearCopy | undefined
}

/** A read that is under way, whose answer may be kept. */
export interface Fill {
  readonly cache: string
  readonly key: string
  readonly askedAtMs: number
  /** The latest heard of the key meanwhile. */
  latest: Versioned | undefined
}

export class NearCache {
  readonly #bytesMax: number
  readonly #byCache = new Map<string, Map<string, NearCopy>>()
  readonly #eviction = new LruEviction<NearCopy>()
  /** Reads under way, by cache and key. */
  readonly #fills = new Map<string, Set<Fill>>()
  #count = 0
  #bytes = 0

  /** @param bytesMax bytes held at most */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get size(): number {
    return this.#count
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The copy of a key, if an owner was asked for it at `sinceMs` or later. */
  get(cache: string, key: string, sinceMs: number): Write | undefined {
    const copy = this.#byCache.get(cache)?.get(key)
    if (copy === undefined) return undefined
    if (copy.asOfMs < sinceMs) {
      this.#remove(copy)
      return undefined
    }
    this.#eviction.touch(copy)
    return copy.write
  }

  /** The copy of a key, and as of when it is, in ms; does not count as use. */
  peek(cache: string, key: string): { readonly write: Write; readonly asOfMs: number } | undefined {
    return this.#byCache.get(cache)?.get(key)
  }

  /** An owner is being asked. */
  begin(cache: string, key: string, nowMs: number): Fill {
    const fill: Fill = { cache, key, askedAtMs: nowMs, latest: undefined }
    const name = nameOf(fill)
    const fills = this.#fills.get(name) ?? new Set()
    this.#fills.set(name, fills)
    fills.add(fill)
    return fill
  }

  /** An owner has answered, or will not. Its answer is kept unless something newer was heard of meanwhile. */
  end(fill: Fill, answer: Write | undefined): void {
    const name = nameOf(fill)
    const fills = this.#fills.get(name)
    fills?.delete(fill)
    if (fills?.size === 0) this.#fills.delete(name)
    if (answer?.payload === undefined) return
    if (fill.latest !== undefined && supersedes(fill.latest, answer)) return
    this.put(answer, fill.askedAtMs)
  }

  /** Keeps a copy, as an owner knew it at a moment, unless what is kept is newer. */
  put(write: Write, asOfMs: number): void {
    if (write.payload === undefined) return
    const bytes = entryBytes(write.key, write.payload, write.tags)
    const held = this.#byCache.get(write.cache)?.get(write.key)
    if (held !== undefined && supersedes(held.write, write)) return
    if (held !== undefined) this.#remove(held)
    if (bytes > this.#bytesMax) return
    const copy: NearCopy = { write, asOfMs, bytes, older: undefined, newer: undefined }
    const keys = this.#byCache.get(write.cache) ?? new Map<string, NearCopy>()
    this.#byCache.set(write.cache, keys)
    keys.set(write.key, copy)
    this.#eviction.admit(copy)
    this.#count++
    this.#bytes += bytes
    while (this.#bytes > this.#bytesMax) this.#remove(this.#eviction.victim() as NearCopy)
  }

  /** A write to a key was heard of: a copy is replaced by it, or dropped where only its version is known. */
  heard(write: Write): void {
    if (this.#count === 0 && this.#fills.size === 0) return
    for (const fill of this.#fills.get(nameOf(write)) ?? []) {
      if (fill.latest === undefined || supersedes(write, fill.latest)) fill.latest = write
    }
    const copy = this.#byCache.get(write.cache)?.get(write.key)
    if (copy === undefined || !supersedes(write, copy.write)) return
    const { asOfMs } = copy
    this.#remove(copy)
    // It may not be the latest there is: the bound stays that of the copy.
    this.put(write, asOfMs)
  }

  /** A cache was cleared. */
  clear(marker: Marker): void {
    for (const copy of [...(this.#byCache.get(marker.cache)?.values() ?? [])]) {
      if (!supersedes(copy.write, marker)) this.#remove(copy)
    }
    for (const fills of this.#fills.values()) {
      for (const fill of fills) {
        if (fill.cache !== marker.cache) continue
        if (fill.latest === undefined || supersedes(marker, fill.latest)) fill.latest = marker
      }
    }
  }

  #remove(copy: NearCopy): void {
    const { cache, key } = copy.write
    const keys = this.#byCache.get(cache)
    if (keys?.get(key) !== copy) return
    keys.delete(key)
    if (keys.size === 0) this.#byCache.delete(cache)
    this.#eviction.remove(copy)
    this.#count--
    this.#bytes -= copy.bytes
  }
}
