/**
 * Which entry goes when the store is full. The store tells a policy what comes, is used and goes; the policy
 * names the next victim. Each call is O(1).
 */

/** Links that a policy threads through the entries themselves, so that it needs no memory of its own. */
export interface Evictable {
  /** Owned by the policy: the neighbour used less recently. */
  older: this | undefined
  /** Owned by the policy: the neighbour used more recently. */
  newer: this | undefined
}

export interface EvictionPolicy<T> {
  /** A new entry came in. */
  admit(entry: T): void
  /** An entry was read or overwritten. */
  touch(entry: T): void
  /** An entry left the store, for whatever reason. */
  remove(entry: T): void
  /** The entry to give up next; undefined when there is none. */
  victim(): T | undefined
}

/** Least recently used: a doubly linked list from oldest to newest. */
export class LruEviction<T extends Evictable> implements EvictionPolicy<T> {
  #oldest: T | undefined
  #newest: T | undefined

  admit(entry: T): void {
    entry.older = this.#newest
    entry.newer = undefined
    if (this.#newest === undefined) this.#oldest = entry
    else this.#newest.newer = entry
    this.#newest = entry
  }

  touch(entry: T): void {
    if (entry === this.#newest) return
    this.remove(entry)
    this.admit(entry)
  }

  remove(entry: T): void {
    const { older, newer } = entry
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    entry.older = undefined
    entry.newer = undefined
  }

  victim(): T | undefined {
    return this.#oldest
  }
}
