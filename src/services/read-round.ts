/**
 * What has come in for one read that several owners answer, and what follows from it.
 */
import { type KeyName, type Marker, nameOf, type Write } from '../core/entry.js'
import type { Remembered } from '../core/remembered.js'
import type { Known } from '../core/store.js'
import { supersedes } from '../core/version.js'

/** A key that is asked for, and where it belongs. */
export interface AskedKey extends KeyName {
  /** See {@link nameOf}. */
  readonly name: string
  readonly partition: number
}

/** What somebody knows of some keys, and of which of them it may not know the latest. */
export interface Testimony extends Known {
  /** Names of keys. */
  readonly open: ReadonlySet<string>
}

/** What has come in for one read. */
export class ReadRound {
  readonly keys: readonly AskedKey[]
  /** Of each member that answered, the digest of all markers that it knows of. */
  readonly markersDigests = new Map<string, number>()
  readonly #settle: (from: string, testimony: Testimony) => void
  readonly #testimonies = new Map<string, Testimony>()
  #isOver = false

  /** @param settle what to do with each testimony once there are enough, and with each that comes later */
  constructor(keys: readonly AskedKey[], settle: (from: string, testimony: Testimony) => void) {
    this.keys = keys
    this.#settle = settle
  }

  add(from: string, testimony: Testimony): void {
    const isNews = this.#isOver && this.#bringsNews(testimony)
    this.#testimonies.set(from, testimony)
    if (!this.#isOver) return
    // What comes late may be news to those that were told already.
    for (const [id, said] of this.#testimonies) if (isNews || id === from) this.#settle(id, said)
  }

  #bringsNews({ writes }: Testimony): boolean {
    const known = this.known()
    return writes.some((write) => isWhole(write) && isNews(write, known))
  }

  /** Whether somebody need not be asked again. */
  hasAnswered(id: string): boolean {
    return this.#testimonies.get(id)?.open.size === 0
  }

  /** Those that know the latest of a key, or that there is nothing. */
  thoseWhoKnow({ name }: AskedKey): ReadonlySet<string> {
    const ids = new Set<string>()
    for (const [id, { open }] of this.#testimonies) if (!open.has(name)) ids.add(id)
    return ids
  }

  /**
   * There is enough: what was found, by name. Whoever is behind is told, also if its answer is yet to come. Only now is
   * settled what is gone: that one has no longer the value of a version must not keep out the value itself from the next.
   */
  conclude(): Map<string, Write> {
    this.#isOver = true
    for (const [from, testimony] of this.#testimonies) this.#settle(from, testimony)
    const cleared = new Map(this.markers().map((marker) => [marker.cache, marker]))
    const latest = new Map<string, Write>()
    for (const [name, record] of this.known()) {
      const marker = cleared.get(record.cache)
      if (marker !== undefined && !supersedes(record, marker)) continue
      if (isWhole(record)) latest.set(name, record)
    }
    return latest
  }

  /** The latest of each key that anybody knows, by name. */
  known(): Map<string, Remembered> {
    return byName([...this.#testimonies.values()])
  }

  /** The latest clear of each cache that anybody knows. */
  markers(): Marker[] {
    const latest = new Map<string, Marker>()
    for (const { markers } of this.#testimonies.values()) {
      for (const marker of markers) {
        const other = latest.get(marker.cache)
        if (other === undefined || supersedes(marker, other)) latest.set(marker.cache, marker)
      }
    }
    return [...latest.values()]
  }
}

/** The latest of each key that is known, by name; of two that say the same, the one with the value. */
export function byName(known: readonly Known[]): Map<string, Remembered> {
  const latest = new Map<string, Remembered>()
  for (const { writes, stubs } of known) {
    for (const record of [...writes, ...stubs]) {
      const name = nameOf(record)
      const other = latest.get(name)
      const isNewer = other === undefined || supersedes(record, other)
      const tellsMore = other !== undefined && !isWhole(other) && !supersedes(other, record)
      if (isNewer || tellsMore) latest.set(name, record)
    }
  }
  return latest
}

/** Whether a record is a write with all that belongs to it: not a stub, and not an announcement. */
export function isWhole(record: Remembered): record is Write {
  return record.deleted || record.payload !== undefined
}

export function isNews(record: Remembered, known: ReadonlyMap<string, Remembered>): boolean {
  const other = known.get(nameOf(record))
  return other === undefined || supersedes(record, other)
}
