/** Findings, each with the case that showed it. */
import { describe, expect, it, vi } from 'vitest'
import { HybridLogicalClock } from '../src/core/hlc.js'
import { MemberList } from '../src/core/members.js'
import { PhiAccrual, phi } from '../src/core/phi.js'
import { COUNTER_MAX } from '../src/core/version.js'
import { Emitter } from '../src/emitter.js'
import { InvalidOptionError } from '../src/errors.js'
import { type PeerOptions, resolveOptions } from '../src/options.js'
import { openStore } from './support/store.js'
import { at, del, set } from './support/writes.js'

describe('store', () => {
  it('refuses a write older than a too large one, though an older tombstone is remembered', () => {
    const { store } = openStore({ bytesMax: 1_000 })
    store.apply(del('k', at(1)))
    expect(store.apply(set('k', 'x'.repeat(2_000), at(5)))).toBe('too large')
    expect(store.apply(set('k', 'older', at(3)))).toBe('superseded')
    expect(store.get('c', 'k')).toBeUndefined()
  })
  it('never brings a deleted value back through an eviction', () => {
    const { store } = openStore({ itemsMax: 1 })
    const first = set('k', 'deleted value', at(1))
    store.apply(first)
    store.apply(del('k', at(2)))
    store.apply(set('k', 'v3', at(3)))
    store.apply(set('other', 'v', at(4))) // evicts k
    expect(store.apply(first)).toBe('superseded')
    expect(store.get('c', 'k')).toBeUndefined()
  })
  it('does not show an expired key again when it was evicted before the sweep', () => {
    const { store, clock, events } = openStore({ itemsMax: 1 })
    store.apply(set('k', 'v5', at(5), { expiresAt: clock.now() + 1 }))
    clock.advance(10)
    store.apply(set('other', 'v', at(6)))
    expect(events).toContain('expire k 5m')
    expect(store.apply(set('k', 'v4', at(4)))).toBe('superseded')
  })
  it('lists no cache that holds nothing and was not cleared', () => {
    const { store } = openStore()
    store.apply(set('k', 'v', at(1)))
    store.apply(del('k', at(2)))
    expect([...store.caches()]).toEqual([])
    store.apply(set('k', 'late', at(1)))
    store.apply(del('k', at(3), { cache: 'never seen' }))
    expect([...store.caches()]).toEqual([])
  })
  it('tells the listener when a too large value takes an older one away', () => {
    const { store, events } = openStore({ bytesMax: 1_000 })
    store.apply(set('k', 'v', at(1)))
    events.length = 0
    store.apply(set('k', 'x'.repeat(2_000), at(5)))
    expect(events.length).toBeGreaterThan(0)
  })
})
describe('emitter', () => {
  it('calls a listener added during an event at the next event only', () => {
    const emitter = new Emitter<{ ping: number }>(() => {})
    let calls = 0
    const again = () => {
      if (++calls < 100) emitter.once('ping', again)
    }
    emitter.once('ping', again)
    emitter.emit('ping', 1)
    expect(calls).toBe(1)
  })
  it('off stops a listener added by once', () => {
    const emitter = new Emitter<{ ping: number }>(() => {})
    const listener = vi.fn()
    emitter.once('ping', listener)
    emitter.off('ping', listener)
    emitter.emit('ping', 1)
    expect(listener).not.toHaveBeenCalled()
  })
})
describe('options', () => {
  const message = (options: unknown) => {
    try {
      resolveOptions(options as PeerOptions)
      return 'accepted'
    } catch (error) {
      return error instanceof InvalidOptionError ? error.message : String(error)
    }
  }
  it.each([
    [{ heartbeatIntervalMs: 0 }, 'heartbeatIntervalMs: 0 '],
    [{ heartbeatIntervalMs: 2 }, 'heartbeatIntervalMs: 2 '],
    [{ sweepIntervalMs: 1 }, 'sweepIntervalMs: 1 '],
    [{ tombstoneGraceMs: 100 }, 'tombstoneGraceMs: 100 '],
  ])('O1 names the value: %j', (options, part) => {
    expect(message(options)).toContain(part)
  })
  it.each(['0.0.0.0:7700', '192.168.1.4:7700', '[::]:7700'])(
    'O2 says why http %s is refused',
    (http) => {
      expect(message({ http })).toContain('is not a loopback address')
      expect(message({ http })).toContain('no access control yet')
    },
  )
  it.each([
    [{ listen: ['/ip4/127.0.0.1/tcp/65536'] }],
    [{ bootstrap: ['dns://host:65536'] }],
    [{ bootstrap: ['/dns4/host/tcp/99999'] }],
    [{ listen: ['/ip4/127.999.0.1/tcp/0'] }],
  ])('O3 refuses what is no port or address: %j', (options) => {
    expect(message(options)).not.toBe('accepted')
  })
  it('refuses a bigint for http and a list for options', () => {
    expect(message({ http: 1n })).toMatch(/^option http/)
    expect(message([])).toMatch(/^option options/)
  })
  it('lets syncQueueMax below the default of batchEntriesMax be set alone', () => {
    expect(message({ syncQueueMax: 100 })).toBe('accepted')
  })
})
describe('hlc', () => {
  it('refuses a counter of more than 16 bits', () => {
    const clock = new HybridLogicalClock({ now: () => 5, aheadMaxMs: 0 })
    expect(clock.observe({ wallMs: 5, counter: COUNTER_MAX + 1 })).toBe(false)
  })
})
describe('members', () => {
  it('starts the time of a suspicion anew with a new incarnation', () => {
    const list = new MemberList({
      goneRetentionMs: 1,
      goneFactorMax: 1,
      goneMin: 1,
    })
    const description = {
      id: 'a',
      name: 'a',
      incarnation: 1,
      status: 'serving' as const,
      role: 'owner' as const,
      addresses: [],
    }
    list.apply({ id: 'a', incarnation: 1, state: 'suspect' }, 0, description)
    list.apply({ id: 'a', incarnation: 2, state: 'suspect' }, 5_000)
    expect(list.get('a')?.sinceMs).toBe(5_000)
  })
})
describe('phi', () => {
  it('an excuse leaves the intervals alone', () => {
    const accrual = new PhiAccrual({
      windowSize: 100,
      expectedIntervalMs: 500,
      deviationMinMs: 100,
    })
    for (let t = 0; t <= 1_000; t += 500) accrual.arrived(t)
    accrual.excuse(10_000)
    accrual.arrived(10_010)
    expect(accrual.phi(10_010 + 900)).toBeCloseTo(phi(900, 500, 100), 6)
  })
})
