/**
 * Guards against this: a joiner whose ring is looked at while it joins (by a member:suspect event, /v1/members, a table) leaves
 * itself out of its own ring afterwards: Membership.#putSelf changes the list without telling of the changed view.
 */
import { expect, it } from 'vitest'
import { SimulatedMesh } from '../support/mesh.js'

it('counts itself on its own ring as soon as it serves, whoever looked before', async () => {
  const mesh = await SimulatedMesh.of(2, 1)
  const joiner = await mesh.start()
  await mesh.runUntil(() => {
    // As a table of members does, again and again.
    void joiner.peer.members
    return joiner.peer.status === 'serving'
  })
  await mesh.advance(5_000)
  expect(joiner.peer.ring.members).toEqual(['p01', 'p02', 'p03'])
})
