/** Who is called dead in a chaos run: how soon, and with what cause. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Deaths } from '../../../src/cli/chaos/deaths.js'
import type { ChaosProcess } from '../../../src/cli/chaos/process.js'

const member = (name: string, isLate = false, place = 0) => {
  return { name, place, isRunning: true, isLate, readyAtMs: performance.now() } as ChaosProcess
}
const pass = (ms: number) => vi.advanceTimersByTime(ms)

describe('deaths in a chaos run', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('are detected when the last survivor says so', () => {
    const deaths = new Deaths()
    const [killed, one, two, three] = ['killed', 'one', 'two', 'three'].map((name) => member(name))
    if (!killed || !one || !two || !three) throw new Error('none')
    deaths.killed(killed, [one, two, three])
    pass(50)
    expect(deaths.told(one, killed)).toBe(50)
    pass(20)
    expect(deaths.told(two, killed)).toBe(70)
    expect(deaths.told(two, killed)).toBeUndefined()
    expect(deaths.told(member('joiner'), killed)).toBeUndefined()
    expect(deaths.detections()).toMatchObject({ ms: [], missing: ['three of killed'] })
    // It was killed in its turn.
    deaths.ended(three)
    expect(deaths.detections()).toEqual({ ms: [70], eachMs: [50, 70], missing: [] })
    expect(deaths.falseDeaths()).toEqual([])
  })

  it('are false where a member gave no cause, or stood still for no more than three seconds', () => {
    const deaths = new Deaths()
    const [one, two] = [member('one'), member('two')]
    deaths.told(one, two)
    pass(1_000)
    deaths.stalled(two, 2_900)
    deaths.told(one, two)
    const what = 'one called two dead, which ran and gave no cause'
    expect(deaths.falseDeaths()).toEqual([what, what])
  })

  it('have a cause where a member stood still for longer, in one piece or two, though it is told later', () => {
    for (const pieces of [[3_100], [1_600, 1_600]]) {
      const deaths = new Deaths()
      const [one, two] = [member('one'), member('two')]
      for (const ms of pieces) {
        pass(ms + 100)
        deaths.stalled(two, ms)
      }
      deaths.told(one, two)
      expect(deaths.falseDeaths()).toEqual([])
    }
    const deaths = new Deaths()
    const [one, two] = [member('one'), member('two')]
    pass(5_000)
    deaths.told(one, two)
    pass(1_000)
    deaths.stalled(two, 6_000)
    expect(deaths.falseDeaths()).toEqual([])
  })

  it('have a cause where links were cut, the driver stood still, or the member had just joined', () => {
    const cut = new Deaths()
    const [here, there] = [member('here', false, 1), member('there', false, 4)]
    cut.linksCut([1, 2])
    cut.told(here, there)
    cut.told(there, here)
    expect(cut.falseDeaths()).toEqual([])
    cut.linksMended()
    pass(30_000)
    cut.told(here, there)
    expect(cut.falseDeaths()).toHaveLength(1)
    const busy = new Deaths()
    busy.stalled(undefined, 4_000)
    busy.told(member('one'), member('two'))
    busy.told(member('one'), member('three', true))
    expect(busy.falseDeaths()).toEqual([])
  })

  it('have no cause in a cut between others', () => {
    const deaths = new Deaths()
    const [one, two] = [member('one', false, 1), member('two', false, 2)]
    deaths.linksCut([1, 2])
    deaths.told(one, two)
    deaths.linksMended()
    deaths.linksCut([3])
    deaths.told(two, one)
    expect(deaths.falseDeaths()).toHaveLength(2)
  })

  it('part the views of members until all are settled', () => {
    const deaths = new Deaths()
    pass(10_000)
    const beganMs = performance.now()
    expect(deaths.haveAgreed(0, beganMs)).toBe(true)
    deaths.told(member('one'), member('two'))
    expect(deaths.haveAgreed(0, beganMs)).toBe(false)
    pass(1_000)
    deaths.settled()
    pass(1_000)
    expect(deaths.haveAgreed(beganMs + 1_500, performance.now())).toBe(true)
    expect(deaths.haveAgreed(beganMs, performance.now())).toBe(false)
  })
})
