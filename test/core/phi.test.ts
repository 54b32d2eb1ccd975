import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PhiAccrual, phi } from '../../src/core/phi.js'

const INTERVAL_MS = 500

function detector({
  windowSize = 100,
  deviationMinMs = 100,
  expectedIntervalMs = INTERVAL_MS,
} = {}) {
  return new PhiAccrual({ windowSize, expectedIntervalMs, deviationMinMs })
}

/** A detector that has heard a heartbeat at each of these times. */
function heard(timesMs: number[], options = {}) {
  const accrual = detector(options)
  for (const timeMs of timesMs) accrual.arrived(timeMs)
  return accrual
}

function everyMs(intervalMs: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i * intervalMs)
}

describe('phi', () => {
  // −log10 of the tail of the normal distribution, from tables.
  it.each([
    [-2, 0.01],
    [-1, 0.075],
    [0, 0.301],
    [1, 0.8],
    [2, 1.643],
    [3, 2.87],
  ])('of a silence %d deviations over the mean is about %d', (deviations, expected) => {
    expect(phi(1_000 + deviations * 200, 1_000, 200)).toBeCloseTo(expected, 1)
  })

  it.each([
    [4, 4.5],
    [5, 6.54],
    [6, 9.01],
  ])('of a silence %d deviations over the mean is within a fifth of %d', (deviations, expected) => {
    const level = phi(1_000 + deviations * 200, 1_000, 200)
    expect(level).toBeGreaterThanOrEqual(expected)
    expect(level).toBeLessThan(expected * 1.2)
  })

  it('is near 0 just after a heartbeat of a regular sender', () => {
    expect(phi(0, INTERVAL_MS, 100)).toBeLessThan(0.001)
  })

  it('never falls as the silence grows, and is never infinite', () => {
    const silence = fc.oneof(fc.nat(5_000), fc.nat(100_000_000))
    const deviation = fc.integer({ min: 1, max: 2_000 })
    fc.assert(
      fc.property(silence, silence, fc.nat(5_000), deviation, (a, b, meanMs, deviationMs) => {
        const shorter = phi(Math.min(a, b), meanMs, deviationMs)
        const longer = phi(Math.max(a, b), meanMs, deviationMs)
        expect(shorter).toBeGreaterThanOrEqual(0)
        expect(longer).toBeGreaterThanOrEqual(shorter)
        expect(longer).toBeLessThan(Number.POSITIVE_INFINITY)
      }),
    )
  })

  it('goes on growing beyond where the chance underflows', () => {
    const levels = [2_000, 5_000, 10_000, 60_000].map((silenceMs) => phi(silenceMs, 500, 100))
    expect(levels).toEqual([...levels].sort((a, b) => a - b))
    expect(new Set(levels).size).toBe(levels.length)
  })

  it('has no step where it changes its formula', () => {
    const levels = Array.from({ length: 2_000 }, (_, i) => phi(500 + 200 + i, 500, 10))
    const steps = levels.slice(1).map((level, i) => level - (levels[i] as number))
    expect(Math.min(...steps)).toBeGreaterThan(0)
    for (const [i, step] of steps.slice(1).entries()) {
      expect(step).toBeLessThan((steps[i] as number) * 1.05)
    }
  })
})

describe('PhiAccrual', () => {
  it('suspects nobody before the first heartbeat', () => {
    const accrual = detector()
    expect(accrual.phi(1_000_000)).toBe(0)
    expect(accrual.lastArrivalMs).toBeUndefined()
  })

  it('counts the silence of one that was never heard from when it is told to', () => {
    const accrual = detector()
    accrual.excuse(5)
    expect(accrual.phi(705)).toBe(phi(700, INTERVAL_MS, 100))
  })

  it('takes no mean below the expected interval, for a sender may stop speaking more often', () => {
    const accrual = heard([0, 1, 2, 3, 4, 5])
    expect(accrual.phi(705)).toBe(phi(700, INTERVAL_MS, 100))
  })

  it('is as sure of a sender that spoke more often for a while as of a regular one', () => {
    const eager = heard([...everyMs(INTERVAL_MS, 5), 2_010, 2_300, 2_310, 2_800, 3_300])
    expect(eager.phi(3_300 + 900)).toBe(phi(900, INTERVAL_MS, 100))
  })

  it('assumes the expected interval after the first heartbeat', () => {
    const accrual = heard([0])
    expect(accrual.phi(700)).toBe(phi(700, INTERVAL_MS, 100))
  })

  it('grows without bound while nothing comes', () => {
    const accrual = heard(everyMs(INTERVAL_MS, 20))
    const last = accrual.lastArrivalMs as number
    const levels = [100, 500, 1_000, 1_500, 3_000, 60_000].map((ms) => accrual.phi(last + ms))
    expect(levels).toEqual([...levels].sort((a, b) => a - b))
    expect(levels.at(-1)).toBeGreaterThan(1_000)
  })

  it('falls with the next heartbeat', () => {
    const accrual = heard(everyMs(INTERVAL_MS, 20))
    const nowMs = (accrual.lastArrivalMs as number) + 3_000
    expect(accrual.phi(nowMs)).toBeGreaterThan(8)
    accrual.arrived(nowMs)
    expect(accrual.phi(nowMs)).toBeLessThan(0.5)
  })

  it('keeps to the floor of the deviation for a sender that is very regular', () => {
    const accrual = heard(everyMs(INTERVAL_MS, 50), { deviationMinMs: 80 })
    const last = accrual.lastArrivalMs as number
    expect(accrual.phi(last + 900)).toBeCloseTo(phi(900, INTERVAL_MS, 80), 6)
  })

  it('takes mean and deviation from the intervals seen', () => {
    const accrual = heard([0, 600, 1_600, 2_200, 3_200], { deviationMinMs: 1 })
    expect(accrual.phi(4_600)).toBeCloseTo(phi(1_400, 800, 200), 6)
  })

  it('forgives an irregular sender what it does not forgive a regular one', () => {
    const regular = heard([0, 500, 1_000, 1_500, 2_000])
    const irregular = heard([0, 100, 1_000, 1_100, 2_000])
    expect(irregular.phi(3_500)).toBeLessThan(regular.phi(3_500))
  })

  it('remembers no interval longer ago than its window', () => {
    const slowThenFast = [0, 10_000, 20_000, 20_100, 20_200, 20_300]
    const accrual = heard(slowThenFast, {
      windowSize: 3,
      expectedIntervalMs: 100,
      deviationMinMs: 50,
    })
    expect(accrual.phi(20_600)).toBeCloseTo(phi(300, 100, 50), 6)
  })

  it('excuses a silence that was the observer\u2019s own', () => {
    const accrual = heard(everyMs(INTERVAL_MS, 20))
    const nowMs = (accrual.lastArrivalMs as number) + 10_000
    expect(accrual.phi(nowMs)).toBeGreaterThan(8)
    accrual.excuse(nowMs)
    expect(accrual.phi(nowMs)).toBeLessThan(0.5)
    expect(accrual.phi(nowMs + 700)).toBeCloseTo(phi(700, INTERVAL_MS, 100), 6)
  })

  it('suspects a silent sender again after an excuse', () => {
    const accrual = heard(everyMs(INTERVAL_MS, 20))
    accrual.excuse(20_000)
    expect(accrual.phi(23_000)).toBeGreaterThan(8)
  })

  it('is as soon suspicious again after an outage, however long that was', () => {
    const phiAfter = (outageMs: number) => {
      const timesMs = everyMs(INTERVAL_MS, 10)
      const last = timesMs.at(-1) as number
      return heard([...timesMs, last + outageMs]).phi(last + outageMs + 3_500)
    }
    expect(phiAfter(600_000)).toBe(phiAfter(5_000))
    expect(phiAfter(600_000)).toBeGreaterThan(8)
  })

  it('counts what it has seen in proportion when the sender is to be heard at other intervals', () => {
    const accrual = heard([0, 600, 1_600, 2_200, 3_200], { deviationMinMs: 1 })
    const before = accrual.phi(3_200 + 900)
    accrual.expect(4 * INTERVAL_MS)
    expect(accrual.phi(3_200 + 4 * 900)).toBeCloseTo(before, 6)
    accrual.expect(INTERVAL_MS)
    expect(accrual.phi(3_200 + 900)).toBeCloseTo(before, 6)
  })

  it('takes a sign of life that came by another way for one, as of when it was given', () => {
    const accrual = heard(everyMs(INTERVAL_MS, 20))
    const last = accrual.lastArrivalMs as number
    accrual.spoke(last - 100)
    expect(accrual.lastArrivalMs).toBe(last)
    accrual.spoke(last + 400)
    expect(accrual.phi(last + 900)).toBe(phi(500, INTERVAL_MS, 100))
    // It tells nothing of the rhythm.
    accrual.arrived(last + 5_000)
    expect(accrual.phi(last + 5_700)).toBe(phi(700, INTERVAL_MS, 100))
  })
})
