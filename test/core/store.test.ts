import { describe, expect, it } from 'vitest'
import { leftOf, markerOf } from '../../src/core/entry.js'
import { ENTRY_OVERHEAD_BYTES, entryBytes } from '../../src/core/stored-entry.js'
import {
  applyChange,
  GRACE_MS,
  liveKeys,
  openStore,
  rootOfStore,
  sweepAll,
} from '../support/store.js'
import { at, del, set } from '../support/writes.js'

describe('Store.apply', () => {
  it('refuses an older write and says so', () => {
    const { store, events } = openStore()
    store.apply(set('k', 'new', at(5)))
    expect(store.apply(set('k', 'old', at(4)))).toBe('superseded')
    expect(store.get('c', 'k')?.payload).toBe('new')
    expect(events).toEqual(['set k 5m'])
  })

  it('refuses the same write a second time', () => {
    const { store, events } = openStore()
    expect(store.apply(set('k', 'v', at(5)))).toBe('applied')
    expect(store.apply(set('k', 'v', at(5)))).toBe('superseded')
    expect(events.length).toBe(1)
  })

  it('refuses a set that comes after the delete which overtook it', () => {
    const { store } = openStore()
    expect(store.apply(del('k', at(5)))).toBe('applied')
    expect(store.apply(set('k', 'late', at(4)))).toBe('superseded')
    expect(store.get('c', 'k')).toBeUndefined()
    expect([...store.tombstones()].map(({ key }) => key)).toEqual(['k'])
  })

  it('lets a delete win over a set of the same time', () => {
    const { store } = openStore()
    store.apply(set('k', 'v', at(5, 'z')))
    expect(store.apply(del('k', at(5, 'a')))).toBe('applied')
    expect(store.apply(set('k', 'v', at(5, 'z')))).toBe('superseded')
    expect(store.get('c', 'k')).toBeUndefined()
  })

  it('forgets the tombstone of a key that is set anew: its version keeps out what is late', () => {
    const { store } = openStore()
    store.apply(del('k', at(5)))
    expect(store.apply(set('k', 'v', at(6)))).toBe('applied')
    expect(store.get('c', 'k')?.payload).toBe('v')
    expect(store.stats().tombstoneCount).toBe(0)
    expect(store.apply(set('k', 'late', at(4)))).toBe('superseded')
  })

  it('keeps caches apart', () => {
    const { store } = openStore()
    store.apply(set('k', 'one', at(1), { cache: 'x' }))
    store.apply(set('k', 'two', at(2), { cache: 'y' }))
    store.apply(del('k', at(3), { cache: 'x' }))
    expect(store.get('x', 'k')).toBeUndefined()
    expect(store.get('y', 'k')?.payload).toBe('two')
    expect([...store.caches()]).toContain('y')
  })

  it('replaces all that it holds of an entry', () => {
    const { store } = openStore()
    store.apply(set('k', 'text', at(1), { expiresAt: 2_000_000 }))
    const bytes = new Uint8Array([1, 2, 3])
    store.apply({ ...set('k', bytes, at(2, 'n')), createdAt: 77 })
    expect(store.get('c', 'k')).toMatchObject({
      payload: bytes,
      version: at(2, 'n'),
      createdAt: 77,
      expiresAt: 0,
      bytes: entryBytes('k', bytes),
    })
  })
})

describe('tombstones of a Store', () => {
  it('are forgotten oldest first when there are too many, which is counted', () => {
    const { store } = openStore({ tombstonesMax: 2 })
    for (const key of ['a', 'b', 'c']) store.apply(del(key, at(5)))
    expect(store.stats()).toMatchObject({ tombstoneCount: 2, tombstoneOverflowCount: 1 })
    expect(store.apply(set('a', 'late', at(4)))).toBe('applied')
    expect(store.apply(set('b', 'late', at(4)))).toBe('superseded')
  })

  it('outlive their grace by no more than a sweep, and not one ms less', () => {
    const { store, clock } = openStore()
    store.apply(del('k', at(5)))
    clock.advance(GRACE_MS - 1)
    sweepAll(store)
    expect(store.apply(set('k', 'late', at(4)))).toBe('superseded')
    clock.advance(1)
    store.advance({ valuesMs: 0, tombstonesMs: 1_000 })
    sweepAll(store)
    expect(store.stats()).toMatchObject({ tombstoneCount: 0, tombstoneOverflowCount: 0 })
  })

  it('keep their grace when the wall clock steps', () => {
    const { store, clock } = openStore()
    store.apply(del('k', at(5)))
    clock.wallMs += 10 * GRACE_MS
    sweepAll(store)
    expect(store.stats().tombstoneCount).toBe(1)
  })
})

describe('expiry in a Store', () => {
  it('hides an entry from the very ms of its time, swept or not', () => {
    const { store, clock } = openStore()
    store.apply(set('k', 'v', at(1), { expiresAt: clock.now() + 100 }))
    clock.advance(99)
    expect(store.get('c', 'k')?.payload).toBe('v')
    expect(liveKeys(store)).toEqual(['k'])
    clock.advance(1)
    expect(store.get('c', 'k')).toBeUndefined()
    expect(liveKeys(store)).toEqual([])
    expect(store.size('c')).toBe(1)
  })

  it('never hides an entry whose time is 0', () => {
    const { store, clock } = openStore()
    store.apply(set('k', 'v', at(1)))
    clock.advance(1e12)
    sweepAll(store)
    expect(store.get('c', 'k')?.payload).toBe('v')
  })

  it('does not show an older write that comes after it', () => {
    const { store, clock } = openStore()
    store.apply(set('k', 'short', at(5), { expiresAt: clock.now() + 100 }))
    clock.advance(100)
    sweepAll(store)
    expect(store.apply(set('k', 'older', at(4)))).toBe('superseded')
    expect(store.apply(set('k', 'short', at(5)))).toBe('superseded')
    expect(store.get('c', 'k')).toBeUndefined()
    expect(store.apply(set('k', 'newer', at(6)))).toBe('applied')
    expect(store.get('c', 'k')?.payload).toBe('newer')
  })

  it('forgets the time of an entry that is overwritten', () => {
    const { store, clock, events } = openStore()
    store.apply(set('k', 'short', at(1), { expiresAt: clock.now() + 100 }))
    store.apply(set('k', 'long', at(2), { expiresAt: clock.now() + 10_000 }))
    clock.advance(5_000)
    sweepAll(store)
    expect(store.get('c', 'k')?.payload).toBe('long')
    clock.advance(5_000)
    sweepAll(store)
    expect(events).toEqual(['set k 1m', 'set k 2m', 'expire k 2m'])
  })

  it('leaves no tombstone, and gives its memory back', () => {
    const { store, clock } = openStore()
    store.apply(set('k', 'v', at(1), { expiresAt: clock.now() + 100 }))
    clock.advance(100)
    sweepAll(store)
    expect(store.stats()).toMatchObject({
      itemCount: 0,
      memoryBytes: 0,
      expirationCount: 1,
      evictionCount: 0,
      tombstoneCount: 0,
    })
  })

  it('is collected no more than the limit at a time', () => {
    const { store, clock } = openStore()
    for (let i = 0; i < 25; i++) {
      store.apply(set(`k${i}`, 'v', at(1), { expiresAt: clock.now() + 100 * i + 1 }))
    }
    clock.advance(10_000)
    const counts: number[] = []
    for (let more = true; more; counts.push(store.stats().expirationCount)) more = store.sweep(10)
    expect(counts).toEqual([10, 20, 25])
  })
})

describe('Store.sweep', () => {
  it('says that there is no more when there is nothing', () => {
    expect(openStore().store.sweep(10)).toBe(false)
  })

  it('never reclaims more than the limit, of whatever kind it is', () => {
    const { store, clock } = openStore()
    const written = 7
    for (let i = 0; i < written; i++) {
      store.apply(set(`expired ${i}`, 'v', at(1), { expiresAt: clock.now() + 1 }))
      store.apply(set(`cleared ${i}`, 'v', at(1), { cache: 'other' }))
      store.apply(del(`deleted ${i}`, at(1)))
    }
    store.undo(markerOf('other', at(2)))
    clock.advance(GRACE_MS)
    store.advance({ valuesMs: clock.now(), tombstonesMs: 1_000 })
    const bytes = entryBytes('cleared 0', 'v')
    const left = () => store.stats().memoryBytes / bytes + store.stats().tombstoneCount
    for (let before = left(), more = true; more; before = left()) {
      more = store.sweep(4)
      expect(before - left()).toBeLessThanOrEqual(4)
    }
    expect(store.stats()).toMatchObject({ memoryBytes: 0, tombstoneCount: 0 })
  })
})

describe('Store.clear', () => {
  it('refuses a marker older than the one it has', () => {
    const { store, events } = openStore()
    expect(store.undo(markerOf('c', at(5)))).toBe(true)
    expect(store.undo(markerOf('c', at(4)))).toBe(false)
    expect(store.undo(markerOf('c', at(5)))).toBe(false)
    expect([...store.markers.values()].map(({ version }) => version)).toEqual([at(5)])
    expect(events).toEqual(['clear c 5m'])
  })

  it('refuses an older write that comes after it', () => {
    const { store } = openStore()
    store.undo(markerOf('c', at(5)))
    expect(store.apply(set('k', 'late', at(4)))).toBe('superseded')
    expect(store.apply(set('k', 'same time', at(5, 'z')))).toBe('superseded')
    expect(store.size('c')).toBe(0)
    expect(store.apply(set('k', 'newer', at(6)))).toBe('applied')
  })

  it('leaves entries that are newer, when it comes late', () => {
    const { store } = openStore()
    for (const [key, wallMs] of Object.entries({ a: 3, b: 5, c: 6, d: 9 })) {
      store.apply(set(key, 'v', at(wallMs)))
    }
    expect(store.undo(markerOf('c', at(5)))).toBe(true)
    expect(liveKeys(store)).toEqual(['c', 'd'])
    expect(store.stats().memoryBytes).toBe(2 * entryBytes('c', 'v'))
  })

  it('leaves other caches alone', () => {
    const { store } = openStore()
    store.apply(set('k', 'v', at(1), { cache: 'x' }))
    store.apply(set('k', 'v', at(1), { cache: 'y' }))
    store.undo(markerOf('x', at(2)))
    sweepAll(store)
    expect([store.size('x'), store.size('y')]).toEqual([0, 1])
  })

  it('empties the cache at once, and gives its memory back a slice at a time', () => {
    const { store } = openStore()
    for (let i = 0; i < 25; i++) store.apply(set(`k${i % 10}${i}`, 'v', at(1)))
    const before = store.stats().memoryBytes
    store.undo(markerOf('c', at(2)))
    expect(store.size('c')).toBe(0)
    expect(liveKeys(store)).toEqual([])
    expect([...store.partition(3), ...store.partition(2)]).toEqual([])
    expect(store.stats()).toMatchObject({ itemCount: 0, memoryBytes: before })

    const sizes: number[] = []
    for (let more = true; more; sizes.push(store.stats().memoryBytes)) more = store.sweep(10)
    expect(sizes.length).toBe(3)
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a))
    expect(sizes.at(-1)).toBe(0)
  })

  it('can be followed at once by the same keys, which stay', () => {
    const { store } = openStore()
    for (let i = 0; i < 9; i++) store.apply(set(`k${i}`, 'old', at(1)))
    store.undo(markerOf('c', at(2)))
    for (let i = 0; i < 9; i++) store.apply(set(`k${i}`, 'new', at(3)))
    expect(sweepAll(store, 2)).toBeGreaterThan(4)
    expect([...store.entries('c')].map(({ payload }) => payload)).toEqual(Array(9).fill('new'))
    expect([...store.partition(2)].length).toBe(9)
    expect(store.stats().memoryBytes).toBe(9 * entryBytes('k0', 'new'))
  })

  it('gives back what two clears in a row left over', () => {
    const { store } = openStore()
    store.apply(set('a', 'v', at(1)))
    store.undo(markerOf('c', at(2)))
    store.apply(set('b', 'v', at(3)))
    store.undo(markerOf('c', at(4)))
    sweepAll(store, 1)
    expect(store.stats()).toMatchObject({ itemCount: 0, memoryBytes: 0 })
  })

  it('raises no expiry and no eviction for what it cleared', () => {
    const { store, clock, events } = openStore({ itemsMax: 2 })
    for (const key of ['a', 'b']) {
      store.apply(set(key, 'v', at(1), { expiresAt: clock.now() + 100 }))
    }
    store.undo(markerOf('c', at(2)))
    events.length = 0
    clock.advance(1_000)
    store.apply(set('d', 'v', at(3)))
    store.apply(set('e', 'v', at(3)))
    sweepAll(store)
    expect(events).toEqual(['set d 3m', 'set e 3m'])
    expect(store.stats()).toMatchObject({ expirationCount: 0, evictionCount: 0, itemCount: 2 })
  })
})

describe('eviction in a Store', () => {
  it('gives up the entry that was used least recently', () => {
    const { store, events } = openStore({ itemsMax: 3 })
    for (const key of ['a', 'b', 'c']) store.apply(set(key, 'v', at(1)))
    store.get('c', 'a')
    store.apply(set('b', 'overwritten', at(2)))
    store.apply(set('d', 'v', at(3)))
    store.apply(set('e', 'v', at(4)))
    expect(liveKeys(store)).toEqual(['b', 'd', 'e'])
    expect(events.filter((event) => event.startsWith('evict'))).toEqual([
      'evict c 1m',
      'evict a 1m',
    ])
    expect(store.stats()).toMatchObject({ itemCount: 3, evictionCount: 2 })
  })

  it('does not take listing, or a write that was refused, for use', () => {
    const { store } = openStore({ itemsMax: 2 })
    store.apply(set('a', 'v', at(5)))
    store.apply(set('b', 'v', at(5)))
    liveKeys(store)
    for (const entry of store.partition(1)) store.apply(set(entry.key, 'old', at(1)))
    store.apply(set('a', 'v', at(4)))
    store.apply(set('d', 'v', at(5)))
    expect(liveKeys(store)).toEqual(['b', 'd'])
  })

  it('keeps the bound over all caches together', () => {
    const { store } = openStore({ itemsMax: 2 })
    for (const cache of ['x', 'y', 'z']) store.apply(set('k', 'v', at(1), { cache }))
    expect([store.size('x'), store.size('y'), store.size('z')]).toEqual([0, 1, 1])
  })

  it('gives up as many as a larger value needs', () => {
    const small = entryBytes('a', 'v')
    const { store } = openStore({ bytesMax: 4 * small })
    for (const key of ['a', 'b', 'c', 'd']) store.apply(set(key, 'v', at(1)))
    expect(store.stats()).toMatchObject({ itemCount: 4, memoryBytes: 4 * small })
    store.apply(set('d', 'v'.repeat(2 * small + 1), at(2)))
    expect(liveKeys(store)).toEqual(['c', 'd'])
    expect(store.stats()).toMatchObject({ evictionCount: 2, memoryBytes: 4 * small })
  })

  it('leaves a stub and no tombstone: only a newer write brings the key back', () => {
    const { store } = openStore({ itemsMax: 1 })
    store.apply(set('a', 'v', at(1)))
    store.apply(set('b', 'v', at(1)))
    expect(store.stats().tombstoneCount).toBe(0)
    expect(store.apply(set('a', 'v', at(1)))).toBe('superseded')
    expect(store.apply(set('a', 'w', at(2)))).toBe('applied')
    expect(liveKeys(store)).toEqual(['a'])
  })

  it('takes what was cleared before anything that is live', () => {
    const small = entryBytes('a', 'v')
    const { store } = openStore({ bytesMax: 4 * small })
    store.apply(set('a', 'v', at(1), { cache: 'live' }))
    for (const key of ['b', 'c', 'd']) store.apply(set(key, 'v', at(1)))
    store.get('live', 'a')
    store.undo(markerOf('c', at(2)))
    for (const key of ['e', 'f', 'g']) store.apply(set(key, 'v', at(3)))
    expect(store.size('live')).toBe(1)
    expect(store.stats()).toMatchObject({ itemCount: 4, evictionCount: 0 })
  })
})

describe('room in a full Store', () => {
  it('is made of what was cleared before anything live has to go', () => {
    const one = entryBytes('k10', 'v')
    const { store } = openStore({ bytesMax: 100 * one })
    for (let i = 0; i < 40; i++) store.apply(set(`k${i}`, 'v', at(i + 1)))
    for (let i = 0; i < 60; i++) store.apply(set(`k${i}`, 'v', at(i + 1), { cache: 'gone' }))
    store.undo(markerOf('gone', at(1_000)))
    for (let i = 40; i < 70; i++) store.apply(set(`k${i}`, 'v', at(i + 1)))
    expect([store.size('c'), store.stats().evictionCount]).toEqual([70, 0])
  })

  it('is made of what has expired, though it was used later than all that lives', () => {
    const { store, clock } = openStore({ itemsMax: 100 })
    for (let i = 0; i < 50; i++) store.apply(set(`live${i}`, 'v', at(i + 1)))
    const expiresAt = clock.now() + 10
    for (let i = 0; i < 50; i++) store.apply(set(`over${i}`, 'v', at(i + 1), { expiresAt }))
    clock.advance(11)
    for (let i = 0; i < 50; i++) store.apply(set(`new${i}`, 'v', at(i + 1)))
    expect(liveKeys(store).filter((key) => key.startsWith('live'))).toHaveLength(50)
    expect(store.stats()).toMatchObject({ itemCount: 100, evictionCount: 0, expirationCount: 50 })
  })
})

describe('a value larger than the whole Store', () => {
  const bytesMax = 2_000
  const large = 'x'.repeat(bytesMax)

  it('is refused, and gives up nothing for its sake', () => {
    const { store, events } = openStore({ bytesMax })
    store.apply(set('other', 'v', at(1)))
    expect(store.apply(set('k', large, at(2)))).toBe('too large')
    expect(store.get('c', 'k')).toBeUndefined()
    expect(liveKeys(store)).toEqual(['other'])
    expect(events).toEqual(['set other 1m'])
  })

  it('does not leave the older value served', () => {
    const { store } = openStore({ bytesMax })
    store.apply(set('k', 'older', at(1)))
    expect(store.apply(set('k', large, at(5)))).toBe('too large')
    expect(store.get('c', 'k')).toBeUndefined()
    expect(store.stats()).toMatchObject({ itemCount: 0, memoryBytes: 0 })
  })

  it('does not let an older value in that comes after it', () => {
    const { store } = openStore({ bytesMax })
    store.apply(set('k', large, at(5)))
    expect(store.apply(set('k', 'older', at(4)))).toBe('superseded')
    expect(store.apply(set('k', 'newer', at(6)))).toBe('applied')
    expect(store.get('c', 'k')?.payload).toBe('newer')
  })

  it('is no matter when it is older than what is held', () => {
    const { store } = openStore({ bytesMax })
    store.apply(set('k', 'newer', at(5)))
    expect(store.apply(set('k', large, at(4)))).toBe('superseded')
    expect(store.get('c', 'k')?.payload).toBe('newer')
  })

  it('is one byte over the limit, and not one byte under', () => {
    const overhead = ENTRY_OVERHEAD_BYTES.text + 'k'.length
    const { store } = openStore({ bytesMax })
    expect(store.apply(set('k', 'x'.repeat(bytesMax - overhead + 1), at(1)))).toBe('too large')
    expect(store.apply(set('k', 'x'.repeat(bytesMax - overhead), at(2)))).toBe('applied')
  })
})

describe('a partition of a Store', () => {
  // The support's store takes the length of a key for its partition.
  const filled = () => {
    const opened = openStore()
    opened.store.apply(set('a', '1', at(1)))
    opened.store.apply(set('b', '2', at(2), { expiresAt: opened.clock.now() + 100 }))
    opened.store.apply(set('c', '3', at(3), { cache: 'other' }))
    opened.store.apply(set('aa', '4', at(4)))
    return opened
  }
  const live = (store: ReturnType<typeof filled>['store'], partition: number) =>
    [...store.live(partition)].map(({ cache, key }) => `${cache} ${key}`).sort()

  it('lists what lives in it, of all caches, and not what has expired and is not swept', () => {
    const { store, clock } = filled()
    expect(live(store, 1)).toEqual(['c a', 'c b', 'other c'])
    expect(live(store, 2)).toEqual(['c aa'])
    expect(live(store, 3)).toEqual([])
    clock.advance(100)
    expect(live(store, 1)).toEqual(['c a', 'other c'])
    store.undo(markerOf('c', at(9)))
    expect(live(store, 1)).toEqual(['other c'])
  })

  it('that is dropped leaves no entry, no trace and no event, and the others alone', () => {
    const { store, events } = filled()
    events.length = 0
    expect(store.drop(1)).toBe(3)
    expect(live(store, 1)).toEqual([])
    expect(store.get('c', 'a')).toBeUndefined()
    expect(liveKeys(store)).toEqual(['aa'])
    expect(events).toEqual([])
    expect([...store.stubs(), ...store.tombstones()]).toEqual([])
    expect(store.stats()).toMatchObject({
      itemCount: 1,
      memoryBytes: entryBytes('aa', '4'),
      evictionCount: 0,
      expirationCount: 0,
    })
    expect(store.drop(1)).toBe(0)
  })

  it('that is dropped leaves the digest as if it had never been there', () => {
    const { store } = openStore()
    store.apply(set('aa', '4', at(4)))
    const { store: other } = filled()
    other.drop(1)
    expect(rootOfStore(other)).toBe(rootOfStore(store))
  })

  it('that is dropped takes the same writes again when it is owned again', () => {
    const { store } = filled()
    store.drop(1)
    expect(store.apply(set('a', '1', at(1)))).toBe('applied')
    expect(live(store, 1)).toEqual(['c a'])
  })

  it('that is dropped is neither swept nor evicted a second time', () => {
    const { store, clock, events } = openStore({ itemsMax: 2 })
    store.apply(set('a', '1', at(1), { expiresAt: clock.now() + 100 }))
    store.apply(set('bb', '2', at(2)))
    store.drop(1)
    events.length = 0
    store.apply(set('cc', '3', at(3)))
    clock.advance(1_000)
    sweepAll(store)
    expect(events).toEqual(['set cc 3m'])
    expect(store.stats()).toMatchObject({ itemCount: 2, evictionCount: 0, expirationCount: 0 })
  })

  it('that is dropped keeps in mind what was deleted, for what comes late', () => {
    const { store } = filled()
    store.apply(del('a', at(5)))
    store.drop(1)
    expect(store.apply(set('a', 'late', at(4)))).toBe('superseded')
  })
})

describe('the listener of a Store', () => {
  it('hears what takes effect, after it did, and nothing else', () => {
    const { store, clock, events } = openStore({ itemsMax: 2 })
    store.apply(set('a', 'v', at(1), { expiresAt: clock.now() + 100 }))
    store.apply(set('a', 'refused', at(0)))
    store.apply(set('b', 'v', at(2)))
    store.apply(set('d', 'v', at(3)))
    store.apply(del('b', at(4)))
    store.apply(del('unknown', at(4)))
    store.apply(set('e', 'v', at(5), { expiresAt: clock.now() + 100 }))
    clock.advance(100)
    sweepAll(store)
    store.undo(markerOf('c', at(6)))
    expect(events).toEqual([
      'set a 1m',
      'set b 2m',
      'set d 3m',
      'evict a 1m',
      'delete b 4m',
      'set e 5m',
      'expire e 5m',
      'clear c 6m',
    ])
  })

  it('sees the store as it is after the change', () => {
    const seen: Array<string | undefined> = []
    const { store } = openStore({
      listener: {
        set: () => seen.push(store.get('c', 'k')?.payload as string | undefined),
        delete: () => seen.push(store.get('c', 'k')?.payload as string | undefined),
        expire: () => {},
        evict: () => {},
        clear: () => seen.push(String(store.size('c'))),
        invalidate: () => {},
        tombstonesFull: () => {},
        markersFull: () => {},
      },
    })
    store.apply(set('k', 'v', at(1)))
    store.apply(del('k', at(2)))
    store.apply(set('k', 'w', at(3)))
    store.undo(markerOf('c', at(4)))
    expect(seen).toEqual(['v', undefined, 'w', '0'])
  })

  it('can be left out', () => {
    const { store } = openStore({ listener: undefined })
    store.apply(set('k', 'v', at(1)))
    store.undo(markerOf('c', at(2)))
    expect(store.size('c')).toBe(0)
  })
})

describe('entryBytes', () => {
  it.each([
    ['text', 'key', 'value', ENTRY_OVERHEAD_BYTES.text + 3 + 5],
    ['text beyond Latin-1', 'ключ', '€', ENTRY_OVERHEAD_BYTES.text + 8 + 2],
    ['bytes', 'key', new Uint8Array(7), ENTRY_OVERHEAD_BYTES.binary + 3 + 7],
    ['nothing', '', '', ENTRY_OVERHEAD_BYTES.text],
  ])('counts %s with its overhead', (_, key, payload, bytes) => {
    expect(entryBytes(key, payload)).toBe(bytes)
  })
})

describe('Store.undo, by tag', () => {
  const tagged = (key: string, wallMs: number, tags: string[], payload = 'v') =>
    set(key, payload, at(wallMs), { tags })

  it('takes away what bears the tag and was written before, at once', () => {
    const { store, events } = openStore()
    store.apply(tagged('a', 1, ['t']))
    store.apply(tagged('b', 2, ['t', 'u']))
    store.apply(tagged('c', 3, ['u']))
    store.apply(set('d', 'v', at(3)))
    store.apply(tagged('e', 9, ['t']))
    events.length = 0
    expect(store.undo(markerOf('c', at(5), 't'))).toBe(true)
    expect(liveKeys(store)).toEqual(['c', 'd', 'e'])
    expect(store.get('c', 'a')).toBeUndefined()
    expect(store.stats()).toMatchObject({ itemCount: 3, tombstoneCount: 2, markerCount: 1 })
    expect(store.areDigestsSettled).toBe(true)
    expect(events).toEqual(['invalidate t 5m'])
    expect(store.undo(markerOf('c', at(5), 't'))).toBe(false)
  })

  it('does not let show again what was there before', () => {
    const { store } = openStore()
    store.apply(tagged('k', 3, ['t'], 'latest'))
    store.undo(markerOf('c', at(5), 't'))
    expect(store.apply(set('k', 'older, and without tag', at(2)))).toBe('superseded')
    expect(store.apply(tagged('k', 3, ['t'], 'latest'))).toBe('superseded')
    expect(store.outranks(set('k', 'older', at(2)))).toBe(true)
    expect(store.apply(set('k', 'between', at(4)))).toBe('applied')
    expect(store.get('c', 'k')?.payload).toBe('between')
  })

  it('takes away what comes late, and what that had replaced', () => {
    const { store } = openStore()
    store.apply(set('k', 'old', at(1)))
    store.undo(markerOf('c', at(5), 't'))
    expect(store.get('c', 'k')?.payload).toBe('old')
    expect(store.apply(tagged('k', 3, ['t']))).toBe('applied')
    expect(store.get('c', 'k')).toBeUndefined()
    expect(store.apply(set('k', 'old', at(1)))).toBe('superseded')
  })

  it('leaves what was set again without the tag', () => {
    const { store } = openStore()
    store.apply(tagged('k', 1, ['t']))
    store.apply(set('k', 'plain', at(2)))
    store.undo(markerOf('c', at(5), 't'))
    expect(store.get('c', 'k')?.payload).toBe('plain')
  })

  it('finds what was set again with another tag, by that one alone', () => {
    const { store } = openStore()
    store.apply(tagged('k', 1, ['t']))
    store.apply(tagged('k', 2, ['u']))
    store.undo(markerOf('c', at(5), 't'))
    expect(store.get('c', 'k')).toBeDefined()
    store.undo(markerOf('c', at(6), 'u'))
    expect(store.get('c', 'k')).toBeUndefined()
  })

  it('of very many takes them away at once, and gives their memory back a slice at a time', () => {
    const { store } = openStore()
    for (let i = 0; i < 2_000; i++) store.apply(tagged(`k${i}`, 1, ['t', `t${i}`]))
    store.apply(tagged('new', 9, ['t']))
    store.undo(markerOf('c', at(5), 't'))
    expect(store.areDigestsSettled).toBe(false)
    expect(liveKeys(store)).toEqual(['new'])
    expect(store.get('c', 'k1999')).toBeUndefined()
    expect(store.known([{ cache: 'c', key: 'k1998' }]).writes).toEqual([
      leftOf(tagged('k1998', 1, ['t', 't1998'])),
    ])
    expect(store.isKnown('c', 'k1997')).toBe(true)
    expect(store.createdAt('c', 'k1996')).toBeUndefined()
    expect(store.apply(set('k1995', 'older', at(0)))).toBe('superseded')
    sweepAll(store)
    expect(store.areDigestsSettled).toBe(true)
    expect(store.stats()).toMatchObject({ itemCount: 1, tombstoneCount: 2_000 })
    // Those that stayed are found by their tag the next time.
    store.undo(markerOf('c', at(10), 't'))
    expect(liveKeys(store)).toEqual([])
  })

  it('makes the same of a late entry as of one that was there, by the digests', () => {
    const { store: one } = openStore()
    const { store: other } = openStore()
    const changes = [tagged('k', 3, ['t']), markerOf('c', at(5), 't'), set('k', 'old', at(1))]
    for (const change of changes) applyChange(one, change)
    for (const change of changes.toReversed()) applyChange(other, change)
    expect(rootOfStore(one)).toBe(rootOfStore(other))
    expect(one.markers.digest).toBe(other.markers.digest)
  })

  it('that expires while it waits to be swept leaves a tombstone all the same', () => {
    const { store, clock } = openStore()
    for (let i = 0; i < 600; i++) store.apply(tagged(`k${i}`, 1, ['t']))
    const write = set('brief', 'v', at(2), { tags: ['t'], expiresAt: clock.now() + 10 })
    store.apply(write)
    store.undo(markerOf('c', at(5), 't'))
    clock.advance(20)
    store.sweep(1)
    expect(store.known([write]).writes).toEqual([leftOf(write)])
  })

  it('forgets the oldest marker where there is no room, and all deletes that are as old count no more', () => {
    const { store, events } = openStore({ markersMax: 1 })
    store.undo(markerOf('c', at(5_000), 't'))
    store.undo(markerOf('c', at(6_000), 'u'))
    expect(events).toEqual(['invalidate t 5000m', 'markers full', 'invalidate u 6000m'])
    expect(store.stats()).toMatchObject({ markerCount: 1, markerOverflowCount: 1 })
    expect(store.horizon.tombstonesMs).toBe(6_000)
  })
})

describe('Store.recall', () => {
  it('gives up what was written after a time without a trace, and counts what is left as if that had never been', () => {
    const { store } = openStore()
    const { store: other } = openStore()
    for (const one of [store, other]) {
      one.apply(set('kept', 'v', at(5)))
      one.apply(del('deleted', at(6)))
      one.undo(markerOf('c', at(4), 't'))
    }
    store.apply(set('kept too', 'v', at(7)))
    other.apply(set('kept too', 'v', at(7)))
    store.apply(set('future', 'v', at(1_000), { tags: ['u'] }))
    store.apply(del('future delete', at(1_001)))
    store.undo(markerOf('c', at(1_002), 'v'))
    expect(store.recall(500)).toEqual({ count: 3, latestMs: 7 })
    expect(liveKeys(store)).toEqual(['kept', 'kept too'])
    expect(rootOfStore(store)).toBe(rootOfStore(other))
    expect(store.markers.digest).toBe(other.markers.digest)
    expect(store.isKnown('c', 'future')).toBe(false)
    expect(store.apply(set('future', 'of today', at(8)))).toBe('applied')
    store.undo(markerOf('c', at(9)))
    expect(store.size('c')).toBe(0)
  })

  it('begins anew with the horizon, and what lapses lapses once', () => {
    const { store, clock } = openStore()
    const { store: other, clock: otherClock } = openStore()
    for (const one of [store, other]) {
      one.apply(set('brief', 'v', at(1), { expiresAt: clock.now() + 1_000 }))
      one.apply(set('long', 'v', at(2), { expiresAt: clock.now() + 60_000 }))
    }
    for (const one of [clock, otherClock]) one.advance(30_000)
    store.advance({ valuesMs: clock.now(), tombstonesMs: 0 })
    expect(store.recall(Number.POSITIVE_INFINITY).count).toBe(0)
    expect(store.horizon).toEqual({ valuesMs: 0, tombstonesMs: 0 })
    expect(rootOfStore(store)).toBe(rootOfStore(other))
    const horizon = { valuesMs: clock.now(), tombstonesMs: 0 }
    for (const one of [store, other, store]) one.advance(horizon)
    expect(rootOfStore(store)).toBe(rootOfStore(other))
    sweepAll(store)
    expect(rootOfStore(store)).toBe(rootOfStore(other))
    expect(liveKeys(store)).toEqual(['long'])
  })
})

describe('a partition of which something had to be forgotten', () => {
  it('is lossy until what was forgotten counts nowhere any more', () => {
    const { store, clock } = openStore({ stubsMax: 1 })
    const brief = (key: string, forMs: number) =>
      store.apply(set(key, 'v', at(1), { expiresAt: clock.now() + forMs }))
    brief('a', 1_000)
    brief('bb', 2_000)
    clock.advance(2_500)
    sweepAll(store)
    expect(store.lossyCount).toBe(1)
    store.advance({ valuesMs: clock.now() - 2_000, tombstonesMs: 0 })
    expect(store.lossyCount).toBe(1)
    store.advance({ valuesMs: clock.now(), tombstonesMs: 0 })
    expect(store.lossyCount).toBe(0)
    expect(store.lossy.includes(1)).toBe(false)
  })
})
