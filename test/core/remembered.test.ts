import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type GoneKey, type Remembered, RememberedKeys } from '../../src/core/remembered.js'
import { at } from '../support/writes.js'

const GRACE_MS = 100

function gone(key: string, wallMs = 1, cache = 'c'): Remembered {
  return { cache, key, version: at(wallMs), expiresAt: 0, deleted: true, payload: undefined }
}

function memory(itemsMax = Number.POSITIVE_INFINITY, isNeeded?: (gone: GoneKey) => boolean) {
  return new RememberedKeys({
    itemsMax,
    graceMs: GRACE_MS,
    ...(isNeeded && { needed: () => isNeeded }),
  })
}

function keysOf(remembered: RememberedKeys): string[] {
  return [...remembered.values()].map(({ key }) => key)
}

describe('RememberedKeys', () => {
  it('knows nothing of a key it was not told of', () => {
    const remembered = memory()
    remembered.remember(gone('k'), 0, 0)
    expect(remembered.get('c', 'other')).toBeUndefined()
    expect(remembered.get('other', 'k')).toBeUndefined()
  })

  it('forgets the oldest when there is no room, and counts it', () => {
    const remembered = memory(2)
    for (const key of ['a', 'b', 'c', 'd']) remembered.remember(gone(key), 0, 0)
    expect(keysOf(remembered)).toEqual(['c', 'd'])
    expect(remembered.size).toBe(2)
    expect(remembered.overflowCount).toBe(2)
  })

  it('needs no more room for a key that is remembered anew', () => {
    const remembered = memory(2)
    remembered.remember(gone('a', 1), 0, 0)
    remembered.remember(gone('b', 1), 0, 0)
    remembered.remember(gone('a', 2), 0, 0)
    expect(remembered.overflowCount).toBe(0)
    expect(keysOf(remembered)).toEqual(['b', 'a'])
    expect(remembered.get('c', 'a')?.version).toEqual(at(2))
  })

  it('starts the grace of a key anew when it is remembered anew', () => {
    const remembered = memory()
    remembered.remember(gone('a'), 0, 0)
    remembered.remember(gone('a', 2), 0, 60)
    expect(remembered.purge(GRACE_MS, 10)).toBe(0)
    expect(remembered.purge(60 + GRACE_MS, 10)).toBe(1)
  })

  it('forgets nothing before its grace is over', () => {
    const remembered = memory()
    remembered.remember(gone('a'), 0, 0)
    expect(remembered.purge(GRACE_MS - 1, 10)).toBe(0)
    expect(remembered.get('c', 'a')).toBeDefined()
    expect(remembered.purge(GRACE_MS, 10)).toBe(1)
    expect(remembered.get('c', 'a')).toBeUndefined()
  })

  it('keeps what is needed beyond its grace, and starts its grace anew', () => {
    const remembered = memory(undefined, ({ record }) => record.key === 'b')
    for (const key of ['a', 'b', 'c']) remembered.remember(gone(key), 0, 0)
    expect(remembered.purge(GRACE_MS, 10)).toBe(3)
    expect(keysOf(remembered)).toEqual(['b'])
    expect(remembered.purge(2 * GRACE_MS - 1, 10)).toBe(0)
    expect(remembered.overflowCount).toBe(0)
  })

  it('gives up what is needed beyond its grace before anything within it, and counts it', () => {
    const remembered = memory(3, () => true)
    for (const key of ['a', 'b']) remembered.remember(gone(key), 0, 0)
    remembered.purge(GRACE_MS, 10)
    expect(remembered.remember(gone('c'), 0, GRACE_MS)).toBe(false)
    expect(remembered.remember(gone('d'), 0, GRACE_MS)).toBe(false)
    expect(remembered.remember(gone('e'), 0, GRACE_MS)).toBe(false)
    expect([keysOf(remembered), remembered.overflowCount]).toEqual([['c', 'd', 'e'], 2])
    expect(remembered.remember(gone('f'), 0, GRACE_MS)).toBe(true)
    expect([keysOf(remembered), remembered.overflowCount]).toEqual([['d', 'e', 'f'], 3])
  })

  it('knows nothing of a cache that was taken, and gives its room back one by one', () => {
    const remembered = memory()
    for (const cache of ['x', 'y']) remembered.remember(gone('k', 1, cache), 0, 0)
    const [taken] = [...remembered.takeCache('x')]
    expect(remembered.get('x', 'k')).toBeUndefined()
    expect(remembered.knows('x')).toBe(false)
    expect(remembered.size).toBe(2)
    remembered.remember(gone('k', 2, 'x'), 0, 0)
    if (taken !== undefined) remembered.reclaim(taken)
    if (taken !== undefined) remembered.reclaim(taken)
    expect(remembered.size).toBe(2)
    expect(remembered.get('x', 'k')?.version).toEqual(at(2))
  })

  it('purges no more than the limit, oldest first, and counts no overflow', () => {
    const remembered = memory()
    for (const key of ['a', 'b', 'c']) remembered.remember(gone(key), 0, 0)
    expect(remembered.purge(GRACE_MS, 2)).toBe(2)
    expect(keysOf(remembered)).toEqual(['c'])
    expect(remembered.purge(GRACE_MS, 0)).toBe(0)
    expect(remembered.overflowCount).toBe(0)
  })

  it('forgets a key of one cache and keeps its namesake in another', () => {
    const remembered = memory()
    remembered.remember(gone('k', 1, 'x'), 0, 0)
    remembered.remember(gone('k', 2, 'y'), 0, 0)
    remembered.forget('x', 'k')
    remembered.forget('x', 'k')
    expect(remembered.get('x', 'k')).toBeUndefined()
    expect(remembered.get('y', 'k')?.version).toEqual(at(2))
    expect(remembered.size).toBe(1)
  })

  it('remembers nothing when it has no room at all', () => {
    const remembered = memory(0)
    remembered.remember(gone('a'), 0, 0)
    expect(remembered.size).toBe(0)
    expect(remembered.overflowCount).toBe(1)
  })

  it('stays within its bound and loses only what it counts', () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), forget: fc.boolean() })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), fc.array(step), (itemsMax, steps) => {
        const remembered = memory(itemsMax)
        let told = 0
        for (const [nowMs, { key, forget }] of steps.entries()) {
          const known = remembered.get('c', key) !== undefined
          if (forget) remembered.forget('c', key)
          else remembered.remember(gone(key), 0, nowMs)
          if (known && forget) told--
          if (!known && !forget) told++
          expect(remembered.size).toBeLessThanOrEqual(itemsMax)
          expect(remembered.size + remembered.overflowCount).toBe(told)
          expect(keysOf(remembered).length).toBe(remembered.size)
        }
      }),
    )
  })
})
