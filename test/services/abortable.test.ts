/** Waiting that can be given up: by many at once on one signal, which has one listener for them all. */
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { SimulatedTime } from '../../src/adapters/simulated/time.js'
import { abortable, onAbort } from '../../src/services/abortable.js'
import { Room } from '../../src/services/room.js'

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length

const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: Error) => error.message,
  )

function deferred() {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

describe('many who wait on one signal', () => {
  it('are one listener, and none once all has settled', async () => {
    const { signal } = new AbortController()
    const works = Array.from({ length: 20 }, deferred)
    const waits = works.map(({ promise }) => abortable(promise, signal))
    const failing = reasonOf(abortable(Promise.reject(new Error('failed')), signal))
    expect(listenersOf(signal)).toBe(1)
    const [first, ...others] = works
    first?.resolve()
    await waits[0]
    expect(await failing).toBe('failed')
    expect(listenersOf(signal)).toBe(1)
    for (const { resolve } of others) resolve()
    await Promise.all(waits)
    await Promise.resolve()
    expect(listenersOf(signal)).toBe(0)
    const again = deferred()
    const wait = abortable(again.promise, signal)
    expect(listenersOf(signal)).toBe(1)
    again.resolve()
    await wait
  })

  it('all give up when it aborts, each with its reason, and leave nothing on it', async () => {
    const abort = new AbortController()
    const works = Array.from({ length: 20 }, deferred)
    const reasons = works.map(({ promise }) => reasonOf(abortable(promise, abort.signal)))
    abort.abort(new Error('enough'))
    expect(new Set(await Promise.all(reasons))).toEqual(new Set(['enough']))
    expect(listenersOf(abort.signal)).toBe(0)
    for (const { resolve } of works) resolve()
    expect(await reasonOf(abortable(deferred().promise, abort.signal))).toBe('enough')
    expect(listenersOf(abort.signal)).toBe(0)
  })

  it('are told once, but for those that another one told to stop', () => {
    const abort = new AbortController()
    const told: string[] = []
    onAbort(abort.signal, () => {
      told.push('first')
      endSecond()
    })
    const endSecond = onAbort(abort.signal, () => told.push('second'))
    const endThird = onAbort(abort.signal, () => told.push('third'))
    abort.abort()
    endThird()
    expect(told).toEqual(['first', 'third'])
  })

  it('may wait for work and for room at once', async () => {
    const abort = new AbortController()
    const time = new SimulatedTime()
    const room = new Room(time, 1_000, () => new Error('no room'))
    const waits = Array.from({ length: 50 }, () => reasonOf(room.wait(abort.signal)))
    waits.push(reasonOf(abortable(deferred().promise, abort.signal)))
    expect(listenersOf(abort.signal)).toBe(1)
    let free = 25
    room.grant(() => free-- > 0)
    abort.abort(new Error('enough'))
    const reasons = await Promise.all(waits)
    expect(reasons.filter((reason) => reason === 'none')).toHaveLength(25)
    expect(reasons.filter((reason) => reason === 'enough')).toHaveLength(26)
    expect(listenersOf(abort.signal)).toBe(0)
    expect(time.pending).toBe(0)
  })

  it.each([
    ['granted', (room: Room) => room.grant(() => true)],
    ['turned away', (room: Room) => room.close(new Error('closed'))],
  ])('for room leave nothing on it when they are %s', async (_, end) => {
    const { signal } = new AbortController()
    const room = new Room(new SimulatedTime(), 1_000, () => new Error('no room'))
    const waits = Array.from({ length: 20 }, () => reasonOf(room.wait(signal)))
    expect(listenersOf(signal)).toBe(1)
    end(room)
    await Promise.all(waits)
    expect(listenersOf(signal)).toBe(0)
  })
})
