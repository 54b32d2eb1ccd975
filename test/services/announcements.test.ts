/** Announced values: they come by themselves, or are asked for when they are late, and not before. */
import { describe, expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { SimulatedTime } from '../../src/adapters/simulated/time.js'
import { announcementOf, type Write } from '../../src/core/entry.js'
import { Announcements } from '../../src/services/announcements.js'
import { at, set } from '../support/writes.js'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** Announcements, and what was asked for; answers come when the test says so. */
function open() {
  const time = new SimulatedTime()
  const runtime = { clock: time, scheduler: time, random: new SimulatedRandom(1), log: silent }
  const asked: string[] = []
  const answers: Array<(had: boolean) => void> = []
  const announcements = new Announcements(runtime, {
    fetch: (member, writes) => {
      asked.push(`${member} ${writes.map(({ key }) => key).join(' ')} at ${time.monotonicMs()}`)
      return new Promise((resolve) => answers.push(resolve))
    },
  })
  const told: string[] = []
  /** A batch of values that will come by themselves. */
  const batch = (name: string, writes: readonly Write[], comeByThemselves = true) => {
    const announced = writes.map(announcementOf)
    void announcements.complete('author', announced, comeByThemselves).then((complete) => {
      told.push(`${name} ${complete} at ${time.monotonicMs()}`)
    })
  }
  return { time, announcements, asked, answers, told, batch }
}

const a = set('a', 'value', at(5))
const b = set('b', 'value', at(6))

describe('announced values', () => {
  it('that do not come are asked for after 50 ms, and not before', async () => {
    const { time, asked, answers, told, batch } = open()
    batch('first', [a, b])
    await time.advance(49)
    expect(asked).toEqual([])
    await time.advance(1)
    expect(asked).toEqual(['author a b at 50'])
    await time.advance(1_000)
    expect(told).toEqual([])
    answers[0]?.(true)
    await time.advance(0)
    expect(told).toEqual(['first true at 1050'])
  })

  it('that cannot be had are missing', async () => {
    const { time, answers, told, batch } = open()
    batch('first', [a])
    await time.advance(50)
    answers[0]?.(false)
    await time.advance(0)
    expect(told).toEqual(['first false at 50'])
  })

  it('that nobody will bring are asked for at once', async () => {
    const { time, asked, answers, told, batch } = open()
    batch('first', [a], false)
    expect(asked).toEqual(['author a at 0'])
    answers[0]?.(true)
    await time.advance(0)
    expect(told).toEqual(['first true at 0'])
    expect(time.pending).toBe(0)
  })

  it('that came by another way are not asked for', async () => {
    const { time, announcements, asked, told, batch } = open()
    batch('first', [a, b])
    await time.advance(10)
    announcements.came(a)
    announcements.came(b)
    await time.advance(1_000)
    expect(asked).toEqual([])
    expect(told).toEqual(['first true at 10'])
    expect(time.pending).toBe(0)
  })

  it('are asked for without those that came', async () => {
    const { time, announcements, asked, batch } = open()
    batch('first', [a, b])
    announcements.came(a)
    await time.advance(50)
    expect(asked).toEqual(['author b at 50'])
  })

  it('are there when later ones of their keys came, and not when older ones did', async () => {
    const { time, announcements, asked, told, batch } = open()
    batch('first', [a])
    batch('second', [b])
    announcements.came(set('a', 'older', at(4)))
    announcements.came(set('a', 'value', at(5), { cache: 'other' }))
    announcements.came(set('b', 'later', at(7)))
    await time.advance(50)
    expect(told).toEqual(['second true at 0'])
    expect(asked).toEqual(['author a at 50'])
  })

  it('that come while they are asked for are there, whatever the answer is', async () => {
    const { time, announcements, answers, told, batch } = open()
    batch('first', [a])
    await time.advance(60)
    announcements.came(a)
    await time.advance(0)
    answers[0]?.(false)
    await time.advance(0)
    expect(told).toEqual(['first true at 60'])
  })

  it('of several batches that wait for one key are there for all of them', async () => {
    const { time, announcements, told, batch } = open()
    batch('first', [a])
    batch('second', [a, b])
    batch('third', [set('a', 'later', at(9))])
    announcements.came(a)
    await time.advance(0)
    expect(told).toEqual(['first true at 0'])
    announcements.came(b)
    announcements.came(set('a', 'later', at(9)))
    await time.advance(0)
    expect(told.slice(1).sort()).toEqual(['second true at 0', 'third true at 0'])
  })

  it('of more than 4,096 batches count as lost at once: who lacks them asks as for any gap', async () => {
    const { time, announcements, told, batch, asked } = open()
    for (let i = 0; i < 4_096; i++) batch(`${i}`, [set(`k${i}`, '', at(1))])
    batch('one more', [a])
    await time.advance(0)
    expect(told).toEqual(['one more false at 0'])
    announcements.came(set('k0', '', at(1)))
    batch('next', [a])
    await time.advance(50)
    expect(told).toHaveLength(2)
    // Those of one writer are asked for together.
    expect(asked).toHaveLength(1)
    announcements.stop()
  })

  it('are not asked for while others of their writer keep coming, up to a second', async () => {
    const { time, announcements, batch, asked } = open()
    batch('late', [a])
    batch(
      'busy',
      Array.from({ length: 100 }, (_, i) => set(`k${i}`, '', at(1))),
    )
    for (let i = 0; i < 60; i++) {
      await time.advance(20)
      announcements.came(set(`k${i}`, '', at(1)))
      if (time.monotonicMs() < 1_000) expect(asked).toEqual([])
    }
    expect(asked).toHaveLength(1)
    announcements.stop()
  })

  it('are missing, and nothing is scheduled, after the stop', async () => {
    const { time, announcements, told, batch, asked, answers } = open()
    batch('asked', [a])
    await time.advance(50)
    batch('waiting', [b])
    announcements.stop()
    answers[0]?.(true)
    await time.advance(100)
    expect(told).toEqual(['asked false at 50', 'waiting false at 50'])
    expect(asked).toHaveLength(1)
    expect(time.pending).toBe(0)
  })
})
