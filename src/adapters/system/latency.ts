/**
 * Latencies in a high dynamic range histogram (Tene's HdrHistogram, as built into Node), over the last minute or so:
 * two histograms of half a minute each, the older one dropped when the newer is full.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { Clock, LatencyRecorder, LatencySummary } from '../../services/ports.js'

/** Time that one of the two histograms covers, in ms. */
const HALF_MS = 30_000

const NS_PER_MS = 1e6

export class HistogramLatency implements LatencyRecorder {
  readonly #clock: Clock
  #current: RecordableHistogram = createHistogram()
  #previous: RecordableHistogram = createHistogram()
  /** Scratch: both together. A histogram is memory outside the heap, too dear to make anew for each summary. */
  readonly #both: RecordableHistogram = createHistogram()
  #sinceMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#sinceMs = clock.monotonicMs()
  }

  record(latencyMs: number): void {
    this.#current.record(Math.max(1, Math.round(latencyMs * NS_PER_MS)))
  }

  summary(): LatencySummary {
    this.#rotate()
    const all = this.#both
    all.reset()
    all.add(this.#previous)
    all.add(this.#current)
    if (all.count === 0) return { avgMs: 0, p95Ms: 0, p99Ms: 0 }
    return {
      avgMs: all.mean / NS_PER_MS,
      p95Ms: all.percentile(95) / NS_PER_MS,
      p99Ms: all.percentile(99) / NS_PER_MS,
    }
  }

  #rotate(): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#sinceMs < HALF_MS) return
    this.#previous = nowMs - this.#sinceMs < 2 * HALF_MS ? this.#current : createHistogram()
    this.#current = createHistogram()
    this.#sinceMs = nowMs
  }
}
