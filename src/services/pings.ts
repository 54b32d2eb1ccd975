/**
 * Pings: asks a member whether it lives, itself or through others, after SWIM (Das, Gupta, Motivala, 2002, section 3.1).
 *
 * An answer is a sign of life of this moment, whoever asked for it: who is asked on another's behalf asks the member itself,
 * and never answers from what it knows. One that cannot be reached from here, but from elsewhere, is in no trouble: the link is.
 */
import type { Answer, Ask, Vitals } from '../protocol/messages.js'
import type { Heartbeats } from './heartbeats.js'
import type { Membership } from './membership.js'
import type { RequestStreams } from './request-streams.js'

export interface PingsComponents {
  readonly membership: Membership
  readonly heartbeats: Heartbeats
  readonly requests: RequestStreams
}

export interface PingsOptions {
  /** How long one that is pinged for another may take, in ms. */
  readonly timeoutMs: number
}

type PingAnswer = Extract<Answer, { kind: 'ping' }>

export class Pings {
  readonly #components: PingsComponents
  readonly #options: PingsOptions

  constructor(components: PingsComponents, options: PingsOptions) {
    this.#components = components
    this.#options = options
  }

  /** Asks a member whether it lives. */
  async ping(id: string, timeoutMs: number): Promise<boolean> {
    return this.#note(id, await this.#ask(id, { kind: 'ping' }, timeoutMs))
  }

  /** Has another member ask. */
  async pingThrough(helper: string, id: string, timeoutMs: number): Promise<boolean> {
    return this.#note(id, await this.#ask(helper, { kind: 'ping', target: id }, timeoutMs))
  }

  /** Answers for this member, or for one that is pinged in the asker's stead. */
  async answer({ target }: Extract<Ask, { kind: 'ping' }>): Promise<PingAnswer> {
    const { membership, heartbeats } = this.#components
    if (target === undefined || target === membership.id) {
      return { kind: 'ping', vitals: heartbeats.vitals }
    }
    const { timeoutMs } = this.#options
    return { kind: 'ping', vitals: await this.#ask(target, { kind: 'ping' }, timeoutMs) }
  }

  async #ask(
    id: string,
    ask: Extract<Ask, { kind: 'ping' }>,
    timeoutMs: number,
  ): Promise<Vitals | undefined> {
    try {
      const { vitals } = await this.#components.requests.ask(id, ask, { timeoutMs, isProbe: true })
      return vitals
    } catch {
      // No answer is an answer here.
      return undefined
    }
  }

  #note(id: string, vitals: Vitals | undefined): boolean {
    if (vitals === undefined) return false
    this.#components.heartbeats.answered(id, vitals)
    return true
  }
}
