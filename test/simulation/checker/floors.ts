/**
 * What one process must never read below: for each key the latest write that it has applied, read or confirmed.
 */
import { type Record, wins } from './records.js'
import { nameOf } from './write-log.js'

export class Floors {
  readonly #keys = new Map<string, Record>()
  readonly #markers = new Map<string, Record>()

  /** The process has taken in a write. */
  raise(record: Record): void {
    const [floors, name] =
      record.key === undefined
        ? ([this.#markers, record.cache] as const)
        : ([this.#keys, nameOf(record.cache, record.key)] as const)
    const known = floors.get(name)
    if (known === undefined || wins(record, known)) floors.set(name, record)
  }

  /** The latest of a key, a clear of its cache included. */
  of(cache: string, key: string): Record | undefined {
    const floor = this.#keys.get(nameOf(cache, key))
    const marker = this.#markers.get(cache)
    if (floor === undefined || marker === undefined) return floor ?? marker
    return wins(marker, floor) ? marker : floor
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
    return [...this.#keys.values(), ...this.#markers.values()]
  }
}
