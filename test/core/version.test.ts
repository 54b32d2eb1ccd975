import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  COUNTER_MAX,
  compareTimestamps,
  formatVersion,
  supersedes,
  TIMESTAMP_ZERO,
  type Timestamp,
  type Versioned,
  WALL_MS_MAX,
} from '../../src/core/version.js'
import { at, del, set, versioned } from '../support/writes.js'

/** The merge that every path of an entry comes down to. */
function merge(a: Versioned, b: Versioned): Versioned {
  return supersedes(b, a) ? b : a
}

/** What must come out the same: two entries that are equal in it are the same entry. */
function identity({ version, deleted, payload }: Versioned) {
  return { ...version, deleted, payload }
}

const timestamps: fc.Arbitrary<Timestamp> = fc.record({
  wallMs: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: WALL_MS_MAX })),
  counter: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: COUNTER_MAX })),
})

describe('supersedes', () => {
  it('refuses an entry that is equal to the one held', () => {
    fc.assert(fc.property(versioned, (a) => !supersedes(a, structuredClone(a))))
  })

  it('never prefers both of two entries', () => {
    fc.assert(fc.property(versioned, versioned, (a, b) => !(supersedes(a, b) && supersedes(b, a))))
  })

  it('prefers neither of two entries only when they are equal', () => {
    fc.assert(
      fc.property(versioned, versioned, (a, b) => {
        if (!supersedes(a, b) && !supersedes(b, a)) expect(identity(a)).toEqual(identity(b))
      }),
    )
  })

  it('is transitive', () => {
    fc.assert(
      fc.property(versioned, versioned, versioned, (a, b, c) => {
        if (supersedes(a, b) && supersedes(b, c)) expect(supersedes(a, c)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['the later ms', set('k', 'a', at(2, 'a')), del('k', at(1, 'z', 9))],
    ['the later counter', set('k', 'a', at(1, 'a', 2)), del('k', at(1, 'z', 1))],
    ['a delete, at one time', del('k', at(1, 'a')), set('k', 'z', at(1, 'z'))],
    ['the higher member id, at one time', set('k', 'a', at(1, 'b')), set('k', 'z', at(1, 'a'))],
    ['the higher text, under one version', set('k', 'b', at(1)), set('k', 'a', at(1))],
    ['bytes over text', set('k', new Uint8Array([0]), at(1)), set('k', 'z', at(1))],
    [
      'the longer bytes of one beginning',
      set('k', new Uint8Array([7, 0]), at(1)),
      set('k', new Uint8Array([7]), at(1)),
    ],
    [
      'the bytes that are higher first',
      set('k', new Uint8Array([8]), at(1)),
      set('k', new Uint8Array([7, 255]), at(1)),
    ],
  ])('prefers %s', (_, winner, loser) => {
    expect(supersedes(winner, loser)).toBe(true)
    expect(supersedes(loser, winner)).toBe(false)
  })

  it('lets no value displace one of the same version that is no longer known', () => {
    const stub: Versioned = { version: at(1), deleted: false, payload: undefined }
    expect(supersedes(set('k', 'a', at(1)), stub)).toBe(false)
    expect(supersedes(stub, set('k', 'a', at(1)))).toBe(false)
  })
})

describe('merge by supersedes', () => {
  it('is idempotent', () => {
    fc.assert(fc.property(versioned, (a) => merge(a, structuredClone(a)) === a))
  })

  it('is commutative', () => {
    fc.assert(
      fc.property(versioned, versioned, (a, b) => {
        expect(identity(merge(a, b))).toEqual(identity(merge(b, a)))
      }),
    )
  })

  it('is associative', () => {
    fc.assert(
      fc.property(versioned, versioned, versioned, (a, b, c) => {
        expect(identity(merge(merge(a, b), c))).toEqual(identity(merge(a, merge(b, c))))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('compareTimestamps', () => {
  it('puts nothing before zero', () => {
    fc.assert(fc.property(timestamps, (a) => compareTimestamps(a, TIMESTAMP_ZERO) >= 0))
  })

  it('turns its sign when its sides are swapped', () => {
    fc.assert(
      fc.property(timestamps, timestamps, (a, b) => {
        expect(Math.sign(compareTimestamps(a, b))).toBe(0 - Math.sign(compareTimestamps(b, a)))
      }),
    )
  })

  it('is 0 only for equal timestamps', () => {
    fc.assert(
      fc.property(timestamps, timestamps, (a, b) => {
        const equal = a.wallMs === b.wallMs && a.counter === b.counter
        expect(compareTimestamps(a, b) === 0).toBe(equal)
      }),
    )
  })
})

describe('formatVersion', () => {
  it('writes ms and counter in hex of a fixed width', () => {
    expect(formatVersion(at(0x18b_cfe5_6800, 'peer', 0x1f))).toBe('018bcfe56800-001f-peer')
    expect(formatVersion(at(WALL_MS_MAX, 'p', COUNTER_MAX))).toBe('ffffffffffff-ffff-p')
    expect(formatVersion(at(0, 'p'))).toBe('000000000000-0000-p')
  })

  it('sorts as text in the order in which sets win', () => {
    const members = fc.constantFrom('m1', 'm2')
    fc.assert(
      fc.property(timestamps, members, timestamps, members, (a, memberOfA, b, memberOfB) => {
        const first = set('k', 'v', { ...a, member: memberOfA })
        const second = set('k', 'v', { ...b, member: memberOfB })
        const later = formatVersion(first.version) > formatVersion(second.version)
        expect(later).toBe(supersedes(first, second))
      }),
    )
  })
})
