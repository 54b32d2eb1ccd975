/** One of five is killed, and one is added: how soon everything is there three times again, and what moves. */
import { Child, until, untilSettled, withChildren } from './mesh/children.js'
import type { Line } from './run.js'

const PEERS = 5
const REPLICAS = 3
const ENTRIES = 100_000
const BYTES = 100
/** Keys that are read at once, by one that survives. */
const READS = 50

export async function moves(): Promise<Line[]> {
  return await withChildren(PEERS, async (children, joining) => {
    const [writer] = children as [Child, ...Child[]]
    const keys = { prefix: 'k', count: ENTRIES }
    await writer.ask({ do: 'write', keys, bytes: BYTES, batch: 500 })
    await untilThere(children)

    const [reader, victim, ...others] = children.slice(1) as [Child, Child, ...Child[]]
    const survivors = [writer, reader, ...others]
    const reads = keepReading(reader)
    const startMs = performance.now()
    await victim.end()
    await untilSettled(survivors)
    await untilThere(survivors)
    const tookMs = performance.now() - startMs
    const { readCount, missCount } = await reads.end()

    const joiner = new Child()
    children.push(joiner)
    const before = await itemCount(survivors)
    await joiner.start(joining)
    await untilSettled([...survivors, joiner])
    await untilThere([...survivors, joiner])
    const idealCount = (ENTRIES * REPLICAS) / PEERS
    const { itemCount: moved, transferReceivedCount: sent } = await joiner.stats()
    const gained = (await itemCount(survivors)) - before + moved
    return [
      {
        what: `one of ${PEERS} killed, ${ENTRIES} keys of ${BYTES} B: each is there ${REPLICAS} times again`,
        figure: tookMs,
        unit: 'ms',
        wanted: 10_000,
      },
      {
        what: `the same, reads meanwhile that failed, of ${readCount}`,
        figure: missCount,
        unit: '',
        wanted: 0,
      },
      {
        what: 'one is added: entries that it takes over, of its ideal share',
        figure: moved / idealCount,
        unit: '',
        wanted: 1.1,
      },
      {
        what: 'the same, entries that it is sent, of its ideal share',
        figure: sent / idealCount,
        unit: '',
        wanted: 1.1,
      },
      {
        what: 'the same, entries that the others took over or gave up besides',
        figure: gained,
        unit: '',
      },
    ]
  })
}

async function itemCount(children: readonly Child[]): Promise<number> {
  const stats = await Promise.all(children.map((child) => child.stats()))
  return stats.reduce((sum, { itemCount }) => sum + itemCount, 0)
}

/** Waits until every entry is there as often as it is to be, and nobody holds any that it does not own. */
async function untilThere(children: readonly Child[]): Promise<void> {
  const what = `${ENTRIES * REPLICAS} copies`
  await until(what, async () => (await itemCount(children)) === ENTRIES * REPLICAS, 60_000)
}

/** Reads at random until it is told to end. */
function keepReading(child: Child) {
  let ended = false
  let readCount = 0
  let missCount = 0
  const work = (async () => {
    while (!ended) {
      const keys = Array.from({ length: READS }, () => `k-${Math.floor(Math.random() * ENTRIES)}`)
      const values = await Promise.all(
        keys.map(async (key) => {
          try {
            return await child.ask({ do: 'get', key, consistency: 'one' })
          } catch {
            return undefined
          }
        }),
      )
      readCount += values.length
      missCount += values.filter((value) => value === undefined).length
    }
  })()
  return {
    end: async () => {
      ended = true
      await work
      return { readCount, missCount }
    },
  }
}
