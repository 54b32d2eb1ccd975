/**
 * Giving up: what this member holds, and no longer owns, goes to those who do, and is dropped only then.
 *
 * The first owner of each partition that answers is compared with, and given what it lacks. It is enough that one has all: the
 * owners repair each other. What it does not take is kept, and offered again, to the next of them.
 */
import { type Backoff, backoffMs } from '../core/backoff.js'
import { noPartitions } from '../core/placement.js'
import { PARTITIONS } from '../core/ring.js'
import type { Store } from '../core/store.js'
import type { Agreements } from './agreements.js'
import type { Membership } from './membership.js'
import type { Ownership } from './ownership.js'
import { Pauses } from './pauses.js'
import type { Runtime, Timer } from './ports.js'

/** Pauses before what could not be given up is offered again, in ms: nobody waits for it. */
const RETRY: Backoff = { minMs: 1_000, maxMs: 30_000 }

/** How often one that waits for the end looks, in ms. */
const LOOK_MS = 50

/** Entries dropped in one turn of the event loop. */
const DROP_SLICE = 2_000

export interface GivingUpComponents {
  readonly runtime: Runtime
  readonly membership: Membership
  readonly ownership: Ownership
  readonly store: Store
  readonly agreements: Agreements
}

export class GivingUp {
  readonly #components: GivingUpComponents
  readonly #give: (member: string, partitions: Uint8Array) => Promise<void>
  readonly #pauses: Pauses
  #retryTimer: Timer | undefined
  #failureCount = 0
  #isUnderWay = false
  #stopped = false

  /** @param give gives partitions to one that owns them; rejects where that one has not all of them then */
  constructor(
    components: GivingUpComponents,
    give: (member: string, partitions: Uint8Array) => Promise<void>,
  ) {
    this.#components = components
    this.#give = give
    this.#pauses = new Pauses(components.runtime.scheduler)
  }

  stop(): void {
    this.#stopped = true
    this.#retryTimer?.cancel()
    this.#pauses.end()
  }

  /** Every owner has taken over what it gained: what this member no longer owns is given up. */
  ringSettled(): void {
    const { ownership, agreements } = this.#components
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (ownership.placement.holds(partition)) agreements.holds(partition)
    }
    this.#failureCount = 0
    this.#begin()
  }

  /** Whether something is being offered to its owners now. */
  get isUnderWay(): boolean {
    return this.#isUnderWay
  }

  /** Resolves when nothing is left here that belongs to others alone, or when this member stops. */
  async done(): Promise<void> {
    while (!this.#stopped && this.#hasLeft()) await this.#pauses.pause(LOOK_MS)
  }

  #hasLeft(): boolean {
    const { store, ownership } = this.#components
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (!ownership.placement.holds(partition) && !store.isEmpty(partition)) return true
    }
    return false
  }

  #begin(): void {
    this.#retryTimer?.cancel()
    if (this.#stopped || this.#isUnderWay) return
    const byOwner = this.#byOwner()
    if (byOwner.size > 0) void this.#giveTo(byOwner)
  }

  /** What is to go to whom. What is empty goes to nobody. */
  #byOwner(): Map<string, Uint8Array> {
    const { store, ownership, membership, agreements } = this.#components
    const there = new Set(membership.others().map(({ id }) => id))
    const byOwner = new Map<string, Uint8Array>()
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (ownership.placement.holds(partition)) continue
      if (store.isEmpty(partition)) {
        if (agreements.isGivenUp(partition)) continue
        // Tombstones that others may lack go to them, too, before they are forgotten.
        if (store.digests.count(partition) === 0) {
          this.#dropOne(partition)
          continue
        }
      }
      const owners = ownership.ring.preferenceList(partition).filter((id) => there.has(id))
      // One that fails is not the only one.
      const owner = owners[this.#failureCount % Math.max(1, owners.length)]
      if (owner === undefined) continue
      const partitions = byOwner.get(owner) ?? noPartitions()
      byOwner.set(owner, partitions)
      partitions[partition] = 1
    }
    return byOwner
  }

  async #giveTo(byOwner: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { runtime, ownership } = this.#components
    const { digest } = ownership.ring
    this.#isUnderWay = true
    let failed = false
    for (const [owner, partitions] of byOwner) {
      try {
        await this.#give(owner, partitions)
        if (this.#stopped) return
        // What came since by an earlier ring that counts again is not given up.
        if (digest === ownership.ring.digest) await this.#drop(partitions)
        else failed = true
      } catch (error) {
        failed = true
        runtime.log.info(`giving partitions up to ${owner} broke off: ${(error as Error).message}`)
      }
      if (this.#stopped) return
    }
    this.#isUnderWay = false
    // The ring may have moved on, and settled, meanwhile.
    if (!failed) return this.#begin()
    this.#failureCount++
    const delayMs = backoffMs(this.#failureCount, RETRY, runtime.random.next())
    this.#retryTimer = runtime.scheduler.after(delayMs, () => this.#begin())
  }

  /** Drops entries of partitions that are not owned, a slice of the event loop at a time. */
  async #drop(partitions: Uint8Array): Promise<void> {
    const { ownership } = this.#components
    let dropped = 0
    for (const [partition, isGivenUp] of partitions.entries()) {
      if (isGivenUp === 0 || ownership.placement.holds(partition)) continue
      dropped += this.#dropOne(partition)
      if (dropped < DROP_SLICE) continue
      dropped = 0
      await this.#pauses.pause(0)
      if (this.#stopped) return
    }
  }

  #dropOne(partition: number): number {
    const { store, agreements } = this.#components
    agreements.gaveUp(partition)
    return store.drop(partition)
  }
}
