import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Breaker } from '../../src/core/breaker.js'

const OPTIONS = { failuresMax: 3, openMinMs: 100, openMaxMs: 1_000 }

/** A breaker that has just opened, at 0 ms, for 100 ms. */
function opened(): Breaker {
  const breaker = new Breaker(OPTIONS)
  for (let i = 0; i < OPTIONS.failuresMax; i++) breaker.failed(0, 1)
  return breaker
}

describe('a breaker', () => {
  it('is closed at first, and admits everybody', () => {
    const breaker = new Breaker(OPTIONS)
    expect(breaker.state(0)).toBe('closed')
    for (let i = 0; i < 100; i++) expect(breaker.admits(0)).toBe(true)
  })

  it('opens after so many failures in a row, and not before', () => {
    const breaker = new Breaker(OPTIONS)
    breaker.failed(0, 1)
    breaker.failed(0, 1)
    expect(breaker.state(0)).toBe('closed')
    breaker.failed(0, 1)
    expect(breaker.state(0)).toBe('open')
    expect(breaker.admits(0)).toBe(false)
    expect(breaker.admits(99)).toBe(false)
  })

  it('counts only failures in a row', () => {
    const breaker = new Breaker(OPTIONS)
    for (let i = 0; i < 20; i++) {
      breaker.failed(i, 1)
      breaker.failed(i, 1)
      breaker.succeeded()
    }
    expect(breaker.state(20)).toBe('closed')
  })

  it('admits one try when half open, and nobody else meanwhile', () => {
    const breaker = opened()
    expect(breaker.state(100)).toBe('half-open')
    expect(breaker.admits(100)).toBe(true)
    expect(breaker.admits(100)).toBe(false)
    expect(breaker.admits(10_000)).toBe(false)
  })

  it('is closed by a try that succeeds, and takes as many failures to open again', () => {
    const breaker = opened()
    breaker.admits(100)
    breaker.succeeded()
    expect(breaker.state(100)).toBe('closed')
    breaker.failed(200, 1)
    breaker.failed(200, 1)
    expect(breaker.state(200)).toBe('closed')
    breaker.failed(200, 1)
    // From the start again, too.
    expect([breaker.state(299), breaker.state(300)]).toEqual(['open', 'half-open'])
  })

  it('stays open twice as long after each try that fails, up to the limit', () => {
    const breaker = opened()
    let nowMs = 100
    for (const openMs of [200, 400, 800, 1_000, 1_000, 1_000]) {
      expect(breaker.admits(nowMs)).toBe(true)
      breaker.failed(nowMs, 1)
      expect(breaker.state(nowMs + openMs - 1)).toBe('open')
      nowMs += openMs
      expect(breaker.state(nowMs)).toBe('half-open')
    }
  })

  it('is not kept open by failures of requests that were under way when it opened', () => {
    const breaker = opened()
    for (let nowMs = 0; nowMs < 100; nowMs += 10) breaker.failed(nowMs, 1)
    expect(breaker.state(99)).toBe('open')
    expect(breaker.state(100)).toBe('half-open')
  })

  it('is closed by a late answer as well: the peer does answer', () => {
    const breaker = opened()
    breaker.succeeded()
    expect(breaker.state(10)).toBe('closed')
    expect(breaker.admits(10)).toBe(true)
  })

  it('lets nobody wait for ever: whatever happens, one is admitted in time, unless a try is under way', () => {
    const step = fc.record({
      waitMs: fc.nat(300),
      chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      succeeds: fc.boolean(),
      // An answer that belongs to no try of now.
      isLate: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const breaker = new Breaker(OPTIONS)
        let nowMs = 0
        for (const { waitMs, chance, succeeds, isLate } of steps) {
          nowMs += waitMs
          if (!isLate && !breaker.admits(nowMs)) continue
          if (succeeds) breaker.succeeded()
          else breaker.failed(nowMs, chance)
          if (succeeds) expect(breaker.state(nowMs)).toBe('closed')
        }
        expect(breaker.admits(nowMs + OPTIONS.openMaxMs)).toBe(true)
      }),
    )
  })
})
