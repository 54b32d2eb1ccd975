/**
 * Time as one member has it: a clock of its own that may be set wrong, step or drift, and a process that may stand
 * still or be killed.
 */
import type { Clock, LoopMonitor, Scheduler, Timer } from '../../services/ports.js'
import type { SimulatedEvent } from './event-queue.js'

/** What a member needs of the simulation it lives in. */
export interface Timeline {
  /** Ms since the simulation began. */
  readonly elapsedMs: number
  /** Wall time at which it began. */
  readonly epochMs: number
  schedule(delayMs: number, task: () => void, owner: SimulatedMember | undefined): SimulatedEvent
  /** Puts back events that were held, to run now. */
  release(events: readonly SimulatedEvent[]): void
}

export class SimulatedMember implements Clock, Scheduler, LoopMonitor {
  readonly #timeline: Timeline
  #offsetMs = 0
  /** Ms that pass on this member's clocks in one simulated ms, and both clocks when that was last set. */
  #rate = 1
  #setAtMs = 0
  #monotonicAtSetMs = 0
  /** Events that came due while the member stood still, in order. */
  #held: SimulatedEvent[] = []
  #isStalled = false
  #stalledAtMs = 0
  #worstStallMs = 0
  #wake: Timer | undefined
  readonly #waiting = new Set<SimulatedEvent>()
  #isKilled = false

  constructor(timeline: Timeline) {
    this.#timeline = timeline
    this.#setAtMs = timeline.elapsedMs
    this.#monotonicAtSetMs = timeline.elapsedMs
  }

  now(): number {
    return Math.floor(this.#timeline.epochMs + this.monotonicMs() + this.#offsetMs)
  }

  monotonicMs(): number {
    return this.#monotonicAtSetMs + (this.#timeline.elapsedMs - this.#setAtMs) * this.#rate
  }

  after(delayMs: number, task: () => void): Timer {
    if (this.#isKilled) return NEVER
    const event = this.#timeline.schedule(Math.max(0, delayMs) / this.#rate, task, this)
    this.#waiting.add(event)
    return event
  }

  defer(task: () => void): Timer {
    return this.after(0, task)
  }

  /** Tasks of this member that are scheduled and have neither run nor been cancelled. */
  get pending(): number {
    return this.#waiting.size
  }

  /** How wrong the wall clock is set, in ms, drift apart. */
  get offsetMs(): number {
    return this.#offsetMs
  }

  /** Sets the wall clock wrong by so much, at once. */
  setOffset(offsetMs: number): void {
    this.#offsetMs = offsetMs
  }

  /** Lets both clocks run fast or slow from now on: 0.01 is one per cent fast. */
  setDrift(drift: number): void {
    this.#monotonicAtSetMs = this.monotonicMs()
    this.#setAtMs = this.#timeline.elapsedMs
    this.#rate = 1 + drift
  }

  /** Sets the wall clock right again, whatever put it wrong. */
  correct(): void {
    this.#offsetMs = this.#timeline.elapsedMs - this.monotonicMs()
  }

  get isKilled(): boolean {
    return this.#isKilled
  }

  get isStalled(): boolean {
    return this.#isStalled
  }

  /** Stands still from now on: what comes due waits, and runs late, in order. */
  stall(durationMs = Number.POSITIVE_INFINITY): void {
    if (!this.#isStalled) this.#stalledAtMs = this.monotonicMs()
    this.#isStalled = true
    this.#wake?.cancel()
    this.#wake = undefined
    if (durationMs === Number.POSITIVE_INFINITY) return
    this.#wake = this.#timeline.schedule(durationMs, () => this.resume(), undefined)
  }

  /** Goes on after a stall. */
  resume(): void {
    if (this.#isStalled) {
      const stallMs = this.monotonicMs() - this.#stalledAtMs
      this.#worstStallMs = Math.max(this.#worstStallMs, stallMs)
    }
    this.#isStalled = false
    this.#wake?.cancel()
    this.#wake = undefined
    this.#timeline.release(this.#held.splice(0))
  }

  start(): void {}

  stop(): void {}

  takeWorstMs(): number {
    const worstMs = this.#worstStallMs
    this.#worstStallMs = 0
    return worstMs
  }

  /** Nothing of this member runs any more. */
  kill(): void {
    this.#isKilled = true
    this.#wake?.cancel()
    for (const event of [...this.#waiting]) event.cancel()
    this.#held = []
  }

  /** An event of this member has come up. Returns false when it has to wait. */
  admit(event: SimulatedEvent): boolean {
    if (this.#isStalled) this.#held.push(event)
    return !this.#isStalled
  }

  /** An event of this member has run, or was cancelled. */
  settled(event: SimulatedEvent): void {
    this.#waiting.delete(event)
  }
}

const NEVER: Timer = { cancel: () => {} }
