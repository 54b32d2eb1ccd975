/** Shortening a plan that fails: what is left still fails, and needs every part. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { RememberedKeys } from '../../src/core/remembered.js'
import { printScenario, printScript } from './command/script.js'
import { generatePlan } from './generate.js'
import { beginning, type Fault, type Plan, type Step, stepsOf } from './operations.js'
import { runPlan } from './run.js'
import { shrink } from './shrink.js'

const TIMEOUT_MS = 120_000

const MEMBERS = 3

function call(number: number): Step {
  return { atMs: 1_000 + number * 10, do: 'get', at: 'p01', key: `k${number}` }
}

function fault(number: number): Fault {
  const atMs = 2_000 + number * 100
  return {
    kind: `fault ${number}`,
    steps: [
      { atMs, do: 'cut', from: [`p0${number}`], to: ['p01'] },
      { atMs: atMs + 50, do: 'mend', from: [`p0${number}`], to: ['p01'] },
    ],
  }
}

function planOf(calls: number, faults: number): Plan {
  return {
    options: { maxItems: 8 },
    network: { forwardPeersMax: 1 },
    work: [...beginning(MEMBERS), ...Array.from({ length: calls }, (_, i) => call(i))],
    faults: Array.from({ length: faults }, (_, i) => fault(i)),
    healAtMs: 48_000,
    endAtMs: 60_000,
  }
}

/** Fails when all of these calls and faults are there. */
function failsWith(calls: readonly number[], faults: readonly number[]) {
  return async ({ work, faults: left }: Plan) =>
    calls.every((number) => work.some(({ atMs }) => atMs === call(number).atMs)) &&
    faults.every((number) => left.some(({ kind }) => kind === `fault ${number}`))
}

const keysOf = ({ work }: Plan) => work.flatMap((step) => (step.do === 'get' ? [step.key] : []))

describe('shrink', () => {
  it('leaves what it takes to fail, and the members that begin', async () => {
    const fails = vi.fn(failsWith([3, 400, 799], [2, 5]))
    const { plan, runCount, isMinimal } = await shrink(planOf(1_000, 9), fails, { runsMax: 500 })
    expect(keysOf(plan)).toEqual(['k3', 'k400', 'k799'])
    expect(plan.faults).toEqual([fault(2), fault(5)])
    expect(plan.work.slice(0, MEMBERS)).toEqual(beginning(MEMBERS))
    expect(isMinimal).toBe(true)
    expect(runCount).toBe(fails.mock.calls.length)
    expect(runCount).toBeLessThan(200)
  })

  it('takes out everything that does not matter at all', async () => {
    const { plan, runCount } = await shrink(planOf(1_000, 9), async () => true, { runsMax: 500 })
    expect(plan.work).toEqual(beginning(MEMBERS))
    expect(plan.faults).toEqual([])
    expect(plan).not.toHaveProperty('options')
    expect(plan).not.toHaveProperty('network')
    expect(plan.endAtMs).toBeLessThan(200)
    expect(runCount).toBeLessThan(10)
  })

  it('keeps the plan when nothing smaller fails', async () => {
    const plan = planOf(4, 2)
    const shrunk = await shrink(plan, async () => false, { runsMax: 500 })
    expect(shrunk.plan).toEqual(plan)
    expect(shrunk.isMinimal).toBe(true)
  })

  it('ends when its runs are used up, with something that fails', async () => {
    const fails = failsWith([100, 300, 500, 700, 900], [])
    const { plan, runCount, isMinimal } = await shrink(planOf(1_000, 9), fails, { runsMax: 30 })
    expect(runCount).toBe(30)
    expect(isMinimal).toBe(false)
    expect(await fails(plan)).toBe(true)
    expect(keysOf(plan).length).toBeLessThan(1_000)
    expect(await shrink(planOf(3, 3), fails, { runsMax: 0 })).toMatchObject({ runCount: 0 })
  })

  it('ends when it is told to', async () => {
    const stop = new AbortController()
    const onRun = (runCount: number) => runCount === 5 && stop.abort()
    const fails = failsWith([3], [2])
    const shrunk = await shrink(planOf(40, 5), fails, { runsMax: 500, onRun, signal: stop.signal })
    expect(shrunk.runCount).toBe(5)
    expect(await fails(shrunk.plan)).toBe(true)
  })

  it('drops what comes after the failure in one go', async () => {
    const fails = vi.fn(failsWith([3], [1]))
    await shrink(planOf(1_000, 9), fails, { runsMax: 500, violatedAtMs: 2_125.5 })
    const [first] = fails.mock.calls[0] as [Plan]
    expect(stepsOf(first).every(({ atMs }) => atMs <= 2_125)).toBe(true)
    // The second fault had begun: its beginning may be what it takes.
    expect(first.faults).toEqual([fault(0), { ...fault(1), steps: fault(1).steps.slice(0, 1) }])
    expect([first.healAtMs, first.endAtMs]).toEqual([2_126, 2_126])
  })

  it('gives the same for the same, and runs no plan twice', async () => {
    const asked: string[] = []
    const fails = failsWith([1, 5, 6], [0, 3])
    const run = () =>
      shrink(
        planOf(40, 5),
        (plan) => {
          asked.push(JSON.stringify(plan))
          return fails(plan)
        },
        { runsMax: 500 },
      )
    const first = await run()
    expect(new Set(asked).size).toBe(asked.length)
    expect(await run()).toEqual(first)
  })
})

describe('shrink with the simulator', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it(
    'finds the set and the delete that it takes, and no fault',
    async () => {
      // A mistake: what is deleted is forgotten at once, so that an older set that comes later brings it back.
      vi.spyOn(RememberedKeys.prototype, 'get').mockReturnValue(undefined)
      const options = { members: 3, seconds: 20, faults: ['duplicate', 'drift'] }
      const run = (plan: Plan, seed: number) => runPlan(plan, { seed })
      let seed = 1
      while ((await run(generatePlan(seed, options), seed)).violations.length === 0) seed++
      const plan = generatePlan(seed, options)
      const fails = async (candidate: Plan) => (await run(candidate, seed)).violations.length > 0
      const shrunk = await shrink(plan, fails, { runsMax: 200 })
      expect(await fails(shrunk.plan)).toBe(true)
      expect(shrunk.isMinimal).toBe(true)
      expect(shrunk.plan.faults).toEqual([])
      expect(shrunk.plan.work.slice(3).map((step) => step.do)).toContain('delete')
      expect(shrunk.plan.work.length).toBeLessThanOrEqual(6)
    },
    TIMEOUT_MS,
  )
})

describe('a script in print', () => {
  const plan: Plan = {
    options: { maxItems: 8 },
    network: {},
    work: [...beginning(2), { atMs: 1_500, do: 'set', at: 'p01', key: "it's", value: 'a "b" \\' }],
    faults: [
      {
        kind: 'join',
        steps: [{ atMs: 1_500, do: 'start', member: 'p03', options: { maxItems: undefined } }],
      },
    ],
    healAtMs: 48_000,
    endAtMs: 60_000,
  }

  it('has one line a step, in order', () => {
    expect(printScript(plan).map((line) => line.slice(0, 30))).toEqual([
      '   0.000 start member=p01',
      '   0.050 start member=p02',
      '   1.500 start member=p03 opti',
      "   1.500 set at=p01 key=it's v",
    ])
  })

  it('is a scenario when it is read as code', () => {
    const text = printScenario('seed-7', plan).replace(/,$/, '')
    const scenario = new Function('paragraph', `return ${text}`)(() => '…')
    expect(scenario).toEqual({
      name: 'seed-7',
      proves: '…',
      shows: ['join'],
      members: 2,
      options: { maxItems: 8 },
      steps: [
        { atMs: 1_500, do: 'start', member: 'p03', options: {} },
        { atMs: 1_500, do: 'set', at: 'p01', key: "it's", value: 'a "b" \\' },
      ],
    })
  })
})
