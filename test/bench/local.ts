/** What local reads cost, beside a plain lru-cache in the same run; and what an entry takes in memory. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createPeer } from 'hearsay'
import { LRUCache } from 'lru-cache'
import { quantile } from '../support/processes/peers.js'
import type { Line } from './run.js'

const ENTRIES = 10_000
const READS = 2_000_000
const ROUNDS = 7

/** ns a call of `read`, over all keys in turn. */
function timeReads(keys: readonly string[], read: (key: string) => unknown): number {
  const start = process.hrtime.bigint()
  let found = 0
  for (let i = 0; i < READS; i++) {
    if (read(keys[(i * 7919) % ENTRIES] as string) !== undefined) found++
  }
  if (found !== READS) throw new Error(`${READS - found} reads missed`)
  return Number(process.hrtime.bigint() - start) / READS
}

export async function peek(): Promise<Line[]> {
  const peer = await createPeer()
  const cache = peer.cache<string>('bench')
  const lru = new LRUCache<string, string>({ max: ENTRIES * 2 })
  const keys = Array.from({ length: ENTRIES }, (_, i) => `key-${i}`)
  for (const key of keys) {
    await cache.set(key, `value of ${key}`)
    lru.set(key, `value of ${key}`)
  }
  const rounds = Array.from({ length: ROUNDS }, () => ({
    lru: timeReads(keys, (key) => lru.get(key)),
    peek: timeReads(keys, (key) => cache.peek(key)),
  }))
  await peer.stop()
  const lruNs = quantile(
    rounds.map((round) => round.lru),
    0.5,
  )
  const peekNs = quantile(
    rounds.map((round) => round.peek),
    0.5,
  )
  const ratio = quantile(
    rounds.map((round) => round.peek / round.lru),
    0.5,
  )
  return [
    { what: 'lru-cache get', figure: lruNs, unit: 'ns' },
    { what: 'peek of a local string', figure: peekNs, unit: 'ns' },
    { what: '… as a multiple of lru-cache get', figure: ratio, unit: '×', wanted: 3 },
  ]
}

const MEMORY_PROCESS = fileURLToPath(new URL('./memory-process.ts', import.meta.url))

export async function memory(): Promise<Line[]> {
  const lines: Line[] = []
  for (const [kind, bytes] of [
    ['text', 100],
    ['object', 100],
    ['object', 1_000],
  ] as const) {
    const args = ['--import', 'tsx', '--expose-gc', MEMORY_PROCESS, kind, String(bytes)]
    const { stdout } = await promisify(execFile)(process.execPath, args)
    const { measured, accounted } = JSON.parse(stdout) as { measured: number; accounted: number }
    const what = `memory of an entry, ${kind} of ${bytes} B`
    lines.push(
      { what: `${what}, measured`, figure: Math.round(measured), unit: 'B' },
      { what: `${what}, accounted`, figure: Math.round(accounted), unit: 'B' },
    )
  }
  return lines
}
