/** Looks for a planted bug: runs one plan after the other on the code that has it, until the checker finds it. */
import type { Violation } from '../checker/violations.js'
import { generatePlan } from '../generate.js'
import type { Plan, Step } from '../operations.js'
import type { Report } from '../run.js'
import { planOf } from '../scenarios/steps.js'
import type { PlantedBug } from './bugs.js'
import { NO_BUG } from './plugin.js'
import type { Soil } from './soils.js'

/** Seeds that are gone through before a bug counts as missed. */
const SEEDS_MAX = 120

/** The same where a plan is given, and only delays and pauses are drawn. */
const PLAN_SEEDS_MAX = 10

/** From when the links of a soil are as it says, in ms: by then the members know each other. */
const LINK_FROM_MS = 1_000

/** Where a bug was found. */
export interface Finding {
  readonly seed: number
  /** Seeds that were run, this one included. */
  readonly runs: readonly Run[]
  readonly violation: Violation
}

/** One run that a seed draws. */
export interface Run {
  readonly seed: number
  readonly plan: Plan
}

/** Where the checker finds a bug; undefined when it misses it. */
export async function search({ name, soil, breaks }: PlantedBug): Promise<Finding | undefined> {
  const runPlan = await runnerWith(name)
  const runs: Run[] = []
  for (const run of runsOf(soil)) {
    runs.push(run)
    const { violations } = await runPlan(run.plan, { seed: run.seed })
    const violation = violations.find(({ rule }) => breaks.includes(rule))
    if (violation !== undefined) return { seed: run.seed, runs, violation }
  }
  return undefined
}

/** What the code without bugs does wrong, by the same way. */
export async function runWithoutBug({ seed, plan }: Run): Promise<Report> {
  const runPlan = await runnerWith(NO_BUG)
  return await runPlan(plan, { seed })
}

async function runnerWith(bug: string): Promise<typeof import('../run.js').runPlan> {
  // A variable: bundlers and type checkers know of no file with such a name.
  const url = `../run.js?planted=${bug}`
  const { runPlan } = (await import(/* @vite-ignore */ url)) as typeof import('../run.js')
  return runPlan
}

function* runsOf(soil: Soil): Generator<Run> {
  const plan = soil.scenario ? planOf(soil.scenario) : soil.script && scripted(soil, soil.script)
  if (plan !== undefined) {
    for (let seed = 1; seed <= PLAN_SEEDS_MAX; seed++) yield { seed, plan }
    return
  }
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const plan = drawn(soil, seed)
    // Where no fault was drawn, there is nothing to find.
    if (plan.faults.length > 0 || soil.faults?.length === 0) yield { seed, plan }
  }
}

function scripted({ options = {} }: Soil, steps: readonly Step[]): Plan {
  return planOf({ name: '', proves: '', shows: [], options, steps })
}

function drawn(soil: Soil, seed: number): Plan {
  const { options, link, ...generate } = soil
  const plan = generatePlan(seed, { replicas: 'all', ...generate })
  return {
    ...plan,
    options: { ...plan.options, ...options },
    work: [
      ...(link ? [{ atMs: LINK_FROM_MS, do: 'link' as const, settings: link }] : []),
      ...plan.work,
    ],
  }
}
