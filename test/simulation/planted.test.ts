/**
 * The test of the checker: bugs are planted in the code under test, one at a time (see planted/), and each has to be
 * found in a bounded number of seeds. The same runs without the bug have to be without a fault.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { printMoment } from './operations.js'
import { PLANTED_BUGS } from './planted/bugs.js'
import { type Finding, runWithoutBug, search } from './planted/search.js'

/** Far beyond what a slow machine takes. */
const TIMEOUT_MS = 300_000

/** Characters of a violation that are shown. */
const SHOWN_MAX = 120

const findings: string[] = []

afterAll(() => console.info(['planted bugs, and where they were found:', ...findings].join('\n')))

describe('the checker', () => {
  it.each(PLANTED_BUGS.map((bug) => [bug.is, bug] as const))(
    'finds %s',
    async (_, bug) => {
      const finding = await search(bug)
      if (finding === undefined) {
        const expected = bug.breaks.join(' or ')
        expect.fail(
          `${bug.name} was planted in ${bug.file}, and nothing broke the rule ${expected}`,
        )
      }
      findings.push(printFinding(bug.name, finding))
      // Or else it would not be this bug that was found.
      for (const run of finding.runs) {
        const { violations } = await runWithoutBug(run)
        expect(violations, `seed ${run.seed} without ${bug.name}`).toEqual([])
      }
    },
    TIMEOUT_MS,
  )
})

function printFinding(name: string, { seed, runs, violation }: Finding): string {
  const { atMs, rule, message } = violation
  const where = `seed ${String(seed).padEnd(2)} run ${String(runs.length).padEnd(2)}`
  const [what = ''] = message.split('\n')
  return `${name.padEnd(33)} ${where} ${printMoment(atMs)} ${rule}: ${what.slice(0, SHOWN_MAX)}`
}
