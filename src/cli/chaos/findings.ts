/** What was found wrong in a chaos run. */

/** Which promise was broken. */
export type Rule =
  /** An acknowledged write is not there, and nothing later took its place. */
  | 'lost'
  /** Something is there that an acknowledged delete, clear or invalidation had undone. */
  | 'resurrected'
  /** Owners hold different copies in the end. */
  | 'differing'
  /** A value that nobody wrote there. */
  | 'phantom'
  /** A child read what is below its own acknowledged write. */
  | 'session'
  /** A member that ran was called dead and gave no cause. */
  | 'false death'
  /** A killed member is not called dead by all. */
  | 'undetected'
  /** Members do not agree in time on who is there, and on what each key is. */
  | 'convergence'
  /** A process ended by itself, or failed. */
  | 'crash'

export interface Finding {
  readonly rule: Rule
  readonly message: string
}

/** Findings that are kept with their words; of the others only how many there are. */
const KEPT_MAX = 100

export class Findings {
  readonly kept: Finding[] = []
  readonly #counts = new Map<Rule, number>()
  readonly #keys = new Map<Rule, Set<string>>()
  readonly #onFinding: (finding: Finding) => void

  constructor(onFinding: (finding: Finding) => void) {
    this.#onFinding = onFinding
  }

  /** @param key what it is about: it is counted once however often it is found there */
  add(rule: Rule, message: string, key = message): void {
    const keys = this.#keys.get(rule) ?? new Set()
    this.#keys.set(rule, keys)
    if (keys.size < KEPT_MAX) keys.add(key)
    this.#counts.set(rule, (this.#counts.get(rule) ?? 0) + 1)
    if (this.kept.length >= KEPT_MAX) return
    this.kept.push({ rule, message })
    this.#onFinding({ rule, message })
  }

  /** How often a rule was broken. */
  count(rule: Rule): number {
    return this.#counts.get(rule) ?? 0
  }

  /** Of how many keys. */
  keyCount(rule: Rule): number {
    return this.#keys.get(rule)?.size ?? 0
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }
}
