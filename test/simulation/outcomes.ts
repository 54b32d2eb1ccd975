/** What came of the calls that callers made: every one settles, with a result or an error that callers can handle. */
import type { SimulatedProcess } from '../../src/testing/simulation.js'
import type { Violations } from './checker/violations.js'

interface Call {
  readonly process: SimulatedProcess
  readonly what: string
  readonly beganAtMs: number
  /** Whether it is to end in time: its peer was serving when it began. */
  readonly isTimed: boolean
  /** Whether nothing had gone wrong when it began. */
  readonly isUndisturbed: boolean
  outcome: string
}

/** Calls that wait for nothing but others, each at most so many times `syncTimeoutMs`: for room, twice, and for answers. */
const TIMED = new Set(['set', 'delete', 'clear', 'invalidate', 'get', 'getMany'])
const WAITS_MAX = 3

/** What may come of a call that was made rightly, on a mesh that is broken: anything else is a mistake. */
const EXPECTED_CODES = new Set([
  'NOT_CONFIRMED',
  'CLOCK_SKEW',
  'SYNC_QUEUE_FULL',
  'HINTS_FULL',
  'PEER_STOPPED',
  'VALUE_TOO_LARGE',
])

/** What comes of what a caller asks wrongly. */
const CALLERS_OWN = new Set(['VALUE_TOO_LARGE'])

/** For timers of a clock that drifts, and for what takes its turn after them, in ms. */
const MARGIN_MS = 2_000

export interface OutcomeOptions {
  readonly nowMs: () => number
  readonly syncTimeoutMs: number
  /** Whether a process has stood still since a moment. */
  readonly hasStoodStill: (process: SimulatedProcess, sinceMs: number) => boolean
  /** Whether nothing has gone wrong yet: no fault, and nobody who stopped. */
  readonly isUndisturbed: () => boolean
}

export class Outcomes {
  readonly #violations: Violations
  readonly #options: OutcomeOptions
  readonly #pending = new Set<Call>()
  /** The latest outcome by `<member> <operation>`. */
  readonly #latest = new Map<string, Call>()

  constructor(violations: Violations, options: OutcomeOptions) {
    this.#violations = violations
    this.#options = options
  }

  /** Follows a call until it settles. */
  follow(
    process: SimulatedProcess,
    what: string,
    promise: Promise<unknown>,
    onSettled: (outcome: string) => void,
  ): void {
    const beganAtMs = this.#options.nowMs()
    const isTimed = TIMED.has(what) && process.peer.status === 'serving'
    const isUndisturbed = process.peer.status === 'serving' && this.#options.isUndisturbed()
    const call: Call = { process, what, outcome: 'pending', beganAtMs, isTimed, isUndisturbed }
    this.#pending.add(call)
    this.#latest.set(`${process.id} ${what}`, call)
    const settled = (outcome: string) => {
      this.#pending.delete(call)
      call.outcome = outcome
      this.#checkTime(call)
      onSettled(outcome)
    }
    promise.then(
      () => settled('ok'),
      (error: unknown) => {
        const { code } = error as { code?: unknown }
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
        if (typeof code !== 'string' || !EXPECTED_CODES.has(code)) {
          this.#violations.add('outcome', `${what} at ${process.id} failed with ${text}`)
        } else if (isUndisturbed && this.#options.isUndisturbed() && !CALLERS_OWN.has(code)) {
          const when = 'though nothing had gone wrong'
          this.#violations.add('available', `${what} at ${process.id} failed, ${when}: ${text}`)
        }
        settled(String(code))
      },
    )
  }

  #checkTime({ process, what, beganAtMs, isTimed }: Call): void {
    const { nowMs, syncTimeoutMs, hasStoodStill } = this.#options
    const tookMs = nowMs() - beganAtMs
    if (!isTimed || tookMs <= WAITS_MAX * syncTimeoutMs + MARGIN_MS) return
    if (hasStoodStill(process, beganAtMs)) return
    this.#violations.add('outcome', `${what} at ${process.id} took ${Math.round(tookMs)} ms`)
  }

  /** `ok`, `pending`, or an error's code; undefined when there was no such call. */
  latest(member: string, what: string): string | undefined {
    return this.#latest.get(`${member} ${what}`)?.outcome
  }

  /** Whether somebody is still stopping. */
  get isStopping(): boolean {
    return [...this.#pending].some(({ what, process }) => what === 'stop' && !process.time.isKilled)
  }

  /** After all have stopped: nobody waits any more, but those whose process was killed. */
  checkAllSettled(): void {
    for (const { process, what } of this.#pending) {
      if (process.time.isKilled) continue
      this.#violations.add('outcome', `${what} at ${process.id} never settled`)
    }
  }
}
