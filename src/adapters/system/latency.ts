/**
 * Latencies in a high dynamic range histogram (Tene's HdrHistogram, as built into Node), over the last minute or so:
 * two histograms of half a minute each, the older one dropped when the newer is full.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { Clock, LatencyRecorder, LatencySummary } from '../../services/ports.js'

/** Time that one of the two histograms covers, in ms. */
const HALF_MS = 30_000

/** A summary is made anew after this time, in ms: putting two histograms together takes a while. */
const SUMMARY_AGE_MAX_MS = 100

const NS_PER_MS = 1e6

/** Longest latency that is told apart, in ns: an hour. What is longer counts as that. */
const HIGHEST_NS = 3_600e9

/** To two digits, and no further than an hour: a few kilobytes, where the default takes hundreds. */
function newHistogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: HIGHEST_NS, figures: 2 })
}

export class HistogramLatency implements LatencyRecorder {
  readonly #clock: Clock
  #current: RecordableHistogram = newHistogram()
  #previous: RecordableHistogram = newHistogram()
  /** Scratch: both together. A histogram is memory outside the heap, too dear to make anew for each summary. */
  readonly #both: RecordableHistogram = newHistogram()
  #sinceMs: number
  #summary: LatencySummary = { avgMs: 0, p95Ms: 0, p99Ms: 0 }
  #summarizedAtMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
    this.#sinceMs = clock.monotonicMs()
  }

  record(latencyMs: number): void {
    const latencyNs = Math.round(latencyMs * NS_PER_MS)
    this.#current.record(Math.min(Math.max(latencyNs, 1), HIGHEST_NS))
  }

  summary(): LatencySummary {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#summarizedAtMs >= SUMMARY_AGE_MAX_MS) {
      this.#summarizedAtMs = nowMs
      this.#summary = this.#summarize()
    }
    return this.#summary
  }

  #summarize(): LatencySummary {
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
    this.#previous = nowMs - this.#sinceMs < 2 * HALF_MS ? this.#current : newHistogram()
    this.#current = newHistogram()
    this.#sinceMs = nowMs
  }
}
