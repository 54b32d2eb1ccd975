/** What the checker found wrong. */

/** A promise that was broken. */
export interface Violation {
  readonly atMs: number
  /** Stable name of the rule. */
  readonly rule: Rule
  readonly message: string
}

export type Rule =
  | 'convergence'
  | 'session'
  | 'phantom'
  | 'clock'
  | 'ack'
  | 'stale'
  | 'placement'
  | 'flush'
  | 'joiner'
  | 'membership'
  | 'digest'
  | 'false death'
  | 'revival'
  | 'undetected'
  | 'available'
  | 'bounds'
  | 'outcome'
  | 'stop'
  | 'error'
  | 'expectation'

/** Beyond it, what follows from the first is no news. */
const VIOLATIONS_MAX = 20

export class Violations {
  readonly list: Violation[] = []
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  add(rule: Rule, message: string): void {
    if (this.list.length >= VIOLATIONS_MAX) return
    this.list.push({ atMs: this.#nowMs(), rule, message })
  }
}
