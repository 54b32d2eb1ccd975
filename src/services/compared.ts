/**
 * What this member compares with another one: the partitions that both own by the same ring, without those that one of
 * the two does not hold in full: it is still taking them over, or had to forget something of them for want of room.
 */
import { isLive } from '../core/members.js'
import { both, countOf, noPartitions } from '../core/placement.js'
import { PARTITIONS, type Ring } from '../core/ring.js'
import type { Store } from '../core/store.js'
import type { Membership } from './membership.js'
import type { Ownership } from './ownership.js'

export interface ComparedComponents {
  readonly membership: Membership
  readonly ownership: Ownership
  readonly store: Store
  /** Whether what this member holds of a partition is all that there is. */
  readonly isInSync: (partition: number) => boolean
  /** Whether that is so of all partitions that it owns. */
  readonly isSettled: () => boolean
}

const ALL = noPartitions().fill(1)

/** Partitions that two members own, each as a 1 at its place, and how many they are. */
interface Shared {
  readonly partitions: Uint8Array
  readonly count: number
}

export class Compared {
  readonly #components: ComparedComponents
  /** What other members have said that they do not compare, each as a 1 at its place. */
  readonly #excludedBy = new Map<string, Uint8Array>()
  /** What is shared with other members by a ring. */
  readonly #sharedWith = new Map<string, Shared>()
  #ring: Ring | undefined

  constructor(components: ComparedComponents) {
    this.#components = components
  }

  /** Digest of the ring by which it is; the same on all members where each keeps every key. */
  get ring(): bigint {
    return this.#components.ownership.digest
  }

  /** Whether this member compares at all: it owns keys, and has caught up. One that takes its leave still tells what it has. */
  get isReady(): boolean {
    const { membership, ownership } = this.#components
    return ownership.isOwner && membership.status !== 'joining'
  }

  /** Members with which there is something to compare. */
  others(): string[] {
    const { membership, ownership } = this.#components
    if (!this.isReady) return []
    const others = membership
      .others()
      .filter((member) => isLive(member) && member.status === 'serving' && member.role === 'owner')
      .map(({ id }) => id)
    if (ownership.isFullCopy) return others
    return others.filter((id) => this.#shared(id).count > 0)
  }

  /** What this member does not compare; undefined for none. */
  excluded(): Uint8Array | undefined {
    const { ownership, store, isInSync, isSettled } = this.#components
    const { lossy } = store
    const { isFullCopy } = ownership
    if (store.lossyCount === 0 && (isFullCopy || isSettled())) return undefined
    const { owned } = ownership.placement
    let excluded: Uint8Array | undefined
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const isOpen = !isFullCopy && owned[partition] === 1 && !isInSync(partition)
      if (lossy[partition] === 0 && !isOpen) continue
      excluded ??= noPartitions()
      excluded[partition] = 1
    }
    return excluded
  }

  /** The partitions that are compared with a member, each as a 1 at its place. Not to be changed: it may be a shared array. */
  partitionsWith(member: string): Uint8Array {
    return without(this.offeredTo(member), this.#excludedBy.get(member))
  }

  /** Whether this member owns some partitions, each a 1 at its place, and holds them in full: others may give them up to it. */
  holdsAll(partitions: Uint8Array): boolean {
    const { ownership, isInSync } = this.#components
    const { owned } = ownership.placement
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (partitions[partition] === 0) continue
      if (owned[partition] === 0 || !isInSync(partition)) return false
    }
    return true
  }

  /** The same, as far as this member is concerned. */
  offeredTo(member: string): Uint8Array {
    const { ownership } = this.#components
    const shared = ownership.isFullCopy ? ALL : this.#shared(member).partitions
    return without(shared, this.excluded())
  }

  /** A member says what it does not compare; undefined for none. */
  heard(member: string, excluded: Uint8Array | undefined): void {
    if (excluded === undefined) this.#excludedBy.delete(member)
    else this.#excludedBy.set(member, excluded)
  }

  /** A member is gone. */
  gone(member: string): void {
    this.#excludedBy.delete(member)
  }

  /** What both own. */
  #shared(member: string): Shared {
    const { ring } = this.#components.ownership
    if (ring !== this.#ring) {
      this.#ring = ring
      this.#sharedWith.clear()
    }
    let shared = this.#sharedWith.get(member)
    if (shared === undefined) {
      const ours = ring.ownedBy(this.#components.membership.id)
      const theirs = ring.ownedBy(member)
      const partitions = both(ours, theirs)
      shared = { partitions, count: countOf(partitions) }
      this.#sharedWith.set(member, shared)
    }
    return shared
  }
}

/** A set of partitions but for some. */
function without(partitions: Uint8Array, excluded: Uint8Array | undefined): Uint8Array {
  if (excluded === undefined) return partitions
  const left = noPartitions()
  for (let partition = 0; partition < PARTITIONS; partition++) {
    left[partition] = (partitions[partition] as number) & ~(excluded[partition] as number)
  }
  return left
}
