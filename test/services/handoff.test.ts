/** Hinted handoff: an owner gets what it missed, writers wait while too much has gathered, and nothing is kept for ever. */
import { describe, expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { SimulatedTime } from '../../src/adapters/simulated/time.js'
import { markerOf, type Write } from '../../src/core/entry.js'
import { entryBytes } from '../../src/core/stored-entry.js'
import { Handoff, type HandoffOptions } from '../../src/services/handoff.js'
import { SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'
import { at, set } from '../support/writes.js'

const seed = testSeed()
const MIB = 1024 * 1024
const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** A handoff, and what it gave to owners and gave up. */
function open(options: Partial<HandoffOptions> = {}) {
  const time = new SimulatedTime()
  const runtime = { clock: time, scheduler: time, random: new SimulatedRandom(1), log: silent }
  const sent: string[] = []
  const expired: number[] = []
  const taken: string[] = []
  const handoff = new Handoff(
    runtime,
    {
      hintBytesMax: 2 * entryBytes('k0', ''),
      hintAgeMaxMs: 60_000,
      syncTimeoutMs: 1_000,
      ...options,
    },
    {
      takeIn: ({ key }) => taken.push(key),
      send: ({ key }, partition) => sent.push(`${key} of ${partition} at ${time.monotonicMs()}`),
      expired: (count) => expired.push(count),
    },
  )
  const add = (number: number): Write => {
    const write = set(`k${number}`, '', at(number))
    handoff.add(write, number)
    return write
  }
  /** A writer asks for room for one more. */
  const room = (signal?: AbortSignal) =>
    handoff.room({ bytes: 0 }, entryBytes('k0', ''), signal) as Promise<void>
  return { time, handoff, sent, expired, taken, add, room }
}

it('offers hints to this member itself when the owners have changed: it may be one', () => {
  const { handoff, taken, add } = open()
  add(1)
  expect(taken).toEqual([])
  handoff.ownersChanged()
  expect(taken).toEqual(['k1'])
})

describe('a writer to a key of others', () => {
  it('fails with HINTS_FULL when there is no room in time, which names the limit', async () => {
    const { time, handoff, add, room } = open()
    add(1)
    add(2)
    const waiting = room()
    await expect(time.settled(waiting)).rejects.toMatchObject({
      code: 'HINTS_FULL',
      bytesMax: 2 * entryBytes('k0', ''),
      waitedMs: 1_000,
      message: expect.stringMatching(/hintBytesMax.*1000 ms \(syncTimeoutMs\)/),
    })
    expect(time.monotonicMs()).toBe(1_000)
    expect(handoff.waitCount).toBe(1)
  })

  it('waits while all is full, and goes on when an owner has taken something', async () => {
    const { time, handoff, add, room } = open()
    const first = add(1)
    add(2)
    let isIn = false
    void room().then(() => {
      isIn = true
    })
    await time.advance(500)
    expect(isIn).toBe(false)
    handoff.delivered(first)
    await time.advance(0)
    expect(isIn).toBe(true)
  })

  it('holds the room that it was given until its write is made', async () => {
    const { time, handoff, room } = open()
    const bytes = entryBytes('k0', '')
    const [first, second] = [{ bytes: 0 }, { bytes: 0 }]
    expect(handoff.room(first, bytes)).toBeUndefined()
    expect(handoff.room(second, bytes)).toBeUndefined()
    let inCount = 0
    for (let i = 0; i < 2; i++) void room().then(() => inCount++)
    await time.advance(0)
    expect(inCount).toBe(0)
    handoff.release(first)
    handoff.release(first)
    await time.advance(0)
    expect(inCount).toBe(1)
    handoff.release(second)
    await time.advance(0)
    expect(inCount).toBe(2)
  })

  it.each<[string, (handoff: Handoff, time: SimulatedTime) => Promise<void> | void]>([
    ['a clear has undone it', (handoff) => handoff.clear(markerOf('c', at(9)))],
    ['it was given up', (_, time) => time.advance(800)],
  ])('goes on when there is room because %s', async (_, frees) => {
    const { time, handoff, add, room } = open({ hintAgeMaxMs: 600 })
    add(1)
    add(2)
    const waiting = room()
    await frees(handoff, time)
    await time.settled(waiting, 1)
  })

  it('may give up by its signal, before or while it waits', async () => {
    const { time, add, room } = open()
    add(1)
    add(2)
    expect(() => room(AbortSignal.abort(new Error('before')))).toThrow('before')
    const abort = new AbortController()
    const waiting = room(abort.signal)
    time.after(10, () => abort.abort(new Error('while')))
    await expect(time.settled(waiting)).rejects.toThrow('while')
  })

  it('is turned away at the end', async () => {
    const { time, handoff, add, room } = open()
    add(1)
    add(2)
    const waiting = room()
    handoff.close(new Error('over'))
    await expect(time.settled(waiting)).rejects.toThrow('over')
  })
})

describe('a hint', () => {
  it('is given to its owners a second after they were tried, and again each second', async () => {
    const { time, add, sent } = open()
    add(1)
    await time.advance(999)
    expect(sent).toEqual([])
    await time.advance(1_251)
    expect(sent).toEqual(['k1 of 1 at 1000', 'k1 of 1 at 2000'])
  })

  it('is given to others at once when the owners have changed', async () => {
    const { time, handoff, add, sent } = open()
    add(1)
    await time.advance(100)
    handoff.ownersChanged()
    await time.advance(150)
    expect(sent).toEqual(['k1 of 1 at 250'])
  })

  it('that was delivered is given to nobody any more, and nothing is looked for', async () => {
    const { time, handoff, add, sent } = open()
    handoff.delivered(add(1))
    await time.advance(10_000)
    expect(sent).toEqual([])
    expect(time.pending).toBe(0)
  })

  it('that nobody takes is given up at its age, told and counted', async () => {
    const { time, handoff, add, expired } = open({ hintAgeMaxMs: 2_000 })
    add(1)
    await time.advance(1_000)
    add(2)
    await time.advance(999)
    expect(expired).toEqual([])
    await time.advance(251)
    expect(expired).toEqual([1])
    await time.advance(1_250)
    expect(expired).toEqual([1, 1])
    expect(handoff.hints.expiredCount).toBe(2)
    expect(time.pending).toBe(0)
  })

  it('among many is given with five thousand others at most, the oldest first', async () => {
    const { time, sent, add } = open({ hintBytesMax: 8 * MIB })
    for (let i = 1; i <= 6_000; i++) add(i)
    await time.advance(1_000)
    expect(sent).toHaveLength(5_000)
    expect(sent[0]).toBe('k1 of 1 at 1000')
    await time.advance(250)
    expect(sent).toHaveLength(6_000)
    expect(sent.at(-1)).toBe('k6000 of 6000 at 1250')
  })

  it('leaves nothing scheduled after the stop, though some come yet', async () => {
    const { time, handoff, add } = open()
    add(1)
    handoff.stop()
    add(2)
    expect(time.pending).toBe(0)
  })
})

describe(`in a mesh with two owners of each key, seed ${seed}`, () => {
  /** Five, and a key that the first and the second do not own. */
  async function five(options = {}) {
    const mesh = await SimulatedMesh.of(5, seed, { replicas: 2, ...options })
    await mesh.advance(3_000)
    const { ring } = mesh.node(0).peer
    const keys = Array.from({ length: 1_000 }, (_, i) => `key ${i}`)
    const ownersOf = (key: string) => ring.locate('c', key).owners
    const foreign = keys.filter((key) => !['p01', 'p02'].some((id) => ownersOf(key).includes(id)))
    const [key = ''] = foreign
    const owners = mesh.nodes.filter(({ id }) => ownersOf(key).includes(id))
    return { mesh, key, foreign, owners, writer: mesh.node(0) }
  }

  it('what owners that hang have missed they get when they go on, and the writer reads it meanwhile', async () => {
    const { mesh, key, owners, writer } = await five({ syncTimeoutMs: 500 })
    for (const owner of owners) mesh.stall(owner, 1_500)
    await mesh.settled(writer.peer.cache('c').set(key, 'mine'), 1)
    expect(await mesh.settled(writer.peer.cache('c').get(key), 1)).toBe('mine')
    expect(writer.peer.stats()).toMatchObject({ hintCount: 1 })
    await mesh.advance(5_000)
    expect(writer.peer.stats()).toMatchObject({ hintCount: 0, hintBytes: 0, hintExpiredCount: 0 })
    for (const { peer } of owners) expect(peer.cache('c').peek(key)).toBe('mine')
  })

  it('what a peer wrote before it owned anything it keeps as an owner', async () => {
    const mesh = new SimulatedMesh(seed, { replicas: 2 })
    const { peer } = await mesh.start()
    await mesh.settled(peer.cache('c').set('key', 'early'))
    expect(peer.status).toBe('joining')
    expect(peer.cache('c').peek('key')).toBe('early')
    await mesh.settle()
    await mesh.advance(5_000)
    expect(peer.stats()).toMatchObject({ hintCount: 0, itemCount: 1 })
    expect(await mesh.settled(peer.cache('c').get('key'))).toBe('early')
  })

  it('what is given up raises one alert, and is counted', async () => {
    const options = { hintAgeMaxMs: 1_000, tombstoneGraceMs: 60_000 }
    const { mesh, key, foreign, owners, writer } = await five(options)
    mesh.network.split(
      [writer.id],
      mesh.nodes.slice(1).map(({ id }) => id),
    )
    expect(owners).toHaveLength(2)
    await mesh.settled(writer.peer.cache('c').set(key, 'mine'), 1)
    await mesh.advance(1_500)
    await mesh.settled(writer.peer.cache('c').set(foreign[1] as string, 'mine'), 1)
    await mesh.advance(1_500)
    expect(writer.peer.stats()).toMatchObject({ hintCount: 0, hintExpiredCount: 2 })
    const alerts = writer.alerts.filter(({ code }) => code === 'hints-expired')
    expect(alerts).toEqual([
      { code: 'hints-expired', message: expect.stringMatching(/within 1000 ms \(hintAgeMaxMs\)/) },
    ])
  })

  it('a writer is slowed down by what owners do not take, and then told; nothing of that write stays', async () => {
    const { mesh, foreign, writer } = await five({ hintBytesMax: MIB, syncTimeoutMs: 500 })
    for (const node of mesh.nodes.slice(1)) mesh.stall(node, 60_000)
    const cache = writer.peer.cache<string>('c')
    const value = 'x'.repeat(MIB / 2)
    const [first = '', second = '', third = ''] = foreign
    await mesh.settled(cache.set(first, value), 1)
    await mesh.settled(cache.set(second, value), 1)
    const startMs = mesh.time.monotonicMs()
    const outcome = cache.set(third, 'late').catch((error: unknown) => error)
    expect(await mesh.settled(outcome)).toMatchObject({ code: 'HINTS_FULL', bytesMax: MIB })
    expect(mesh.time.monotonicMs() - startMs).toBeCloseTo(500)
    expect(cache.peek(third)).toBeUndefined()
    expect(writer.peer.stats()).toMatchObject({ hintCount: 2, hintWaitCount: 1 })
  })
})
