/**
 * The entries of one cache that bear each tag, so that what a tag undoes is found without a walk over all keys.
 */

/** What the index needs to know of an entry. */
export interface Tagged {
  readonly tags: readonly string[] | undefined
}

export class TagIndex<T extends Tagged> {
  readonly #byTag = new Map<string, Set<T>>()

  /** Files an entry under its tags, which must not change until it is removed. Harmless when it is filed. */
  add(entry: T): void {
    for (const tag of entry.tags ?? []) {
      const entries = this.#byTag.get(tag)
      if (entries === undefined) this.#byTag.set(tag, new Set([entry]))
      else entries.add(entry)
    }
  }

  remove(entry: T): void {
    for (const tag of entry.tags ?? []) {
      const entries = this.#byTag.get(tag)
      if (entries?.delete(entry) && entries.size === 0) this.#byTag.delete(tag)
    }
  }

  /** All that bear a tag, which are filed under it no more. */
  take(tag: string): Iterator<T> | undefined {
    const entries = this.#byTag.get(tag)
    this.#byTag.delete(tag)
    return entries?.values()
  }
}
