/**
 * Simulated time: a clock that moves only when it is told to, and a scheduler that runs what comes due, in an order
 * that is the same in every run.
 *
 * Between two events everything that waits for a promise goes on until nothing is left to do. The event loop itself
 * is used for that: Node runs all microtasks after each immediate, so that one immediate an event is all it takes.
 */
import type { Clock, Scheduler, Timer } from '../../services/ports.js'
import { EventQueue, SimulatedEvent } from './event-queue.js'
import { SimulatedMember, type Timeline } from './member.js'

/** The real ones, whatever a test puts in their place later: without them simulated time could not go on. */
const { setImmediate, clearImmediate } = globalThis

/** Wall time at which a simulation begins, unless told otherwise. */
const EPOCH_MS = Date.UTC(2026, 0, 1)

/**
 * Events that run in one turn of the event loop: few at first, for many runs are short, then twice as many in each. Each is an
 * immediate of its own, after which Node runs all microtasks, so that whatever an event sets off is over before the next; a
 * turn for each would cost a system call each.
 */
const EVENTS_PER_TURN_MIN = 8
const EVENTS_PER_TURN_MAX = 64

/** Simulated time after which a wait is given up, unless told otherwise. */
const LIMIT_MS = 60_000

/** Simulated time was over before what was waited for. */
export class OutOfTimeError extends Error {}

export class SimulatedTime implements Clock, Scheduler {
  readonly #queue = new EventQueue()
  readonly #timeline: Timeline & { elapsedMs: number }
  readonly #epochMs: number
  #sequence = 0
  #waitingCount = 0
  #isRunning = false
  /** One for all events: there are many. */
  readonly #onCancel = (event: SimulatedEvent) => {
    this.#settle(event)
    this.#queue.noteCancelled()
  }

  constructor({ epochMs = EPOCH_MS }: { readonly epochMs?: number } = {}) {
    this.#epochMs = epochMs
    this.#timeline = {
      epochMs,
      elapsedMs: 0,
      schedule: (delayMs, task, owner) => this.#schedule(delayMs, task, owner),
      release: (events) => {
        for (const event of events) this.#release(event)
      },
    }
  }

  now(): number {
    return Math.floor(this.#epochMs + this.#timeline.elapsedMs)
  }

  monotonicMs(): number {
    return this.#timeline.elapsedMs
  }

  after(delayMs: number, task: () => void): Timer {
    return this.#schedule(Math.max(0, delayMs), task, undefined)
  }

  defer(task: () => void): Timer {
    return this.after(0, task)
  }

  /** Time for one more member: a clock and a scheduler of its own. */
  member(): SimulatedMember {
    return new SimulatedMember(this.#timeline)
  }

  /** Tasks that are scheduled and have neither run nor been cancelled. */
  get pending(): number {
    return this.#waitingCount
  }

  /** Lets time pass, and runs all that comes due. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#timeline.elapsedMs + ms
    await this.#run(untilMs, () => false)
    this.#timeline.elapsedMs = untilMs
  }

  /** Lets time pass until `condition` holds; it is asked after every event. @throws when it does not within `limitMs` */
  async runUntil(condition: () => boolean, limitMs = LIMIT_MS): Promise<void> {
    if (await this.#run(this.#timeline.elapsedMs + limitMs, condition)) return
    throw new OutOfTimeError(`not so within ${limitMs} simulated ms: ${String(condition)}`)
  }

  /** Lets time pass until a promise settles, and settles like it. @throws when it does not within `limitMs` */
  async settled<T>(promise: Promise<T>, limitMs = LIMIT_MS): Promise<T> {
    let isSettled = false
    const note = () => {
      isSettled = true
    }
    promise.then(note, note)
    if (await this.#run(this.#timeline.elapsedMs + limitMs, () => isSettled)) return await promise
    throw new OutOfTimeError(`a promise did not settle within ${limitMs} simulated ms`)
  }

  #schedule(delayMs: number, task: () => void, owner: SimulatedMember | undefined): SimulatedEvent {
    const dueMs = this.#timeline.elapsedMs + delayMs
    const event = new SimulatedEvent(dueMs, this.#sequence++, owner, task, this.#onCancel)
    this.#waitingCount++
    this.#queue.push(event)
    return event
  }

  #release(event: SimulatedEvent): void {
    if (!event.isWaiting) return
    event.runAtMs = this.#timeline.elapsedMs
    this.#queue.push(event)
  }

  #settle(event: SimulatedEvent): void {
    this.#waitingCount--
    event.owner?.settled(event)
  }

  /** Runs events up to a moment, or until `isDone`. Resolves to whether it is done. */
  #run(untilMs: number, isDone: () => boolean): Promise<boolean> {
    if (this.#isRunning) throw new Error('simulated time is already being advanced')
    this.#isRunning = true
    return new Promise<boolean>((resolve, reject) => {
      const turn: NodeJS.Immediate[] = []
      const end = () => {
        this.#isRunning = false
        for (const immediate of turn) clearImmediate(immediate)
      }
      const step = () => {
        try {
          const done = isDone()
          if (!done && this.#step(untilMs)) return
          end()
          resolve(done)
        } catch (error) {
          end()
          reject(error)
        }
      }
      let eventsPerTurn = EVENTS_PER_TURN_MIN
      const fillTurn = () => {
        turn.length = 0
        for (let i = 0; i < eventsPerTurn; i++) turn.push(setImmediate(step))
        turn.push(setImmediate(fillTurn))
        eventsPerTurn = Math.min(2 * eventsPerTurn, EVENTS_PER_TURN_MAX)
      }
      fillTurn()
    })
  }

  /** Runs the next event. False when there is none up to `untilMs`. */
  #step(untilMs: number): boolean {
    while (true) {
      const event = this.#queue.take(untilMs)
      if (event === undefined) return false
      this.#timeline.elapsedMs = Math.max(this.#timeline.elapsedMs, event.runAtMs)
      if (event.owner?.admit(event) === false) continue
      event.isWaiting = false
      this.#settle(event)
      event.task()
      return true
    }
  }
}
