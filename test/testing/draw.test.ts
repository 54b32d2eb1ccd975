/** Draws: the same from the same seed, within their bounds, and none in the way of another. */
import { describe, expect, it } from 'vitest'
import { Draw } from '../../src/testing/draw.js'

const TIMES = 2_000

function times<T>(draw: () => T, count = TIMES): T[] {
  return Array.from({ length: count }, draw)
}

describe('draws', () => {
  it('come out the same from the same seed, and differently from another', () => {
    const numbers = (seed: number) => {
      const draw = Draw.of(seed)
      return times(() => draw.between(0, 1), 50)
    }
    expect(numbers(7)).toEqual(numbers(7))
    expect(numbers(8)).not.toEqual(numbers(7))
  })

  it('of a fork do not hang on what was drawn before, nor on other forks', () => {
    const fresh = Draw.of(7).fork('faults').between(0, 1)
    const used = Draw.of(7)
    times(() => used.between(0, 1))
    used.fork('work').between(0, 1)
    expect(used.fork('faults').between(0, 1)).toBe(fresh)
    expect(used.fork('work').between(0, 1)).not.toBe(fresh)
  })

  it('of whole numbers include both ends, and nothing beyond', () => {
    const draw = Draw.of(1)
    expect(new Set(times(() => draw.whole(3, 6)))).toEqual(new Set([3, 4, 5, 6]))
    expect(new Set(times(() => draw.whole(-1, -1)))).toEqual(new Set([-1]))
  })

  it('between two numbers stay between them', () => {
    const draw = Draw.of(2)
    const drawn = times(() => draw.between(-2, 3))
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(-2)
    expect(Math.max(...drawn)).toBeLessThan(3)
  })

  it('happen as often as they should, and never or always at the ends', () => {
    const draw = Draw.of(3)
    const share = (probability: number) =>
      times(() => draw.happens(probability)).filter(Boolean).length / TIMES
    expect(share(0)).toBe(0)
    expect(share(1)).toBe(1)
    expect(share(0.3)).toBeCloseTo(0.3, 1)
  })

  it('pick every item, and by weight as often as the weight says', () => {
    const draw = Draw.of(4)
    expect(new Set(times(() => draw.pick(['a', 'b', 'c'])))).toEqual(new Set(['a', 'b', 'c']))
    const weighted = times(() =>
      draw.weighted([
        ['often', 3],
        ['never', 0],
        ['rarely', 1],
      ]),
    )
    const often = weighted.filter((item) => item === 'often').length
    expect(often / TIMES).toBeCloseTo(0.75, 1)
    expect(weighted).not.toContain('never')
  })

  it('of samples take different items, and all of them when that many are asked for', () => {
    const draw = Draw.of(5)
    const items = ['a', 'b', 'c', 'd']
    for (const count of [0, 1, 2, 3]) {
      const sample = draw.sample(items, count)
      expect(new Set(sample).size).toBe(count)
      expect(items).toEqual(expect.arrayContaining(sample))
    }
    expect(draw.sample(items, 9).sort()).toEqual(items)
    expect(items).toEqual(['a', 'b', 'c', 'd'])
  })
})
