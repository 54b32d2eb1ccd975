/**
 * Waits that end when their service does.
 */
import type { Scheduler } from './ports.js'

/** The waits of a service: all are over at once when it stops, so that it leaves nothing scheduled. */
export class Pauses {
  readonly #scheduler: Scheduler
  /** What ends each wait that is going on. */
  readonly #ends = new Set<() => void>()
  #isOver = false

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Resolves after a while, or when the service stops. */
  async pause(delayMs: number): Promise<void> {
    if (this.#isOver) return
    await new Promise<void>((resolve) => {
      const end = () => {
        timer.cancel()
        this.#ends.delete(end)
        resolve()
      }
      const timer = this.#scheduler.after(delayMs, end)
      this.#ends.add(end)
    })
  }

  /** Ends all waits, now and from now on. */
  end(): void {
    this.#isOver = true
    for (const end of [...this.#ends]) end()
  }
}
