/**
 * Hints: what this member wrote to keys that it does not own, kept until their owners have it (hinted handoff; DeCandia et
 * al., "Dynamo", 2007, section 4.6). So it reads its own writes, and an owner that was away gets them when it is back.
 *
 * Bounded by bytes: writers wait (see handoff.ts). Bounded by age: what no owner has taken for so long is given up, which
 * is counted, for a write that comes later than deletes are remembered could bring back what was deleted.
 */
import type { Marker, Write } from './entry.js'
import { entryBytes } from './stored-entry.js'
import { type Recalled, supersedes } from './version.js'

/** Options of {@link Hints}. */
export interface HintsOptions {
  readonly ageMaxMs: number
}

/** A write that waits for its owners. */
export interface Hint {
  readonly write: Write
  readonly partition: number
  readonly bytes: number
  /** When it was written, on the monotonic clock in ms. */
  readonly sinceMs: number
  /** When its owners were last given it, or it was published. */
  triedAtMs: number
  /** Whether something later has been heard of. */
  isOutdated: boolean
}

export class Hints {
  readonly #options: HintsOptions
  /** By cache, then key. */
  readonly #byCache = new Map<string, Map<string, Hint>>()
  /** Oldest first. */
  readonly #order = new Set<Hint>()
  #bytes = 0
  #expiredCount = 0

  constructor(options: HintsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#order.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Hints that were given up because no owner took them in time. */
  get expiredCount(): number {
    return this.#expiredCount
  }

  get(cache: string, key: string): Write | undefined {
    return this.#byCache.get(cache)?.get(key)?.write
  }

  /** What was written to a key, unless something later has been heard of. */
  latest(cache: string, key: string): Write | undefined {
    const hint = this.#byCache.get(cache)?.get(key)
    return hint?.isOutdated ? undefined : hint?.write
  }

  /** Keeps a write, in place of an earlier one to its key. */
  add(write: Write, partition: number, nowMs: number): void {
    const { cache, key, payload, tags } = write
    this.#remove(this.#byCache.get(cache)?.get(key))
    const bytes = entryBytes(key, payload ?? '', tags)
    const hint = { write, partition, bytes, sinceMs: nowMs, triedAtMs: nowMs, isOutdated: false }
    const keys = this.#byCache.get(cache) ?? new Map<string, Hint>()
    this.#byCache.set(cache, keys)
    keys.set(key, hint)
    this.#order.add(hint)
    this.#bytes += bytes
  }

  /** Its owners have a write, or a later one has been heard of: it is kept no longer. */
  release(write: Write): void {
    const hint = this.#byCache.get(write.cache)?.get(write.key)
    if (hint?.write.version === write.version) this.#remove(hint)
  }

  /** A write of somebody else was heard of. A hint stays where it is later, for that one may be lost. */
  heard(record: Write): void {
    const hint = this.#byCache.get(record.cache)?.get(record.key)
    if (hint !== undefined && supersedes(record, hint.write)) hint.isOutdated = true
  }

  /** Forgets what a clear has undone. */
  clear(marker: Marker): void {
    for (const hint of [...(this.#byCache.get(marker.cache)?.values() ?? [])]) {
      if (!supersedes(hint.write, marker)) this.#remove(hint)
    }
  }

  /** Gives up those that were written after a wall time, in ms. */
  recall(limitMs: number): Recalled {
    let count = 0
    let latestMs = 0
    for (const hint of this.#order) {
      const { wallMs } = hint.write.version
      if (wallMs <= limitMs) latestMs = Math.max(latestMs, wallMs)
      else {
        this.#remove(hint)
        count++
      }
    }
    return { count, latestMs }
  }

  /** All hints, the oldest first. */
  values(): Iterable<Hint> {
    return this.#order
  }

  /** Gives up those that have waited too long. Returns how many. */
  expire(nowMs: number): number {
    let count = 0
    for (const hint of this.#order) {
      if (nowMs - hint.sinceMs < this.#options.ageMaxMs) break
      this.#remove(hint)
      count++
    }
    this.#expiredCount += count
    return count
  }

  #remove(hint: Hint | undefined): void {
    if (hint === undefined) return
    const { cache, key } = hint.write
    const keys = this.#byCache.get(cache)
    this.#order.delete(hint)
    this.#bytes -= hint.bytes
    keys?.delete(key)
    if (keys?.size === 0) this.#byCache.delete(cache)
  }
}
