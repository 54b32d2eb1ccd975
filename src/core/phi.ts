/**
 * Phi accrual failure detector (Hayashibara, Défago, Yared, Katayama, 2004).
 *
 * Instead of a fixed time-out it says how surprising a silence is, given how regular the sender has been:
 * phi = −log10(P(a heartbeat arrives later than this)). Phi 8 is a silence that a live sender would show once
 * in 10^8 heartbeats, if its intervals were normally distributed.
 */

/** Options of {@link PhiAccrual}. */
export interface PhiAccrualOptions {
  /** Intervals remembered. */
  readonly windowSize: number
  /** The interval assumed before any was seen, in ms; also the least that one counts for. */
  readonly expectedIntervalMs: number
  /** Floor of the standard deviation, in ms: keeps a very regular sender from being suspected over a hiccup. */
  readonly deviationMinMs: number
}

/**
 * An interval counts for no more than this multiple of the one expected. One that is longer was an outage, and says nothing of
 * the sender's rhythm: taken as it is, a single one of ten seconds would put off the next suspicion by as much.
 */
const OUTAGE_FACTOR = 3

/** Intervals that differ by no more than this share are of one rhythm. */
const SAME_RHYTHM_SHARE = 0.05

export class PhiAccrual {
  readonly #intervals: number[] = []
  readonly #options: PhiAccrualOptions
  #next = 0
  #sum = 0
  #sumOfSquares = 0
  #lastArrivalMs: number | undefined
  /** The next interval began with an excuse, not with a heartbeat: it says nothing of the sender. */
  #excused = false
  /** The interval expected now, as a multiple of the one expected at first: what is remembered is in terms of that one. */
  #scale = 1

  constructor(options: PhiAccrualOptions) {
    this.#options = options
  }

  /** When the last heartbeat came, on the caller's monotonic clock; undefined before the first. */
  get lastArrivalMs(): number | undefined {
    return this.#lastArrivalMs
  }

  /** From now on the sender is to be heard at other intervals: those seen count in proportion. */
  expect(intervalMs: number): void {
    const scale = intervalMs / this.#options.expectedIntervalMs
    // The interval that is going on began by another rhythm, unless the two are much the same.
    if (Math.abs(scale / this.#scale - 1) > SAME_RHYTHM_SHARE) this.#excused = true
    this.#scale = scale
  }

  /** Notes a heartbeat's arrival at `nowMs` (monotonic). */
  arrived(nowMs: number): void {
    if (this.#lastArrivalMs !== undefined && !this.#excused) {
      this.#remember((nowMs - this.#lastArrivalMs) / this.#scale)
    }
    this.#excused = false
    this.#lastArrivalMs = nowMs
  }

  /** A sign of life from `atMs`, which may be long ago, came by some other way than heartbeats do. */
  spoke(atMs: number): void {
    if (this.#lastArrivalMs !== undefined && atMs <= this.#lastArrivalMs) return
    this.#lastArrivalMs = atMs
    this.#excused = true
  }

  /** Begins the silence anew, for a reason other than a heartbeat: the observer itself was away, or there was a hello. */
  excuse(nowMs: number): void {
    this.#lastArrivalMs = nowMs
    this.#excused = true
  }

  /** How suspicious the silence is at `nowMs`: 0 just after a heartbeat, growing without bound. */
  phi(nowMs: number): number {
    if (this.#lastArrivalMs === undefined) return 0
    const count = this.#intervals.length
    const { expectedIntervalMs, deviationMinMs } = this.#options
    const meanMs = count === 0 ? expectedIntervalMs : this.#sum / count
    const variance = count === 0 ? 0 : Math.max(0, this.#sumOfSquares / count - meanMs * meanMs)
    return phi(
      (nowMs - this.#lastArrivalMs) / this.#scale,
      meanMs,
      Math.max(deviationMinMs, Math.sqrt(variance)),
    )
  }

  #remember(seenMs: number): void {
    const { expectedIntervalMs } = this.#options
    // A sender may speak more often than it has to, and stop doing so: of how late it can be that says nothing.
    const intervalMs = clamp(seenMs, expectedIntervalMs, OUTAGE_FACTOR * expectedIntervalMs)
    const old = this.#intervals[this.#next] ?? 0
    this.#intervals[this.#next] = intervalMs
    this.#next = (this.#next + 1) % this.#options.windowSize
    this.#sum += intervalMs - old
    this.#sumOfSquares += intervalMs * intervalMs - old * old
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(value, max))
}

/**
 * −log10 of the chance that a normally distributed interval is longer than `silenceMs`. The tail uses the
 * logistic approximation of the normal distribution (Bowling et al., 2009), as production detectors do; far
 * out, where the chance underflows, it goes on growing with the silence.
 */
export function phi(silenceMs: number, meanMs: number, deviationMs: number): number {
  const y = (silenceMs - meanMs) / deviationMs
  const exponent = y * (1.5976 + 0.070566 * y * y)
  // log10(1 + e^x), without overflow for large x.
  return exponent > 700 ? exponent / Math.LN10 : Math.log1p(Math.exp(exponent)) / Math.LN10
}
