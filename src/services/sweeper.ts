/**
 * Sweeping: collects what has expired or was cleared, at intervals, and a slice at a time, so that a million entries
 * that expire together never hold up the event loop.
 */
import type { Horizon } from '../core/counted.js'
import type { Store } from '../core/store.js'
import type { Runtime, Timer } from './ports.js'

/** Items collected before the event loop gets its turn: well under a millisecond's work. */
const SLICE_ITEMS = 500

export interface SweeperOptions {
  readonly intervalMs: number
  /** As of when nobody takes account any more of what has lapsed. */
  readonly horizon: () => Horizon
}

export class Sweeper {
  readonly #runtime: Runtime
  readonly #store: Store
  readonly #options: SweeperOptions
  #timer: Timer | undefined

  constructor(runtime: Runtime, store: Store, options: SweeperOptions) {
    this.#runtime = runtime
    this.#store = store
    this.#options = options
  }

  start(): void {
    this.#timer = this.#runtime.scheduler.after(this.#options.intervalMs, () => {
      this.#store.advance(this.#options.horizon())
      this.#sweep()
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #sweep(): void {
    const more = this.#store.sweep(SLICE_ITEMS)
    if (more) this.#timer = this.#runtime.scheduler.defer(() => this.#sweep())
    else this.start()
  }
}
