/**
 * Which entries there are of each partition: a doubly linked list of each, threaded through the entries themselves, which
 * costs half of what sets would, in time and in memory. Each call but `entries` is O(1).
 */

/** Links of an entry, owned by the index. */
export interface Filed {
  readonly partition: number
  isFiled: boolean
  before: this | undefined
  after: this | undefined
}

const NONE: readonly never[] = []

export class PartitionIndex<T extends Filed> {
  /** The newest entry of each partition. */
  readonly #newest: Array<T | undefined> = []

  /** Files an entry that is not filed. */
  add(entry: T): void {
    const before = this.#newest[entry.partition]
    entry.isFiled = true
    entry.before = before
    if (before !== undefined) before.after = entry
    this.#newest[entry.partition] = entry
  }

  /** Takes an entry out. False when it was not filed. */
  remove(entry: T): boolean {
    if (!entry.isFiled) return false
    const { before, after } = entry
    if (before !== undefined) before.after = after
    if (after === undefined) this.#newest[entry.partition] = before
    else after.before = before
    entry.isFiled = false
    entry.before = undefined
    entry.after = undefined
    return true
  }

  /** Whether a partition has any entry. */
  has(partition: number): boolean {
    return this.#newest[partition] !== undefined
  }

  /** The entries of a partition as they are now, newest first. */
  entries(partition: number): readonly T[] {
    const newest = this.#newest[partition]
    // Most partitions of a small store have none, and all are asked: that is not to cost an array each.
    if (newest === undefined) return NONE
    const entries = [newest]
    for (let entry = newest.before; entry !== undefined; entry = entry.before) entries.push(entry)
    return entries
  }
}
