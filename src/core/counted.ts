/**
 * What counts in the digests: the latest that is known of each key, until a horizon has passed it.
 *
 * Of values that expire that is their expiry, of tombstones the end of their grace. So the digests of two members that know
 * the same are equal as of the same horizon, though one may have swept, evicted or purged what the other has not. Where
 * something had to be forgotten that counted, the digest of its partition says nothing any more: it is lossy.
 */
import { PartitionDigests } from './digest.js'
import { ExpiryIndex } from './expiry.js'
import { LossyPartitions } from './lossy.js'
import { GoneKey } from './remembered.js'
import type { StoredEntry } from './stored-entry.js'

/** As of when the digests of two stores are to be equal: what has lapsed before does not count. Wall times in ms. */
export interface Horizon {
  /** Values that expired before. */
  readonly valuesMs: number
  /** Tombstones of deletes that were made before. */
  readonly tombstonesMs: number
}

export class CountedRecords {
  readonly digests = new PartitionDigests()
  readonly lossy = new LossyPartitions()
  readonly #entries: ExpiryIndex<StoredEntry>
  readonly #tombstones = new ExpiryIndex<GoneKey>()
  readonly #stubs = new ExpiryIndex<GoneKey>()
  #horizon: Horizon = { valuesMs: 0, tombstonesMs: 0 }

  /** @param entries all entries that expire; they are filed there by whoever holds them */
  constructor(entries: ExpiryIndex<StoredEntry>) {
    this.#entries = entries
  }

  /** What has lapsed before counts no more. */
  get horizon(): Horizon {
    return this.#horizon
  }

  /** Whether a record that is held counts. */
  has(record: StoredEntry | GoneKey): boolean {
    const { expiresAt } = record
    const hasGrace = record instanceof GoneKey && record.hasGrace
    const { valuesMs, tombstonesMs } = this.#horizon
    return expiresAt === 0 || expiresAt >= (hasGrace ? tombstonesMs : valuesMs)
  }

  /** A record is held from now on. */
  add(record: StoredEntry | GoneKey): void {
    if (!this.has(record)) return
    this.digests.add(record)
    if (record instanceof GoneKey) this.#lapsing(record).add(record)
  }

  /** A record is held no more. */
  remove(record: StoredEntry | GoneKey): void {
    if (!this.has(record)) return
    this.digests.remove(record)
    if (record instanceof GoneKey) this.#lapsing(record).remove(record)
  }

  /** Moves the horizon on, never back. Costs what lapses. */
  advance({ valuesMs, tombstonesMs }: Horizon): void {
    const before = this.#horizon
    this.#horizon = {
      valuesMs: Math.max(before.valuesMs, valuesMs),
      tombstonesMs: Math.max(before.tombstonesMs, tombstonesMs),
    }
    this.#lapse(this.#entries, before.valuesMs, valuesMs)
    this.#lapse(this.#stubs, before.valuesMs, valuesMs)
    this.#lapse(this.#tombstones, before.tombstonesMs, tombstonesMs)
    this.lossy.advance(this.#horizon.valuesMs)
  }

  /** Begins anew, with no horizon and without anything that counts. */
  restart(): void {
    this.digests.clear()
    this.#horizon = { valuesMs: 0, tombstonesMs: 0 }
  }

  #lapsing({ hasGrace }: GoneKey): ExpiryIndex<GoneKey> {
    return hasGrace ? this.#tombstones : this.#stubs
  }

  /** Takes out what counts no more as a horizon moves on. */
  #lapse(index: ExpiryIndex<StoredEntry> | ExpiryIndex<GoneKey>, fromMs: number, toMs: number) {
    if (toMs <= fromMs) return
    for (const record of index.due(toMs - 1, Number.POSITIVE_INFINITY)) {
      if (record.expiresAt >= fromMs) this.digests.remove(record)
      if (record instanceof GoneKey) this.#lapsing(record).remove(record)
    }
  }
}
