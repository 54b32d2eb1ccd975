/**
 * Anti-entropy: when this member compares what it holds with what others do, and with whom (Demers et al., "Epidemic
 * Algorithms for Replicated Database Maintenance", 1987). Gossip may lose anything; this is what makes copies equal.
 *
 * Every few seconds with one of those that own something together with this member; at once with one that has just been
 * connected, and where something is known to be missing; and with all of them when the caller asks. What goes over the wire
 * keeps to a pace, so that writes and reads have the better part of the link.
 */
import { type Held, rootOf } from '../core/comparison.js'
import type { Horizon } from '../core/counted.js'
import { PARTITIONS } from '../core/ring.js'
import { formatVersion } from '../core/version.js'
import { SyncError } from '../errors.js'
import type { Answer, Ask } from '../protocol/messages.js'
import { Pace } from './pace.js'
import { Pauses } from './pauses.js'
import type { Runtime, Timer } from './ports.js'
import { RepairAnswers, type RepairComponents, recordOf } from './repair-answers.js'
import { RepairRound, type RoundOutcome } from './repair-round.js'
import type { RequestStreams } from './request-streams.js'

/** How long ago a value must have expired to be left out of account, in ms: clocks differ, and all sweep in their own time. */
const LAPSE_MS = 20_000

/** The horizon is the same for so long, in ms: members that compare soon after each other have the same. */
const HORIZON_STEP_MS = 10_000

/** How long after it lapsed a record counts at most, in ms, where members compare. */
export const HORIZON_LAG_MAX_MS = 60_000

/** Of so many rounds at intervals, one looks also into what is being written to. */
const THOROUGH_EVERY = 8

/** Rounds that this member has under way at once. */
const ROUNDS_MAX = 4

/** Passes over all co-owners until all are equal, at most, where the caller asks. */
const SYNC_PASSES_MAX = 3

/** Tries to bring about a round that somebody waits for, and the pause between two, in ms. */
const TRIES_MAX = 3
const RETRY_DELAY_MS = 250

/** Why there is a round: see the comment above; `sync`: the caller asked. */
export type RepairReason = 'interval' | 'given up' | 'connected' | 'met' | 'gap' | 'fetch' | 'sync'

export interface AntiEntropyComponents extends RepairComponents {
  readonly runtime: Runtime
  readonly requests: RequestStreams
}

export interface AntiEntropyOptions {
  readonly antiEntropyIntervalMs: number
  readonly repairBytesPerSecond: number
  readonly tombstoneGraceMs: number
}

/** What {@link AntiEntropy.sync} has done: with how many, and the records that took effect here and that were sent. */
export interface SyncOutcome {
  readonly memberCount: number
  readonly pulledCount: number
  readonly pushedCount: number
}

export interface AntiEntropyListener {
  /** A member holds something else. */
  started(member: string, reason: RepairReason): void
  /** A round that had found that has ended. @param entries records that took effect here */
  ended(member: string, entries: number, ok: boolean): void
}

export class AntiEntropy {
  readonly #components: AntiEntropyComponents
  readonly #options: AntiEntropyOptions
  readonly #listener: AntiEntropyListener
  readonly #answers: RepairAnswers
  readonly #pauses: Pauses
  readonly #pace: Pace
  /** Rounds under way, by member. */
  readonly #rounds = new Map<string, Promise<unknown>>()
  /** With whom there will be a round for having been reached. */
  readonly #reached = new Set<string>()
  #timer: Timer | undefined
  #ticks = 0
  #roundCount = 0
  #repairCount = 0
  #pulledCount = 0
  #pushedCount = 0
  #failureCount = 0
  #stopped = false

  constructor(
    components: AntiEntropyComponents,
    options: AntiEntropyOptions,
    listener: AntiEntropyListener,
  ) {
    const { runtime } = components
    this.#components = components
    this.#options = options
    this.#listener = listener
    this.#answers = new RepairAnswers(components)
    this.#pauses = new Pauses(runtime.scheduler)
    this.#pace = new Pace(runtime.clock, this.#pauses, options.repairBytesPerSecond)
  }

  start(): void {
    const { random, scheduler } = this.#components.runtime
    const delayMs = this.#options.antiEntropyIntervalMs * (0.75 + random.next() / 2)
    this.#timer = scheduler.after(delayMs, () => this.#tick())
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#pauses.end()
  }

  stats() {
    const { store } = this.#components
    return {
      repairRoundCount: this.#roundCount,
      repairCount: this.#repairCount,
      repairPulledCount: this.#pulledCount,
      repairPushedCount: this.#pushedCount,
      lossyPartitions: store.lossyCount,
    }
  }

  /** Rounds that broke off. */
  get failureCount(): number {
    return this.#failureCount
  }

  /** Answers another member's part of a round. */
  answer(
    from: string,
    ask: Extract<Ask, { kind: 'compare' | 'narrow' | 'list' | 'exchange' }>,
  ): Answer {
    switch (ask.kind) {
      case 'compare':
        return this.#answers.compare(from, ask)
      case 'narrow':
        return this.#answers.narrow(from, ask)
      case 'list':
        return this.#answers.list(from, ask)
      case 'exchange':
        return this.#answers.exchange(from, ask)
    }
  }

  /**
   * A round with a member in which also what may be under way is exchanged; tried again where it breaks off. Resolves to
   * how it went; undefined when there was none.
   */
  async repair(member: string, reason: RepairReason): Promise<RoundOutcome | undefined> {
    for (let tries = 1; !this.#stopped; tries++) {
      try {
        const outcome = await this.#round(member, reason)
        if (outcome !== undefined) return outcome
      } catch (error) {
        this.#log(member, error as Error)
      }
      if (tries === TRIES_MAX) break
      await this.#pauses.pause(RETRY_DELAY_MS)
    }
    return undefined
  }

  /** A member has been connected, or this one stood still: it may hold what never came here, or lack what went its way. */
  reached(member: string): void {
    if (this.#reached.has(member)) return
    if (!this.#components.compared.others().includes(member)) return
    this.#reached.add(member)
    this.#round(member, 'connected')
      .catch((error: Error) => this.#log(member, error))
      .finally(() => this.#reached.delete(member))
  }

  /** A member is gone. */
  gone(member: string): void {
    this.#components.compared.gone(member)
    this.#answers.gone(member)
  }

  /** What this member, for its part, compares with another one: each partition a 1 at its place. */
  comparedWith(member: string): Uint8Array {
    return this.#components.compared.offeredTo(member)
  }

  /** The root of some partitions, as of a horizon; undefined where it cannot be had. */
  rootOver(partitions: Uint8Array, horizon: Horizon): bigint | undefined {
    const { store, compared } = this.#components
    if (!store.advance(horizon) || !store.areDigestsSettled || !compared.isReady) return undefined
    const markers = store.markers.digest
    return rootOf(store.digests, { partitions, ring: compared.ring, markers })
  }

  /** What counts in that root, in order: for who holds digests against what they are of. */
  countedIn(partitions: Uint8Array): string {
    const { store } = this.#components
    const counted: string[] = []
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (partitions[partition] === 0 || store.digests.count(partition) === 0) continue
      for (const held of store.counted(partition)) {
        const { cache, key, version } = recordOf(held)
        counted.push(JSON.stringify([cache, key, formatVersion(version)]))
      }
    }
    const markers = store.markers
      .counted()
      .map(({ cache, tag, version }) => JSON.stringify([cache, tag, formatVersion(version)]))
    return [...counted.sort(), ...markers.sort()].join()
  }

  /**
   * Gives partitions up to a member that owns them, each as a 1 at its place: it takes in what it lacks of them.
   * @throws RequestError when it does not answer, or SyncError when it places keys by another ring
   */
  async giveUp(member: string, givenUp: Uint8Array): Promise<void> {
    const outcome = await this.#round(member, 'given up', givenUp)
    if (outcome === undefined) throw new SyncError([member], 1)
  }

  /**
   * Rounds with everybody with whom this member owns something, until all are equal: what one of them had, others may lack.
   * Resolves also when there is still news after some passes, as where writes go on. @throws SyncError naming those with whom
   * there was none
   */
  async sync(): Promise<SyncOutcome> {
    const total = { memberCount: 0, pulledCount: 0, pushedCount: 0 }
    for (let pass = 1; pass <= SYNC_PASSES_MAX; pass++) {
      const { memberCount, pulledCount, pushedCount } = await this.#syncOnce()
      total.memberCount = Math.max(total.memberCount, memberCount)
      total.pulledCount += pulledCount
      total.pushedCount += pushedCount
      if (pulledCount === 0) break
    }
    return total
  }

  async #syncOnce(): Promise<SyncOutcome> {
    const left = this.#components.compared.others()
    const memberCount = left.length
    const outcomes: RoundOutcome[] = []
    const failed: string[] = []
    const work = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const outcome = await this.repair(next, 'sync')
        if (outcome === undefined) failed.push(next)
        else outcomes.push(outcome)
      }
    }
    await Promise.all(Array.from({ length: ROUNDS_MAX }, work))
    if (failed.length > 0) throw new SyncError(failed, memberCount)
    const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0)
    return {
      memberCount,
      pulledCount: sum(outcomes.map(({ pulledCount }) => pulledCount)),
      pushedCount: sum(outcomes.map(({ pushedCount }) => pushedCount)),
    }
  }

  #tick(): void {
    const { compared, runtime, requests } = this.#components
    this.start()
    this.#ticks++
    this.#components.agreements.tidy()
    this.#answers.tidy((member) => compared.others().includes(member))
    if (this.#rounds.size >= ROUNDS_MAX) return
    const others = compared
      .others()
      .filter((id) => requests.isReachable(id) && !this.#rounds.has(id))
    const member = others[Math.floor(runtime.random.next() * others.length)]
    if (member === undefined) return
    this.#round(member, 'interval').catch((error: Error) => this.#log(member, error))
  }

  /** A round with a member: after the one that is under way, if there is one. Undefined where nothing could be compared. */
  async #round(
    member: string,
    reason: RepairReason,
    givenUp?: Uint8Array,
  ): Promise<RoundOutcome | undefined> {
    while (this.#rounds.has(member)) await this.#rounds.get(member)?.catch(() => {})
    let hasFound = false
    const round = new RepairRound(
      {
        ...this.#components,
        pace: (bytes) => this.#pace.take(bytes),
        isUnderWay: (record: Held) => this.#answers.isUnderWay(record),
        differs: () => {
          hasFound = true
          this.#listener.started(member, reason)
        },
      },
      member,
      {
        isUrgent: reason !== 'interval' && reason !== 'connected',
        isThorough: reason !== 'interval' || this.#ticks % THOROUGH_EVERY === 0,
        horizon: this.horizon(),
        ...(givenUp && { givenUp }),
      },
    )
    const work = round.run()
    this.#rounds.set(member, work)
    this.#roundCount++
    let outcome: RoundOutcome | undefined
    try {
      outcome = await work
      return outcome
    } finally {
      this.#rounds.delete(member)
      const { pulledCount, pushedCount } = round
      this.#pulledCount += pulledCount
      this.#pushedCount += pushedCount
      if (hasFound) this.#repairCount++
      if (hasFound) this.#listener.ended(member, pulledCount, outcome !== undefined)
    }
  }

  /** As of when members compare: what has lapsed before counts with nobody. */
  horizon(): Horizon {
    const { meshClock } = this.#components
    const steps = Math.floor((meshClock.strictNow() - LAPSE_MS) / HORIZON_STEP_MS)
    const valuesMs = Math.max(0, steps * HORIZON_STEP_MS)
    return { valuesMs, tombstonesMs: Math.max(0, valuesMs - this.#options.tombstoneGraceMs) }
  }

  #log(member: string, { message }: Error): void {
    if (this.#stopped) return
    this.#failureCount++
    this.#components.runtime.log.info(`a round of repair with ${member} broke off: ${message}`)
  }
}
