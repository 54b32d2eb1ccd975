/** What one member writes all get, however bad the network: by gossip at once, or by repair a little later. */
import { describe, expect, it } from 'vitest'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()

/** One write of some kind to one of few keys, so that writes meet. */
function writeSomething(mesh: SimulatedMesh, node: MeshNode, i: number): void {
  const cache = node.peer.cache('c')
  const dice = mesh.random.next()
  const key = `key ${Math.floor(mesh.random.next() * 50)}`
  const value = `${node.id} ${i}`
  if (dice < 0.6) void cache.set(key, value)
  // Keys of their own: that an expired entry replaced another is not repaired yet.
  else if (dice < 0.75)
    void cache.set(`brief ${key}`, value, { ttl: 1 + mesh.random.next() * 2_000 })
  else if (dice < 0.97) void cache.delete(key)
  else void cache.clear()
}

async function writeALot(mesh: SimulatedMesh, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const nodes = mesh.running()
    writeSomething(mesh, nodes[Math.floor(mesh.random.next() * nodes.length)] as MeshNode, i)
    if (mesh.random.next() < 0.5) await mesh.advance(mesh.random.next() * 20)
  }
}

describe(`replication, seed ${seed}`, () => {
  it.each([
    ['nothing goes wrong', {}],
    ['messages overtake each other', { delayMs: { min: 0, max: 200 } }],
    ['messages come twice', { duplicateProbability: 0.5, delayMs: { min: 0, max: 100 } }],
    ['a third is lost and nobody passes on', { lossProbability: 0.3, forwardPeersMax: 0 }],
    [
      'all of that happens',
      {
        lossProbability: 0.2,
        frameLossProbability: 0.05,
        duplicateProbability: 0.2,
        delayMs: { min: 0, max: 100 },
        forwardPeersMax: 1,
      },
    ],
  ])('converges when %s', async (_, faults) => {
    for (let i = 0; i < 5; i++) {
      const { forwardPeersMax, ...settings } = { forwardPeersMax: 2, ...faults }
      const mesh = await SimulatedMesh.of(4, seed + i)
      mesh.network.forwardPeersMax = forwardPeersMax
      mesh.network.configure(settings)
      await writeALot(mesh, 200)
      mesh.network.configure({
        lossProbability: 0,
        frameLossProbability: 0,
        delayMs: { min: 0.2, max: 1 },
      })
      // Expired entries count until they are swept.
      await mesh.advance(3_000)
      await mesh.converge(30_000)
      await mesh.advance(5_000)
      expect(mesh.isConverged(), `seed ${seed + i}`).toBe(true)
    }
  })

  it('repairs while messages go on being lost', async () => {
    const mesh = await SimulatedMesh.of(4, seed)
    mesh.network.forwardPeersMax = 0
    mesh.network.configure({ lossProbability: 0.3 })
    await writeALot(mesh, 100)
    await mesh.converge(30_000)
    const gaps = mesh.nodes.map(({ peer }) => peer.stats().opsGapCount)
    expect(Math.max(...gaps)).toBeGreaterThan(0)
  })

  it('repairs the loss of the very last message, which no later one gives away', async () => {
    const mesh = await SimulatedMesh.of(2, seed)
    mesh.network.configure({ lossProbability: 1 })
    await mesh.settled(mesh.cache(0).set('last', 1))
    await mesh.advance(10)
    mesh.network.configure({ lossProbability: 0 })
    expect(mesh.cache(1).peek('last')).toBeUndefined()
    await mesh.runUntil(() => mesh.cache(1).peek('last') === 1, 5_000)
  })

  it('repairs what was published before a member that missed it was ever connected to its author', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    mesh.network.split(['p01'], ['p03'])
    await mesh.settled(mesh.cache(0).set('key', 1))
    await mesh.advance(20_000)
    await mesh.settled(mesh.cache(0).set('key 2', 1))
    mesh.network.heal()
    await mesh.settle()
    await mesh.converge(10_000)
  })

  it('carries a Set, a Delete and a clear within a few ms where nothing goes wrong', async () => {
    const mesh = await SimulatedMesh.of(5, seed)
    await mesh.advance(1_000)
    await mesh.settled(mesh.cache(0).set('key', { deep: [1, new Date(5)] }))
    await mesh.runUntil(
      () => mesh.nodes.every((_, i) => mesh.cache(i).peek('key') !== undefined),
      10,
    )
    expect(mesh.cache(4).peek('key')).toEqual({ deep: [1, new Date(5)] })
    await mesh.settled(mesh.cache(1).delete('key'))
    await mesh.runUntil(
      () => mesh.nodes.every((_, i) => mesh.cache(i).peek('key') === undefined),
      10,
    )
    await mesh.settled(mesh.cache(2).set('key', 2))
    await mesh.settled(mesh.node(2).peer.flush())
    await mesh.settled(mesh.cache(3).clear())
    await mesh.runUntil(() => mesh.nodes.every((_, i) => mesh.cache(i).local.size === 0), 10)
  })

  it('lets an entry expire everywhere, though nobody says so', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    await mesh.settled(mesh.cache(0).set('key', 1, { ttl: 500 }))
    await mesh.settled(mesh.node(0).peer.flush())
    await mesh.advance(400)
    expect(mesh.nodes.map((_, i) => mesh.cache(i).peek('key'))).toEqual([1, 1, 1])
    await mesh.advance(200)
    expect(mesh.nodes.map((_, i) => mesh.cache(i).peek('key'))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
    await mesh.advance(2_000)
    expect(mesh.nodes.map((_, i) => mesh.cache(i).local.size)).toEqual([0, 0, 0])
  })

  it('lets the later of two writes win everywhere, whichever comes first', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    // From the first to the third the way is slow: the older write comes after the newer one.
    mesh.network.configureLink('p01', 'p03', { delayMs: { min: 100, max: 100 } })
    await mesh.settled(mesh.cache(0).set('key', 'older'))
    await mesh.runUntil(() => mesh.cache(1).peek('key') === 'older')
    await mesh.settled(mesh.cache(1).set('key', 'newer'))
    await mesh.advance(500)
    expect(mesh.nodes.map((_, i) => mesh.cache(i).peek('key'))).toEqual(['newer', 'newer', 'newer'])
  })

  describe('of values too large for a message', () => {
    const large = (fill: number) => new Uint8Array(1024 * 1024).fill(fill)

    it('announces them, and the others fetch them', async () => {
      const mesh = await SimulatedMesh.of(3, seed)
      await mesh.settled(mesh.cache(0).set('large', large(1)))
      await mesh.runUntil(
        () => mesh.nodes.every((_, i) => mesh.cache(i).peek('large') !== undefined),
        1_000,
      )
      const value = mesh.cache<Uint8Array>(2).peek('large')
      expect(Buffer.compare(value as Uint8Array, large(1))).toBe(0)
      await mesh.settled(mesh.node(0).peer.flush())
    })

    it('ends with the last of several, though each was announced', async () => {
      const mesh = await SimulatedMesh.of(3, seed)
      for (let i = 1; i <= 4; i++) void mesh.cache(0).set('large', large(i))
      await mesh.advance(3_000)
      expect(mesh.isConverged()).toBe(true)
      expect(mesh.cache<Uint8Array>(2).peek('large')?.[0]).toBe(4)
    })

    it('fetches from somebody else what its author took along when it was killed', async () => {
      const mesh = await SimulatedMesh.of(3, seed)
      // The third hears of it, and cannot fetch it in time.
      mesh.network.configureLink('p01', 'p03', { delayMs: { min: 50, max: 50 } })
      await mesh.settled(mesh.cache(0).set('large', large(7)))
      await mesh.runUntil(() => mesh.cache(1).peek('large') !== undefined, 1_000)
      expect(mesh.cache(2).peek('large')).toBeUndefined()
      mesh.crash(mesh.node(0))
      await mesh.runUntil(() => mesh.cache(2).peek('large') !== undefined, 10_000)
    })
  })
})
