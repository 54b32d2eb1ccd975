/** Which partition is pulled next from whom. */
import { beforeAll, describe, expect, it } from 'vitest'
import xxhash from 'xxhash-wasm'
import { noPartitions } from '../../src/core/placement.js'
import { type Hash64, PARTITIONS, Ring } from '../../src/core/ring.js'
import { GIVEN, LACKING, nextWave, type Source, type Standing } from '../../src/core/waves.js'

let hash: Hash64

beforeAll(async () => {
  const { h64 } = await xxhash()
  hash = (text) => h64(text)
})

const PARTITION = 7

/** An earlier ring of members with names of one letter; three owners of each partition, of which two are needed. */
const earlier = (members: string, neededCount = 2) => ({
  ring: new Ring(members, { hash, replicas: 3 }),
  neededCount,
})

/** A member that has given what there is of one partition, or some of it. */
const source = (standing: Standing, gave = 0): Source => {
  const given = noPartitions()
  given[PARTITION] = gave
  return { standing, given }
}

/** Of whom the one open partition is asked next: `finished` for of nobody any more, undefined for of nobody now. */
function next(sources: Record<string, Source>, rings = [earlier('abc')]): string | undefined {
  const open = noPartitions()
  open[PARTITION] = 1
  const { wanted, finished } = nextWave(open, rings, new Map(Object.entries(sources)))
  expect(wanted.size).toBeLessThanOrEqual(1)
  for (const partitions of wanted.values()) expect(partitions.indexOf(1)).toBe(PARTITION)
  if (finished.length > 0) {
    expect([finished, wanted.size]).toEqual([[PARTITION], 0])
    return 'finished'
  }
  return [...wanted.keys()][0]
}

describe('a partition', () => {
  it('is asked of one owner at a time', () => {
    expect(next({ a: source('free', GIVEN), b: source('free'), c: source('gone') })).toBe('b')
  })

  it('is finished when so many have given it as are needed', () => {
    expect(next({ a: source('free', GIVEN), b: source('gone', GIVEN), c: source('free') })).toBe(
      'finished',
    )
  })

  it('is finished when all that are there have given what they have', () => {
    expect(next({ a: source('free', GIVEN) })).toBe('finished')
    expect(next({ a: source('free', LACKING), b: source('free', LACKING) })).toBe('finished')
    expect(next({})).toBe('finished')
  })

  it('is not finished by who has only some of it: another one is asked', () => {
    expect(next({ a: source('free', LACKING), b: source('free', GIVEN), c: source('free') })).toBe(
      'c',
    )
  })

  it('waits for an owner that is there and cannot be asked now', () => {
    expect(next({ a: source('free', GIVEN), b: source('busy') })).toBeUndefined()
  })

  it('is asked of who failed before only if nobody else can be asked', () => {
    expect(next({ a: source('failing'), b: source('failing'), c: source('free') })).toBe('c')
    expect(next({ a: source('busy'), b: source('failing'), c: source('gone') })).toBe('b')
  })

  it('is not asked of who did not own it', () => {
    expect(next({ a: source('free'), d: source('free') }, [earlier('abc')])).toBe('a')
    expect(next({ d: source('free') })).toBe('finished')
  })

  it('is asked by each earlier ring, of one owner at a time', () => {
    const rings = [earlier('abc'), earlier('def')]
    const given = source('free', GIVEN)
    expect(['a', 'b', 'c']).toContain(
      next({ a: source('free'), b: source('free'), c: source('free'), d: source('free') }, rings),
    )
    expect(next({ a: given, b: given, d: source('free') }, rings)).toBe('d')
    expect(next({ a: given, b: given, d: given, e: given }, rings)).toBe('finished')
  })

  it('counts as finished where no ring was before', () => {
    expect(next({ a: source('free') }, [])).toBe('finished')
  })
})

describe('a wave', () => {
  it('asks each open partition of one owner of it, and all owners side by side', () => {
    const { ring, neededCount } = earlier('abcde')
    const sources = new Map([...'abcde'].map((id) => [id, source('free')]))
    const { wanted, finished } = nextWave(noPartitions().fill(1), [{ ring, neededCount }], sources)
    expect(finished).toEqual([])
    expect([...wanted.keys()].sort()).toEqual([...'abcde'])
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const asked = [...wanted].filter(([, partitions]) => partitions[partition] === 1)
      expect(asked).toHaveLength(1)
      expect(ring.preferenceList(partition)).toContain(asked[0]?.[0])
    }
  })
})
