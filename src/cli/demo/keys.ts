/**
 * The keys of the demo: written, and read back with their values compared.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { BatchOperation, BatchResult, PeerClient } from '../client.js'
import { CommandFailure } from '../failure.js'

/** How many keys are written. */
export const KEYS_COUNT = 1_000

const CACHE = 'demo'

const BATCH_SIZE = 250

const KEYS = Array.from({ length: KEYS_COUNT }, (_, index) => `key-${index}`)

function expectedValue(key: string): unknown {
  return { key, text: `value of ${key}`, tags: ['demo', key.length] }
}

/** Writes all keys. @throws CommandFailure when one is refused */
export async function writeKeys(client: PeerClient): Promise<void> {
  const results = await inBatches(client, (key) => ({ op: 'set', key, value: expectedValue(key) }))
  const refused = results.find(({ status }) => status >= 300)
  if (refused !== undefined) {
    throw new CommandFailure('WRITE_REFUSED', refused.error?.message ?? `status ${refused.status}`)
  }
}

/** Reads all keys. Returns those that are not there or have another value. */
export async function lostKeys(client: PeerClient): Promise<string[]> {
  const results = await inBatches(client, (key) => ({ op: 'get', key }))
  return KEYS.filter((key, index) => !isDeepStrictEqual(results[index]?.value, expectedValue(key)))
}

/** Reads one key over and over until it has the value. Returns whether it came to that. */
export async function isVisible(
  client: PeerClient,
  value: string,
  patienceMs: number,
): Promise<boolean> {
  const begin = performance.now()
  while (performance.now() - begin < patienceMs) {
    if ((await client.get('demo-visibility', 'key'))?.body.value === value) return true
    // The peers need the processor too.
    await delay(1)
  }
  return false
}

async function inBatches(
  client: PeerClient,
  operationOf: (key: string) => BatchOperation,
): Promise<BatchResult[]> {
  const results: BatchResult[] = []
  for (let from = 0; from < KEYS.length; from += BATCH_SIZE) {
    const keys = KEYS.slice(from, from + BATCH_SIZE)
    results.push(...(await client.batch(CACHE, keys.map(operationOf))))
  }
  return results
}
