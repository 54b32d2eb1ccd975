/**
 * Counts by name what a service does or drops, so that nothing is dropped in silence.
 */
export class Counters<Name extends string> {
  readonly #counts = new Map<Name, number>()

  add(name: Name, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by)
  }

  get(name: Name): number {
    return this.#counts.get(name) ?? 0
  }

  /** All counts that are not 0. */
  all(): Record<string, number> {
    return Object.fromEntries(this.#counts)
  }
}

/**
 * Why something from another peer was dropped.
 *
 * - `version`, `malformed`, `limit`: it could not be decoded
 * - `unknown author`: from somebody who is not a member
 * - `other instance`: from a second process with a member's identity
 * - `clock`: stamped too far in the future
 * - `too large`: larger than this peer's whole share of memory
 * - `busy`: more requests at once than are served
 * - `unreadable value`: a stored value of another peer that is no CBOR; reads find nothing there
 * - `refused hello`: from a peer that may not share this mesh
 */
export type DropReason =
  | 'version'
  | 'malformed'
  | 'limit'
  | 'unknown author'
  | 'other instance'
  | 'clock'
  | 'too large'
  | 'busy'
  | 'refused hello'
  | 'unreadable value'
