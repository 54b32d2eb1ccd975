/**
 * Sets a second, each applied by all three processes: from the first set until every writer's flush is confirmed, with
 * one writer and with all three writing at once. Of peers that have run for a while.
 */
import { quantile } from '../support/processes/peers.js'
import { type Child, until, withChildren } from './mesh/children.js'
import type { Line } from './run.js'

const PEERS = 3
const SETS = 100_000
const BYTES = 100
const ROUNDS = 5
const WANTED = 100_000

/** Bytes that the bookkeeping of what was cleared may go on taking. */
const MEMORY_LEFT = 1024 * 1024

export async function throughput(): Promise<Line[]> {
  return await withChildren(PEERS, async (children) => {
    const lines: Line[] = []
    for (const [who, writers] of [
      ['one writer', children.slice(0, 1)],
      ['all three writing at once', children],
    ] as const) {
      for (const [how, batch] of [
        ['set after set', 0],
        ['setMany of 100', 100],
      ] as const) {
        const rates: number[] = []
        // The first warms up.
        for (let i = 0; i <= ROUNDS; i++) {
          rates.push(await round(children, writers, batch))
          await clear(children)
        }
        rates.shift()
        const what = `sets of ${BYTES} B applied by ${PEERS} processes, ${who}, ${how}`
        lines.push(
          {
            what: `${what}, median of ${ROUNDS}`,
            figure: quantile(rates, 0.5),
            unit: 'sets/s',
            wantedAtLeast: WANTED,
          },
          { what: '… the slowest and', figure: Math.min(...rates), unit: 'sets/s' },
          { what: '… the fastest round', figure: Math.max(...rates), unit: 'sets/s' },
        )
      }
    }
    return lines
  })
}

let rounds = 0

/** Writes `SETS` values in all. Returns how many a second. */
export async function round(
  children: readonly Child[],
  writers: readonly Child[],
  batch: number,
): Promise<number> {
  const number = rounds++
  const count = Math.round(SETS / writers.length)
  const startedAtMs = performance.now()
  await Promise.all(
    writers.map(async (writer, index) => {
      const keys = { prefix: `key-${number}-${index}`, count }
      await writer.ask({ do: 'write', keys, bytes: BYTES, batch })
      await writer.ask({ do: 'flush' })
    }),
  )
  const tookMs = performance.now() - startedAtMs
  await assertHeld(children, number, count, writers.length)
  return ((count * writers.length) / tookMs) * 1_000
}

/** That nothing was counted which is not there: the last keys of each writer are on all. */
async function assertHeld(
  children: readonly Child[],
  number: number,
  count: number,
  writers: number,
): Promise<void> {
  for (const child of children) {
    for (let index = 0; index < writers; index++) {
      const key = `key-${number}-${index}-${count - 1}`
      const value = await child.ask({ do: 'get', key, consistency: 'local' })
      if (value === undefined) throw new Error(`${child.id} lacks ${key}`)
    }
  }
}

/** Makes room for the next round. */
export async function clear(children: readonly Child[]): Promise<void> {
  await children[0]?.ask({ do: 'clear' })
  await until('nothing is left', async () => {
    const stats = await Promise.all(children.map((child) => child.stats()))
    return stats.every(({ itemCount, memoryBytes }) => itemCount === 0 && memoryBytes < MEMORY_LEFT)
  })
}
