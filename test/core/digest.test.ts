/** The digest of what a store holds: equal exactly when the content is. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordDigest } from '../../src/core/digest.js'
import { clearMarker } from '../../src/core/entry.js'
import { applyChange, openStore } from '../support/store.js'
import { at, changes, del, set } from '../support/writes.js'

const version = (wallMs: number, counter = 0, member = 'a') => ({ wallMs, counter, member })

describe('record digest', () => {
  it('is the same whatever the order, and that of nothing when all is taken out again', () => {
    const record = fc.tuple(fc.integer(), fc.nat(2 ** 48 - 1), fc.nat(65_535), fc.string())
    fc.assert(
      fc.property(fc.uniqueArray(record, { selector: String }), (records) => {
        const there = new RecordDigest()
        const back = new RecordDigest()
        for (const [key, ...rest] of records) there.flip(key, version(...rest))
        for (const [key, ...rest] of records.toReversed()) back.flip(key, version(...rest))
        expect(back.value).toBe(there.value)
        for (const [key, ...rest] of records) back.flip(key, version(...rest))
        expect(back.value).toBe(new RecordDigest().value)
        expect(back.isEmpty).toBe(true)
      }),
    )
  })

  it.each([
    ['key', 8, version(5, 6, 'a')],
    ['time', 7, version(6, 6, 'a')],
    ['time beyond 32 bits', 7, version(5 + 2 ** 32, 6, 'a')],
    ['counter', 7, version(5, 7, 'a')],
    ['member', 7, version(5, 6, 'b')],
  ])('tells apart two records that differ in their %s', (_, key, other) => {
    const one = new RecordDigest()
    const two = new RecordDigest()
    one.flip(7, version(5, 6, 'a'))
    two.flip(key, other)
    expect(two.value).not.toBe(one.value)
  })

  it('has no two equal values among a hundred thousand', () => {
    const seen = new Set<bigint>()
    for (let i = 0; i < 100_000; i++) {
      const digest = new RecordDigest()
      digest.flip(i & 1_023, version(1_767_225_600_000 + (i >> 10)))
      seen.add(digest.value)
    }
    expect(seen.size).toBe(100_000)
  })
})

describe('digest of a store', () => {
  it('is equal on two stores that hold the same, whatever changes came, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 12 }), (list) => {
        const { store: one } = openStore()
        const { store: two } = openStore()
        for (const change of list) applyChange(one, change)
        for (const change of list.toReversed()) applyChange(two, change)
        expect(one.digest(0)).toBe(two.digest(0))
      }),
    )
  })

  it('differs while contents differ, and is that of an empty store when nothing is held', () => {
    const { store: one } = openStore()
    const { store: two } = openStore()
    one.apply(set('k', 'v', at(1)))
    expect(one.digest(0)).not.toBe(two.digest(0))
    two.apply(set('k', 'v', at(1)))
    two.apply(set('l', 'v', at(1)))
    expect(one.digest(0)).not.toBe(two.digest(0))
    two.apply(del('l', at(2)))
    expect(one.digest(0)).toBe(two.digest(0))
    one.clear(clearMarker('c', at(3)))
    two.clear(clearMarker('c', at(4)))
    expect(one.digest(0)).toBe(two.digest(0))
    expect(one.digest(0)).toBe(openStore().store.digest(0))
  })

  it.each([
    ['within seconds', 10_000, false],
    ['in minutes', 300_000, true],
    ['tomorrow', 86_400_000, true],
  ])('counts what expires %s: %d ms, %s', (_, inMs, counts) => {
    const { store: one, clock } = openStore()
    const { store: two } = openStore()
    one.apply(set('k', 'v', at(1), { expiresAt: clock.now() + inMs }))
    expect(one.digest(clock.now()) !== two.digest(clock.now())).toBe(counts)
    one.apply(set('k', 'v', at(2)))
    two.apply(set('k', 'v', at(2)))
    expect(one.digest(clock.now())).toBe(two.digest(clock.now()))
  })

  it('is not 0 when nothing is held, and says nothing once something was evicted', () => {
    const { store } = openStore({ itemsMax: 1 })
    expect(store.digest(0)).not.toBe(0n)
    store.apply(set('l', 'v', at(2)))
    store.apply(set('m', 'v', at(3)))
    expect(store.digest(0)).toBeUndefined()
  })
})
