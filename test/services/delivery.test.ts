/** Acknowledged writes: when one resolves, so many have it; when it throws, it says who had it, and the rest is open. */
import { describe, expect, it } from 'vitest'
import type { Ack, CacheOptions } from '../../src/api.js'
import { CacheOptionsConflictError, NotConfirmedError } from '../../src/errors.js'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()

/** The value of a promise, or what it was rejected with. */
function settledWith(mesh: SimulatedMesh, promise: Promise<unknown>): Promise<unknown> {
  return mesh.settled(promise.catch((error: unknown) => error))
}

/** A mesh in its stride, of which nothing that is written gets anywhere by gossip. */
async function deaf(count: number, options: { syncTimeoutMs?: number } = {}) {
  const mesh = await SimulatedMesh.of(count, seed, options)
  await mesh.advance(3_000)
  mesh.network.configure({ lossProbability: 1 })
  return mesh
}

/** Who holds a key. */
function holders(mesh: SimulatedMesh, key = 'key'): string[] {
  return mesh
    .running()
    .filter(({ peer }) => peer.cache('c').peek(key) !== undefined)
    .map(({ id }) => id)
}

describe(`a write, seed ${seed}`, () => {
  it.each<[Ack, number, number]>([
    ['none', 3, 1],
    ['one', 3, 1],
    ['quorum', 3, 2],
    ['all', 3, 3],
    ['quorum', 5, 3],
    ['all', 5, 5],
  ])(
    'at %s in a mesh of %i resolves when %i have it, though all gossip is lost',
    async (ack, count, wanted) => {
      const mesh = await deaf(count)
      const startMs = mesh.time.monotonicMs()
      await mesh.settled(mesh.cache(0).set('key', 1, { ack }), 100)
      expect(holders(mesh).length).toBeGreaterThanOrEqual(wanted)
      // There and back.
      expect(mesh.time.monotonicMs() - startMs).toBeLessThan(10)
      expect(mesh.node(0).peer.stats().ackWaitCount).toBe(0)
    },
  )

  it('at quorum is on a majority, whoever writes, however bad the network', async () => {
    const faults = {
      lossProbability: 0.5,
      frameLossProbability: 0.05,
      duplicateProbability: 0.3,
      delayMs: { min: 0, max: 50 },
    }
    const mesh = await SimulatedMesh.of(5, seed)
    mesh.network.configure(faults)
    for (let i = 0; i < 50; i++) {
      const key = `key ${i}`
      await mesh.settled(mesh.cache(i % 5).set(key, i, { ack: 'quorum' }))
      expect(holders(mesh, key).length).toBeGreaterThanOrEqual(3)
    }
    mesh.network.configure({ lossProbability: 0 })
    await mesh.converge()
  })

  it.each([1, 2])(
    'at quorum does not wait for a minority of five that hangs: %i',
    async (count) => {
      const mesh = await SimulatedMesh.of(5, seed)
      await mesh.advance(3_000)
      for (const node of mesh.nodes.slice(5 - count)) mesh.stall(node, 2_000)
      await mesh.settled(mesh.cache(0).set('key', 1, { ack: 'quorum' }), 100)
      await mesh.converge()
    },
  )

  it('at quorum does not wait for a minority of five that has crashed', async () => {
    const mesh = await SimulatedMesh.of(5, seed)
    await mesh.advance(3_000)
    mesh.crash(mesh.node(3), { silent: true })
    mesh.crash(mesh.node(4))
    await mesh.settled(mesh.cache(0).set('key', 1, { ack: 'quorum' }), 100)
    // They count as long as they are remembered: three of five, and no longer two of three.
    await mesh.advance(20_000)
    await mesh.settled(mesh.cache(0).set('key', 2, { ack: 'quorum' }), 100)
    expect(holders(mesh)).toHaveLength(3)
  })

  it('at quorum is not acknowledged where three of five are gone, and names them', async () => {
    const mesh = await SimulatedMesh.of(5, seed, { syncTimeoutMs: 2_000 })
    await mesh.advance(3_000)
    for (const index of [2, 3, 4]) mesh.stall(mesh.node(index), 60_000)
    const startMs = mesh.time.monotonicMs()
    const error = await settledWith(mesh, mesh.cache(0).set('key', 1, { ack: 'quorum' }))
    expect(error).toBeInstanceOf(NotConfirmedError)
    const { confirmed, missing, code } = error as NotConfirmedError
    expect(code).toBe('NOT_CONFIRMED')
    expect([...confirmed].sort()).toEqual(['p01', 'p02'])
    expect([...missing].sort()).toEqual(['p03', 'p04', 'p05'])
    expect(mesh.time.monotonicMs() - startMs).toBeCloseTo(2_000)
    // Not confirmed is not undone.
    expect(mesh.cache(0).peek('key')).toBe(1)
    expect(mesh.node(0).peer.stats().ackWaitCount).toBe(0)
  })

  it('at quorum is acknowledged late by those that come round in time', async () => {
    const mesh = await SimulatedMesh.of(5, seed)
    await mesh.advance(3_000)
    for (const index of [2, 3, 4]) mesh.stall(mesh.node(index), 1_500)
    const startMs = mesh.time.monotonicMs()
    await mesh.settled(mesh.cache(0).set('key', 1, { ack: 'quorum' }))
    expect(mesh.time.monotonicMs() - startMs).toBeGreaterThanOrEqual(1_500)
    expect(mesh.time.monotonicMs() - startMs).toBeLessThan(4_000)
  })

  it('that was not confirmed converges all the same', async () => {
    const mesh = await SimulatedMesh.of(3, seed, { syncTimeoutMs: 500 })
    await mesh.advance(3_000)
    mesh.network.split(['p01'], ['p02', 'p03'])
    const error = await settledWith(mesh, mesh.cache(0).set('key', 1, { ack: 'quorum' }))
    expect(error).toMatchObject({ code: 'NOT_CONFIRMED', confirmed: ['p01'] })
    mesh.network.heal()
    await mesh.converge()
    expect(holders(mesh)).toHaveLength(3)
  })

  it('at all waits for a member that hangs until it is dead, and for no longer', async () => {
    const mesh = await SimulatedMesh.of(3, seed, { syncTimeoutMs: 30_000 })
    await mesh.advance(3_000)
    mesh.stall(mesh.node(2), 60_000)
    const isDead = () => mesh.node(0).peer.members.find(({ id }) => id === 'p03')?.state === 'dead'
    const writing = mesh.cache(0).set('key', 1, { ack: 'all' })
    await mesh.advance(1_000)
    expect(mesh.node(0).peer.stats().ackWaitCount).toBe(1)
    expect(isDead()).toBe(false)
    await mesh.settled(writing, 20_000)
    expect(isDead()).toBe(true)
    const startMs = mesh.time.monotonicMs()
    await mesh.settled(mesh.cache(0).set('key', 2, { ack: 'all' }))
    expect(mesh.time.monotonicMs() - startMs).toBeLessThan(10)
  })

  it('at all waits for a member that leaves until it has left', async () => {
    const mesh = await deaf(3)
    mesh.network.cut('p01', 'p03')
    const writing = mesh.cache(0).set('key', 1, { ack: 'all' })
    await mesh.advance(100)
    mesh.network.configure({ lossProbability: 0 })
    mesh.network.heal()
    await mesh.stop(mesh.node(2))
    await mesh.settled(writing, 2_000)
    expect(holders(mesh)).toEqual(['p01', 'p02'])
  })

  it('at all waits for one that joins meanwhile as well', async () => {
    const mesh = await SimulatedMesh.of(3, seed, { syncTimeoutMs: 30_000 })
    await mesh.advance(3_000)
    // They still hear of each other by way of the second.
    mesh.network.cut('p01', 'p03')
    let isDone = false
    const writing = mesh
      .cache(0)
      .set('key', 1, { ack: 'all' })
      .then(() => {
        isDone = true
      })
    const joiner = await mesh.start()
    await mesh.settled(joiner.peer.ready())
    await mesh.advance(100)
    expect(isDone).toBe(false)
    mesh.network.heal()
    await mesh.settled(writing)
    expect(holders(mesh)).toEqual(['p01', 'p02', 'p03', 'p04'])
  })

  it('to a mesh of one is acknowledged at every level', async () => {
    const mesh = await SimulatedMesh.of(1, seed)
    for (const ack of ['none', 'one', 'quorum', 'all'] as const) {
      await mesh.settled(mesh.cache(0).set(ack, 1, { ack }), 1)
    }
  })

  it('of one that joins is acknowledged by others: it is no owner yet', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    for (let i = 0; i < 200; i++) await mesh.cache(0).set(`key ${i}`, 'x'.repeat(1_000))
    const joiner = await mesh.start()
    await mesh.settled(joiner.peer.cache('c').set('key', 1, { ack: 'one' }))
    expect(holders(mesh).length).toBeGreaterThan(1)
  })

  it('is confirmed once by each, however often it comes', async () => {
    const mesh = await SimulatedMesh.of(3, seed, {}, { duplicateProbability: 1 })
    // Of three, only one other answers; what it hears several times counts once.
    mesh.network.cut('p01', 'p03')
    await mesh.settled(mesh.cache(0).set('key', 1, { ack: 'quorum' }), 1_000)
    await mesh.settled(mesh.cache(0).set('key', 2, { ack: 'quorum' }), 1_000)
    expect(mesh.cache(1).peek('key')).toBe(2)
    const waiting = mesh.cache(0).set('key', 3, { ack: 'all' })
    await mesh.advance(1_000)
    expect(mesh.node(0).peer.stats().ackWaitCount).toBe(1)
    mesh.network.heal()
    await mesh.settled(waiting)
  })
})

describe(`a write to a key with three owners among five members, seed ${seed}`, () => {
  /** Five in their stride, and keys of which the first is, or is no, owner; no gossip gets anywhere from now on. */
  async function five(options: { syncTimeoutMs?: number } = {}) {
    const mesh = await SimulatedMesh.of(5, seed, { replicas: 3, ...options })
    await mesh.advance(3_000)
    mesh.network.configure({ lossProbability: 1 })
    const writer = mesh.node(0)
    const ownersOf = (key: string) => writer.peer.ring.locate('c', key).owners
    const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`)
    const others = (key: string) =>
      mesh.nodes.filter(({ id }) => id !== writer.id && ownersOf(key).includes(id))
    return {
      mesh,
      writer,
      ownersOf,
      others,
      ours: keys.filter((key) => ownersOf(key).includes(writer.id)),
      foreign: keys.filter((key) => !ownersOf(key).includes(writer.id)),
    }
  }

  /** Who keeps a key as its owner. */
  function keepers(mesh: SimulatedMesh, key: string): string[] {
    const keeps = ({ peer }: MeshNode) => [...peer.cache('c').local.keys()].includes(key)
    return mesh
      .running()
      .filter(keeps)
      .map(({ id }) => id)
  }

  it('at quorum is not acknowledged where two of them hang, and names them', async () => {
    const { mesh, writer, foreign, others } = await five({ syncTimeoutMs: 1_000 })
    const [key = ''] = foreign
    const hanging = others(key).slice(1)
    for (const node of hanging) mesh.stall(node, 60_000)
    const error = await settledWith(mesh, writer.peer.cache('c').set(key, 1, { ack: 'quorum' }))
    expect(error).toBeInstanceOf(NotConfirmedError)
    const { confirmed, missing } = error as NotConfirmedError
    expect(confirmed).toEqual([others(key)[0]?.id])
    expect([...missing].sort()).toEqual(hanging.map(({ id }) => id).sort())
    // Those that own it not were not asked, and the writer finds it all the same.
    expect(keepers(mesh, key)).toEqual(confirmed)
    expect(await mesh.settled(writer.peer.cache('c').get(key), 1)).toBe(1)
  })

  it.each<[string, Ack, number]>([
    ['an owner', 'one', 1],
    ['an owner', 'quorum', 2],
    ['an owner', 'all', 3],
    ['another', 'one', 1],
    ['another', 'quorum', 2],
    ['another', 'all', 3],
  ])('by %s at %s resolves when %i owners have it', async (by, ack, wanted) => {
    const { mesh, writer, ours, foreign, ownersOf } = await five()
    const keys = (by === 'another' ? foreign : ours).slice(0, 10)
    for (const key of keys) {
      const startMs = mesh.time.monotonicMs()
      await mesh.settled(writer.peer.cache('c').set(key, 1, { ack }), 100)
      expect(mesh.time.monotonicMs() - startMs).toBeLessThan(10)
      const kept = keepers(mesh, key)
      expect(kept.length).toBeGreaterThanOrEqual(wanted)
      expect(ownersOf(key)).toEqual(expect.arrayContaining(kept))
    }
    expect(writer.peer.stats()).toMatchObject({ ackWaitCount: 0, otherRingCount: 0 })
  })

  it('at quorum does not wait for one of them that hangs', async () => {
    const { mesh, writer, foreign, others } = await five()
    const [key = ''] = foreign
    mesh.stall(others(key)[0] as MeshNode, 2_000)
    await mesh.settled(writer.peer.cache('c').set(key, 1, { ack: 'quorum' }), 100)
  })

  it('at none reaches them all, though nobody waits for it and gossip is lost', async () => {
    const { mesh, writer, foreign, ownersOf } = await five()
    const [key = ''] = foreign
    await mesh.settled(writer.peer.cache('c').set(key, 1), 1)
    await mesh.advance(10)
    expect(keepers(mesh, key).sort()).toEqual([...ownersOf(key)].sort())
    expect(writer.peer.stats()).toMatchObject({ hintCount: 0 })
  })

  it('and of a delete is acknowledged in the same way', async () => {
    const { mesh, writer, foreign } = await five()
    const [key = ''] = foreign
    const cache = writer.peer.cache('c')
    await mesh.settled(cache.set(key, 1, { ack: 'all' }))
    await mesh.settled(cache.delete(key, { ack: 'all' }), 100)
    expect(keepers(mesh, key)).toEqual([])
  })

  it('waits for nobody else: a member that owns it not may hang', async () => {
    const { mesh, writer, ours, ownersOf } = await five()
    const [key = ''] = ours
    for (const node of mesh.nodes) if (!ownersOf(key).includes(node.id)) mesh.stall(node, 60_000)
    await mesh.settled(writer.peer.cache('c').set(key, 1, { ack: 'all' }), 100)
  })

  it('of which two died is acknowledged again when others have taken over', async () => {
    const { mesh, writer, foreign, others } = await five({ syncTimeoutMs: 60_000 })
    mesh.network.configure({ lossProbability: 0 })
    const [key = ''] = foreign
    await mesh.settled(writer.peer.cache('c').set(key, 'old', { ack: 'all' }))
    for (const node of others(key).slice(1)) mesh.crash(node)
    await mesh.settled(writer.peer.cache('c').set(key, 'new', { ack: 'quorum' }))
    expect(keepers(mesh, key).length).toBeGreaterThanOrEqual(2)
    for (const { peer } of mesh.running()) {
      expect(await mesh.settled(peer.cache('c').get(key, { consistency: 'quorum' }))).toBe('new')
    }
  })
})

describe(`where there are fewer members than replicas, seed ${seed}`, () => {
  it('one alone acknowledges at one, and never at quorum or all', async () => {
    const mesh = await SimulatedMesh.of(1, seed, { replicas: 3, syncTimeoutMs: 500 })
    await mesh.advance(3_000)
    await mesh.settled(mesh.cache(0).set('key', 1, { ack: 'one' }), 1)
    for (const ack of ['quorum', 'all'] as const) {
      const error = await settledWith(mesh, mesh.cache(0).set('key', 1, { ack }))
      expect(error).toMatchObject({ code: 'NOT_CONFIRMED', confirmed: ['p01'] })
    }
  })

  it('two acknowledge at quorum together, and neither without the other', async () => {
    const mesh = await SimulatedMesh.of(2, seed, { replicas: 3, syncTimeoutMs: 500 })
    await mesh.advance(3_000)
    await mesh.settled(mesh.cache(0).set('key', 1, { ack: 'all' }), 100)
    mesh.network.split(['p01'], ['p02'])
    for (const waitMs of [0, 60_000]) {
      await mesh.advance(waitMs)
      for (const index of [0, 1]) {
        const writing = mesh.cache(index).set('key', 2, { ack: 'quorum' })
        expect(await settledWith(mesh, writing)).toMatchObject({ code: 'NOT_CONFIRMED' })
      }
    }
  })
})

describe(`a member that is cut off, seed ${seed}`, () => {
  it('never acknowledges at quorum or all, though it has long called the others dead', async () => {
    const mesh = await SimulatedMesh.of(3, seed, { syncTimeoutMs: 1_000 })
    await mesh.advance(3_000)
    mesh.network.split(['p01'], ['p02', 'p03'])
    for (const waitMs of [0, 30_000, 600_000]) {
      await mesh.advance(waitMs)
      for (const ack of ['quorum', 'all'] as const) {
        const error = await settledWith(mesh, mesh.cache(0).set('key', waitMs, { ack }))
        expect(error).toMatchObject({ code: 'NOT_CONFIRMED', confirmed: ['p01'] })
        expect([...(error as NotConfirmedError).missing].sort()).toEqual(['p02', 'p03'])
      }
      await mesh.settled(mesh.cache(0).set('own', waitMs, { ack: 'one' }), 1)
    }
    const states = mesh.node(0).peer.members.map(({ state }) => state)
    expect(states.sort()).toEqual(['alive', 'dead', 'dead'])
    // The others are a majority all the while.
    await mesh.settled(mesh.cache(1).set('theirs', 1, { ack: 'quorum' }), 100)
    await mesh.settled(mesh.cache(2).set('theirs', 2, { ack: 'all' }), 100)
  })
})

describe(`many writes, seed ${seed}`, () => {
  /** A mesh, and the frames that went from one member to another. */
  async function watched(options = {}) {
    const frames = new Map<string, number>()
    const observer = {
      framed: (from: string, to: string) => {
        const link = `${from} ${to}`
        frames.set(link, (frames.get(link) ?? 0) + 1)
      },
    }
    const mesh = await SimulatedMesh.of(3, seed, options, { observer })
    await mesh.advance(3_000)
    frames.clear()
    return { mesh, frames }
  }

  it('of one turn go to each owner in one request', async () => {
    const { mesh, frames } = await watched()
    const cache = mesh.cache(0)
    const writes = Array.from({ length: 300 }, (_, i) => cache.set(`key ${i}`, i, { ack: 'all' }))
    await mesh.settled(Promise.all(writes))
    expect(Object.fromEntries(frames)).toEqual({
      'p01 p02': 1,
      'p01 p03': 1,
      'p02 p01': 1,
      'p03 p01': 1,
    })
    expect(mesh.node(0).peer.stats().requestErrorCount).toBe(0)
  })

  it('share an owner that fails, and each waits for what it was told to', async () => {
    const mesh = await SimulatedMesh.of(3, seed, { syncTimeoutMs: 1_000 })
    await mesh.advance(3_000)
    mesh.stall(mesh.node(2), 30_000)
    const cache = mesh.cache(0)
    const writes = (['none', 'one', 'quorum', 'all'] as const).map((ack) =>
      cache.set(ack, 1, { ack }),
    )
    const outcomes = await mesh.settled(Promise.allSettled(writes))
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
    ])
    expect(outcomes[3]).toMatchObject({ reason: { missing: ['p03'] } })
  })

  it('more than fit into a request are acknowledged all the same', async () => {
    const { mesh } = await watched()
    const cache = mesh.cache<number>(0)
    const entries = Array.from({ length: 5_000 }, (_, i) => [`key ${i}`, i] as const)
    await mesh.settled(cache.setMany(entries, { ack: 'all' }))
    for (const { peer } of mesh.nodes) expect(peer.cache('c').local.size).toBe(5_000)
  })

  it('with values that would not fit into a frame together are acknowledged all the same', async () => {
    const { mesh } = await watched()
    const value = 'x'.repeat(5 * 1024 * 1024)
    const entries = ['a', 'b', 'c'].map((key) => [key, value] as const)
    await mesh.settled(mesh.cache<string>(0).setMany(entries, { ack: 'all' }))
    for (const { peer } of mesh.nodes) {
      for (const key of ['a', 'b', 'c']) expect(peer.cache('c').peek(key)).toBe(value)
    }
  })

  it('by setMany, deleteMany and clear are acknowledged like one', async () => {
    const mesh = await deaf(3)
    const cache = mesh.cache<number>(0)
    const sizes = () => mesh.nodes.map(({ peer }) => peer.cache('c').local.size)
    await mesh.settled(
      cache.setMany(
        ['a', 'b', 'c'].map((key, i) => [key, i] as const),
        { ack: 'all' },
      ),
    )
    expect(sizes()).toEqual([3, 3, 3])
    expect(await mesh.settled(cache.deleteMany(['a', 'x'], { ack: 'all' }))).toBe(1)
    expect(sizes()).toEqual([2, 2, 2])
    expect(await mesh.settled(cache.delete('b', { ack: 'all' }))).toBe(true)
    expect(sizes()).toEqual([1, 1, 1])
    await mesh.settled(cache.clear({ ack: 'all' }))
    expect(sizes()).toEqual([0, 0, 0])
  })

  it('are refused by an owner for which they are too large, and fail; others of that turn do not', async () => {
    const mesh = await SimulatedMesh.of(2, seed, { syncTimeoutMs: 1_000 })
    await mesh.start({ maxBytes: 1024 * 1024 })
    await mesh.settle()
    const cache = mesh.cache<string>(0)
    const large = settledWith(mesh, cache.set('large', 'x'.repeat(2 * 1024 * 1024), { ack: 'all' }))
    const small = cache.set('small', 'x', { ack: 'all' })
    expect(await large).toMatchObject({ code: 'NOT_CONFIRMED', missing: ['p03'] })
    await mesh.settled(small)
    expect(mesh.cache(2).peek('small')).toBe('x')
  })
})

describe(`waiting for acknowledgements, seed ${seed}`, () => {
  /** Three, of which one can reach nobody. */
  async function cutOff() {
    const mesh = await SimulatedMesh.of(3, seed)
    await mesh.advance(3_000)
    mesh.network.split(['p01'], ['p02', 'p03'])
    return mesh
  }

  it('ends when the signal aborts; what was written stays', async () => {
    const mesh = await cutOff()
    const abort = new AbortController()
    const writing = mesh.cache(0).set('key', 1, { ack: 'quorum', signal: abort.signal })
    const outcome = writing.catch((error: unknown) => error)
    await mesh.advance(500)
    abort.abort(new Error('enough'))
    expect(await mesh.settled(outcome, 1)).toEqual(new Error('enough'))
    expect(mesh.cache(0).peek('key')).toBe(1)
    // Nobody hears of what became of it.
    await mesh.advance(20_000)
    mesh.network.heal()
    await mesh.converge()
    expect(holders(mesh)).toHaveLength(3)
  })

  it('does not begin when the signal has aborted: nothing is written', async () => {
    const mesh = await cutOff()
    const signal = AbortSignal.abort(new Error('too late'))
    const error = await settledWith(mesh, mesh.cache(0).set('key', 1, { ack: 'quorum', signal }))
    expect(error).toEqual(new Error('too late'))
    expect(mesh.cache(0).peek('key')).toBeUndefined()
  })

  it.each([true, false])('ends with PEER_STOPPED when the peer stops, drain %s', async (drain) => {
    const mesh = await cutOff()
    const node = mesh.node(0)
    const writing = mesh.cache(0).set('key', 1, { ack: 'quorum' })
    const outcome = writing.catch((error: unknown) => error)
    await mesh.advance(100)
    await mesh.stop(node, { drain })
    expect(await outcome).toMatchObject({ code: 'PEER_STOPPED' })
    await mesh.advance(0)
    expect(node.time.pending).toBe(0)
  })

  it('that was begun in the turn of the stop ends, too', async () => {
    const mesh = await cutOff()
    const writing = mesh.cache(0).set('key', 1, { ack: 'quorum' })
    const outcome = writing.catch((error: unknown) => error)
    await mesh.stop(mesh.node(0))
    expect(await outcome).toMatchObject({ code: 'PEER_STOPPED' })
    await mesh.advance(0)
    expect(mesh.node(0).time.pending).toBe(0)
  })

  it('leaves nothing scheduled when all have stopped in the middle of it', async () => {
    const mesh = await SimulatedMesh.of(4, seed)
    await mesh.advance(3_000)
    mesh.stall(mesh.node(3), 500)
    const writes = mesh.nodes.flatMap(({ peer }) =>
      Array.from({ length: 10 }, (_, i) => peer.cache('c').set(`key ${i}`, i, { ack: 'all' })),
    )
    const outcomes = Promise.allSettled(writes)
    await mesh.advance(20)
    await mesh.stopAll()
    await mesh.settled(outcomes)
    await mesh.advance(15_000)
    expect(mesh.time.pending).toBe(0)
  })
})

describe(`the level, seed ${seed}`, () => {
  it('is that of the cache, unless the write says otherwise', async () => {
    const mesh = await SimulatedMesh.of(3, seed, { syncTimeoutMs: 1_000 })
    await mesh.advance(3_000)
    mesh.network.split(['p01'], ['p02', 'p03'])
    const { peer } = mesh.node(0)
    const strict = peer.cache<number>('strict', { ack: 'quorum' })
    const refused = { code: 'NOT_CONFIRMED' }
    expect(await settledWith(mesh, strict.set('key', 1))).toMatchObject(refused)
    expect(await settledWith(mesh, strict.setMany([['key', 1]]))).toMatchObject(refused)
    expect(await settledWith(mesh, strict.delete('key'))).toMatchObject(refused)
    expect(await settledWith(mesh, strict.deleteMany(['key']))).toMatchObject(refused)
    expect(await settledWith(mesh, strict.clear())).toMatchObject(refused)
    await mesh.settled(strict.set('key', 1, { ack: 'none' }), 1)
    await mesh.settled(strict.set('key', 1, { ack: 'one' }), 1)
    const lax = peer.cache<number>('lax')
    await mesh.settled(lax.set('key', 1), 1)
    expect(await settledWith(mesh, lax.set('key', 1, { ack: 'all' }))).toMatchObject(refused)
  })

  it.each(['two', '', 'QUORUM', 1, null, true])(
    'may not be %j: nothing is written',
    async (ack) => {
      const mesh = await SimulatedMesh.of(1, seed)
      const cache = mesh.cache<number>(0)
      const options = { ack: ack as Ack }
      const calls = [
        () => cache.set('key', 1, options),
        () => cache.setMany([['key', 1]], options),
        () => cache.delete('key', options),
        () => cache.deleteMany(['key'], options),
        () => cache.clear(options),
      ]
      for (const call of calls) {
        await expect(call()).rejects.toMatchObject({ code: 'INVALID_OPTION', option: 'ack' })
      }
      expect(cache.local.size).toBe(0)
      expect(mesh.node(0).peer.stats()).toMatchObject({ setCount: 0, deleteCount: 0 })
      const { peer } = mesh.node(0)
      expect(() => peer.cache('bad', { ack: (ack ?? 0) as Ack })).toThrowError(/option ack/)
    },
  )

  it.each<[CacheOptions, CacheOptions, boolean]>([
    [{ ack: 'quorum' }, { ack: 'quorum' }, true],
    [{ ack: 'quorum' }, {}, true],
    [{}, { ack: 'none' }, true],
    [{ ack: 'quorum' }, { ack: 'all' }, false],
    [{}, { ack: 'quorum' }, false],
    [{ ack: 'quorum' }, { ack: 'none' }, false],
    [{ consistency: 'quorum' }, { consistency: 'quorum' }, true],
    [{ consistency: 'quorum' }, { consistency: 'local' }, false],
    [{ ttl: 5, ack: 'one' }, { ttl: 5 }, true],
    [{ ttl: 5, ack: 'one' }, { ttl: 6, ack: 'one' }, false],
  ])('of a cache opened with %j and then with %j agrees: %s', async (first, second, agrees) => {
    const mesh = await SimulatedMesh.of(1, seed)
    const { peer } = mesh.node(0) as MeshNode
    const cache = peer.cache('c', first)
    if (agrees) expect(peer.cache('c', second)).toBe(cache)
    else expect(() => peer.cache('c', second)).toThrowError(CacheOptionsConflictError)
  })
})
