/**
 * Where two members hold different records: what each tells the other of its digests, level by level, as over a Merkle
 * tree (Merkle, 1987; Dynamo, DeCandia et al., 2007, section 4.7), so that little is said where little differs.
 *
 * The tree is fixed: one root; 256 nodes of 16 partitions each; 16 buckets in each partition, by further bits of the keys'
 * hashes; in a bucket, the records, each with an id of 24 bits. Of root, nodes and partitions the digests are kept as
 * records come and go; those of buckets, and ids, are made for the round, with its seed: two that are equal by
 * chance in one round are not so in the next.
 */
import { mix, type PartitionDigests, recordDigest } from './digest.js'
import type { GoneKey } from './remembered.js'
import { PARTITIONS } from './ring.js'
import type { StoredEntry } from './stored-entry.js'

/** Partitions of a node, nodes, and buckets of a partition. */
export const NODE_WIDTH = 16
export const NODES = PARTITIONS / NODE_WIDTH
export const PARTITION_BUCKETS = 16

/** Bits of a key's hash below those that say which bucket it is in, of all there are. */
const BUCKET_SHIFT = 16

/** A record that counts in the digests. */
export type Held = StoredEntry | GoneKey

/** What a root is of, besides the partitions' digests. */
export interface RootContext {
  /** The partitions that are compared, each as a 1 at its place. */
  readonly partitions: Uint8Array
  /** Digest of the ring, and of the markers. */
  readonly ring: bigint
  readonly markers: number
}

/** 64 bits that are equal exactly when everything that they are of is; never 0. */
export function rootOf(
  digests: PartitionDigests,
  { partitions, ring, markers }: RootContext,
): bigint {
  const [low, high] = digests.over(partitions)
  const left = mix(mix(low, markers), Number(BigInt.asIntN(32, ring)))
  const right = mix(mix(high, low), Number(BigInt.asIntN(32, ring >> 32n)))
  return (BigInt(right >>> 0) << 32n) | BigInt(left >>> 0) || 1n
}

/** The digest of each node. */
export function nodesOf(digests: PartitionDigests, partitions: Uint8Array): Int32Array {
  const nodes = new Int32Array(NODES)
  for (let node = 0; node < NODES; node++) {
    let digest = 0
    for (let place = 0; place < NODE_WIDTH; place++) {
      const partition = node * NODE_WIDTH + place
      if (partitions[partition] === 1) digest = mix(digest, digests.of(partition))
    }
    nodes[node] = digest
  }
  return nodes
}

/** The digest of each partition of a node; 0 for those that are not compared. */
export function partitionsOf(
  digests: PartitionDigests,
  partitions: Uint8Array,
  node: number,
  seed: number,
): number[] {
  return Array.from({ length: NODE_WIDTH }, (_, place) => {
    const partition = node * NODE_WIDTH + place
    return partitions[partition] === 1 ? digests.of(partition, seed) : 0
  })
}

/** The digest of each bucket of a partition. */
export function bucketsOf(records: Iterable<Held>, seed: number): number[] {
  const buckets = new Array<number>(PARTITION_BUCKETS).fill(0)
  for (const record of records) {
    const place = bucketOf(record) % PARTITION_BUCKETS
    buckets[place] = (buckets[place] as number) ^ idOf(record, seed)
  }
  return buckets
}

/** The records of some buckets of one partition, by bucket. */
export function byBucket(
  records: Iterable<Held>,
  buckets: ReadonlySet<number>,
): Map<number, Held[]> {
  const held = new Map<number, Held[]>()
  for (const record of records) {
    const bucket = bucketOf(record)
    if (!buckets.has(bucket)) continue
    const others = held.get(bucket)
    if (others === undefined) held.set(bucket, [record])
    else others.push(record)
  }
  return held
}

/** The number of a bucket, among those of all partitions. */
export function bucketAt(partition: number, place: number): number {
  return partition * PARTITION_BUCKETS + place
}

/** The partition of a bucket. */
export function partitionOfBucket(bucket: number): number {
  return Math.floor(bucket / PARTITION_BUCKETS)
}

function bucketOf({ keyHash }: Held): number {
  return keyHash >>> BUCKET_SHIFT
}

/** What stands for a record in a round: 24 bits. */
export function idOf(record: Held, seed: number): number {
  return recordDigest(record, seed) >>> 8
}
