/**
 * A digest of a set of records that is kept while they come and go: two members that hold the same have the same
 * digest, and a change costs the same however many records there are.
 *
 * Each record contributes a 64-bit hash of its key and version; the digest is all of them under exclusive or, so that
 * taking a record out is the same as putting it in (Bellare and Micciancio, "A New Paradigm for Collision-Free
 * Hashing: Incrementality at Reduced Cost", 1997; there is no adversary here, so that 64 bits under XOR will do). It is
 * kept in two 32-bit halves, because numbers are an order of magnitude faster than bigints.
 */
import type { Version } from './version.js'

/** The digest of no record: not 0, which may then stand for "unknown". */
const EMPTY = 0x9e3779b97f4a7c15n

/** Records that expire within the same span of wall time, in ms, are told apart no further. */
const SPAN_MS = 65_536

/** Records that expire this soon do not count, in ms: clocks differ, and expired ones are swept now and then. */
const MARGIN_MS = 15_000

/** Hashes of members' ids that are remembered. */
const MEMBERS_MAX = 1_024

const memberHashes = new Map<string, number>()

export class RecordDigest {
  #low = 0
  #high = 0

  /** Puts a record in, or takes it out when it is in. @param keyHash 32 bits */
  flip(keyHash: number, { wallMs, counter, member }: Version): void {
    const time = mix(wallMs | 0, (wallMs / 2 ** 32) | 0)
    const stamp = mix(mix(time, counter), memberHash(member))
    this.#low ^= mix(keyHash, stamp)
    this.#high ^= mix(stamp ^ 0x5bd1e995, keyHash)
  }

  /** Adds all records of another digest: of a disjoint set. */
  add(other: RecordDigest): void {
    this.#low ^= other.#low
    this.#high ^= other.#high
  }

  /** 64 bits. */
  get value(): bigint {
    return ((BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0)) ^ EMPTY
  }

  get isEmpty(): boolean {
    return this.#low === 0 && this.#high === 0
  }
}

/** The digest of records of which some expire, so that those can be left out whose time is coming. */
export class ExpiringDigest {
  readonly #lasting = new RecordDigest()
  /** By the span of time in which they expire. */
  readonly #spans = new Map<number, RecordDigest>()

  /** Puts a record in, or takes it out when it is in. @param expiresAt wall time in ms; 0 for never */
  flip(keyHash: number, version: Version, expiresAt: number): void {
    if (expiresAt === 0) {
      this.#lasting.flip(keyHash, version)
      return
    }
    const span = Math.floor(expiresAt / SPAN_MS)
    const digest = this.#spans.get(span) ?? new RecordDigest()
    digest.flip(keyHash, version)
    if (digest.isEmpty) this.#spans.delete(span)
    else this.#spans.set(span, digest)
  }

  /** Adds what is not about to expire at a wall time, in ms, to another digest. */
  addTo(digest: RecordDigest, asOfMs: number): void {
    digest.add(this.#lasting)
    const first = Math.floor((asOfMs + MARGIN_MS) / SPAN_MS) + 1
    for (const [span, records] of this.#spans) if (span >= first) digest.add(records)
  }
}

/** Mixes two 32-bit numbers into one: the finalizer of MurmurHash3 (Appleby, 2011) over their combination. */
function mix(a: number, b: number): number {
  let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b ^ (b >>> 15), 0x85ebca77)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

function memberHash(member: string): number {
  let hash = memberHashes.get(member)
  if (hash === undefined) {
    hash = 0
    for (let i = 0; i < member.length; i++) hash = mix(hash, member.charCodeAt(i))
    if (memberHashes.size >= MEMBERS_MAX) memberHashes.clear()
    memberHashes.set(member, hash)
  }
  return hash
}
