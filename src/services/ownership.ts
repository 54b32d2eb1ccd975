/**
 * Ownership: by which ring keys are placed, and whose confirmations count.
 *
 * The ring follows the membership after a short quiet window, so that members that come or go together make one change.
 * After a change, the ring before stays in force beside the new one, here and in the eyes of every member, until all who
 * own anything by the new one say that they have taken over what they gained (see rebalance.ts). Members that hear of a
 * change at different moments work with different rings for a while; requests carry digests of them, and a confirmation
 * counts only where it was given by a ring that its reader takes into account.
 */
import { isLive, isOnRing, type Member } from '../core/members.js'
import { Placement } from '../core/placement.js'
import { type Electorate, everybody, quorumOfReplicas } from '../core/quorum.js'
import { type Hash64, keyHashOf, partitionAt, Ring } from '../core/ring.js'
import type { Membership } from './membership.js'
import type { Runtime, Timer } from './ports.js'
import { withDeadline } from './requests.js'

/** How long the members must have been the same before the ring follows, in ms; and how long that is waited for. */
const QUIET_MS = 100
const QUIET_MAX_MS = 1_000

/**
 * How long it waits while somebody on the ring is suspect, in ms: when many fall silent at once, the verdicts come within two
 * seconds of each other, and one change is to follow from all of them.
 */
const VERDICTS_MAX_MS = 2_500

export interface OwnershipComponents {
  readonly runtime: Runtime
  readonly membership: Membership
  readonly hash: Hash64
}

export interface OwnershipOptions {
  /** This member's id. */
  readonly id: string
  readonly replicas: number | 'all'
  readonly role: 'owner' | 'client'
  /** Whether this member was told of others to look for. */
  readonly expectsOthers: boolean
}

export interface OwnershipListener {
  /**
   * The ring has changed, or another one counts as well.
   * @param hasMissed others may have taken in what this member, an owner, has not
   */
  ringChanged(hasMissed: boolean): void
  /** Whose confirmations count has changed. */
  electorateChanged(): void
  /** Every owner has taken over what it gained: earlier rings count no more. */
  settled(): void
}

export class Ownership {
  readonly placement: Placement
  readonly #components: OwnershipComponents
  readonly #options: OwnershipOptions
  readonly #listeners: OwnershipListener[] = []
  /** Which ring each member has taken over all of, by its own account. */
  readonly #settledRings = new Map<string, bigint>()
  #electorates: Array<Electorate | undefined> = []
  #everybody: Electorate | undefined
  #timer: Timer | undefined
  #changedAtMs = 0
  #otherRingCount = 0
  #stopped = false
  #hasMissed = false
  readonly #waiters = new Set<() => void>()

  constructor(components: OwnershipComponents, options: OwnershipOptions) {
    this.#components = components
    this.#options = options
    this.placement = new Placement(options.id, this.ringOf([]))
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    for (const waiter of [...this.#waiters]) waiter()
  }

  addListener(listener: OwnershipListener): void {
    this.#listeners.push(listener)
  }

  /** Whether every owner keeps every key, whoever they are. */
  get isFullCopy(): boolean {
    return this.#options.replicas === 'all'
  }

  /** Whether this member owns keys at all. */
  get isOwner(): boolean {
    return this.#options.role === 'owner'
  }

  /** The ring by which keys are placed. */
  get ring(): Ring {
    return this.placement.current
  }

  /** The ring by which keys would be placed if these were the members on it. */
  ringOf(members: readonly string[]): Ring {
    const { replicas } = this.#options
    return Ring.of(members, { hash: this.#components.hash, replicas })
  }

  /** Requests and answers of members with a ring that does not count here. */
  get otherRingCount(): number {
    return this.#otherRingCount
  }

  partitionOf(cache: string, key: string): number {
    return partitionAt(keyHashOf(this.#components.hash, cache, key))
  }

  /** Whether this member takes in what is written to any key. */
  get holdsAll(): boolean {
    return this.isOwner && (this.isFullCopy || this.placement.holdsAll)
  }

  /** Whether this member takes in what is written to a partition. */
  holds(partition: number): boolean {
    return this.holdsAll || this.placement.holds(partition)
  }

  /** Whether this member takes in what is written to a key. */
  holdsKey(cache: string, key: string): boolean {
    return this.holdsAll || this.placement.holds(this.partitionOf(cache, key))
  }

  /** How many of a key's owners make a quorum, where each key has so many. */
  get quorum(): number {
    const { replicas } = this.#options
    return replicas === 'all' ? this.everybody().quorum : quorumOfReplicas(replicas)
  }

  /** Whose confirmations count for a key of a partition. The same object until something changes. */
  electorateOf(partition: number): Electorate {
    if (this.isFullCopy) return this.everybody()
    let electorate = this.#electorates[partition]
    if (electorate === undefined) {
      const lists = this.placement.listsOf(partition)
      const owners = [...new Set(lists.flat())].filter((id) => this.#isThere(id))
      electorate = { lists, quorum: this.quorum, owners }
      this.#electorates[partition] = electorate
    }
    return electorate
  }

  /** Whose confirmations count for what concerns all members. */
  everybody(): Electorate {
    const { membership } = this.#components
    this.#everybody ??= everybody(membership.list.all(), this.#options.expectsOthers)
    return this.#everybody
  }

  /** Whether an answer given by a ring counts here: told by its digest; 0 where it does not matter. */
  counts(digest: bigint): boolean {
    const counts = this.isFullCopy || this.placement.isInForce(digest)
    if (!counts) this.#otherRingCount++
    return counts
  }

  /** The digest that requests carry. */
  get digest(): bigint {
    return this.isFullCopy ? 0n : this.ring.digest
  }

  /**
   * The rings in force, the current one first, each as the ids of its members: what a hello tells. Those of a joiner, who
   * has not heard of everybody yet, concern nobody.
   */
  rings(): ReadonlyArray<readonly string[]> {
    if (this.isFullCopy || !this.isOwner || this.#isJoining) return []
    const { current, previous } = this.placement
    return [current, ...previous].map((ring) => ring.members).filter(({ length }) => length > 0)
  }

  /** Another member places keys by these rings: they count until all is taken over. */
  learn(rings: ReadonlyArray<readonly string[]>): void {
    if (this.isFullCopy) return
    let learnt = false
    for (const members of rings) {
      if (members.length > 0 && this.placement.learn(this.ringOf(members))) learnt = true
    }
    // By that ring others have taken in what this member may have missed.
    if (learnt) this.#ringsChanged(true)
  }

  /**
   * Others have taken this member to be dead, and placed keys without it: what they wrote meanwhile is to be had from
   * the owners by the ring without it, until all is taken over.
   */
  missed(): void {
    if (this.isFullCopy) return
    this.#hasMissed = true
    this.#learnWithoutSelf()
    this.#ringsChanged(true)
  }

  #learnWithoutSelf(): void {
    const { self } = this.placement
    const others = this.ring.members.filter((id) => id !== self)
    if (others.length > 0) this.placement.learn(this.ringOf(others))
  }

  /** Whether the ring follows the members, and all by it have taken over what they gained. */
  get isSettled(): boolean {
    const isDone = this.placement.previous.length === 0 || this.ring.members.length === 0
    return this.#timer === undefined && isDone
  }

  /** Resolves when that is so, or the time is over, to whether it is. */
  async settled(timeoutMs: number): Promise<boolean> {
    if (this.isSettled) return true
    let waiter = () => {}
    const released = new Promise<void>((resolve) => {
      waiter = resolve
      this.#waiters.add(waiter)
    })
    const { scheduler } = this.#components.runtime
    await withDeadline(scheduler, timeoutMs, released).catch(() => {})
    this.#waiters.delete(waiter)
    return this.isSettled
  }

  /** A member came onto the ring or left it. */
  viewChanged(): void {
    const { clock, scheduler } = this.#components.runtime
    this.electorateChanged()
    if (this.#stopped) return
    if (this.ring.members.length === 0) {
      // Where there is no ring yet there is nothing to keep quiet.
      this.#timer?.cancel()
      this.#timer = scheduler.defer(() => this.#advance())
      return
    }
    const nowMs = clock.monotonicMs()
    if (this.#timer === undefined) this.#changedAtMs = nowMs
    this.#timer?.cancel()
    const leftMs = this.#changedAtMs + QUIET_MAX_MS - nowMs
    this.#advanceAfter(Math.max(0, Math.min(QUIET_MS, leftMs)))
  }

  /** Lets the ring follow after a while, or later where it is open whether somebody stays on it. */
  #advanceAfter(delayMs: number): void {
    const { clock, scheduler } = this.#components.runtime
    this.#timer = scheduler.after(delayMs, () => {
      const isUndecided = this.#components.membership.others().some(isSuspectOwner)
      const waitedMs = clock.monotonicMs() - this.#changedAtMs
      if (isUndecided && waitedMs < VERDICTS_MAX_MS) this.#advanceAfter(QUIET_MS)
      else this.#advance()
    })
  }

  /** Who is in the mesh, or in which state, has changed. */
  electorateChanged(): void {
    this.#electorates = []
    this.#everybody = undefined
    this.#tell((listener) => listener.electorateChanged())
  }

  /** A member says of which ring it has taken over all that it owns: itself included. */
  heardSettled(member: string, digest: bigint): void {
    if (this.#settledRings.get(member) === digest) return
    this.#settledRings.set(member, digest)
    this.#settleIfAllHave()
  }

  /** A member is gone. */
  gone(member: string): void {
    this.#settledRings.delete(member)
    this.#settleIfAllHave()
  }

  #advance(): void {
    this.#timer = undefined
    const { membership } = this.#components
    const ring = this.ringOf(membership.list.serving())
    if (ring.digest === this.ring.digest) {
      this.#release()
      return
    }
    // A joiner has yet to hear of everybody: what it took for the ring until now is none to keep.
    this.placement.advance(ring, !this.#isJoining)
    if (this.#hasMissed) this.#learnWithoutSelf()
    if (this.isFullCopy) this.placement.settle()
    this.#ringsChanged(false)
  }

  #ringsChanged(hasMissed: boolean): void {
    this.#tell((listener) => listener.ringChanged(hasMissed))
    this.electorateChanged()
    this.#settleIfAllHave()
  }

  #settleIfAllHave(): void {
    this.#release()
    if (this.placement.previous.length === 0) return
    const { members, digest } = this.ring
    if (members.length === 0 || members.some((id) => this.#settledRings.get(id) !== digest)) return
    this.placement.settle()
    this.#hasMissed = false
    this.electorateChanged()
    this.#tell((listener) => listener.settled())
    this.#release()
  }

  /** Tells those who wait, where it is so. */
  #release(): void {
    if (this.isSettled) for (const waiter of [...this.#waiters]) waiter()
  }

  get #isJoining(): boolean {
    return this.#components.membership.status === 'joining'
  }

  #isThere(id: string): boolean {
    const member = this.#components.membership.list.get(id)
    return member !== undefined && isLive(member)
  }

  #tell(call: (listener: OwnershipListener) => void): void {
    for (const listener of this.#listeners) call(listener)
  }
}

/** Whether a member is on the ring, and it is open whether it stays. */
function isSuspectOwner(member: Member): boolean {
  return member.state === 'suspect' && isOnRing(member)
}
