/**
 * What was wrong with whom and until when: what the checker needs to know of the faults, to tell a mistake of the mesh
 * from the nature of things.
 */
import type { LinkSettings } from '../../../src/adapters/memory/faults.js'
import type { SimulatedProcess, Simulation } from '../../../src/testing/simulation.js'

/** A stall that members must survive, in ms. */
const STALL_TOLERATED_MS = 3_000

/** Time for the consequences of a fault to come out, in ms: long silences, dials given up, dead called. */
const AFTERMATH_MS = 20_000

export class Disturbances {
  readonly #simulation: Simulation
  /** By `<from> <to>`: until when a link was cut or lossy; `Infinity` of one that is. */
  readonly #linksUntilMs = new Map<string, number>()
  readonly #stoodStillUntilMs = new Map<SimulatedProcess, number>()
  readonly #stalledUntilMs = new Map<SimulatedProcess, number>()
  readonly #disconnectedAtMs = new Map<SimulatedProcess, number>()
  readonly #processesUntilMs = new Map<SimulatedProcess, number>()

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  /**
   * Links were changed, or there is one more member. What comes late, twice or out of turn is no reason to call anybody dead,
   * nor is gossip that does not pass between two who can talk.
   */
  linksChanged(): void {
    const { network, processes } = this.#simulation
    const ids = new Set(processes.map(({ id }) => id))
    const nowMs = this.#nowMs
    for (const from of ids) {
      for (const to of ids) {
        if (from === to) continue
        const name = `${from} ${to}`
        const { faults } = network
        const isBad = faults.isCut(from, to) || loses(faults.settings(from, to))
        if (isBad) this.#linksUntilMs.set(name, Number.POSITIVE_INFINITY)
        else if (this.#linksUntilMs.get(name) === Number.POSITIVE_INFINITY) {
          this.#linksUntilMs.set(name, nowMs)
        }
      }
    }
  }

  /** Whether a process has stood still since a moment. */
  hasStoodStill(process: SimulatedProcess, sinceMs: number): boolean {
    return this.#stoodStill(process) >= sinceMs
  }

  /** A process does not run for so long. Stalls that follow each other closely count as one. */
  stalls(process: SimulatedProcess, forMs: number): void {
    const nowMs = this.#nowMs
    this.#stoodStillUntilMs.set(process, nowMs + forMs)
    const lastUntilMs = this.#stalledUntilMs.get(process) ?? Number.NEGATIVE_INFINITY
    this.#stalledUntilMs.set(process, nowMs + forMs)
    const isOneMore = nowMs - lastUntilMs < STALL_TOLERATED_MS
    if (forMs > STALL_TOLERATED_MS || isOneMore) this.#disturb(process, forMs)
  }

  /** All connections of a process break: what is said meanwhile it does not hear. */
  disconnects(process: SimulatedProcess): void {
    this.#disconnectedAtMs.set(process, this.#nowMs)
  }

  /** Whether a process may have missed what another one said last. */
  explainMiss(by: SimulatedProcess, of: SimulatedProcess): boolean {
    const sinceMs = this.#nowMs - AFTERMATH_MS
    const wasApart = [by, of].some((one) => (this.#disconnectedAtMs.get(one) ?? -1) > sinceMs)
    return wasApart || this.explainDeath(by, of) || this.explainDeath(of, by)
  }

  /** A process has just started, or its host came and went. */
  shakes(process: SimulatedProcess, forMs = 0): void {
    if (forMs > 0) this.#stoodStillUntilMs.set(process, this.#nowMs + forMs)
    this.#disturb(process, forMs)
  }

  /** Whether one had cause to call a running process dead: what that did, or links of either that were cut or lossy. */
  explainDeath(by: SimulatedProcess, of: SimulatedProcess): boolean {
    const sinceMs = this.#nowMs - AFTERMATH_MS
    return this.#until(of) > sinceMs || this.#hadBadLinks(sinceMs, [by.id, of.id])
  }

  /** Whether nothing was wrong with a process, or its links to others than one that is gone, since a while before a moment. */
  wasWell(process: SimulatedProcess, fromMs: number, gone: string): boolean {
    const sinceMs = fromMs - AFTERMATH_MS
    const isShaken = Math.max(this.#until(process), this.#stoodStill(process)) > sinceMs
    return !isShaken && !this.#hadBadLinks(sinceMs, [process.id], gone)
  }

  /** Whether a link of some members was cut or lossy since a moment. @param except whose links do not count */
  #hadBadLinks(sinceMs: number, ids: readonly string[], except?: string): boolean {
    for (const [name, untilMs] of this.#linksUntilMs) {
      if (untilMs <= sinceMs) continue
      const ends = name.split(' ')
      if (except !== undefined && ends.includes(except)) continue
      if (ends.some((end) => ids.includes(end))) return true
    }
    return false
  }

  get #nowMs(): number {
    return this.#simulation.time.monotonicMs()
  }

  #stoodStill(process: SimulatedProcess): number {
    return this.#stoodStillUntilMs.get(process) ?? Number.NEGATIVE_INFINITY
  }

  #until(process: SimulatedProcess): number {
    return this.#processesUntilMs.get(process) ?? Number.NEGATIVE_INFINITY
  }

  #disturb(process: SimulatedProcess, forMs: number): void {
    this.#processesUntilMs.set(process, Math.max(this.#until(process), this.#nowMs + forMs))
  }
}

function loses({ lossProbability, frameLossProbability }: LinkSettings): boolean {
  return lossProbability > 0 || frameLossProbability > 0
}
