/**
 * Finds out which version each write of a child was given: no call returns it, but the events of a cache
 * tell it, of writes of others as well.
 */
import type { Cache } from '../../api.js'

/** Characters of a printed version that are its clock. */
const CLOCK_LENGTH = 17

/** A write of this child that is under way. */
export interface OwnWrite {
  readonly number: number
  /** Undefined until it is told; of a delete, for ever where there was nothing to delete. */
  version: string | undefined
}

export class OwnWrites {
  readonly #id: string
  /** By what they write: one at a time, so that it is plain whose version is told. */
  readonly #underWay = new Map<string, OwnWrite>()
  #latestClock = ''

  /** @param id of the peer that writes */
  constructor(id: string, caches: ReadonlyArray<Cache<string>>) {
    this.#id = id
    for (const cache of caches) {
      const { name } = cache
      cache.on('set', ({ key, version }) => this.#heard(nameOfSet(name, key), version))
      cache.on('delete', ({ key, version }) => this.#heard(nameOfDelete(name, key), version))
      cache.on('clear', ({ version }) => this.#heard(nameOfMarker(name, ''), version))
      cache.on('invalidate', ({ tag, version }) => this.#heard(nameOfMarker(name, tag), version))
    }
  }

  /** Clock of the latest version that was heard of: whatever this peer writes next is later. */
  get latestClock(): string {
    return this.#latestClock
  }

  has(name: string): boolean {
    return this.#underWay.has(name)
  }

  begin(name: string, number: number): OwnWrite {
    const own: OwnWrite = { number, version: undefined }
    this.#underWay.set(name, own)
    return own
  }

  end(name: string): void {
    this.#underWay.delete(name)
  }

  /** The peer has given up what it had issued in the future, and goes on from the present. */
  clockFellBack(): void {
    this.#latestClock = ''
  }

  #heard(name: string, version: string): void {
    const clock = version.slice(0, CLOCK_LENGTH)
    const own = this.#underWay.get(name)
    const isOwn = version.endsWith(`-${this.#id}`)
    // An earlier write of its own that comes back from others is below what it has heard since.
    if (isOwn && own !== undefined && own.version === undefined && clock > this.#latestClock) {
      own.version = version
    }
    if (clock > this.#latestClock) this.#latestClock = clock
  }
}

export const nameOfSet = (cache: string, key: string) => `set ${cache} ${key}`
export const nameOfDelete = (cache: string, key: string) => `delete ${cache} ${key}`
/** @param tag empty for a clear */
export const nameOfMarker = (cache: string, tag: string) => `marker ${cache} ${tag}`
