/** What each preset promises: which stalls are forgiven, and how soon a silent death is noticed. */
import { describe, expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import type { Preset } from '../../src/options.js'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()

/** As the docs have it, in ms. */
const PROMISES: ReadonlyArray<{ preset: Preset; forgivenMs: number; noticedMs: number }> = [
  { preset: 'host', forgivenMs: 2_000, noticedMs: 3_500 },
  { preset: 'lan', forgivenMs: 3_000, noticedMs: 6_000 },
  { preset: 'wan', forgivenMs: 10_000, noticedMs: 16_000 },
]

const MEMBERS = 5
const ROUNDS = 6

function calledDead(mesh: SimulatedMesh): string[] {
  return mesh.nodes.flatMap(({ told }) =>
    told.filter(({ state }) => state === 'dead').map(({ id }) => id),
  )
}

async function untilDead(mesh: SimulatedMesh, victim: MeshNode, limitMs: number) {
  const isGone = ({ peer }: MeshNode) =>
    peer.members.find(({ id }) => id === victim.id)?.state === 'dead'
  await mesh.runUntil(() => mesh.running().every(isGone), limitMs)
}

describe(`presets, seed ${seed}`, () => {
  it.each(PROMISES)('$preset forgives stalls of $forgivenMs ms', async (promise) => {
    const { preset, forgivenMs } = promise
    for (let round = 0; round < ROUNDS; round++) {
      const mesh = await SimulatedMesh.of(MEMBERS, seed + round, { preset })
      const random = new SimulatedRandom(seed + round)
      await mesh.advance(10_000 + random.next() * 10_000)
      mesh.stall(mesh.node(Math.floor(random.next() * MEMBERS)), forgivenMs)
      await mesh.advance(forgivenMs + 30_000)
      expect(calledDead(mesh), `seed ${seed + round}`).toEqual([])
    }
  })

  it.each(PROMISES)('$preset notices a silent death within $noticedMs ms', async (promise) => {
    const { preset, noticedMs } = promise
    for (let round = 0; round < ROUNDS; round++) {
      const mesh = await SimulatedMesh.of(MEMBERS, seed + round, { preset })
      await mesh.advance(10_000 + round * 777)
      mesh.crash(mesh.node(2), { silent: true })
      await untilDead(mesh, mesh.node(2), noticedMs)
    }
  })

  it('may be mixed in one mesh: each member is judged by what it says of itself', async () => {
    const mesh = await SimulatedMesh.of(2, seed, { preset: 'lan' })
    for (const { preset } of PROMISES) await mesh.start({ preset })
    await mesh.settle()
    await mesh.advance(60_000)
    mesh.stall(mesh.node(0), 2_000)
    await mesh.advance(30_000)
    expect(calledDead(mesh)).toEqual([])
    mesh.crash(mesh.node(4), { silent: true })
    await untilDead(mesh, mesh.node(4), 16_000)
    expect(new Set(calledDead(mesh))).toEqual(new Set([mesh.node(4).id]))
  })
})
