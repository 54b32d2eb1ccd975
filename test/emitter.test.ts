import { describe, expect, it, vi } from 'vitest'
import { Emitter } from '../src/emitter.js'

interface Events {
  ping: number
  pong: string
}

function newEmitter() {
  const errors: unknown[] = []
  return { emitter: new Emitter<Events>((error) => errors.push(error)), errors }
}

describe('Emitter', () => {
  it('lets a listener that throws harm no other, and reports the error', () => {
    const { emitter, errors } = newEmitter()
    const failure = new Error('listener failed')
    const [before, after] = [vi.fn(), vi.fn()]
    emitter.on('ping', before)
    emitter.on('ping', () => {
      throw failure
    })
    emitter.on('ping', after)
    expect(() => emitter.emit('ping', 1)).not.toThrow()
    expect([before, after].map((listener) => listener.mock.calls)).toEqual([[[1]], [[1]]])
    expect(errors).toEqual([failure])
  })

  it('reports nothing and does nothing when nobody listens', () => {
    const { emitter, errors } = newEmitter()
    emitter.emit('ping', 1)
    expect(emitter.hears('ping')).toBe(false)
    expect(errors).toEqual([])
  })

  it('calls listeners in the order in which they came, at each event', () => {
    const { emitter } = newEmitter()
    const calls: string[] = []
    emitter.on('ping', (event) => calls.push(`first ${event}`))
    emitter.on('ping', (event) => calls.push(`second ${event}`))
    emitter.emit('ping', 1)
    emitter.emit('ping', 2)
    expect(calls).toEqual(['first 1', 'second 1', 'first 2', 'second 2'])
  })

  it('keeps events apart', () => {
    const { emitter } = newEmitter()
    const [ping, pong] = [vi.fn(), vi.fn()]
    emitter.on('ping', ping)
    emitter.on('pong', pong)
    emitter.emit('pong', 'x')
    expect(ping).not.toHaveBeenCalled()
    expect(pong).toHaveBeenCalledExactlyOnceWith('x')
  })

  it('calls a listener that was added twice once', () => {
    const { emitter } = newEmitter()
    const listener = vi.fn()
    emitter.on('ping', listener)
    emitter.on('ping', listener)
    emitter.emit('ping', 1)
    expect(listener).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['off', (emitter: Emitter<Events>, listener: () => void) => emitter.off('ping', listener)],
    [
      'the function that on returned',
      (_: Emitter<Events>, __: () => void, stop: () => void) => stop(),
    ],
  ])('no longer calls a listener stopped by %s', (_, stopBy) => {
    const { emitter } = newEmitter()
    const listener = vi.fn()
    const stop = emitter.on('ping', listener)
    stopBy(emitter, listener, stop)
    stopBy(emitter, listener, stop)
    emitter.emit('ping', 1)
    expect(listener).not.toHaveBeenCalled()
    expect(emitter.hears('ping')).toBe(false)
  })

  it('ignores off for a listener that it does not have', () => {
    const { emitter } = newEmitter()
    const listener = vi.fn()
    emitter.off('ping', vi.fn())
    emitter.on('ping', listener)
    emitter.off('ping', vi.fn())
    emitter.off('pong', listener)
    expect(emitter.hears('ping')).toBe(true)
  })

  it('does not call a listener that another has just stopped', () => {
    const { emitter } = newEmitter()
    const second = vi.fn()
    emitter.on('ping', () => emitter.off('ping', second))
    emitter.on('ping', second)
    emitter.emit('ping', 1)
    expect(second).not.toHaveBeenCalled()
  })

  it('calls all others when a listener stops itself', () => {
    const { emitter } = newEmitter()
    const second = vi.fn()
    const stop = emitter.on('ping', () => stop())
    emitter.on('ping', second)
    emitter.emit('ping', 1)
    expect(second).toHaveBeenCalledTimes(1)
  })
})

describe('Emitter.once', () => {
  it('calls the listener at the next event only', () => {
    const { emitter } = newEmitter()
    const listener = vi.fn()
    emitter.once('ping', listener)
    emitter.emit('ping', 1)
    emitter.emit('ping', 2)
    expect(listener).toHaveBeenCalledExactlyOnceWith(1)
    expect(emitter.hears('ping')).toBe(false)
  })

  it('calls it once though it emits the event itself, and though it throws', () => {
    const { emitter, errors } = newEmitter()
    const listener = vi.fn(() => {
      emitter.emit('ping', 2)
      throw new Error('listener failed')
    })
    emitter.once('ping', listener)
    emitter.emit('ping', 1)
    expect(listener).toHaveBeenCalledTimes(1)
    expect(errors.length).toBe(1)
  })

  it('never calls it when it was stopped before', () => {
    const { emitter } = newEmitter()
    const listener = vi.fn()
    const stop = emitter.once('ping', listener)
    stop()
    emitter.emit('ping', 1)
    expect(listener).not.toHaveBeenCalled()
  })
})
