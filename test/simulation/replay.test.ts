/**
 * A seed is a run: told line by line, with every message and every frame, it comes out the same each time, alone or
 * beside others, in this process or in another.
 */
import { describe, expect, it } from 'vitest'
import { FAULT_KINDS } from './faults.js'
import { generatePlan } from './generate.js'
import { runPlan } from './run.js'
import { simulate } from './support/simulate.js'

const TIMEOUT_MS = 120_000

/** Lines shown on either side of the first that differs. */
const CONTEXT_LINES = 3

/** A few seeds that together show every kind of fault. */
function seedsOfAllKinds(): number[] {
  const left = new Set(Object.keys(FAULT_KINDS))
  const seeds: number[] = []
  for (let seed = 1; left.size > 0; seed++) {
    const before = left.size
    for (const { kind } of generatePlan(seed).faults) left.delete(kind)
    if (left.size < before) seeds.push(seed)
  }
  return seeds
}

async function historyOf(seed: number): Promise<readonly string[]> {
  return (await runPlan(generatePlan(seed), { seed, history: 'wire' })).history
}

/** Where two histories part; undefined when they are the same. */
function difference(a: readonly string[], b: readonly string[]): string | undefined {
  const length = Math.max(a.length, b.length)
  const at = Array.from({ length }, (_, index) => index).find((index) => a[index] !== b[index])
  if (at === undefined) return undefined
  const around = (lines: readonly string[]) =>
    lines.slice(Math.max(0, at - CONTEXT_LINES), at + CONTEXT_LINES + 1).join('\n')
  return `they part in line ${at + 1}:\n${around(a)}\n\n${around(b)}`
}

describe('replay', () => {
  it.each(seedsOfAllKinds())(
    'of seed %i is the same, line for line',
    async (seed) => {
      const first = await historyOf(seed)
      expect(first.some((line) => line.includes('hearsay/hearsay/ops'))).toBe(true)
      expect(first.some((line) => line.includes(' channel '))).toBe(true)
      expect(difference(first, await historyOf(seed))).toBeUndefined()
    },
    TIMEOUT_MS,
  )

  it(
    'is the same beside other runs in the same process',
    async () => {
      const alone = await historyOf(1)
      const [beside, other] = await Promise.all([historyOf(1), historyOf(2)])
      expect(difference(alone, beside)).toBeUndefined()
      expect(difference(alone, other)).toBeDefined()
    },
    TIMEOUT_MS,
  )

  it(
    'is the same in other processes',
    async () => {
      const history = async () => {
        const { stdout } = await simulate(['--seed', '1', '--wire', '--json'])
        const lines = stdout.split('\n').map((line) => JSON.parse(line))
        return lines.flatMap(({ event, line }) => (event === 'history' ? [line as string] : []))
      }
      const here = await historyOf(1)
      const [one, two] = await Promise.all([history(), history()])
      expect(difference(one, two)).toBeUndefined()
      expect(difference(here, one)).toBeUndefined()
    },
    TIMEOUT_MS,
  )
})
