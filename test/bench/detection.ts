/** How long until all survivors call a killed peer dead; and that a stopped one is not called dead. */
import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs, quantile, withMesh } from '../support/processes/peers.js'
import type { Line } from './run.js'
import { killSerfAgent, serfVersion } from './serf.js'

const PEERS = 8
const ROUNDS = 5
const STALL_MS = 3_000
const SERF_ROUNDS = 3
const SILENT_PEERS = 10
const SILENT_ROUNDS = 3

export async function kill(): Promise<Line[]> {
  const roundsMs: number[] = []
  for (let round = 0; round < ROUNDS; round++) roundsMs.push(await detection(PEERS, 'SIGKILL'))
  const medianMs = quantile(roundsMs, 0.5)
  return [
    {
      what: `SIGKILL of one of ${PEERS}: all survivors say dead, median of ${ROUNDS}`,
      figure: medianMs,
      unit: 'ms',
      wanted: 500,
    },
    { what: '… the slowest round', figure: Math.max(...roundsMs), unit: 'ms' },
    ...(await killSerf(medianMs)),
  ]
}

/** A process that stands still for good: its host still answers, and its connections stay. */
export async function silence(): Promise<Line[]> {
  const roundsMs: number[] = []
  for (let round = 0; round < SILENT_ROUNDS; round++) {
    roundsMs.push(await detection(SILENT_PEERS, 'SIGSTOP'))
  }
  return [
    {
      what: `SIGSTOP of one of ${SILENT_PEERS}: all survivors say dead, the slowest of ${SILENT_ROUNDS}`,
      figure: Math.max(...roundsMs),
      unit: 'ms',
      wanted: 6_000,
    },
  ]
}

/** How long until all others call one dead that gets a signal, in ms. */
async function detection(peers: number, signal: NodeJS.Signals): Promise<number> {
  return await withMesh(peers, async (all) => {
    await sleep(2_000)
    const [victim, ...survivors] = all.toReversed()
    const fromMs = nowMs()
    victim?.child.kill(signal)
    const seen = await Promise.all(
      survivors.map((peer) =>
        peer.saw(
          (report) =>
            report.event === 'state' && report.id === victim?.id && report.state === 'dead',
        ),
      ),
    )
    return Math.max(...seen.map(({ atMs }) => atMs)) - fromMs
  })
}

/** The same of Serf, and how many times as long it takes. */
async function killSerf(ourMs: number): Promise<Line[]> {
  const version = serfVersion()
  if (version === undefined) {
    console.error('   serf is not installed: no comparison')
    return []
  }
  const roundsMs: number[] = []
  for (let round = 0; round < SERF_ROUNDS; round++) roundsMs.push(await killSerfAgent(PEERS))
  const medianMs = quantile(roundsMs, 0.5)
  return [
    {
      what: `the same of serf ${version}, LAN profile, median of ${SERF_ROUNDS}`,
      figure: medianMs,
      unit: 'ms',
    },
    { what: '… in ours', figure: medianMs / ourMs, unit: 'times', wantedAtLeast: 5 },
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
