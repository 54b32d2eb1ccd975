/**
 * Guards against this: a batch that announces a value counts as applied before the value has been fetched (Replication.receive
 * calls positions.received at once). So flush() resolves too early, and who takes over the state of such a member
 * takes over its positions as well, and never learns that something is missing.
 */
import { expect, it } from 'vitest'
import { SimulatedMesh } from '../support/mesh.js'

const large = new Uint8Array(1024 * 1024).fill(7)

it('flushes a large value: when it resolves, everybody has fetched it', async () => {
  const mesh = await SimulatedMesh.of(3, 1)
  await mesh.settled(mesh.cache(0).set('large', large))
  await mesh.settled(mesh.node(0).peer.flush())
  expect(mesh.nodes.map((_, i) => mesh.cache(i).peek('large') !== undefined)).toEqual([
    true,
    true,
    true,
  ])
})

it('gives a large value to one that joins through a member that has not fetched it yet', async () => {
  const mesh = await SimulatedMesh.of(2, 1)
  // The way from the author to the other member is slow: the announcement is there long before the value.
  mesh.network.configureLink('p01', 'p02', { delayMs: { min: 1_000, max: 1_000 } })
  mesh.network.cut('p01', 'p03')
  await mesh.settled(mesh.cache(0).set('large', large))
  await mesh.advance(1_100)
  expect(mesh.cache(1).peek('large')).toBeUndefined()
  const joiner = await mesh.start({ bootstrap: [...mesh.node(1).peer.addresses] })
  await mesh.settled(joiner.peer.ready())
  mesh.network.heal()
  await mesh.settle()
  await mesh.runUntil(() => mesh.cache(1).peek('large') !== undefined, 10_000)
  await mesh.runUntil(() => mesh.cache(2).peek('large') !== undefined, 60_000)
})
