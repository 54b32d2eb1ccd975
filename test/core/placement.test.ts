import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import xxhash from 'xxhash-wasm'
import { noPartitions, Placement } from '../../src/core/placement.js'
import { type Hash64, PARTITIONS, Ring } from '../../src/core/ring.js'

let hash: Hash64

beforeAll(async () => {
  const { h64 } = await xxhash()
  hash = (text) => h64(text)
})

/** A ring of members with names of one letter, and two owners of each partition. */
const ring = (members: string, replicas: number | 'all' = 2) =>
  new Ring(members, { hash, replicas })

/** What member a makes of rings that follow each other. */
function placed(...rings: readonly string[]): Placement {
  const [first = '', ...others] = rings
  const placement = new Placement('a', ring(first))
  for (const members of others) placement.advance(ring(members))
  return placement
}

const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)

/** Partitions that a ring gives to a member. */
const ownedBy = (member: string, of: Ring) =>
  partitions.filter((partition) => of.preferenceList(partition).includes(member))

const named = ({ previous }: Placement) => previous.map(({ members }) => members.join(''))

describe('a placement by one ring', () => {
  it('of nobody gives nothing to anybody', () => {
    const placement = placed('')
    expect(placement.ownedCount).toBe(0)
    expect(partitions.some((partition) => placement.holds(partition))).toBe(false)
    expect(placement.listsOf(0).flat()).toEqual([])
  })

  it('gives nothing to one that is not on it', () => {
    const placement = placed('bcd')
    expect(placement.ownedCount).toBe(0)
    expect(placement.owned).toEqual(noPartitions())
    expect(placement.holdsAll).toBe(false)
  })

  it('holds what it owns, and no more', () => {
    const placement = placed('abcd')
    const owned = ownedBy('a', ring('abcd'))
    expect(placement.ownedCount).toBe(owned.length)
    expect(partitions.filter((partition) => placement.owns(partition))).toEqual(owned)
    expect(partitions.filter((partition) => placement.holds(partition))).toEqual(owned)
    expect(placement.listsOf(7)).toEqual([ring('abcd').preferenceList(7)])
  })

  it.each<[string, number | 'all', boolean]>([
    ['ab', 2, true],
    ['ab', 3, true],
    ['abc', 2, false],
    ['abc', 'all', true],
    ['bc', 'all', false],
    ['', 3, false],
  ])('of "%s" with %s replicas gives everything to a: %s', (members, replicas, holdsAll) => {
    expect(new Placement('a', ring(members, replicas)).holdsAll).toBe(holdsAll)
  })
})

describe('while the ring changes', () => {
  it('a partition has the owners by each ring, the new ones first, where they differ', () => {
    const placement = placed('abc', 'abcd')
    for (const partition of partitions) {
      const now = ring('abcd').preferenceList(partition)
      const before = ring('abc').preferenceList(partition)
      const isSame = [...now].sort().join() === [...before].sort().join()
      expect(placement.listsOf(partition)).toEqual(isSame ? [now] : [now, before])
    }
  })

  it('a member holds what it owned before, though it owns it no longer', () => {
    const placement = placed('abc', 'abcd')
    const before = ownedBy('a', ring('abc'))
    const now = ownedBy('a', ring('abcd'))
    const lost = before.filter((partition) => !now.includes(partition))
    expect(lost.length).toBeGreaterThan(0)
    for (const partition of lost) {
      expect([placement.owns(partition), placement.holds(partition)]).toEqual([false, true])
    }
    expect(placement.ownedCount).toBe(now.length)
  })

  it('a member that has left the ring holds what it owned until all is settled', () => {
    const placement = placed('abc', 'bcd')
    const before = ownedBy('a', ring('abc'))
    expect(placement.ownedCount).toBe(0)
    expect(partitions.filter((partition) => placement.holds(partition))).toEqual(before)
    placement.settle()
    expect(partitions.some((partition) => placement.holds(partition))).toBe(false)
  })

  it('one that owns everything by an earlier ring alone does not hold all', () => {
    const placement = placed('ab', 'abcd')
    expect(placement.holdsAll).toBe(false)
    expect(partitions.every((partition) => placement.holds(partition))).toBe(true)
  })

  it('two quorums of its owners have a member in common by each ring', () => {
    const rings = fc.array(fc.subarray([...'abcdef'], { minLength: 2 }), {
      minLength: 2,
      maxLength: 4,
    })
    fc.assert(
      fc.property(rings, fc.nat(PARTITIONS - 1), (all, partition) => {
        const placement = placed(...all.map((members) => members.join('')))
        for (const members of all) {
          const list = [...ring(members.join('')).preferenceList(partition)].sort().join()
          const lists = placement.listsOf(partition).map((one) => [...one].sort().join())
          expect(lists).toContain(list)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('the earlier rings count, and those that never were do not', () => {
    const placement = placed('abc', 'abcd', 'bcd')
    expect(named(placement)).toEqual(['abc', 'abcd'])
    for (const members of ['abc', 'abcd', 'bcd']) {
      expect(placement.isInForce(ring(members).digest)).toBe(true)
    }
    expect(placement.isInForce(ring('ab').digest)).toBe(false)
    expect(placement.isInForce(0n)).toBe(false)
  })

  it('the same ring again is no change', () => {
    const placement = placed('abc', 'abc')
    expect(placement.previous).toEqual([])
    const before = placement.current
    placement.advance(ring('abc'))
    expect(placement.current).toBe(before)
  })

  it('back to an earlier ring, that one is no longer an earlier one', () => {
    const placement = placed('abc', 'abcd', 'abc')
    expect(placement.current.members.join('')).toBe('abc')
    expect(named(placement)).toEqual(['abcd'])
  })

  it('a ring of nobody lacks nothing, and is not remembered', () => {
    expect(placed('', 'abc').previous).toEqual([])
    expect(named(placed('abc', '', 'bcd'))).toEqual(['abc'])
  })

  it('owners by a ring of nobody are no owners: only the others have to confirm', () => {
    const placement = placed('abc', '')
    expect(placement.listsOf(9)).toEqual([ring('abc').preferenceList(9)])
  })

  it('of many rings the oldest stays, which is the last that was complete', () => {
    const rings = Array.from({ length: 20 }, (_, i) => `a${String.fromCodePoint(98 + i)}`)
    const placement = placed(...rings)
    expect(named(placement)).toHaveLength(8)
    expect(named(placement)[0]).toBe('ab')
    expect(named(placement).slice(1)).toEqual(rings.slice(-8, -1))
  })
})

describe('settle', () => {
  it('is the end of all earlier rings at once', () => {
    const placement = placed('abc', 'abcd', 'abcde')
    placement.settle()
    expect(placement.previous).toEqual([])
    expect(placement.isInForce(ring('abc').digest)).toBe(false)
    const now = ownedBy('a', ring('abcde'))
    expect(partitions.filter((partition) => placement.holds(partition))).toEqual(now)
    for (const partition of partitions) {
      expect(placement.listsOf(partition)).toEqual([ring('abcde').preferenceList(partition)])
    }
  })

  it('of what is settled changes nothing', () => {
    const placement = placed('abc')
    placement.settle()
    expect(placement.listsOf(3)).toEqual([ring('abc').preferenceList(3)])
  })
})

describe('a ring that another member tells of', () => {
  it('counts beside the current one, which stays', () => {
    const placement = placed('abc')
    expect(placement.learn(ring('bcd'))).toBe(true)
    expect(placement.current.members.join('')).toBe('abc')
    expect(named(placement)).toEqual(['bcd'])
    expect(placement.listsOf(5).flat()).toEqual(
      expect.arrayContaining([...ring('bcd').preferenceList(5)]),
    )
    placement.settle()
    expect(named(placement)).toEqual([])
  })

  it('and is in force already is no news', () => {
    const placement = placed('abc', 'abcd')
    expect(placement.learn(ring('abc'))).toBe(false)
    expect(placement.learn(ring('abcd'))).toBe(false)
    expect(named(placement)).toEqual(['abc'])
  })

  it('makes a member hold what it owns by that one', () => {
    const placement = placed('bcd')
    placement.learn(ring('abc'))
    const before = ownedBy('a', ring('abc'))
    expect(partitions.filter((partition) => placement.holds(partition))).toEqual(before)
    expect(placement.ownedCount).toBe(0)
  })

  it('is forgotten before the one that was complete when there are too many', () => {
    const placement = placed('ab', 'abc')
    for (let i = 0; i < 20; i++) placement.learn(ring(`z${String.fromCodePoint(100 + i)}`))
    expect(named(placement)).toHaveLength(8)
    expect(named(placement)[0]).toBe('ab')
  })
})
