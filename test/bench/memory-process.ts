/**
 * Prints what an entry takes in memory, measured and as accounted, in a process of its own:
 * `node --expose-gc memory-process.js <text|object> <bytes>`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createPeer } from 'hearsay'

const ENTRIES = 100_000

/** Longer than gossipsub keeps what it has sent. */
const SETTLE_MS = 6_000

const [kind, bytes] = process.argv.slice(2)
const length = Number(bytes)

function sample(i: number): unknown {
  // Through a buffer: otherwise the text is a tree of its parts, and the parts are shared.
  const text = Buffer.alloc(length, String(i)).toString()
  return kind === 'text' ? text : { text }
}

function heldBytes(): number {
  // Twice: what the first run finalises, the second frees.
  global.gc?.()
  global.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const peer = await createPeer({ maxBytes: 1024 ** 3 })
const cache = peer.cache('bench')
for (let i = 0; i < 1_000; i++) await cache.set(`key-${i}`, sample(i))
await cache.clear()
await sleep(SETTLE_MS)
const before = { held: heldBytes(), accounted: peer.stats().memoryBytes }
for (let i = 0; i < ENTRIES; i++) await cache.set(`key-${i}`, sample(i))
await peer.flush()
await sleep(SETTLE_MS)
const measured = (heldBytes() - before.held) / ENTRIES
const accounted = (peer.stats().memoryBytes - before.accounted) / ENTRIES
console.log(JSON.stringify({ measured, accounted }))
await peer.stop()
