/** Two processes with one identity, of which one dials the other: no third is there to tell them apart. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Alert, createPeer, type Peer, type PeerOptions } from '../../src/index.js'

const peers: Peer[] = []
let folder: string | undefined

afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.stop()))
  if (folder !== undefined) await rm(folder, { recursive: true })
  folder = undefined
})

async function start(options: PeerOptions): Promise<{ peer: Peer; alerts: Alert[] }> {
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const peer = await createPeer({ logger, joinTimeoutMs: 2_000, ...options })
  peers.push(peer)
  const alerts: Alert[] = []
  peer.on('alert', (alert) => alerts.push(alert))
  return { peer, alerts }
}

describe('a peer that is told to look for its mesh at its own twin', () => {
  it.each([
    ['with its id', (address: string) => address],
    ['without an id', (address: string) => address.split('/p2p/')[0] as string],
  ])('names it, by an address %s', async (_, as) => {
    folder = await mkdtemp(join(tmpdir(), 'hearsay-'))
    const identity = join(folder, 'id.key')
    const original = await start({ identity })
    const bootstrap = original.peer.addresses.map(as)
    const twin = await start({ identity, bootstrap })
    expect(twin.peer.id).toBe(original.peer.id)
    await twin.peer.ready()
    expect(twin.alerts.map(({ code }) => code)).toEqual(['identity-in-use', 'serving-alone'])
    expect(twin.alerts[0]?.message).toContain(original.peer.id)
    await expect(twin.peer.join(bootstrap)).rejects.toMatchObject({ field: 'identity' })
  })

  it('names none where it is itself that answers, by whatever name', async () => {
    const { peer, alerts } = await start({ bootstrap: [] })
    const port = /tcp\/(\d+)/.exec(peer.addresses[0] as string)?.[1]
    for (const address of [...peer.addresses, `/dns4/localhost/tcp/${port}`]) {
      await expect(peer.join(address)).rejects.toMatchObject({ code: 'UNREACHABLE' })
    }
    expect(alerts).toEqual([])
  })
})
