/** What came of the calls that callers made: every one settles, with a result or an error that callers can handle. */
import type { SimulatedProcess } from '../../src/testing/simulation.js'
import type { Violations } from './checker/violations.js'

interface Call {
  readonly process: SimulatedProcess
  readonly what: string
  outcome: string
}

export class Outcomes {
  readonly #violations: Violations
  readonly #pending = new Set<Call>()
  /** The latest outcome by `<member> <operation>`. */
  readonly #latest = new Map<string, Call>()

  constructor(violations: Violations) {
    this.#violations = violations
  }

  /** Follows a call until it settles. */
  follow(
    process: SimulatedProcess,
    what: string,
    promise: Promise<unknown>,
    onSettled: (outcome: string) => void,
  ): void {
    const call: Call = { process, what, outcome: 'pending' }
    this.#pending.add(call)
    this.#latest.set(`${process.id} ${what}`, call)
    const settled = (outcome: string) => {
      this.#pending.delete(call)
      call.outcome = outcome
      onSettled(outcome)
    }
    promise.then(
      () => settled('ok'),
      (error: unknown) => {
        const { code } = error as { code?: unknown }
        if (typeof code !== 'string') {
          const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
          this.#violations.add('outcome', `${what} at ${process.id} failed with ${text}`)
        }
        settled(String(code))
      },
    )
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
