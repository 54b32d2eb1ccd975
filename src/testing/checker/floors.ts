/**
 * What one process must never read below: for each key the latest write that it has applied, read or confirmed.
 */
import { nameOf, type Record, wins } from './records.js'

export class Floors {
  readonly #keys = new Map<string, Record>()
  readonly #markers = new Map<string, Record>()
  /** Invalidations, by cache and tag. */
  readonly #invalidations = new Map<string, Record>()
  readonly #tagsOf: (record: Record) => readonly string[]

  /** @param tagsOf what a value was set with */
  constructor(tagsOf: (record: Record) => readonly string[]) {
    this.#tagsOf = tagsOf
  }

  /** The process has taken in a write. */
  raise(record: Record): void {
    const { cache, key, tag } = record
    const [floors, name] =
      tag !== undefined
        ? ([this.#invalidations, nameOf(cache, tag)] as const)
        : key === undefined
          ? ([this.#markers, cache] as const)
          : ([this.#keys, nameOf(cache, key)] as const)
    const known = floors.get(name)
    if (known === undefined || wins(record, known)) floors.set(name, record)
  }

  /** The latest of a key, a clear of its cache included. */
  of(cache: string, key: string): Record | undefined {
    const held = this.#keys.get(nameOf(cache, key))
    const floor = held && this.isUndone(held) ? leftOf(held) : held
    const marker = this.#markers.get(cache)
    if (floor === undefined || marker === undefined) return floor ?? marker
    return wins(marker, floor) ? marker : floor
  }

  /** Whether a tag of a value has been invalidated since, as far as the process knows. */
  isUndone(record: Record): boolean {
    if (record.deleted || this.#invalidations.size === 0) return false
    return this.#tagsOf(record).some((tag) => {
      const invalidation = this.#invalidations.get(nameOf(record.cache, tag))
      return invalidation !== undefined && wins(invalidation, record)
    })
  }

  /** Forgets those of keys that are not kept any more. Clears stay: they hold for whatever comes. */
  prune(keeps: (cache: string, key: string) => boolean): void {
    for (const [name, { cache, key = '' }] of this.#keys) {
      if (!keeps(cache, key)) this.#keys.delete(name)
    }
  }

  /** Every key that has a floor of its own. */
  keys(): Iterable<string> {
    return this.#keys.keys()
  }

  /** All floors as they are now. */
  snapshot(): Record[] {
    return [...this.#keys.values(), ...this.#markers.values(), ...this.#invalidations.values()]
  }
}

/** What is left of a value that is gone without a later version. */
export function leftOf(record: Record): Record {
  return { ...record, deleted: true, value: undefined, isUndone: true }
}
