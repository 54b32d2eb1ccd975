/**
 * Failure detection: from evidence to suspicion to death.
 *
 * - Refusal, the strongest evidence but a leave: the connection closed, every known address answers a redial with
 *   "refused", and one other member finds the same (where there is another). A killed process is called dead this
 *   way within tens of milliseconds; a stalled one never is, because its kernel goes on answering.
 * - Silence: a phi accrual level (see core/phi.ts) above the threshold makes a member suspect; the suspicion
 *   time-out (see core/suspicion.ts) makes it dead, unless it is heard first.
 *
 * An observer that finds its own timer late has not been listening. It forgives everybody's silence, and convicts
 * nobody for a while.
 */
import { isLive, type Member } from '../core/members.js'
import { remainingSuspicionMs } from '../core/suspicion.js'
import type { Heartbeats } from './heartbeats.js'
import type { Membership, MembershipListener } from './membership.js'
import { Pauses } from './pauses.js'
import type { Runtime, Timer, Transport } from './ports.js'

/** How often everybody's silence is looked at, as a share of the heartbeat interval. */
const TICK_SHARE = 0.2

/** A timer later than this means that this process itself stood still, in ms. */
const STALL_MS = 500

/** How long after a stall of its own an observer convicts nobody, in ms. */
const AMNESTY_MS = 1_000

/** When a closed connection's addresses are probed, in ms after one another: a dying process may answer at first. */
const PROBE_DELAYS_MS = [0, 40, 120, 400]

/** How many others have to share a suspicion for the shortest time-out. */
const CONFIRMATIONS_WANTED = 2

export interface FailureDetectorComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly membership: Membership
  readonly heartbeats: Heartbeats
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
  /** By member: who found all its addresses refusing, this member included, and in which incarnation. */
  readonly #refusals = new Map<string, { readonly incarnation: number; readonly by: Set<string> }>()
  readonly #probing = new Set<string>()
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
    this.#schedule()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#pauses.end()
  }

  /** The last connection to a peer closed: a hint, and a reason to look. */
  disconnected(id: string): void {
    if (!this.#stopped) void this.#probe(id)
  }

  changed({ member }: { readonly member: Member }): void {
    if (member.state === 'suspect') return
    this.#suspicions.delete(member.id)
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

  suspicionReported(id: string, incarnation: number, reporter: string): void {
    this.#suspect(id, incarnation, reporter)
  }

  refusalReported(id: string, incarnation: number, reporter: string): void {
    this.#noteRefusal(id, incarnation, reporter)
    // See for ourselves; one voice convicts nobody.
    if (!this.#components.transport.isConnected(id)) void this.#probe(id)
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
    const { membership } = this.#components
    if (membership.list.get(id)?.incarnation !== incarnation) return
    let refusal = this.#refusals.get(id)
    if (refusal?.incarnation !== incarnation) {
      refusal = { incarnation, by: new Set() }
      this.#refusals.set(id, refusal)
    }
    refusal.by.add(witness)
    const witnessesThere = membership.others().filter((other) => other.id !== id).length
    const enough = refusal.by.size >= (witnessesThere > 0 ? 2 : 1)
    if (enough && refusal.by.has(membership.id)) this.#convict(id, incarnation)
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
    const { runtime, heartbeats } = this.#components
    const nowMs = runtime.clock.monotonicMs()
    if (lateMs > STALL_MS) {
      // While joining it is the start itself: code being loaded and compiled.
      const level = this.#components.membership.status === 'joining' ? 'debug' : 'warn'
      runtime.log[level](
        `this process stood still for ${Math.round(lateMs)} ms: nobody is called dead for the next ${AMNESTY_MS} ms`,
      )
      heartbeats.excuseAll()
      this.#amnestyUntilMs = nowMs + AMNESTY_MS
      this.#forgiveSuspects(nowMs)
    }
    if (nowMs < this.#amnestyUntilMs) return
    this.#lookForSilence()
    this.#lookForVerdicts(nowMs)
  }

  /** Restarts the time-outs of the suspects: they may have spoken while nobody listened here. */
  #forgiveSuspects(nowMs: number): void {
    for (const [id, suspicion] of this.#suspicions) {
      this.#suspicions.set(id, { ...suspicion, sinceMs: nowMs })
    }
  }

  #lookForSilence(): void {
    const { membership, heartbeats } = this.#components
    for (const { id, incarnation, state } of membership.others()) {
      if (state !== 'alive' || heartbeats.phi(id) < this.#options.suspicionPhi) continue
      this.#suspect(id, incarnation, membership.id)
      membership.announceState(id, incarnation, 'suspect')
    }
  }

  #lookForVerdicts(nowMs: number): void {
    const { suspicionMinMs, suspicionMaxMs } = this.#options
    for (const [id, { incarnation, sinceMs, accusers }] of this.#suspicions) {
      const leftMs = remainingSuspicionMs(nowMs - sinceMs, accusers.size - 1, {
        minMs: suspicionMinMs,
        maxMs: suspicionMaxMs,
        confirmationsWanted: Math.min(
          CONFIRMATIONS_WANTED,
          this.#components.membership.others().length - 1,
        ),
      })
      if (leftMs === 0) this.#convict(id, incarnation)
    }
  }
}
