/** Reads while a member takes over what it has come to own: what it knows itself counts. */
import { expect, it } from 'vitest'
import { loadHash64 } from '../../src/adapters/system/hash.js'
import { keyHashOf, partitionAt, Ring } from '../../src/core/ring.js'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()
const hash = await loadHash64()

it.each(['delete', 'clear'] as const)(
  `a member does not read what it has itself undone by %s while it takes the key over, seed ${seed}`,
  async (undo) => {
    const mesh = await SimulatedMesh.of(5, seed, { replicas: 3 })
    const [one, , other, writer] = inOrder(mesh, 'k') as [MeshNode, MeshNode, MeshNode, MeshNode]
    // What it writes waits as a hint for one owner; from the other it is to take over, and cannot.
    mesh.network.cut(writer.id, one.id)
    const cache = writer.peer.cache<string>('c')
    await mesh.settled(cache.set('k', 'old'))
    await mesh.advance(200)
    mesh.crash(other)
    const owns = () => writer.peer.ring.locate('c', 'k').owners.includes(writer.id)
    await mesh.runUntil(owns, 30_000)
    if (undo === 'delete') await mesh.settled(cache.delete('k'))
    else await mesh.settled(cache.clear())
    expect(cache.peek('k')).toBeUndefined()
    for (const consistency of ['local', 'one'] as const) {
      expect(await mesh.settled(cache.get('k', { consistency }), 6_000)).toBeUndefined()
    }
  },
)

it(`a member does not read older than its near copy of a key that it comes to own, seed ${seed}`, async () => {
  const mesh = new SimulatedMesh(seed, { replicas: 3 }, { forwardPeersMax: 0 })
  for (let i = 0; i < 5; i++) await mesh.start()
  await mesh.settle()
  const [a, b, c, reader] = inOrder(mesh, 'k') as [MeshNode, MeshNode, MeshNode, MeshNode]
  const cache = reader.peer.cache<string>('c', { nearCache: 60_000 })
  await mesh.settled(cache.set('k', 'old', { ack: 'all' }))
  // One owner alone has the new value, and is the only one that can be asked.
  for (const other of [a, b]) for (const one of [c, reader]) mesh.network.cut(other.id, one.id)
  await mesh.settled(c.peer.cache<string>('c').set('k', 'new'))
  expect(await mesh.settled(cache.get('k'))).toBe('new')
  for (const other of [a, b]) mesh.network.heal(other.id, reader.id)
  mesh.crash(c)
  const held = () => [...reader.peer.held('c')].map(({ payload }) => payload)
  await mesh.runUntil(() => held().length > 0)
  expect(held()).toEqual(['old'])
  expect(cache.peek('k')).toBe('new')
  expect(await mesh.settled(cache.get('k'))).toBe('new')
})

it(`partitions are taken over from those that can be reached, though another one is asked first, seed ${seed}`, async () => {
  const mesh = await SimulatedMesh.of(6, seed, { replicas: 4 })
  const [a, b] = [mesh.node(0), mesh.node(1)]
  mesh.network.cut(a.id, b.id)
  mesh.crash(mesh.node(5))
  await mesh.runUntil(() => a.peer.ring.members.length === 5, 30_000)
  const open = () => mesh.running().reduce((sum, { peer }) => sum + peer.stats().openPartitions, 0)
  await mesh.runUntil(() => open() === 0, 10_000)
})

/** The members in the order in which they own a key: of three owners the first three; when one is gone, the fourth as well. */
function inOrder(mesh: SimulatedMesh, key: string): MeshNode[] {
  const ring = new Ring(
    mesh.nodes.map(({ id }) => id),
    { hash, replicas: 'all' },
  )
  const ids = ring.preferenceList(partitionAt(keyHashOf(hash, 'c', key)))
  return ids.map((id) => mesh.nodes.find((node) => node.id === id) as MeshNode)
}
