/** Reads at quorum: the latest that a majority knows, whatever the reader has missed; and the others are told. */
import { describe, expect, it } from 'vitest'
import type { Consistency } from '../../src/api.js'
import { NotConfirmedError } from '../../src/errors.js'
import { SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()
const QUORUM = { consistency: 'quorum' } as const
const MIB = 1024 * 1024

/** The value of a promise, or what it was rejected with. */
function settledWith(mesh: SimulatedMesh, promise: Promise<unknown>): Promise<unknown> {
  return mesh.settled(promise.catch((error: unknown) => error))
}

/** A mesh in its stride that shares some writes; from now on nothing gets anywhere by gossip. */
async function deaf(count = 3, before: Record<string, unknown> = {}, options = {}) {
  const mesh = await SimulatedMesh.of(count, seed, options)
  for (const [key, value] of Object.entries(before)) await mesh.cache(0).set(key, value)
  await mesh.settled(mesh.node(0).peer.flush())
  mesh.network.configure({ lossProbability: 1 })
  return mesh
}

/** Three such, of which the first and the third cannot reach each other: what the one writes the other has missed. */
async function apart(before: Record<string, unknown> = {}) {
  const mesh = await deaf(3, before)
  mesh.network.cut('p01', 'p03')
  return mesh
}

/** Acknowledged by a majority, without the third. */
const ACKED = { ack: 'quorum' } as const

describe(`a read at quorum, seed ${seed}`, () => {
  it('sees what was acknowledged at quorum, though the reader has missed it', async () => {
    const mesh = await apart({ key: 'old' })
    await mesh.settled(mesh.cache(0).set('key', 'new', ACKED), 100)
    expect(mesh.cache(2).peek('key')).toBe('old')
    expect(await mesh.settled(mesh.cache(2).get('key', QUORUM), 100)).toBe('new')
    expect(mesh.cache(2).peek('key')).toBe('new')
  })

  it('sees it, whoever of a majority answers', async () => {
    const mesh = await deaf(5, { key: 'old' })
    mesh.network.split(['p01', 'p02', 'p03'], ['p04', 'p05'])
    await mesh.settled(mesh.cache(0).set('key', 'new', ACKED), 100)
    mesh.network.heal()
    for (const index of [0, 1]) mesh.stall(mesh.node(index), 2_000)
    mesh.network.cut('p01', 'p05')
    mesh.network.cut('p02', 'p05')
    expect(await mesh.settled(mesh.cache(4).get('key', QUORUM), 1_000)).toBe('new')
  })

  it('reads what nobody has written as nothing', async () => {
    const mesh = await deaf()
    expect(await mesh.settled(mesh.cache(2).get('key', QUORUM))).toBeUndefined()
    expect((await mesh.settled(mesh.cache(2).getMany(['a', 'b'], QUORUM))).size).toBe(0)
  })

  it('sees deletes', async () => {
    const mesh = await apart({ key: 'old' })
    await mesh.settled(mesh.cache(0).delete('key', ACKED))
    expect(mesh.cache(2).peek('key')).toBe('old')
    expect(await mesh.settled(mesh.cache(2).get('key', QUORUM))).toBeUndefined()
    expect(mesh.cache(2).peek('key')).toBeUndefined()
  })

  it('sees clears, and what was set after them', async () => {
    const mesh = await apart({ a: 'old', b: 'old' })
    await mesh.settled(mesh.cache(0).clear(ACKED))
    await mesh.settled(mesh.cache(0).set('b', 'new', ACKED))
    expect(await mesh.settled(mesh.cache(2).get('a', QUORUM))).toBeUndefined()
    expect(await mesh.settled(mesh.cache(2).get('b', QUORUM))).toBe('new')
  })

  it('does not bring back what has expired', async () => {
    const mesh = await apart({ key: 'old' })
    await mesh.settled(mesh.cache(0).set('key', 'brief', { ttl: 500, ...ACKED }))
    expect(await mesh.settled(mesh.cache(2).get('key', QUORUM))).toBe('brief')
    await mesh.settled(mesh.cache(0).set('other', 'brief', { ttl: 500, ...ACKED }))
    // Here it has been swept, there it was never known.
    await mesh.advance(2_000)
    for (const key of ['key', 'other']) {
      expect(await mesh.settled(mesh.cache(2).get(key, QUORUM))).toBeUndefined()
    }
  })

  it('takes an older value for outdated by one that has expired elsewhere', async () => {
    const mesh = await apart({ key: 'old' })
    await mesh.settled(mesh.cache(0).set('key', 'brief', { ttl: 100, ...ACKED }))
    await mesh.advance(2_000)
    expect(mesh.cache(2).peek('key')).toBe('old')
    expect(await mesh.settled(mesh.cache(2).get('key', QUORUM))).toBeUndefined()
    expect(mesh.cache(2).peek('key')).toBeUndefined()
  })

  it('reads the latest of what several know', async () => {
    const mesh = await deaf(5)
    for (let i = 0; i < 4; i++) {
      await mesh.settled(mesh.cache(i).set('key', `by ${i}`))
      await mesh.advance(5)
    }
    await mesh.advance(5)
    // Three of five are asked at least; all answer here.
    await mesh.settled(mesh.cache(4).get('key', QUORUM))
    await mesh.advance(50)
    expect(mesh.cache(4).peek('key')).toBe('by 3')
  })

  it('of more than a thousand keys sees them all, in order', async () => {
    const mesh = await apart()
    const keys = Array.from({ length: 2_500 }, (_, i) => `key ${i}`)
    await mesh.settled(
      mesh.cache<number>(0).setMany(
        keys.map((key, i) => [key, i] as const),
        ACKED,
      ),
    )
    expect(mesh.cache(2).local.size).toBe(0)
    const found = await mesh.settled(mesh.cache(2).getMany(keys, QUORUM))
    expect([...found]).toEqual(keys.map((key, i) => [key, i]))
  })

  it('of values that do not fit into one answer sees them all', async () => {
    const mesh = await apart()
    const value = 'x'.repeat(5 * MIB)
    const small = 'y'.repeat(100_000)
    const entries = [
      ['a', small],
      ['b', value],
      ['c', value],
      ['d', value],
      ['e', small],
      ['f', small],
    ] as const
    await mesh.settled(mesh.cache<string>(0).setMany(entries, ACKED))
    expect(mesh.cache(2).local.size).toBe(0)
    const keys = entries.map(([key]) => key)
    const found = await mesh.settled(mesh.cache(2).getMany(keys, QUORUM))
    expect([...found.keys()]).toEqual(keys)
    for (const [key, wanted] of entries) expect(found.get(key) === wanted).toBe(true)
  })

  it('is nothing but a local one for a mesh of one', async () => {
    const mesh = await SimulatedMesh.of(1, seed)
    await mesh.cache(0).set('key', 1)
    expect(await mesh.settled(mesh.cache(0).get('key', QUORUM), 1)).toBe(1)
    expect(mesh.node(0).peer.stats().requestCount).toBe(0)
  })
})

describe(`those that are behind, seed ${seed}`, () => {
  it('are brought up to date and counted, once', async () => {
    const mesh = await deaf(5, { key: 'old', same: 'same' })
    await mesh.settled(mesh.cache(0).set('key', 'new'))
    await mesh.settled(mesh.cache(0).getMany(['key', 'same'], QUORUM))
    await mesh.advance(50)
    for (const { peer } of mesh.nodes) expect(peer.cache('c').peek('key')).toBe('new')
    const { readRepairCount, requestCount } = mesh.node(0).peer.stats()
    expect(readRepairCount).toBe(4)
    await mesh.settled(mesh.cache(0).getMany(['key', 'same'], QUORUM))
    await mesh.advance(50)
    expect(mesh.node(0).peer.stats()).toMatchObject({
      readRepairCount,
      requestCount: requestCount + 4,
    })
  })

  it('are told of deletes and clears, too', async () => {
    const mesh = await deaf(3, { a: 1, b: 2 })
    await mesh.settled(mesh.cache(0).delete('a'))
    await mesh.settled(mesh.cache(0).get('a', QUORUM))
    await mesh.advance(50)
    expect(mesh.nodes.map(({ peer }) => peer.cache('c').local.size)).toEqual([1, 1, 1])
    await mesh.settled(mesh.cache(0).clear())
    await mesh.settled(mesh.cache(0).get('b', QUORUM))
    await mesh.advance(50)
    expect(mesh.nodes.map(({ peer }) => peer.cache('c').local.size)).toEqual([0, 0, 0])
  })

  it('learn from one that was behind itself: what it has heard from a third', async () => {
    const mesh = await deaf(3)
    await mesh.settled(mesh.cache(1).set('key', 'new'))
    await mesh.settled(mesh.cache(0).get('key', QUORUM))
    await mesh.settled(mesh.cache(0).get('key', QUORUM))
    await mesh.advance(50)
    expect(mesh.cache(2).peek('key')).toBe('new')
  })

  it('are not held up by a value that one of them cannot take', async () => {
    const mesh = await SimulatedMesh.of(2, seed)
    await mesh.start({ maxBytes: MIB })
    await mesh.settle()
    mesh.network.configure({ lossProbability: 1 })
    await mesh.settled(mesh.cache(0).set('key', 'x'.repeat(2 * MIB)))
    for (let i = 0; i < 3; i++) {
      await mesh.settled(mesh.cache(0).get('key', QUORUM))
      await mesh.advance(100)
    }
    expect(mesh.cache(1).local.size).toBe(1)
    expect(mesh.node(0).peer.stats().readRepairCount).toBe(1)
  })
})

describe(`too few that answer, seed ${seed}`, () => {
  it('fail the read when the time is over, and are named', async () => {
    const mesh = await deaf(5, { key: 1 }, { syncTimeoutMs: 1_000 })
    for (const index of [2, 3, 4]) mesh.stall(mesh.node(index), 5_000)
    const startMs = mesh.time.monotonicMs()
    const error = await settledWith(mesh, mesh.cache(0).get('key', QUORUM))
    expect(error).toBeInstanceOf(NotConfirmedError)
    const { confirmed, missing } = error as NotConfirmedError
    expect([...confirmed].sort()).toEqual(['p01', 'p02'])
    expect([...missing].sort()).toEqual(['p03', 'p04', 'p05'])
    expect(mesh.time.monotonicMs() - startMs).toBeCloseTo(1_000)
    // What is held here can still be read.
    expect(await mesh.cache(0).get('key')).toBe(1)
  })

  it('fail it at once when nobody can be asked, however long the others have been dead', async () => {
    const mesh = await SimulatedMesh.of(3, seed, { syncTimeoutMs: 1_000 })
    await mesh.advance(3_000)
    mesh.network.split(['p01'], ['p02', 'p03'])
    await mesh.advance(60_000)
    const startMs = mesh.time.monotonicMs()
    const error = await settledWith(mesh, mesh.cache(0).get('key', QUORUM))
    expect(error).toMatchObject({ code: 'NOT_CONFIRMED', confirmed: ['p01'] })
    expect([...(error as NotConfirmedError).missing].sort()).toEqual(['p02', 'p03'])
    expect(mesh.time.monotonicMs()).toBe(startMs)
    const many = settledWith(mesh, mesh.cache(0).getMany(['a', 'b'], QUORUM))
    expect(await many).toMatchObject({ code: 'NOT_CONFIRMED' })
  })

  it('are enough while a majority answers', async () => {
    const mesh = await deaf(5, { key: 1 })
    mesh.stall(mesh.node(3), 5_000)
    mesh.crash(mesh.node(4))
    expect(await mesh.settled(mesh.cache(0).get('key', QUORUM), 100)).toBe(1)
  })

  it('do not keep a read waiting when the peer stops, nor leave anything scheduled', async () => {
    const mesh = await deaf(3)
    for (const index of [1, 2]) mesh.stall(mesh.node(index), 60_000)
    const outcome = mesh
      .cache(0)
      .get('key', QUORUM)
      .catch((error: unknown) => error)
    await mesh.advance(10)
    await mesh.stop(mesh.node(0))
    expect(await outcome).toBeInstanceOf(Error)
    await mesh.advance(0)
    expect(mesh.node(0).time.pending).toBe(0)
  })

  it('do not keep a read waiting whose signal aborts', async () => {
    const mesh = await deaf(3)
    for (const index of [1, 2]) mesh.stall(mesh.node(index), 5_000)
    const abort = new AbortController()
    const reading = mesh.cache(0).get('key', { ...QUORUM, signal: abort.signal })
    const outcome = reading.catch((error: unknown) => error)
    await mesh.advance(100)
    abort.abort(new Error('enough'))
    expect(await mesh.settled(outcome, 1)).toEqual(new Error('enough'))
    await mesh.advance(20_000)
  })

  it('do not matter to one whose signal has aborted before: it fails with its reason alone', async () => {
    const mesh = await SimulatedMesh.of(3, seed, { syncTimeoutMs: 1_000 })
    await mesh.advance(3_000)
    mesh.network.split(['p01'], ['p02', 'p03'])
    const signal = AbortSignal.abort(new Error('too late'))
    const reading = mesh.cache(0).get('key', { ...QUORUM, signal })
    expect(await settledWith(mesh, reading)).toEqual(new Error('too late'))
    // Whatever fails after that fails unheard.
    await mesh.advance(20_000)
  })
})

describe(`the consistency, seed ${seed}`, () => {
  it('is that of the cache, unless the read says otherwise', async () => {
    const mesh = await apart()
    await mesh.settled(mesh.cache(0, 'strict').set('key', 'new', ACKED))
    const strict = mesh.node(2).peer.cache<string>('strict', QUORUM)
    expect(await mesh.settled(strict.get('key', { consistency: 'local' }), 1)).toBeUndefined()
    expect(await mesh.settled(strict.get('key', { consistency: 'one' }), 1)).toBeUndefined()
    expect((await mesh.settled(strict.getMany(['key']))).get('key')).toBe('new')
    expect(await mesh.settled(strict.get('key'))).toBe('new')
  })

  it.each(['all', '', 'QUORUM', 1, null])('may not be %j', async (consistency) => {
    const mesh = await SimulatedMesh.of(1, seed)
    const cache = mesh.cache(0)
    const options = { consistency: consistency as Consistency }
    const invalid = { code: 'INVALID_OPTION', option: 'consistency' }
    await expect(cache.get('key', options)).rejects.toMatchObject(invalid)
    await expect(cache.getMany(['key'], options)).rejects.toMatchObject(invalid)
    if (consistency !== null) {
      expect(() => mesh.node(0).peer.cache('bad', options)).toThrowError(/option consistency/)
    }
  })
})
