/**
 * A pace for bytes: work that could take a link to itself waits so that it takes no more than its share.
 */
import type { Pauses } from './pauses.js'
import type { Clock } from './ports.js'

/** Bytes that go at once, however slow the pace: in ms of it. */
const BURST_MS = 50

export class Pace {
  readonly #clock: Clock
  readonly #pauses: Pauses
  readonly #bytesPerMs: number
  /** When all bytes so far have had their time, by the monotonic clock. */
  #doneAtMs = 0

  constructor(clock: Clock, pauses: Pauses, bytesPerSecond: number) {
    this.#clock = clock
    this.#pauses = pauses
    this.#bytesPerMs = bytesPerSecond / 1_000
  }

  /** Resolves when so many bytes more may go. */
  async take(bytes: number): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    this.#doneAtMs = Math.max(this.#doneAtMs, nowMs) + bytes / this.#bytesPerMs
    const aheadMs = this.#doneAtMs - nowMs
    if (aheadMs > BURST_MS) await this.#pauses.pause(aheadMs - BURST_MS)
  }
}
