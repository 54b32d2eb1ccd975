/**
 * Where keys belong while the ring changes: the ring in force, and those before it whose owners may still hold what the
 * new ones lack.
 *
 * As long as there are such, a write needs a quorum of the owners by each of them, and so does a read: as in the joint
 * consensus of Raft (Ongaro and Ousterhout, 2014, section 6), there is no moment at which two majorities that know
 * nothing of each other could both decide. The earlier rings go, all at once, when every owner by the new one has taken
 * over what it gained.
 */
import { PARTITIONS, type Ring } from './ring.js'

/** Earlier rings kept at most. The oldest is the last that was complete and stays; of the others the oldest goes. */
const PREVIOUS_MAX = 8

export class Placement {
  readonly self: string
  #current: Ring
  #previous: readonly Ring[] = []
  /** Owners of each partition by all rings in force, as they were asked for. */
  #lists: Array<ReadonlyArray<readonly string[]> | undefined> = []
  #owned: Uint8Array
  #ownedCount: number | undefined
  #held: Uint8Array
  #isFull: boolean

  constructor(self: string, ring: Ring) {
    this.self = self
    this.#current = ring
    this.#owned = ring.ownedBy(self)
    this.#held = this.#owned
    this.#isFull = this.#ownsAll()
  }

  /** The ring by which keys are placed. */
  get current(): Ring {
    return this.#current
  }

  /** Earlier rings that still count, the oldest first. */
  get previous(): readonly Ring[] {
    return this.#previous
  }

  /** Partitions that this member owns by the current ring, each as a 1 at its place. */
  get owned(): Uint8Array {
    return this.#owned
  }

  /** Partitions that this member owns by any ring in force, each as a 1 at its place. */
  get held(): Uint8Array {
    return this.#held
  }

  /** How many partitions this member owns. */
  get ownedCount(): number {
    this.#ownedCount ??= countOf(this.#owned)
    return this.#ownedCount
  }

  /** Whether this member holds every partition there is. */
  get holdsAll(): boolean {
    return this.#isFull
  }

  /** Whether this member owns a partition by the current ring. */
  owns(partition: number): boolean {
    return this.#owned[partition] === 1
  }

  /** Whether this member owns a partition by any ring in force, and so takes in what is written to it. */
  holds(partition: number): boolean {
    return this.#held[partition] === 1
  }

  /** Owners of a partition by the current ring, then by earlier ones where those differ. */
  listsOf(partition: number): ReadonlyArray<readonly string[]> {
    let lists = this.#lists[partition]
    if (lists === undefined) {
      lists = distinct([
        this.#current.preferenceList(partition),
        ...this.#previous.map((ring) => ring.preferenceList(partition)),
      ])
      this.#lists[partition] = lists
    }
    return lists
  }

  /** Whether a ring, told by its digest, is one of those in force. */
  isInForce(digest: bigint): boolean {
    return this.#current.digest === digest || this.#previous.some((ring) => ring.digest === digest)
  }

  /** Places keys by another ring from now on; the one until now, unless it is not kept, counts until {@link settle}. */
  advance(ring: Ring, keepsBefore = true): void {
    if (ring.digest === this.#current.digest) return
    const before = this.#current
    this.#current = ring
    // Whoever has just started holds nothing yet, also where an earlier life of it was on that very ring.
    if (before.members.length > 0) {
      this.#previous = this.#previous.filter(({ digest }) => digest !== ring.digest)
    }
    if (keepsBefore) this.#remember(before)
    this.#changed()
  }

  /** Another member has a ring in force that this one has not heard of: it counts here as well. */
  learn(ring: Ring): boolean {
    if (this.isInForce(ring.digest)) return false
    this.#remember(ring)
    this.#changed()
    return true
  }

  /** Every owner has taken over what it gained: earlier rings count no more. */
  settle(): void {
    if (this.#previous.length === 0) return
    this.#previous = []
    this.#changed()
  }

  #remember(ring: Ring): void {
    // A ring of nobody has nothing that anybody could lack.
    if (ring.members.length === 0) return
    const previous = [...this.#previous, ring]
    if (previous.length > PREVIOUS_MAX) previous.splice(1, 1)
    this.#previous = previous
  }

  #changed(): void {
    this.#lists = []
    this.#ownedCount = undefined
    this.#owned = this.#current.ownedBy(this.self)
    this.#held = this.#previous.reduce(
      (held, ring) => either(held, ring.ownedBy(this.self)),
      this.#owned,
    )
    this.#isFull = this.#ownsAll()
  }

  #ownsAll(): boolean {
    return this.#current.isFull && this.#current.members.includes(this.self)
  }
}

/** Those lists that differ in whom they name. */
function distinct(lists: ReadonlyArray<readonly string[]>): ReadonlyArray<readonly string[]> {
  if (lists.length === 1) return lists
  const seen = new Set<string>()
  return lists.filter((list) => {
    const name = [...list].sort().join(' ')
    if (list.length === 0 || seen.has(name)) return false
    seen.add(name)
    return true
  })
}

/** Partitions that are in both of two sets. */
export function both(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = noPartitions()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    both[partition] = (one[partition] as number) & (other[partition] as number)
  }
  return both
}

/** Partitions that are in one of two sets at least. */
function either(one: Uint8Array, other: Uint8Array): Uint8Array {
  const either = noPartitions()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    either[partition] = (one[partition] as number) | (other[partition] as number)
  }
  return either
}

/** How many partitions are in a set. */
export function countOf(partitions: Uint8Array): number {
  let count = 0
  for (let partition = 0; partition < PARTITIONS; partition++) {
    count += partitions[partition] as number
  }
  return count
}

/** No partition. */
export function noPartitions(): Uint8Array {
  return new Uint8Array(PARTITIONS)
}
