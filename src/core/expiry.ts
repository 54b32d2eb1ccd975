/**
 * Which entries have expired, without looking at those that have not: entries wait in buckets of one second
 * (a calendar queue; Brown, 1988). Adding and removing are O(1), collecting costs what it returns.
 */

/** What the index needs to know of an entry. */
export interface Expiring {
  /** Wall time in ms since the epoch; 0 means never. */
  readonly expiresAt: number
}

const BUCKET_MS = 1000

export class ExpiryIndex<T extends Expiring> {
  readonly #buckets = new Map<number, Set<T>>()
  /** No bucket before this one is in use. */
  #first = Number.POSITIVE_INFINITY

  /** Files an entry under its `expiresAt`, which must not change until it is removed. */
  add(entry: T): void {
    if (entry.expiresAt === 0) return
    const bucket = Math.floor(entry.expiresAt / BUCKET_MS)
    const entries = this.#buckets.get(bucket)
    if (entries === undefined) this.#buckets.set(bucket, new Set([entry]))
    else entries.add(entry)
    if (bucket < this.#first) this.#first = bucket
  }

  remove(entry: T): void {
    if (entry.expiresAt === 0) return
    const bucket = Math.floor(entry.expiresAt / BUCKET_MS)
    const entries = this.#buckets.get(bucket)
    if (entries?.delete(entry) && entries.size === 0) this.#buckets.delete(bucket)
  }

  /** Entries whose time has come at `nowMs`, at most `limit` of them; they stay filed until removed. */
  *due(nowMs: number, limit: number): Generator<T> {
    let left = limit
    for (const bucket of this.#dueBuckets(nowMs)) {
      for (const entry of this.#buckets.get(bucket) ?? []) {
        if (entry.expiresAt > nowMs) continue
        if (left-- === 0) return
        yield entry
      }
      if (!this.#buckets.has(bucket) && bucket === this.#first) this.#first = bucket + 1
    }
  }

  /** Bucket numbers up to now: counted through when they are near, picked from the map when far apart. */
  *#dueBuckets(nowMs: number): Generator<number> {
    if (this.#buckets.size === 0) this.#first = Number.POSITIVE_INFINITY
    const last = Math.floor(nowMs / BUCKET_MS)
    if (last - this.#first <= this.#buckets.size) {
      for (let bucket = this.#first; bucket <= last; bucket++) yield bucket
      return
    }
    const due = [...this.#buckets.keys()].filter((bucket) => bucket <= last).sort((a, b) => a - b)
    for (const bucket of due) yield bucket
  }
}
