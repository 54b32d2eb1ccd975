/**
 * A queue of those who wait for room: first come, first served, each with a deadline and a way to give up.
 */
import { onAbort } from './abortable.js'
import type { Scheduler, Timer } from './ports.js'

interface Waiter {
  readonly grant: () => void
  readonly fail: (error: unknown) => void
  readonly timer: Timer
}

export class Room {
  readonly #scheduler: Scheduler
  readonly #timeoutMs: number
  readonly #timedOut: () => Error
  readonly #waiters = new Set<Waiter>()
  #waitCount = 0

  /** @param timedOut why there was no room within `timeoutMs` */
  constructor(scheduler: Scheduler, timeoutMs: number, timedOut: () => Error) {
    this.#scheduler = scheduler
    this.#timeoutMs = timeoutMs
    this.#timedOut = timedOut
  }

  /** How many wait. */
  get size(): number {
    return this.#waiters.size
  }

  /** How many have ever had to. */
  get waitCount(): number {
    return this.#waitCount
  }

  /**
   * Waits for a turn.
   * @param onGranted called as soon as it has come, before the next is looked at
   * @throws the signal's reason when it aborts; what `timedOut` says
   */
  async wait(signal?: AbortSignal, onGranted: () => void = () => {}): Promise<void> {
    this.#waitCount++
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        this.#waiters.delete(waiter)
        waiter.timer.cancel()
        stopListening?.()
      }
      const waiter: Waiter = {
        grant: () => {
          leave()
          onGranted()
          resolve()
        },
        fail: (error) => {
          leave()
          reject(error as Error)
        },
        timer: this.#scheduler.after(this.#timeoutMs, () => waiter.fail(this.#timedOut())),
      }
      this.#waiters.add(waiter)
      const stopListening = signal && onAbort(signal, () => waiter.fail(signal.reason))
    })
  }

  /** Lets in who has waited longest, as long as there is room; `hasRoom` is asked before each. */
  grant(hasRoom: () => boolean): void {
    for (const waiter of this.#waiters) {
      if (!hasRoom()) return
      waiter.grant()
    }
  }

  /** Turns away all who wait. */
  close(error: Error): void {
    for (const waiter of [...this.#waiters]) waiter.fail(error)
  }
}
