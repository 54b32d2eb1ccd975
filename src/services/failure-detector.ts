/**
 * Failure detection: from evidence to suspicion to death. Strongest evidence first, but for a leave:
 *
 * - Refusal: nobody listens any more where the member did; see refusals.ts.
 * - Silence: a phi accrual level (see core/phi.ts) above the threshold, while pings go unanswered (see reach.ts). It makes a
 *   member suspect; the suspicion time-out (see core/suspicion.ts) makes it dead, unless it is heard first.
 * - Hearsay: others say that it is dead, or has left. It is believed where it has no answer to two pings, a while apart.
 *
 * An observer that stood still has not been listening (see own-health.ts): it forgives everybody's silence.
 */
import { isLive, type Member } from '../core/members.js'
import { remainingSuspicionMs } from '../core/suspicion.js'
import type { Heartbeats } from './heartbeats.js'
import type { Membership, MembershipListener } from './membership.js'
import { AMNESTY_MS, OwnHealth } from './own-health.js'
import { Pauses } from './pauses.js'
import type { Pings } from './pings.js'
import type { LoopMonitor, Runtime, Timer, Transport } from './ports.js'
import { Reach } from './reach.js'
import { Refusals } from './refusals.js'

/** How often everybody's silence is looked at, as a share of the heartbeat interval. */
const TICK_SHARE = 0.2

/** How long one that others call dead, and that does not answer, has to connect here, in ms. */
const HEARSAY_PATIENCE_MS = 250

/** How many others have to share a suspicion for the shortest time-out. */
const CONFIRMATIONS_WANTED = 2

/** At which share of the threshold a silent member is asked, so that its answer, or none, is there when it is needed. */
const DOUBT_SHARE = 0.375

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
  /** Who suspects it, and since when, by the monotonic clock: the first one first. */
  readonly accusers: Map<string, number>
}

export class FailureDetector implements MembershipListener {
  readonly #components: FailureDetectorComponents
  readonly #options: FailureDetectorOptions
  readonly #onStall: () => void
  readonly #suspicions = new Map<string, Suspicion>()
  /** Members that have left, as others say, and in which incarnation: whether they answer is being looked into. */
  readonly #leaving = new Map<string, number>()
  readonly #health: OwnHealth
  readonly #reach: Reach
  readonly #refusals: Refusals
  readonly #pauses: Pauses
  #timer: Timer | undefined
  #stopped = false

  /** @param onStall this process stood still, and has not heard what others said meanwhile */
  constructor(
    components: FailureDetectorComponents,
    options: FailureDetectorOptions,
    onStall: () => void,
  ) {
    const { runtime, membership } = components
    const { heartbeatIntervalMs } = options
    this.#components = components
    this.#options = options
    this.#onStall = onStall
    this.#pauses = new Pauses(runtime.scheduler)
    const lookIntervalMs = heartbeatIntervalMs * TICK_SHARE
    this.#health = new OwnHealth(components, heartbeatIntervalMs, lookIntervalMs)
    this.#reach = new Reach({ ...components, health: this.#health }, heartbeatIntervalMs)
    this.#refusals = new Refusals(
      { ...components, reach: this.#reach, health: this.#health },
      {
        found: (id, incarnation) => {
          membership.announceState(id, incarnation, 'suspect', true)
          this.#suspect(id, incarnation, membership.id)
        },
        proven: (id, incarnation) => this.#convict(id, incarnation),
      },
    )
    membership.addListener(this)
  }

  start(): void {
    this.#health.start()
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#health.stop()
    this.#timer?.cancel()
    this.#refusals.stop()
    this.#pauses.end()
  }

  stats() {
    return this.#health.stats()
  }

  /** The last connection to a peer closed: a hint, and a reason to look. */
  disconnected(id: string): void {
    this.#refusals.disconnected(id)
  }

  changed({ member }: { readonly member: Member }): void {
    if (member.state === 'suspect') return
    this.#suspicions.delete(member.id)
    this.#reach.changed(member.id)
    this.#refusals.changed(member)
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
    this.#health.worse()
  }

  endReported(id: string, incarnation: number, state: 'dead' | 'left'): void {
    void this.#verify(id, incarnation, state)
  }

  suspicionReported(id: string, incarnation: number, reporter: string): void {
    this.#suspect(id, incarnation, reporter)
  }

  refusalReported(id: string, incarnation: number, reporter: string): void {
    this.#refusals.reported(id, incarnation, reporter)
  }

  /**
   * Others say that a member is dead, or has left: so it is, unless it answers here, at once or after a while, or is heard meanwhile. The
   * news may be old, and this member may have stood still, and have lost its connections, and not know it yet.
   */
  async #verify(id: string, incarnation: number, state: 'dead' | 'left'): Promise<void> {
    if (state === 'left') this.#leaving.set(id, incarnation)
    await this.#learnUnlessHeard(id, incarnation, state)
    if (this.#leaving.get(id) === incarnation) this.#leaving.delete(id)
  }

  async #learnUnlessHeard(id: string, incarnation: number, state: 'dead' | 'left'): Promise<void> {
    const { membership, heartbeats, runtime } = this.#components
    const beganAtMs = runtime.clock.monotonicMs()
    const isOpen = () => {
      const member = membership.list.get(id)
      const isThere = member?.incarnation === incarnation && isLive(member)
      return !this.#stopped && isThere && (heartbeats.heardAtMs(id) ?? beganAtMs) <= beganAtMs
    }
    if (!isOpen() || (await this.#reach.answers(id))) return
    await this.#pauses.pause(HEARSAY_PATIENCE_MS)
    const { amnestyMs } = this.#health
    if (amnestyMs > 0) await this.#pauses.pause(amnestyMs)
    if (!isOpen() || (await this.#reach.answers(id)) || !isOpen()) return
    membership.learn({ id, incarnation, state })
  }

  #suspect(id: string, incarnation: number, accuser: string): void {
    const { membership, runtime } = this.#components
    const member = membership.list.get(id)
    if (member === undefined || !isLive(member) || member.incarnation !== incarnation) return
    let suspicion = this.#suspicions.get(id)
    if (suspicion?.incarnation !== incarnation) {
      suspicion = { incarnation, accusers: new Map() }
      this.#suspicions.set(id, suspicion)
      membership.learn({ id, incarnation, state: 'suspect' })
    }
    const { accusers } = suspicion
    if (!accusers.has(accuser)) accusers.set(accuser, runtime.clock.monotonicMs())
  }

  /** A member is dead; or has left, if that is what others say, and was being looked into. */
  #convict(id: string, incarnation: number): void {
    const { membership } = this.#components
    const accusers = this.#suspicions.get(id)?.accusers
    this.#suspicions.delete(id)
    if (this.#leaving.get(id) === incarnation) {
      membership.learn({ id, incarnation, state: 'left' })
      return
    }
    if (!membership.learn({ id, incarnation, state: 'dead' })) return
    // Who goes by what others say has nothing to add; all who found it themselves would say the same.
    if (accusers?.has(membership.id) && membership.isTeller(accusers.size)) {
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
    const stallMs = this.#health.look(lateMs)
    if (stallMs > 0) this.#stoodStill(stallMs)
    if (this.#health.amnestyMs > 0) return
    this.#lookForSilence()
    this.#lookForVerdicts()
  }

  #stoodStill(stallMs: number): void {
    const { runtime, heartbeats, membership } = this.#components
    // While joining it is the start itself: code being loaded and compiled.
    const level = membership.status === 'joining' ? 'debug' : 'warn'
    runtime.log[level](
      `this process stood still for ${Math.round(stallMs)} ms: nobody is called dead for the next ${AMNESTY_MS} ms`,
    )
    heartbeats.excuseAll()
    this.#reach.forgive()
    this.#forgiveSuspects(runtime.clock.monotonicMs())
    this.#onStall()
  }

  /** Restarts the time-outs of the suspects: they may have spoken while nobody listened here. */
  #forgiveSuspects(nowMs: number): void {
    for (const { accusers } of this.#suspicions.values()) {
      for (const accuser of accusers.keys()) accusers.set(accuser, nowMs)
    }
  }

  #lookForSilence(): void {
    const { membership, heartbeats } = this.#components
    const { suspicionPhi } = this.#options
    for (const { id, incarnation, state } of membership.others()) {
      const phi = heartbeats.phi(id)
      if (state === 'alive' && phi < suspicionPhi * DOUBT_SHARE) continue
      const isUnanswered = this.#reach.wentUnanswered(id)
      // A suspect is asked again and again: it may have been away.
      if (!isUnanswered || state === 'suspect') void this.#reach.doubt(id)
      const isAccusedByUs = this.#suspicions.get(id)?.accusers.has(membership.id) === true
      if (isUnanswered && phi >= suspicionPhi && !isAccusedByUs) {
        this.#suspect(id, incarnation, membership.id)
        membership.announceState(id, incarnation, 'suspect')
      }
    }
  }

  #lookForVerdicts(): void {
    const { multiplier } = this.#health
    const nowMs = this.#components.runtime.clock.monotonicMs()
    const { suspicionMinMs, suspicionMaxMs } = this.#options
    for (const [id, { incarnation, accusers }] of this.#suspicions) {
      const elapsedMs = [...accusers.values()].map((sinceMs) => nowMs - sinceMs)
      const leftMs = remainingSuspicionMs(elapsedMs, {
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
