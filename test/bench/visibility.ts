/**
 * How long until a set is visible on all of five processes, at a low rate: of peers that have just started, and of peers
 * that have run for a while, whose code the runtime has compiled by then.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type PeerProcess, quantile, withMesh } from '../support/processes/peers.js'
import type { Line } from './run.js'

const PEERS = 5
const SETS = 400
const PAUSE_MS = 20
const WARM_UP_SETS = 3_000

export async function visibility(): Promise<Line[]> {
  const options = { replicas: 'all' } as const
  const measure = async (peers: PeerProcess[]): Promise<Line[]> => {
    const cold = await latencies(peers, 'first')
    for (const peer of peers) await peer.ask({ do: 'warm', count: WARM_UP_SETS })
    const warm = await latencies(peers, 'warm')
    const what = `a set is visible on all of ${PEERS} processes`
    return [
      { what: `${what}, just started, p50`, figure: quantile(cold, 0.5), unit: 'ms' },
      { what: `${what}, just started, p99`, figure: quantile(cold, 0.99), unit: 'ms' },
      { what: `${what}, p50`, figure: quantile(warm, 0.5), unit: 'ms', wanted: 4 },
      { what: `${what}, p99`, figure: quantile(warm, 0.99), unit: 'ms', wanted: 25 },
    ]
  }
  return await withMesh(PEERS, measure, options)
}

/** Time from each set to the last peer's seeing it, in ms. */
async function latencies(peers: readonly PeerProcess[], label: string): Promise<number[]> {
  const latencies: number[] = []
  for (let i = 0; i < SETS; i++) {
    const key = `seen-${label}-${i}`
    const writer = peers[i % PEERS]
    const setAtMs = (await writer?.ask({ do: 'set', key, value: i })) as number
    const seen = await Promise.all(
      peers.map((peer) => peer.saw((report) => report.event === 'set' && report.key === key)),
    )
    latencies.push(Math.max(...seen.map(({ atMs }) => atMs)) - setAtMs)
    for (const { reports } of peers) reports.length = 0
    await sleep(PAUSE_MS)
  }
  return latencies
}
