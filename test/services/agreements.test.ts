/** Deleted stays deleted, also when tombstones have been forgotten while a member was away. */
import { describe, expect, it } from 'vitest'
import type { Cache, Peer } from '../../src/api.js'
import { type SimulatedMesh, simulateMesh } from '../../src/testing/index.js'

const GRACE_MS = 1_000

/** Longer than deletes are remembered. */
const AWAY_MS = 180_000

function names(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `key ${from + i}`)
}

async function setAll(mesh: SimulatedMesh, peer: Peer | undefined, keys: readonly string[]) {
  await mesh.run(
    peer?.cache('c').setMany(keys.map((key) => [key, key])) ?? Promise.reject(new Error('no peer')),
  )
}

async function deleteAll(mesh: SimulatedMesh, peer: Peer | undefined, keys: readonly string[]) {
  await mesh.run(peer?.cache('c').deleteMany(keys) ?? Promise.reject(new Error('no peer')))
}

/** What a peer reads of some keys. */
async function readable(mesh: SimulatedMesh, peer: Peer, keys: readonly string[]) {
  return [...(await mesh.run(peer.cache('c').getMany(keys))).keys()].sort()
}

async function expectEverywhere(
  mesh: SimulatedMesh,
  of: readonly string[],
  there: readonly string[],
) {
  for (const peer of mesh.peers) {
    expect(await readable(mesh, peer, of), peer.id).toEqual([...there].sort())
  }
}

/** Each takes away the keys 41 to 80, set with the tag t. */
const LOSSES: ReadonlyArray<
  [what: string, seed: number, takeAway: (cache: Cache) => Promise<void>]
> = [
  ['a delete', 1, async (cache) => void (await cache.deleteMany(names(1, 80), { ack: 'quorum' }))],
  ['a clear', 2, (cache) => cache.clear({ ack: 'quorum' })],
  ['an invalidated tag', 3, (cache) => cache.invalidateTags(['t'], { ack: 'quorum' })],
]

describe.each([
  ['every member holds all', 'all'],
  ['each key has three owners', 3],
] as const)('where %s', (_, replicas) => {
  async function open(peers: number, seed: number) {
    const mesh = await simulateMesh({
      peers,
      seed,
      options: { replicas, tombstoneGraceMs: GRACE_MS },
    })
    await setAll(mesh, mesh.peers[0], names(1, 40))
    await mesh.settle()
    // Until any two have agreed.
    await mesh.advance(60_000)
    return mesh
  }

  it.each([1, 2, 3])(
    'a member that was away brings back nothing that was deleted (seed %i)',
    async (seed) => {
      await using mesh = await open(4, seed)
      const [one, two, three, away] = mesh.peers
      if (!one || !two || !three || !away) throw new Error('no peers')
      mesh.partition([one, two, three], [away])
      await mesh.advance(20_000)
      await deleteAll(mesh, one, names(1, 10))
      await setAll(mesh, two, names(41, 45))
      await setAll(mesh, away, names(46, 50))
      await mesh.advance(AWAY_MS)
      for (const peer of [one, two, three]) expect(peer.stats().tombstoneCount).toBe(0)
      mesh.heal()
      await mesh.until(() => away.stats().memberCount === 4)
      await mesh.settle({ limitMs: 120_000 })
      await mesh.advance(60_000)
      await expectEverywhere(mesh, names(1, 50), names(11, 50))
    },
  )

  it.each(LOSSES)(
    'a member that was away brings back nothing that it last had just before, and that %s took away (seed %i)',
    async (_, seed, takeAway) => {
      await using mesh = await open(4, seed)
      const [one, two, three, away] = mesh.peers
      if (!one || !two || !three || !away) throw new Error('no peers')
      const cache = one.cache<string>('c')
      const young = names(41, 80).map((key) => [key, key] as const)
      // All have it, and no two have agreed on it since.
      await mesh.run(cache.setMany(young, { ack: 'all', tags: ['t'] }))
      await mesh.advance(2_000)
      mesh.partition([one, two, three], [away])
      await mesh.advance(20_000)
      await mesh.run(takeAway(cache))
      await mesh.advance(AWAY_MS)
      mesh.heal()
      await mesh.until(() => away.stats().memberCount === 4)
      await mesh.settle({ limitMs: 120_000 })
      await mesh.advance(60_000)
      await expectEverywhere(mesh, names(41, 80), [])
      // All have agreed: nothing is to be remembered any more.
      await mesh.advance(AWAY_MS)
      for (const peer of mesh.peers) {
        const { tombstoneCount, markerCount } = peer.stats()
        expect([tombstoneCount, markerCount], peer.id).toEqual([0, 0])
      }
    },
  )

  it.each(LOSSES)(
    'a member that had only just joined when it was cut off brings back nothing that %s took away (seed %i)',
    async (_, seed, takeAway) => {
      await using mesh = await open(4, seed)
      const [one] = mesh.peers
      if (!one) throw new Error('no peer')
      const others = [...mesh.peers]
      const cache = one.cache<string>('c')
      const young = names(41, 80).map((key) => [key, key] as const)
      await mesh.run(cache.setMany(young, { ack: 'all', tags: ['t'] }))
      const joined = await mesh.start()
      await mesh.run(joined.ready())
      // It has taken over all that it owns, and has compared nothing with anybody.
      await mesh.until(() => others.every((peer) => peer.stats().memberCount === 5))
      await mesh.advance(1_000)
      mesh.partition(others, [joined])
      await mesh.advance(20_000)
      // Who comes in its place owns what it would own, were it back; what it has, it has.
      const heir = await mesh.start()
      mesh.partition([...others, heir], [joined])
      await mesh.run(heir.ready())
      await mesh.advance(20_000)
      await mesh.run(takeAway(cache))
      await mesh.advance(AWAY_MS)
      mesh.heal()
      await mesh.until(() => joined.stats().memberCount === 6)
      await mesh.settle({ limitMs: 120_000 })
      await mesh.advance(60_000)
      await expectEverywhere(mesh, names(41, 80), [])
    },
  )

  it('a member that agreed and was killed keeps nothing that was undone before from being forgotten', async () => {
    await using mesh = await open(5, 4)
    const [one, , , , killed] = mesh.peers
    if (!one || !killed) throw new Error('no peers')
    await mesh.run(one.cache('c').clear())
    await mesh.run(one.cache('c').invalidateTags(['t']))
    await deleteAll(mesh, one, names(1, 10))
    // Until any two have agreed since.
    await mesh.advance(60_000)
    mesh.crash(killed)
    await mesh.advance(AWAY_MS)
    for (const peer of mesh.peers) {
      const { tombstoneCount, markerCount } = peer.stats()
      expect([tombstoneCount, markerCount], peer.id).toEqual([0, 0])
    }
  })

  it.each([1, 2, 3])(
    'of two halves neither does, and what both wrote is kept (seed %i)',
    async (seed) => {
      await using mesh = await open(4, seed)
      const [a, b, c, d] = mesh.peers
      if (!a || !b || !c || !d) throw new Error('no peers')
      mesh.partition([a, b], [c, d])
      await mesh.advance(20_000)
      await deleteAll(mesh, a, names(1, 10))
      await deleteAll(mesh, c, names(11, 20))
      await setAll(mesh, b, names(41, 45))
      await setAll(mesh, d, names(46, 50))
      await mesh.advance(AWAY_MS)
      mesh.heal()
      await mesh.until(() => mesh.peers.every((peer) => peer.stats().memberCount === 4))
      await mesh.settle({ limitMs: 120_000 })
      await mesh.advance(60_000)
      await expectEverywhere(mesh, names(1, 50), names(21, 50))
    },
  )

  it('a member that was started again meanwhile knows what the others knew', async () => {
    await using mesh = await open(3, 5)
    const [one, two, away] = mesh.peers
    if (!one || !two || !away) throw new Error('no peers')
    mesh.partition([one, two], [away])
    await mesh.advance(20_000)
    await deleteAll(mesh, one, names(1, 10))
    await mesh.advance(AWAY_MS)
    mesh.crash(two)
    const again = await mesh.restart(two)
    await mesh.run(again.ready())
    await mesh.advance(10_000)
    mesh.heal()
    await mesh.until(() => away.stats().memberCount === 3)
    await mesh.settle({ limitMs: 120_000 })
    await mesh.advance(60_000)
    await expectEverywhere(mesh, names(1, 40), names(11, 40))
  })

  it('a member that was started again itself, and has nothing, takes all', async () => {
    await using mesh = await open(3, 6)
    const [one, two, away] = mesh.peers
    if (!one || !two || !away) throw new Error('no peers')
    mesh.crash(away)
    await mesh.advance(AWAY_MS)
    const again = await mesh.restart(away)
    await mesh.run(again.ready())
    await mesh.settle()
    await mesh.advance(60_000)
    await expectEverywhere(mesh, names(1, 40), names(1, 40))
  })
})

it('a tombstone is kept beyond its grace while an owner has not agreed since', async () => {
  await using mesh = await simulateMesh({
    peers: 2,
    options: { replicas: 'all', tombstoneGraceMs: GRACE_MS, antiEntropyIntervalMs: 3_600_000 },
  })
  const [one, two] = mesh.peers
  if (!one || !two) throw new Error('no peers')
  await setAll(mesh, one, ['k'])
  await mesh.settle()
  await deleteAll(mesh, one, ['k'])
  await mesh.advance(AWAY_MS)
  expect(one.stats().tombstoneCount).toBe(1)
})
