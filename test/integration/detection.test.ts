/** Detection over real TCP, where what a port answers tells something else than it seems to. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { expect, it } from 'vitest'
import { type PeerProcess, withMesh } from '../support/processes/peers.js'

/** Something that listens on a port, and is no peer. Tries until the port is free. */
async function takeOver(port: number): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => {}))
  for (;;) {
    server.listen(port, '127.0.0.1')
    const event = await Promise.race([
      once(server, 'listening').then(() => 'listening'),
      once(server, 'error').then(() => 'error'),
    ])
    if (event === 'listening') return server
  }
}

const dies = ({ id }: PeerProcess, survivors: readonly PeerProcess[]) =>
  Promise.all(
    survivors.map((survivor) =>
      survivor.saw(
        (report) => report.event === 'state' && report.id === id && report.state === 'dead',
      ),
    ),
  )

const portOf = ({ started }: PeerProcess) =>
  Number(/tcp\/(\d+)/.exec(started?.addresses[0] ?? '')?.[1])

it('a killed peer is called dead though another process has taken over its port', async () => {
  await withMesh(4, async (peers) => {
    const [victim, ...survivors] = peers.toReversed() as [PeerProcess, ...PeerProcess[]]
    await victim.end()
    const usurper = await takeOver(portOf(victim))
    try {
      await dies(victim, survivors)
      const told = survivors.flatMap(({ reports }) =>
        reports.flatMap((report) => (report.event === 'state' ? [report] : [])),
      )
      const dead = told.filter(({ state }) => state === 'dead').map(({ id }) => id)
      expect(new Set(dead)).toEqual(new Set([victim.id]))
    } finally {
      usurper.close()
    }
  })
}, 60_000)

it('a stopped peer, whose host answers, is called dead, and comes back when it goes on', async () => {
  await withMesh(3, async (peers) => {
    const [victim, ...survivors] = peers.toReversed() as [PeerProcess, ...PeerProcess[]]
    victim.child.kill('SIGSTOP')
    await dies(victim, survivors)
    for (const { reports } of survivors) reports.length = 0
    victim.child.kill('SIGCONT')
    await Promise.all(
      survivors.map((survivor) =>
        survivor.saw(
          (report) =>
            report.event === 'state' && report.id === victim.id && report.state === 'alive',
        ),
      ),
    )
  })
}, 60_000)
