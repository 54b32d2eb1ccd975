/** How long a suspect is waited for. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { remainingSuspicionMs } from '../../src/core/suspicion.js'

const TIMES = { minMs: 2_000, maxMs: 6_000, confirmationsWanted: 3 }

/** All who suspect it came to do so at once. */
function together(elapsedMs: number, confirmations: number): number[] {
  return new Array<number>(confirmations + 1).fill(elapsedMs)
}

describe('remainingSuspicionMs', () => {
  // log(c + 1) / log(3 + 1) of the way from 6,000 to 2,000 ms.
  it.each([
    [0, 0, 6_000],
    [0, 1, 4_000],
    [0, 2, 2_830],
    [0, 3, 2_000],
    [0, 10, 2_000],
    [1_000, 0, 5_000],
    [1_000, 1, 3_000],
    [2_500, 3, 0],
    [5_999, 0, 1],
    [6_000, 0, 0],
    [60_000, 0, 0],
  ])('after %i ms with %i confirmations is %i ms', (elapsedMs, confirmations, remainingMs) => {
    const elapsed = together(elapsedMs, confirmations)
    expect(remainingSuspicionMs(elapsed, TIMES)).toBeCloseTo(remainingMs, -1)
  })

  it('does not wait for confirmations where nobody could give one', () => {
    expect(remainingSuspicionMs([0], { ...TIMES, confirmationsWanted: 0 })).toBe(2_000)
  })

  it('is cut to the shortest wait by the one confirmation that is wanted', () => {
    expect(remainingSuspicionMs([0, 0], { ...TIMES, confirmationsWanted: 1 })).toBe(2_000)
  })

  it('is shortened by a confirmation as of when that comes', () => {
    expect(remainingSuspicionMs([2_500, 0, 0, 0], TIMES)).toBe(2_000)
    expect(remainingSuspicionMs([2_500, 2_000, 500, 500], TIMES)).toBe(1_500)
    // Nobody waits longer for it.
    expect(remainingSuspicionMs([5_500, 0], TIMES)).toBe(500)
  })

  it('stays in its bounds, and each confirmation only shortens it', () => {
    const count = fc.nat(20)
    fc.assert(
      fc.property(fc.nat(10_000), count, count, fc.nat(5_000), fc.nat(5_000), (...numbers) => {
        const [elapsedMs, confirmations, confirmationsWanted, minMs, spreadMs] = numbers
        const times = { minMs, maxMs: minMs + spreadMs, confirmationsWanted }
        const remaining = remainingSuspicionMs(together(elapsedMs, confirmations), times)
        const sooner = remainingSuspicionMs(together(elapsedMs, confirmations + 1), times)
        expect(remaining).toBeGreaterThanOrEqual(Math.max(0, minMs - elapsedMs))
        expect(remaining).toBeLessThanOrEqual(Math.max(0, times.maxMs - elapsedMs))
        expect(sooner).toBeLessThanOrEqual(remaining)
      }),
    )
  })
})
