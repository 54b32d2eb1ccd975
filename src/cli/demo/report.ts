/**
 * What the demo says: a line with ✓ or ✗ for each step, and whether nothing was lost at the end.
 */
import { coloured } from '../colour.js'
import { counted, formatMs } from '../format.js'
import { printJson, printLine } from '../output.js'

/** What came of a step. */
export interface StepResult {
  readonly ok: boolean
  /** One line for people. */
  readonly text: string
  /** Further lines. */
  readonly details?: readonly string[]
  /** For scripts. */
  readonly figures: Readonly<Record<string, unknown>>
  /** Keys that should have been there and were not, or had another value. */
  readonly lostCount?: number
  /** The steps that follow cannot be taken. */
  readonly isLast?: boolean
}

/** Tells of the steps as they end, and sums them up. */
export class DemoReport {
  readonly #startedAt = performance.now()
  readonly #figures: Record<string, unknown> = {}
  readonly #failed: string[] = []
  #lostCount = 0

  constructor(private readonly json: boolean) {}

  /** A line that is no step. */
  say(text: string): void {
    if (!this.json) printLine(text)
  }

  /** Tells what came of a step. */
  tell(name: string, { ok, text, details = [], figures, lostCount = 0 }: StepResult): void {
    this.#figures[name] = figures
    this.#lostCount += lostCount
    if (!ok) this.#failed.push(name)
    if (this.json) {
      printJson({ event: 'step', step: name, ok, ...figures })
      return
    }
    printLine(`${ok ? coloured('green', '✓') : coloured('red', '✗')} ${text}`)
    for (const detail of details) printLine(`    ${detail}`)
  }

  /** Tells the outcome. Returns whether every step held. */
  summarize(): boolean {
    const ok = this.#failed.length === 0
    const tookMs = Math.round(performance.now() - this.#startedAt)
    if (this.json) {
      const lostCount = this.#lostCount
      const failed = this.#failed
      printJson({ event: 'summary', ok, lostCount, failed, tookMs, figures: this.#figures })
      return ok
    }
    const took = `in ${formatMs(tookMs)}`
    printLine('')
    if (ok) printLine(`Nothing was lost, ${took}. Next: hearsay up`)
    else
      printLine(
        `Failed ${took}: ${this.#failed.join(', ')}; ${counted(this.#lostCount, 'key')} lost`,
      )
    return ok
  }
}
