import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HybridLogicalClock, successor } from '../../src/core/hlc.js'
import {
  COUNTER_MAX,
  compareTimestamps,
  TIMESTAMP_ZERO,
  type Timestamp,
  WALL_MS_MAX,
} from '../../src/core/version.js'
import { FakeClock } from '../support/clock.js'

const AHEAD_MAX_MS = 5_000

function start(wallMs = 1_000_000) {
  const wall = new FakeClock(wallMs)
  return { wall, clock: new HybridLogicalClock({ now: wall.now, aheadMaxMs: AHEAD_MAX_MS }) }
}

describe('HybridLogicalClock.observe', () => {
  it('refuses a timestamp from the future and changes nothing', () => {
    const { wall, clock } = start()
    const before = clock.tick()
    expect(clock.observe({ wallMs: wall.now() + AHEAD_MAX_MS + 1, counter: 0 })).toBe(false)
    expect(clock.last).toEqual(before)
    expect(clock.tick()).toEqual(successor(before))
  })

  it('refuses a timestamp of more than 48 bits, however far the wall clock is', () => {
    const { clock } = start(WALL_MS_MAX)
    expect(clock.observe({ wallMs: WALL_MS_MAX + 1, counter: 0 })).toBe(false)
    expect(clock.last).toEqual(TIMESTAMP_ZERO)
  })

  it('refuses a timestamp that is not a number', () => {
    const { clock } = start()
    expect(clock.observe({ wallMs: Number.NaN, counter: 0 })).toBe(false)
    expect(clock.observe({ wallMs: Number.POSITIVE_INFINITY, counter: 0 })).toBe(false)
  })

  it('accepts a timestamp exactly at the limit', () => {
    const { wall, clock } = start()
    const limit = { wallMs: wall.now() + AHEAD_MAX_MS, counter: 3 }
    expect(clock.observe(limit)).toBe(true)
    expect(clock.tick()).toEqual({ ...limit, counter: 4 })
  })

  it('accepts an old timestamp without going back to it', () => {
    const { clock } = start()
    const before = clock.tick()
    expect(clock.observe({ wallMs: before.wallMs - 10_000, counter: 9 })).toBe(true)
    expect(clock.last).toEqual(before)
  })

  it('accepts later what it refused before, once wall time is near enough', () => {
    const { wall, clock } = start()
    const ahead = { wallMs: wall.now() + AHEAD_MAX_MS + 100, counter: 0 }
    expect(clock.observe(ahead)).toBe(false)
    wall.advance(100)
    expect(clock.observe(ahead)).toBe(true)
  })

  it('takes what the others write after all wall clocks were set back', () => {
    const { wall, clock } = start()
    const before = clock.tick()
    wall.wallMs -= 600_000
    expect(clock.observe(successor(before))).toBe(true)
    expect(clock.observe({ wallMs: before.wallMs + 1_001, counter: 0 })).toBe(false)
  })

  it('is dragged no further than the limit by one that runs ahead step by step', () => {
    const { wall, clock } = start()
    for (let aheadMs = 0; aheadMs < 60_000; aheadMs += 500) {
      clock.observe({ wallMs: wall.now() + aheadMs, counter: 0 })
    }
    expect(clock.last.wallMs).toBe(wall.now() + AHEAD_MAX_MS)
  })

  it("judges others by the mesh's time, and stamps by its own", () => {
    const wall = new FakeClock(1_000_000)
    const options = { now: wall.now, judgeBy: () => wall.now() + 3_000, aheadMaxMs: AHEAD_MAX_MS }
    const clock = new HybridLogicalClock(options)
    expect(clock.tick().wallMs).toBe(1_000_000)
    expect(clock.observe({ wallMs: 1_008_000, counter: 0 })).toBe(true)
    expect(clock.observe({ wallMs: 1_008_001, counter: 0 })).toBe(false)
  })

  it('keeps its own copy of what it heard', () => {
    const { wall, clock } = start()
    const heard = { wallMs: wall.now() + 5, counter: 0, member: 'other' }
    clock.observe(heard)
    heard.wallMs = 0
    expect(clock.last).toEqual({ wallMs: wall.now() + 5, counter: 0 })
  })
})

describe('HybridLogicalClock.tick', () => {
  it('does not go back when the wall clock does', () => {
    const { wall, clock } = start()
    const before = clock.tick()
    wall.wallMs -= 3_600_000
    expect(clock.tick()).toEqual({ wallMs: before.wallMs, counter: 1 })
  })

  it('follows wall time, with the counter at 0', () => {
    const { wall, clock } = start()
    clock.tick()
    clock.tick()
    wall.advance(1)
    expect(clock.tick()).toEqual({ wallMs: wall.now(), counter: 0 })
  })

  it('carries a full counter into the milliseconds', () => {
    const { wall, clock } = start()
    clock.observe({ wallMs: wall.now(), counter: COUNTER_MAX })
    expect(clock.tick()).toEqual({ wallMs: wall.now() + 1, counter: 0 })
  })

  it('issues more in one millisecond than the counter holds', () => {
    const { wall, clock } = start()
    for (let i = 0; i <= COUNTER_MAX; i++) clock.tick()
    expect(clock.last).toEqual({ wallMs: wall.now(), counter: COUNTER_MAX })
    expect(clock.tick()).toEqual({ wallMs: wall.now() + 1, counter: 0 })
  })

  it.each([
    ['beyond 48 bits', 2 ** 60, { wallMs: WALL_MS_MAX, counter: 0 }],
    ['before the epoch', -1, { wallMs: 0, counter: 1 }],
    ['in fractions of a ms', 12.9, { wallMs: 12, counter: 0 }],
    ['not a number', Number.NaN, { wallMs: 0, counter: 1 }],
  ])('issues a whole 48-bit timestamp when the wall clock is %s', (_, wallMs, issued) => {
    expect(start(wallMs).clock.tick()).toEqual(issued)
  })

  it('is later than all issued and observed before, whatever the wall clock does', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('tick' as const) }),
      fc.record({
        kind: fc.constant('observe' as const),
        aheadMs: fc.integer({ min: -10_000, max: 10_000 }),
        counter: fc.oneof(fc.constant(COUNTER_MAX), fc.integer({ min: 0, max: COUNTER_MAX })),
      }),
      fc.record({
        kind: fc.constant('wall' as const),
        byMs: fc.oneof(
          fc.integer({ min: -2, max: 2 }),
          fc.integer({ min: -100_000_000, max: 100_000_000 }),
        ),
      }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const { wall, clock } = start(1_700_000_000_000)
        let highest: Timestamp = TIMESTAMP_ZERO
        for (const move of steps) {
          if (move.kind === 'wall') wall.wallMs += move.byMs
          else if (move.kind === 'observe') {
            const heard = { wallMs: wall.now() + move.aheadMs, counter: move.counter }
            // Set back by more than the limit, the clock goes on from where it was, and so do the others'.
            const isSetBack = highest.wallMs > wall.now() + AHEAD_MAX_MS
            const latestMs = isSetBack ? highest.wallMs + 1_000 : wall.now() + AHEAD_MAX_MS
            expect(clock.observe(heard)).toBe(heard.wallMs <= latestMs)
            if (heard.wallMs <= latestMs && compareTimestamps(heard, highest) > 0) {
              highest = heard
            }
          } else {
            const issued = clock.tick()
            expect(compareTimestamps(issued, highest)).toBeGreaterThan(0)
            expect(issued.counter).toBeLessThanOrEqual(COUNTER_MAX)
            highest = issued
          }
          expect(clock.last).toEqual(highest)
        }
      }),
    )
  })
})

describe('successor', () => {
  it('is the next timestamp, with none between', () => {
    const counters = fc.oneof(fc.constant(COUNTER_MAX), fc.integer({ min: 0, max: COUNTER_MAX }))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: WALL_MS_MAX - 1 }), counters, (wallMs, counter) => {
        const number = ({ wallMs: ms, counter: count }: Timestamp) =>
          BigInt(ms) * 65_536n + BigInt(count)
        expect(number(successor({ wallMs, counter }))).toBe(number({ wallMs, counter }) + 1n)
      }),
    )
  })

  it('goes on from a wall time when it is set back, after all that was heard and was not ahead', () => {
    const { wall, clock } = start()
    clock.observe({ wallMs: wall.now() + 4_000, counter: 7 })
    const heardMs = wall.now() + 4_000
    wall.wallMs += 600_000
    clock.tick()
    wall.wallMs -= 600_000
    clock.setBack(wall.now())
    expect(
      compareTimestamps(clock.tick(), { wallMs: heardMs, counter: COUNTER_MAX }),
    ).toBeGreaterThan(0)
    expect(clock.last.wallMs).toBeLessThan(heardMs + 10)
    clock.setBack(wall.now() + 900_000)
    expect(clock.last.wallMs).toBeLessThan(heardMs + 10)
  })
})
