/**
 * Catching up: from whom this member takes over state, when, and when it may serve.
 *
 * A joiner takes over the whole state of a serving member before it serves itself. Where nobody serves yet, because
 * all have just started, the one with the lowest id begins. A member that serves takes over the state of another
 * when the two have not been in touch (two meshes, or two halves of one, have met), and when something that was
 * published did not come. One transfer at a time.
 */

import type { Write } from '../core/entry.js'
import { isLive, type Member, type MemberRole } from '../core/members.js'
import type { Positions } from '../core/positions.js'
import type { Agreements } from './agreements.js'
import type { AntiEntropy, RepairReason } from './anti-entropy.js'
import type { Handshake } from './handshake.js'
import type { Membership } from './membership.js'
import { Pauses } from './pauses.js'
import type { Runtime, Timer } from './ports.js'
import { newTransfer, type StateTransfer, type Transfer } from './state-transfer.js'

/** How often a joiner looks whether it can go on, in ms. */
const STEP_INTERVAL_MS = 50

/** How long members that start together wait to hear of each other before the lowest id begins, in ms. */
const ASSEMBLY_MS = 300

/** How long a joiner that has caught up waits to be connected to everybody it knows, in ms. */
const CONNECT_PATIENCE_MS = 10_000

/** Pause before a transfer that failed is tried again, in ms; and tries, when it is not a joiner's first. */
const RETRY_DELAY_MS = 250
const TRIES_MAX = 5

/** Shortest time between two transfers from one member because of gaps, in ms. */
const GAP_TRANSFER_INTERVAL_MS = 1_000

export type TransferReason = 'join' | 'met' | 'gap' | 'fetch'

export interface CatchUpComponents {
  readonly runtime: Runtime
  readonly membership: Membership
  readonly handshake: Handshake
  readonly transfers: StateTransfer
  readonly positions: Positions
  readonly antiEntropy: AntiEntropy
  readonly agreements: Agreements
}

export interface CatchUpOptions {
  readonly joinTimeoutMs: number
  /** Whether there is anybody to look for. */
  readonly expectsOthers: boolean
  readonly role: MemberRole
  /** Whether this member keeps every key, and takes all over before it serves; otherwise see rebalance.ts. */
  readonly keepsAll: boolean
  /** The partitions that this member takes in, each as a 1 at its place; undefined for all. */
  readonly partitions: () => Uint8Array | undefined
  /** Whether it has: what is missing before then comes with them. */
  readonly hasSettled: () => boolean
  /** Resolves when this member has taken over the partitions that it owns; where it keeps all, at once. */
  readonly settled: () => Promise<void>
}

export interface CatchUpListener {
  started(member: string, reason: TransferReason): void
  ended(member: string, entries: number, ok: boolean): void
  /** Nobody was reached within the join time-out; this member serves alone. */
  alone(): void
  /** Less is owed: see {@link CatchUp.owes}. */
  paid(): void
}

export class CatchUp {
  readonly #components: CatchUpComponents
  readonly #options: CatchUpOptions
  readonly #listener: CatchUpListener
  /** Time spent looking for others, and when it was last added to. */
  #searchedMs = 0
  #searchedAtMs: number
  /** Members to take state from, in order, each with why. */
  readonly #wanted = new Map<string, TransferReason>()
  /** Members of which this one may have missed anything; see {@link CatchUp.returned}. */
  readonly #owed = new Set<string>()
  readonly #lastGapTransferMs = new Map<string, number>()
  readonly #gapTimers = new Map<string, Timer>()
  #firstWelcomeAtMs: number | undefined
  #caughtUpAtMs: number | undefined
  #busy = false
  readonly #pauses: Pauses
  #timer: Timer | undefined
  #stopped = false
  #failureCount = 0
  /** Resolves when this member serves, or has been stopped. */
  readonly ready: Promise<void>
  /** Resolves when this member may write (it knows the mesh's clock, or is alone), or has been stopped. */
  readonly mayWrite: Promise<void>
  #resolveReady: () => void = () => {}
  #resolveMayWrite: () => void = () => {}
  #isWritable = false
  #isReady = false

  constructor(components: CatchUpComponents, options: CatchUpOptions, listener: CatchUpListener) {
    this.#components = components
    this.#options = options
    this.#listener = listener
    this.#searchedAtMs = components.runtime.clock.monotonicMs()
    this.#pauses = new Pauses(components.runtime.scheduler)
    this.ready = new Promise((resolve) => {
      this.#resolveReady = resolve
    })
    this.mayWrite = new Promise((resolve) => {
      this.#resolveMayWrite = resolve
    })
  }

  start(): void {
    if (this.#options.expectsOthers) void this.#step(newTransfer())
    else this.#serve()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#pauses.end()
    for (const timer of this.#gapTimers.values()) timer.cancel()
    // Whoever waits finds that the peer has stopped.
    this.#resolveMayWrite()
    this.#resolveReady()
  }

  /** Whether writes may be stamped; see `mayWrite`. */
  get isWritable(): boolean {
    return this.#isWritable
  }

  /** Whether this member serves, and has all that it owns. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** Transfers that failed. */
  get failureCount(): number {
    return this.#failureCount
  }

  /** A hello was accepted. `wasLive`: the peer was already taken to be running. */
  accepted(member: Member, wasLive: boolean): void {
    this.#firstWelcomeAtMs ??= this.#components.runtime.clock.monotonicMs()
    this.#allowWrites()
    const bothServe =
      member.status === 'serving' && this.#components.membership.status === 'serving'
    // A hello may be answered when its sender is dead already, and known to be: nothing will ever come from it.
    if (bothServe && !wasLive && isLive(member)) this.#owe(member.id)
  }

  /** A member that was called dead, or had left, is there again. One that is joining has nothing to give. */
  returned(member: Member): void {
    if (member.status === 'serving') this.#owe(member.id)
  }

  /** A serving member gave a sign of life. */
  heard(id: string): void {
    if (this.#owed.has(id)) this.#pay(id)
  }

  /** Whether there is a member of which this one may have missed anything. */
  get owes(): boolean {
    return this.#owed.size > 0
  }

  /** A member is gone: there is nothing to be had of it, until it returns. */
  gone(id: string): void {
    if (this.#owed.delete(id)) this.#listener.paid()
  }

  /** What a member holds is to be taken over, from itself, as soon as both serve and are connected. */
  #owe(id: string): void {
    if (this.#options.role === 'client') return
    this.#owed.add(id)
    this.#pay(id)
  }

  #pay(id: string): void {
    if (this.#canGive(id)) this.#want(id, 'met')
  }

  /** Whether state can be had from a member itself. */
  #canGive(id: string): boolean {
    const { membership, handshake } = this.#components
    const member = membership.list.get(id)
    return member !== undefined && isLive(member) && handshake.isAccepted(id)
  }

  /** Something that a member published has not come. */
  gap(member: string): void {
    if (this.#stopped || !this.#options.hasSettled()) return
    const nowMs = this.#components.runtime.clock.monotonicMs()
    const lastMs = this.#lastGapTransferMs.get(member) ?? Number.NEGATIVE_INFINITY
    const waitMs = lastMs + GAP_TRANSFER_INTERVAL_MS - nowMs
    if (waitMs <= 0) this.#want(member, 'gap')
    else if (!this.#gapTimers.has(member)) {
      const timer = this.#components.runtime.scheduler.after(waitMs, () => {
        this.#gapTimers.delete(member)
        this.#want(member, 'gap')
      })
      this.#gapTimers.set(member, timer)
    }
    for (const [other, atMs] of this.#lastGapTransferMs) {
      if (atMs + GAP_TRANSFER_INTERVAL_MS <= nowMs) this.#lastGapTransferMs.delete(other)
    }
  }

  /** A member announced values too large for a batch. Resolves to whether they were had. */
  async fetch(member: string, writes: readonly Write[]): Promise<boolean> {
    try {
      await this.#components.transfers.fetch(member, writes)
      return true
    } catch (error) {
      this.#components.runtime.log.debug(
        `values of ${member} were not fetched: ${(error as Error).message}`,
      )
      this.#want(member, 'fetch')
      return false
    }
  }

  /** One look at what a joiner can do next. */
  async #step(transfer: Transfer): Promise<void> {
    if (this.#stopped) return
    const source = this.#source()
    if (this.#caughtUpAtMs !== undefined) {
      if (this.#isConnectedToAll()) return this.#serve()
    } else if (source !== undefined) {
      if (!this.#options.keepsAll || (await this.#transfer(source, 'join', transfer))) {
        this.#caughtUpAtMs = this.#components.runtime.clock.monotonicMs()
      }
    } else if (this.#mayBegin()) {
      return this.#serve()
    }
    if (this.#stopped) return
    const { scheduler } = this.#components.runtime
    this.#timer = scheduler.after(STEP_INTERVAL_MS, () => void this.#step(transfer))
  }

  /** A serving member to take the state from. */
  #source(): string | undefined {
    const { handshake, runtime } = this.#components
    const serving = this.#others().filter(
      ({ id, status }) => status === 'serving' && handshake.isAccepted(id),
    )
    return serving[Math.floor(runtime.random.next() * serving.length)]?.id
  }

  /** Other live members that own keys. */
  #others(): Member[] {
    return this.#components.membership.others().filter(({ role }) => role === 'owner')
  }

  /** Whether this member may serve without having taken over any state. */
  #mayBegin(): boolean {
    const { membership, runtime } = this.#components
    const nowMs = runtime.clock.monotonicMs()
    // Time in which this process was kept from running is no time spent looking.
    this.#searchedMs += Math.min(nowMs - this.#searchedAtMs, 2 * STEP_INTERVAL_MS)
    this.#searchedAtMs = nowMs
    const others = this.#others()
    if (this.#searchedMs >= this.#options.joinTimeoutMs) {
      if (others.length === 0) this.#listener.alone()
      // Whoever serves has what this member lacks, and will be reached or called dead.
      return others.every(({ status }) => status !== 'serving')
    }
    if (this.#firstWelcomeAtMs === undefined || nowMs - this.#firstWelcomeAtMs < ASSEMBLY_MS)
      return false
    if (this.#options.role === 'client') return false
    return others.every(({ id, status }) => status === 'joining' && membership.id < id)
  }

  #isConnectedToAll(): boolean {
    const { membership, handshake, runtime } = this.#components
    const waitedMs = runtime.clock.monotonicMs() - (this.#caughtUpAtMs ?? 0)
    if (waitedMs >= CONNECT_PATIENCE_MS) return true
    return membership
      .others()
      .every(({ id, state }) => state !== 'alive' || handshake.isAccepted(id))
  }

  #serve(): void {
    this.#components.membership.setStatus('serving')
    this.#allowWrites()
    void this.#options.settled().then(() => {
      this.#isReady = true
      this.#resolveReady()
    })
  }

  #allowWrites(): void {
    this.#isWritable = true
    this.#resolveMayWrite()
  }

  #want(member: string, reason: TransferReason): void {
    if (this.#stopped || this.#components.membership.status === 'joining') return
    if (this.#options.role === 'client') return
    if (!this.#wanted.has(member)) this.#wanted.set(member, reason)
    if (!this.#busy) void this.#work()
  }

  /** Works through the members that state is wanted from. */
  async #work(): Promise<void> {
    this.#busy = true
    for (const [member, reason] of this.#wanted) {
      this.#wanted.delete(member)
      if (reason === 'gap' && !this.#components.positions.isBehind(member)) continue
      if (reason === 'gap') {
        this.#lastGapTransferMs.set(member, this.#components.runtime.clock.monotonicMs())
      }
      await this.#transferWithRetries(member, reason)
      if (this.#stopped) return
    }
    this.#busy = false
  }

  async #transferWithRetries(member: string, reason: TransferReason): Promise<void> {
    // What somebody else holds is no answer where the question is what this member holds.
    const fromItself = reason === 'met'
    let transfer = this.#newTransfer()
    for (let tries = 0; tries < TRIES_MAX && !this.#stopped; tries++) {
      // The member itself has all that it published; when it is gone, others may.
      if (this.#canGive(member)) {
        if (await this.#transfer(member, reason, transfer)) {
          if (this.#owed.delete(member)) this.#listener.paid()
          return
        }
      } else if (fromItself) return
      else if (await this.#transferFromOthers(member, reason, transfer)) return
      else transfer = this.#newTransfer()
      await this.#pauses.pause(RETRY_DELAY_MS)
    }
  }

  /** Takes over what others have of a member's. Resolves to whether nothing is missing any more. */
  async #transferFromOthers(
    member: string,
    reason: TransferReason,
    transfer: Transfer,
  ): Promise<boolean> {
    const { positions, membership } = this.#components
    if (!this.#options.keepsAll) return this.#transferFromAll(member, reason)
    const source = this.#source()
    if (source === undefined || !(await this.#transfer(source, reason, transfer))) return false
    if (this.#owed.delete(source)) this.#listener.paid()
    // Somebody else's state may lack the same; what it does not lack may be news to others.
    if (positions.isBehind(member)) return false
    membership.remind(member)
    return true
  }

  /** Each of the others may have some of it, of the keys that it owns. What none of them has is lost. */
  async #transferFromAll(member: string, reason: TransferReason): Promise<boolean> {
    let complete = true
    for (const { id, status } of this.#others()) {
      if (status !== 'serving') continue
      complete = (await this.#transfer(id, reason, this.#newTransfer())) && complete
    }
    if (complete) this.#components.positions.giveUp(member)
    return complete
  }

  async #repair(source: string, reason: RepairReason): Promise<boolean> {
    const { antiEntropy, positions, membership } = this.#components
    const outcome = await antiEntropy.repair(source, reason)
    if (outcome === undefined) return false
    for (const position of outcome.positions) {
      if (position.member !== membership.id) positions.adopt(position)
    }
    return true
  }

  #newTransfer(): Transfer {
    return newTransfer(this.#options.partitions())
  }

  async #transfer(source: string, reason: TransferReason, transfer: Transfer): Promise<boolean> {
    const { transfers, runtime } = this.#components
    // Where both keep everything, what differs is all that is to be had.
    if (reason !== 'join' && this.#options.keepsAll) return this.#repair(source, reason)
    this.#listener.started(source, reason)
    let ok = true
    try {
      ok = await transfers.pull(source, transfer)
    } catch (error) {
      ok = false
      this.#failureCount++
      runtime.log.info(`taking over the state of ${source} broke off: ${(error as Error).message}`)
    }
    // Who has just begun holds nothing else.
    if (ok && reason === 'join') this.#components.agreements.inherit(transfer.moments, undefined)
    this.#listener.ended(source, transfer.appliedCount, ok)
    return ok
  }
}
