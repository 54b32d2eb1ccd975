/**
 * Membership: what this member says of itself, and what it believes of the others.
 *
 * All news, from whichever source, passes through `learn`: it settles what is newer, refutes what is wrong about
 * this member itself, and tells whoever listens. What others should hear goes out on the members topic.
 */
import {
  isLive,
  isOnRing,
  type Member,
  type MemberDescription,
  MemberList,
  type MemberRole,
  type MemberState,
  type MemberStatus,
  type Transition,
} from '../core/members.js'
import type { ProtocolError } from '../protocol/checks.js'
import { membersNewsCodec } from '../protocol/codec.js'
import type { MemberNews, MemberReport } from '../protocol/messages.js'
import type { Counters, DropReason } from './counters.js'
import type { Runtime, Timer, Transport } from './ports.js'

/** How long dead and left members are remembered, in ms. */
const GONE_RETENTION_MS = 24 * 3_600_000

/** Dead and left members remembered, as a multiple of the live ones, and how many at least. */
const GONE_FACTOR_MAX = 4
const GONE_MIN = 64

/** How often those gone for too long are forgotten, in ms. */
const PRUNE_INTERVAL_MS = 10_000

/** Shortest time between two reminders that a member is gone, in ms. */
const REMINDER_INTERVAL_MS = 1_000

/** How many, about, of all who know something say so: enough that it is heard, and no more the larger the mesh is. */
const TELLERS = 5

export interface MembershipComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly drops: Counters<DropReason>
}

export interface MembershipOptions {
  readonly name: string
  readonly topic: string
  readonly role: MemberRole
}

/** How far a member's batches have been taken in. */
export interface OpsPosition {
  readonly epoch: number
  readonly sequence: number
}

/** What membership tells others. */
export interface MembershipListener {
  /** A member's state changed, or a member is new. */
  changed(transition: Transition): void
  /** A member came onto the ring or left it: it is live and serves, or no longer. */
  viewChanged(): void
  /** Another member suspects one because every address refused; the accused is not this member. */
  refusalReported(id: string, incarnation: number, reporter: string): void
  /** Another member suspects one; the accused is not this member. */
  suspicionReported(id: string, incarnation: number, reporter: string): void
  /** Another member says that one is dead, or has left, of which nothing fresh is known here, and which is not this member. */
  endReported(id: string, incarnation: number, state: 'dead' | 'left'): void
  /** Others suspect this member, or took it to be dead, in vain: something is wrong with it, or with its links. */
  refuted(): void
  /** Another member tells how far it has taken in what a gone member published. */
  positionReported(id: string, epoch: number, sequence: number): void
  /** Others have taken this member to be dead, and gone on without it; it is about to say that it is not. */
  calledDead(): void
  /** Another member says so, of an incarnation of this life or of an earlier one; it may have said so before. */
  deathOfSelfReported(incarnation: number, reporter: string): void
  /** This member's incarnation or status changed: say so soon. */
  selfChanged(): void
}

export class Membership {
  readonly list: MemberList
  readonly #components: MembershipComponents
  readonly #options: MembershipOptions
  readonly #listeners: MembershipListener[] = []
  readonly #remindedAtMs = new Map<string, number>()
  /** Whether a member gave fresh signs of life; set by the failure detector. */
  #isFresh: (id: string) => boolean = () => false
  /** How far a member's batches have been taken in; set by whoever counts them. */
  #positionOf: (id: string) => OpsPosition = () => ({ epoch: 0, sequence: 0 })
  #incarnation: number
  /** See {@link MemberDescription}: at first all lives before this one. */
  #outlived: number
  #status: MemberStatus = 'joining'
  #left = false
  #pruneTimer: Timer | undefined

  constructor(components: MembershipComponents, options: MembershipOptions) {
    this.#components = components
    this.#options = options
    this.#incarnation = Math.floor(components.runtime.clock.now())
    this.#outlived = this.#incarnation - 1
    this.list = new MemberList({
      goneRetentionMs: GONE_RETENTION_MS,
      goneFactorMax: GONE_FACTOR_MAX,
      goneMin: GONE_MIN,
    })
  }

  /** Adds this member to the list; its addresses are known by now. */
  start(): void {
    this.#putSelf()
    this.#prune()
  }

  stop(): void {
    this.#pruneTimer?.cancel()
  }

  addListener(listener: MembershipListener): void {
    this.#listeners.push(listener)
  }

  judgeFreshnessBy(isFresh: (id: string) => boolean): void {
    this.#isFresh = isFresh
  }

  countPositionsBy(positionOf: (id: string) => OpsPosition): void {
    this.#positionOf = positionOf
  }

  get id(): string {
    return this.#components.transport.id
  }

  get incarnation(): number {
    return this.#incarnation
  }

  get status(): MemberStatus {
    return this.#status
  }

  /** What this member says of itself. */
  self(): MemberDescription {
    return {
      id: this.id,
      name: this.#options.name,
      incarnation: this.#incarnation,
      outlived: this.#outlived,
      status: this.#status,
      role: this.#options.role,
      addresses: this.#components.transport.addresses,
    }
  }

  /** Live members other than this one. */
  others(): Member[] {
    return this.list.live().filter(({ id }) => id !== this.id)
  }

  /** Everybody this member knows but itself, for a hello. */
  reports(): MemberReport[] {
    return this.list.all().filter(({ id }) => id !== this.id)
  }

  setStatus(status: MemberStatus): void {
    if (this.#status === status) return
    this.#status = status
    this.#putSelf()
    this.#tell((listener) => listener.selfChanged())
  }

  /** Raises the incarnation above one that was heard of an earlier run of this identity, or in a rumour. */
  outrank(incarnation: number): void {
    // One that has said goodbye does not come back.
    if (this.#left || incarnation < this.#incarnation) return
    this.#incarnation = incarnation + 1
    this.#putSelf()
    this.#tell((listener) => listener.selfChanged())
  }

  /**
   * A member said hello, or greeted us back: it is alive, whatever was heard before, unless what was heard is of
   * the same incarnation and says it is gone; then it learns of that from our hello and comes back with a higher one.
   */
  welcome(description: MemberDescription, reports: readonly MemberReport[]): void {
    this.learn({ ...description, state: 'alive' }, description)
    this.describe(description)
    for (const report of reports) {
      if (report.id === this.id) {
        // Somebody remembers this identity: come after whatever it was.
        if (!isLive(report)) {
          this.#tell((listener) => listener.deathOfSelfReported(report.incarnation, description.id))
          this.#outlive(report.incarnation)
        }
        this.outrank(
          report.incarnation > this.#incarnation || !isLive(report) ? report.incarnation : -1,
        )
      } else {
        this.#hearReport(report)
      }
    }
  }

  /** What one that said hello knows of another. */
  #hearReport(report: MemberReport): void {
    const { id, incarnation } = report
    // A rumour of a suspicion is no evidence here; the member itself will be heard, or not. Nor is one of the
    // death of somebody who is heard well: it will refute.
    const state = report.state === 'suspect' ? 'alive' : report.state
    if (state !== 'alive' && this.#isFresh(id)) return
    if (state === 'alive' || !this.#isThere(id, incarnation)) {
      this.learn({ ...report, state }, report)
    } else {
      this.#tell((listener) => listener.endReported(id, incarnation, state))
    }
  }

  /** Whether a member is live here in an incarnation. */
  #isThere(id: string, incarnation: number): boolean {
    const known = this.list.get(id)
    return known?.incarnation === incarnation && isLive(known)
  }

  /** Takes what a member says of itself: its status and addresses. */
  describe(description: MemberDescription): void {
    this.#change(description.id, () => {
      this.list.describe(description)
      return undefined
    })
  }

  /** Takes in news of another member. Returns true when it changed something here. */
  learn(
    news: { readonly id: string; readonly incarnation: number; readonly state: MemberState },
    description?: MemberDescription,
  ): boolean {
    return this.#change(news.id, (nowMs) => this.list.apply(news, nowMs, description))
  }

  /** Drops a suspicion because the member was heard itself. */
  vindicate(id: string): void {
    this.#change(id, (nowMs) => this.list.vindicate(id, nowMs))
  }

  /**
   * Says once more that a member is gone: it still speaks, and should hear that it has to come back; or others lack what
   * it published and this member has.
   */
  remind(id: string): void {
    const member = this.list.get(id)
    if (member === undefined || isLive(member)) return
    const nowMs = this.#components.runtime.clock.monotonicMs()
    if (nowMs - (this.#remindedAtMs.get(id) ?? Number.NEGATIVE_INFINITY) < REMINDER_INTERVAL_MS)
      return
    this.#remindedAtMs.set(id, nowMs)
    this.announceState(id, member.incarnation, member.state)
  }

  /** Says on the members topic that this member leaves. It says nothing more afterwards. */
  async leave(): Promise<void> {
    this.#left = true
    await this.#publish([this.#newsOf(this.id, this.#incarnation, 'left')])
  }

  /** Forgets a gone member here and everywhere. False when it is live or unknown. */
  forget(id: string): boolean {
    const member = this.list.get(id)
    if (member === undefined || !this.#forgetHere(id)) return false
    void this.#publish([this.#newsOf(id, member.incarnation, 'forgotten')])
    return true
  }

  #forgetHere(id: string): boolean {
    this.#remindedAtMs.delete(id)
    return this.list.forget(id)
  }

  /** Tells the others. What gets lost, hellos and repeated suspicions make up for. */
  announce(news: readonly MemberNews[]): void {
    if (!this.#left) void this.#publish(news)
  }

  /** Tells the others of a member that is new here. */
  introduce(id: string): void {
    const member = this.list.get(id)
    if (member !== undefined && isLive(member)) this.announceState(id, member.incarnation, 'alive')
  }

  /** Tells the others what this member has just decided about another. */
  announceState(id: string, incarnation: number, state: MemberState, refused = false): void {
    this.announce([{ ...this.#newsOf(id, incarnation, state), refused }])
  }

  /** Messages of the members topic. */
  receive(author: string, bytes: Uint8Array): void {
    let news: readonly MemberNews[]
    try {
      news = membersNewsCodec.decode(bytes)
    } catch (error) {
      this.#components.drops.add((error as ProtocolError).reason)
      return
    }
    if (this.list.get(author) === undefined) {
      this.#components.drops.add('unknown author')
      return
    }
    for (const item of news) this.#hear(author, item)
  }

  #hear(author: string, news: MemberNews): void {
    const { id, incarnation, state } = news
    if (id === this.id) {
      if (state === 'dead') {
        this.#tell((listener) => listener.deathOfSelfReported(incarnation, author))
      }
      if (state !== 'alive' && state !== 'forgotten') this.#refute(incarnation, state)
    } else if (state === 'forgotten') {
      const known = this.list.get(id)
      if (known !== undefined && known.incarnation <= incarnation) this.#forgetHere(id)
    } else if (state === 'left') {
      this.#hearLeave(author, news)
    } else if (state === 'alive') {
      this.learn({ id, incarnation, state }, news.member)
    } else if (this.list.get(id)?.incarnation === incarnation) {
      this.#hearAccusation(author, news, state)
    }
  }

  /** A leave is valid from the member itself; retold, only of one that does not answer, though it was heard a moment ago. */
  #hearLeave(author: string, news: MemberNews): void {
    const { id, incarnation, member } = news
    const isRetold = author !== id
    if (isRetold && this.#isThere(id, incarnation)) {
      this.#tell((listener) => listener.endReported(id, incarnation, 'left'))
    } else this.learn({ id, incarnation, state: 'left' }, member)
    this.#hearPosition(news)
  }

  #hearAccusation(author: string, news: MemberNews, state: 'suspect' | 'dead'): void {
    const { id, incarnation, refused } = news
    if (refused) this.#tell((listener) => listener.refusalReported(id, incarnation, author))
    if (state === 'dead') this.#hearPosition(news)
    // Whoever says that has not heard it take its leave.
    if (this.list.get(id)?.state === 'left') {
      if (this.isTeller(this.others().length)) this.remind(id)
      return
    }
    // One that is heard well here is in trouble with the accuser only; it will refute.
    if (this.#isFresh(id)) return
    if (state === 'dead') this.#tell((listener) => listener.endReported(id, incarnation, state))
    else this.#tell((listener) => listener.suspicionReported(id, incarnation, author))
  }

  /** Whether this member is one of those, by lot, who tell what so many know. */
  isTeller(knowing: number): boolean {
    return knowing <= TELLERS || this.#components.runtime.random.next() * knowing < TELLERS
  }

  /** What a gone member published is now for the others to pass on: who has more of it than others says so. */
  #hearPosition({ id, opsEpoch, opsSequence }: MemberNews): void {
    this.#tell((listener) => listener.positionReported(id, opsEpoch, opsSequence))
  }

  #refute(incarnation: number, state: MemberState): void {
    if (this.#left) return
    const isNews = state !== 'suspect' && this.#outlive(incarnation)
    if (incarnation < this.#incarnation && !isNews) return
    this.outrank(incarnation)
    this.#tell((listener) => listener.refuted())
    this.announce([this.#newsOf(this.id, this.#incarnation, 'alive')])
  }

  /**
   * Others have taken this member to be dead in an incarnation of this life, perhaps not the last one: what it missed
   * meanwhile is to be made up for. False where that is known.
   */
  #outlive(incarnation: number): boolean {
    if (this.#left || incarnation <= this.#outlived) return false
    this.#outlived = incarnation
    this.outrank(incarnation)
    // Whoever is joining takes over everything anyway.
    if (this.#status !== 'joining') this.#tell((listener) => listener.calledDead())
    this.#putSelf()
    this.#tell((listener) => listener.selfChanged())
    return true
  }

  #newsOf(id: string, incarnation: number, state: MemberNews['state']): MemberNews {
    const member = id === this.id ? this.self() : this.list.get(id)
    const { epoch, sequence } = this.#positionOf(id)
    return {
      id,
      incarnation,
      state,
      refused: false,
      opsEpoch: epoch,
      opsSequence: sequence,
      ...(member && { member }),
    }
  }

  async #publish(news: readonly MemberNews[]): Promise<void> {
    const { transport, runtime } = this.#components
    try {
      await transport.publish(this.#options.topic, membersNewsCodec.encode(news))
    } catch (error) {
      runtime.log.debug(`news of members could not be published: ${(error as Error).message}`)
    }
  }

  #putSelf(): void {
    const self = this.self()
    this.learn({ ...self, state: 'alive' }, self)
    this.describe(self)
  }

  /** Changes the list in one member's place, and tells what came of it. */
  #change(id: string, change: (nowMs: number) => Transition | undefined): boolean {
    const wasOnRing = this.#isOnRing(id)
    const transition = change(this.#components.runtime.clock.monotonicMs())
    if (transition !== undefined) this.#tell((listener) => listener.changed(transition))
    if (wasOnRing !== this.#isOnRing(id)) this.#tell((listener) => listener.viewChanged())
    return transition !== undefined
  }

  #isOnRing(id: string): boolean {
    const member = this.list.get(id)
    return member !== undefined && isOnRing(member)
  }

  #tell(call: (listener: MembershipListener) => void): void {
    for (const listener of this.#listeners) call(listener)
  }

  #prune(): void {
    const { clock, scheduler } = this.#components.runtime
    for (const id of this.list.prune(clock.monotonicMs())) this.#remindedAtMs.delete(id)
    this.#pruneTimer = scheduler.after(PRUNE_INTERVAL_MS, () => this.#prune())
  }
}
