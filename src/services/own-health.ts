/**
 * How well this process itself does, as far as that says how much its judgement of others is worth.
 *
 * An observer that finds its own event loop late has not been listening: after a stall it convicts nobody for a while. One in
 * lesser trouble gives all others more time (see core/local-health.ts).
 */
import { LocalHealth } from '../core/local-health.js'
import type { LoopMonitor, Runtime } from './ports.js'

/** An event loop later than this means that this process itself stood still, in ms. */
const STALL_MS = 500

/** One later than this, that it is in trouble, in ms. */
const LATE_MS = 150

/** How long after a stall of its own an observer convicts nobody, in ms. */
export const AMNESTY_MS = 1_000

export interface OwnHealthComponents {
  readonly runtime: Runtime
  readonly loop: LoopMonitor
}

export class OwnHealth {
  readonly #components: OwnHealthComponents
  readonly #heartbeatIntervalMs: number
  readonly #lookIntervalMs: number
  readonly #health = new LocalHealth()
  #stallCount = 0
  /** The last look found that this process had stood still. */
  #hasStalled = false
  /** When all has gone well for long enough to trust this member a little more. */
  #betterAtMs = 0
  #amnestyUntilMs = Number.NEGATIVE_INFINITY
  #lookedAtMs = Number.POSITIVE_INFINITY

  /** @param lookIntervalMs at which {@link look} is called */
  constructor(
    components: OwnHealthComponents,
    heartbeatIntervalMs: number,
    lookIntervalMs: number,
  ) {
    this.#components = components
    this.#heartbeatIntervalMs = heartbeatIntervalMs
    this.#lookIntervalMs = lookIntervalMs
  }

  start(): void {
    this.#components.loop.start()
    this.#lookedAtMs = this.#nowMs
  }

  stop(): void {
    this.#components.loop.stop()
  }

  stats() {
    return { healthScore: this.multiplier - 1, stallCount: this.#stallCount }
  }

  /** By how much all time-outs are to be longer: 1 in good health. */
  get multiplier(): number {
    return this.#health.multiplier
  }

  /** For how long nobody is to be called dead yet, in ms; 0 when this member may. */
  get amnestyMs(): number {
    // Whoever asks may have been woken before the timer that looks.
    const overdueMs = this.#nowMs - this.#lookedAtMs - this.#lookIntervalMs
    if (overdueMs > STALL_MS) return AMNESTY_MS
    return Math.max(0, this.#amnestyUntilMs - this.#nowMs)
  }

  /** A sign of trouble here; see {@link LocalHealth.worse}. */
  worse(): void {
    this.#health.worse()
    this.#betterAtMs = this.#nowMs + this.#heartbeatIntervalMs
  }

  /**
   * Looks how late the event loop was since the last look.
   * @param lateMs by how much the timer was late that looks
   * @returns for how long this process stood still, in ms; 0 when it did not
   */
  look(lateMs: number): number {
    this.#lookedAtMs = this.#nowMs
    const loopMs = this.#components.loop.takeWorstMs()
    // A stall that the timer told of is told of by the loop's monitor a little later.
    const worstMs = Math.max(lateMs, this.#hasStalled ? 0 : loopMs)
    this.#hasStalled = lateMs > STALL_MS
    const isStall = worstMs > STALL_MS
    if (isStall) {
      this.#stallCount++
      this.#amnestyUntilMs = this.#nowMs + AMNESTY_MS
    }
    if (worstMs > LATE_MS) this.worse()
    else if (this.#nowMs >= this.#betterAtMs) {
      this.#health.better()
      this.#betterAtMs = this.#nowMs + this.#heartbeatIntervalMs
    }
    return isStall ? worstMs : 0
  }

  get #nowMs(): number {
    return this.#components.runtime.clock.monotonicMs()
  }
}
