/** Runs every scenario under a few seeds: what it expects holds, and the checker finds nothing else wrong. */
import { describe, expect, it } from 'vitest'
import { FAULT_KINDS } from './faults.js'
import { printMoment, type Scenario } from './operations.js'
import { type Report, runPlan } from './run.js'
import { planOf, SCENARIOS } from './scenarios/index.js'

/** What a scenario proves must not hang on the luck of one draw. */
const SEEDS = [1, 2, 3]

/** Lines of history shown when a scenario fails. */
const TAIL_LINES = 40

describe('scenarios', () => {
  it('have names of their own, and say what they prove', () => {
    const names = SCENARIOS.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { name, proves } of SCENARIOS) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/)
      expect(proves.length, name).toBeGreaterThan(100)
    }
  })

  it('write every value once, so that it tells who wrote it', () => {
    for (const { name, steps } of SCENARIOS) {
      const values = steps.flatMap((step) => {
        if (step.do === 'set') return [step.value]
        return step.do === 'setMany' ? step.entries.map(([, value]) => value) : []
      })
      expect(new Set(values).size, name).toBe(values.length)
    }
  })

  it('show every kind of fault, and no other', () => {
    const shown = new Set(SCENARIOS.flatMap(({ shows }) => shows))
    expect([...shown].sort()).toEqual(Object.keys(FAULT_KINDS).sort())
  })

  it.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
    '%s',
    async (_, scenario) => {
      for (const seed of SEEDS) {
        const report = await runPlan(planOf(scenario), { seed, history: true })
        if (report.violations.length > 0) throw new Error(failureOf(scenario, report))
        // A step that came to nothing proves nothing.
        expect(report.history.filter((line) => / (is not there|does not run)/.test(line))).toEqual(
          [],
        )
      }
    },
  )
})

function failureOf({ name, proves }: Scenario, { seed, violations, history }: Report): string {
  // What was expected, and is not so, is said above.
  const happened = history.filter((line) => !/^ *[\d.]+ expect/.test(line))
  return [
    `${name} fails with seed ${seed}. ${proves}`,
    ...violations.map(({ atMs, rule, message }) => `${printMoment(atMs)} ${rule}: ${message}`),
    `the last of ${happened.length} lines of history:`,
    ...happened.slice(-TAIL_LINES),
  ].join('\n')
}
