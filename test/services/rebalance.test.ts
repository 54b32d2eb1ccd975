/** How partitions are taken over: each entry once, and without waiting for one that hangs. */
import { afterEach, describe, expect, it } from 'vitest'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()

const KEYS = Array.from({ length: 1_000 }, (_, index) => `key-${index}`)

let mesh: SimulatedMesh

afterEach(async () => {
  await mesh.stopAll()
})

/** Five peers of which three hold each key, and a thousand keys. */
async function filled(): Promise<void> {
  mesh = await SimulatedMesh.of(5, seed, { replicas: 3 })
  const cache = mesh.node(0).peer.cache<string>('c')
  const entries = KEYS.map((key) => [key, `value of ${key}`] as const)
  await mesh.settled(cache.setMany(entries, { ack: 'all' }))
  await mesh.advance(2_000)
}

/** Lets time pass until a joiner has taken over all that it owns. Returns how long that took from its start, in ms. */
async function timeToTakeOver(joiner: MeshNode): Promise<number> {
  const fromMs = mesh.time.monotonicMs()
  const hasAll = () => {
    const { openPartitions, itemCount } = joiner.peer.stats()
    return openPartitions === 0 && itemCount > 0
  }
  await mesh.runUntil(hasAll, 30_000)
  return mesh.time.monotonicMs() - fromMs
}

describe(`taking over, seed ${seed}`, () => {
  it('is sent what it gains once, though two of three owners have to be asked', async () => {
    await filled()
    const joiner = await mesh.start()
    await timeToTakeOver(joiner)
    const { itemCount, transferReceivedCount } = joiner.peer.stats()
    expect(itemCount).toBeGreaterThan(300)
    expect(transferReceivedCount).toBeLessThanOrEqual(1.05 * itemCount)
    const cache = joiner.peer.cache('c')
    const owned = KEYS.filter((key) => joiner.peer.ring.locate('c', key).owners.includes(joiner.id))
    expect(owned.filter((key) => cache.peek(key) === undefined)).toEqual([])
  })

  it('does not wait for one that hangs: the others are asked for the same', async () => {
    await filled()
    const joiner = await mesh.start()
    await mesh.runUntil(() => joiner.peer.stats().openPartitions > 0)
    const hanging = mesh.node(3)
    mesh.stall(hanging, 4_000)
    const tookMs = await timeToTakeOver(joiner)
    expect(hanging.time.isStalled).toBe(true)
    expect(tookMs).toBeLessThan(1_500)
  })
})
