/** Many seeds, all kinds of faults: no promise is broken. `HEARSAY_SIMULATE_SEEDS` says how many seeds. */
import { describe, expect, it } from 'vitest'
import { replayCommand } from './command/flags.js'
import { type Outcome, runSeed } from './command/seeds.js'
import { printMoment } from './operations.js'

const SEEDS_DEFAULT = 300

/** Tests that share the seeds, so that progress shows. */
const TESTS = 10

/** Far beyond what a slow machine takes: being slow is no failure. */
const TIMEOUT_MS = 1_800_000

/** Violations shown of a seed that fails. */
const SHOWN_MAX = 5

/** The first and the last seed of each test. */
function chunks(count: number): Array<[first: number, last: number]> {
  const size = Math.ceil(count / TESTS)
  const firsts = Array.from({ length: Math.ceil(count / size) }, (_, index) => index * size + 1)
  return firsts.map((first) => [first, Math.min(count, first + size - 1)])
}

function seedCount(): number {
  const given = process.env.HEARSAY_SIMULATE_SEEDS ?? ''
  if (given === '') return SEEDS_DEFAULT
  if (!/^[1-9]\d*$/.test(given)) throw new Error(`HEARSAY_SIMULATE_SEEDS is ${given}, not a number`)
  return Number(given)
}

function describeFailure({ seed, violations }: Outcome): string {
  // One that shows at every look says the same each time.
  const different = violations.filter(
    ({ message }, index) => violations.findIndex((other) => other.message === message) === index,
  )
  const shown = different.slice(0, SHOWN_MAX)
  const lines = shown.map(({ atMs, rule, message }) => `${printMoment(atMs)} ${rule}: ${message}`)
  const left = different.length - shown.length
  if (left > 0) lines.push(`         and ${left} others`)
  return [`seed ${seed}, to see it happen: ${replayCommand(seed)}`, ...lines].join('\n')
}

describe('simulated meshes keep every promise', () => {
  it.each(chunks(seedCount()))(
    'in seeds %i to %i',
    async (first, last) => {
      const failures: string[] = []
      for (let seed = first; seed <= last; seed++) {
        const outcome = await runSeed(seed, {})
        if (outcome.violations.length > 0) failures.push(describeFailure(outcome))
      }
      if (failures.length > 0) expect.fail(`${failures.length} failed\n${failures.join('\n')}`)
    },
    TIMEOUT_MS,
  )
})
