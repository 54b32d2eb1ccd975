/**
 * Real time, real chance: the runtime of production.
 */
import type { Clock, Random, Scheduler } from '../../services/ports.js'

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
