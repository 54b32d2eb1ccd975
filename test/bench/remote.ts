/**
 * How long a read takes of a key that others own, between five processes on loopback: eight calls under way at any time,
 * and one at a time.
 */
import { quantile } from '../support/processes/peers.js'
import { type Child, withChildren } from './mesh/children.js'
import type { Line } from './run.js'

const PEERS = 3
const IN_FLIGHT = 8
const KEYS = 1_000
const CALLS = 8_000
const WARM_UP_CALLS = 16_000

export async function remote(): Promise<Line[]> {
  return await withChildren(
    PEERS,
    async (children) => {
      const [reader, writer] = children as [Child, Child]
      // More than is read: which of them the reader owns is chance.
      const written = { prefix: 'read', count: KEYS * 4 }
      await writer.ask({ do: 'write', keys: written, bytes: 100, batch: 100 })
      await writer.ask({ do: 'flush' })
      await timed(reader, WARM_UP_CALLS, IN_FLIGHT)
      const before = (await reader.stats()).remoteReadCount
      const busy = await timed(reader, CALLS, IN_FLIGHT)
      const calm = await timed(reader, CALLS / 4, 1)
      const asked = (await reader.stats()).remoteReadCount - before
      if (asked !== CALLS * 1.25)
        throw new Error(`${asked} of ${CALLS * 1.25} reads went to owners`)
      const where = `a read at one of what others own, ${PEERS} processes`
      return [
        {
          what: `${where}, ${IN_FLIGHT} under way, p50`,
          figure: quantile(busy, 0.5),
          unit: 'ms',
          wanted: 0.5,
        },
        { what: `${where}, ${IN_FLIGHT} under way, p99`, figure: quantile(busy, 0.99), unit: 'ms' },
        {
          what: `${where}, one at a time, p50`,
          figure: quantile(calm, 0.5),
          unit: 'ms',
          wanted: 3,
        },
      ]
    },
    { replicas: 2 },
  )
}

async function timed(reader: Child, calls: number, inFlight: number): Promise<number[]> {
  const what = { consistency: 'one' } as const
  const keys = { prefix: 'read', count: KEYS, ofOthers: true }
  return await reader.ask<number[]>({ do: 'time', what, keys, calls, inFlight })
}
