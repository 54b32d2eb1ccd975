/**
 * Digests of what is held of each partition, kept while records come and go: two members that hold the same have the same
 * digests, and a change costs the same however many records there are.
 *
 * Each record contributes a 64-bit hash of its key and version; a digest is all of them under exclusive or, so that
 * taking a record out is the same as putting it in (Bellare and Micciancio, "A New Paradigm for Collision-Free
 * Hashing: Incrementality at Reduced Cost", 1997; there is no adversary here, so that 64 bits under XOR will do). It is
 * kept in two 32-bit halves, because numbers are an order of magnitude faster than bigints.
 */
import { PARTITIONS, partitionAt } from './ring.js'
import type { Version } from './version.js'

/** What stands for a key in a digest: the latest that is known of it. */
export interface Counted {
  /** See {@link keyHashOf}. */
  readonly keyHash: number
  readonly version: Version
}

/** Hashes of members' ids that are remembered. */
const MEMBERS_MAX = 1_024

const memberHashes = new Map<string, number>()

export class PartitionDigests {
  readonly #low = new Int32Array(PARTITIONS)
  readonly #high = new Int32Array(PARTITIONS)
  readonly #counts = new Uint32Array(PARTITIONS)
  /** What each partition adds to the digest of many: both halves, mixed with which partition it is. */
  readonly #mixedLow = new Int32Array(PARTITIONS)
  readonly #mixedHigh = new Int32Array(PARTITIONS)
  /** The wall time of the latest version that was put in. */
  readonly #latestMs = new Float64Array(PARTITIONS)

  constructor() {
    this.#mixAll()
  }

  /** Puts a record in that is not in. */
  add(record: Counted): void {
    const partition = this.#flip(record, 1)
    const { wallMs } = record.version
    if (wallMs > (this.#latestMs[partition] as number)) this.#latestMs[partition] = wallMs
  }

  /** Takes a record out that is in. */
  remove(record: Counted): void {
    this.#flip(record, -1)
  }

  /** Takes everything out. */
  clear(): void {
    for (const array of [this.#low, this.#high, this.#counts, this.#latestMs]) array.fill(0)
    this.#mixAll()
  }

  /** Whether nothing that was written to a partition since a wall time, in ms, has been put in. */
  isQuiet(partition: number, sinceMs: number): boolean {
    return (this.#latestMs[partition] as number) < sinceMs
  }

  /** How many records of a partition are in. */
  count(partition: number): number {
    return this.#counts[partition] as number
  }

  /** 64 bits, in two halves, of some partitions: each a 1 at its place, and which they are is part of it. */
  over(partitions: Uint8Array): readonly [low: number, high: number] {
    const lows = this.#mixedLow
    const highs = this.#mixedHigh
    let low = 0
    let high = 0
    for (let partition = 0; partition < PARTITIONS; partition++) {
      // All ones where the partition is asked for: without a branch that takes longer than the sum.
      const mask = -(partitions[partition] as number)
      low = (low + ((lows[partition] as number) & mask)) | 0
      high ^= (highs[partition] as number) & mask
    }
    return [low, high]
  }

  /** A partition's digest, 32 bits of it, mixed with which partition it is. @param seed picks which bits */
  of(partition: number, seed = 0): number {
    return mix((this.#mixedLow[partition] as number) ^ seed, this.#mixedHigh[partition] as number)
  }

  #flip({ keyHash, version }: Counted, change: 1 | -1): number {
    const partition = partitionAt(keyHash)
    const stamp = stampOf(version)
    this.#low[partition] = (this.#low[partition] as number) ^ mix(keyHash, stamp)
    this.#high[partition] = (this.#high[partition] as number) ^ mix(stamp ^ 0x5bd1e995, keyHash)
    this.#counts[partition] = (this.#counts[partition] as number) + change
    this.#mix(partition)
    return partition
  }

  #mix(partition: number): void {
    const high = (this.#high[partition] as number) ^ partition
    this.#mixedLow[partition] = mix(this.#low[partition] as number, partition)
    this.#mixedHigh[partition] = mix(high, this.#counts[partition] as number)
  }

  #mixAll(): void {
    for (let partition = 0; partition < PARTITIONS; partition++) this.#mix(partition)
  }
}

/** 32 bits that tell a record from another version of it, and from other records. @param seed picks which */
export function recordDigest({ keyHash, version }: Counted, seed: number): number {
  return mix(mix(keyHash, stampOf(version)), seed)
}

/** Mixes two 32-bit numbers into one: the finalizer of MurmurHash3 (Appleby, 2011) over their combination. */
export function mix(a: number, b: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b ^ (b >>> 15), 0x85ebca77)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** 32 bits of a version. */
export function stampOf({ wallMs, counter, member }: Version): number {
  return mix(mix(mix(wallMs | 0, (wallMs / 2 ** 32) | 0), counter), textHash(member))
}

/** 32 bits of a member's id. */
function textHash(member: string): number {
  let hash = memberHashes.get(member)
  if (hash === undefined) {
    hash = 0
    for (let i = 0; i < member.length; i++) hash = mix(hash, member.charCodeAt(i))
    if (memberHashes.size >= MEMBERS_MAX) memberHashes.clear()
    memberHashes.set(member, hash)
  }
  return hash
}
