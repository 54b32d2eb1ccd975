/** Repair over real TCP, between processes: what some of them never heard, all have in the end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { type Child, until, withChildren } from '../bench/mesh/children.js'

const LOSSY = fileURLToPath(new URL('./lossy-peer.ts', import.meta.url))

/** How long messages are lost; `HEARSAY_TEST_LOSS_MS=30000` for the long form. */
const LOSSY_MS = Number(process.env.HEARSAY_TEST_LOSS_MS ?? 5_000)

const PEERS = 4

afterEach(() => {
  delete process.env.HEARSAY_TEST_LOSS
})

interface Synced {
  readonly pulledCount: number
  readonly pushedCount: number
}

async function itemCounts(children: readonly Child[]): Promise<number[]> {
  const stats = await Promise.all(children.map((child) => child.stats()))
  return stats.map(({ itemCount }) => itemCount)
}

/** Lets messages through from now on. Resolves to how many were lost. */
async function endLoss(children: readonly Child[]): Promise<number> {
  for (const { process } of children) process.send({ loss: 'end' })
  const lost = () =>
    children.flatMap(({ reports }) => reports.filter((report) => report.event === 'lost'))
  await until('all have told what they lost', async () => lost().length === children.length)
  return lost().reduce((sum, { count }) => sum + count, 0)
}

describe.each([
  ['every member holds all', 'all'],
  ['each key has three owners', 3],
] as const)('where %s', (_, replicas) => {
  it(`30 % of all messages are lost for ${LOSSY_MS} ms: owners are equal soon after`, async () => {
    process.env.HEARSAY_TEST_LOSS = '0.3'
    const options = { replicas, program: LOSSY, antiEntropyIntervalMs: 1_000 }
    await withChildren(
      PEERS,
      async (children) => {
        const endMs = performance.now() + LOSSY_MS
        let rounds = 0
        for (; performance.now() < endMs; rounds++) {
          await Promise.all(
            children.map((child, index) => {
              const keys = { prefix: `${index}-${rounds}`, count: 20 }
              return child.ask({ do: 'write', keys, bytes: 100, batch: 0 })
            }),
          )
          await sleep(50)
        }
        const lostCount = await endLoss(children)
        console.log(`${lostCount} messages lost, in ${rounds} rounds of writes`)
        expect(lostCount).toBeGreaterThan(0)
        const copies = rounds * 20 * PEERS * (replicas === 'all' ? PEERS : replicas)
        await until(`${copies} copies`, async () => {
          const counts = await itemCounts(children)
          return counts.reduce((sum, count) => sum + count, 0) === copies
        })
        for (const child of children) {
          const { pulledCount, pushedCount } = await child.ask<Synced>({ do: 'sync' })
          expect([pulledCount, pushedCount]).toEqual([0, 0])
        }
      },
      options,
    )
  }, 120_000)
})
