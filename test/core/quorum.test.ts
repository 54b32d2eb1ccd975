import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Member, MemberRole, MemberState, MemberStatus } from '../../src/core/members.js'
import {
  type Ack,
  type Electorate,
  everybody,
  isAcknowledged,
  quorumOfReplicas,
} from '../../src/core/quorum.js'

function member(
  id: string,
  state: MemberState = 'alive',
  status: MemberStatus = 'serving',
  role: MemberRole = 'owner',
): Member {
  return { id, name: id, incarnation: 1, addresses: [], sinceMs: 0, state, status, role }
}

/** Those whose majority is a quorum where every member owns every key, and those that can confirm. */
const votersAmong = (list: readonly Member[]) => everybody(list).lists[0]
const quorumOf = (list: readonly Member[], expectsOthers?: boolean) =>
  everybody(list, expectsOthers).quorum
const ownersAmong = (list: readonly Member[]) => everybody(list).owners

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

/** Members a, b, c … */
const members = (count: number) => LETTERS.slice(0, count).map((id) => member(id))

const states = fc.constantFrom<MemberState>('alive', 'suspect', 'dead', 'left')
const statuses = fc.constantFrom<MemberStatus>('joining', 'serving', 'draining')
const roles = fc.constantFrom<MemberRole>('owner', 'owner', 'client')
const lists: fc.Arbitrary<Member[]> = fc
  .array(fc.tuple(states, statuses, roles), { minLength: 1, maxLength: LETTERS.length })
  .map((all) => all.map((one, i) => member(LETTERS[i] as string, ...one)))
/** Where every member owns every key, or a key has so many owners by each of some rings. */
const electorates: fc.Arbitrary<Electorate> = fc.oneof(
  lists.map((list) => everybody(list)),
  fc.integer({ min: 1, max: 5 }).chain((replicas) => {
    const list = fc.shuffledSubarray(LETTERS, { minLength: 1, maxLength: replicas })
    const some = fc.array(list, { minLength: 1, maxLength: 3 })
    return fc.tuple(some, fc.subarray(LETTERS)).map(([rings, there]) => ({
      lists: rings,
      quorum: quorumOfReplicas(replicas),
      owners: there.filter((id) => rings.flat().includes(id)),
    }))
  }),
)
const confirmations = fc.subarray(LETTERS).map((ids) => new Set(ids))
const acks = fc.constantFrom<Ack>('none', 'one', 'quorum', 'all')

describe('a quorum', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
  ])('of %i members is %i', (count, quorum) => {
    expect(quorumOf(members(count))).toBe(quorum)
  })

  it('is out of reach of a member that was told of others and has met none', () => {
    expect(quorumOf(members(1), true)).toBe(2)
    expect(quorumOf(members(2), true)).toBe(2)
    expect(quorumOf(members(1), false)).toBe(1)
  })

  it.each<[MemberState, MemberStatus, boolean]>([
    ['alive', 'serving', true],
    ['alive', 'draining', true],
    ['alive', 'joining', false],
    ['suspect', 'serving', true],
    ['suspect', 'joining', false],
    ['dead', 'serving', true],
    ['dead', 'draining', true],
    // It may have come to serve before it died.
    ['dead', 'joining', true],
    ['left', 'serving', false],
    ['left', 'draining', false],
    ['left', 'joining', false],
  ])('counts one that is %s and %s: %s', (state, status, counts) => {
    const list = [member('a'), member('b'), member('c', state, status)]
    expect(votersAmong(list)).toEqual(counts ? ['a', 'b', 'c'] : ['a', 'b'])
    // Two of two, or two of three.
    expect(quorumOf([...list, member('d')])).toBe(counts ? 3 : 2)
  })

  it('does not count a client, whatever it says of itself', () => {
    const list = [...members(3), member('d', 'alive', 'serving', 'client')]
    expect(votersAmong(list)).toEqual(['a', 'b', 'c'])
    expect(ownersAmong(list)).toEqual(['a', 'b', 'c'])
    expect(quorumOf([...list, member('e', 'dead', 'serving', 'client')])).toBe(2)
    expect(isAcknowledged('quorum', new Set(['a', 'd']), everybody(list))).toBe(false)
  })

  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [16, 9],
  ])('of %i replicas is %i, however many owners there are', (replicas, quorum) => {
    expect(quorumOfReplicas(replicas)).toBe(quorum)
  })

  it('has a member in common with every other, of each list', () => {
    const two = fc.tuple(confirmations, confirmations)
    fc.assert(
      fc.property(electorates, two, (electorate, [some, others]) => {
        for (const set of [some, others]) fc.pre(isAcknowledged('quorum', set, electorate))
        for (const list of electorate.lists) {
          expect(list.some((id) => some.has(id) && others.has(id))).toBe(true)
        }
      }),
    )
  })

  it('cannot be had in two parts that call each other dead', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.nat(6), (count, cut) => {
        const seenFrom = (isHere: (index: number) => boolean) =>
          members(count).map(({ id }, i) => member(id, isHere(i) ? 'alive' : 'dead'))
        const parts = [seenFrom((i) => i < cut), seenFrom((i) => i >= cut)]
        const able = parts.filter((list) =>
          isAcknowledged('quorum', new Set(ownersAmong(list)), everybody(list), 0),
        )
        expect(able.length).toBeLessThan(2)
      }),
    )
  })
})

describe('those that can acknowledge', () => {
  it('are live and serve', () => {
    const list = [
      member('a'),
      member('b', 'suspect'),
      member('c', 'alive', 'joining'),
      member('d', 'alive', 'draining'),
      member('e', 'dead'),
      member('f', 'left'),
      member('g', 'alive', 'serving', 'client'),
    ]
    expect(ownersAmong(list)).toEqual(['a', 'b'])
  })

  it('all count towards the quorum', () => {
    fc.assert(
      fc.property(lists, (list) => {
        expect(votersAmong(list)).toEqual(expect.arrayContaining([...ownersAmong(list)]))
      }),
    )
  })
})

describe('a write is acknowledged', () => {
  it.each<[Ack, string, boolean]>([
    ['none', '', true],
    ['one', '', false],
    ['one', 'a', true],
    ['quorum', 'a', false],
    ['quorum', 'ab', false],
    ['quorum', 'abc', true],
    ['quorum', 'cde', true],
    ['all', 'abc', false],
    ['all', 'abcd', false],
    ['all', 'abcde', true],
  ])('at %s by "%s" of five: %s', (ack, confirmed, expected) => {
    expect(isAcknowledged(ack, new Set(confirmed), everybody(members(5)), 0)).toBe(expected)
  })

  it('by all only where all that live are a quorum', () => {
    const list = [member('a'), member('b', 'dead'), member('c', 'dead')]
    expect(isAcknowledged('all', new Set(['a']), everybody(list), 0)).toBe(false)
    expect(isAcknowledged('all', new Set(['a', 'b']), everybody(list), 0)).toBe(true)
  })

  it('not by one that confirmed and left with its copy', () => {
    const list = [member('a'), member('b'), member('c'), member('d', 'left')]
    expect(isAcknowledged('quorum', new Set(['a', 'd']), everybody(list), 0)).toBe(false)
    expect(isAcknowledged('quorum', new Set(['a', 'b']), everybody(list), 0)).toBe(true)
  })

  it('not by fewer than were a quorum when it was made', () => {
    const confirmed = new Set(['a', 'b'])
    expect(isAcknowledged('quorum', confirmed, everybody(members(3)), 2)).toBe(true)
    expect(isAcknowledged('quorum', confirmed, everybody(members(3)), 3)).toBe(false)
  })

  it('not by fewer than are a quorum now', () => {
    expect(isAcknowledged('quorum', new Set(['a', 'b']), everybody(members(5)), 2)).toBe(false)
  })

  it('the more, the more have confirmed it', () => {
    const minimum = fc.nat(5)
    fc.assert(
      fc.property(
        acks,
        electorates,
        confirmations,
        confirmations,
        minimum,
        (ack, list, some, more, min) => {
          fc.pre(isAcknowledged(ack, some, list, min))
          expect(isAcknowledged(ack, new Set([...some, ...more]), list, min)).toBe(true)
        },
      ),
    )
  })

  it('by all implies by a quorum, that by one, and that by none', () => {
    fc.assert(
      fc.property(electorates, confirmations, fc.nat(5), (list, confirmed, min) => {
        const reached = (['none', 'one', 'quorum', 'all'] as const).map((ack) =>
          isAcknowledged(ack, confirmed, list, min),
        )
        expect(reached).toEqual(reached.toSorted((a, b) => Number(b) - Number(a)))
      }),
    )
  })
})

describe('while the ring changes, a write is acknowledged', () => {
  /** Owned by a, b and c until now, and by b, c and d from now on; all are there. */
  const changing: Electorate = {
    lists: [
      ['b', 'c', 'd'],
      ['a', 'b', 'c'],
    ],
    quorum: 2,
    owners: ['a', 'b', 'c', 'd'],
  }
  const acknowledged = (ack: Ack, confirmed: string, electorate = changing) =>
    isAcknowledged(ack, new Set(confirmed), electorate)

  it.each<[Ack, string, boolean]>([
    ['one', '', false],
    ['one', 'e', false],
    ['one', 'a', true],
    ['one', 'd', true],
    ['quorum', 'ab', false],
    ['quorum', 'cd', false],
    ['quorum', 'ad', false],
    ['quorum', 'bc', true],
    ['quorum', 'abd', true],
    ['all', 'bcd', false],
    ['all', 'abc', false],
    ['all', 'abcd', true],
  ])('at %s by "%s", who has to be enough for both rings: %s', (ack, confirmed, expected) => {
    expect(acknowledged(ack, confirmed)).toBe(expected)
  })

  it('by nobody where two rings have no owner in common, but by enough of each', () => {
    const apart = { ...changing, lists: ['abc'.split(''), 'def'.split('')], owners: [] }
    expect(acknowledged('quorum', 'abc', apart)).toBe(false)
    expect(acknowledged('quorum', 'def', apart)).toBe(false)
    expect(acknowledged('quorum', 'abde', apart)).toBe(true)
  })

  it('not where the owners there are fewer than a quorum of the replicas', () => {
    const few = { lists: [['a']], quorum: quorumOfReplicas(3), owners: ['a'] }
    expect(acknowledged('one', 'a', few)).toBe(true)
    expect(acknowledged('quorum', 'a', few)).toBe(false)
    expect(acknowledged('all', 'a', few)).toBe(false)
  })

  it('by nobody where nobody owns anything', () => {
    const nobody = { lists: [], quorum: 1, owners: [] }
    for (const ack of ['one', 'quorum', 'all'] as const) {
      expect(acknowledged(ack, 'abc', nobody)).toBe(false)
    }
  })
})
