/** Digests of what a store knows: equal exactly when that is, as of the same horizon. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PartitionDigests } from '../../src/core/digest.js'
import { markerOf } from '../../src/core/entry.js'
import { partitionAt } from '../../src/core/ring.js'
import type { Store } from '../../src/core/store.js'
import { applyChange, GRACE_MS, openStore, rootOfStore, sweepAll } from '../support/store.js'
import { at, changes, del, set } from '../support/writes.js'

const version = (wallMs: number, counter = 0, member = 'a') => ({ wallMs, counter, member })

describe('digests of partitions', () => {
  it('are the same whatever the order, and those of nothing when all is taken out again', () => {
    const record = fc.tuple(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.nat(2 ** 48 - 1),
      fc.nat(65_535),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.uniqueArray(record, { selector: String }), (records) => {
        const counted = records.map(([keyHash, ...rest]) => ({
          keyHash,
          version: version(...rest),
        }))
        const there = new PartitionDigests()
        const back = new PartitionDigests()
        const none = new PartitionDigests()
        for (const one of counted) there.add(one)
        for (const one of counted.toReversed()) back.add(one)
        for (const { keyHash } of counted) {
          const partition = partitionAt(keyHash)
          expect(back.of(partition)).toBe(there.of(partition))
          expect(back.count(partition)).toBe(there.count(partition))
          expect(there.of(partition)).not.toBe(none.of(partition))
        }
        for (const one of counted) back.remove(one)
        for (const { keyHash } of counted) {
          expect(back.of(partitionAt(keyHash))).toBe(none.of(partitionAt(keyHash)))
        }
      }),
    )
  })

  it.each([
    ['key', 8, version(5, 6, 'a')],
    ['time', 7, version(6, 6, 'a')],
    ['time beyond 32 bits', 7, version(5 + 2 ** 32, 6, 'a')],
    ['counter', 7, version(5, 7, 'a')],
    ['member', 7, version(5, 6, 'b')],
  ])('tell apart two records that differ in their %s', (_, keyHash, other) => {
    const one = new PartitionDigests()
    const two = new PartitionDigests()
    one.add({ keyHash: 7, version: version(5, 6, 'a') })
    two.add({ keyHash, version: other })
    expect(two.of(0)).not.toBe(one.of(0))
  })

  it('are told apart by the partition, and hardly two of a hundred thousand are equal', () => {
    const digests = new PartitionDigests()
    expect(digests.of(1)).not.toBe(digests.of(2))
    const seen = new Set<number>()
    for (let i = 0; i < 100_000; i++) {
      const one = new PartitionDigests()
      one.add({ keyHash: i & 1_023, version: version(1_767_225_600_000 + (i >> 10)) })
      seen.add(one.of(0))
    }
    // Of 32 bits, one pair in a hundred thousand is expected to meet.
    expect(seen.size).toBeGreaterThan(99_980)
  })
})

describe('digests of a store', () => {
  const settle = (store: Store) => sweepAll(store)

  it('are equal on two stores that know the same, whatever changes came, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 12 }), (list) => {
        const { store: one } = openStore()
        const { store: two } = openStore()
        for (const change of list) applyChange(one, change)
        for (const change of list.toReversed()) applyChange(two, change)
        settle(one)
        settle(two)
        expect(rootOfStore(one)).toBe(rootOfStore(two))
      }),
    )
  })

  it('differ as long as one lacks a value or a delete', () => {
    const { store: one } = openStore()
    const { store: two } = openStore()
    const areEqual = () => rootOfStore(one) === rootOfStore(two)
    one.apply(set('k', 'v', at(1)))
    expect(areEqual()).toBe(false)
    two.apply(set('k', 'v', at(1)))
    expect(areEqual()).toBe(true)
    two.apply(del('k', at(2)))
    expect(areEqual()).toBe(false)
    one.apply(del('k', at(2)))
    expect(areEqual()).toBe(true)
    one.apply(set('k', 'w', at(3)))
    expect(areEqual()).toBe(false)
    two.apply(set('k', 'w', at(3)))
    expect(areEqual()).toBe(true)
  })

  it('count nothing of what was cleared, once it is swept', () => {
    const { store: one } = openStore()
    const { store: two } = openStore()
    for (const [index, key] of ['a', 'bb', 'ccc'].entries()) one.apply(set(key, 'v', at(index)))
    one.apply(del('dddd', at(5)))
    one.undo(markerOf('c', at(9)))
    expect(one.areDigestsSettled).toBe(false)
    settle(one)
    expect(one.areDigestsSettled).toBe(true)
    expect(rootOfStore(one)).toBe(rootOfStore(two))
    expect(one.stats().tombstoneCount).toBe(0)
    one.apply(set('a', 'new', at(10)))
    two.apply(set('a', 'new', at(10)))
    expect(rootOfStore(one)).toBe(rootOfStore(two))
  })

  it('count nothing of what a clear superseded that came late, and all that it did not', () => {
    const { store: one } = openStore()
    const { store: two } = openStore()
    one.apply(set('a', 'old', at(1)))
    one.apply(del('bb', at(2)))
    for (const store of [one, two]) {
      store.apply(set('ccc', 'new', at(8)))
      store.apply(del('dddd', at(9)))
      store.undo(markerOf('c', at(5)))
    }
    expect(rootOfStore(one)).toBe(rootOfStore(two))
    expect([...one.tombstones()].map(({ key }) => key)).toEqual(['dddd'])
  })

  it('stay when a value is evicted, and follow when its key is written again', () => {
    const { store: full } = openStore({ itemsMax: 1 })
    const { store: roomy } = openStore()
    for (const store of [full, roomy]) {
      store.apply(set('a', 'v', at(1)))
      store.apply(set('bb', 'v', at(2)))
    }
    expect(full.stats().evictionCount).toBe(1)
    expect(rootOfStore(full)).toBe(rootOfStore(roomy))
    for (const store of [full, roomy]) store.apply(set('a', 'w', at(3)))
    expect(rootOfStore(full)).toBe(rootOfStore(roomy))
  })

  it('say nothing of a partition of which a version had to be forgotten, until it is given up', () => {
    const { store } = openStore({ itemsMax: 1, stubsMax: 1 })
    for (const [index, key] of ['a', 'bb', 'ccc'].entries()) store.apply(set(key, 'v', at(index)))
    expect([...store.lossy.entries()].filter(([, isLossy]) => isLossy === 1)).toEqual([[1, 1]])
    store.drop(1)
    expect(store.lossy.includes(1)).toBe(false)
  })

  it('are those of one that swept, where the other has yet to', () => {
    const { store: one, clock } = openStore()
    const { store: two } = openStore({ clock })
    const expiresAt = clock.now() + 1_500
    for (const store of [one, two]) store.apply(set('k', 'v', at(1), { expiresAt }))
    const { store: late } = openStore({ clock })
    clock.advance(5_000)
    sweepAll(one)
    // To who hears of it now it has expired already.
    late.apply(set('k', 'v', at(1), { expiresAt }))
    expect(rootOfStore(one)).toBe(rootOfStore(two))
    expect(rootOfStore(late)).toBe(rootOfStore(two))
    const { store: empty } = openStore({ clock })
    expect(rootOfStore(one)).not.toBe(rootOfStore(empty))
    const horizon = { valuesMs: Math.ceil((expiresAt + 1) / 1_000) * 1_000, tombstonesMs: 0 }
    for (const store of [one, two, late]) {
      expect(store.advance(horizon)).toBe(true)
      expect(rootOfStore(store)).toBe(rootOfStore(empty))
    }
    sweepAll(two)
    expect(rootOfStore(two)).toBe(rootOfStore(empty))
  })

  it('count a tombstone until the horizon has passed it, and not whether it is purged', () => {
    const { store: one, clock } = openStore()
    const { store: two } = openStore({ clock })
    const { store: empty } = openStore({ clock })
    for (const store of [one, two]) store.apply(del('k', at(clock.now())))
    clock.advance(GRACE_MS * 2)
    sweepAll(one)
    // It counts, and so it is kept.
    expect(one.stats().tombstoneCount).toBe(1)
    expect(rootOfStore(one)).toBe(rootOfStore(two))
    const horizon = { valuesMs: clock.now(), tombstonesMs: clock.now() }
    for (const store of [one, two]) expect(store.advance(horizon)).toBe(true)
    expect(rootOfStore(one)).toBe(rootOfStore(empty))
    clock.advance(GRACE_MS)
    sweepAll(one)
    expect(one.stats().tombstoneCount).toBe(0)
    expect(rootOfStore(one)).toBe(rootOfStore(two))
  })

  it('lose no tombstone for want of room that the horizon does not tell of', () => {
    const { store, clock } = openStore({ tombstonesMax: 2 })
    const { store: roomy } = openStore({ clock })
    const startMs = Math.ceil(clock.now() / 1_000) * 1_000
    for (const [index, key] of ['a', 'bb', 'ccc'].entries()) {
      for (const one of [store, roomy]) one.apply(del(key, at(startMs + index * 1_000)))
    }
    expect(rootOfStore(store)).not.toBe(rootOfStore(roomy))
    expect(store.horizon.tombstonesMs).toBe(startMs + 1_000)
    roomy.advance(store.horizon)
    expect(rootOfStore(store)).toBe(rootOfStore(roomy))
    expect(roomy.stats().tombstoneCount).toBe(3)
  })

  it('have a horizon that never goes back, nor far beyond the present', () => {
    const { store, clock } = openStore()
    const nowMs = Math.floor(clock.now() / 1_000) * 1_000
    expect(store.advance({ valuesMs: nowMs, tombstonesMs: 0 })).toBe(true)
    expect(store.advance({ valuesMs: nowMs - 1_000, tombstonesMs: 5_000 })).toBe(false)
    expect(store.horizon).toEqual({ valuesMs: nowMs, tombstonesMs: 5_000 })
    expect(store.advance({ valuesMs: nowMs + 7_200_000, tombstonesMs: 5_000 })).toBe(false)
    expect(store.horizon.valuesMs).toBe(nowMs)
  })
})
