/**
 * A chaos run from its start to its verdict: a mesh of processes, a constant workload, faults, then
 * rest, and the question whether every promise was kept.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ack } from '../../api.js'
import { Losses } from '../../testing/checker/losses.js'
import { CommandFailure } from '../failure.js'
import { Deaths } from './deaths.js'
import { Findings } from './findings.js'
import { History } from './history.js'
import { Injector } from './injector.js'
import { ChaosMesh, unrestOf } from './mesh.js'
import type { Contents, Readings } from './messages.js'
import { type ChaosReport, reportOf } from './report.js'
import { drawSchedule, type FaultKind } from './schedule.js'
import type { ChaosScreen } from './screens.js'
import { areEqual, type Copy, judgeCopies, judgeReadings } from './verdict.js'
import { Witness } from './witness.js'

export interface ChaosOptions {
  readonly peers: number
  readonly forMs: number
  readonly seed: number
  readonly kinds: readonly FaultKind[]
  readonly ack: Ack
  readonly replicas: number
}

/** Operations that each member begins, the same all the time. */
const OPERATIONS_PER_SECOND = 20

const LOOK_INTERVAL_MS = 300
const PROGRESS_INTERVAL_MS = 500

/** How long the mesh may take to be at rest and equal once all is mended, in ms. */
export const CONVERGENCE_LIMIT_MS = 60_000

/** How often the driver looks whether it has stood still itself, and what counts, in ms. */
const TICK_MS = 100
const STALL_COUNTED_MS = 200

export class ChaosRun {
  readonly history: History
  readonly deaths = new Deaths()
  readonly findings: Findings
  readonly injector: Injector
  readonly witness: Witness
  readonly #options: ChaosOptions
  readonly #screen: ChaosScreen
  readonly #losses = new Losses()
  readonly #mesh: ChaosMesh
  readonly #awaitSettled = new Set<() => void>()
  /** Why the members are not settled, when last looked; empty when they are. */
  unrest = ''
  #startedAtMs = 0
  #isWorking = false
  #isOver = false

  constructor(options: ChaosOptions, screen: ChaosScreen) {
    this.#options = options
    this.#screen = screen
    this.history = new History(this.#losses, toleranceOf(options))
    this.findings = new Findings((finding) => screen.finding(finding))
    this.#mesh = new ChaosMesh(
      { ...options, operationsPerSecond: OPERATIONS_PER_SECOND },
      {
        onSpawn: ({ name, pid }) => screen.spawned(name, pid),
        onReport: (child, report) => this.witness.heard(child, report),
        onExit: (child) => this.witness.ended(child),
      },
    )
    const { history, deaths, findings } = this
    const withId = (id: string) => this.#mesh.withId(id)
    const losses = this.#losses
    this.witness = new Witness({ history, deaths, findings, losses, screen, withId })
    this.injector = new Injector(drawSchedule(options), {
      mesh: this.#mesh,
      deaths: this.deaths,
      elapsedMs: () => this.elapsedMs,
      whenSettled: (signal) => this.#whenSettled(signal),
      onKill: () => this.#losses.loses(),
      onStarted: (child) => {
        if (this.#isWorking) void child.ask({ do: 'work' }).catch(() => {})
      },
      onBegin: (injection) => screen.faultBegins(injection),
      onEnd: (injection) => screen.faultEnds(injection),
      onFailure: (error) => this.findings.add('crash', `a fault failed: ${messageOf(error)}`),
    })
  }

  /** Since the workload began, in ms. */
  get elapsedMs(): number {
    return this.#startedAtMs === 0 ? 0 : performance.now() - this.#startedAtMs
  }

  /** Runs to the end, and leaves no process behind. @throws CommandFailure when it is stopped */
  async run(stop: AbortSignal): Promise<ChaosReport> {
    const timers = [
      setInterval(() => this.#screen.progress(this), PROGRESS_INTERVAL_MS),
      this.#watchOwnStalls(),
    ]
    const stopped = new Promise<never>((_, reject) => {
      const fail = () => reject(new CommandFailure('STOPPED', 'stopped before its end'))
      if (stop.aborted) fail()
      else stop.addEventListener('abort', fail, { once: true })
    })
    try {
      return await Promise.race([this.#runAll(stop), stopped])
    } finally {
      this.#isOver = true
      this.witness.end()
      for (const timer of timers) clearInterval(timer)
      await this.#mesh.stop()
    }
  }

  async #runAll(stop: AbortSignal): Promise<ChaosReport> {
    this.#screen.phase('starting', `starting ${this.#options.peers} peers`)
    await this.#mesh.start()
    await this.#untilSettled(stop)
    void this.#keepLooking()
    await this.#work(stop)
    const convergenceMs = await this.#rest(stop)
    this.#screen.phase('checking', 'checking every key')
    await this.#check(convergenceMs)
    return reportOf(this, this.#options, convergenceMs)
  }

  async #work(stop: AbortSignal): Promise<void> {
    this.#startedAtMs = performance.now()
    this.#isWorking = true
    await Promise.all(this.#mesh.started().map((child) => child.ask({ do: 'work' })))
    this.#screen.phase('working', 'workload and faults')
    const end = new AbortController()
    const faults = this.injector.run(AbortSignal.any([stop, end.signal]))
    await sleep(this.#options.forMs, undefined, { signal: stop }).catch(() => {})
    end.abort()
    this.#isWorking = false
    this.#screen.phase('mending', 'all faults mended: waiting until all members are equal')
    // Who joins in place of the last that was killed, joins.
    await Promise.race([faults, sleep(CONVERGENCE_LIMIT_MS, undefined, { signal: stop })])
  }

  /** Waits until all is at rest. Returns how long that took; undefined when it is not within the limit. */
  async #rest(stop: AbortSignal): Promise<number | undefined> {
    const fromMs = this.#startedAtMs + this.#options.forMs
    const resting = this.#mesh.started().map((child) => child.ask({ do: 'rest' }).catch(() => {}))
    const all = Promise.all(resting)
    await Promise.race([all, sleep(CONVERGENCE_LIMIT_MS, undefined, { signal: stop })])
    let unrest = ''
    while (performance.now() - fromMs < CONVERGENCE_LIMIT_MS && !stop.aborted) {
      unrest = await this.#unrest()
      if (unrest === '') return performance.now() - fromMs
      this.#screen.waiting(unrest)
      await sleep(LOOK_INTERVAL_MS)
    }
    this.findings.add('convergence', `not at rest within ${CONVERGENCE_LIMIT_MS} ms: ${unrest}`)
    return undefined
  }

  /** Why the mesh is not at rest and equal; empty when it is. */
  async #unrest(): Promise<string> {
    const looks = await this.#mesh.look()
    const [unrest] = unrestOf(looks)
    if (unrest !== undefined) return unrest
    for (const { child, look } of looks) {
      if ((look?.hintCount ?? 0) > 0) return `${child.name} keeps ${look?.hintCount} hints`
      if ((look?.syncQueueSize ?? 0) > 0) return `${child.name} has writes to publish`
    }
    return areEqual(await this.#copies()) ? '' : 'owners hold different copies'
  }

  async #check(convergenceMs: number | undefined): Promise<void> {
    const { history, findings } = this
    const { replicas } = this.#options
    this.witness.judge()
    const copies = await this.#copies()
    judgeCopies(copies, history, findings, replicas)
    if (convergenceMs === undefined) return
    for (const child of this.#mesh.started()) {
      try {
        const readings = await child.ask<Readings>({ do: 'read' })
        judgeReadings(child.name, readings, copies, findings)
      } catch (error) {
        findings.add('convergence', `${messageOf(error)}, when reading at quorum at rest`)
      }
    }
  }

  async #copies(): Promise<Copy[]> {
    const children = this.#mesh.started()
    const copies = children.map(async (child) => {
      const contents = await child.ask<Contents>({ do: 'contents' }).catch(() => undefined)
      return contents === undefined ? [] : [{ holder: child.name, contents }]
    })
    return (await Promise.all(copies)).flat()
  }

  /** Looks again and again whether all is settled, and lets those know who wait for that. */
  async #keepLooking(): Promise<void> {
    while (!this.#isOver) {
      if (await this.#isSettled()) {
        this.#losses.settled()
        this.deaths.settled()
        const [next] = this.#awaitSettled
        next?.()
      }
      await sleep(LOOK_INTERVAL_MS)
    }
  }

  async #isSettled(): Promise<boolean> {
    const looks = await this.#mesh.look()
    const [unrest = ''] = unrestOf(looks)
    this.unrest = unrest
    return unrest === '' && looks.length === this.#mesh.running().length
  }

  async #untilSettled(stop: AbortSignal): Promise<void> {
    const deadlineMs = performance.now() + CONVERGENCE_LIMIT_MS
    while (!(await this.#isSettled()) && !stop.aborted) {
      if (performance.now() > deadlineMs) {
        const [unrest] = unrestOf(await this.#mesh.look())
        const message = `the mesh did not settle within ${CONVERGENCE_LIMIT_MS} ms: ${unrest}`
        throw new CommandFailure('NOT_SETTLED', message)
      }
      await sleep(LOOK_INTERVAL_MS)
    }
  }

  #whenSettled(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isSettled: boolean) => {
        this.#awaitSettled.delete(whenSettled)
        signal.removeEventListener('abort', whenAborted)
        resolve(isSettled)
      }
      const whenSettled = () => settle(true)
      const whenAborted = () => settle(false)
      this.#awaitSettled.add(whenSettled)
      signal.addEventListener('abort', whenAborted)
    })
  }

  #watchOwnStalls(): NodeJS.Timeout {
    let lookedAtMs = performance.now()
    return setInterval(() => {
      const lateMs = performance.now() - lookedAtMs - TICK_MS
      lookedAtMs = performance.now()
      if (lateMs > STALL_COUNTED_MS) this.deaths.stalled(undefined, lateMs)
    }, TICK_MS)
  }
}

/** How many owners may be lost at a time, for what was acknowledged to be there still. */
export function toleranceOf({ ack, replicas }: Pick<ChaosOptions, 'ack' | 'replicas'>): number {
  if (ack === 'all') return replicas - 1
  return ack === 'quorum' ? Math.floor(replicas / 2) : 0
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
