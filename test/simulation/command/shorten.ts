/** Shortens the script of a seed that failed, and tells it. */
import { counted } from '../../../src/cli/format.js'
import { printJson, printLine } from '../../../src/cli/output.js'
import type { Violation } from '../checker/violations.js'
import { generatePlan } from '../generate.js'
import { runPlan } from '../run.js'
import { type Shrunk, shrink } from '../shrink.js'
import { type Flags, generateOptions } from './flags.js'
import { printViolation } from './print.js'
import type { Progress } from './progress.js'
import { printScenario, printScript } from './script.js'
import type { Outcome } from './seeds.js'

/** Finds, and tells, a smaller plan that breaks the rule that the seed broke first. */
export async function shorten(
  outcome: Outcome,
  flags: Flags,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { seed, violations } = outcome
  const [violation] = violations as [Violation]
  let latest = violation
  const shrunk = await shrink(
    generatePlan(seed, generateOptions(flags)),
    async (plan) => {
      const report = await runPlan(plan, { seed })
      const same = report.violations.find(({ rule }) => rule === violation.rule)
      latest = same ?? latest
      return same !== undefined
    },
    {
      runsMax: flags.shrink,
      signal,
      violatedAtMs: violation.atMs,
      onRun: (count) => progress.show(() => `shortening the script of seed ${seed}: run ${count}`),
    },
  )
  progress.clear()
  if (flags.json) printJson({ event: 'script', seed, ...shrunk, violation: latest })
  else tell(seed, shrunk, latest)
}

function tell(seed: number, { plan, runCount, isMinimal }: Shrunk, violation: Violation): void {
  const left = isMinimal ? 'nothing can be left out' : 'a higher --shrink may find a shorter one'
  printLine(`a shorter script, found in ${counted(runCount, 'run')} (${left}):`)
  for (const line of printScript(plan)) printLine(line)
  printViolation(violation)
  printLine('')
  printLine('the same as a scenario, which runs with a seed of its own:')
  printLine(printScenario(`seed-${seed}`, plan))
  printLine('')
}
