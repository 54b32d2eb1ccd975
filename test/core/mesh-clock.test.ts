/** Mesh time: whose clock counts when clocks disagree. */
import { describe, expect, it } from 'vitest'
import { MeshClock } from '../../src/core/mesh-clock.js'

const EPOCH_MS = 1_767_225_600_000

/** A member whose two clocks the test sets, and what its peers tell. */
function member() {
  const own = { wallMs: EPOCH_MS, monotonicMs: 5_000 }
  const clock = new MeshClock(
    { now: () => own.wallMs, monotonicMs: () => own.monotonicMs },
    { skewWarnMs: 500, skewMaxMs: 5_000 },
  )
  return {
    own,
    clock,
    pass(ms: number) {
      own.wallMs += ms
      own.monotonicMs += ms
    },
    /** A peer whose clock is ahead of the right time by `offsetMs` tells so, in a message that took `delayMs`. */
    hear(id: string, offsetMs: number, delayMs = 0) {
      const atMs = own.monotonicMs - 5_000 - delayMs
      clock.heard(id, EPOCH_MS + atMs + offsetMs, 1_000_000 + atMs)
    },
  }
}

describe('mesh clock', () => {
  it('is the wall clock of a member that has heard nobody', () => {
    const { clock, own } = member()
    own.wallMs += 1e9
    expect(clock.now()).toBe(own.wallMs)
    expect(clock.skewMs).toBe(0)
    expect(clock.isTrusted).toBe(true)
  })

  it.each([-600_000, 600_000])('sees a step of its own by %d ms at once', (stepMs) => {
    const { clock, own, hear, pass } = member()
    for (const id of ['a', 'b', 'c']) hear(id, 0)
    pass(700)
    own.wallMs += stepMs
    expect(clock.skewMs).toBe(stepMs)
    expect(clock.isTrusted).toBe(false)
    expect(clock.now()).toBe(EPOCH_MS + 700)
    own.wallMs -= stepMs
    expect(clock.isTrusted).toBe(true)
  })

  it('keeps its own clock within the limit, and says how wrong it is', () => {
    const { clock, own, hear } = member()
    for (const id of ['a', 'b', 'c']) hear(id, -5_000)
    expect(clock.skewMs).toBe(5_000)
    expect(clock.isTrusted).toBe(true)
    expect(clock.now()).toBe(own.wallMs)
    for (const id of ['a', 'b', 'c']) hear(id, -5_001)
    expect(clock.isTrusted).toBe(false)
  })

  it("judges others by the peers' time as soon as that differs more than clocks do", () => {
    const { clock, own, hear } = member()
    for (const id of ['a', 'b', 'c']) hear(id, -500)
    expect(clock.strictNow()).toBe(own.wallMs)
    for (const id of ['a', 'b', 'c']) hear(id, -501)
    expect(clock.strictNow()).toBe(own.wallMs - 501)
    expect(clock.now()).toBe(own.wallMs)
  })

  it('is not moved by a minority of wrong clocks', () => {
    const { clock, own, hear } = member()
    for (const id of ['a', 'b', 'c']) hear(id, 0)
    hear('d', 600_000)
    hear('e', -600_000)
    expect(clock.skewMs).toBe(0)
    expect(clock.now()).toBe(own.wallMs)
  })

  it('stands by its own clock where its peers are of two minds', () => {
    const { clock, hear } = member()
    hear('a', 0)
    hear('b', 600_000)
    expect(clock.skewMs).toBe(0)
  })

  it('is put right by nobody in a mesh of two, where neither is trusted', () => {
    const { clock, own, hear } = member()
    hear('a', 600_000)
    expect(clock.isTrusted).toBe(false)
    expect(clock.now()).toBe(own.wallMs)
    expect(clock.strictNow()).toBe(own.wallMs)
  })

  it('takes late messages for late, not for a clock that is behind', () => {
    const { clock, hear, pass } = member()
    hear('a', 0)
    pass(30_000)
    // Thirty seconds' worth of them, all at once, after this member stood still.
    for (let delayMs = 30_000; delayMs >= 0; delayMs -= 1_000) {
      hear('a', 0, delayMs)
      expect(Math.abs(clock.skewMs)).toBeLessThanOrEqual(300)
    }
  })

  it("sees a peer's clock step with the next thing it says", () => {
    const { clock, hear, pass } = member()
    hear('a', 0)
    pass(1_000)
    hear('a', -600_000, 20)
    expect(clock.skewMs).toBeCloseTo(600_000, -2)
  })

  it('forgets an earlier run of a peer that says hello again', () => {
    const { clock } = member()
    clock.heard('a', EPOCH_MS, 1_000_000)
    clock.met('a', EPOCH_MS - 20_000, 3)
    expect(clock.skewMs).toBe(20_000)
  })

  it('leaves out who is gone as long as two others are there', () => {
    const { clock, hear } = member()
    for (const id of ['a', 'b', 'c']) hear(id, -10_000)
    for (const id of ['d', 'e']) hear(id, 0)
    expect(clock.skewMs).toBe(10_000)
    for (const id of ['a', 'b', 'c']) clock.gone(id)
    expect(clock.skewMs).toBe(0)
  })

  it('goes on knowing that its clock is wrong when it is cut off', () => {
    const { clock, own, hear } = member()
    for (const id of ['a', 'b', 'c', 'd']) hear(id, 0)
    own.wallMs += 600_000
    for (const id of ['a', 'b', 'c', 'd', 'nobody']) clock.gone(id)
    expect(clock.isTrusted).toBe(false)
    expect(clock.now()).toBe(EPOCH_MS)
  })

  it('remembers so many of those that are gone, the last ones', () => {
    const { clock, hear } = member()
    for (let i = 0; i < 100; i++) hear(`early ${i}`, 0)
    for (let i = 0; i < 64; i++) hear(`late ${i}`, -10_000)
    for (let i = 0; i < 100; i++) clock.gone(`early ${i}`)
    for (let i = 0; i < 64; i++) clock.gone(`late ${i}`)
    expect(clock.skewMs).toBe(10_000)
  })
})
