/**
 * Versions of keys that are gone: tombstones of deleted ones, stubs of expired ones. As long as one is
 * remembered, a late copy of an older write cannot bring its key back.
 *
 * Bounded twice: by age (the grace) and by number; beyond the number the oldest goes first and is counted,
 * because from then on a late write could slip through.
 */
import type { Versioned } from './version.js'

/** What is remembered of a key. */
export interface Remembered extends Versioned {
  readonly cache: string
  readonly key: string
}

/** Options of {@link RememberedKeys}. */
export interface RememberedKeysOptions {
  /** How many are kept at most. */
  readonly itemsMax: number
  /** How long each is kept, in ms. */
  readonly graceMs: number
}

interface Kept {
  readonly versioned: Remembered
  readonly untilMs: number
}

export class RememberedKeys {
  readonly #options: RememberedKeysOptions
  /** By cache, then key; each key also stands in `#order`. */
  readonly #byCache = new Map<string, Map<string, Kept>>()
  /** Oldest first. A key remembered anew moves to the end. */
  readonly #order = new Set<Kept>()
  #overflowCount = 0

  constructor(options: RememberedKeysOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#order.size
  }

  /** How many were forgotten before their grace was over, for want of room. */
  get overflowCount(): number {
    return this.#overflowCount
  }

  get(cache: string, key: string): Remembered | undefined {
    return this.#byCache.get(cache)?.get(key)?.versioned
  }

  /** Remembers `versioned` in place of what was remembered of its key. */
  remember(versioned: Remembered, nowMs: number): void {
    this.forget(versioned.cache, versioned.key)
    const kept = { versioned, untilMs: nowMs + this.#options.graceMs }
    let keys = this.#byCache.get(versioned.cache)
    if (keys === undefined) {
      keys = new Map()
      this.#byCache.set(versioned.cache, keys)
    }
    keys.set(versioned.key, kept)
    this.#order.add(kept)
    if (this.#order.size > this.#options.itemsMax) {
      this.#forgetOldest()
      this.#overflowCount++
    }
  }

  forget(cache: string, key: string): void {
    const keys = this.#byCache.get(cache)
    const kept = keys?.get(key)
    if (keys === undefined || kept === undefined) return
    this.#order.delete(kept)
    keys.delete(key)
    if (keys.size === 0) this.#byCache.delete(cache)
  }

  /** Forgets up to `limit` whose grace is over. Returns how many it forgot. */
  purge(nowMs: number, limit: number): number {
    let purged = 0
    for (const kept of this.#order) {
      if (purged === limit || kept.untilMs > nowMs) break
      this.forget(kept.versioned.cache, kept.versioned.key)
      purged++
    }
    return purged
  }

  values(): Iterable<Remembered> {
    return iterate(this.#order)
  }

  #forgetOldest(): void {
    for (const { versioned } of this.#order) {
      this.forget(versioned.cache, versioned.key)
      return
    }
  }
}

function* iterate(order: Iterable<Kept>): Generator<Remembered> {
  for (const { versioned } of order) yield versioned
}
