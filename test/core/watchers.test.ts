import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WATCHERS, watchedBy } from '../../src/core/watchers.js'

describe('watchers', () => {
  it.each([
    ['a', ['b', 'c']],
    ['b', ['c', 'd']],
    ['d', ['e', 'a']],
    ['e', ['a', 'b']],
  ])('%s watches those that come next in the circle', (self, watched) => {
    expect(watchedBy(self, ['c', 'a', 'e', 'b', 'd'], 2)).toEqual(watched)
  })

  it('watch all others where there are few', () => {
    expect(watchedBy('b', ['a', 'b', 'c'], 4)).toEqual(['c', 'a'])
    expect(watchedBy('a', ['a'], 4)).toEqual([])
  })

  it('are as many for each member, whoever it is', () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1 }), {
      minLength: WATCHERS + 1,
      maxLength: 60,
    })
    fc.assert(
      fc.property(ids, (live) => {
        const counts = new Map<string, number>()
        for (const self of live) {
          const watched = watchedBy(self, live)
          expect(watched).not.toContain(self)
          for (const id of watched) counts.set(id, (counts.get(id) ?? 0) + 1)
        }
        expect(new Set(counts.values())).toEqual(new Set([WATCHERS]))
        expect(counts.size).toBe(live.length)
      }),
    )
  })

  it('are succeeded by the next one when one is gone', () => {
    const live = ['a', 'b', 'c', 'd', 'e', 'f']
    const watchersOf = (id: string, of: string[]) =>
      of.filter((self) => watchedBy(self, of, 2).includes(id))
    expect(watchersOf('e', live)).toEqual(['c', 'd'])
    expect(
      watchersOf(
        'e',
        live.filter((id) => id !== 'd'),
      ),
    ).toEqual(['b', 'c'])
  })
})
