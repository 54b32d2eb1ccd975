/**
 * What the owners of keys promise, of peers in processes of their own over real TCP on loopback: what was acknowledged
 * outlives the processes that it was acknowledged to outlive.
 */
import { describe, expect, it } from 'vitest'
import {
  Child,
  type ChildError,
  until,
  untilSettled,
  withChildren,
} from '../bench/mesh/children.js'

const PEERS = 5

/** Writes of each peer that have to be acknowledged before anybody is killed, and after. */
const LOAD_MIN = 100

/** How many members are killed by chance, and which: told, for whoever looks for the reason of a failure. */
function victims(children: readonly Child[], count: number): Child[] {
  const first = Math.floor(Math.random() * children.length)
  const chosen = Array.from({ length: count }, (_, i) => (first + i * 2) % children.length)
  console.log(`killed: ${chosen.map((index) => `peer ${index}`).join(' and ')}`)
  return chosen.map((index) => children[index] as Child)
}

/**
 * Lets every one of some peers write, kills `killed` of them meanwhile, and goes on until the rest have written more.
 * Returns all keys that were acknowledged to anybody, the victims included.
 */
async function killUnderLoad(
  children: readonly Child[],
  ack: 'quorum' | 'all',
  killed: readonly Child[],
): Promise<string[]> {
  const before = new Map(children.map((child) => [child, child.acknowledged.length]))
  const written = (some: readonly Child[], count: number) =>
    until(`${count} writes are acknowledged to each`, async () =>
      some.every((child) => child.acknowledged.length >= (before.get(child) ?? 0) + count),
    )
  for (const [index, child] of children.entries()) {
    const prefix = `${ack}-${child.acknowledged.length}-${index}`
    await child.ask({ do: 'load', prefix, ack, inFlight: 4 })
  }
  await written(children, LOAD_MIN)
  for (const victim of killed) victim.process.kill('SIGKILL')
  await Promise.all(killed.map((victim) => victim.end()))
  const survivors = children.filter((child) => !killed.includes(child))
  const reached = survivors.map((child) => child.acknowledged.length - (before.get(child) ?? 0))
  await written(survivors, Math.max(...reached) + LOAD_MIN)
  const failures = await Promise.all(
    survivors.map((child) => child.ask<string[]>({ do: 'unload' })),
  )
  const keys = children.flatMap((child) => child.acknowledged.slice(before.get(child)))
  const ofVictims = killed.flatMap((child) => child.acknowledged.slice(before.get(child))).length
  console.log(
    `ack ${ack}: ${keys.length} writes acknowledged, ${ofVictims} of them to who was killed; not acknowledged:`,
    failures.flat(),
  )
  return keys
}

/** What each of some peers does not find as it was acknowledged, by reads at quorum. */
async function lost(children: readonly Child[], keys: readonly string[]): Promise<string[]> {
  const wrong = await Promise.all(
    children.map((child) => child.ask<string[]>({ do: 'check', keys, consistency: 'quorum' })),
  )
  const counts = wrong.map(({ length }) => length)
  console.log(`${keys.length} keys read at quorum by ${children.length}, lost: ${counts}`)
  return wrong.flat()
}

describe('owners that are killed under load', () => {
  it('any one of five: every write at quorum is read by each survivor', async () => {
    await withChildren(PEERS, async (children) => {
      const killed = victims(children, 1)
      const survivors = children.filter((child) => !killed.includes(child))
      const keys = await killUnderLoad(children, 'quorum', killed)
      expect(await lost(survivors, keys)).toEqual([])
    })
  }, 60_000)

  it('two of five at once: every write at all is read by each survivor', async () => {
    await withChildren(
      PEERS,
      async (children) => {
        const killed = victims(children, 2)
        const survivors = children.filter((child) => !killed.includes(child))
        const keys = await killUnderLoad(children, 'all', killed)
        await untilSettled(survivors)
        expect(await lost(survivors, keys)).toEqual([])
      },
      { syncTimeoutMs: 5_000 },
    )
  }, 60_000)

  it('two of five, the second after the first was made up for: every write at quorum is read by each survivor', async () => {
    await withChildren(PEERS, async (children) => {
      const [first, second] = victims(children, 2) as [Child, Child]
      const four = children.filter((child) => child !== first)
      const keys = await killUnderLoad(children, 'quorum', [first])
      const startedAtMs = performance.now()
      await untilSettled(four)
      const tookMs = Math.round(performance.now() - startedAtMs)
      const entries = four.flatMap(({ reports }) =>
        reports.flatMap((report) => (report.event === 'rebalanced' ? [report.entries] : [])),
      )
      console.log(`a ring of four, all taken over, after ${tookMs} ms; entries: ${entries}`)
      keys.push(...(await killUnderLoad(four, 'quorum', [second])))
      const survivors = four.filter((child) => child !== second)
      expect(await lost(survivors, keys)).toEqual([])
      await untilSettled(survivors)
      expect(await lost(survivors, keys)).toEqual([])
    })
  }, 60_000)
})

describe('an only owner that stands still until others have taken its place', () => {
  it('and wakes while its connections last: has what was written meanwhile', async () => {
    await withChildren(
      PEERS,
      async (children) => {
        const [sleeper, writer, ...others] = children as [Child, Child, ...Child[]]
        const awake = [writer, ...others]
        sleeper.process.kill('SIGSTOP')
        await untilSettled(awake)
        const keys = Array.from({ length: 200 }, (_, index) => `meanwhile-${index}`)
        const set = (key: string) =>
          writer.ask({ do: 'set', key, value: `value of ${key}`, ack: 'quorum' })
        await Promise.all(keys.map(set))
        sleeper.process.kill('SIGCONT')
        await untilSettled(children)
        expect(await lost(children, keys)).toEqual([])
      },
      { replicas: 1 },
    )
  }, 60_000)
})

describe('a client member', () => {
  it('reads and writes everything, and keeps nothing', async () => {
    await withChildren(PEERS, async (owners, mesh) => {
      const client = new Child()
      try {
        await client.start({ ...mesh, role: 'client' })
        const [owner] = owners as [Child]
        const keys = { prefix: 'by-owner', count: 200 }
        await owner.ask({ do: 'write', keys, bytes: 50, batch: 100 })
        const set = (key: string, ack: 'none' | 'one' | 'quorum' | 'all') =>
          client.ask({ do: 'set', key, value: `${ack} of the client`, ack })
        await set('none', 'none')
        await set('one', 'one')
        await set('quorum', 'quorum')
        await set('all', 'all')
        await set('deleted', 'all')
        await client.ask({ do: 'delete', key: 'deleted', ack: 'quorum' })
        await until('the owners have all', async () => (await client.stats()).hintCount === 0)

        for (const reader of [client, ...owners]) {
          const get = (key: string) => reader.ask({ do: 'get', key, consistency: 'quorum' })
          for (const key of ['none', 'one', 'quorum', 'all']) {
            expect(await get(key)).toBe(`${key} of the client`)
          }
          expect(await get('deleted')).toBeUndefined()
          expect(await get('by-owner-199')).toHaveLength(50)
          expect(await reader.ask({ do: 'size' })).toBe(204)
        }
        for (const consistency of ['local', 'one', 'quorum'] as const) {
          const key = 'by-owner-7'
          expect(await client.ask({ do: 'get', key, consistency })).toHaveLength(50)
        }
        const { itemCount, ownedPartitions, nearCount, remoteReadCount } = await client.stats()
        console.log({ itemCount, ownedPartitions, nearCount, remoteReadCount })
        expect({ itemCount, ownedPartitions }).toEqual({ itemCount: 0, ownedPartitions: 0 })
        for (const owner of owners) expect(await owner.ask({ do: 'ring' })).toHaveLength(PEERS)
      } finally {
        await client.end()
      }
    })
  }, 60_000)
})

describe('a member that is alone', () => {
  it('acknowledges one, and never a quorum', async () => {
    const alone = new Child()
    try {
      await alone.start({ mesh: `alone-${process.pid}`, replicas: 3, syncTimeoutMs: 300 })
      const outcome = (ack: 'one' | 'quorum' | 'all') =>
        alone.ask({ do: 'set', key: 'key', value: ack, ack }).then(
          () => 'acknowledged',
          (error: ChildError) => error.code,
        )
      const outcomes = { one: await outcome('one'), quorum: await outcome('quorum') }
      console.log(outcomes)
      expect(outcomes).toEqual({ one: 'acknowledged', quorum: 'NOT_CONFIRMED' })
      for (let i = 0; i < 5; i++) expect(await outcome('quorum')).toBe('NOT_CONFIRMED')
      expect(await outcome('all')).toBe('NOT_CONFIRMED')
    } finally {
      await alone.end()
    }
  }, 30_000)
})
