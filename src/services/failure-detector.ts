/**
 * Failure detection: from evidence to suspicion to death. Strongest evidence first, but for a leave:
 *
 * - Refusal: the connection closed, every known address answers a redial with "refused", and most other members find the
 *   same; or one other does, and nobody who is asked reaches it. A killed process is called dead this way within tens of
 *   milliseconds; a stalled one never is, because its kernel goes on answering.
 * - Silence: a phi accrual level (see core/phi.ts) above the threshold, while pings go unanswered, this member's own and
 *   those that others sent in its stead. It makes a member suspect; the suspicion time-out (see core/suspicion.ts) makes it
 *   dead, unless it is heard first.
 * - Hearsay: others have called it dead. It is believed where this member has heard nothing lately, is not connected to it,
 *   or has no answer to a ping.
 *
 * An observer that finds its own event loop late has not been listening. It forgives everybody's silence, and convicts nobody
 * for a while. One in lesser trouble gives all others more time (see core/local-health.ts).
 */
import { LocalHealth } from '../core/local-health.js'
import { isLive, type Member } from '../core/members.js'
import { remainingSuspicionMs } from '../core/suspicion.js'
import type { Heartbeats } from './heartbeats.js'
import type { Membership, MembershipListener } from './membership.js'
import { Pauses } from './pauses.js'
import type { Pings } from './pings.js'
import type { LoopMonitor, Runtime, Timer, Transport } from './ports.js'

/** How often everybody's silence is looked at, as a share of the heartbeat interval. */
const TICK_SHARE = 0.2

/** An event loop later than this means that this process itself stood still, in ms. */
const STALL_MS = 500

/** One later than this, that it is in trouble, in ms. */
const LATE_MS = 150

/** How long after a stall of its own an observer convicts nobody, in ms. */
const AMNESTY_MS = 1_000

/** When a closed connection's addresses are probed, in ms after one another: a dying process may answer at first. */
const PROBE_DELAYS_MS = [0, 40, 120, 400]

/** How long it is waited for most others to find refused what two have, before any is asked, in ms. */
const REFUSAL_PATIENCE_MS = 100

/** How long one that others call dead, and that does not answer, has to connect here, in ms. */
const HEARSAY_PATIENCE_MS = 250

/** How many others have to share a suspicion for the shortest time-out. */
const CONFIRMATIONS_WANTED = 2

/** At which share of the threshold a silent member is asked, so that its answer, or none, is there when it is needed. */
const DOUBT_SHARE = 0.375

/** How long an answer to a ping may take, and one to a ping in this member's stead, as shares of the heartbeat interval. */
export const PING_SHARE = 0.25
const INDIRECT_PING_SHARE = 0.5

/** How many others are asked to ping one that does not answer. SWIM's k. */
const HELPERS = 3

export interface FailureDetectorComponents {
  readonly runtime: Runtime
  readonly loop: LoopMonitor
  readonly transport: Transport
  readonly membership: Membership
  readonly heartbeats: Heartbeats
  readonly pings: Pings
}

export interface FailureDetectorOptions {
  readonly heartbeatIntervalMs: number
  readonly suspicionPhi: number
  readonly suspicionMinMs: number
  readonly suspicionMaxMs: number
}

/** A member under suspicion. */
interface Suspicion {
  readonly incarnation: number
  readonly sinceMs: number
  readonly accusers: Set<string>
}

export class FailureDetector implements MembershipListener {
  readonly #components: FailureDetectorComponents
  readonly #options: FailureDetectorOptions
  readonly #suspicions = new Map<string, Suspicion>()
  /** By member: who found all its addresses refusing, this member included, in which incarnation, and whether others were asked. */
  readonly #refusals = new Map<
    string,
    { readonly incarnation: number; readonly by: Set<string>; isChecked: boolean }
  >()
  readonly #probing = new Set<string>()
  /** Who is being pinged, and about whom others are being asked. */
  readonly #pinged = new Map<string, Promise<boolean>>()
  readonly #doubted = new Set<string>()
  /** Who was pinged in vain, and when; and who is connected, and answers others alone. */
  readonly #unanswered = new Map<string, number>()
  readonly #reachedByOthersAlone = new Set<string>()
  readonly #health = new LocalHealth()
  #stallCount = 0
  /** The last look found that this process had stood still. */
  #hasStalled = false
  /** When all has gone well for long enough to trust this member a little more. */
  #betterAtMs = 0
  readonly #pauses: Pauses
  #amnestyUntilMs = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #stopped = false

  constructor(components: FailureDetectorComponents, options: FailureDetectorOptions) {
    this.#components = components
    this.#options = options
    this.#pauses = new Pauses(components.runtime.scheduler)
    components.membership.addListener(this)
  }

  start(): void {
    this.#components.loop.start()
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#components.loop.stop()
    this.#timer?.cancel()
    this.#pauses.end()
  }

  stats() {
    return { healthScore: this.#health.multiplier - 1, stallCount: this.#stallCount }
  }

  /** The last connection to a peer closed: a hint, and a reason to look. */
  disconnected(id: string): void {
    if (!this.#stopped) void this.#probe(id)
  }

  changed({ member }: { readonly member: Member }): void {
    if (member.state === 'suspect') return
    this.#suspicions.delete(member.id)
    this.#unanswered.delete(member.id)
    if (!isLive(member)) this.#reachedByOthersAlone.delete(member.id)
    const refusal = this.#refusals.get(member.id)
    if (refusal !== undefined && (!isLive(member) || refusal.incarnation < member.incarnation)) {
      this.#refusals.delete(member.id)
    }
    if (isLive(member) && member.id !== this.#components.membership.id) {
      this.#components.heartbeats.expect(member.id)
    }
  }

  viewChanged(): void {}

  positionReported(): void {}

  selfChanged(): void {}

  calledDead(): void {}

  deathOfSelfReported(): void {}

  refuted(): void {
    this.#worse()
  }

  deathReported(id: string, incarnation: number): void {
    void this.#verify(id, incarnation)
  }

  suspicionReported(id: string, incarnation: number, reporter: string): void {
    this.#suspect(id, incarnation, reporter)
  }

  refusalReported(id: string, incarnation: number, reporter: string): void {
    this.#noteRefusal(id, incarnation, reporter)
    // See for ourselves; one voice convicts nobody.
    if (!this.#components.transport.isConnected(id)) void this.#probe(id)
  }

  /**
   * Others say that a member is dead: so it is, unless it answers here, at once or after a while, or is heard meanwhile. The
   * news may be old, and this member may have stood still, and have lost its connections, and not know it yet.
   */
  async #verify(id: string, incarnation: number): Promise<void> {
    const { membership, heartbeats, runtime } = this.#components
    const beganAtMs = runtime.clock.monotonicMs()
    const isOpen = () => {
      const member = membership.list.get(id)
      const isThere = member?.incarnation === incarnation && isLive(member)
      return !this.#stopped && isThere && (heartbeats.heardAtMs(id) ?? beganAtMs) <= beganAtMs
    }
    if (!isOpen() || (await this.#answers(id))) return
    await this.#pauses.pause(HEARSAY_PATIENCE_MS)
    const amnestyMs = this.#amnestyUntilMs - runtime.clock.monotonicMs()
    if (amnestyMs > 0) await this.#pauses.pause(amnestyMs)
    if (!isOpen() || (await this.#answers(id)) || !isOpen()) return
    membership.learn({ id, incarnation, state: 'dead' })
  }

  /** Asks a silent member whether it lives, then has others ask. */
  async #doubt(id: string): Promise<void> {
    if (this.#doubted.has(id)) return
    this.#doubted.add(id)
    try {
      const { membership, runtime, transport } = this.#components
      const isConnected = transport.isConnected(id)
      const beganAtMs = runtime.clock.monotonicMs()
      if (await this.#answers(id)) this.#reachedByOthersAlone.delete(id)
      else if (!(await this.#isReachedByOthers(id))) {
        if (membership.list.get(id) !== undefined) this.#unanswered.set(id, beganAtMs)
      } else if (isConnected && !this.#reachedByOthersAlone.has(id)) {
        // Once for each such link: one that is broken for long says nothing more of this member.
        this.#reachedByOthersAlone.add(id)
        this.#worse()
      }
    } finally {
      this.#doubted.delete(id)
    }
  }

  /** Whether a member answers a ping; one at a time to each. */
  #answers(id: string): Promise<boolean> {
    const { transport, pings } = this.#components
    if (!transport.isConnected(id)) return Promise.resolve(false)
    let answer = this.#pinged.get(id)
    if (answer === undefined) {
      answer = pings.ping(id, this.#pingMs(PING_SHARE)).finally(() => this.#pinged.delete(id))
      this.#pinged.set(id, answer)
    }
    return answer
  }

  /** Whether any of a few others gets an answer from a member. */
  async #isReachedByOthers(id: string): Promise<boolean> {
    const timeoutMs = this.#pingMs(INDIRECT_PING_SHARE)
    const found = await Promise.all(
      this.#helpersFor(id).map((helper) =>
        this.#components.pings.pingThrough(helper, id, timeoutMs),
      ),
    )
    return found.includes(true)
  }

  /** Some of those that this member can ask, by lot. */
  #helpersFor(id: string): string[] {
    const { membership, runtime, transport } = this.#components
    const able = membership
      .others()
      .filter(
        (other) => other.id !== id && other.state === 'alive' && transport.isConnected(other.id),
      )
    const helpers: string[] = []
    while (helpers.length < HELPERS && able.length > 0) {
      const [helper] = able.splice(Math.floor(runtime.random.next() * able.length), 1)
      if (helper !== undefined) helpers.push(helper.id)
    }
    return helpers
  }

  /** How long an answer is waited for: longer where this member itself is in trouble. */
  #pingMs(share: number): number {
    return this.#options.heartbeatIntervalMs * share * this.#health.multiplier
  }

  #worse(): void {
    const { clock } = this.#components.runtime
    this.#health.worse()
    this.#betterAtMs = clock.monotonicMs() + this.#options.heartbeatIntervalMs
  }

  /** Knocks at every address of a disconnected member, some times over, until somebody answers or all refuse. */
  async #probe(id: string): Promise<void> {
    if (this.#probing.has(id)) return
    this.#probing.add(id)
    try {
      for (const delayMs of PROBE_DELAYS_MS) {
        await this.#pauses.pause(delayMs)
        const member = this.#components.membership.list.get(id)
        if (this.#stopped || member === undefined || !isLive(member)) return
        if (this.#components.transport.isConnected(id)) return
        if (await this.#allRefuse(member)) {
          this.#foundRefusing(member)
          return
        }
      }
    } finally {
      this.#probing.delete(id)
    }
  }

  async #allRefuse({ addresses }: Member): Promise<boolean> {
    const { transport } = this.#components
    const answers = await Promise.all(addresses.map((address) => transport.probe(address)))
    return answers.length > 0 && answers.every((answer) => answer === 'refused')
  }

  #foundRefusing({ id, incarnation }: Member): void {
    const { membership, transport } = this.#components
    const current = membership.list.get(id)
    // It may have come back while we knocked.
    if (current?.incarnation !== incarnation || transport.isConnected(id)) return
    membership.announceState(id, incarnation, 'suspect', true)
    this.#suspect(id, incarnation, membership.id)
    this.#noteRefusal(id, incarnation, membership.id)
  }

  #noteRefusal(id: string, incarnation: number, witness: string): void {
    const { membership, transport } = this.#components
    if (membership.list.get(id)?.incarnation !== incarnation) return
    let refusal = this.#refusals.get(id)
    if (refusal?.incarnation !== incarnation) {
      refusal = { incarnation, by: new Set(), isChecked: false }
      this.#refusals.set(id, refusal)
    }
    refusal.by.add(witness)
    if (!refusal.by.has(membership.id)) return
    // This member is one that could tell, and the accused is none.
    const witnessesThere = membership.others().length
    // It may have dialled us meanwhile, though it cannot be dialled.
    if (transport.isConnected(id)) return
    if (refusal.by.size * 2 > witnessesThere) this.#convict(id, incarnation)
    else if (refusal.by.size > 1 && !refusal.isChecked) {
      refusal.isChecked = true
      void this.#convictUnlessReached(id, incarnation)
    }
  }

  /**
   * All its addresses refuse two of us, and not most: it is dead, unless it is only we who are refused, as by a firewall. Most
   * of the others may be about to say the same, which is sooner than to ask.
   */
  async #convictUnlessReached(id: string, incarnation: number): Promise<void> {
    await this.#pauses.pause(REFUSAL_PATIENCE_MS)
    const { membership, transport } = this.#components
    const isStillSo = () => {
      const member = membership.list.get(id)
      const isThere = member?.incarnation === incarnation && member.state === 'suspect'
      return !this.#stopped && isThere && !transport.isConnected(id)
    }
    const isReached = isStillSo() && (await this.#isReachedByOthers(id))
    if (!isReached && isStillSo()) this.#convict(id, incarnation)
    // It may be refused again, and then for good.
    else if (this.#refusals.get(id)?.incarnation === incarnation) this.#refusals.delete(id)
  }

  #suspect(id: string, incarnation: number, accuser: string): void {
    const { membership, runtime } = this.#components
    const member = membership.list.get(id)
    if (member === undefined || !isLive(member) || member.incarnation !== incarnation) return
    let suspicion = this.#suspicions.get(id)
    if (suspicion?.incarnation !== incarnation) {
      suspicion = { incarnation, sinceMs: runtime.clock.monotonicMs(), accusers: new Set() }
      this.#suspicions.set(id, suspicion)
      membership.learn({ id, incarnation, state: 'suspect' })
    }
    suspicion.accusers.add(accuser)
  }

  #convict(id: string, incarnation: number): void {
    const { membership } = this.#components
    this.#suspicions.delete(id)
    if (membership.learn({ id, incarnation, state: 'dead' })) {
      membership.announceState(id, incarnation, 'dead')
    }
  }

  #schedule(): void {
    const { clock, scheduler } = this.#components.runtime
    const tickMs = this.#options.heartbeatIntervalMs * TICK_SHARE
    const dueAtMs = clock.monotonicMs() + tickMs
    this.#timer = scheduler.after(tickMs, () => {
      this.#tick(clock.monotonicMs() - dueAtMs)
      this.#schedule()
    })
  }

  #tick(lateMs: number): void {
    const { runtime, loop } = this.#components
    const nowMs = runtime.clock.monotonicMs()
    const loopMs = loop.takeWorstMs()
    // A stall that the timer told of is told of by the loop's monitor a little later.
    const worstMs = Math.max(lateMs, this.#hasStalled ? 0 : loopMs)
    this.#hasStalled = lateMs > STALL_MS
    if (worstMs > STALL_MS) this.#stoodStill(worstMs, nowMs)
    if (worstMs > LATE_MS) this.#worse()
    else if (nowMs >= this.#betterAtMs) {
      this.#health.better()
      this.#betterAtMs = nowMs + this.#options.heartbeatIntervalMs
    }
    if (nowMs < this.#amnestyUntilMs) return
    this.#lookForSilence()
    this.#lookForVerdicts(nowMs)
  }

  #stoodStill(stallMs: number, nowMs: number): void {
    const { runtime, heartbeats, membership } = this.#components
    // While joining it is the start itself: code being loaded and compiled.
    const level = membership.status === 'joining' ? 'debug' : 'warn'
    runtime.log[level](
      `this process stood still for ${Math.round(stallMs)} ms: nobody is called dead for the next ${AMNESTY_MS} ms`,
    )
    this.#stallCount++
    heartbeats.excuseAll()
    this.#unanswered.clear()
    this.#amnestyUntilMs = nowMs + AMNESTY_MS
    this.#forgiveSuspects(nowMs)
  }

  /** Restarts the time-outs of the suspects: they may have spoken while nobody listened here. */
  #forgiveSuspects(nowMs: number): void {
    for (const [id, suspicion] of this.#suspicions) {
      this.#suspicions.set(id, { ...suspicion, sinceMs: nowMs })
    }
  }

  #lookForSilence(): void {
    const { membership, heartbeats } = this.#components
    const { suspicionPhi } = this.#options
    for (const { id, incarnation, state } of membership.others()) {
      const phi = heartbeats.phi(id)
      if (state === 'alive' && phi < suspicionPhi * DOUBT_SHARE) continue
      const isUnanswered = this.#wentUnanswered(id)
      // A suspect is asked again and again: it may have been away.
      if (!isUnanswered || state === 'suspect') void this.#doubt(id)
      const isAccusedByUs = this.#suspicions.get(id)?.accusers.has(membership.id) === true
      if (isUnanswered && phi >= suspicionPhi && !isAccusedByUs) {
        this.#suspect(id, incarnation, membership.id)
        membership.announceState(id, incarnation, 'suspect')
      }
    }
  }

  /** Whether a member was pinged in vain, and has not been heard since. */
  #wentUnanswered(id: string): boolean {
    const { heartbeats } = this.#components
    const atMs = this.#unanswered.get(id)
    if (atMs === undefined) return false
    return (heartbeats.heardAtMs(id) ?? atMs) <= atMs
  }

  #lookForVerdicts(nowMs: number): void {
    const { multiplier } = this.#health
    const { suspicionMinMs, suspicionMaxMs } = this.#options
    for (const [id, { incarnation, sinceMs, accusers }] of this.#suspicions) {
      const leftMs = remainingSuspicionMs(nowMs - sinceMs, accusers.size - 1, {
        minMs: suspicionMinMs * multiplier,
        maxMs: suspicionMaxMs * multiplier,
        confirmationsWanted: Math.min(
          CONFIRMATIONS_WANTED,
          this.#components.membership.others().length - 1,
        ),
      })
      if (leftMs === 0) this.#convict(id, incarnation)
    }
  }
}
