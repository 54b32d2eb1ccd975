/**
 * Guards against this: a member that stands still for 3 s right after it has joined is called dead, because the hello and the
 * extra heartbeats of joining make the first intervals a few ms long: phi passes 8 after 0.45 s of silence.
 */
import { expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { SimulatedMesh } from '../support/mesh.js'

it('takes no silence of half a second for a death sign, whenever it comes', async () => {
  for (let seed = 1; seed <= 200; seed++) {
    const mesh = await SimulatedMesh.of(4, seed)
    await mesh.advance(new SimulatedRandom(seed).next() * 600)
    mesh.stall(mesh.node(seed % 4), 3_000)
    await mesh.advance(8_000)
    const dead = mesh.nodes.flatMap(({ told }) => told.filter(({ state }) => state === 'dead'))
    expect(dead, `seed ${seed}`).toEqual([])
  }
})
