/** Finding each other: from one address to everybody, and again after the network was cut. */
import { describe, expect, it, vi } from 'vitest'
import { DialError } from '../../src/services/ports.js'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()

const complaints = ({ log }: MeshNode) => log.filter((line) => line.includes('was not reached'))

describe(`discovery, seed ${seed}`, () => {
  it('names an unreachable bootstrap once and then at growing intervals, and joins when it is there', async () => {
    const mesh = new SimulatedMesh(seed)
    const early = await mesh.start({ bootstrap: ['/ip4/127.0.0.1/tcp/4001'] })
    await mesh.advance(60_000)
    const warnings = complaints(early).filter((line) => line.startsWith('warn'))
    const tries = warnings.map((line) => Number(/try (\d+)/.exec(line)?.[1]))
    expect(tries[0]).toBe(1)
    for (const [i, attempt] of tries.entries()) {
      expect(attempt).toBeGreaterThanOrEqual(2 * (tries[i - 1] ?? 0))
    }
    expect(complaints(early).length).toBeGreaterThan(2 * tries.length)
    await mesh.start({ port: 4001, bootstrap: [] })
    await mesh.settle(5_000)
  })

  it('is stopped by no address that is its own, nor by one that answers as somebody else', async () => {
    const mesh = await SimulatedMesh.of(1, seed)
    const own = '/ip4/127.0.0.1/tcp/4002'
    const [first] = mesh.node(0).peer.addresses
    const moved = `${String(first).split('/p2p/')[0]}/p2p/somebodyelse`
    await mesh.start({ port: 4002, bootstrap: [own, moved, String(first)] })
    await mesh.settle(10_000)
    expect(complaints(mesh.node(1)).filter((line) => line.includes(own))).toEqual([])
  })

  it('finds all through every address of a name', async () => {
    const mesh = new SimulatedMesh(seed)
    const ports = [4001, 4002, 4003]
    mesh.network.names.set(
      'cache.local:4001',
      ports.map((port) => `/ip4/127.0.0.1/tcp/${port}`),
    )
    const starts = ports.map((port) => mesh.start({ port, bootstrap: ['dns://cache.local:4001'] }))
    await Promise.all(starts)
    await mesh.settle(5_000)
  })

  it('finds all from one bootstrap address', async () => {
    const mesh = await SimulatedMesh.of(8, seed)
    for (const { transport } of mesh.nodes) {
      for (const { id } of mesh.nodes) {
        if (id !== transport.id) expect(transport.isConnected(id)).toBe(true)
      }
    }
  })

  it('finds all along a chain in which each knows only the one before', async () => {
    const mesh = new SimulatedMesh(seed)
    for (let i = 0; i < 6; i++) {
      const before = mesh.nodes.at(-1)
      await mesh.start({ bootstrap: before === undefined ? [] : [...before.peer.addresses] })
    }
    await mesh.settle(10_000)
  })

  it('joins two meshes into one when somebody is told to', async () => {
    const mesh = await SimulatedMesh.of(2, seed)
    await mesh.settled(mesh.cache(0).set('first', 1))
    const other = await mesh.start({ bootstrap: [] })
    await mesh.start({ bootstrap: [...other.peer.addresses] })
    await mesh.settled(mesh.cache(3).set('second', 2))
    await mesh.settled(mesh.node(3).peer.flush())
    await mesh.settled(mesh.node(0).peer.join(String(other.peer.addresses[0])))
    await mesh.settle(10_000)
    await mesh.runUntil(() => mesh.isConverged() && mesh.cache(0).local.size === 2, 10_000)
  })

  it('tells who calls join() that nobody answers', async () => {
    const mesh = await SimulatedMesh.of(1, seed)
    const join = mesh.node(0).peer.join('/ip4/127.0.0.1/tcp/9')
    await expect(mesh.settled(join)).rejects.toMatchObject({ code: 'UNREACHABLE' })
  })

  describe('where another process answers with its own id', () => {
    const address = '/ip4/127.0.0.1/tcp/4001'

    async function withTwin(bootstrap: readonly string[]) {
      const mesh = new SimulatedMesh(seed)
      const node = await mesh.start({ bootstrap: [...bootstrap] })
      const failure = new DialError('twin', 'another process has this id')
      const dial = vi.spyOn(node.transport, 'dial').mockRejectedValue(failure)
      const alert = {
        code: 'identity-in-use',
        message: expect.stringContaining(`with one identity (${node.id}, ${address})`),
      }
      return { mesh, node, dial, alert }
    }

    it('says so once, and tries on as seldom as with one that refuses it', async () => {
      const { mesh, node, dial, alert } = await withTwin([address])
      await mesh.runUntil(() => node.alerts.length > 0, 5_000)
      expect(node.alerts).toEqual([alert])
      await mesh.advance(600_000)
      expect(dial.mock.calls.length).toBeGreaterThan(4)
      expect(dial.mock.calls.length).toBeLessThan(14)
      expect(node.alerts.filter(({ code }) => code === 'identity-in-use')).toHaveLength(1)
      expect(node.peer.stats().droppedCount['refused hello']).toBe(dial.mock.calls.length)
      const other = await mesh.start({ port: 4001, bootstrap: [] })
      dial.mockRestore()
      await mesh.settle(200_000)
      expect(node.transport.isConnected(other.id)).toBe(true)
    })

    it('throws that at who calls join()', async () => {
      const { mesh, node, alert } = await withTwin([])
      await mesh.advance(1)
      const join = node.peer.join(address)
      await expect(mesh.settled(join)).rejects.toMatchObject({
        code: 'HELLO_REFUSED',
        field: 'identity',
        ours: node.id,
        theirs: address,
      })
      expect(node.alerts).toEqual([alert])
    })
  })

  it('brings the halves of a split together again, with what both have written', async () => {
    const mesh = await SimulatedMesh.of(6, seed)
    const halves = [mesh.nodes.slice(0, 3), mesh.nodes.slice(3)] as [MeshNode[], MeshNode[]]
    const ids = halves.map((half) => half.map(({ id }) => id)) as [string[], string[]]
    mesh.network.split(...ids)
    await mesh.advance(60_000)
    for (const [i, half] of halves.entries()) {
      for (const { peer } of half) expect([...peer.ring.members]).toEqual(ids[i])
    }
    await mesh.settled(mesh.cache(0).set('left', 1))
    await mesh.settled(mesh.cache(5).set('right', 2))
    mesh.network.heal()
    await mesh.settle(60_000)
    await mesh.runUntil(() => mesh.isConverged() && mesh.cache(0).local.size === 2, 10_000)
  })

  it('reconnects members whose connection was closed, without anybody being missed', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    await mesh.advance(3_000)
    for (const { told } of mesh.nodes) told.length = 0
    const [a, b] = mesh.nodes as [MeshNode, MeshNode]
    await a.transport.hangUp(b.id)
    expect(a.transport.isConnected(b.id)).toBe(false)
    await mesh.runUntil(() => a.transport.gossipsWith(b.id) && b.transport.gossipsWith(a.id), 5_000)
    expect(mesh.nodes.flatMap(({ told }) => told)).toEqual([])
  })

  it('finds a member again whose connection closed only after it was called dead', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    const [first, second, third] = mesh.nodes as [MeshNode, MeshNode, MeshNode]
    mesh.network.split([first.id, second.id], [third.id])
    await mesh.runUntil(() => !second.transport.isConnected(third.id))
    expect(second.told).toContainEqual(expect.objectContaining({ id: third.id, state: 'dead' }))
    await mesh.advance(5_000)
    mesh.network.heal()
    await mesh.settle()
  })
})

describe(`the watchdog, seed ${seed}`, () => {
  it('reconnects two whose gossip has gone deaf, and nobody is called dead for it', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    mesh.network.forwardPeersMax = 0
    await mesh.advance(10_000)
    const [a, b] = mesh.nodes as [MeshNode, MeshNode]
    mesh.network.muteGossip(a.id, b.id)
    expect(a.transport.gossipsWith(b.id)).toBe(false)
    await mesh.settled(a.peer.cache('c').set('key', 1))
    await mesh.advance(100)
    expect(b.peer.cache('c').peek('key')).toBeUndefined()
    await mesh.runUntil(
      () => a.transport.gossipsWith(b.id) && b.transport.gossipsWith(a.id),
      15_000,
    )
    await mesh.runUntil(() => b.peer.cache('c').peek('key') === 1, 5_000)
    const dead = mesh.nodes.flatMap(({ told }) => told.filter(({ state }) => state === 'dead'))
    expect(dead).toEqual([])
    await mesh.settle(5_000)
  })

  it('leaves connections alone over which messages flow', async () => {
    const mesh = await SimulatedMesh.of(4, seed)
    await mesh.advance(60_000)
    for (const { log } of mesh.nodes) {
      expect(log.filter((line) => line.includes('hanging up'))).toEqual([])
    }
  })
})
