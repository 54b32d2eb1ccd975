/**
 * The checker: watches a run from outside, through what peers tell, what callers read and what goes over the network,
 * and says which promise was broken. It knows nothing of how the workload or the faults came about.
 */
import type { MemberState, PeerEvents } from '../../../src/api.js'
import type { ResolvedOptions } from '../../../src/options.js'
import { topicsOf } from '../../../src/services/topics.js'
import { Losses } from '../../../src/testing/checker/losses.js'
import {
  parseVersion,
  printRecord,
  type Record,
  wins,
} from '../../../src/testing/checker/records.js'
import type { SimulatedProcess, Simulation } from '../../../src/testing/simulation.js'
import { AckRules, countedMembers } from './acks.js'
import { checkBounds, checkQueue, checkStats, checkStopped } from './bounds.js'
import { ConvergenceRules } from './convergence.js'
import { checkMeaning, differing } from './digests.js'
import { Disturbances } from './disturbances.js'
import { JoinerRules } from './joiners.js'
import { MembershipRules } from './membership.js'
import { checkPlacement, hasNoHints, isOwner, isSettled } from './placement.js'
import { keeps, Sessions } from './sessions.js'
import { StalenessRules } from './staleness.js'
import { Violations } from './violations.js'
import { WriteLog } from './write-log.js'

/** A clock that is further off than this may refuse what others write, in ms. */
const CLOCK_TRUSTED_MS = 500

/** Queues with more room than this are never full here: not to ask spares time. */
const QUEUE_WATCHED_MAX = 1_000

/** One in so many looks is at all figures, too: to ask for them takes longer than to read all keys. */
const STATS_LOOKS = 8

/** Of so many looks, one compares digests with what they are of. */
const DIGEST_LOOKS = 8

const STATES: readonly MemberState[] = ['alive', 'suspect', 'dead', 'left']

export class Checker {
  readonly log = new WriteLog()
  readonly violations: Violations
  readonly sessions: Sessions
  readonly disturbances: Disturbances
  readonly membership: MembershipRules
  readonly joiners: JoinerRules
  readonly acks: AckRules
  readonly staleness: StalenessRules
  readonly losses = new Losses()
  readonly #simulation: Simulation
  readonly #convergence: ConvergenceRules
  readonly #caches: readonly string[]
  readonly #opsTopic: string
  /** The deletes and clears of a message that has some, which is one object however many receive it. */
  readonly #deleted = new WeakMap<Uint8Array, readonly Record[]>()
  readonly #options: ResolvedOptions
  #clockErrorMs = 0
  #lookCount = 0
  #haveDigestsMet = false

  /** @param caches every cache that callers use */
  constructor(simulation: Simulation, options: ResolvedOptions, caches: readonly string[]) {
    this.#simulation = simulation
    this.#options = options
    this.#caches = caches
    this.#opsTopic = topicsOf(options.mesh).ops
    const nowMs = () => simulation.time.monotonicMs()
    const now = () => simulation.time.now()
    const mayEvict = this.#mayEvict
    const { log } = this
    this.violations = new Violations(nowMs)
    const { violations } = this
    this.disturbances = new Disturbances(simulation)
    const clockErrorMs = () => this.#clockErrorMs
    const { replicas } = options
    const isFullCopy = replicas === 'all'
    this.sessions = new Sessions({ log, violations, now, clockErrorMs, mayEvict, isFullCopy })
    const { sessions, disturbances, losses } = this
    this.membership = new MembershipRules({ simulation, disturbances, violations, losses })
    this.joiners = new JoinerRules({ simulation, sessions })
    this.acks = new AckRules({
      simulation,
      sessions,
      log,
      violations,
      mayEvict,
      replicas,
      losses,
    })
    this.staleness = new StalenessRules({ simulation, log, violations })
    this.#convergence = new ConvergenceRules({ log, sessions, violations, now, mayEvict, replicas })
  }

  /** A process is about to start: listens to all that it will tell. */
  watch(process: SimulatedProcess): void {
    const { peer } = process
    for (const state of STATES) {
      const event = `member:${state}` as `member:${MemberState}` & keyof PeerEvents
      peer.on(event, (member) => this.membership.told(process, { ...member, state }))
    }
    for (const name of this.#caches) {
      const cache = peer.cache(name)
      cache.on('set', ({ key, version }) => this.sessions.set(process, name, key, version))
      cache.on('delete', ({ key, version }) => this.sessions.deleted(process, name, key, version))
      cache.on('clear', ({ version }) => this.sessions.deleted(process, name, undefined, version))
      cache.on('invalidate', ({ tag, version }) =>
        this.sessions.invalidated(process, name, tag, version),
      )
    }
    this.disturbances.shakes(process)
    this.disturbances.linksChanged()
    this.#noteClock(process)
    this.joiners.watch(process)
    peer.on('alert', ({ code }) => {
      // It has given up what it had issued in the future, and goes on from the present.
      if (code === 'clock-ahead') this.sessions.beginsAnew(process.id)
      // Nobody could tell it how far the clock of its earlier life had come.
      if (code !== 'serving-alone') return
      this.sessions.beginsAnew(process.id)
      this.losses.disagree()
    })
    this.acks.lifeChanges()
  }

  /** A process ends. */
  ends(process: SimulatedProcess): void {
    this.acks.lifeChanges()
    if (!isOwner(process)) return
    this.losses.loses()
    this.sessions.ends(process)
    // It may have been the last that had something: what others have of it is older, and now the latest there is.
    this.staleness.forget()
  }

  /** A message leaves its author. */
  published(author: string, topic: string, bytes: Uint8Array): void {
    if (topic !== this.#opsTopic) return
    const process = this.#running(author)
    if (process !== undefined) this.#checkQueue(process)
    const records = this.log.published(author, bytes)
    const deleted = records.filter((record) => record.deleted)
    if (deleted.length > 0) this.#deleted.set(bytes, deleted)
    for (const record of records) {
      this.sessions.published(record)
      if (record.deleted && !this.log.takeDelete(author, record)) {
        this.violations.add(
          'phantom',
          `${author} published ${printRecord(record)} of ${record.cache}/${record.key ?? ''}: nobody asked for it`,
        )
      }
      if (process !== undefined) this.sessions.publishes(process, record)
    }
  }

  /**
   * A message reaches a process: what it deletes there stays deleted. Of sets the process tells itself, when they take
   * effect.
   */
  delivered(to: string, author: string, topic: string, bytes: Uint8Array): void {
    const process = this.#running(to)
    if (process === undefined) return
    this.sessions.noteRing(process)
    if (topic !== this.#opsTopic) return
    const deleted = this.#deleted.get(bytes)
    if (deleted === undefined || !this.#takesFrom(process, author)) return
    for (const record of deleted) {
      if (this.#isBelieved(process, record)) this.sessions.holds(process, record)
    }
  }

  /** Reads every key at every process, and looks at the bounds. */
  look(): void {
    this.membership.look()
    const isStatsLook = this.#lookCount++ % STATS_LOOKS === 0
    for (const process of this.#simulation.running()) this.#noteClock(process)
    if (!this.#isFullCopy) this.#lookAtOwners()
    if (this.#lookCount % DIGEST_LOOKS === 0 && !this.#mayEvict) {
      checkMeaning(this.#simulation.running(), this.violations)
    }
    const nowMs = this.#simulation.time.monotonicMs()
    for (const process of this.#simulation.running()) {
      if (process.time.isStalled) continue
      checkBounds(process, this.#options, this.violations)
      if (isStatsLook) checkStats(process, this.violations)
      const caches = new Map(this.#caches.map((name) => [name, process.peer.cache<string>(name)]))
      for (const at of this.log.keys) {
        const value = caches.get(at.cache)?.peek(at.key)
        this.sessions.read(process, at, value)
        this.staleness.read(process, at, value, nowMs)
      }
    }
  }

  get #mayEvict(): boolean {
    return Number.isFinite(this.#options.maxItems)
  }

  get #isFullCopy(): boolean {
    return this.#options.replicas === 'all'
  }

  #lookAtOwners(): void {
    if (isSettled(this.#simulation)) {
      this.losses.settled()
      this.staleness.look()
    } else this.staleness.forget()
  }

  /** How wrong clocks have been: what expires may go that much too soon or too late. */
  #noteClock({ time }: SimulatedProcess): void {
    const errorMs = Math.abs(time.now() - this.#simulation.time.now())
    this.#clockErrorMs = Math.max(this.#clockErrorMs, errorMs)
  }

  /** Whether all is at rest: nobody would see a difference any more. */
  isAtRest(): boolean {
    const isQuiet = this.#isQuiet()
    // Once digests have met, nobody is waited for any more while all is quiet: in the end they are looked at again.
    this.#haveDigestsMet = isQuiet && (this.#haveDigestsMet || this.#areDigestsEqual())
    return this.#haveDigestsMet
  }

  #areDigestsEqual(): boolean {
    return this.#mayEvict || differing(this.#simulation.running()).next().done === true
  }

  #isQuiet(): boolean {
    const simulation = this.#simulation
    if (!simulation.isSettled()) return false
    if (simulation.running().some(({ time }) => time.isStalled)) return false
    if (simulation.running().some(({ peer }) => peer.pending.syncQueueSize > 0)) return false
    if (!this.#isFullCopy && !(isSettled(simulation) && hasNoHints(simulation))) return false
    if (this.#mayEvict) return true
    return this.#convergence.areEqual(simulation.running())
  }

  /** After heal and quiet. */
  checkAtRest(): void {
    this.look()
    this.membership.checkAgreement()
    const running = this.#simulation.running()
    for (const process of running) checkStats(process, this.violations)
    this.#convergence.check(running)
    if (!this.#mayEvict) {
      for (const what of differing(running)) this.violations.add('digest', what)
    }
    if (!this.#isFullCopy) checkPlacement(this.#simulation, this.violations)
  }

  /** Whether there are owners enough for a quorum: where all keep everything, of all that are known, the dead included. */
  get hasQuorum(): boolean {
    const { replicas } = this.#options
    const running = this.#simulation.running()
    const known = replicas === 'all' ? Math.max(...running.map(countedMembers)) : replicas
    return running.filter(isOwner).length >= Math.floor(known / 2) + 1
  }

  /** After that: every member reads at quorum what the owners have, whose copies are equal by now, and what was acknowledged. */
  async readAtRest(): Promise<void> {
    for (const process of this.#simulation.running()) {
      for (const name of this.#caches) {
        const keys = this.log.keys.filter(({ cache }) => cache === name).map(({ key }) => key)
        if (keys.length === 0) continue
        const read = process.peer.cache<string>(name).getMany(keys, { consistency: 'quorum' })
        try {
          const values = await this.#simulation.settled(read)
          this.acks.readAtRest(process, name, values)
          if (!this.#mayEvict) this.#checkOwnersHave(process, name, keys, values)
        } catch (error) {
          const why = (error as Error).message
          this.violations.add('available', `${process.id} cannot read at quorum at rest: ${why}`)
        }
      }
    }
  }

  /** A read at quorum shows what each owner holds now. What is over in a moment may show or not. */
  #checkOwnersHave(
    process: SimulatedProcess,
    cache: string,
    keys: readonly string[],
    values: ReadonlyMap<string, string>,
  ): void {
    const owners = this.#simulation.running().filter(isOwner)
    for (const key of keys) {
      const value = values.get(key)
      for (const owner of owners) {
        if (!keeps(owner, cache, key)) continue
        const held = owner.peer.cache<string>(cache).peek(key)
        if (held === value || this.#isBrief(held ?? value)) continue
        const what = `${process.id} reads ${cache}/${key} = ${value ?? 'nothing'} at quorum at rest`
        this.violations.add(
          'ack',
          `${what}, and ${owner.id}, which owns it, has ${held ?? 'nothing'}`,
        )
      }
    }
  }

  #isBrief(value: string | undefined): boolean {
    return value !== undefined && (this.log.written(value)?.ttlMs ?? 0) > 0
  }

  /** Whether entries may go for want of room. */
  get mayEvict(): boolean {
    return this.#mayEvict
  }

  stopped(process: SimulatedProcess): void {
    checkStopped(process, this.violations)
    this.#checkPublished(process)
  }

  /** What is queued is published before a process stops. */
  #checkPublished(process: SimulatedProcess): void {
    const published = new Set(this.log.by(process.id).map(({ version }) => version))
    for (const record of this.sessions.floors(process).snapshot()) {
      const { member } = parseVersion(record.version)
      if (member !== process.id || published.has(record.version)) continue
      // What an earlier life gave to others, and was killed before it published, comes back from them.
      if (this.#wasOfEarlierLife(process, record)) continue
      const what = `${process.id} has stopped, and never published ${printRecord(record)}`
      this.violations.add('outcome', what)
    }
  }

  #wasOfEarlierLife({ id, number }: SimulatedProcess, record: Record): boolean {
    const lives = this.#simulation.processes.filter((other) => other.id === id)
    return lives.some((life) => {
      if (life.number >= number) return false
      const floor = this.sessions.floors(life).of(record.cache, record.key ?? '')
      return floor !== undefined && !wins(record, floor)
    })
  }

  /** At its longest a queue is when a batch leaves it; a second later all is out. */
  #checkQueue(process: SimulatedProcess): void {
    if (this.#options.syncQueueMax > QUEUE_WATCHED_MAX) return
    checkQueue(process, this.#options, this.violations)
  }

  #running(id: string): SimulatedProcess | undefined {
    return this.#simulation.running().find((process) => process.id === id)
  }

  /** Whether a process takes messages of that author: it has been introduced. */
  #takesFrom({ peer }: SimulatedProcess, author: string): boolean {
    return peer.members.some(({ id }) => id === author)
  }

  #isBelieved({ time }: SimulatedProcess, { version }: Record): boolean {
    const aheadMs = parseVersion(version).wallMs - time.now()
    return aheadMs < CLOCK_TRUSTED_MS
  }
}
