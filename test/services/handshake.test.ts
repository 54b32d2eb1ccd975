/** The hello: who may share a mesh, and that both sides are told why not. */
import { describe, expect, it } from 'vitest'
import { helloReplyCodec } from '../../src/protocol/codec.js'
import { PROTOCOL_MAJOR } from '../../src/protocol/limits.js'
import { PROTOCOLS } from '../../src/services/topics.js'
import type { ProcessOptions } from '../../src/testing/simulation.js'
import { SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()

/** A peer that must not be let in, and one that must not let it in. */
async function mismatch(options: ProcessOptions) {
  const mesh = await SimulatedMesh.of(2, seed)
  const inside = mesh.node(0)
  const outside = await mesh.start({ ...options, bootstrap: [...inside.peer.addresses] })
  await mesh.runUntil(() => inside.alerts.length > 0 && outside.alerts.length > 0, 5_000)
  return { mesh, inside, outside }
}

describe(`a hello, seed ${seed}`, () => {
  it.each<[field: string, options: ProcessOptions, theirs: string, ours: string]>([
    ['mesh', { mesh: 'other' }, 'other', 'hearsay'],
    ['tombstoneGraceMs', { tombstoneGraceMs: 5_000 }, '5000', '3600000'],
    ['replicas', { replicas: 3 }, '3', 'all'],
  ])('is refused by name on both sides when %s differs', async (field, options, theirs, ours) => {
    const { mesh, inside, outside } = await mismatch(options)
    expect(inside.alerts).toEqual([
      {
        code: 'hello-refused',
        message: `${outside.id} is not of this mesh: its ${field} is ${theirs}, ours is ${ours}`,
      },
    ])
    expect(outside.alerts).toEqual([
      {
        code: 'hello-refused',
        message: `${inside.id} is not of this mesh: its ${field} is ${ours}, ours is ${theirs}`,
      },
    ])
    await mesh.advance(200_000)
    // It keeps trying, and is told in silence.
    expect(inside.alerts).toHaveLength(1)
    expect(inside.peer.stats().droppedCount['refused hello']).toBeGreaterThan(1)
    // It may be at it just now.
    await mesh.runUntil(() => !inside.transport.isConnected(outside.id), 1_000)
    expect(inside.peer.members.map(({ id }) => id)).not.toContain(outside.id)
    expect(outside.peer.members.map(({ id }) => id)).toEqual([outside.id])
    expect(mesh.node(1).peer.members.every(({ state }) => state === 'alive')).toBe(true)
  })

  it('throws at who calls join() what differs', async () => {
    const mesh = await SimulatedMesh.of(1, seed)
    const outside = await mesh.start({ mesh: 'other', bootstrap: [] })
    const join = outside.peer.join([...mesh.node(0).peer.addresses])
    await expect(mesh.settled(join)).rejects.toMatchObject({
      code: 'HELLO_REFUSED',
      field: 'mesh',
      ours: 'other',
      theirs: 'hearsay',
    })
  })

  it('in another major version is refused by name, though nothing else of it can be read', async () => {
    const mesh = await SimulatedMesh.of(2, seed)
    const [node] = mesh.nodes as [(typeof mesh.nodes)[0]]
    const { transport } = await mesh.stranger('future')
    await mesh.settled(transport.dial(node.peer.addresses))
    const channel = await mesh.settled(transport.open(node.id, PROTOCOLS.hello))
    await channel.send(new Uint8Array([PROTOCOL_MAJOR + 1, 1, 2, 3]))
    const { value } = await mesh.settled(channel.frames[Symbol.asyncIterator]().next())
    const reply = helloReplyCodec.decode(value as Uint8Array)
    expect(reply).toEqual({
      refusal: {
        field: 'protocol',
        ours: String(PROTOCOL_MAJOR),
        theirs: String(PROTOCOL_MAJOR + 1),
      },
    })
    await mesh.runUntil(() => !transport.isConnected(node.id), 1_000)
    expect(node.alerts.map(({ message }) => message)).toEqual([
      `future is not of this mesh: its protocol is ${PROTOCOL_MAJOR + 1}, ours is ${PROTOCOL_MAJOR}`,
    ])
  })

  it('that is answered in another major version tells so on this side, too', async () => {
    const mesh = await SimulatedMesh.of(1, seed)
    const [node] = mesh.nodes as [(typeof mesh.nodes)[0]]
    const stranger = await mesh.stranger('future')
    const joining = node.peer.join([...stranger.transport.addresses]).catch((error: Error) => error)
    await mesh.runUntil(() => stranger.channels.length > 0)
    await stranger.channels[0]?.channel.send(new Uint8Array([PROTOCOL_MAJOR + 1, 1, 2, 3]))
    expect(await mesh.settled(joining)).toMatchObject({ code: 'HELLO_REFUSED', field: 'protocol' })
    expect(node.alerts).toHaveLength(1)
    await mesh.advance(100)
    expect(stranger.connected.size).toBe(0)
  })

  it('that never comes ends the connection, and that is never answered takes no one in', async () => {
    const mesh = await SimulatedMesh.of(1, seed)
    const [node] = mesh.nodes as [(typeof mesh.nodes)[0]]
    const mute = await mesh.stranger('mute')
    await mesh.settled(mute.transport.dial(node.peer.addresses))
    await mesh.runUntil(() => node.transport.isConnected('mute'))
    await mesh.runUntil(() => !node.transport.isConnected('mute'), 30_000)
    const join = node.peer.join([...mute.transport.addresses])
    await expect(mesh.settled(join)).rejects.toMatchObject({ code: 'UNREACHABLE' })
    expect(node.peer.members).toHaveLength(1)
  })

  describe('of a second process with the identity of one that runs', () => {
    async function withTwin() {
      const mesh = await SimulatedMesh.of(3, seed)
      await mesh.advance(3_000)
      const original = mesh.node(1)
      const twin = await mesh.start({ id: original.id })
      // Of the two only the first counts for what the mesh should look like.
      twin.isRunning = false
      return { mesh, original, twin }
    }

    it('is refused, and says so where it runs', async () => {
      const { mesh, twin, original } = await withTwin()
      await mesh.runUntil(() => twin.alerts.length > 0, 5_000)
      expect(twin.alerts[0]?.code).toBe('identity-in-use')
      expect(twin.alerts[0]?.message).toContain(original.id)
      expect(mesh.node(0).alerts.map(({ code }) => code)).toEqual(['identity-in-use'])
    })

    it('leaves the first alone: what it writes reaches all, and nobody misses it', async () => {
      const { mesh, original } = await withTwin()
      const { incarnation } = original.peer.members[0] as { incarnation: number }
      for (let i = 0; i < 20; i++) {
        await mesh.settled(original.peer.cache('c').set(`key ${i}`, i))
        await mesh.advance(50)
      }
      await mesh.settled(original.peer.flush())
      expect(mesh.isConverged()).toBe(true)
      expect(mesh.isSettled(), mesh.describe()).toBe(true)
      const states = mesh.nodes.slice(0, 3).flatMap(({ told }) => told.map(({ state }) => state))
      expect(new Set(states)).toEqual(new Set(['alive']))
      expect(original.peer.members[0]?.incarnation).toBe(incarnation)
    })

    it('is accepted once the first is gone', async () => {
      const { mesh, original, twin } = await withTwin()
      await mesh.advance(5_000)
      mesh.crash(original)
      twin.isRunning = true
      await mesh.settle()
    })
  })
})
