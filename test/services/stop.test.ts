/** Stopping leaves nothing behind; and the whole mesh does the same again from the same seed. */
import { describe, expect, it } from 'vitest'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()

/** Lets what is already on its way come to nothing, and looks what is left. */
async function leftOver(mesh: SimulatedMesh): Promise<number> {
  await mesh.advance(0)
  return mesh.time.pending
}

describe(`after stop(), seed ${seed}`, () => {
  it('of one peer that was alone, nothing is scheduled', async () => {
    const mesh = await SimulatedMesh.of(1, seed)
    await mesh.advance(1_000)
    await mesh.stopAll()
    expect(await leftOver(mesh)).toBe(0)
  })

  it('of a peer that looks for others in vain, nothing is scheduled', async () => {
    const mesh = new SimulatedMesh(seed)
    await mesh.start({ bootstrap: ['/ip4/127.0.0.1/tcp/4001', 'dns://nobody:1'] })
    await mesh.advance(2_000)
    await mesh.stopAll()
    expect(await leftOver(mesh)).toBe(0)
  })

  it('of all peers of a quiet mesh, nothing is scheduled', async () => {
    const mesh = await SimulatedMesh.of(5, seed)
    await mesh.advance(10_000)
    await mesh.stopAll()
    expect(await leftOver(mesh)).toBe(0)
  })

  it('of peers that were in the middle of everything, nothing is left to come that takes long', async () => {
    const mesh = await SimulatedMesh.of(4, seed)
    mesh.network.forwardPeersMax = 0
    mesh.network.configure({ lossProbability: 0.3, delayMs: { min: 0, max: 50 } })
    for (let i = 0; i < 200; i++) {
      await mesh.cache(i % 4).set(`key ${i}`, 'x'.repeat(10_000))
      if (i % 10 === 0) await mesh.advance(20)
    }
    await mesh.start()
    await mesh.advance(100)
    await mesh.stopAll()
    // Requests that were under way run into their deadlines.
    await mesh.advance(15_000)
    expect(mesh.time.pending).toBe(0)
  })

  it('is done a second time without harm, and takes no more calls', async () => {
    const mesh = await SimulatedMesh.of(2, seed)
    const { peer } = mesh.node(1)
    const cache = peer.cache('c')
    await mesh.settled(Promise.all([peer.stop(), peer.stop({ drain: true })]))
    await mesh.settled(peer.stop())
    expect(peer.status).toBe('stopped')
    const calls = [cache.set('key', 1), cache.get('key'), peer.flush(), peer.ready()]
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'PEER_STOPPED' } })
    }
  })

  it('the others know at once that the peer left, and do not call it dead', async () => {
    const mesh = await SimulatedMesh.of(4, seed)
    await mesh.advance(3_000)
    for (const { told } of mesh.nodes) told.length = 0
    await mesh.stop(mesh.node(2))
    await mesh.advance(10)
    for (const { told } of mesh.running()) {
      expect(told.map(({ state, id }) => `${state} ${id}`)).toEqual([`left ${mesh.node(2).id}`])
    }
    await mesh.advance(60_000)
    await mesh.settle()
    for (const { told } of mesh.running()) expect(told).toHaveLength(1)
  })

  it('what was written before is with the others, where nothing goes wrong', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    for (let i = 0; i < 1_000; i++) await mesh.cache(2).set(`key ${i}`, i)
    await mesh.stop(mesh.node(2))
    await mesh.advance(100)
    for (const { peer } of mesh.running()) expect(peer.cache('c').local.size).toBe(1_000)
  })
})

describe(`a run, seed ${seed}`, () => {
  /** Everything that peers say and hold in a run with faults. */
  async function run(withSeed: number): Promise<string> {
    const network = {
      lossProbability: 0.05,
      duplicateProbability: 0.05,
      delayMs: { min: 0, max: 20 },
    }
    const mesh = await SimulatedMesh.of(4, withSeed, {}, network)
    for (let i = 0; i < 100; i++) {
      const nodes = mesh.running()
      const node = nodes[Math.floor(mesh.random.next() * nodes.length)] as MeshNode
      void node.peer.cache('c').set(`key ${i % 20}`, i)
      if (i === 30) mesh.crash(mesh.node(1))
      if (i === 50) mesh.stall(mesh.node(2), 1_500)
      if (i === 60) mesh.network.split(['p01'], ['p03', 'p04'])
      if (i === 80) mesh.network.heal()
      await mesh.advance(mesh.random.next() * 200)
    }
    await mesh.advance(20_000)
    return mesh.nodes
      .flatMap(({ id, log, told, peer }) => [
        id,
        ...log,
        ...told.map(({ atMs, state, id: other }) => `${atMs} ${other} ${state}`),
        JSON.stringify(peer.stats(), (_, value) => value),
        mesh.contents(mesh.node(0)),
      ])
      .join('\n')
  }

  it('is the same again, to the last digit, from the same seed', async () => {
    expect(await run(seed)).toBe(await run(seed))
  })

  it('is another one from another seed', async () => {
    expect(await run(seed)).not.toBe(await run(seed + 1))
  })
})
