/**
 * Consistent hashing (Karger et al., 1997) with virtual nodes, over a fixed number of partitions.
 *
 * A key belongs to a partition for ever; only the partition's owners change. Partitions lie evenly on a circle
 * of 2^64 points, each member at `virtualNodes` pseudo-random points; a partition's preference list is the first
 * distinct members clockwise. The table depends on the set of member ids and nothing else, so members with the
 * same view agree without talking, and a joiner takes partitions only for itself: none moves between the others.
 *
 * A ring is immutable. Looking up an owner is two array reads.
 */

/** Hashes text to 64 bits; xxhash64 in production, chosen by the caller so that tests can pick the points. */
export type Hash64 = (text: string) => bigint

/** Number of partitions: fixed, equal on every member, compared in the hello. */
export const PARTITIONS = 4096

/** Points each member has on the circle: fixed, equal on every member, compared in the hello. */
export const VIRTUAL_NODES = 256

const PARTITION_BITS = 12n

/** Options of {@link Ring}. */
export interface RingOptions {
  readonly hash: Hash64
  /** Length of a preference list; `'all'` means every member owns every partition. */
  readonly replicas: number | 'all'
}

/** The partition of a key of a cache: the top bits of xxhash64(cache \0 key). */
export function partitionOf(hash: Hash64, cache: string, key: string): number {
  return Number(hash(`${cache}\0${key}`) >> (64n - PARTITION_BITS))
}

export class Ring {
  /** Ids on the ring, sorted. */
  readonly members: readonly string[]
  readonly #preferenceLists: ReadonlyArray<readonly string[]>
  readonly #options: RingOptions
  #partitionCounts: ReadonlyMap<string, number> | undefined

  constructor(members: Iterable<string>, options: RingOptions) {
    this.members = [...new Set(members)].sort()
    this.#options = options
    this.#preferenceLists = buildTable(this.members, options)
  }

  /** This ring with one member more; itself when it is already there. */
  add(member: string): Ring {
    return this.members.includes(member) ? this : new Ring([...this.members, member], this.#options)
  }

  /** This ring without a member; itself when it is not there. */
  remove(member: string): Ring {
    return this.members.includes(member)
      ? new Ring(
          this.members.filter((id) => id !== member),
          this.#options,
        )
      : this
  }

  /** The partition's owners, the primary first; empty when the ring is. */
  preferenceList(partition: number): readonly string[] {
    return this.#preferenceLists[partition] ?? []
  }

  /** The partition's primary, if the ring has a member at all. */
  owner(partition: number): string | undefined {
    return this.#preferenceLists[partition]?.[0]
  }

  /** How many partitions each member is the primary of. */
  partitionCounts(): ReadonlyMap<string, number> {
    this.#partitionCounts ??= this.#countPartitions()
    return this.#partitionCounts
  }

  #countPartitions(): ReadonlyMap<string, number> {
    const counts = new Map(this.members.map((id) => [id, 0]))
    for (const [primary] of this.#preferenceLists) {
      if (primary !== undefined) counts.set(primary, (counts.get(primary) ?? 0) + 1)
    }
    return counts
  }
}

/** One virtual node: its place on the circle (the top 52 bits, exact in a number) and its member's index. */
interface Point {
  readonly position: number
  readonly member: number
}

const POSITION_BITS = 52n
const PARTITION_WIDTH = 2 ** Number(POSITION_BITS - PARTITION_BITS)

function buildTable(
  members: readonly string[],
  { hash, replicas }: RingOptions,
): ReadonlyArray<readonly string[]> {
  const length = Math.min(replicas === 'all' ? members.length : replicas, members.length)
  const points = circle(members, hash)
  const seenIn = new Int32Array(members.length).fill(-1)
  const table: string[][] = []
  let first = 0
  for (let partition = 0; partition < PARTITIONS; partition++) {
    while (first < points.length && (points[first] as Point).position < partition * PARTITION_WIDTH)
      first++
    const owners: string[] = []
    for (let step = first; owners.length < length; step++) {
      const { member } = points[step % points.length] as Point
      if (seenIn[member] === partition) continue
      seenIn[member] = partition
      owners.push(members[member] as string)
    }
    table.push(owners)
  }
  return table
}

/** Every virtual node, clockwise. Two on one point stand in the order of member ids, on every member alike. */
function circle(members: readonly string[], hash: Hash64): Point[] {
  const points = members.flatMap((id, member) =>
    Array.from({ length: VIRTUAL_NODES }, (_, node) => ({
      position: Number(hash(`${id}\0${node}`) >> (64n - POSITION_BITS)),
      member,
    })),
  )
  return points.sort((a, b) => a.position - b.position || a.member - b.member)
}
