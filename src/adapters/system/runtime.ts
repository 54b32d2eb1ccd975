/**
 * Real time, real chance: the runtime of production.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock, LoopMonitor, Random, Scheduler } from '../../services/ports.js'

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
}

export const systemScheduler: Scheduler = {
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
  defer(task) {
    const immediate = setImmediate(task)
    return { cancel: () => clearImmediate(immediate) }
  },
}

export const systemRandom: Random = { next: () => Math.random() }

/** How often the event loop's delay is measured, in ms; it costs next to nothing, for no JavaScript runs. */
const LOOP_RESOLUTION_MS = 20

/** Delays below this are of no interest, in ms. */
const LOOP_DELAY_MIN_MS = 50

/** The delay of the event loop, as libuv sees it: also of what begins and ends between two timers of ours. */
export class SystemLoopMonitor implements LoopMonitor {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({
    resolution: LOOP_RESOLUTION_MS,
  })

  start(): void {
    this.#histogram.enable()
  }

  stop(): void {
    this.#histogram.disable()
  }

  takeWorstMs(): number {
    const worstMs = this.#histogram.max / 1e6 - LOOP_RESOLUTION_MS
    if (worstMs < LOOP_DELAY_MIN_MS) return 0
    // The delay that is under way when the histogram is reset is not seen: so not more often than there is a reason.
    this.#histogram.reset()
    return worstMs
  }
}
