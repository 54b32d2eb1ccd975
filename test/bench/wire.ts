/**
 * What a write costs on the wire: TCP payload that five processes send, all in (gossip, requests, answers, encryption),
 * as a multiple of the bytes of the keys and values written, less what they send over the same time when idle.
 *
 * The table beside it shows what the figure would be with other constants: up to which size a value rides along in the
 * message to all, and gossip's degree. With degree 0 the author sends to everybody and nobody forwards; with another it
 * sends to so many, who forward.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, until, withChildren } from './mesh/children.js'
import { type Change, withVariant } from './mesh/variant.js'
import type { Line } from './run.js'

const PEERS = 5
const WRITES = 10_000
const BATCH = 100
const WANTED = 8

const VALUE_BYTES = [100, 512, 2_000]
const INLINE_BYTES_MAX = [0, 64, 256, 1_024]
const DEGREES = [0, 3, 4]

const IDLE_MS = 4_000

/** Longer than gossipsub goes on offering what was published. */
const AFTERMATH_MS = 3_000

interface Multiple {
  readonly times: number
  /** Whether values were asked for, or taken over, that were on their way already: then chance has a part in it. */
  readonly repeated: boolean
}

export async function wire(): Promise<Line[]> {
  const [now] = await multiples([VALUE_BYTES[0] as number])
  console.log(
    'bytes on the wire as a multiple of the bytes written; *: with state taken over again',
  )
  console.log(`inline up to   degree   ${VALUE_BYTES.map((bytes) => `${bytes} B`).join('\t')}`)
  for (const inlineBytesMax of INLINE_BYTES_MAX) {
    for (const degree of DEGREES) {
      const row = await withVariant(changes(inlineBytesMax, degree), (program) =>
        multiples(VALUE_BYTES, program),
      )
      const cells = row
        .map(({ times, repeated }) => times.toFixed(2) + (repeated ? '*' : ''))
        .join('\t')
      console.log(
        `${String(inlineBytesMax).padStart(8)} B ${String(degree).padStart(9)}   ${cells}`,
      )
    }
  }
  return [
    {
      what: `bytes on the wire, ${WRITES} sets of ${VALUE_BYTES[0]} B in batches of ${BATCH}, ${PEERS} processes, replicas 3`,
      figure: now?.times ?? Number.NaN,
      unit: '× what was written',
      wanted: WANTED,
    },
  ]
}

function changes(inlineBytesMax: number, degree: number): Change[] {
  const file = 'src/adapters/libp2p/gossip.ts'
  const changed: Change[] = [
    {
      file: 'src/services/replication.ts',
      from: /const INLINE_BYTES_MAX = [\d_]+/,
      to: `const INLINE_BYTES_MAX = ${inlineBytesMax}`,
    },
  ]
  if (degree === 0) return changed
  return [
    ...changed,
    { file, from: /floodPublish: true/, to: 'floodPublish: false' },
    { file, from: /\bD: 0/, to: `D: ${degree}` },
    { file, from: /\bDlo: 0/, to: `Dlo: ${degree - 1}` },
    { file, from: /\bDhi: 0/, to: `Dhi: ${degree + 1}` },
  ]
}

/** What is sent for values of each size, as a multiple of what is written. */
async function multiples(sizes: readonly number[], program?: string): Promise<Multiple[]> {
  return await withChildren(
    PEERS,
    async (children) => {
      await sleep(AFTERMATH_MS)
      const idleStart = await sent(children)
      const idleStartMs = performance.now()
      await sleep(IDLE_MS)
      const idlePerMs = ((await sent(children)) - idleStart) / (performance.now() - idleStartMs)
      const found: Multiple[] = []
      for (const bytes of sizes) found.push(await multiple(children, bytes, idlePerMs))
      return found
    },
    program === undefined ? {} : { program },
  )
}

async function multiple(
  children: readonly Child[],
  bytes: number,
  idlePerMs: number,
): Promise<Multiple> {
  const [writer] = children as [Child]
  const startMs = performance.now()
  const start = await sent(children)
  const repeatedBefore = await repeats(children)
  const written = await writer.ask<number>({
    do: 'write',
    keys: { prefix: `key-${bytes}`, count: WRITES },
    bytes,
    batch: BATCH,
  })
  await writer.ask({ do: 'flush' })
  await until('all owners have all', async () => {
    const stats = await Promise.all(children.map((child) => child.stats()))
    return stats.every(({ hintCount, requestsInFlight }) => hintCount + requestsInFlight === 0)
  })
  await sleep(AFTERMATH_MS)
  const all = (await sent(children)) - start
  const times = (all - idlePerMs * (performance.now() - startMs)) / written
  const repeated = (await repeats(children)) - repeatedBefore
  const held = await writer.ask<number>({ do: 'size' })
  await writer.ask({ do: 'clear' })
  await until('all is cleared', async () => {
    const after = await Promise.all(children.map((child) => child.stats()))
    return after.every(({ itemCount }) => itemCount === 0)
  })
  if (held !== WRITES) throw new Error(`the mesh holds ${held} of ${WRITES} entries`)
  return { times, repeated: repeated > 0 }
}

/** How often members have taken over state for something that they missed, or were turned away when they asked for it. */
async function repeats(children: readonly Child[]): Promise<number> {
  const stats = await Promise.all(children.map((child) => child.stats()))
  return stats.reduce(
    (sum, { opsGapCount, droppedCount }) => sum + opsGapCount + (droppedCount.busy ?? 0),
    0,
  )
}

/** Bytes that all processes have sent so far. */
async function sent(children: readonly Child[]): Promise<number> {
  const counts = await Promise.all(
    children.map((child) => child.ask<{ sent: number }>({ do: 'sockets' })),
  )
  return counts.reduce((sum, count) => sum + count.sent, 0)
}
