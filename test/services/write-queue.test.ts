/** The write queue: bounded, in order, and never losing a write. */
import { describe, expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { SimulatedTime } from '../../src/adapters/simulated/time.js'
import type { Write } from '../../src/core/entry.js'
import { SyncQueueFullError } from '../../src/errors.js'
import { BATCH_BYTES_MAX } from '../../src/protocol/limits.js'
import { WriteQueue, type WriteQueueOptions } from '../../src/services/write-queue.js'
import { at, set } from '../support/writes.js'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** A queue whose batches are written down and take as long as the test says. */
function open(options: Partial<WriteQueueOptions> = {}) {
  const time = new SimulatedTime()
  const runtime = { clock: time, scheduler: time, random: new SimulatedRandom(1), log: silent }
  const batches: string[][] = []
  const publication = { ms: 0 }
  const queue = new WriteQueue(
    runtime,
    { flushIntervalMs: 5, batchEntriesMax: 3, syncQueueMax: 6, syncTimeoutMs: 1_000, ...options },
    async ({ writes, markers }) => {
      batches.push([...writes.map(({ key }) => key), ...markers.map(({ cache }) => cache)])
      if (publication.ms > 0) await new Promise<void>((done) => time.after(publication.ms, done))
    },
  )
  let count = 0
  const write = (): Write => set(`k${count}`, 'v', at(++count))
  /** Writes as a cache does: waits for room, then pushes. */
  const put = async (signal?: AbortSignal) => {
    const room = queue.room(signal)
    if (room !== undefined) await room
    queue.push(write())
  }
  /** Queues a write where there is room for sure. */
  const push = (item = write()) => {
    expect(queue.room()).toBeUndefined()
    queue.push(item)
  }
  return { time, queue, batches, publication, put, push, write }
}

describe('the write queue', () => {
  it('fails a writer that finds no room in time; its write takes no effect', async () => {
    const { time, queue, publication, batches, put } = open()
    publication.ms = 100_000
    for (let i = 0; i < 6; i++) await put()
    const failed = expect(time.settled(put())).rejects.toMatchObject({
      code: 'SYNC_QUEUE_FULL',
      queueMax: 6,
      waitedMs: 1_000,
    })
    await failed
    expect(time.monotonicMs()).toBe(1_000)
    expect(queue.size).toBe(6)
    publication.ms = 0
    await time.advance(200_000)
    expect(batches.flat()).toEqual(['k0', 'k1', 'k2', 'k3', 'k4', 'k5'])
  })

  it('lets a writer give up by its signal, before or while it waits, without an effect', async () => {
    const { time, queue, publication, put } = open()
    publication.ms = 100_000
    for (let i = 0; i < 6; i++) await put()
    await expect(put(AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
    const controller = new AbortController()
    const waiting = put(controller.signal)
    time.after(10, () => controller.abort(new Error('while')))
    await expect(time.settled(waiting)).rejects.toThrow('while')
    expect(queue.size).toBe(6)
    publication.ms = 0
    await time.advance(200_000)
    // Nobody waits any more: no time-out is left.
    expect(time.pending).toBe(0)
  })

  it('makes a writer wait when it is full, counts that, and loses nothing', async () => {
    const { time, queue, publication, batches, put } = open()
    publication.ms = 50
    const writers = Array.from({ length: 40 }, () => put())
    expect(queue.waitCount).toBe(34)
    expect(queue.size).toBeLessThanOrEqual(6)
    await time.settled(Promise.all(writers))
    await time.settled(queue.drained())
    expect(batches.flat()).toHaveLength(40)
    expect(new Set(batches.flat()).size).toBe(40)
    expect(queue.size).toBe(0)
  })

  it('never holds more than its bound, and serves those that wait in their order', async () => {
    const { time, queue, publication, put } = open()
    publication.ms = 10
    const done: number[] = []
    let highest = 0
    for (let i = 0; i < 50; i++) void put().then(() => done.push(i))
    for (let i = 0; i < 300; i++) {
      await time.advance(1)
      highest = Math.max(highest, queue.size)
    }
    expect(highest).toBe(6)
    expect(done).toEqual(Array.from({ length: 50 }, (_, i) => i))
  })

  it('gives no more room than there is to writers that come at once and push a little later', async () => {
    const { time, queue, publication, write } = open()
    publication.ms = 10
    let highest = 0
    const put = async () => {
      const room = queue.room()
      if (room !== undefined) await room
      for (let i = 0; i < 5; i++) await undefined
      queue.push(write())
      highest = Math.max(highest, queue.size)
    }
    const puts = Promise.all(Array.from({ length: 50 }, put))
    await time.settled(puts)
    expect(highest).toBe(6)
  })

  it('takes room back that came to no use', async () => {
    const { time, queue, put } = open()
    for (let i = 0; i < 6; i++) expect(queue.room()).toBeUndefined()
    const waiting = put()
    queue.release()
    await time.settled(waiting)
    expect(queue.size + queue.waitCount).toBeGreaterThan(0)
  })

  it('publishes all writes of a turn in one batch, at its end', async () => {
    const { time, batches, push } = open({ batchEntriesMax: 100, syncQueueMax: 100 })
    for (let i = 0; i < 5; i++) push()
    expect(batches).toEqual([])
    await time.advance(0)
    expect(batches).toEqual([['k0', 'k1', 'k2', 'k3', 'k4']])
  })

  it('gathers a batch while another is on its way, up to the flush interval', async () => {
    const { time, batches, publication, put } = open({ batchEntriesMax: 100, syncQueueMax: 100 })
    publication.ms = 2
    await put()
    await time.advance(1)
    await put()
    await put()
    await time.advance(2)
    expect(batches).toEqual([['k0']])
    await time.advance(5)
    expect(batches).toEqual([['k0'], ['k1', 'k2']])
  })

  it('closes a batch at the number and at the bytes it may have', async () => {
    const { time, batches, push, write } = open({ batchEntriesMax: 4, syncQueueMax: 100 })
    const large = { ...write(), payload: 'x'.repeat(BATCH_BYTES_MAX * 0.7) }
    for (let i = 0; i < 5; i++) push()
    push(large)
    push(large)
    push()
    await time.advance(100)
    expect(batches.map((batch) => batch.length)).toEqual([4, 2, 2])
  })

  it('is drained when all that was queued before is published, whatever comes after', async () => {
    const { time, queue, publication, put, batches } = open()
    await queue.drained()
    publication.ms = 10
    for (let i = 0; i < 4; i++) await put()
    const drained = queue.drained().then(() => batches.flat().length)
    void (async () => {
      for (let i = 0; i < 100; i++) await put()
    })()
    const published = await time.settled(drained)
    expect(published).toBeGreaterThanOrEqual(4)
    expect(published).toBeLessThan(20)
  })

  it('tells of its latency', async () => {
    const { time, queue, publication, put } = open()
    publication.ms = 40
    for (let i = 0; i < 100; i++) {
      await time.settled(put())
      await time.advance(50)
    }
    expect(queue.latencyMs).toBeGreaterThan(35)
    expect(queue.latencyMs).toBeLessThan(50)
    expect(new SyncQueueFullError(6, 1).message).toContain('syncQueueMax')
  })
})
