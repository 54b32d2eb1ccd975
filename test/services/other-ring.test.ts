/** Owners that place keys by a ring which does not count here: they confirm nothing, and are asked again. */
import { describe, expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { SimulatedTime } from '../../src/adapters/simulated/time.js'
import type { Electorate } from '../../src/core/quorum.js'
import { NotConfirmedError } from '../../src/errors.js'
import { Delivery, type DeliveryComponents } from '../../src/services/delivery.js'
import { at, set } from '../support/writes.js'

const OURS = 1n
const OTHER = 7n
const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** A member that owns nothing, and three owners that answer by a ring of their own; `foreign` takes no write in. */
function open(ringOf: (asked: number) => bigint, foreign: readonly number[] = []) {
  const time = new SimulatedTime()
  const owners = ['a', 'b', 'c']
  const electorate: Electorate = { lists: [owners], quorum: 2, owners }
  let asked = 0
  const components = {
    runtime: { clock: time, scheduler: time, random: new SimulatedRandom(1), log: silent },
    membership: { id: 'self', status: 'serving' },
    ownership: {
      digest: OURS,
      electorateOf: () => electorate,
      holds: () => false,
      counts: (digest: bigint) => digest === OURS,
    },
    requests: {
      ask: async (_id: string, body: { ring: bigint }) => {
        expect(body.ring).toBe(OURS)
        return { kind: 'replicate', refused: 0, ring: ringOf(++asked), foreign }
      },
    },
  } as unknown as DeliveryComponents
  const delivered: string[] = []
  const delivery = new Delivery(
    components,
    { timeoutMs: 5_000 },
    { takeIn: () => {}, delivered: ({ key }) => delivered.push(key), roomFreed: () => {} },
  )
  const write = { record: set('key', 'value', at(1)), partition: 0, goesToAll: true } as const
  return { time, delivery, delivered, write, asked: () => asked }
}

describe('owners by another ring', () => {
  it('confirm nothing, are asked again at growing intervals, and the write fails in time', async () => {
    const { time, delivery, write, asked } = open(() => OTHER)
    const error = await time
      .settled(delivery.send({ ...write, ack: 'quorum' }) as Promise<void>)
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(NotConfirmedError)
    expect(error).toMatchObject({ confirmed: [], missing: ['a', 'b', 'c'] })
    expect(time.monotonicMs()).toBe(5_000)
    expect(asked()).toBeGreaterThan(9)
    expect(asked()).toBeLessThan(90)
    await time.advance(1_000)
    expect(time.pending).toBe(0)
  })

  it('confirm as soon as the views agree', async () => {
    const { time, delivery, write } = open((asked) => (asked > 6 ? OURS : OTHER))
    await time.settled(delivery.send({ ...write, ack: 'all' }) as Promise<void>)
    expect(time.monotonicMs()).toBeLessThan(1_000)
  })

  it('are tried once where nobody waits: a hint does the rest', async () => {
    const { time, delivery, delivered, write, asked } = open(() => OTHER)
    expect(delivery.send({ ...write, ack: 'none' })).toBeUndefined()
    await time.advance(100)
    expect(asked()).toBe(3)
    expect(delivered).toEqual([])
    expect(delivery.size).toBe(0)
  })

  it('that own the key by no ring of theirs confirm nothing either', async () => {
    const { time, delivery, write } = open(() => OURS, [0])
    const sent = delivery.send({ ...write, ack: 'one' }) as Promise<void>
    await expect(time.settled(sent)).rejects.toMatchObject({ code: 'NOT_CONFIRMED' })
  })
})
