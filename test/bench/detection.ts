/** How long until all survivors call a killed peer dead; and that a stopped one is not called dead. */
import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs, quantile, withMesh } from '../support/processes/peers.js'
import type { Line } from './run.js'

const PEERS = 8
const ROUNDS = 5
const STALL_MS = 3_000

export async function kill(): Promise<Line[]> {
  const roundsMs: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    roundsMs.push(
      await withMesh(PEERS, async (peers) => {
        await sleep(2_000)
        const [victim, ...survivors] = peers.toReversed()
        const killedAtMs = nowMs()
        victim?.child.kill('SIGKILL')
        const seen = await Promise.all(
          survivors.map((peer) =>
            peer.saw(
              (report) =>
                report.event === 'state' && report.id === victim?.id && report.state === 'dead',
            ),
          ),
        )
        return Math.max(...seen.map(({ atMs }) => atMs)) - killedAtMs
      }),
    )
  }
  return [
    {
      what: `SIGKILL of one of ${PEERS}: all survivors say dead, median of ${ROUNDS}`,
      figure: quantile(roundsMs, 0.5),
      unit: 'ms',
      wanted: 1_000,
    },
    { what: '… the slowest round', figure: Math.max(...roundsMs), unit: 'ms' },
  ]
}

export async function stall(): Promise<Line[]> {
  return await withMesh(PEERS, async (peers) => {
    let convictions = 0
    for (const victim of peers.slice(0, 3)) {
      victim.child.kill('SIGSTOP')
      await sleep(STALL_MS)
      victim.child.kill('SIGCONT')
      await sleep(6_000)
      for (const peer of peers) {
        convictions += peer.reports.filter(
          (report) => report.event === 'state' && report.state === 'dead',
        ).length
        peer.reports.length = 0
      }
    }
    return [
      {
        what: `calls of "dead" after stalls of ${STALL_MS} ms of 3 of ${PEERS}`,
        figure: convictions,
        unit: '',
        wanted: 0,
      },
    ]
  })
}
