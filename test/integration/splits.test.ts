/** Splits over real TCP: the links between processes are cut, and mended. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type Child, until } from '../bench/mesh/children.js'
import { withLinkedChildren } from '../bench/mesh/linked.js'

/** How long links are cut; `HEARSAY_TEST_SPLIT_MS=150000` for longer than deletes are remembered here. */
const SPLIT_MS = Number(process.env.HEARSAY_TEST_SPLIT_MS ?? 6_000)

const PEERS = 4
const GRACE_MS = 1_000

type Contents = Record<string, string>

const contentsOf = (child: Child) => child.ask<Contents>({ do: 'contents' })

async function allHold(children: readonly Child[], expected: Contents): Promise<void> {
  const held = async () => await Promise.all(children.map(contentsOf))
  const isSo = async () =>
    (await held()).every((one) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(expected)))
  await until('all hold what is expected', isSo, 30_000).catch(async (error: Error) => {
    for (const one of await held()) expect(sorted(one)).toEqual(sorted(expected))
    throw error
  })
}

function sorted(contents: Contents): Contents {
  return Object.fromEntries(Object.entries(contents).sort(([a], [b]) => (a < b ? -1 : 1)))
}

describe.each([
  ['one of four', [3]],
  ['one half of four', [2, 3]],
] as const)('%s, cut off from the others', (_, away) => {
  it(
    `for ${SPLIT_MS} ms, brings nothing back that was deleted, and loses nothing that either side wrote`,
    async () => {
      const there = Array.from({ length: PEERS }, (_, index) => index).filter(
        (index) => !away.some((one) => one === index),
      )
      await withLinkedChildren(
        PEERS,
        async (children, links) => {
          const [first, second, , last] = children as [Child, Child, Child, Child]
          const plain: Array<[string, string]> = [
            ['deleted', 'v'],
            ['overwritten', 'v'],
            ['stays', 'v'],
            ['under the page', 'v'],
          ]
          await first.ask({ do: 'setMany', entries: plain })
          await first.ask({ do: 'setMany', entries: [['tagged', 'v']], tags: ['t'] })
          await allHold(children, Object.fromEntries([...plain, ['tagged', 'v']]))

          links.cut(there, away)
          await first.ask({ do: 'setMany', entries: [['under the page', 'page']], tags: ['t'] })
          await second.ask({ do: 'deleteMany', keys: ['deleted'] })
          await second.ask({ do: 'invalidate', tags: ['t'] })
          await first.ask({ do: 'setMany', entries: [['overwritten', 'here']] })
          await last.ask({ do: 'setMany', entries: [['exile', 'kept']] })
          await sleep(SPLIT_MS)
          expect(await contentsOf(last)).toMatchObject({ deleted: 'v', tagged: 'v', exile: 'kept' })
          expect(await contentsOf(first)).toEqual({ overwritten: 'here', stays: 'v' })
          const { tombstoneCount, markerCount } = await first.stats()
          console.log(`${tombstoneCount} tombstones and ${markerCount} markers left`)

          links.mend(there, away)
          await allHold(children, { overwritten: 'here', stays: 'v', exile: 'kept' })
        },
        { replicas: 'all', tombstoneGraceMs: GRACE_MS },
      )
    },
    SPLIT_MS + 90_000,
  )
})
