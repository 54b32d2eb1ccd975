/**
 * How long an acknowledged write and a read at quorum take, between three processes on loopback: eight calls under way
 * at any time, and one at a time.
 */
import type { Timed } from '../support/processes/peer-process.js'
import { type PeerProcess, quantile, withMesh } from '../support/processes/peers.js'
import type { Line } from './run.js'

const PEERS = 3
const IN_FLIGHT = 8
const CALLS = 4_000
const WARM_UP_CALLS = 8_000

const TIMED: ReadonlyArray<[name: string, what: Timed, wantedMs: number]> = [
  ['a set with ack one', { ack: 'one' }, 1],
  ['a set with ack quorum', { ack: 'quorum' }, 1],
  ['a set with ack all', { ack: 'all' }, 3],
  ['a read at quorum', { consistency: 'quorum' }, 1],
]

export async function ack(): Promise<Line[]> {
  return await withMesh(PEERS, async ([peer]) => {
    const lines: Line[] = []
    for (const [name, what, wantedMs] of TIMED) {
      await timed(peer as PeerProcess, what, WARM_UP_CALLS, IN_FLIGHT)
      const busy = await timed(peer as PeerProcess, what, CALLS, IN_FLIGHT)
      const calm = await timed(peer as PeerProcess, what, CALLS / 4, 1)
      const where = `${name}, ${PEERS} processes`
      lines.push(
        {
          what: `${where}, ${IN_FLIGHT} under way, p50`,
          figure: quantile(busy, 0.5),
          unit: 'ms',
          wanted: wantedMs,
        },
        { what: `${where}, ${IN_FLIGHT} under way, p99`, figure: quantile(busy, 0.99), unit: 'ms' },
        {
          what: `${where}, one at a time, p50`,
          figure: quantile(calm, 0.5),
          unit: 'ms',
          wanted: 3,
        },
      )
    }
    return lines
  })
}

async function timed(
  peer: PeerProcess,
  what: Timed,
  count: number,
  inFlight: number,
): Promise<number[]> {
  return (await peer.ask({ do: 'time', what, count, inFlight })) as number[]
}
