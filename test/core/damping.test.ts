import { describe, expect, it } from 'vitest'
import { Damping } from '../../src/core/damping.js'

const MINUTE_MS = 60_000

function diedAt(...timesMs: number[]) {
  const damping = new Damping()
  for (const atMs of timesMs) damping.died(atMs)
  return damping
}

describe('damping', () => {
  it.each([
    ['one that has not died', []],
    ['the first death', [0]],
    ['a second death a while later', [0, 10_000]],
    ['deaths that are minutes apart', [0, 2 * MINUTE_MS, 4 * MINUTE_MS, 6 * MINUTE_MS]],
  ])('forgives %s', (_, times) => {
    expect(diedAt(...times).remainingMs(times.at(-1) ?? 0)).toBe(0)
  })

  it('keeps one off the ring that dies a third time within a minute, for about another', () => {
    const remainingMs = diedAt(0, 20_000, 40_000).remainingMs(40_000)
    expect(remainingMs).toBeGreaterThan(MINUTE_MS)
    expect(remainingMs).toBeLessThan(2 * MINUTE_MS)
  })

  it('lets it back when it has lived for so long, and not before', () => {
    const damping = diedAt(0, 20_000, 40_000)
    const backAtMs = 40_000 + damping.remainingMs(40_000)
    expect(damping.remainingMs(backAtMs - 1)).toBeGreaterThan(0)
    expect(damping.remainingMs(backAtMs)).toBe(0)
  })

  it('is hard on one that goes on dying, up to three half-lives', () => {
    const often = diedAt(...Array.from({ length: 100 }, (_, i) => i * 10_000))
    expect(often.remainingMs(990_000)).toBeLessThanOrEqual(3 * MINUTE_MS)
    expect(often.remainingMs(990_000)).toBeGreaterThan(2 * MINUTE_MS)
  })
})
