/**
 * Guards against this: an entry that is overwritten with a time to live, and has expired by the time a member that missed the
 * write repairs, is in no page of state any more: the store keeps a stub of it, which is not sent. The member adopts
 * the position, is "not behind", and serves the overwritten value for ever. Also seed 1435647536 of the replication
 * test, when it lets keys with and without time to live meet.
 */
import { expect, it } from 'vitest'
import { SimulatedMesh } from '../support/mesh.js'

it('repairs the loss of a write that has expired meanwhile: the value it replaced is gone, too', async () => {
  const mesh = await SimulatedMesh.of(3, 1)
  await mesh.settled(mesh.cache(0).set('key', 'old'))
  await mesh.settled(mesh.node(0).peer.flush())
  mesh.network.forwardPeersMax = 0
  mesh.network.configureLink('p01', 'p02', { lossProbability: 1 })
  await mesh.settled(mesh.cache(0).set('key', 'new', { ttl: 300 }))
  await mesh.advance(2_000)
  mesh.network.configureLink('p01', 'p02', { lossProbability: 0 })
  await mesh.advance(20_000)
  expect(mesh.nodes.map((_, i) => mesh.cache(i).peek('key'))).toEqual([
    undefined,
    undefined,
    undefined,
  ])
})
