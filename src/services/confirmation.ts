/**
 * Confirmation: asks every other live member whether it has applied all that this one published so far, and waits
 * until it has. A member that lacks something answers when it has got it.
 */
import type { Positions } from '../core/positions.js'
import { NotConfirmedError } from '../errors.js'
import type { Counters, DropReason } from './counters.js'
import type { Membership } from './membership.js'
import { Pauses } from './pauses.js'
import type { Runtime } from './ports.js'
import type { Replication } from './replication.js'
import type { RequestStreams } from './request-streams.js'
import { withDeadline } from './requests.js'

/** How long one request may wait for its answer, in ms; the asker asks again. */
const ROUND_MS = 2_000

/** Pause before a request that failed is repeated, in ms. */
const RETRY_DELAY_MS = 100

/** Requests that wait for an answer here at most. */
const WAITERS_MAX = 1_024

export interface ConfirmationComponents {
  readonly runtime: Runtime
  readonly membership: Membership
  readonly positions: Positions
  readonly replication: Replication
  readonly requests: RequestStreams
  readonly drops: Counters<DropReason>
}

interface Waiter {
  readonly epoch: number
  readonly sequence: number
  readonly resolve: () => void
}

export class Confirmation {
  readonly #components: ConfirmationComponents
  readonly #waiters = new Map<string, Set<Waiter>>()
  readonly #pauses: Pauses
  #waiterCount = 0
  #stopped = false

  constructor(components: ConfirmationComponents) {
    this.#components = components
    this.#pauses = new Pauses(components.runtime.scheduler)
  }

  /** Whoever waits is told that there is no confirmation. */
  stop(): void {
    this.#stopped = true
    this.#pauses.end()
    for (const waiters of this.#waiters.values()) for (const { resolve } of waiters) resolve()
  }

  /**
   * Resolves when every live member, joining ones included, has applied all up to `sequence`. Members that die or leave
   * meanwhile are not waited for. @throws NotConfirmedError
   */
  async confirmed(epoch: number, sequence: number, timeoutMs: number): Promise<void> {
    const { membership, runtime } = this.#components
    if (sequence === 0) return
    const deadlineMs = runtime.clock.monotonicMs() + timeoutMs
    const asked = membership.others()
    const answers = await Promise.all(
      asked.map(async ({ id }) => ({
        id,
        ok: await this.#askUntil(id, epoch, sequence, deadlineMs),
      })),
    )
    const missing = answers.filter(({ ok }) => !ok).map(({ id }) => id)
    if (missing.length === 0) return
    const confirmed = answers.filter(({ ok }) => ok).map(({ id }) => id)
    throw new NotConfirmedError(confirmed, missing, timeoutMs)
  }

  /** Answers a member: whether all that it published up to `sequence` has been applied, as soon as it has. */
  async answer(
    member: string,
    { epoch, sequence }: { readonly epoch: number; readonly sequence: number },
  ): Promise<boolean> {
    const { positions, runtime, replication, drops } = this.#components
    replication.heard(member, epoch, sequence)
    if (positions.hasReached(member, epoch, sequence)) return true
    if (this.#waiterCount >= WAITERS_MAX) {
      drops.add('busy')
      return false
    }
    const waiters = this.#waiters.get(member) ?? new Set()
    this.#waiters.set(member, waiters)
    this.#waiterCount++
    let waiter: Waiter | undefined
    const reached = new Promise<void>((resolve) => {
      waiter = { epoch, sequence, resolve }
      waiters.add(waiter)
    })
    try {
      await withDeadline(runtime.scheduler, ROUND_MS / 2, reached).catch(() => {})
      return positions.hasReached(member, epoch, sequence)
    } finally {
      this.#waiterCount--
      waiters.delete(waiter as Waiter)
      if (waiters.size === 0) this.#waiters.delete(member)
    }
  }

  /** More of what a member published has been applied. */
  advanced(member: string): void {
    const { positions } = this.#components
    for (const { epoch, sequence, resolve } of this.#waiters.get(member) ?? []) {
      if (positions.hasReached(member, epoch, sequence)) resolve()
    }
  }

  /** Asks one member again and again. False when it did not confirm in time. */
  async #askUntil(
    id: string,
    epoch: number,
    sequence: number,
    deadlineMs: number,
  ): Promise<boolean> {
    const { membership, requests, runtime } = this.#components
    while (true) {
      const member = membership.list.get(id)
      if (member?.state !== 'alive' && member?.state !== 'suspect') return true
      const leftMs = deadlineMs - runtime.clock.monotonicMs()
      if (leftMs <= 0 || this.#stopped) return false
      try {
        const timeoutMs = Math.min(ROUND_MS, leftMs)
        const { applied } = await requests.ask(
          id,
          { kind: 'confirm', epoch, sequence },
          { timeoutMs },
        )
        if (applied) return true
      } catch {
        await this.#pauses.pause(Math.min(RETRY_DELAY_MS, leftMs))
      }
    }
  }
}
