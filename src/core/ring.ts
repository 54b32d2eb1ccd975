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

/** Members that a ring can have at most. */
export const RING_MEMBERS_MAX = 4_096

const PARTITION_BITS = 12n

/** Bits of a key's hash that are kept with it: the top ones. */
const KEY_HASH_BITS = 32n

/** Options of {@link Ring}. */
export interface RingOptions {
  readonly hash: Hash64
  /** Length of a preference list; `'all'` means every member owns every partition. */
  readonly replicas: number | 'all'
}

/** The top 32 bits of xxhash64(cache \0 key), as a signed number: V8 keeps those in place. */
export function keyHashOf(hash: Hash64, cache: string, key: string): number {
  return Number(hash(`${cache}\0${key}`) >> (64n - KEY_HASH_BITS)) | 0
}

/** The partition of a key by its hash: the top bits. */
export function partitionAt(keyHash: number): number {
  return keyHash >>> Number(KEY_HASH_BITS - PARTITION_BITS)
}

/** The partition of a key of a cache. */
export function partitionOf(hash: Hash64, cache: string, key: string): number {
  return partitionAt(keyHashOf(hash, cache, key))
}

export class Ring {
  /** Ids on the ring, sorted. */
  readonly members: readonly string[]
  /** How many owners each partition has. */
  readonly listLength: number
  /** The preference lists, one after the other, as indexes of members: numbers in place, where arrays would be garbage. */
  readonly #table: Uint16Array
  readonly #options: RingOptions
  /** Preference lists as they were asked for. */
  readonly #lists: Array<readonly string[] | undefined> = []
  readonly #owned = new Map<string, Uint8Array>()
  #partitionCounts: ReadonlyMap<string, number> | undefined
  #digest: bigint | undefined

  constructor(members: Iterable<string>, options: RingOptions) {
    this.members = [...new Set(members)].sort()
    this.#options = options
    const { replicas } = options
    const { length } = this.members
    this.listLength = replicas === 'all' ? length : Math.min(replicas, length)
    this.#table = buildTable(this.members, this.listLength, options.hash)
  }

  /**
   * The ring of some members: one that was made before, if there is one, for making it is work, and a peer hears of the
   * same rings again and again.
   */
  static of(members: Iterable<string>, options: RingOptions): Ring {
    const name = `${options.replicas} ${[...new Set(members)].sort().join(' ')}`
    const known = rings.get(options.hash) ?? new Map<string, Ring>()
    rings.set(options.hash, known)
    const ring = known.get(name) ?? new Ring(members, options)
    known.delete(name)
    known.set(name, ring)
    for (const oldest of known.keys()) {
      if (known.size <= RINGS_REMEMBERED_MAX) break
      known.delete(oldest)
    }
    return ring
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

  /** Tells the set of members: equal on two peers exactly when their rings are. Never 0. */
  get digest(): bigint {
    this.#digest ??= this.#options.hash(`ring\0${this.members.join('\0')}`) || 1n
    return this.#digest
  }

  /** Whether every member owns every partition. */
  get isFull(): boolean {
    return this.listLength === this.members.length
  }

  /** Which of {@link members} stands at a place of a partition's preference list, the primary at 0. */
  memberAt(partition: number, place: number): number {
    return this.#table[partition * this.listLength + place] as number
  }

  /** The partition's owners, the primary first; empty when the ring is. The same array each time. */
  preferenceList(partition: number): readonly string[] {
    let list = this.#lists[partition]
    if (list === undefined) {
      const first = partition * this.listLength
      const indexes = this.#table.subarray(first, first + this.listLength)
      list = Array.from(indexes, (member) => this.members[member] as string)
      this.#lists[partition] = list
    }
    return list
  }

  /** The partitions that a member owns, each as a 1 at its place. Not to be changed: the same array each time. */
  ownedBy(member: string): Uint8Array {
    let owned = this.#owned.get(member)
    if (owned === undefined) {
      owned = this.#findOwned(member)
      this.#owned.set(member, owned)
    }
    return owned
  }

  #findOwned(member: string): Uint8Array {
    const owned = new Uint8Array(PARTITIONS)
    const index = this.members.indexOf(member)
    if (index < 0) return owned
    for (let at = 0; at < this.#table.length; at++) {
      if (this.#table[at] === index) owned[Math.floor(at / this.listLength)] = 1
    }
    return owned
  }

  /** The partition's primary, if the ring has a member at all. */
  owner(partition: number): string | undefined {
    return this.members[this.#table[partition * this.listLength] as number]
  }

  /** How many partitions each member is the primary of. */
  partitionCounts(): ReadonlyMap<string, number> {
    this.#partitionCounts ??= this.#countPartitions()
    return this.#partitionCounts
  }

  #countPartitions(): ReadonlyMap<string, number> {
    const counts = new Uint16Array(this.members.length)
    for (let at = 0; at < this.#table.length; at += this.listLength) {
      const primary = this.#table[at] as number
      counts[primary] = (counts[primary] as number) + 1
    }
    return new Map(this.members.map((id, member) => [id, counts[member] as number]))
  }
}

/**
 * Places on the circle, in numbers that are exact: the top 40 bits of the hash, and below them 12 bits for the member's
 * index, so that virtual nodes can be sorted as plain numbers, and two on one point stand in the order of member ids.
 */
const POSITION_BITS = 40n
const PARTITION_WIDTH = 2 ** Number(POSITION_BITS - PARTITION_BITS) * RING_MEMBERS_MAX

/** Members whose places on the circle are remembered: hashing them is most of the work of making a ring. */
const REMEMBERED_MAX = 1_024

/** Rings that are remembered; the one that was asked for least recently goes first. */
const RINGS_REMEMBERED_MAX = 32

const rings = new WeakMap<Hash64, Map<string, Ring>>()

const remembered = new WeakMap<Hash64, Map<string, Float64Array>>()

function buildTable(members: readonly string[], listLength: number, hash: Hash64): Uint16Array {
  if (members.length > RING_MEMBERS_MAX) {
    throw new RangeError(`${members.length} members on the ring, the limit is ${RING_MEMBERS_MAX}`)
  }
  const nodes = circle(members, hash)
  const seenIn = new Int32Array(members.length).fill(-1)
  const table = new Uint16Array(PARTITIONS * listLength)
  let first = 0
  let filled = 0
  for (let partition = 0; partition < PARTITIONS; partition++) {
    while (first < nodes.length && (nodes[first] as number) < partition * PARTITION_WIDTH) first++
    const end = filled + listLength
    for (let step = first; filled < end; step++) {
      const member = (nodes[step % nodes.length] as number) % RING_MEMBERS_MAX
      if (seenIn[member] === partition) continue
      seenIn[member] = partition
      table[filled++] = member
    }
  }
  return table
}

/** Every virtual node, clockwise, each as its position and its member's index in one number. */
function circle(members: readonly string[], hash: Hash64): Float64Array {
  const nodes = new Float64Array(members.length * VIRTUAL_NODES)
  for (const [member, id] of members.entries()) {
    const positions = positionsOf(id, hash)
    for (let node = 0; node < VIRTUAL_NODES; node++) {
      nodes[member * VIRTUAL_NODES + node] = (positions[node] as number) + member
    }
  }
  return nodes.sort()
}

/** Where a member's virtual nodes lie, with room for its index. */
function positionsOf(id: string, hash: Hash64): Float64Array {
  const known = remembered.get(hash) ?? new Map<string, Float64Array>()
  remembered.set(hash, known)
  let positions = known.get(id)
  if (positions === undefined) {
    positions = Float64Array.from(
      { length: VIRTUAL_NODES },
      (_, node) => Number(hash(`${id}\0${node}`) >> (64n - POSITION_BITS)) * RING_MEMBERS_MAX,
    )
    if (known.size >= REMEMBERED_MAX) known.clear()
    known.set(id, positions)
  }
  return positions
}
