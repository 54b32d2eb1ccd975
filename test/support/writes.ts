/** Writes in short form, and generators of writes that collide as often as possible. */
import * as fc from 'fast-check'
import { type Marker, markerOf, tombstone, type Write } from '../../src/core/entry.js'
import type { Payload, Version, Versioned } from '../../src/core/version.js'

/** A version of one member, or of another. */
export function at(wallMs: number, member = 'm', counter = 0): Version {
  return { wallMs, counter, member }
}

/** A Set in the cache `c`, or in another. */
export function set(
  key: string,
  payload: Payload,
  version: Version,
  {
    expiresAt = 0,
    cache = 'c',
    tags,
  }: { expiresAt?: number; cache?: string; tags?: readonly string[] } = {},
): Write {
  const createdAt = version.wallMs
  return { cache, key, version, deleted: false, payload, createdAt, expiresAt, tags }
}

/** A Delete in the cache `c`, or in another. */
export function del(key: string, version: Version, { cache = 'c' } = {}): Write {
  return tombstone(cache, key, version)
}

/** Anything that the store takes in. */
export type Change = Write | Marker

export function isMarker(change: Change): change is Marker {
  return !('key' in change)
}

/** Few timestamps and few members, so that many versions are equal in part or in whole. */
export const versions: fc.Arbitrary<Version> = fc.record({
  wallMs: fc.integer({ min: 1, max: 4 }),
  counter: fc.integer({ min: 0, max: 1 }),
  member: fc.constantFrom('m1', 'm2', 'm3'),
})

export const payloads: fc.Arbitrary<Payload> = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'ab'),
  fc.uint8Array({ maxLength: 2, max: 2 }),
)

export const versioned: fc.Arbitrary<Versioned> = fc.oneof(
  fc.record({ version: versions, deleted: fc.constant(false), payload: payloads }),
  fc.record({ version: versions, deleted: fc.constant(true), payload: fc.constant(undefined) }),
)

const caches = fc.constantFrom('x', 'y')
const keys = fc.constantFrom('k1', 'k2')

/** One version is one write, and so has one time to expire. */
function expiresAtOf({ wallMs, counter, member }: Version): number {
  return [0, 0, 500, 1_500, 2_500, 60_000][
    (wallMs * 7 + counter * 3 + Number(member[1])) % 6
  ] as number
}

/** And so it has one list of tags. */
function tagsOf({ wallMs, counter, member }: Version): readonly string[] | undefined {
  return [undefined, ['t'], ['u'], ['t', 'u'], undefined][
    (wallMs * 3 + counter + Number(member[1])) % 5
  ]
}

export const sets: fc.Arbitrary<Write> = fc
  .tuple(caches, keys, payloads, versions)
  .map(([cache, key, payload, version]) =>
    set(key, payload, version, {
      cache,
      expiresAt: expiresAtOf(version),
      ...(tagsOf(version) && { tags: tagsOf(version) }),
    }),
  )

export const deletes: fc.Arbitrary<Write> = fc
  .tuple(caches, keys, versions)
  .map(([cache, key, version]) => del(key, version, { cache }))

export const clears: fc.Arbitrary<Marker> = fc
  .tuple(caches, versions)
  .map(([cache, version]) => markerOf(cache, version))

export const invalidations: fc.Arbitrary<Marker> = fc
  .tuple(caches, fc.constantFrom('t', 'u'), versions)
  .map(([cache, tag, version]) => markerOf(cache, version, tag))

export const changes: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: sets },
  { weight: 3, arbitrary: deletes },
  { weight: 1, arbitrary: clears },
  { weight: 2, arbitrary: invalidations },
)
