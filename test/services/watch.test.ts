/** Meshes that are too large for everybody to hear everybody often: each member is watched by a few. */
import { describe, expect, it } from 'vitest'
import { membersNewsCodec } from '../../src/protocol/codec.js'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()
const MEMBERS = 24

async function largeMesh(): Promise<SimulatedMesh> {
  // As seldom heartbeats as in a mesh of a hundred.
  const options = { replicas: 3, heartbeatBytesPerSecond: 750 }
  const mesh = await SimulatedMesh.of(MEMBERS, seed, options)
  await mesh.advance(30_000)
  return mesh
}

/** Whom anybody has called so. */
function calledSo(mesh: SimulatedMesh, state: string): Set<string> {
  const called = mesh.nodes.flatMap(({ told }) => told.filter((one) => one.state === state))
  return new Set(called.map(({ id }) => id))
}

async function untilDead(mesh: SimulatedMesh, victims: readonly MeshNode[], limitMs: number) {
  const isGone = ({ peer }: MeshNode) =>
    victims.every(({ id }) => peer.members.find((one) => one.id === id)?.state === 'dead')
  await mesh.runUntil(() => mesh.running().every(isGone), limitMs)
}

describe(`a mesh of ${MEMBERS}, seed ${seed}`, () => {
  it('calls a member that fell silent dead within 6 s, though its heartbeats come seldom, and nobody else', async () => {
    const mesh = await largeMesh()
    const victim = mesh.node(9)
    mesh.crash(victim, { silent: true })
    await untilDead(mesh, [victim], 6_000)
    expect(calledSo(mesh, 'dead')).toEqual(new Set([victim.id]))
  })

  it('places keys anew once for several that are killed at once', async () => {
    const mesh = await largeMesh()
    const victims = [2, 7, 11, 19].map((index) => mesh.node(index))
    const rebalances = new Map<string, number>()
    for (const { id, peer } of mesh.nodes) {
      peer.on('rebalance:start', () => rebalances.set(id, (rebalances.get(id) ?? 0) + 1))
    }
    for (const victim of victims) mesh.crash(victim)
    await untilDead(mesh, victims, 1_000)
    const survivors = mesh.running()
    const ring = survivors.map(({ id }) => id).sort()
    await mesh.runUntil(
      () => survivors.every(({ peer }) => peer.ring.members.join() === ring.join()),
      2_000,
    )
    await mesh.advance(5_000)
    expect([...rebalances.values()].filter((count) => count > 1)).toEqual([])
    expect(rebalances.size).toBe(survivors.length)
  })

  it("takes nobody's word that a member has left which is seldom heard, and answers", async () => {
    const mesh = await largeMesh()
    const [liar, accused] = [mesh.node(3), mesh.node(15)]
    for (let i = 0; i < 5; i++) {
      const { incarnation = 0 } = liar.peer.members.find(({ id }) => id === accused.id) ?? {}
      const news = { id: accused.id, incarnation, state: 'left', refused: false } as const
      const bytes = membersNewsCodec.encode([{ ...news, opsEpoch: 0, opsSequence: 0 }])
      await liar.transport.publish('hearsay/hearsay/members', bytes)
      // What was raised against it comes with heartbeats.
      await mesh.advance(10_300)
    }
    expect(calledSo(mesh, 'left')).toEqual(new Set())
  })
})
