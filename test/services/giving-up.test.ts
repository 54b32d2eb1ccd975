/** Giving partitions up: what a member no longer owns goes when those who own it have all of it, and not before. */
import { expect, it } from 'vitest'
import type { Peer } from '../../src/api.js'
import { type SimulatedMesh, simulateMesh } from '../../src/testing/index.js'

const KEYS = Array.from({ length: 200 }, (_, i) => `key ${i}`)

/** Rounds of repair come long after the ring has changed. */
const SLOWLY_REPAIRED = { antiEntropyIntervalMs: 20_000, replicas: 2 }

async function readable(mesh: SimulatedMesh, peer: Peer | undefined) {
  const found = await mesh.run(
    peer?.cache('c').getMany(KEYS) ?? Promise.reject(new Error('no peer')),
  )
  return found.size
}

/** Two owners of everything, of which the first alone holds what it wrote last. */
async function oneAlone(seed: number) {
  const mesh = await simulateMesh({ peers: 2, seed, options: SLOWLY_REPAIRED })
  await mesh.advance(5_000)
  mesh.degrade({ lossProbability: 1 })
  await mesh.run(
    mesh.peers[0]?.cache('c').setMany(KEYS.map((key) => [key, key])) ?? Promise.reject(),
  )
  await mesh.advance(20)
  mesh.degrade({ lossProbability: 0 })
  expect(mesh.peers.map((peer) => peer.cache('c').local.size)).toEqual([200, 0])
  return mesh
}

it.each([1, 2, 3, 4])(
  'an owner that alone holds a write gives it to those who own its key instead (seed %i)',
  async (seed) => {
    await using mesh = await oneAlone(seed)
    const joiner = await mesh.start()
    await mesh.run(joiner.ready())
    // A round every 20 s, with either of two others.
    await mesh.settle({ limitMs: 300_000 })
    await mesh.advance(10_000)
    for (const peer of mesh.peers) expect(await readable(mesh, peer)).toBe(200)
    const held = mesh.peers.reduce((sum, peer) => sum + peer.cache('c').local.size, 0)
    // Nobody keeps what it does not own.
    expect(held).toBeLessThanOrEqual(400)
  },
)

it('a member that leaves gives all that it has first, and nothing is lost over a rolling restart', async () => {
  await using mesh = await simulateMesh({ peers: 5, options: { replicas: 3 } })
  await mesh.run(
    mesh.peers[0]?.cache('c').setMany(KEYS.map((key) => [key, key])) ?? Promise.reject(),
  )
  await mesh.settle()
  for (const peer of [...mesh.peers]) {
    await mesh.run(peer.stop({ drain: true }))
    const again = await mesh.restart(peer)
    await mesh.run(again.ready())
    expect(await readable(mesh, again)).toBe(200)
  }
  await mesh.settle()
  for (const peer of mesh.peers) expect(await readable(mesh, peer)).toBe(200)
})

it('a leaver that alone holds writes does not take them with it', async () => {
  await using mesh = await oneAlone(7)
  const [alone] = mesh.peers
  await mesh.run(alone?.stop({ drain: true }) ?? Promise.reject())
  await mesh.settle()
  expect(await readable(mesh, mesh.peers[0])).toBe(200)
})

it('a leaver that nobody takes over from leaves in time all the same, and says how much it could not hand over', async () => {
  await using mesh = await simulateMesh({
    peers: 3,
    options: { replicas: 2, syncTimeoutMs: 2_000 },
  })
  const [alone, ...others] = mesh.peers as [Peer, Peer, Peer]
  await mesh.run(alone.cache('c').setMany(KEYS.map((key) => [key, key])))
  await mesh.settle()
  const count = alone.cache('c').local.size
  mesh.partition([alone], others)
  const fromMs = mesh.now()
  await mesh.run(alone.stop({ drain: true }))
  expect(mesh.now() - fromMs).toBeLessThanOrEqual(2_500)
  const said = `warn stopped before all ${count} entries of this peer were taken over: the others have not done so within 2000 ms (syncTimeoutMs), and ${count} are left`
  expect(mesh.logs(alone)).toContain(said)
})
