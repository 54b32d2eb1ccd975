/**
 * What holds of the store whatever is written into it: copies that took in the same writes are equal, and its
 * account of its size is exact.
 */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Marker, Write } from '../../src/core/entry.js'
import type { Store, StoreOptions } from '../../src/core/store.js'
import { entryBytes } from '../../src/core/stored-entry.js'
import { supersedes, type Versioned } from '../../src/core/version.js'
import { applyChange, openStore, sweepAll } from '../support/store.js'
import { type Change, changes, isMarker } from '../support/writes.js'

const CACHES = ['x', 'y']

/** Time from the first write to the comparison, in ms: some entries have expired by then. */
const SPAN_MS = 2_000

/** One change as it comes to one copy: after a wait, maybe with a sweep before it. */
interface Delivery {
  readonly change: Change
  readonly waitMs: number
  readonly sweepLimit: number
}

/** All the changes in some order, some of them more than once. */
function deliveriesOf(all: Change[]): fc.Arbitrary<Delivery[]> {
  return fc
    .subarray(all)
    .chain((repeated) =>
      fc.shuffledSubarray([...all, ...repeated], { minLength: all.length + repeated.length }),
    )
    .chain((order) =>
      fc.tuple(
        ...order.map((change) =>
          fc.record({
            change: fc.constant(change),
            waitMs: fc.oneof(fc.constant(0), fc.nat(SPAN_MS / 4)),
            sweepLimit: fc.nat(3),
          }),
        ),
      ),
    )
}

/** A copy that took the changes in, at the end of the span; `expiresAt` counts from its start. */
function copyOf(deliveries: Delivery[]): Store {
  const { store, clock } = openStore()
  clock.wallMs = 0
  for (const { change, waitMs, sweepLimit } of deliveries) {
    clock.advance(Math.min(waitMs, SPAN_MS - clock.now()))
    if (sweepLimit > 0) store.sweep(sweepLimit)
    applyChange(store, change)
  }
  clock.advance(SPAN_MS - clock.now())
  return store
}

/** What a reader can see: of each key, its version and its value. */
function visible(store: Store): Map<string, unknown> {
  const seen = new Map<string, unknown>()
  for (const cache of CACHES) {
    for (const { key, version, payload, expiresAt } of store.entries(cache)) {
      expect(store.get(cache, key)?.payload).toBe(payload)
      seen.set(`${cache}/${key}`, { version, payload, expiresAt })
    }
  }
  return new Map([...seen].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function latest<T extends Versioned>(all: T[]): T | undefined {
  return all.reduce<T | undefined>(
    (best, next) => (best === undefined || supersedes(next, best) ? next : best),
    undefined,
  )
}

/** What must be visible in the end, said without a store: of each key the last write, unless a marker covers it. */
function expectedOf(all: Change[]): Map<string, unknown> {
  const seen = new Map<string, unknown>()
  const writes = all.filter((change): change is Write => !isMarker(change))
  const names = new Set(writes.map(({ cache, key }) => `${cache}/${key}`))
  for (const name of [...names].sort()) {
    const write = latest(writes.filter(({ cache, key }) => `${cache}/${key}` === name)) as Write
    const markers = all.filter(
      (change): change is Marker => isMarker(change) && change.cache === write.cache,
    )
    const undoing = markers.filter(
      ({ tag }) => tag === undefined || write.tags?.includes(tag) === true,
    )
    const { version, payload, expiresAt, deleted } = write
    if (deleted || undoing.some((marker) => !supersedes(write, marker))) continue
    if (expiresAt === 0 || expiresAt > SPAN_MS) seen.set(name, { version, payload, expiresAt })
  }
  return seen
}

const histories = fc
  .array(changes, { minLength: 1, maxLength: 12 })
  .chain((all) => fc.tuple(fc.constant(all), deliveriesOf(all), deliveriesOf(all)))

describe('two copies that took in the same writes', () => {
  it('show the same, whatever the order, however often, and however they were swept', () => {
    fc.assert(
      fc.property(histories, ([all, one, other]) => {
        const expected = expectedOf(all)
        expect(visible(copyOf(one))).toEqual(expected)
        expect(visible(copyOf(other))).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  it('hold the same, once both are swept', () => {
    fc.assert(
      fc.property(histories, ([, one, other]) => {
        const [a, b] = [copyOf(one), copyOf(other)]
        sweepAll(a)
        sweepAll(b)
        const { itemCount, memoryBytes } = a.stats()
        expect(b.stats()).toMatchObject({ itemCount, memoryBytes })
        expect(visible(a).size).toBe(itemCount)
      }),
    )
  })
})

describe('the account of a Store', () => {
  const limits = fc.record({
    itemsMax: fc.constantFrom(1, 2, 3, Number.POSITIVE_INFINITY),
    bytesMax: fc.constantFrom(700, 1_500, Number.POSITIVE_INFINITY),
  })
  type Step = { change: Change } | { waitMs: number } | { sweepLimit: number } | { used: string }
  const steps: fc.Arbitrary<Step[]> = fc.array(
    fc.oneof<fc.MaybeWeightedArbitrary<Step>[]>(
      { weight: 8, arbitrary: fc.record({ change: changes }) },
      { weight: 1, arbitrary: fc.record({ waitMs: fc.nat(1_000) }) },
      { weight: 1, arbitrary: fc.record({ sweepLimit: fc.integer({ min: 1, max: 4 }) }) },
      { weight: 1, arbitrary: fc.record({ used: fc.constantFrom('k1', 'k2') }) },
    ),
    { maxLength: 40 },
  )

  function heldBytes(store: Store): number {
    let bytes = 0
    for (const partition of [0, 1, 2]) {
      for (const { key, payload, tags } of store.partition(partition)) {
        bytes += entryBytes(key, payload, tags)
      }
    }
    return bytes
  }

  function run(moves: Step[], limit: Partial<StoreOptions>) {
    const { store, clock } = openStore(limit)
    clock.wallMs = 0
    for (const move of moves) {
      if ('change' in move) applyChange(store, move.change)
      else if ('waitMs' in move) clock.advance(move.waitMs)
      else if ('sweepLimit' in move) store.sweep(move.sweepLimit)
      else store.get('x', move.used)
    }
    return { store, clock }
  }

  it('is the sum of its entries after any operations', () => {
    fc.assert(
      fc.property(steps, limits, (moves, limit) => {
        const { store } = run(moves, limit)
        expect(store.stats().memoryBytes).toBeGreaterThanOrEqual(heldBytes(store))
        sweepAll(store)
        expect(store.stats().memoryBytes).toBe(heldBytes(store))
        expect(store.stats().itemCount).toBe(store.size('x') + store.size('y'))
      }),
      { numRuns: 300 },
    )
  })

  it('is exact without a sweep when nothing was cleared', () => {
    fc.assert(
      fc.property(steps, limits, (moves, limit) => {
        const unclear = moves.filter((move) => !('change' in move) || !isMarker(move.change))
        const { store } = run(unclear, limit)
        expect(store.stats().memoryBytes).toBe(heldBytes(store))
      }),
      { numRuns: 200 },
    )
  })

  it('never goes over its bounds', () => {
    fc.assert(
      fc.property(steps, limits, (moves, limit) => {
        for (let length = 1; length <= moves.length; length += 3) {
          const { store } = run(moves.slice(0, length), limit)
          expect(store.stats().memoryBytes).toBeLessThanOrEqual(limit.bytesMax)
          expect(store.stats().itemCount).toBeLessThanOrEqual(limit.itemsMax)
        }
      }),
    )
  })

  it('is 0 again when everything was cleared, deleted or has expired', () => {
    fc.assert(
      fc.property(steps, limits, fc.boolean(), (moves, limit, byClear) => {
        const { store, clock } = run(moves, limit)
        const version = { wallMs: 1_000, counter: 0, member: 'm1' }
        const base = { version, deleted: true as const, payload: undefined }
        for (const cache of CACHES) {
          if (byClear) store.undo({ ...base, cache, tag: undefined })
          else {
            for (const key of ['k1', 'k2']) {
              store.apply({ ...base, cache, key, createdAt: 0, expiresAt: 0 })
            }
          }
        }
        clock.advance(1)
        sweepAll(store, 3)
        expect(store.stats()).toMatchObject({ itemCount: 0, memoryBytes: 0 })
        expect(heldBytes(store)).toBe(0)
      }),
    )
  })
})
