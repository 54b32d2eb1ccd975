/**
 * What was wrong with whom and until when: what the checker needs to know of the faults, to tell a mistake of the mesh
 * from the nature of things.
 */
import type { SimulatedProcess } from '../../../src/testing/simulation.js'

/** A stall that members must survive, in ms. */
const STALL_TOLERATED_MS = 3_000

/** Time for the consequences of a fault to come out, in ms: long silences, dials given up, dead called. */
const AFTERMATH_MS = 20_000

export class Disturbances {
  readonly #nowMs: () => number
  #linksUntilMs = Number.NEGATIVE_INFINITY
  readonly #stoodStillUntilMs = new Map<SimulatedProcess, number>()
  readonly #stalledUntilMs = new Map<SimulatedProcess, number>()
  readonly #processesUntilMs = new Map<SimulatedProcess, number>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** Links are cut or lossy, until told otherwise. */
  linksFail(): void {
    this.#linksUntilMs = Number.POSITIVE_INFINITY
  }

  /** Whether a process has stood still since a moment. */
  hasStoodStill(process: SimulatedProcess, sinceMs: number): boolean {
    return (this.#stoodStillUntilMs.get(process) ?? Number.NEGATIVE_INFINITY) >= sinceMs
  }

  /** Links are well again. */
  linksHeal(): void {
    if (this.#linksUntilMs === Number.POSITIVE_INFINITY) this.#linksUntilMs = this.#nowMs()
  }

  /** A process does not run for so long. Stalls that follow each other closely count as one. */
  stalls(process: SimulatedProcess, forMs: number): void {
    const nowMs = this.#nowMs()
    this.#stoodStillUntilMs.set(process, nowMs + forMs)
    const lastUntilMs = this.#stalledUntilMs.get(process) ?? Number.NEGATIVE_INFINITY
    this.#stalledUntilMs.set(process, nowMs + forMs)
    const isOneMore = nowMs - lastUntilMs < STALL_TOLERATED_MS
    if (forMs > STALL_TOLERATED_MS || isOneMore) this.#disturb(process, forMs)
  }

  /** A process has just started, or its host came and went. */
  shakes(process: SimulatedProcess, forMs = 0): void {
    if (forMs > 0) this.#stoodStillUntilMs.set(process, this.#nowMs() + forMs)
    this.#disturb(process, forMs)
  }

  /** Whether others had cause to call a running process dead. */
  explainDeathOf(process: SimulatedProcess): boolean {
    const nowMs = this.#nowMs()
    return this.#linksUntilMs + AFTERMATH_MS > nowMs || this.#until(process) + AFTERMATH_MS > nowMs
  }

  #until(process: SimulatedProcess): number {
    return this.#processesUntilMs.get(process) ?? Number.NEGATIVE_INFINITY
  }

  #disturb(process: SimulatedProcess, forMs: number): void {
    this.#processesUntilMs.set(process, Math.max(this.#until(process), this.#nowMs() + forMs))
  }
}
