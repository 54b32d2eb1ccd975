/**
 * The checker: watches a run from outside, through what peers tell, what callers read and what goes over the network,
 * and says which promise was broken. It knows nothing of how the workload or the faults came about.
 */
import type { MemberState, PeerEvents } from '../../../src/api.js'
import type { ResolvedOptions } from '../../../src/options.js'
import { batchCodec } from '../../../src/protocol/codec.js'
import { topicsOf } from '../../../src/services/topics.js'
import type { SimulatedProcess, Simulation } from '../../../src/testing/simulation.js'
import { checkBounds, checkStopped } from './bounds.js'
import { ConvergenceRules } from './convergence.js'
import { Disturbances } from './disturbances.js'
import { JoinerRules } from './joiners.js'
import { MembershipRules } from './membership.js'
import { parseVersion, type Record } from './records.js'
import { Sessions } from './sessions.js'
import { Violations } from './violations.js'
import { recordsOf, WriteLog } from './write-log.js'

/** A clock that is further off than this may refuse what others write, in ms. */
const CLOCK_TRUSTED_MS = 500

const STATES: readonly MemberState[] = ['alive', 'suspect', 'dead', 'left']

export class Checker {
  readonly log = new WriteLog()
  readonly violations: Violations
  readonly sessions: Sessions
  readonly disturbances: Disturbances
  readonly membership: MembershipRules
  readonly joiners: JoinerRules
  readonly #simulation: Simulation
  readonly #convergence: ConvergenceRules
  readonly #caches: readonly string[]
  readonly #opsTopic: string
  readonly #deleted = new WeakMap<Uint8Array, readonly Record[]>()
  readonly #options: ResolvedOptions

  /** @param caches every cache that callers use */
  constructor(simulation: Simulation, options: ResolvedOptions, caches: readonly string[]) {
    this.#simulation = simulation
    this.#options = options
    this.#caches = caches
    this.#opsTopic = topicsOf(options.mesh).ops
    const nowMs = () => simulation.time.monotonicMs()
    const now = () => simulation.time.now()
    const mayEvict = Number.isFinite(options.maxItems)
    const { log } = this
    this.violations = new Violations(nowMs)
    const { violations } = this
    this.disturbances = new Disturbances(nowMs)
    this.sessions = new Sessions({ log, violations, now, mayEvict })
    const { sessions, disturbances } = this
    this.membership = new MembershipRules({ simulation, disturbances, violations })
    this.joiners = new JoinerRules({ simulation, sessions })
    this.#convergence = new ConvergenceRules({ log, sessions, violations, now, mayEvict })
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
    }
    this.disturbances.shakes(process)
    this.joiners.watch(process)
  }

  /** A message leaves its author. */
  published(author: string, topic: string, bytes: Uint8Array): void {
    if (topic !== this.#opsTopic) return
    const process = this.#running(author)
    for (const record of this.log.published(author, bytes)) {
      this.sessions.published(record)
      if (process !== undefined) this.sessions.holds(process, record)
    }
  }

  /**
   * A message reaches a process: what it deletes there stays deleted. Of sets the process tells itself, when they take
   * effect.
   */
  delivered(to: string, author: string, topic: string, bytes: Uint8Array): void {
    if (topic !== this.#opsTopic) return
    const deleted = this.#deletedBy(bytes)
    if (deleted.length === 0) return
    const process = this.#running(to)
    if (process === undefined || !this.#takesFrom(process, author)) return
    for (const record of deleted) {
      if (this.#isBelieved(process, record)) this.sessions.holds(process, record)
    }
  }

  /** The deletes and clears of a message, which is one object however many receive it. */
  #deletedBy(bytes: Uint8Array): readonly Record[] {
    let deleted = this.#deleted.get(bytes)
    if (deleted === undefined) {
      deleted = recordsOf(batchCodec.decode(bytes)).filter((record) => record.deleted)
      this.#deleted.set(bytes, deleted)
    }
    return deleted
  }

  /** Reads every key at every process, and looks at the bounds. */
  look(): void {
    for (const process of this.#simulation.running()) {
      if (process.time.isStalled) continue
      checkBounds(process, this.#options, this.violations)
      const caches = new Map(this.#caches.map((name) => [name, process.peer.cache<string>(name)]))
      for (const at of this.log.keys)
        this.sessions.read(process, at, caches.get(at.cache)?.peek(at.key))
    }
  }

  /** Whether all is at rest: nobody would see a difference any more. */
  isAtRest(): boolean {
    const simulation = this.#simulation
    if (!simulation.isSettled()) return false
    if (simulation.running().some(({ peer }) => peer.stats().syncQueueSize > 0)) return false
    return Number.isFinite(this.#options.maxItems) || simulation.isConverged()
  }

  /** After heal and quiet. */
  checkAtRest(): void {
    this.look()
    this.membership.checkAgreement()
    this.#convergence.check(this.#simulation.running())
  }

  stopped(process: SimulatedProcess): void {
    checkStopped(process, this.violations)
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
