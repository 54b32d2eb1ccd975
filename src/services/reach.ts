/**
 * Whether a member can be reached: pings, this member's own and those that others send in its stead, one at a time to each.
 *
 * A member that answers others and not this one is in no trouble: the link is, or this member.
 */
import { isLive } from '../core/members.js'
import type { Heartbeats } from './heartbeats.js'
import type { Membership } from './membership.js'
import type { OwnHealth } from './own-health.js'
import type { Pings } from './pings.js'
import type { Runtime, Transport } from './ports.js'

/** How long an answer to a ping may take, and one to a ping in this member's stead, as shares of the heartbeat interval. */
export const PING_SHARE = 0.25
const INDIRECT_PING_SHARE = 0.5

/** How many others are asked to ping one that does not answer. SWIM's k. */
const HELPERS = 3

export interface ReachComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly membership: Membership
  readonly heartbeats: Heartbeats
  readonly pings: Pings
  readonly health: OwnHealth
}

export class Reach {
  readonly #components: ReachComponents
  readonly #heartbeatIntervalMs: number
  /** Who is being pinged, and about whom others are being asked. */
  readonly #pinged = new Map<string, Promise<boolean>>()
  readonly #doubted = new Set<string>()
  /** Who was pinged in vain, and when; and who is connected, and answers others alone. */
  readonly #unanswered = new Map<string, number>()
  readonly #reachedByOthersAlone = new Set<string>()

  constructor(components: ReachComponents, heartbeatIntervalMs: number) {
    this.#components = components
    this.#heartbeatIntervalMs = heartbeatIntervalMs
  }

  /** Asks a silent member whether it lives, then has others ask; see {@link wentUnanswered}. */
  async doubt(id: string): Promise<void> {
    if (this.#doubted.has(id)) return
    this.#doubted.add(id)
    try {
      const { membership, runtime, transport, health } = this.#components
      const isConnected = transport.isConnected(id)
      const beganAtMs = runtime.clock.monotonicMs()
      if (await this.answers(id)) this.#reachedByOthersAlone.delete(id)
      else if (!(await this.answersOthers(id))) {
        const member = membership.list.get(id)
        if (member !== undefined && isLive(member)) this.#unanswered.set(id, beganAtMs)
      } else if (isConnected && !this.#reachedByOthersAlone.has(id)) {
        // Once for each such link: one that is broken for long says nothing more of this member.
        this.#reachedByOthersAlone.add(id)
        health.worse()
      }
    } finally {
      this.#doubted.delete(id)
    }
  }

  /** Whether a member was pinged in vain, by this one and others, and has not been heard since. */
  wentUnanswered(id: string): boolean {
    const atMs = this.#unanswered.get(id)
    if (atMs === undefined) return false
    return (this.#components.heartbeats.heardAtMs(id) ?? atMs) <= atMs
  }

  /** Whether a member answers a ping; one at a time to each. */
  answers(id: string): Promise<boolean> {
    const { transport, pings } = this.#components
    if (!transport.isConnected(id)) return Promise.resolve(false)
    let answer = this.#pinged.get(id)
    if (answer === undefined) {
      answer = pings.ping(id, this.#timeoutMs(PING_SHARE)).finally(() => this.#pinged.delete(id))
      this.#pinged.set(id, answer)
    }
    return answer
  }

  /** Whether any of a few others gets an answer from a member. @param except those who are known to get none */
  async answersOthers(id: string, except: ReadonlySet<string> = new Set()): Promise<boolean> {
    const timeoutMs = this.#timeoutMs(INDIRECT_PING_SHARE)
    const found = await Promise.all(
      this.#helpersFor(id, except).map((helper) =>
        this.#components.pings.pingThrough(helper, id, timeoutMs),
      ),
    )
    return found.includes(true)
  }

  /** A member has been heard, or is gone: that it did not answer before says nothing any more. */
  changed(id: string): void {
    this.#unanswered.delete(id)
    const member = this.#components.membership.list.get(id)
    if (member === undefined || !isLive(member)) this.#reachedByOthersAlone.delete(id)
  }

  /** This member stood still: who did not answer it may have. */
  forgive(): void {
    this.#unanswered.clear()
  }

  /** Some of those that this member can ask, by lot. */
  #helpersFor(id: string, except: ReadonlySet<string>): string[] {
    const { membership, runtime, transport } = this.#components
    const able = membership
      .others()
      .filter(
        (other) =>
          other.id !== id &&
          other.state === 'alive' &&
          transport.isConnected(other.id) &&
          !except.has(other.id),
      )
    const helpers: string[] = []
    while (helpers.length < HELPERS && able.length > 0) {
      const [helper] = able.splice(Math.floor(runtime.random.next() * able.length), 1)
      if (helper !== undefined) helpers.push(helper.id)
    }
    return helpers
  }

  /** How long an answer is waited for: longer where this member itself is in trouble. */
  #timeoutMs(share: number): number {
    return this.#heartbeatIntervalMs * share * this.#components.health.multiplier
  }
}
