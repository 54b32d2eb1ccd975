/**
 * Digests on the wire: packed, for a round of anti-entropy is to cost as little as it can. Little-endian.
 */
import { NODE_WIDTH, NODES, PARTITION_BUCKETS } from '../core/comparison.js'
import { atMost, ProtocolError } from './checks.js'
import { LIST_IDS_MAX } from './limits.js'
import type { BucketDigests, BucketIds, NodeDigests, PartitionMoment } from './messages.js'

/** Bytes of a digest, and of a short one: one of a bucket, or of a record. */
const DIGEST_BYTES = 4
const SHORT_BYTES = 3

const NODE_BYTES = 1 + NODE_WIDTH * DIGEST_BYTES
const PARTITION_BYTES = 2 + PARTITION_BUCKETS * SHORT_BYTES
const BUCKET_BYTES = 4

/** The digests of all nodes, or of so many other things. */
export function packDigests(digests: Int32Array): Uint8Array {
  const bytes = new Uint8Array(digests.length * DIGEST_BYTES)
  const view = new DataView(bytes.buffer)
  for (let place = 0; place < digests.length; place++) {
    view.setInt32(place * DIGEST_BYTES, digests[place] as number, true)
  }
  return bytes
}

export function unpackDigests(from: Uint8Array, count = NODES): Int32Array {
  if (from.length !== count * DIGEST_BYTES) throw malformed(from, 'digests')
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength)
  const digests = new Int32Array(count)
  for (let place = 0; place < count; place++) {
    digests[place] = view.getInt32(place * DIGEST_BYTES, true)
  }
  return digests
}

export function packNodes(nodes: readonly NodeDigests[]): Uint8Array {
  const bytes = Buffer.alloc(nodes.length * NODE_BYTES)
  let at = 0
  for (const { node, partitions } of nodes) {
    at = bytes.writeUInt8(node, at)
    for (const digest of partitions) at = bytes.writeInt32LE(digest, at)
  }
  return bytes
}

export function unpackNodes(from: Uint8Array | undefined): NodeDigests[] {
  const bytes = whole(from, NODE_BYTES, 'nodes')
  const nodes: NodeDigests[] = []
  for (let at = 0; at < bytes.length; at += NODE_BYTES) {
    const partitions = Array.from({ length: NODE_WIDTH }, (_, place) =>
      bytes.readInt32LE(at + 1 + place * DIGEST_BYTES),
    )
    nodes.push({ node: bytes.readUInt8(at), partitions })
  }
  atMost(nodes.length, NODES, 'nodes')
  return nodes
}

export function packPartitionDigests(partitions: readonly BucketDigests[]): Uint8Array {
  const bytes = Buffer.alloc(partitions.length * PARTITION_BYTES)
  let at = 0
  for (const { partition, buckets } of partitions) {
    at = bytes.writeUInt16LE(partition, at)
    for (const digest of buckets) at = bytes.writeUIntLE(digest, at, SHORT_BYTES)
  }
  return bytes
}

export function unpackPartitionDigests(from: Uint8Array | undefined): BucketDigests[] {
  const bytes = whole(from, PARTITION_BYTES, 'partitions')
  const partitions: BucketDigests[] = []
  for (let at = 0; at < bytes.length; at += PARTITION_BYTES) {
    const buckets = Array.from({ length: PARTITION_BUCKETS }, (_, place) =>
      bytes.readUIntLE(at + 2 + place * SHORT_BYTES, SHORT_BYTES),
    )
    const partition = bytes.readUInt16LE(at)
    atMost(partition, NODES * NODE_WIDTH - 1, 'number of a partition')
    partitions.push({ partition, buckets })
  }
  return partitions
}

export function packBuckets(buckets: readonly BucketIds[]): Uint8Array {
  const length = buckets.reduce((sum, { ids }) => sum + BUCKET_BYTES + ids.length * SHORT_BYTES, 0)
  const bytes = Buffer.alloc(length)
  let at = 0
  for (const { bucket, ids } of buckets) {
    at = bytes.writeUInt16LE(bucket, at)
    at = bytes.writeUInt16LE(ids.length, at)
    for (const id of ids) at = bytes.writeUIntLE(id, at, SHORT_BYTES)
  }
  return bytes
}

export function unpackBuckets(from: Uint8Array | undefined): BucketIds[] {
  const bytes = whole(from, 1, 'buckets')
  const buckets: BucketIds[] = []
  let count = 0
  for (let at = 0; at < bytes.length; ) {
    if (at + BUCKET_BYTES > bytes.length) throw malformed(bytes, 'buckets')
    const bucket = bytes.readUInt16LE(at)
    const length = bytes.readUInt16LE(at + 2)
    at += BUCKET_BYTES
    count += length
    atMost(count, LIST_IDS_MAX, 'ids')
    if (at + length * SHORT_BYTES > bytes.length) throw malformed(bytes, 'buckets')
    const first = at
    const ids = Array.from({ length }, (_, place) =>
      bytes.readUIntLE(first + place * SHORT_BYTES, SHORT_BYTES),
    )
    at += length * SHORT_BYTES
    buckets.push({ bucket, ids })
  }
  return buckets
}

const MOMENT_BYTES = 6
const PARTITION_MOMENT_BYTES = 10
const S_MS = 1_000

export function packMoments(moments: readonly PartitionMoment[]): Uint8Array {
  const bytes = Buffer.alloc(moments.length * PARTITION_MOMENT_BYTES)
  let at = 0
  for (const { partition, atMs, lostMs } of moments) {
    at = bytes.writeUInt16LE(partition, at)
    at = bytes.writeUInt32LE(Math.floor(atMs / S_MS), at)
    // What is said to be lost until a moment is lost until the end of its second.
    at = bytes.writeUInt32LE(Math.ceil(lostMs / S_MS), at)
  }
  return bytes
}

export function unpackMoments(from: Uint8Array | undefined): PartitionMoment[] {
  const bytes = whole(from, PARTITION_MOMENT_BYTES, 'moments')
  return Array.from({ length: bytes.length / PARTITION_MOMENT_BYTES }, (_, index) => {
    const at = index * PARTITION_MOMENT_BYTES
    const partition = bytes.readUInt16LE(at)
    atMost(partition, NODES * NODE_WIDTH - 1, 'number of a partition')
    const atMs = bytes.readUInt32LE(at + 2) * S_MS
    return { partition, atMs, lostMs: bytes.readUInt32LE(at + 6) * S_MS }
  })
}

/** One moment after the other, in s; those that are the same as the one before it are counted. */
export function packRuns(seconds: Uint32Array): Uint8Array {
  const { length } = seconds
  const bytes = Buffer.allocUnsafe(length * MOMENT_BYTES)
  let filled = 0
  for (let first = 0; first < length; ) {
    const runS = seconds[first] as number
    let end = first + 1
    while (end < length && seconds[end] === runS) end++
    filled = bytes.writeUInt16LE(end - first, filled)
    filled = bytes.writeUInt32LE(runS, filled)
    first = end
  }
  return bytes.subarray(0, filled)
}

/** @returns the moments, and the earliest of them but 0, in s; infinite where all are 0 */
export function unpackRuns(from: Uint8Array | undefined) {
  const bytes = whole(from, MOMENT_BYTES, 'moments')
  const seconds = new Uint32Array(NODES * NODE_WIDTH)
  let earliestS = Number.POSITIVE_INFINITY
  let filled = 0
  for (let at = 0; at < bytes.length; at += MOMENT_BYTES) {
    const length = bytes.readUInt16LE(at)
    atMost(filled + length, seconds.length, 'moments')
    const runS = bytes.readUInt32LE(at + 2)
    if (runS > 0) earliestS = Math.min(earliestS, runS)
    seconds.fill(runS, filled, filled + length)
    filled += length
  }
  return { seconds, earliestS }
}

/** @throws ProtocolError when the bytes are not so many whole items */
function whole(from: Uint8Array = new Uint8Array(), itemBytes: number, what: string): Buffer {
  if (from.length % itemBytes !== 0) throw malformed(from, what)
  return Buffer.from(from.buffer, from.byteOffset, from.byteLength)
}

function malformed({ length }: Uint8Array, what: string): ProtocolError {
  return new ProtocolError('malformed', `${length} bytes of ${what}`)
}
