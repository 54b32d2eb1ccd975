/**
 * A second process with a running member's identity never takes the first one's place, however often it tries.
 */
import { describe, expect, it } from 'vitest'
import { SimulatedMesh } from '../support/mesh.js'

describe('a second process with the identity of one that runs', () => {
  it.each(Array.from({ length: 40 }, (_, i) => i + 1))(
    'leaves the first alone for as long as it tries, seed %i',
    async (seed) => {
      const mesh = await SimulatedMesh.of(3, seed)
      await mesh.advance(3_000)
      const original = mesh.node(1)
      const { incarnation } = original.peer.members[0] as { incarnation: number }
      for (const { told } of mesh.nodes) told.length = 0
      const twin = await mesh.start({ id: original.id })
      twin.isRunning = false
      await mesh.advance(30_000)
      expect(mesh.nodes.slice(0, 3).flatMap(({ told }) => told)).toEqual([])
      expect(original.peer.members[0]?.incarnation).toBe(incarnation)
      expect(twin.peer.members).toHaveLength(1)
      // Said once for each peer and reason. Each try takes gossip's stream from the first, which is then connected
      // anew: tolerable because tries are rare.
      expect(mesh.node(0).alerts).toHaveLength(1)
      const hangUps = mesh.node(0).log.filter((line) => line.includes('hanging up'))
      expect(hangUps.length).toBeLessThanOrEqual(2)
    },
  )
})
