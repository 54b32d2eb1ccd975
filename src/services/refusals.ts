/**
 * Refusals: the strongest evidence of a death but for a leave.
 *
 * The connection closed, and every known address answers a redial with "refused". When all other members find the same, the
 * member is dead; or when one other does, and none of those who do not reaches it. A killed process is found dead this way
 * within tens of milliseconds; a stalled one never is, because its kernel goes on answering.
 */
import { isLive, type Member } from '../core/members.js'
import type { Membership } from './membership.js'
import type { OwnHealth } from './own-health.js'
import { Pauses } from './pauses.js'
import type { Runtime, Transport } from './ports.js'
import type { Reach } from './reach.js'

/** When a closed connection's addresses are probed, in ms after one another: a dying process may answer at first. */
const PROBE_DELAYS_MS = [0, 40, 120, 400]

/** How long it is waited for all others to find refused what two have, before any is asked, in ms. */
const REFUSAL_PATIENCE_MS = 100

/** A refusal that is older says nothing any more, in ms: whoever was found dead by it would be. */
const REFUSAL_AGE_MAX_MS = 5_000

export interface RefusalsComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly membership: Membership
  readonly reach: Reach
  readonly health: OwnHealth
}

export interface RefusalsListener {
  /** This member found all addresses of another refusing: the others should look as well. */
  found(id: string, incarnation: number): void
  /** Enough members did, and nobody reaches it: it is dead. */
  proven(id: string, incarnation: number): void
}

/** Who found all addresses of a member refusing, this member included, and whether others were asked to reach it. */
interface Refusal {
  readonly incarnation: number
  readonly sinceMs: number
  readonly by: Set<string>
  isChecked: boolean
}

export class Refusals {
  readonly #components: RefusalsComponents
  readonly #listener: RefusalsListener
  readonly #refusals = new Map<string, Refusal>()
  readonly #probing = new Set<string>()
  readonly #pauses: Pauses
  #stopped = false

  constructor(components: RefusalsComponents, listener: RefusalsListener) {
    this.#components = components
    this.#listener = listener
    this.#pauses = new Pauses(components.runtime.scheduler)
  }

  stop(): void {
    this.#stopped = true
    this.#pauses.end()
  }

  /** The last connection to a member closed: a hint, and a reason to look. */
  disconnected(id: string): void {
    if (!this.#stopped) void this.#probe(id)
  }

  /** Another member found a member's addresses refusing. */
  reported(id: string, incarnation: number, reporter: string): void {
    this.#note(id, incarnation, reporter)
    const { transport, membership } = this.#components
    // Who has told what it found has no more to say: two would answer each other without end.
    const hasLooked = this.#refusals.get(id)?.by.has(membership.id)
    // See for ourselves; one voice convicts nobody.
    if (!hasLooked && !transport.isConnected(id)) void this.#probe(id)
  }

  /** A member has been heard, or is gone. */
  changed(member: Member): void {
    const refusal = this.#refusals.get(member.id)
    if (refusal !== undefined && (!isLive(member) || refusal.incarnation < member.incarnation)) {
      this.#refusals.delete(member.id)
    }
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
          this.#found(member)
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

  #found({ id, incarnation }: Member): void {
    const { membership, transport } = this.#components
    const current = membership.list.get(id)
    // It may have come back while we knocked, or have said that it leaves.
    if (current?.incarnation !== incarnation || !isLive(current)) return
    if (transport.isConnected(id)) return
    this.#listener.found(id, incarnation)
    this.#note(id, incarnation, membership.id)
  }

  #note(id: string, incarnation: number, witness: string): void {
    const { membership, transport } = this.#components
    const member = membership.list.get(id)
    if (member?.incarnation !== incarnation || !isLive(member)) return
    const refusal = this.#refusalOf(id, incarnation)
    refusal.by.add(witness)
    if (!refusal.by.has(membership.id)) return
    // It may have dialled us meanwhile, though it cannot be dialled.
    if (transport.isConnected(id)) return
    // A suspect can tell as little as the accused: it may have been killed as well.
    const others = membership.others()
    const witnesses = others.filter(({ state }) => state === 'alive')
    const isAgreed = witnesses.every((one) => refusal.by.has(one.id))
    const isShared = refusal.by.size > 1
    if (isAgreed && (isShared || others.length === 1)) this.#listener.proven(id, incarnation)
    else if (isShared && !refusal.isChecked) {
      refusal.isChecked = true
      void this.#proveUnlessReached(id, incarnation)
    }
  }

  /** Who found a member refusing of late. */
  #refusalOf(id: string, incarnation: number): Refusal {
    const nowMs = this.#components.runtime.clock.monotonicMs()
    const known = this.#refusals.get(id)
    const isOld = known !== undefined && nowMs - known.sinceMs > REFUSAL_AGE_MAX_MS
    if (known?.incarnation === incarnation && !isOld) return known
    const refusal = { incarnation, sinceMs: nowMs, by: new Set<string>(), isChecked: false }
    this.#refusals.set(id, refusal)
    return refusal
  }

  /**
   * All its addresses refuse two of us, and not all: it is dead, unless it is only we who are refused, as by a firewall. The
   * others may be about to say the same, which is sooner than to ask.
   */
  async #proveUnlessReached(id: string, incarnation: number): Promise<void> {
    const { membership, transport, reach, health } = this.#components
    const isStillSo = () => {
      const member = membership.list.get(id)
      const isThere = member?.incarnation === incarnation && member.state === 'suspect'
      return !this.#stopped && isThere && !transport.isConnected(id)
    }
    let isReached = false
    do {
      await this.#pauses.pause(Math.max(REFUSAL_PATIENCE_MS, health.amnestyMs))
      isReached = isStillSo() && (await reach.answersOthers(id, this.#refusals.get(id)?.by))
      // One that stood still meanwhile has not heard the answers.
    } while (!isReached && isStillSo() && health.amnestyMs > 0)
    if (!isReached && isStillSo()) this.#listener.proven(id, incarnation)
    // It may be refused again, and then for good.
    else if (this.#refusals.get(id)?.incarnation === incarnation) this.#refusals.delete(id)
  }
}
