/** Flapping members are kept off the ring for a while, and only those. */
import { describe, expect, it } from 'vitest'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()

/** Longer than any silence that is forgiven, in ms. */
const FATAL_MS = 9_000

const onRing = (observer: MeshNode, { id }: MeshNode) => observer.peer.ring.members.includes(id)

const dampedOf = (mesh: SimulatedMesh) =>
  mesh.running().map(({ id, peer }) => `${id} ${peer.stats().dampedCount}`)

async function stallAgainAndAgain(mesh: SimulatedMesh, node: MeshNode, times: number) {
  for (let i = 0; i < times; i++) {
    mesh.stall(node, FATAL_MS)
    await mesh.advance(FATAL_MS + 8_000)
  }
}

/** One that only a single member has called dead so far is not believed to flap: then it takes another time. */
async function stallUntilDamped(mesh: SimulatedMesh, node: MeshNode) {
  for (let i = 0; i < 6 && node.peer.stats().dampedCount === 0; i++) {
    await stallAgainAndAgain(mesh, node, 1)
  }
  expect(node.peer.stats().dampedCount).toBe(1)
}

describe(`a member that is called dead again and again, seed ${seed}`, () => {
  it('owns nothing for a while, says so, goes on answering its callers, and comes back by itself', async () => {
    const mesh = await SimulatedMesh.of(6, seed, { replicas: 3 })
    await mesh.advance(12_000)
    const [first, flapping] = [mesh.node(0), mesh.node(3)]
    await mesh.settled(mesh.cache(3).set('key', 'value', { ack: 'quorum' }))
    await stallUntilDamped(mesh, flapping)
    expect(flapping.alerts.map(({ code }) => code)).toContain('flapping')
    expect(onRing(first, flapping)).toBe(false)
    expect(first.peer.members.find(({ id }) => id === flapping.id)?.state).toBe('alive')
    expect(await mesh.settled(flapping.peer.cache('c').get('key'))).toBe('value')
    await mesh.settled(flapping.peer.cache('c').set('later', 1, { ack: 'quorum' }))
    // A quorum has it: one owner that is asked alone may have yet to.
    const atQuorum = first.peer.cache('c').get('later', { consistency: 'quorum' })
    expect(await mesh.settled(atQuorum)).toBe(1)
    await mesh.runUntil(() => onRing(first, flapping), 200_000)
    await mesh.settle()
    await mesh.converge()
    expect(flapping.peer.status).toBe('serving')
  })

  it('moves no key once it is kept off, however often it goes on dying', async () => {
    const mesh = await SimulatedMesh.of(6, seed, { replicas: 3 })
    await mesh.advance(12_000)
    const flapping = mesh.node(3)
    await stallUntilDamped(mesh, flapping)
    const { ring } = mesh.node(0).peer
    const before = ring.members.join()
    const rings = new Set<string>()
    for (let i = 0; i < 4; i++) {
      mesh.stall(flapping, FATAL_MS)
      // Whoever comes back may be asked for what it has, by the ring that stands.
      for (let ms = 0; ms < FATAL_MS + 8_000; ms += 50) {
        await mesh.advance(50)
        rings.add(ring.members.join())
      }
    }
    expect([...rings]).toEqual([before])
  })

  it('is not a half of a mesh that is split again and again', async () => {
    const mesh = await SimulatedMesh.of(8, seed, { replicas: 3 })
    await mesh.advance(12_000)
    const ids = mesh.nodes.map(({ id }) => id)
    for (let i = 0; i < 4; i++) {
      mesh.network.split(ids.slice(0, 4), ids.slice(4))
      await mesh.advance(12_000)
      mesh.network.heal()
      await mesh.advance(12_000)
    }
    expect(dampedOf(mesh)).toEqual(ids.map((id) => `${id} 0`))
  })

  it('is not one that a single member calls dead, which has lost everybody', async () => {
    const mesh = await SimulatedMesh.of(6, seed, { replicas: 3 })
    await mesh.advance(12_000)
    const ids = mesh.nodes.map(({ id }) => id)
    for (let i = 0; i < 4; i++) {
      mesh.network.split(ids.slice(0, 1), ids.slice(1))
      await mesh.advance(12_000)
      mesh.network.heal()
      await mesh.advance(12_000)
    }
    const [, ...others] = dampedOf(mesh)
    expect(others).toEqual(ids.slice(1).map((id) => `${id} 0`))
  })

  it('is kept on the ring where too few would be left to own the keys', async () => {
    const mesh = await SimulatedMesh.of(3, seed, { replicas: 3 })
    await mesh.advance(12_000)
    await stallAgainAndAgain(mesh, mesh.node(1), 5)
    expect(dampedOf(mesh).map((text) => text.slice(-1))).toEqual(['0', '0', '0'])
  })

  it('leaves at once when it is stopped while it is kept off', async () => {
    const mesh = await SimulatedMesh.of(6, seed, { replicas: 3 })
    await mesh.advance(12_000)
    await stallUntilDamped(mesh, mesh.node(3))
    await mesh.stop(mesh.node(3))
    await mesh.settle()
    expect(mesh.node(3).time.pending).toBe(0)
  })
})
