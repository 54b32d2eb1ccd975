/**
 * Runs a plan: does what its steps say, at their moments, on a simulated mesh, with the checker watching; then heals
 * all, waits for quiet, and has the checker look at what is left.
 */
import type { Mishap, SentMessage } from '../../src/adapters/memory/network.js'
import { loadHash64 } from '../../src/adapters/system/hash.js'
import type { Cache } from '../../src/api.js'
import type { Hash64 } from '../../src/core/ring.js'
import { resolveOptions } from '../../src/options.js'
import type { Record } from '../../src/testing/checker/records.js'
import { type SimulatedProcess, Simulation } from '../../src/testing/simulation.js'
import { Checker } from './checker/checker.js'
import type { Violation } from './checker/violations.js'
import { expectationFailure } from './expectations.js'
import { digest, History } from './history.js'
import {
  DEFAULT_CACHE,
  type Operation,
  type Plan,
  printStep,
  type Step,
  stepsOf,
  type Work,
} from './operations.js'
import { Outcomes } from './outcomes.js'

const hash = remembering(await loadHash64())

/** Hashes that are kept at most. */
const HASHES_MAX = 20_000

/** Caches that plans use. */
export const CACHES: readonly string[] = [DEFAULT_CACHE, 'd']

/** How long the mesh may take to come to rest once all is healed, in ms. */
const REST_LIMIT_MS = 120_000

/** How often the checker looks at everything, in ms. */
const LOOK_INTERVAL_MS = 2_000

/** How often it is asked whether all is at rest, in ms. */
const REST_STEP_MS = 500

/** How long a mesh at rest is watched for an unrest that comes late, in ms. */
const WATCH_MS = 3_000

export interface RunOptions {
  readonly seed: number
  /** Keep a history; `wire` adds every message and frame. @default false */
  readonly history?: boolean | 'wire'
}

/** What came of a run. */
export interface Report {
  readonly seed: number
  readonly violations: readonly Violation[]
  readonly simulatedMs: number
  readonly history: readonly string[]
  /** Operations that callers made, and records that were published. */
  readonly workCount: number
  readonly recordCount: number
}

/** Runs a plan once. Never throws for what the mesh does wrong: that is in the report. */
export async function runPlan(plan: Plan, options: RunOptions): Promise<Report> {
  const run = new Run(plan, options)
  const onRejection = (error: unknown) => run.failed(error)
  const { stackTraceLimit } = Error
  // Many calls fail as they should; where each came from is of interest in a run that is told, and takes its time.
  if (!options.history) Error.stackTraceLimit = 0
  process.on('unhandledRejection', onRejection)
  try {
    return await run.run()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
    process.off('unhandledRejection', onRejection)
  }
}

/** Runs use the same few keys and members again and again: their hashes are kept. */
function remembering(hash: Hash64): Hash64 {
  const known = new Map<string, bigint>()
  return (text) => {
    let hashed = known.get(text)
    if (hashed === undefined) {
      hashed = hash(text)
      if (known.size >= HASHES_MAX) known.clear()
      known.set(text, hashed)
    }
    return hashed
  }
}

/** Microtasks that what has just been broken off may take to clear up after itself. */
const CLEAR_UP_MICROTASKS = 100

async function microtasks(): Promise<void> {
  for (let i = 0; i < CLEAR_UP_MICROTASKS; i++) await undefined
}

class Run {
  readonly #plan: Plan
  readonly #seed: number
  readonly #simulation: Simulation
  readonly #history: History
  readonly #checker: Checker
  readonly #outcomes: Outcomes
  /** The latest process of each member. */
  readonly #members = new Map<string, SimulatedProcess>()
  #workCount = 0
  #lookedAtMs = 0
  /** Something has gone wrong, or been made to. */
  #isDisturbed = false

  constructor(plan: Plan, { seed, history = false }: RunOptions) {
    this.#plan = plan
    this.#seed = seed
    this.#simulation = new Simulation({
      seed,
      hash,
      ...(plan.options && { peer: plan.options }),
      ...(plan.network && { network: plan.network }),
      observer: {
        published: (author, topic, bytes) => this.#published(author, topic, bytes),
        delivered: (to, author, topic, bytes) => this.#delivered(to, author, topic, bytes),
        framed: (from, to, bytes) => this.#framed(from, to, bytes),
        mishap: (what, from, to, message, lateMs) => this.#mishap(what, from, to, message, lateMs),
      },
    })
    this.#history = new History(
      () => this.#simulation.time.monotonicMs(),
      history !== false,
      history === 'wire',
    )
    const resolved = { ...resolveOptions(plan.options), ...plan.resolved }
    this.#checker = new Checker(this.#simulation, resolved, CACHES)
    const { disturbances, violations } = this.#checker
    this.#outcomes = new Outcomes(violations, {
      nowMs: () => this.#simulation.time.monotonicMs(),
      syncTimeoutMs: resolved.syncTimeoutMs,
      hasStoodStill: (process, sinceMs) => disturbances.hasStoodStill(process, sinceMs),
      isUndisturbed: () => !this.#isDisturbed,
    })
  }

  async run(): Promise<Report> {
    try {
      await this.#go()
    } catch (error) {
      this.failed(error)
    }
    return {
      seed: this.#seed,
      violations: this.#checker.violations.list,
      simulatedMs: this.#simulation.time.monotonicMs(),
      history: this.#history.lines,
      workCount: this.#workCount,
      recordCount: this.#checker.log.recordCount,
    }
  }

  async #go(): Promise<void> {
    for (const step of stepsOf(this.#plan)) {
      await this.#goTo(step.atMs)
      this.#history.note(() => printStep(step).slice(9))
      await this.#do(step)
    }
    await this.#goTo(this.#plan.healAtMs)
    this.#heal()
    await this.#rest()
    await this.#goTo(this.#plan.endAtMs)
    this.#checker.checkAtRest()
    if (this.#checker.hasQuorum) {
      await this.#checker.readAtRest()
      await this.#workAtRest()
    }
    await this.#stopAll()
  }

  /** Something went wrong that nobody handled. */
  failed(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#checker.violations.add('error', `unhandled: ${text}`)
  }

  /** Lets time pass until a moment, with the checker looking now and then. */
  async #goTo(atMs: number): Promise<void> {
    while (true) {
      const nowMs = this.#simulation.time.monotonicMs()
      const nextLookMs = this.#lookedAtMs + LOOK_INTERVAL_MS
      const untilMs = Math.min(atMs, nextLookMs)
      if (untilMs > nowMs) await this.#simulation.advance(untilMs - nowMs)
      if (untilMs >= nextLookMs) {
        this.#lookedAtMs = untilMs
        this.#checker.look()
      }
      if (untilMs >= atMs) return
    }
  }

  /** On a mesh at rest all that callers ask succeeds, at every member, and all others see it. */
  async #workAtRest(): Promise<void> {
    const running = this.#simulation.running()
    for (const [index, process] of running.entries()) {
      const at = process.id
      const reader = running[(index + 1) % running.length] as SimulatedProcess
      const key = `at-rest-${at}`
      const value = `${key}-value`
      await this.#askAtRest(process, { do: 'set', at, key, value, ack: 'quorum' })
      await this.#seesAtRest(reader, key, value)
      await this.#askAtRest(process, { do: 'delete', at, key, ack: 'quorum' })
      await this.#seesAtRest(reader, key, undefined)
    }
  }

  async #askAtRest(process: SimulatedProcess, work: Work): Promise<void> {
    try {
      await this.#simulation.settled(this.#ask(process, work))
    } catch (error) {
      const what = `${process.id} cannot ${work.do} at rest: ${(error as Error).message}`
      this.#checker.violations.add('available', what)
    }
  }

  async #seesAtRest(reader: SimulatedProcess, key: string, value: string | undefined) {
    const cache = reader.peer.cache<string>(DEFAULT_CACHE)
    const read = cache.get(key, { consistency: 'quorum' })
    const seen = await this.#simulation.settled(read).catch((error: Error) => error.message)
    if (seen === value || (seen === undefined && this.#checker.mayEvict)) return
    const what = `${reader.id} reads ${key} = ${seen ?? 'nothing'} at rest, not ${value ?? 'nothing'}`
    this.#checker.violations.add('available', what)
  }

  /** Waits until all is at rest, and then whether it stays so. */
  async #rest(): Promise<void> {
    const fromMs = this.#simulation.time.monotonicMs()
    let restedMs = 0
    let nowMs = fromMs
    while (restedMs < WATCH_MS && nowMs < fromMs + REST_LIMIT_MS) {
      nowMs += REST_STEP_MS
      await this.#goTo(nowMs)
      const isAtRest = this.#checker.isAtRest() && !this.#outcomes.isStopping
      restedMs = isAtRest ? restedMs + REST_STEP_MS : 0
    }
  }

  async #stopAll(): Promise<void> {
    const running = this.#simulation.running()
    try {
      await this.#simulation.stopAll()
    } catch (error) {
      this.#checker.violations.add('stop', (error as Error).message)
    }
    for (const process of running) this.#checker.stopped(process)
    if (this.#simulation.time.pending > 0) {
      const what = `all have stopped, and ${this.#simulation.time.pending} tasks are scheduled`
      this.#checker.violations.add('stop', what)
    }
    this.#outcomes.checkAllSettled()
    for (const process of this.#simulation.processes) this.#checkLog(process)
  }

  /** Nothing is logged as an error: that level is for what should not happen. */
  #checkLog({ id, log }: SimulatedProcess): void {
    for (const line of log) {
      if (line.startsWith('error ')) this.#checker.violations.add('error', `${id} logged ${line}`)
    }
  }

  async #do(step: Step): Promise<void> {
    if ('at' in step && !step.do.startsWith('expect')) return this.#work(step as Work)
    if (step.do === 'expectRead') return this.#expectRead(step)
    if (step.do.startsWith('expect')) return this.#expect(step)
    await this.#happen(step)
  }

  /** Lets a caller ask something; the answer comes when it comes. */
  #work(work: Work): void {
    const process = this.#members.get(work.at)
    if (process === undefined || !process.isRunning || process.time.isStalled) {
      this.#history.note(() => `  ${work.at} is not there to be asked`)
      return
    }
    this.#workCount++
    this.#outcomes.follow(process, work.do, this.#ask(process, work), (outcome) =>
      this.#history.note(() => `  ${work.at} ${work.do}: ${outcome}`),
    )
  }

  async #ask(process: SimulatedProcess, work: Work): Promise<void> {
    if (work.do === 'flush') return this.#flush(process)
    const cache = process.peer.cache<string>(work.cache ?? DEFAULT_CACHE)
    if (work.do === 'get' || work.do === 'getMany') return this.#askToRead(process, cache, work)
    const { log, sessions, acks } = this.#checker
    const { name } = cache
    const options = work.ack === undefined ? {} : { ack: work.ack }
    const keys = work.do === 'delete' ? [work.key] : work.do === 'deleteMany' ? work.keys : []
    const promised = acks.begun(process, work.ack, { cache: name, keys })
    switch (work.do) {
      case 'set': {
        const { key, value, ttlMs = 0, tags = [] } = work
        log.intends(value, { cache: name, key, ttlMs, tags })
        await cache.set(key, value, { ttl: ttlMs, tags, ...options })
        sessions.acknowledged(process, key, value)
        return acks.acknowledged(promised, options.ack, { cache: name, values: [[key, value]] })
      }
      case 'setMany': {
        const { entries, tags = [] } = work
        for (const [key, value] of entries) {
          log.intends(value, { cache: name, key, ttlMs: 0, tags })
        }
        await cache.setMany(entries, { tags, ...options })
        for (const [key, value] of entries) sessions.acknowledged(process, key, value)
        return acks.acknowledged(promised, options.ack, { cache: name, values: entries })
      }
      case 'delete':
        acks.deletes(name, work.key)
        log.intendsDelete(process.id, name, work.key)
        await cache.delete(work.key, options)
        return acks.acknowledgedDelete(promised, work.ack)
      case 'deleteMany':
        for (const key of work.keys) {
          acks.deletes(name, key)
          log.intendsDelete(process.id, name, key)
        }
        await cache.deleteMany(work.keys, options)
        return acks.acknowledgedDelete(promised, work.ack)
      case 'clear':
        acks.deletes(name, undefined)
        log.intendsDelete(process.id, name, undefined)
        await cache.clear(options)
        return acks.acknowledgedDelete(promised, work.ack)
      case 'invalidate':
        for (const tag of work.tags) log.intendsDelete(process.id, name, undefined, tag)
        await cache.invalidateTags(work.tags, options)
        return acks.acknowledgedDelete(promised, work.ack)
    }
  }

  async #askToRead(
    process: SimulatedProcess,
    cache: Cache<string>,
    work: Extract<Work, { do: 'get' | 'getMany' }>,
  ): Promise<void> {
    const { acks } = this.#checker
    const options = work.consistency === undefined ? {} : { consistency: work.consistency }
    const keys = work.do === 'get' ? [work.key] : work.keys
    const began = acks.readBegins()
    const askedAtMs = this.#simulation.time.monotonicMs()
    const { sessions } = this.#checker
    const floors = new Map(keys.map((key) => [key, sessions.floorOf(process, cache.name, key)]))
    const kept = new Map(keys.map((key) => [key, process.peer.keptOf(cache.name, key)]))
    const values =
      work.do === 'get'
        ? new Map([[work.key, await cache.get(work.key, options)]])
        : await cache.getMany(work.keys, options)
    for (const key of keys) {
      const value = values.get(key)
      this.#read(process, cache, key, value, askedAtMs, floors.get(key))
      if (work.consistency === undefined) {
        sessions.readKept(process, { cache: cache.name, key }, value, kept.get(key))
      }
      this.#checker.staleness.read(process, { cache: cache.name, key }, value, askedAtMs)
      if (work.consistency === 'quorum') {
        acks.readAtQuorum(process, { cache: cache.name, key }, value, began)
      }
    }
  }

  #read(
    process: SimulatedProcess,
    cache: Cache<string>,
    key: string,
    value: string | undefined,
    askedAtMs: number,
    floorAsked: Record | undefined,
  ): void {
    this.#history.note(
      () => `  ${process.id} reads ${cache.name}/${key} = ${value?.slice(0, 40) ?? 'nothing'}`,
    )
    const tookMs = this.#simulation.time.monotonicMs() - askedAtMs
    const { sessions } = this.#checker
    const now = sessions.floorOf(process, cache.name, key)
    // What came while others were asked need not show.
    const asked = now && floorAsked
    const floor =
      sessions.isFullCopy || (asked && value === undefined && now?.deleted) ? now : asked
    sessions.read(process, { cache: cache.name, key }, value, 'session', tookMs, floor ?? null)
  }

  /** Once a peer has its writes confirmed, all that it took to be there have them. */
  async #flush(process: SimulatedProcess): Promise<void> {
    const asked = this.#simulation.running().filter(({ peer }) => peer.status === 'serving')
    const incarnationOf = (id: string) =>
      process.peer.members.find((member) => member.id === id && member.state === 'alive')
        ?.incarnation
    // One that is called dead meanwhile is not waited for, though it comes back, in a higher incarnation.
    const seen = new Map(asked.map((other) => [other, incarnationOf(other.id)]))
    const floors = this.#checker.sessions.floors(process).snapshot()
    const own = floors.filter(({ version }) => version.endsWith(`-${process.id}`))
    const { sessions, losses } = this.#checker
    const owned = new Map(asked.map((other) => [other, sessions.ownedOf(other, own)]))
    await process.peer.flush()
    // Who owns a key since others were lost need not have all that they had.
    if (!sessions.isFullCopy && !losses.isUnscathed) return
    for (const [other, incarnation] of seen) {
      if (!other.isRunning || incarnation === undefined) continue
      if (incarnationOf(other.id) !== incarnation) continue
      sessions.mustHold(other, sessions.ownedOf(other, owned.get(other) ?? []), 'flush')
    }
  }

  async #happen(step: Operation): Promise<void> {
    const { network } = this.#simulation
    const { disturbances } = this.#checker
    if (step.do !== 'start' || step.clockOffsetMs !== undefined) this.#isDisturbed = true
    switch (step.do) {
      case 'start':
        return await this.#start(step.member, step)
      case 'restart':
        return await this.#restart(step.member, step.clockOffsetMs)
      case 'leave':
        return this.#leave(step.member, step.drain ?? false)
      case 'crash':
        return this.#withRunning(step.member, (process) => {
          this.#checker.ends(process)
          this.#checker.membership.killed(process)
          this.#simulation.crash(process, { silent: step.silent ?? false })
        })
      case 'suspend':
        return this.#withRunning(step.member, (process) => {
          process.transport.sever()
          process.time.stall(step.forMs)
          disturbances.shakes(process, step.forMs)
        })
      case 'disconnect':
        // No reason to call anybody dead: nothing else is wrong.
        return this.#withRunning(step.member, (process) => {
          process.transport.sever()
          disturbances.disconnects(process)
        })
      case 'stall':
        return this.#withRunning(step.member, (process) => {
          process.time.stall(step.forMs)
          disturbances.stalls(process, step.forMs)
        })
      case 'stepClock':
        return this.#withRunning(step.member, ({ time }) =>
          time.setOffset(time.offsetMs + step.byMs),
        )
      case 'drift':
        return this.#withRunning(step.member, ({ time }) => time.setDrift(step.share))
      case 'link':
        if (step.from === undefined || step.to === undefined) network.configure(step.settings)
        else network.configureLink(step.from, step.to, step.settings)
        return disturbances.linksChanged()
      case 'cut':
        for (const a of step.from) {
          for (const b of step.to) network.cut(a, b, { oneWay: step.oneWay ?? false })
        }
        return disturbances.linksChanged()
      case 'mend':
        for (const a of step.from) for (const b of step.to) network.heal(a, b)
        return disturbances.linksChanged()
      case 'mute':
        return network.muteGossip(...step.between)
      case 'heal':
        return this.#heal()
    }
  }

  async #start(
    member: string,
    options: { clockOffsetMs?: number; options?: object; port?: number },
  ) {
    const { resolved } = this.#plan
    // Several addresses, as operators give: the one that is named alone may be gone for good.
    const bootstrap = this.#simulation.running().flatMap(({ peer }) => peer.addresses)
    const process = this.#simulation.process({
      id: member,
      bootstrap,
      ...(options.port !== undefined && { port: options.port }),
      ...(options.clockOffsetMs !== undefined && { clockOffsetMs: options.clockOffsetMs }),
      ...options.options,
      ...(resolved && { resolved }),
    })
    this.#members.set(member, process)
    this.#checker.watch(process)
    this.#listen(process)
    await this.#simulation.launch(process)
  }

  async #restart(member: string, clockOffsetMs = 0): Promise<void> {
    const gone = this.#members.get(member)
    // One that is still leaving has its address.
    if (gone === undefined || gone.isRunning || gone.transport.isRunning) return
    const port = Number(/\/tcp\/(\d+)/.exec(gone.transport.addresses[0] ?? '')?.[1])
    const { role } = gone.options
    await this.#start(member, { clockOffsetMs, port, options: role ? { role } : {} })
  }

  /** Its stop takes time, in which all goes on. */
  #leave(member: string, drain: boolean): void {
    this.#withRunning(member, (process) => {
      process.isRunning = false
      this.#checker.ends(process)
      // A process that stands still does not even begin.
      const awake = new Promise<void>((resolve) => process.time.after(0, resolve))
      const stopped = awake.then(async () => {
        await process.peer.stop({ drain })
        await microtasks()
        this.#checker.stopped(process)
      })
      this.#outcomes.follow(process, 'stop', stopped, (outcome) =>
        this.#history.note(() => `  ${member} stop: ${outcome}`),
      )
    })
  }

  #heal(): void {
    this.#history.note(() => 'heal')
    this.#simulation.network.reset()
    this.#checker.disturbances.linksChanged()
    for (const { time } of this.#simulation.running()) {
      time.setDrift(0)
      time.correct()
    }
  }

  #withRunning(member: string, act: (process: SimulatedProcess) => void): void {
    const process = this.#members.get(member)
    if (process?.isRunning) act(process)
    else this.#history.note(() => `  ${member} does not run`)
  }

  async #expectRead(step: Extract<Operation, { do: 'expectRead' }>): Promise<void> {
    const { at, key, value, consistency } = step
    const peer = this.#members.get(at)?.peer
    if (peer === undefined) throw new Error(`${at}, where something is expected, never ran`)
    const answer = await this.#simulation
      .settled(peer.cache<string>(DEFAULT_CACHE).get(key, { consistency }))
      .catch((error: Error) => error.message)
    if (answer === value) return
    const what = `${at} read ${key} at ${consistency} = ${answer}, expected ${value}`
    this.#checker.violations.add('expectation', what)
  }

  #expect(step: Operation): void {
    const failure = expectationFailure(
      step,
      this.#members,
      this.#outcomes,
      this.#told,
      this.#alerts,
    )
    if (failure !== undefined) this.#checker.violations.add('expectation', failure)
  }

  /** `<state> <member>` ever told by anybody; alerts by process. */
  readonly #told = new Set<string>()
  readonly #alerts = new Map<string, Set<string>>()

  #listen({ id, peer }: SimulatedProcess): void {
    const events = ['member:alive', 'member:suspect', 'member:dead', 'member:left'] as const
    for (const event of events) {
      peer.on(event, (member) => {
        this.#told.add(`${event.slice(7)} ${member.id}`)
        this.#history.note(() => `    ${id} tells ${event} ${member.id} (${member.incarnation})`)
      })
    }
    peer.on('sync:start', ({ member, reason }) =>
      this.#history.note(() => `    ${id} tells sync:start ${member} ${reason}`),
    )
    peer.on('sync:end', ({ member, entries, ok }) =>
      this.#history.note(
        () => `    ${id} tells sync:end ${member} ${entries} ${ok ? 'ok' : 'failed'}`,
      ),
    )
    peer.on('alert', ({ code }) => {
      const alerts = this.#alerts.get(id) ?? new Set()
      this.#alerts.set(id, alerts.add(code))
      this.#history.note(() => `    ${id} tells alert ${code}`)
    })
  }

  #published(author: string, topic: string, bytes: Uint8Array): void {
    this.#checker.published(author, topic, bytes)
    if (this.#history.keepsWire) this.#noteWire('sends', author, topic, bytes)
  }

  #delivered(to: string, author: string, topic: string, bytes: Uint8Array): void {
    this.#checker.delivered(to, author, topic, bytes)
    if (this.#history.keepsWire) this.#noteWire(`to ${to} from`, author, topic, bytes)
  }

  #framed(from: string, to: string, bytes: Uint8Array): void {
    if (this.#history.keepsWire) this.#noteWire(`to ${to} from`, from, 'channel', bytes)
  }

  #mishap(what: Mishap, from: string, to: string, message: SentMessage, lateMs: number): void {
    if (!this.#history.keepsWire) return
    const { author, topic, bytes } = message
    const late = lateMs > 0 ? ` for ${Math.round(lateMs)} ms` : ''
    this.#noteWire(`${what}${late} from ${from} to ${to}, of`, author, topic, bytes)
  }

  #noteWire(what: string, peer: string, topic: string, bytes: Uint8Array): void {
    this.#history.note(() => `      ${what} ${peer} ${topic} ${bytes.length} B ${digest(bytes)}`)
  }
}
