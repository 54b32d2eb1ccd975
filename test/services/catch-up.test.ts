/** Taking over state: a joiner has all of it before it serves, wherever the transfer may break. */
import { describe, expect, it } from 'vitest'
import { stateRequestCodec } from '../../src/protocol/codec.js'
import { PROTOCOLS } from '../../src/services/topics.js'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()

/** Entries of 10 KB each, so that a few hundred make a good number of pages. */
async function fill(mesh: SimulatedMesh, count: number): Promise<void> {
  const cache = mesh.cache<string>(0)
  const value = 'x'.repeat(10_000)
  for (let i = 0; i < count; i++) await mesh.settled(cache.set(`key ${i}`, `${i} ${value}`))
  await mesh.settled(mesh.node(0).peer.flush())
}

const sizeOf = ({ peer }: MeshNode) => peer.cache('c').local.size

/** The partitions from which a node asks for state from now on, in order. */
function spyOnRequests({ transport }: MeshNode): number[] {
  const asked: number[] = []
  const open = transport.open.bind(transport)
  transport.open = async (id, protocol) => {
    const channel = await open(id, protocol)
    if (protocol !== PROTOCOLS.state) return channel
    const send = channel.send.bind(channel)
    channel.send = (frame) => {
      asked.push(stateRequestCodec.decode(frame).fromPartition)
      return send(frame)
    }
    return channel
  }
  return asked
}

/** Lets time pass until a joiner has taken over a part of the state, but not all of it. Returns from whom. */
async function halfWay(mesh: SimulatedMesh, joiner: MeshNode, count: number): Promise<string> {
  let source = ''
  joiner.peer.on('sync:start', ({ member }) => {
    source = member
  })
  await mesh.runUntil(() => sizeOf(joiner) > count / 4)
  expect(sizeOf(joiner)).toBeLessThan(count)
  expect(joiner.peer.status).toBe('joining')
  return source
}

describe(`catching up, seed ${seed}`, () => {
  it('goes on where it was when a transfer breaks off half-way', async () => {
    const mesh = await SimulatedMesh.of(1, seed)
    await fill(mesh, 600)
    const joiner = await mesh.start()
    const asked = spyOnRequests(joiner)
    const source = await halfWay(mesh, joiner, 600)
    await mesh.settled(mesh.node(0).transport.hangUp(joiner.id))
    expect(source).toBe(mesh.node(0).id)
    await mesh.settled(joiner.peer.ready())
    expect(sizeOf(joiner)).toBe(600)
    expect(mesh.isConverged()).toBe(true)
    expect(asked[0]).toBe(0)
    expect(asked.at(-1)).toBeGreaterThan(0)
  })

  it('goes on with another member when its source is killed half-way', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    await fill(mesh, 600)
    const joiner = await mesh.start({ bootstrap: mesh.addresses() })
    const asked = spyOnRequests(joiner)
    const source = await halfWay(mesh, joiner, 600)
    mesh.crash(mesh.nodes.find(({ id }) => id === source) as MeshNode)
    await mesh.settled(joiner.peer.ready())
    expect(sizeOf(joiner)).toBe(600)
    expect(asked.at(-1)).toBeGreaterThan(0)
    await mesh.settle()
    expect(mesh.isConverged()).toBe(true)
  })

  it('goes on with another member when its source falls silent half-way', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    await fill(mesh, 600)
    const joiner = await mesh.start({ bootstrap: mesh.addresses() })
    const source = await halfWay(mesh, joiner, 600)
    mesh.crash(mesh.nodes.find(({ id }) => id === source) as MeshNode, { silent: true })
    await mesh.settled(joiner.peer.ready())
    expect(sizeOf(joiner)).toBe(600)
    await mesh.settle()
    expect(mesh.isConverged()).toBe(true)
  })

  it('misses nothing that is written, deleted or cleared while the transfer goes on', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    await fill(mesh, 600)
    const joiner = await mesh.start()
    await halfWay(mesh, joiner, 600)
    const cache = mesh.cache(1)
    for (let i = 0; i < 600; i += 3) {
      if (i % 2 === 0) void cache.delete(`key ${i}`)
      else void cache.set(`key ${i}`, 'new')
    }
    void mesh.cache(2, 'other').set('a', 1)
    await mesh.settled(joiner.peer.ready())
    await mesh.settled(mesh.node(1).peer.flush())
    await mesh.settled(mesh.node(2).peer.flush())
    expect(mesh.isConverged()).toBe(true)
    expect(mesh.isConverged('other')).toBe(true)
    expect(sizeOf(joiner)).toBe(500)
  })

  it('is over before ready() resolves: the joiner has all, deletes and clears too', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    const cache = mesh.cache(0)
    await mesh.settled(mesh.cache(1, 'cleared').set('before', 1))
    await mesh.settled(mesh.node(1).peer.flush())
    await mesh.settled(mesh.cache(1, 'cleared').clear())
    for (let i = 0; i < 2_000; i++) await cache.set(`key ${i}`, i)
    for (let i = 0; i < 2_000; i += 4) await cache.delete(`key ${i}`)
    await mesh.settled(mesh.node(0).peer.flush())
    await mesh.settled(mesh.node(1).peer.flush())
    const joiner = await mesh.start()
    expect(joiner.peer.status).toBe('joining')
    await mesh.settled(joiner.peer.ready())
    expect(mesh.isConverged()).toBe(true)
    expect(sizeOf(joiner)).toBe(1_500)
    expect(joiner.peer.stats().tombstoneCount).toBe(500)
    expect(joiner.peer.cache('cleared').local.size).toBe(0)
  })

  it('lets members that all start at once begin together, none of them alone', async () => {
    for (let i = 0; i < 20; i++) {
      const mesh = new SimulatedMesh(seed + i)
      const ports = [4001, 4002, 4003, 4004, 4005]
      const bootstrap = ports.map((port) => `/ip4/127.0.0.1/tcp/${port}`)
      await Promise.all(ports.map((port) => mesh.start({ port, bootstrap })))
      await mesh.settle(5_000)
      for (const { id, alerts } of mesh.nodes) expect(alerts, `${id}, seed ${seed + i}`).toEqual([])
      const views = new Set(mesh.nodes.map(({ peer }) => peer.ring.members.join()))
      expect([...views]).toEqual(['p01,p02,p03,p04,p05'])
    }
  })

  it('lets a peer that reaches nobody serve alone, say so, and merge later both ways', async () => {
    const mesh = new SimulatedMesh(seed)
    const alone = await mesh.start({ bootstrap: ['/ip4/127.0.0.1/tcp/4001'] })
    await mesh.advance(4_900)
    expect(alone.peer.status).toBe('joining')
    await mesh.settled(alone.peer.ready(), 300)
    expect(alone.alerts.map(({ code }) => code)).toEqual(['serving-alone'])
    await mesh.settled(mesh.cache(0).set('of the first', 1))

    const other = await mesh.start({ port: 4001, bootstrap: [] })
    await mesh.settled(other.peer.ready())
    await mesh.settled(mesh.cache(1).set('of the second', 2))
    await mesh.settle()
    await mesh.runUntil(() => mesh.isConverged() && sizeOf(alone) === 2)
    expect([...alone.peer.cache('c').local.keys()].sort()).toEqual([
      'of the first',
      'of the second',
    ])
  })

  describe('and clocks', () => {
    it('lets a joiner write only after it has learnt the clock of the mesh', async () => {
      const mesh = await SimulatedMesh.of(2, seed)
      await mesh.settled(mesh.cache(0).set('key', 'of the mesh'))
      await mesh.settled(mesh.node(0).peer.flush())
      // No way to the mesh: no hello, so no write.
      mesh.network.cut('late', 'p01')
      const joiner = await mesh.start({ id: 'late', clockOffsetMs: -4_000, joinTimeoutMs: 60_000 })
      let hasWritten = false
      const writing = joiner.peer
        .cache('c')
        .set('key', 'of the joiner')
        .then(() => {
          hasWritten = true
        })
      await mesh.advance(2_000)
      expect(hasWritten).toBe(false)
      mesh.network.heal()
      await mesh.settled(writing)
      await mesh.settled(joiner.peer.ready())
      await mesh.settled(joiner.peer.flush())
      for (const { peer } of mesh.nodes) expect(peer.cache('c').peek('key')).toBe('of the joiner')
    })

    it('lets a peer that nobody is there for write at once', async () => {
      const mesh = new SimulatedMesh(seed)
      await mesh.start()
      await mesh.settled(mesh.cache(0).set('key', 1), 10)
    })
  })
})
