import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import xxhash from 'xxhash-wasm'
import { type Hash64, PARTITIONS, partitionOf, Ring } from '../../src/core/ring.js'
import { randomId, seeded, testSeed } from '../support/random.js'

let xxhash64: Hash64

beforeAll(async () => {
  const { h64 } = await xxhash()
  xxhash64 = (text) => h64(text)
})

/** Puts all virtual nodes of a member on the point at which a partition begins. */
function placed(firstPartitions: Record<string, number>): Hash64 {
  return (text) => {
    const partition = firstPartitions[text.slice(0, text.indexOf('\0'))] as number
    return BigInt(partition) << 52n
  }
}

function primaries(ring: Ring): Array<string | undefined> {
  return Array.from({ length: PARTITIONS }, (_, partition) => ring.owner(partition))
}

function lists(ring: Ring): Array<readonly string[]> {
  return Array.from({ length: PARTITIONS }, (_, partition) => ring.preferenceList(partition))
}

const memberSets = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { minLength: 1, maxLength: 6 })

describe('a ring without members', () => {
  it('has no owner for any partition', () => {
    const ring = new Ring([], { hash: placed({}), replicas: 3 })
    expect(ring.owner(0)).toBeUndefined()
    expect(lists(ring).every((list) => list.length === 0)).toBe(true)
    expect(ring.partitionCounts().size).toBe(0)
  })

  it('is what is left when the last member goes', () => {
    const ring = new Ring(['a'], { hash: placed({ a: 7 }), replicas: 'all' }).remove('a')
    expect(ring.members).toEqual([])
    expect(ring.preferenceList(7)).toEqual([])
  })
})

describe('Ring, with points chosen by hand', () => {
  const hash = placed({ a: 1_000, b: 2_000, c: 3_000 })

  it.each([
    [0, ['a', 'b']],
    [1_000, ['a', 'b']],
    [1_001, ['b', 'c']],
    [2_000, ['b', 'c']],
    [2_001, ['c', 'a']],
    [3_000, ['c', 'a']],
    [3_001, ['a', 'b']],
    [4_095, ['a', 'b']],
  ])('partition %i goes clockwise to %j', (partition, owners) => {
    const ring = new Ring(['c', 'a', 'b'], { hash, replicas: 2 })
    expect(ring.preferenceList(partition)).toEqual(owners)
    expect(ring.owner(partition)).toBe(owners[0])
  })

  it('counts the partitions of each primary', () => {
    const counts = new Ring(['a', 'b', 'c'], { hash, replicas: 2 }).partitionCounts()
    expect(Object.fromEntries(counts)).toEqual({ a: 1_001 + 1_095, b: 1_000, c: 1_000 })
  })

  it('counts 0 for a member that is never first', () => {
    const shared = placed({ a: 5, b: 5 })
    const counts = new Ring(['b', 'a'], { hash: shared, replicas: 1 }).partitionCounts()
    expect(Object.fromEntries(counts)).toEqual({ a: PARTITIONS, b: 0 })
  })

  it('orders members on one point by id, wherever they stood in the list', () => {
    const shared = placed({ a: 5, b: 5, c: 5 })
    const ring = new Ring(['c', 'b', 'a'], { hash: shared, replicas: 'all' })
    expect(ring.preferenceList(100)).toEqual(['a', 'b', 'c'])
  })

  it('has no owner for a partition that does not exist', () => {
    const ring = new Ring(['a'], { hash, replicas: 1 })
    expect(ring.owner(PARTITIONS)).toBeUndefined()
    expect(ring.preferenceList(-1)).toEqual([])
  })

  it('counts a member that is named twice once', () => {
    expect(new Ring(['a', 'b', 'a'], { hash, replicas: 1 }).members).toEqual(['a', 'b'])
  })

  it('stays itself when a member is added that it has, or removed that it has not', () => {
    const ring = new Ring(['a', 'b'], { hash, replicas: 1 })
    expect(ring.add('a')).toBe(ring)
    expect(ring.remove('c')).toBe(ring)
  })

  it('is not changed by what is made from it', () => {
    const ring = new Ring(['a', 'b'], { hash, replicas: 1 })
    const before = primaries(ring)
    ring.add('c')
    ring.remove('a')
    expect(ring.members).toEqual(['a', 'b'])
    expect(primaries(ring)).toEqual(before)
  })
})

describe('Ring', () => {
  it.each([
    [1, 1],
    [3, 3],
    [5, 5],
    [9, 5],
    ['all' as const, 5],
  ])('with %s replicas lists %i distinct members of 5', (replicas, length) => {
    const ring = new Ring(['a', 'b', 'c', 'd', 'e'], { hash: xxhash64, replicas })
    for (const list of lists(ring)) {
      expect(list.length).toBe(length)
      expect(new Set(list).size).toBe(length)
    }
  })

  it('puts the primary first and spreads the rest', () => {
    const ring = new Ring(['a', 'b', 'c', 'd'], { hash: xxhash64, replicas: 2 })
    const pairs = new Set(lists(ring).map((list) => list.join()))
    expect(pairs.size).toBe(4 * 3)
    expect(lists(ring).map(([primary]) => primary)).toEqual(primaries(ring))
  })

  it('depends on the set of ids alone, not on the order in which they came', () => {
    fc.assert(
      fc.property(
        memberSets.chain((ids) =>
          fc.tuple(fc.constant(ids), fc.shuffledSubarray(ids, { minLength: ids.length })),
        ),
        ([ids, shuffled]) => {
          const options = { hash: xxhash64, replicas: 3 }
          const grown = shuffled.reduce((ring, id) => ring.add(id), new Ring([], options))
          expect(lists(grown)).toEqual(lists(new Ring(ids, options)))
        },
      ),
      { numRuns: 10 },
    )
  })

  it('is as before when a member joins and leaves', () => {
    fc.assert(
      fc.property(memberSets, (ids) => {
        const ring = new Ring(ids, { hash: xxhash64, replicas: 3 })
        expect(lists(ring.add('newcomer').remove('newcomer'))).toEqual(lists(ring))
      }),
      { numRuns: 10 },
    )
  })

  it('gives a newcomer partitions, and moves none between the others', () => {
    fc.assert(
      fc.property(memberSets, (ids) => {
        const before = lists(new Ring(ids, { hash: xxhash64, replicas: 3 }))
        const after = lists(new Ring([...ids, 'newcomer'], { hash: xxhash64, replicas: 3 }))
        for (const [partition, list] of after.entries()) {
          const others = list.filter((id) => id !== 'newcomer')
          expect(others).toEqual(before[partition]?.slice(0, others.length))
        }
      }),
      { numRuns: 10 },
    )
  })

  it('shares partitions evenly: the 95th percentile of max/mean is at most 1.20', () => {
    const seed = testSeed()
    const random = seeded(seed)
    const peaks = Array.from({ length: 200 }, () => {
      const ids = Array.from({ length: 10 }, () => randomId(random))
      const counts = new Ring(ids, { hash: xxhash64, replicas: 1 }).partitionCounts()
      return Math.max(...counts.values()) / (PARTITIONS / ids.length)
    }).sort((a, b) => a - b)
    const p95 = peaks[Math.ceil(peaks.length * 0.95) - 1]
    expect(p95, `HEARSAY_TEST_SEED=${seed}`).toBeLessThanOrEqual(1.2)
  })

  it('moves no more than a tenth over the ideal share when a member joins', () => {
    const seed = testSeed()
    const random = seeded(seed)
    const shares = Array.from({ length: 20 }, () => {
      const ids = Array.from({ length: 1 + Math.floor(random() * 14) }, () => randomId(random))
      const newcomer = randomId(random)
      const ring = new Ring(ids, { hash: xxhash64, replicas: 1 })
      const before = primaries(ring)
      const after = primaries(ring.add(newcomer))
      const moved = after.filter((owner, partition) => owner !== before[partition])
      const strays = moved.filter((owner) => owner !== newcomer)
      expect(strays, `HEARSAY_TEST_SEED=${seed}`).toEqual([])
      return moved.length / (PARTITIONS / (ids.length + 1))
    })
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
    expect(mean, `HEARSAY_TEST_SEED=${seed}`).toBeLessThanOrEqual(1.1)
  })
})

describe('what a ring says of itself', () => {
  const ring = (members: string, replicas: number | 'all' = 3) =>
    new Ring(members, { hash: xxhash64, replicas })

  it('is a digest that tells sets of members apart, and nothing else', () => {
    fc.assert(
      fc.property(memberSets, memberSets, (some, others) => {
        const isSame = [...some].sort().join() === [...others].sort().join()
        expect(ring(some.join('')).digest === ring(others.join('')).digest).toBe(isSame)
      }),
      { numRuns: 30 },
    )
    expect(ring('abc', 2).digest).toBe(ring('cba', 'all').digest)
    expect(new Ring(['ab', 'c'], { hash: xxhash64, replicas: 1 }).digest).not.toBe(
      new Ring(['a', 'bc'], { hash: xxhash64, replicas: 1 }).digest,
    )
  })

  it('is never the digest 0, which stands for none', () => {
    expect(new Ring([], { hash: () => 0n, replicas: 3 }).digest).toBe(1n)
    expect(ring('').digest).not.toBe(0n)
  })

  it.each<[string, number | 'all', boolean]>([
    ['', 3, true],
    ['a', 1, true],
    ['ab', 1, false],
    ['abc', 3, true],
    ['abcd', 3, false],
    ['abcd', 'all', true],
  ])(
    'is, of "%s" with %s replicas, that every member owns everything: %s',
    (members, replicas, is) => {
      expect(ring(members, replicas).isFull).toBe(is)
    },
  )

  it('is what each member owns: the partitions that have it in their lists', () => {
    const all = ring('abcde')
    for (const member of all.members) {
      const owned = all.ownedBy(member)
      expect(owned).toHaveLength(PARTITIONS)
      const listed = lists(all).map((list) => (list.includes(member) ? 1 : 0))
      expect([...owned]).toEqual(listed)
    }
  })

  it('is that a stranger owns nothing', () => {
    expect(
      ring('abc')
        .ownedBy('z')
        .every((owns) => owns === 0),
    ).toBe(true)
    expect(
      ring('')
        .ownedBy('a')
        .every((owns) => owns === 0),
    ).toBe(true)
  })

  it('is the same list each time it is asked', () => {
    const all = ring('abcde')
    expect(all.preferenceList(17)).toBe(all.preferenceList(17))
    expect(all.preferenceList(17)).toEqual(ring('abcde').preferenceList(17))
  })
})

describe('partitionOf', () => {
  it('is the top 12 bits of the hash', () => {
    expect(partitionOf(() => 0n, 'c', 'k')).toBe(0)
    expect(partitionOf(() => 2n ** 52n - 1n, 'c', 'k')).toBe(0)
    expect(partitionOf(() => 2n ** 52n, 'c', 'k')).toBe(1)
    expect(partitionOf(() => 2n ** 64n - 1n, 'c', 'k')).toBe(PARTITIONS - 1)
  })

  it('hashes cache and key with a NUL between them', () => {
    const hashed: string[] = []
    const hash: Hash64 = (text) => BigInt(hashed.push(text))
    partitionOf(hash, 'ab', 'c')
    partitionOf(hash, 'a', 'bc')
    expect(hashed).toEqual(['ab\0c', 'a\0bc'])
  })

  it('is the same on every machine and in every release', () => {
    const keys = ['', 'a', '42', 'schlüssel', '🎉']
    expect(keys.map((key) => partitionOf(xxhash64, 'users', key))).toEqual([879, 52, 16, 1157, 994])
  })
})
