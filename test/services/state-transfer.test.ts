/** Transfers of the state: none holds a channel, or somebody else's turn, for ever, whatever the other side does. */
import { describe, expect, it } from 'vitest'
import { stateRequestCodec } from '../../src/protocol/codec.js'
import type { Channel } from '../../src/services/ports.js'
import { PROTOCOLS } from '../../src/services/topics.js'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()

/** More than fits in the window of a channel, as for one who does not read. */
const VALUES = 40
const VALUE = 'x'.repeat(50_000)

/** Transfers that a member serves at once. */
const SERVED_MAX = 8

const ALL = { fromPartition: 0, partitions: undefined, ring: 0n, held: undefined }

async function two() {
  const mesh = await SimulatedMesh.of(2, seed)
  const [server, reader] = mesh.nodes as [MeshNode, MeshNode]
  const cache = server.peer.cache('c')
  for (let i = 0; i < VALUES; i++) await mesh.settled(cache.set(`key ${i}`, VALUE))
  await mesh.converge()
  return { mesh, server, reader }
}

/** Asks a member for all that it holds. */
async function request(mesh: SimulatedMesh, from: MeshNode, to: MeshNode): Promise<Channel> {
  const channel = await mesh.settled(from.transport.open(to.id, PROTOCOLS.state))
  await mesh.settled(channel.send(stateRequestCodec.encode(ALL)))
  return channel
}

/** How many frames come until the channel ends; undefined when it breaks. */
async function read(mesh: SimulatedMesh, { frames }: Channel): Promise<number | undefined> {
  let count = 0
  const all = async () => {
    for await (const _ of frames) count++
    return count
  }
  return await mesh.settled(all().catch(() => undefined))
}

describe(`a transfer of the state, seed ${seed}`, () => {
  it('of which nobody reads the pages takes no turn for ever', async () => {
    const { mesh, server, reader } = await two()
    const unread: Channel[] = []
    for (let i = 0; i < SERVED_MAX; i++) unread.push(await request(mesh, reader, server))
    await mesh.advance(100)
    await expect(request(mesh, reader, server)).rejects.toThrow(/aborted/)
    expect(server.peer.stats().droppedCount).toMatchObject({ busy: 1 })
    await mesh.advance(6_000)
    const served = await request(mesh, reader, server)
    expect(await read(mesh, served)).toBeGreaterThan(1)
    for (const channel of unread) expect(await read(mesh, channel)).toBeUndefined()
  })

  it('whose channel opens when nobody waits for it any more is aborted, and made anew', async () => {
    const { mesh, server } = await two()
    const aborted: string[] = []
    let isLate = true
    const joiner = mesh.process({ bootstrap: [...server.peer.addresses] })
    const { transport } = joiner
    const open = transport.open.bind(transport)
    transport.open = async (id, protocol) => {
      const channel = await open(id, protocol)
      if (protocol !== PROTOCOLS.state || !isLate) return channel
      isLate = false
      channel.abort = ({ message }) => void aborted.push(message)
      await new Promise<void>((resolve) => void mesh.time.after(8_000, resolve))
      return channel
    }
    await mesh.launch(joiner)
    await mesh.settled(joiner.peer.ready())
    await mesh.advance(10_000)
    expect(aborted).toEqual(['no answer within 5000 ms'])
    expect([...joiner.peer.cache('c').local.keys()]).toHaveLength(VALUES)
  })
})
