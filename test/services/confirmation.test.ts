/** flush(): when it resolves, everybody has applied what was written; when it throws, it says who has not. */
import { describe, expect, it } from 'vitest'
import { NotConfirmedError } from '../../src/errors.js'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()

describe(`a flush, seed ${seed}`, () => {
  it('names those that did not confirm in time, and those that did', async () => {
    const mesh = await SimulatedMesh.of(4, seed, { syncTimeoutMs: 2_000 })
    await mesh.advance(3_000)
    mesh.stall(mesh.node(3), 3_000)
    await mesh.settled(mesh.cache(0).set('key', 1))
    const startMs = mesh.time.monotonicMs()
    const error = await mesh.settled(
      mesh
        .node(0)
        .peer.flush()
        .catch((thrown: unknown) => thrown),
    )
    expect(error).toBeInstanceOf(NotConfirmedError)
    const { confirmed, missing } = error as NotConfirmedError
    expect([...confirmed].sort()).toEqual(['p02', 'p03'])
    expect(missing).toEqual(['p04'])
    expect(mesh.time.monotonicMs() - startMs).toBeLessThan(2_500)
    // Not confirmed is not lost.
    await mesh.converge(10_000)
  })

  it('does not wait for one that dies meanwhile', async () => {
    const mesh = await SimulatedMesh.of(4, seed, { syncTimeoutMs: 60_000 })
    await mesh.advance(3_000)
    const victim = mesh.node(3)
    mesh.crash(victim, { silent: true })
    await mesh.settled(mesh.cache(0).set('key', 1))
    const startMs = mesh.time.monotonicMs()
    await mesh.settled(mesh.node(0).peer.flush())
    const tookMs = mesh.time.monotonicMs() - startMs
    expect(tookMs).toBeGreaterThan(1_000)
    expect(tookMs).toBeLessThan(10_000)
    expect(mesh.node(0).peer.members.find(({ id }) => id === victim.id)?.state).toBe('dead')
  })

  it('does not wait for one that leaves meanwhile', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    const stopping = mesh.stop(mesh.node(2))
    await mesh.cache(0).set('key', 1)
    const flushing = mesh.node(0).peer.flush()
    await stopping
    await mesh.settled(flushing, 5_000)
  })

  it('resolves only when all have applied all, however much is lost', async () => {
    for (let i = 0; i < 5; i++) {
      const mesh = await SimulatedMesh.of(4, seed + i)
      mesh.network.forwardPeersMax = 0
      mesh.network.configure({ lossProbability: 0.3, delayMs: { min: 0, max: 50 } })
      for (let j = 0; j < 50; j++) {
        await mesh.settled(mesh.cache(0).set(`key ${j}`, j))
        if (j % 5 === 0) await mesh.advance(10)
      }
      const node = mesh.node(0)
      await mesh.settled(node.peer.flush())
      for (const { peer } of mesh.nodes) {
        expect(peer.cache('c').local.size, `seed ${seed + i}`).toBe(50)
      }
    }
  })

  it('covers deletes and clears', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    const [a, b] = mesh.nodes as [MeshNode, MeshNode]
    await mesh.settled(b.peer.cache('cleared').set('key', 1))
    await mesh.settled(b.peer.flush())
    const cache = a.peer.cache('c')
    await cache.set('deleted', 1)
    await cache.delete('deleted')
    await a.peer.cache('cleared').clear()
    await mesh.settled(a.peer.flush())
    for (const { peer } of mesh.nodes) {
      expect(peer.cache('c').peek('deleted')).toBeUndefined()
      expect(peer.cache('cleared').local.size).toBe(0)
    }
  })

  it('resolves at once when nothing was written, or nobody else is there', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    await mesh.settled(mesh.node(0).peer.flush(), 1)
    const alone = await SimulatedMesh.of(1, seed)
    await alone.settled(alone.cache(0).set('key', 1))
    await alone.settled(alone.node(0).peer.flush(), 10)
  })

  it('is part of a stop that drains: what was written last is not lost', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    mesh.network.forwardPeersMax = 0
    mesh.network.configure({ lossProbability: 0.5 })
    for (let i = 0; i < 20; i++) await mesh.cache(1).set(`key ${i}`, i)
    await mesh.stop(mesh.node(1), { drain: true })
    for (const { peer } of mesh.running()) expect(peer.cache('c').local.size).toBe(20)
  })
})
