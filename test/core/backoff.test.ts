import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffMs } from '../../src/core/backoff.js'

const BOUNDS = { minMs: 100, maxMs: 1_500 }

describe('backoffMs', () => {
  it.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [4, 800],
    [5, 1_500],
    [6, 1_500],
    [1_000_000, 1_500],
  ])('before try %i is from half to all of %i ms', (attempt, ceilingMs) => {
    expect(backoffMs(attempt, BOUNDS, 0)).toBe(ceilingMs / 2)
    expect(backoffMs(attempt, BOUNDS, 0.5)).toBe(ceilingMs * 0.75)
    expect(backoffMs(attempt, BOUNDS, 1)).toBe(ceilingMs)
  })

  it('is never over the limit, nor under half of the first ceiling', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), random, (attempt, chance) => {
        const delayMs = backoffMs(attempt, BOUNDS, chance)
        expect(delayMs).toBeGreaterThanOrEqual(BOUNDS.minMs / 2)
        expect(delayMs).toBeLessThanOrEqual(BOUNDS.maxMs)
      }),
    )
  })

  it('keeps to the upper limit where the lower one is above it', () => {
    expect(backoffMs(1, { minMs: 500, maxMs: 100 }, 1)).toBe(100)
  })
})
