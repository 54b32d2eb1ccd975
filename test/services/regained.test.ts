/**
 * What a member lacks that it has given up, or had to forget, it has not deleted: partitions that come back after longer than
 * deletes are remembered, and members that are short of room.
 */
import { describe, expect, it } from 'vitest'
import type { Peer } from '../../src/api.js'
import { type SimulatedMesh, simulateMesh } from '../../src/testing/index.js'

/** Deletes are remembered for this, and a minute. */
const GRACE_MS = 1_000
const BEYOND_GRACE_MS = 180_000

const KEYS = Array.from({ length: 200 }, (_, i) => `key ${i}`)

function first(mesh: SimulatedMesh): Peer {
  const [peer] = mesh.peers
  if (peer === undefined) throw new Error('no peer')
  return peer
}

async function setAll(mesh: SimulatedMesh, keys: readonly string[]) {
  await mesh.run(
    first(mesh)
      .cache('c')
      .setMany(keys.map((key) => [key, key])),
  )
}

async function expectAllEverywhere(
  mesh: SimulatedMesh,
  keys: readonly string[],
  peers: readonly Peer[] = mesh.peers,
) {
  for (const peer of peers) {
    const found = await mesh.run(peer.cache('c').getMany(keys))
    expect(found.size, `${peer.id}: ${JSON.stringify(peer.stats())}`).toBe(keys.length)
  }
}

const tombstones = (mesh: SimulatedMesh) =>
  mesh.peers.reduce((sum, peer) => sum + peer.stats().tombstoneCount, 0)

describe.each([
  [2, 1],
  [3, 2],
  [3, 3],
])('where each key has %i owners (seed %i)', (replicas, seed) => {
  async function open() {
    const options = { replicas, tombstoneGraceMs: GRACE_MS }
    const mesh = await simulateMesh({ peers: replicas + 1, seed, options })
    await setAll(mesh, KEYS)
    await mesh.settle()
    // Until any two have agreed.
    await mesh.advance(60_000)
    return mesh
  }

  it.each(['dies', 'leaves'])(
    'nothing is lost when a joiner %s that had taken partitions over for longer than the grace',
    async (how) => {
      await using mesh = await open()
      const joiner = await mesh.start()
      await mesh.run(joiner.ready())
      await mesh.settle()
      await mesh.advance(BEYOND_GRACE_MS)
      if (how === 'dies') mesh.crash(joiner)
      else await mesh.run(joiner.stop())
      await mesh.settle()
      await mesh.advance(BEYOND_GRACE_MS)
      await expectAllEverywhere(mesh, KEYS)
      expect(tombstones(mesh)).toBe(0)
    },
  )

  it('what was deleted meanwhile stays deleted', async () => {
    await using mesh = await open()
    const joiner = await mesh.start()
    await mesh.run(joiner.ready())
    await mesh.settle()
    await mesh.run(first(mesh).cache('c').deleteMany(KEYS.slice(0, 100)))
    await mesh.advance(BEYOND_GRACE_MS)
    mesh.crash(joiner)
    await mesh.settle()
    await mesh.advance(BEYOND_GRACE_MS)
    await expectAllEverywhere(mesh, KEYS.slice(100))
    for (const peer of mesh.peers) {
      expect((await mesh.run(peer.cache('c').getMany(KEYS.slice(0, 100)))).size).toBe(0)
    }
  })

  it('tombstones of what now belongs to others alone are forgotten after the grace', async () => {
    await using mesh = await open()
    await mesh.run(first(mesh).cache('c').deleteMany(KEYS))
    await mesh.advance(2_000)
    const joiner = await mesh.start()
    await mesh.run(joiner.ready())
    expect(tombstones(mesh)).toBeGreaterThan(0)
    await mesh.advance(2 * BEYOND_GRACE_MS)
    expect(tombstones(mesh)).toBe(0)
  })
})

describe('a member that is short of room', () => {
  /** More than the versions that are remembered of what was evicted. */
  const MANY = Array.from({ length: 101_000 }, (_, i) => `filler ${i}`)

  it('costs nobody what it has evicted, remembered or forgotten, whoever takes over from whom', async () => {
    const options = { replicas: 3, tombstoneGraceMs: GRACE_MS }
    await using mesh = await simulateMesh({ peers: 2, seed: 1, options })
    const small = await mesh.start({ maxItems: 200 })
    await mesh.run(small.ready())
    await mesh.settle()
    await setAll(mesh, KEYS)
    await mesh.advance(60_000)
    for (let at = 0; at < MANY.length; at += 1_000) await setAll(mesh, MANY.slice(at, at + 1_000))
    await mesh.advance(BEYOND_GRACE_MS)
    expect(small.stats().lossyPartitions).toBeGreaterThan(0)
    const joiner = await mesh.start()
    await mesh.run(joiner.ready())
    await mesh.advance(30_000)
    mesh.crash(joiner)
    await mesh.advance(60_000)
    const roomy = mesh.peers.filter((peer) => peer !== small)
    await expectAllEverywhere(mesh, KEYS, roomy)
    await expectAllEverywhere(mesh, MANY, roomy)
    expect(tombstones(mesh)).toBe(0)
  }, 60_000)
})

it('more deletes than are remembered are not undone by a member that was away', async () => {
  const keys = KEYS.slice(0, 20)
  const options = { replicas: 'all' as const, tombstonesMax: 4 }
  await using mesh = await simulateMesh({ peers: 3, seed: 1, options })
  const [one, two, three] = mesh.peers as [Peer, Peer, Peer]
  await setAll(mesh, keys)
  await mesh.settle()
  await mesh.advance(60_000)
  mesh.partition([one, two], [three])
  await mesh.advance(10_000)
  await mesh.run(one.cache('c').deleteMany(keys))
  await mesh.advance(60_000)
  mesh.heal()
  await mesh.advance(60_000)
  for (const peer of mesh.peers) expect(peer.cache('c').local.size).toBe(0)
})

it.each([1, 2])(
  'where a member was called dead and comes back, what was missed is sent, and not all that it owns (seed %i)',
  async (seed) => {
    await using mesh = await simulateMesh({ peers: 5, seed, options: { replicas: 3 } })
    const many = Array.from({ length: 1_000 }, (_, i) => `key ${i}`)
    await setAll(mesh, many)
    await mesh.settle()
    await mesh.advance(20_000)
    const away = mesh.peers[3] as Peer
    const sent = () => mesh.peers.reduce((sum, peer) => sum + peer.stats().transferReceivedCount, 0)
    mesh.stall(away, 20_000)
    await mesh.advance(10_000)
    await setAll(mesh, ['missed 1', 'missed 2', 'missed 3'])
    // The others have taken over what belonged to it.
    const before = sent()
    await mesh.advance(10_000)
    await mesh.settle()
    await mesh.advance(5_000)
    await expectAllEverywhere(mesh, [...many, 'missed 1', 'missed 2', 'missed 3'])
    expect(sent() - before).toBeLessThan(50)
  },
)
