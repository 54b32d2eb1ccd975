/** How far `simulate --runs` is: a live line in a terminal, a line now and then elsewhere. */
import { counted, formatCount } from '../../../src/cli/format.js'
import { printLine } from '../../../src/cli/output.js'
import type { Outcome } from './seeds.js'

/** Time between two frames of the live line, in ms. */
const FRAME_MS = 100

/** Time to the first line elsewhere, and between two, in ms. */
const FIRST_LINE_MS = 2_000
const LINE_MS = 10_000

/** What has been counted so far. */
export class Tally {
  readonly failedSeeds: number[] = []
  doneCount = 0
  violationCount = 0
  simulatedMs = 0
  workCount = 0
  recordCount = 0
  readonly #startedAtMs = performance.now()
  #lastAtMs = this.#startedAtMs

  add({ seed, violations, simulatedMs, workCount, recordCount }: Outcome): void {
    this.#lastAtMs = performance.now()
    this.doneCount++
    this.violationCount += violations.length
    this.simulatedMs += simulatedMs
    this.workCount += workCount
    this.recordCount += recordCount
    if (violations.length > 0) this.failedSeeds.push(seed)
  }

  /** From the start to the last seed that was done, in ms. */
  get elapsedMs(): number {
    return this.#lastAtMs - this.#startedAtMs
  }

  /** `12 of 500 seeds, 5.1 seeds/s, 306 simulated s/s, no violation`. */
  describe(runs: number): string {
    if (this.doneCount === 0) return `0 of ${counted(runs, 'seed')}`
    const elapsedS = this.elapsedMs / 1_000
    const done = this.doneCount === runs ? '' : `${formatCount(this.doneCount)} of `
    return [
      `${done}${counted(runs, 'seed')}`,
      `${(this.doneCount / elapsedS).toFixed(1)} seeds/s`,
      `${formatCount(Math.round(this.simulatedMs / 1_000 / elapsedS))} simulated s/s`,
      this.violationCount === 0 ? 'no violation' : this.#failures(),
    ].join(', ')
  }

  #failures(): string {
    return `${counted(this.violationCount, 'violation')} in ${counted(this.failedSeeds.length, 'seed')}`
  }
}

export interface Progress {
  /** Shows where things stand, unless that was done just now. */
  show(text: () => string): void
  /** Takes the live line away, so that something else can be printed. */
  clear(): void
}

/** Shows nothing. */
export const NO_PROGRESS: Progress = { show: () => {}, clear: () => {} }

export function createProgress(): Progress {
  return process.stdout.isTTY ? new LiveLine() : new PlainLines()
}

/** To the line's beginning, and what stands there erased. */
const CLEAR_LINE = '\r\x1b[2K'

class LiveLine implements Progress {
  #shownAtMs = Number.NEGATIVE_INFINITY

  show(text: () => string): void {
    const nowMs = performance.now()
    if (nowMs - this.#shownAtMs < FRAME_MS) return
    this.#shownAtMs = nowMs
    // A line that is wrapped could not be erased.
    process.stdout.write(CLEAR_LINE + text().slice(0, process.stdout.columns - 1))
  }

  clear(): void {
    process.stdout.write(CLEAR_LINE)
    this.#shownAtMs = Number.NEGATIVE_INFINITY
  }
}

class PlainLines implements Progress {
  #dueAtMs = performance.now() + FIRST_LINE_MS

  show(text: () => string): void {
    const nowMs = performance.now()
    if (nowMs < this.#dueAtMs) return
    this.#dueAtMs = nowMs + LINE_MS
    printLine(text())
  }

  clear(): void {}
}
