/** A store on a clock that the test moves, with its events written down. */
import { rootOf } from '../../src/core/comparison.js'
import { PARTITIONS } from '../../src/core/ring.js'
import { Store, type StoreListener, type StoreOptions } from '../../src/core/store.js'
import type { StoredEntry } from '../../src/core/stored-entry.js'
import type { Version } from '../../src/core/version.js'
import { FakeClock } from './clock.js'
import { type Change, isMarker } from './writes.js'

export const GRACE_MS = 60_000

export function openStore(options: Partial<StoreOptions> = {}) {
  const clock = new FakeClock()
  const events: string[] = []
  const store = new Store({
    clock,
    keyHashOf: (_, key) => key.length << 20,
    itemsMax: Number.POSITIVE_INFINITY,
    bytesMax: Number.POSITIVE_INFINITY,
    tombstoneGraceMs: GRACE_MS,
    tombstonesMax: Number.POSITIVE_INFINITY,
    markersMax: Number.POSITIVE_INFINITY,
    stubGraceMs: GRACE_MS,
    stubsMax: Number.POSITIVE_INFINITY,
    listener: noting(events),
    ...options,
  })
  return { store, clock, events }
}

function noting(events: string[]): StoreListener {
  const name = ({ wallMs, member }: Version) => `${wallMs}${member}`
  const entry = ({ key, version }: StoredEntry) => `${key} ${name(version)}`
  return {
    set: (stored) => events.push(`set ${entry(stored)}`),
    delete: (_, key, version) => events.push(`delete ${key} ${name(version)}`),
    expire: (stored) => events.push(`expire ${entry(stored)}`),
    evict: (stored) => events.push(`evict ${entry(stored)}`),
    tombstonesFull: () => events.push('tombstones full'),
    markersFull: () => events.push('markers full'),
    clear: (cache, version) => events.push(`clear ${cache} ${name(version)}`),
    invalidate: (_, tag, version) => events.push(`invalidate ${tag} ${name(version)}`),
  }
}

export function applyChange(store: Store, change: Change): void {
  if (isMarker(change)) store.undo(change)
  else store.apply(change)
}

/** Sweeps until there is nothing left to reclaim. Returns the number of slices it took. */
export function sweepAll(store: Store, limit = 100): number {
  let slices = 1
  while (store.sweep(limit)) slices++
  return slices
}

/** What tells a store's content from another's. */
export function rootOfStore(store: Store): bigint {
  const partitions = new Uint8Array(PARTITIONS).fill(1)
  return rootOf(store.digests, { partitions, ring: 0n, markers: 0 })
}

/** Keys of the live entries of a cache, sorted. */
export function liveKeys(store: Store, cache = 'c'): string[] {
  return [...store.entries(cache)].map(({ key }) => key).sort()
}
