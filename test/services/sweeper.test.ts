/** Sweeping goes a slice at a time, however much there is. */
import { expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { SimulatedTime } from '../../src/adapters/simulated/time.js'
import { Sweeper } from '../../src/services/sweeper.js'
import { openStore } from '../support/store.js'
import { at, set } from '../support/writes.js'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** A store of entries that expire together, and a sweeper that has begun. */
function open(count: number) {
  const time = new SimulatedTime()
  const { store } = openStore({ clock: time })
  const nowMs = time.now()
  for (let i = 0; i < count; i++)
    store.apply(set(`k${i}`, 'v', at(nowMs + i), { expiresAt: nowMs + 100 }))
  const runtime = { clock: time, scheduler: time, random: new SimulatedRandom(1), log: silent }
  const sweeper = new Sweeper(runtime, store, {
    intervalMs: 1_000,
    horizon: () => ({ valuesMs: 0, tombstonesMs: 0 }),
  })
  sweeper.start()
  return { time, store, sweeper }
}

it('gives others their turn between two slices of a great many expired entries', async () => {
  const { time, store } = open(10_000)
  await time.advance(999)
  expect(store.stats().itemCount).toBe(10_000)
  const left: number[] = []
  const look = () => {
    left.push(store.stats().itemCount)
    if (store.stats().itemCount > 0) time.defer(look)
  }
  time.after(1, look)
  await time.advance(1)
  expect(left.length).toBeGreaterThan(10)
  for (const [i, count] of left.entries()) {
    const before = left[i - 1] ?? 10_000
    expect(before - count).toBeLessThanOrEqual(1_000)
  }
  expect(store.stats().itemCount).toBe(0)
})

it('comes again at every interval, and no more once it is stopped', async () => {
  const { time, store, sweeper } = open(1)
  await time.advance(1_000)
  expect(store.stats().itemCount).toBe(0)
  store.apply(set('later', 'v', at(time.now()), { expiresAt: time.now() + 10 }))
  await time.advance(1_000)
  expect(store.stats().itemCount).toBe(0)
  sweeper.stop()
  expect(time.pending).toBe(0)
  store.apply(set('last', 'v', at(time.now()), { expiresAt: time.now() + 10 }))
  await time.advance(10_000)
  expect(store.stats().itemCount).toBe(1)
})

it('can be stopped in the middle of a sweep', async () => {
  const { time, store, sweeper } = open(10_000)
  await time.runUntil(() => store.stats().itemCount < 10_000)
  sweeper.stop()
  const { itemCount } = store.stats()
  await time.advance(10_000)
  expect(store.stats().itemCount).toBe(itemCount)
  expect(time.pending).toBe(0)
})
