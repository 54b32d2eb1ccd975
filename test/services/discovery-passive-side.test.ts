/**
 * Guards against this: a joiner that has learnt of a member from a hello waits for that member to dial, when that one has the
 * lower id. But it has not heard of the joiner unless gossip was passed on. After 5 s (PASSIVE_DELAY_MS) of never
 * having been connected the joiner calls it dead (5.6 s), and begins to wait anew: they connect after 10.6 s.
 */
import { expect, it } from 'vitest'
import { SimulatedMesh } from '../support/mesh.js'

it('calls nobody dead that it has never tried to reach, where nobody passes gossip on', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const mesh = await SimulatedMesh.of(3, seed, {}, { forwardPeersMax: 0 })
    await mesh.advance(15_000)
    const dead = mesh.nodes.flatMap(({ id, told }) =>
      told.filter(({ state }) => state === 'dead').map((one) => `${id} calls ${one.id} dead`),
    )
    expect(dead, `seed ${seed}`).toEqual([])
  }
})
