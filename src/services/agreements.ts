/**
 * Agreements: as of when this member and each other one held the same, and what follows from that for records that only one
 * of them holds; see {@link LastEqual}.
 *
 * Within the grace of tombstones nothing does: what one lacks, it takes. Beyond it, what is older than the agreement has been
 * deleted by whoever does not hold it any more; what is newer has been written since. That goes for who has held the partition
 * all the time: what somebody lacks who gave it up since, or had to evict and forget some of it, proves nothing.
 */

import { common, LastEqual, type Moments } from '../core/last-equal.js'
import { isLive, type Member } from '../core/members.js'
import type { MeshClock } from '../core/mesh-clock.js'
import { noPartitions } from '../core/placement.js'
import type { GoneKey, Remembered } from '../core/remembered.js'
import { PARTITIONS } from '../core/ring.js'
import type { Store } from '../core/store.js'
import type { PartitionMoment } from '../protocol/messages.js'
import type { Membership } from './membership.js'
import type { Ownership } from './ownership.js'

/**
 * How far before a round it is that both are known to hold the same, in ms: what was under way when it began, or stamped by a
 * clock that is a little ahead, may have come after it.
 */
const MARGIN_MS = 10_000

/** Who agreed within this time has missed nothing that was deleted, however many deletes had to be forgotten, in ms. */
const IN_TOUCH_MS = 60_000

/** Moments are told in s. */
const S_MS = 1_000

export interface AgreementsComponents {
  readonly membership: Membership
  readonly ownership: Ownership
  readonly meshClock: MeshClock
  readonly store: Store
  /** Which run of a member there is. */
  readonly instanceOf: (member: string) => string | undefined
}

export interface AgreementsOptions {
  /** This run of this member. */
  readonly instance: string
  /** How long tombstones are remembered at least, in ms. */
  readonly tombstonesKeptMs: number
}

/** As of when two members agreed on a partition, as far as it counts for what each of them lacks; 0 for never. */
export interface Judged {
  readonly oursMs: number
  readonly theirsMs: number
}

export class Agreements {
  readonly #components: AgreementsComponents
  readonly #options: AgreementsOptions
  readonly #lastEqual = new LastEqual()
  /** As of when this member and others agreed, though never with each other: each had with a third one. */
  readonly #throughOthers = new LastEqual()
  /** When all that others held of a partition was taken over, and nothing else was there. */
  readonly #lastTaken = new LastEqual(true)
  /** When each partition was last given up, in ms; 0 for never. */
  readonly #givenUpMs = new Float64Array(PARTITIONS)
  /** When any was. */
  #lastGivenUpMs = 0
  readonly #isGivenUp = noPartitions()
  /** What members that are called dead may have: as of a ring, and since when they are. */
  readonly #held = new Map<string, { ring: bigint; sinceMs: number; partitions: Uint8Array }>()

  constructor(components: AgreementsComponents, options: AgreementsOptions) {
    this.#components = components
    this.#options = options
  }

  /** As of when both hold the same after a round that begins now, in ms. */
  nextMs(): number {
    return Math.max(0, this.#components.meshClock.strictNow() - MARGIN_MS)
  }

  /** A member and this one hold the same of some partitions, each a 1 at its place, as of a moment. */
  agreed(member: string, partitions: Uint8Array, atMs: number): void {
    const { instanceOf, store } = this.#components
    const instance = instanceOf(member)
    if (instance === undefined) return
    // What had to be forgotten meanwhile is no longer the same.
    const { lossy } = store
    const givenUpMs = this.#givenUpMs
    const countsWhere = (partition: number) =>
      lossy[partition] === 0 && atMs > (givenUpMs[partition] as number)
    const countsAll = store.lossyCount === 0 && atMs > this.#lastGivenUpMs
    const counts = countsAll ? undefined : countsWhere
    this.#lastEqual.note(member, instance, partitions, atMs, counts)
  }

  /**
   * As of when a partition is the same as a member's, in ms, 0 for never; undefined when that is so short a time ago that
   * whatever has been deleted since is still remembered.
   */
  staleMs(member: string, partition: number): number | undefined {
    const { instanceOf } = this.#components
    const instance = instanceOf(member)
    const keptSinceMs = this.#keptSinceMs()
    const atMs = this.#lastEqual.of(member, instance, partition)
    if (atMs > keptSinceMs) return undefined
    return Math.max(atMs, this.#throughOthers.of(member, instance, partition))
  }

  /** A partition is owned again, or for the first time. */
  holds(partition: number): void {
    this.#isGivenUp[partition] = 0
  }

  /** Whether a partition has been given up, and has not been owned since. */
  isGivenUp(partition: number): boolean {
    return this.#isGivenUp[partition] === 1
  }

  /** A partition was dropped here: others have all that was held of it. */
  gaveUp(partition: number): void {
    this.#isGivenUp[partition] = 1
    const nowMs = this.#components.meshClock.strictNow()
    this.#givenUpMs[partition] = nowMs
    this.#lastGivenUpMs = Math.max(this.#lastGivenUpMs, nowMs)
    for (const moments of [this.#lastEqual, this.#throughOthers, this.#lastTaken]) {
      moments.forget(partition)
    }
  }

  /** Until when this member may have lost what it held of a partition without having deleted it, in ms; 0 for never. */
  lostMs(partition: number): number {
    const { meshClock, store } = this.#components
    if (store.lossy[partition] === 1) return meshClock.strictNow()
    return this.#givenUpMs[partition] as number
  }

  /** A moment of agreement on a partition, as far as it counts for what this member lacks: not where it had to forget some. */
  toldMs(partition: number, atMs: number): number {
    return this.#components.store.lossy[partition] === 1 ? 0 : atMs
  }

  /**
   * As of when this member and another one agreed on a partition, from what both say; undefined where either knows that it
   * was within the grace.
   */
  judge(member: string, theirs: PartitionMoment): Judged | undefined {
    const { partition, atMs, lostMs } = theirs
    const staleMs = this.staleMs(member, partition)
    if (staleMs === undefined) return undefined
    // What one says itself is of what it holds now.
    const since = (ms: number, otherLostMs: number) => (ms > otherLostMs ? ms : 0)
    return {
      oursMs: Math.max(this.toldMs(partition, staleMs), since(atMs, this.lostMs(partition))),
      theirsMs: Math.max(atMs, since(staleMs, lostMs)),
    }
  }

  /** Whether what a member holds has been deleted here, and forgotten: nothing is known of it any more. */
  isForgotten(member: string, { cache, key, version, deleted }: Remembered): boolean {
    const { ownership, store } = this.#components
    if (deleted) return false
    const partition = ownership.partitionOf(cache, key)
    // What is not here may have been evicted.
    if (store.lossy[partition] === 1) return false
    const staleMs = this.staleMs(member, partition) ?? 0
    return version.wallMs < staleMs && !store.isKnown(cache, key)
  }

  /**
   * Tells, as of now, whether a tombstone is of no use any more: all who own its partition as well have agreed on it since; so
   * have the owners of one that has been given up. Who owned it and is called dead may come back with what it had: it is
   * waited for as long as it is known, unless all that it can have of the key is older than their agreement, and tells by that.
   */
  dispensable(): (gone: GoneKey) => boolean {
    const { ownership, membership, instanceOf } = this.#components
    const absent = this.#absent()
    return ({ partition, version, replacedMs }) => {
      if (this.isGivenUp(partition) && !ownership.holds(partition)) return true
      const haveOwners = ownership.ring
        .preferenceList(partition)
        .every(
          (owner) =>
            owner === membership.id ||
            this.#lastEqual.of(owner, instanceOf(owner), partition) > version.wallMs,
        )
      const sinceMs = Math.min(version.wallMs, replacedMs)
      return haveOwners && absent.every((agreedMs) => agreedMs(partition) > sinceMs)
    }
  }

  /**
   * When this member agreed on a partition with each of those that are called dead, in ms: infinite where it has nothing of
   * it, 0 where it may have, and they never agreed: it had only just joined.
   */
  #absent(): Array<(partition: number) => number> {
    const { membership, instanceOf } = this.#components
    return membership.list
      .all()
      .filter(({ state, role }) => state === 'dead' && role === 'owner')
      .map((member) => {
        const { id } = member
        const held = this.#heldBy(member)
        // Who came when it was gone already has not met it, and knows of it by others alone.
        const instance = instanceOf(id) ?? this.#lastEqual.instanceOf(id)
        return (partition) => {
          const agreedMs = this.#lastEqual.of(id, instance, partition)
          return agreedMs === 0 && held[partition] === 0 ? Number.POSITIVE_INFINITY : agreedMs
        }
      })
  }

  /**
   * What a member that is called dead may have, each partition as a 1 at its place: what it would own beside those that were
   * there before. Whoever came since may have taken some over, but not from it.
   */
  #heldBy({ id, sinceMs }: Member): Uint8Array {
    const { ownership, membership, instanceOf } = this.#components
    const { digest, members } = ownership.ring
    const known = this.#held.get(id)
    if (known !== undefined && known.ring === digest && known.sinceMs === sinceMs)
      return known.partitions
    const isMet = instanceOf(id) !== undefined
    const isEarlier = (other: string) =>
      other === membership.id ? isMet : (membership.list.get(other)?.sinceMs ?? 0) <= sinceMs
    const ring = ownership.ringOf([...members.filter(isEarlier), id])
    const partitions = ring.ownedBy(id)
    this.#held.set(id, { ring: digest, sinceMs, partitions })
    return partitions
  }

  /**
   * As of when all who own anything as well as this member have agreed on all of it, in ms: 0 where one never has. Those that
   * are called dead count as in {@link dispensable}.
   */
  allMs(): number {
    const { ownership, membership, instanceOf } = this.#components
    const { ring } = ownership
    const runs = ring.members.map((id) => ({ id, instance: instanceOf(id) }))
    const self = ring.members.indexOf(membership.id)
    let earliestMs = Number.POSITIVE_INFINITY
    const owned = ring.ownedBy(membership.id)
    for (const [partition, isOwned] of owned.entries()) {
      if (isOwned === 0) continue
      for (let place = 0; place < ring.listLength; place++) {
        const member = ring.memberAt(partition, place)
        const run = runs[member]
        if (member === self || run === undefined) continue
        const atMs = this.#lastEqual.of(run.id, run.instance, partition)
        if (atMs < earliestMs) earliestMs = atMs
      }
    }
    for (const agreedMs of this.#absent()) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        if (owned[partition] === 1) earliestMs = Math.min(earliestMs, agreedMs(partition))
      }
    }
    return earliestMs
  }

  /**
   * What one that takes over from this member is to know: when this one last agreed with those that are not there, and, where
   * the two have not agreed themselves of late, with anybody.
   */
  toldTo(heir: string): Moments[] {
    const { membership, instanceOf } = this.#components
    const all = this.#all().map((moments) => this.#withoutLossy(moments))
    if (!this.#lastEqual.hasBeenSince(heir, instanceOf(heir), this.#keptSinceMs())) return all
    return all.filter(({ member }) => {
      const known = membership.list.get(member)
      return known === undefined || !isLive(known)
    })
  }

  /**
   * Another member tells when it last agreed with whom: as of then, it and this one have agreed. Not so where that is within
   * the grace: a third one may have taken in meanwhile what is older, from one that was away for long, and have told only one of
   * the two. Then both are held to what they knew of it before.
   */
  compared(from: string, moments: readonly Moments[]): void {
    const { membership, instanceOf } = this.#components
    const { instance } = this.#options
    const fromInstance = instanceOf(from)
    if (fromInstance === undefined || moments.length === 0) return
    const keptSinceMs = this.#keptSinceMs()
    const agreed = common(this.#all(), moments, Math.floor(keptSinceMs / S_MS))
    const ours = moments.find(
      (one) => !one.isOneWay && one.member === membership.id && one.instance === instance,
    )
    const oldOurs = ours !== undefined && ours.earliestS * S_MS <= keptSinceMs ? ours.seconds : []
    for (const [partition, seconds] of oldOurs.entries()) {
      const atMs = seconds * S_MS
      // What this member has given up since, it does not hold because it deleted it.
      if (atMs <= (this.#givenUpMs[partition] as number) || atMs > keptSinceMs) continue
      if (seconds > (agreed[partition] as number)) agreed[partition] = seconds
    }
    this.#throughOthers.inherit(
      { member: from, instance: fromInstance, seconds: agreed, isOneWay: false, earliestS: 0 },
      undefined,
    )
  }

  /**
   * All that another member held of some partitions, undefined for all, has been taken over by this one, which held nothing
   * of them: so has what it knows.
   */
  inherit(moments: readonly Moments[], partitions: Uint8Array | undefined): void {
    for (const one of moments) {
      if (one.member === this.#components.membership.id) continue
      if (one.isOneWay) this.#lastTaken.inherit(one, partitions)
      else this.#lastEqual.inherit(one, partitions)
    }
  }

  /** This member, which held nothing of some partitions, each a 1 at its place, has all that another one held as of a moment. */
  tookOver(member: string, partitions: Uint8Array, atMs: number): void {
    const instance = this.#components.instanceOf(member)
    if (instance !== undefined) this.#lastTaken.note(member, instance, partitions, atMs)
  }

  /** Moments after a wall time, in ms, were by a clock that was wrong. */
  recall(limitMs: number): void {
    for (const moments of [this.#lastEqual, this.#lastTaken, this.#throughOthers]) {
      moments.recall(limitMs)
    }
    for (const [partition, ms] of this.#givenUpMs.entries()) {
      this.#givenUpMs[partition] = Math.min(ms, limitMs)
    }
    this.#lastGivenUpMs = Math.min(this.#lastGivenUpMs, limitMs)
  }

  /** Forgets members that are no longer known. */
  tidy(): void {
    const { membership } = this.#components
    const isKnown = (member: string) => membership.list.get(member) !== undefined
    this.#lastEqual.keep(isKnown)
    this.#lastTaken.keep(isKnown)
    this.#throughOthers.keep(isKnown)
    for (const id of this.#held.keys()) {
      if (membership.list.get(id)?.state !== 'dead') this.#held.delete(id)
    }
  }

  /** Since when all deletes are remembered, in ms: for the grace, unless some had to be forgotten early. */
  #keptSinceMs(): number {
    const { meshClock, store } = this.#components
    const { tombstonesKeptMs } = this.#options
    const nowMs = meshClock.strictNow()
    // What comes late, as a hint does, between two that are in touch is not to be taken for what was deleted.
    const forgottenMs = Math.min(store.horizon.tombstonesMs, nowMs - IN_TOUCH_MS)
    return Math.max(nowMs - tombstonesKeptMs, forgottenMs)
  }

  /** Who takes over where something had to be evicted and forgotten does not get all that was agreed on. */
  #withoutLossy(moments: Moments): Moments {
    const { lossy, lossyCount } = this.#components.store
    if (lossyCount === 0) return moments
    return { ...moments, seconds: moments.seconds.map((s, at) => (lossy[at] === 1 ? 0 : s)) }
  }

  #all(): Moments[] {
    return [...this.#lastEqual.values(), ...this.#lastTaken.values()]
  }
}
