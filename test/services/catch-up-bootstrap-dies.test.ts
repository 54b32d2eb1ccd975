/**
 * Guards against this: a joiner that knows one address, whose owner is killed while it hands over its state, begins to serve with
 * a part of the state after joinTimeoutMs, though it knows of two more members that serve. It has the higher id, so it
 * leaves it to them to dial (PASSIVE_DELAY_MS, 5 s, as long as joinTimeoutMs), and they have not heard of it.
 */
import { expect, it } from 'vitest'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'

it.each([{ silent: false }, { silent: true }])('has all before ready(), %o', async (how) => {
  const mesh = await SimulatedMesh.of(3, 1)
  const value = 'x'.repeat(10_000)
  for (let i = 0; i < 600; i++) await mesh.settled(mesh.cache(0).set(`key ${i}`, value))
  await mesh.settled(mesh.node(0).peer.flush())
  const joiner = await mesh.start()
  let source = ''
  joiner.peer.on('sync:start', ({ member }) => {
    source = member
  })
  await mesh.runUntil(() => joiner.peer.cache('c').local.size > 150)
  mesh.crash(mesh.nodes.find(({ id }) => id === source) as MeshNode, how)
  await mesh.settled(joiner.peer.ready())
  expect(joiner.peer.cache('c').local.size).toBe(600)
})
