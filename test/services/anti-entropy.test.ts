/** Anti-entropy: what gossip has lost is found and made up for, by itself and when the caller asks. */
import { describe, expect, it } from 'vitest'
import type { PeerOptions } from '../../src/options.js'
import { simulateMesh } from '../../src/testing/index.js'

/** Rounds only when somebody asks, or is connected. */
const ASKED: PeerOptions = { antiEntropyIntervalMs: 3_600_000, replicas: 'all' }

const LOST = { lossProbability: 1 }
const WELL = { lossProbability: 0 }

async function meshOf(peers: number, options: PeerOptions, seed = 1) {
  const mesh = await simulateMesh({ peers, seed, options })
  await mesh.advance(2_000)
  return mesh
}

describe.each([
  ['every member holds all', 'all'],
  ['each key has two owners', 2],
] as const)('where %s', (_, replicas) => {
  it('what was lost and nobody tells of is made up for in a few seconds', async () => {
    await using mesh = await meshOf(4, { replicas })
    const [writer] = mesh.peers
    const cache = writer?.cache('c')
    for (let i = 0; i < 40; i++) await cache?.set(`key ${i}`, 'before')
    await mesh.settle()
    mesh.degrade(LOST)
    for (let i = 0; i < 20; i++) await cache?.set(`key ${i}`, 'after')
    for (let i = 20; i < 30; i++) await cache?.delete(`key ${i}`)
    await mesh.advance(50)
    mesh.degrade(WELL)
    await mesh.settle({ limitMs: 30_000 })
    for (const peer of mesh.peers) {
      const values = await mesh.run(peer.cache('c').getMany(['key 0', 'key 25', 'key 35']))
      expect([...values.entries()].sort()).toEqual([
        ['key 0', 'after'],
        ['key 35', 'before'],
      ])
    }
  })

  it('sync resolves when the peer holds what the others do, and says what it took', async () => {
    await using mesh = await meshOf(3, { ...ASKED, replicas })
    const [writer, other] = mesh.peers
    if (writer === undefined || other === undefined) throw new Error('no peers')
    expect(await mesh.run(writer.sync())).toEqual({
      memberCount: 2,
      pulledCount: 0,
      pushedCount: 0,
    })
    mesh.degrade(LOST)
    await writer.cache('c').set('k', 'v')
    await mesh.advance(100)
    mesh.degrade(WELL)
    const { memberCount, pushedCount } = await mesh.run(writer.sync())
    expect(memberCount).toBe(2)
    if (replicas === 'all') expect(pushedCount).toBe(2)
    const holders = mesh.peers.filter((peer) => peer.cache('c').local.size === 1)
    expect(holders.length).toBe(replicas === 'all' ? 3 : 2)
    expect(writer.stats().repairRoundCount).toBeGreaterThanOrEqual(4)
  })
})

it('sync tells of those that could not be compared with, and resolves on a peer that is alone', async () => {
  await using mesh = await meshOf(3, ASKED)
  const [one, two, three] = mesh.peers
  if (one === undefined || two === undefined || three === undefined) throw new Error('no peers')
  mesh.partition([one, two], [three])
  const error = await mesh.run(one.sync()).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  expect(error).toMatchObject({ name: 'SyncError', code: 'NOT_SYNCED', failed: [three.id] })
  expect(error?.message).toContain('1 of 2 members')
  mesh.crash(two)
  mesh.crash(three)
  await mesh.until(() => one.stats().memberCount === 1)
  expect(await mesh.run(one.sync())).toMatchObject({ memberCount: 0 })
  await one.stop()
  await expect(one.sync()).rejects.toMatchObject({ code: 'PEER_STOPPED' })
})

it('a client has nothing to compare', async () => {
  await using mesh = await meshOf(2, { antiEntropyIntervalMs: 3_600_000 })
  const client = await mesh.start({ role: 'client' })
  expect(await mesh.run(client.sync())).toMatchObject({ memberCount: 0 })
})

it('values of any size are repaired, in as many messages as they need', async () => {
  await using mesh = await meshOf(2, ASKED)
  const [one, two] = mesh.peers
  if (one === undefined || two === undefined) throw new Error('no peers')
  mesh.partition([one], [two])
  const big = 'x'.repeat(400_000)
  for (let i = 0; i < 6; i++) await one.cache('c').set(`one ${i}`, big)
  for (let i = 0; i < 6; i++) await two.cache('c').set(`two ${i}`, big)
  mesh.heal()
  await mesh.until(() => one.cache('c').local.size + two.cache('c').local.size === 24)
  expect(one.cache('c').peek('two 5')).toBe(big)
  expect(two.cache('c').peek('one 5')).toBe(big)
})

it('thousands of differences are exchanged at the pace that is allowed, and none is lost', async () => {
  await using mesh = await meshOf(2, { ...ASKED, repairBytesPerSecond: 100_000 })
  const [one, two] = mesh.peers
  if (one === undefined || two === undefined) throw new Error('no peers')
  const value = 'v'.repeat(100)
  const entries = Array.from({ length: 4_000 }, (_, i) => [`key ${i}`, value] as const)
  mesh.degrade(LOST)
  await one.cache('c').setMany(entries)
  await mesh.advance(100)
  mesh.degrade(WELL)
  const startMs = mesh.now()
  await mesh.run(two.sync())
  expect(two.cache('c').local.size).toBe(4_000)
  // Some 600 kB.
  expect(mesh.now() - startMs).toBeGreaterThan(4_000)
})

it('what a cleared cache held is not brought back, and a clear that was lost is made up for', async () => {
  await using mesh = await meshOf(2, ASKED)
  const [one, two] = mesh.peers
  if (one === undefined || two === undefined) throw new Error('no peers')
  for (let i = 0; i < 100; i++) await one.cache('c').set(`key ${i}`, i)
  await mesh.settle()
  mesh.degrade(LOST)
  await one.cache('c').clear()
  await one.cache('c').set('after', 1)
  await mesh.advance(100)
  mesh.degrade(WELL)
  await mesh.advance(3_000)
  await mesh.run(two.sync())
  for (const peer of [one, two]) {
    expect([...peer.cache('c').local.keys()]).toEqual(['after'])
  }
})

it('members that evict do not fill each other up again', async () => {
  await using mesh = await meshOf(2, { replicas: 'all', maxItems: 100 })
  const [one, two] = mesh.peers
  if (one === undefined || two === undefined) throw new Error('no peers')
  for (let i = 0; i < 1_000; i++) await one.cache('c').set(`key ${i}`, i)
  await mesh.settle()
  // Each has evicted others: those that it reads stay.
  for (let i = 0; i < 50; i++) two.cache('c').peek(`key ${900 + i}`)
  for (let i = 0; i < 60; i++) await one.cache('c').set(`more ${i}`, i)
  await mesh.settle()
  const before = [one.stats(), two.stats()]
  await mesh.advance(60_000)
  const after = [one.stats(), two.stats()]
  for (const [index, { repairRoundCount, repairCount, evictionCount }] of after.entries()) {
    expect(repairRoundCount).toBeGreaterThan((before[index]?.repairRoundCount ?? 0) + 10)
    expect(repairCount).toBe(before[index]?.repairCount)
    expect(evictionCount).toBe(before[index]?.evictionCount)
  }
})

it('a value that has expired here is not asked for again where it lives on by a slower clock', async () => {
  await using mesh = await meshOf(2, { replicas: 'all' })
  const [one, two] = mesh.peers
  if (one === undefined || two === undefined) throw new Error('no peers')
  for (let i = 0; i < 100; i++) await one.cache('c').set(`key ${i}`, i, { ttl: 1_000 + i * 300 })
  await mesh.advance(90_000)
  expect([one.stats().repairCount, two.stats().repairCount]).toEqual([0, 0])
  expect(one.cache('c').local.size + two.cache('c').local.size).toBe(0)
})
