/**
 * Makes what is planned go wrong, and mends it when its time is over. A kill waits until all that an
 * earlier one cost has been made up for: acknowledged writes outlive the loss of one owner at a time.
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Deaths } from './deaths.js'
import type { ChaosMesh } from './mesh.js'
import type { ChaosProcess } from './process.js'
import { type PlannedFault, placeName, targetOf } from './schedule.js'

/** Whoever else waits for the end of a run. */
const LISTENERS_BESIDE_MAX = 20

/** A fault as it came about. */
export interface Injection {
  readonly fault: PlannedFault
  readonly target: string
  /** In words. */
  readonly what: string
  /** Since the workload began; undefined where it was left out. */
  atMs?: number
  endedAtMs?: number
  /** Why it was left out. */
  skipped?: string
}

export interface InjectorComponents {
  readonly mesh: ChaosMesh
  readonly deaths: Deaths
  /** Since the workload began, in ms. */
  readonly elapsedMs: () => number
  /** Resolves at a moment when all members are settled, to true; to false when the time is over. */
  readonly whenSettled: (signal: AbortSignal) => Promise<boolean>
  /** Memory is about to be lost. */
  readonly onKill: () => void
  /** A process has been started in place of one that was killed. */
  readonly onStarted: (child: ChaosProcess) => void
  readonly onBegin: (injection: Injection) => void
  readonly onEnd: (injection: Injection) => void
  readonly onFailure: (error: unknown) => void
}

export class Injector {
  /** In the order in which they were planned. */
  readonly injections: readonly Injection[]
  readonly #components: InjectorComponents

  constructor(schedule: readonly PlannedFault[], components: InjectorComponents) {
    this.#components = components
    this.injections = schedule.map((fault) => {
      return { fault, target: targetOf(fault), what: describeFault(fault) }
    })
  }

  /** Those that are going on. */
  get active(): Injection[] {
    return this.injections.filter(
      ({ atMs, endedAtMs }) => atMs !== undefined && endedAtMs === undefined,
    )
  }

  /** Resolves when all faults are over; those that have begun are mended when the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    setMaxListeners(this.injections.length + LISTENERS_BESIDE_MAX, signal)
    const kills = this.injections.filter(({ fault }) => fault.kind === 'kill')
    const others = this.injections.filter(({ fault }) => fault.kind !== 'kill')
    await Promise.all([
      // One after the other, however late the one before it was.
      kills.reduce(async (before, kill) => {
        await before
        await this.#inject(kill, signal)
      }, Promise.resolve()),
      ...others.map((injection) => this.#inject(injection, signal)),
    ])
  }

  async #inject(injection: Injection, signal: AbortSignal): Promise<void> {
    const { elapsedMs, onEnd, onFailure } = this.#components
    const { fault } = injection
    await pause(fault.atMs - elapsedMs(), signal)
    try {
      if (signal.aborted) injection.skipped = 'the run was over'
      else await this.#carryOut(injection, signal)
    } catch (error) {
      onFailure(error)
    }
    if (injection.atMs === undefined) injection.skipped ??= 'it failed'
    else injection.endedAtMs = elapsedMs()
    onEnd(injection)
  }

  async #carryOut(injection: Injection, signal: AbortSignal): Promise<void> {
    const { mesh, deaths } = this.#components
    const { fault } = injection
    switch (fault.kind) {
      case 'kill':
        return await this.#kill(injection, fault.place, signal)
      case 'pause': {
        const child = this.#target(injection, fault.place)
        if (child === undefined) return
        child.pause()
        await pause(fault.forMs, signal)
        child.resume()
        return
      }
      case 'clock': {
        const child = this.#target(injection, fault.place)
        if (child === undefined) return
        void child.ask({ do: 'clock', offsetMs: fault.offsetMs }).catch(() => {})
        await pause(fault.forMs, signal)
        void child.ask({ do: 'clock', offsetMs: 0 }).catch(() => {})
        return
      }
      case 'slow': {
        const others = this.#others([fault.place])
        this.#begins(injection)
        this.#delay(fault.place, others, fault.delayMs)
        await pause(fault.forMs, signal)
        this.#delay(fault.place, others, 0)
        return
      }
      case 'partition': {
        const { group, way } = fault
        const others = this.#others(group)
        this.#begins(injection)
        deaths.linksCut(group)
        if (way !== 'in') mesh.links.cutOneWay(group, others)
        if (way !== 'out') mesh.links.cutOneWay(others, group)
        await pause(fault.forMs, signal)
        mesh.links.mend(group, others)
        deaths.linksMended()
      }
    }
  }

  async #kill(injection: Injection, place: number, signal: AbortSignal): Promise<void> {
    const { mesh, deaths, whenSettled, onKill, onStarted } = this.#components
    const isSettled = await whenSettled(signal)
    const child = mesh.at(place)
    if (!isSettled || signal.aborted || child === undefined) {
      injection.skipped = 'the mesh did not settle in time for another loss'
      return
    }
    this.#begins(injection)
    const survivors = mesh.started().filter((other) => other !== child)
    deaths.killed(child, survivors)
    onKill()
    await mesh.kill(place)
    await pause(injection.fault.forMs, signal)
    const next = await mesh.startAt(place)
    next.isLate = true
    onStarted(next)
    void next.ready().catch(() => {})
  }

  /** Who is hit; notes why nobody is. */
  #target(injection: Injection, place: number): ChaosProcess | undefined {
    const child = this.#components.mesh.at(place)
    if (child?.startedAtMs === undefined) {
      injection.skipped = `${placeName(place)} was not running`
      return undefined
    }
    this.#begins(injection)
    return child
  }

  #begins(injection: Injection): void {
    injection.atMs = this.#components.elapsedMs()
    this.#components.onBegin(injection)
  }

  #delay(place: number, others: readonly number[], delayMs: number): void {
    const { links } = this.#components.mesh
    links.delay([place], others, delayMs)
    links.delay(others, [place], delayMs)
  }

  #others(group: readonly number[]): number[] {
    return this.#components.mesh.places.filter((place) => !group.includes(place))
  }
}

/** A fault in words, without whom it hits. */
function describeFault(fault: PlannedFault): string {
  switch (fault.kind) {
    case 'kill':
      return 'SIGKILL'
    case 'pause':
      return 'SIGSTOP'
    case 'partition':
      if (fault.way === 'both') return 'cut off, both ways'
      return fault.way === 'out' ? 'cut off, what it sends' : 'cut off, what is sent to it'
    case 'slow':
      return `${fault.delayMs} ms more, each way`
    case 'clock':
      return `clock ${fault.offsetMs > 0 ? '+' : ''}${(fault.offsetMs / 1_000).toFixed(1)} s`
  }
}

/** Waits so long, or until the signal is aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => {})
}
