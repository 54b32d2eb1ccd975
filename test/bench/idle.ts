/**
 * What members of a large mesh send each other when nobody uses it: real peers over real TCP in one process, and the bytes that
 * go through their sockets (libp2p's own included, TCP's headers not).
 */
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPeer, type Peer } from 'hearsay'
import type { Line } from './run.js'

const PEERS = Number(process.env.HEARSAY_BENCH_PEERS ?? 100)

/** How long all take to meet, at most, and how long is measured, in ms. */
const MEET_MAX_MS = 900_000
const MEASURED_MS = 60_000

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

export async function idle(): Promise<Line[]> {
  const sockets: Socket[] = []
  for (const channel of ['net.client.socket', 'net.server.socket']) {
    subscribe(channel, (message) => {
      sockets.push((message as { socket: Socket }).socket)
    })
  }
  const peers: Peer[] = []
  try {
    for (let i = 0; i < PEERS; i++) {
      const bootstrap = peers.slice(0, 1).flatMap(({ addresses }) => addresses)
      const peer = await createPeer({ mesh: 'bench-idle', bootstrap, logger: quiet })
      peers.push(peer)
      await peer.ready()
      if (i % 10 === 9) console.error(`idle: ${i + 1} of ${PEERS} peers`)
    }
    await untilMet(peers)
    // For everybody to have learnt how many there are, and what was lost meanwhile to be made up for.
    await sleep(30_000)
    const sent = () => sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0)
    const before = sent()
    const cpuBefore = process.cpuUsage()
    await sleep(MEASURED_MS)
    const bytes = sent() - before
    const { user, system } = process.cpuUsage(cpuBefore)
    return [
      {
        what: `idle bytes a second of a member of ${PEERS}, sent and received`,
        figure: (2 * bytes * 1_000) / MEASURED_MS / PEERS,
        unit: 'B/s',
        wanted: 10_240,
      },
      {
        what: '… and CPU of a member, of one core',
        figure: ((user + system) / 1_000 / MEASURED_MS / PEERS) * 100,
        unit: '%',
      },
    ]
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()))
  }
}

async function untilMet(peers: readonly Peer[]): Promise<void> {
  const deadline = Date.now() + MEET_MAX_MS
  const alive = ({ members }: Peer) => members.filter(({ state }) => state === 'alive').length
  while (peers.some((peer) => alive(peer) < peers.length)) {
    if (Date.now() > deadline) throw new Error(`not all met: ${peers.map(alive).join(' ')}`)
    await sleep(500)
  }
}
