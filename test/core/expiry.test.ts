import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Expiring, ExpiryIndex } from '../../src/core/expiry.js'

const ALL = Number.POSITIVE_INFINITY

function indexOf(...times: number[]) {
  const index = new ExpiryIndex<Expiring>()
  const entries = times.map((expiresAt) => ({ expiresAt }))
  for (const entry of entries) index.add(entry)
  return { index, entries }
}

/** Collects as the store does: each entry is removed as it is returned. */
function collect(index: ExpiryIndex<Expiring>, nowMs: number, limit = ALL): number[] {
  const times: number[] = []
  for (const entry of index.due(nowMs, limit)) {
    index.remove(entry)
    times.push(entry.expiresAt)
  }
  return times.sort((a, b) => a - b)
}

describe('ExpiryIndex', () => {
  it('has nothing due when it is empty', () => {
    expect(collect(new ExpiryIndex(), 1_000_000)).toEqual([])
  })

  it('never returns an entry whose time is 0', () => {
    expect(collect(indexOf(0).index, Number.MAX_SAFE_INTEGER)).toEqual([])
  })

  it('returns no entry before its time, even one of the same second', () => {
    const { index } = indexOf(1_500, 1_501, 1_999)
    expect(collect(index, 1_499)).toEqual([])
    expect(collect(index, 1_500)).toEqual([1_500])
    expect(collect(index, 1_998)).toEqual([1_501])
    expect(collect(index, 1_999)).toEqual([1_999])
  })

  it('returns no entry that was removed', () => {
    const { index, entries } = indexOf(1_000, 2_000)
    index.remove(entries[0] as Expiring)
    expect(collect(index, 5_000)).toEqual([2_000])
  })

  it('ignores the removal of an entry that it does not have', () => {
    const { index } = indexOf(1_000)
    index.remove({ expiresAt: 1_000 })
    index.remove({ expiresAt: 9_000 })
    expect(collect(index, 5_000)).toEqual([1_000])
  })

  it('returns no more than the limit, and the rest at the next calls', () => {
    const { index } = indexOf(...Array.from({ length: 10 }, (_, i) => 500 * i + 1))
    const slices = [4, 4, 4, 4].map((limit) => collect(index, 1_000_000, limit).length)
    expect(slices).toEqual([4, 4, 2, 0])
  })

  it('returns nothing for a limit of 0', () => {
    expect(collect(indexOf(1, 2).index, 1_000, 0)).toEqual([])
  })

  it('keeps what it returned until it is removed', () => {
    const { index, entries } = indexOf(1_000)
    expect([...index.due(2_000, ALL)]).toEqual(entries)
    expect([...index.due(2_000, ALL)]).toEqual(entries)
  })

  it('finds an entry that is filed before all that were collected', () => {
    const { index } = indexOf(90_000)
    expect(collect(index, 100_000)).toEqual([90_000])
    index.add({ expiresAt: 1_000 })
    expect(collect(index, 100_000)).toEqual([1_000])
  })

  it('finds entries that lie years apart', () => {
    const yearMs = 365 * 86_400_000
    const { index } = indexOf(1, 10 * yearMs, 20 * yearMs)
    expect(collect(index, 10 * yearMs)).toEqual([1, 10 * yearMs])
    expect(collect(index, 40 * yearMs)).toEqual([20 * yearMs])
  })

  it('returns the earliest seconds first', () => {
    const { index } = indexOf(9_000, 3_000, 6_000, 500_000_000, 1_000)
    const order = [...index.due(Number.MAX_SAFE_INTEGER, ALL)].map(({ expiresAt }) => expiresAt)
    expect(order).toEqual([1_000, 3_000, 6_000, 9_000, 500_000_000])
  })

  it('agrees with a plain list, whatever is added, removed and collected', () => {
    const time = fc.oneof(fc.nat(5_000), fc.nat(20_000_000))
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), atMs: time }),
      fc.record({ kind: fc.constant('remove' as const), which: fc.nat(100) }),
      fc.record({ kind: fc.constant('collect' as const), atMs: time, limit: fc.nat(4) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const index = new ExpiryIndex<Expiring>()
        const model = new Set<Expiring>()
        for (const move of steps) {
          if (move.kind === 'add') {
            const entry = { expiresAt: move.atMs }
            index.add(entry)
            model.add(entry)
          } else if (move.kind === 'remove') {
            const entry = [...model][move.which]
            if (entry !== undefined) index.remove(entry)
            if (entry !== undefined) model.delete(entry)
          } else {
            const due = [...model].filter((e) => e.expiresAt > 0 && e.expiresAt <= move.atMs)
            const returned = [...index.due(move.atMs, move.limit)]
            expect(returned.length).toBe(Math.min(move.limit, due.length))
            for (const entry of returned) {
              expect(due).toContain(entry)
              index.remove(entry)
              model.delete(entry)
            }
          }
        }
      }),
    )
  })
})
