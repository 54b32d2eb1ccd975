/** Gaps: what others published and has not come, told of once it is later than it may be. */
import { expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { SimulatedTime } from '../../src/adapters/simulated/time.js'
import { Positions } from '../../src/core/positions.js'
import { Gaps } from '../../src/services/gaps.js'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** One that has come as far as the first of what `m` published, of which there are two. */
function open() {
  const time = new SimulatedTime()
  const runtime = { clock: time, scheduler: time, random: new SimulatedRandom(1), log: silent }
  const positions = new Positions()
  const told: string[] = []
  const gaps = new Gaps(runtime, positions, {
    gap: (member) => told.push(`gap ${member} at ${time.monotonicMs()}`),
    advanced: (member) => told.push(`advanced ${member}`),
  })
  positions.received('m', 1, 1)
  positions.announced('m', 1, 2)
  return { time, positions, gaps, told }
}

it('are told of after a grace, once', async () => {
  const { time, gaps, told } = open()
  gaps.look('m')
  gaps.look('m')
  await time.advance(299)
  expect(told).toEqual([])
  await time.advance(1_000)
  expect([told, gaps.count]).toEqual([['gap m at 300'], 1])
})

it('are none where what was late has come by then', async () => {
  const { time, positions, gaps, told } = open()
  gaps.look('m')
  await time.advance(200)
  positions.received('m', 1, 2)
  await time.advance(1_000)
  expect([told, gaps.count]).toEqual([[], 0])
  gaps.look('m')
  expect(told).toEqual(['advanced m'])
})

it('are none while it is being fetched', async () => {
  const { time, gaps, told } = open()
  let end = () => {}
  const fetched = gaps.fetching('m', new Promise<void>((resolve) => (end = resolve)))
  gaps.look('m')
  await time.advance(1_000)
  expect(told).toEqual([])
  end()
  await fetched
  gaps.look('m')
  await time.advance(1_000)
  expect(gaps.count).toBe(1)
})

it('are of no concern after the stop: a fetch that ends then leaves nothing scheduled', async () => {
  const { time, gaps, told } = open()
  gaps.stop()
  gaps.look('m')
  await time.advance(1_000)
  expect(told).toEqual([])
})
