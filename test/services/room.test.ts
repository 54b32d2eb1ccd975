/** Waiting for room: first come, first served, and nobody waits for ever. */
import { describe, expect, it } from 'vitest'
import { SimulatedTime } from '../../src/adapters/simulated/time.js'
import { Room } from '../../src/services/room.js'

const TIMEOUT_MS = 1_000

/** A queue, and what became of those who waited, in order. */
function open() {
  const time = new SimulatedTime()
  const room = new Room(time, TIMEOUT_MS, () => new Error('no room'))
  const told: string[] = []
  const wait = (name: string, signal?: AbortSignal) => {
    const said = (what: string) => void told.push(`${name} ${what} at ${time.monotonicMs()}`)
    room.wait(signal).then(
      () => said('in'),
      (error: Error) => said(error.message),
    )
  }
  return { time, room, told, wait }
}

describe('who waits for room', () => {
  it('is told when there was none in time, and waits no longer', async () => {
    const { time, room, told, wait } = open()
    wait('a')
    await time.advance(TIMEOUT_MS - 1)
    wait('b')
    expect(told).toEqual([])
    await time.advance(1)
    expect(told).toEqual(['a no room at 1000'])
    expect(room.size).toBe(1)
    room.grant(() => true)
    await time.advance(0)
    expect(told).toEqual(['a no room at 1000', 'b in at 1000'])
  })

  it('may give up, with the reason of the signal', async () => {
    const { time, room, told, wait } = open()
    const abort = new AbortController()
    wait('a', abort.signal)
    wait('b', abort.signal)
    wait('c')
    await time.advance(5)
    abort.abort(new Error('enough'))
    await time.advance(0)
    expect(told).toEqual(['a enough at 5', 'b enough at 5'])
    expect(room.size).toBe(1)
  })

  it('is turned away when the room is closed', async () => {
    const { time, room, told, wait } = open()
    wait('a')
    wait('b')
    room.close(new Error('closed'))
    await time.advance(0)
    expect(told).toEqual(['a closed at 0', 'b closed at 0'])
    expect(room.size).toBe(0)
  })

  it('comes in by turn, one after the other as long as there is room', async () => {
    const { time, room, told, wait } = open()
    for (const name of ['a', 'b', 'c', 'd']) wait(name)
    let free = 2
    room.grant(() => free-- > 0)
    await time.advance(0)
    expect(told).toEqual(['a in at 0', 'b in at 0'])
    wait('e')
    room.grant(() => true)
    await time.advance(0)
    expect(told.slice(2)).toEqual(['c in at 0', 'd in at 0', 'e in at 0'])
  })

  it('does not come in where there is none, and nobody is asked for nobody', async () => {
    const { time, room, told, wait } = open()
    wait('a')
    room.grant(() => false)
    await time.advance(1)
    expect(told).toEqual([])
    room.close(new Error('closed'))
    room.grant(() => {
      throw new Error('asked')
    })
  })

  it('is counted, whatever became of it', async () => {
    const { time, room, wait } = open()
    const abort = new AbortController()
    for (const name of ['a', 'b']) wait(name, abort.signal)
    room.grant(() => room.size === 2)
    abort.abort(new Error('enough'))
    wait('c')
    await time.advance(TIMEOUT_MS)
    expect(room.waitCount).toBe(3)
    expect(room.size).toBe(0)
  })

  it('leaves nothing scheduled, and nothing on the signal, however it ended', async () => {
    const { time, room, told, wait } = open()
    const abort = new AbortController()
    wait('a', abort.signal)
    room.grant(() => true)
    await time.advance(0)
    abort.abort(new Error('enough'))
    wait('b')
    room.close(new Error('closed'))
    await time.advance(0)
    expect(told).toEqual(['a in at 0', 'b closed at 0'])
    expect(time.pending).toBe(0)
  })
})
