/** How soon two halves of a mesh are equal after a split: real processes, and real TCP through links that are cut. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Links } from '../../src/cli/chaos/links.js'
import { type Child, until } from './mesh/children.js'
import { withLinkedChildren } from './mesh/linked.js'
import type { Line } from './run.js'

const PEERS = 10
const ENTRIES = 100_000
const BYTES = 100
/** On each side. */
const DIFFERENT = 500

/** Split for less than members take to be suspected, and until each half has taken over what the other had. */
export async function splits(): Promise<Line[]> {
  return await withLinkedChildren(PEERS, async (children, links) => {
    const [first] = children as [Child]
    const keys = { prefix: 'k', count: ENTRIES }
    await first.ask({ do: 'write', keys, bytes: BYTES, batch: 500 })
    await until('all entries three times', () => hasCopies(children), 120_000)
    return [
      await split(children, links, { name: '1.5 s', ms: 1_500, wanted: 2_000, isLong: false }),
      await split(children, links, { name: '2 min', ms: 120_000, wanted: 15_000, isLong: true }),
    ]
  })
}

async function hasCopies(children: readonly Child[]): Promise<boolean> {
  const stats = await Promise.all(children.map((child) => child.stats()))
  return stats.reduce((sum, { itemCount }) => sum + itemCount, 0) === ENTRIES * 3
}

async function split(
  children: readonly Child[],
  links: Links,
  { name, ms, wanted, isLong }: { name: string; ms: number; wanted: number; isLong: boolean },
): Promise<Line> {
  const half = PEERS / 2
  const left = Array.from({ length: half }, (_, index) => index)
  const right = Array.from({ length: half }, (_, index) => half + index)
  console.error(`   a split of ${name}`)
  const cutAtMs = performance.now()
  links.cut(left, right)
  await sleep(100)
  // Every other key on one side, the rest on the other.
  const written = await Promise.all(
    [children[0], children[half]].map(async (writer, side) => {
      const entries = Array.from(
        { length: DIFFERENT },
        (_, i) => [`k-${(2 * i + side) * 97}`, `${name}, side ${side}`] as [string, string],
      )
      await writer?.ask({ do: 'setMany', entries })
      return entries
    }),
  )
  await sleep(Math.max(0, ms - (performance.now() - cutAtMs)))
  const entries = written.flat()
  if (await areEqual(children, entries)) throw new Error('nothing was cut')
  const ring = (await children[0]?.ask<string[]>({ do: 'ring' })) ?? []
  if (ring.length !== (isLong ? half : PEERS)) throw new Error(`a ring of ${ring.length}`)
  links.mend(left, right)
  const startMs = performance.now()
  await until('owners equal', () => areEqual(children, entries), 120_000)
  return {
    what: `halves of ${half} cut for ${name}, ${2 * DIFFERENT} of ${ENTRIES} keys differ: all owners equal`,
    figure: performance.now() - startMs,
    unit: 'ms',
    wanted,
  }
}

/** Whether everybody places keys by one ring, and holds what it owns of some. */
async function areEqual(
  children: readonly Child[],
  entries: ReadonlyArray<[string, string]>,
): Promise<boolean> {
  const held = await Promise.all(
    children.map((child) =>
      child.ask<{ owned: number; right: number; members: number }>({ do: 'held', entries }),
    ),
  )
  const owned = held.reduce((sum, one) => sum + one.owned, 0)
  const isComplete = held.every(({ members, owned, right }) => members === PEERS && owned === right)
  return isComplete && owned === 3 * entries.length
}
