/**
 * A circuit breaker (Nygard, "Release It!", 2007) for the requests to one peer: after some failures in a row it opens,
 * and requests fail at once instead of each waiting for its own deadline. After a while one request is let through to
 * try; while it succeeds the breaker is closed again, and when it fails the next try comes later.
 */
import { backoffMs } from './backoff.js'

export type BreakerState = 'closed' | 'open' | 'half-open'

/** Options of {@link Breaker}. */
export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failuresMax: number
  /** How long it stays open, in ms: the first time, and at most. */
  readonly openMinMs: number
  readonly openMaxMs: number
}

export class Breaker {
  readonly #options: BreakerOptions
  #failures = 0
  /** How often it has opened since it was last closed. */
  #openings = 0
  #openUntilMs = Number.NEGATIVE_INFINITY
  #isTrying = false

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  state(nowMs: number): BreakerState {
    if (this.#openings === 0) return 'closed'
    return nowMs < this.#openUntilMs ? 'open' : 'half-open'
  }

  /** Whether a request may be made now. Whoever is told so must report how it went. */
  admits(nowMs: number): boolean {
    const state = this.state(nowMs)
    if (state === 'closed') return true
    if (state === 'open' || this.#isTrying) return false
    this.#isTrying = true
    return true
  }

  succeeded(): void {
    this.#failures = 0
    this.#openings = 0
    this.#isTrying = false
  }

  /** @param chance from 0 up to 1: spreads the tries of many */
  failed(nowMs: number, chance: number): void {
    this.#failures++
    this.#isTrying = false
    // One that was under way when the breaker opened tells nothing new.
    if (this.state(nowMs) === 'open' || this.#failures < this.#options.failuresMax) return
    this.#openings++
    const { openMinMs, openMaxMs } = this.#options
    this.#openUntilMs =
      nowMs + backoffMs(this.#openings, { minMs: openMinMs, maxMs: openMaxMs }, chance)
  }
}
