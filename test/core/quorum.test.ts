import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Member, MemberState, MemberStatus } from '../../src/core/members.js'
import {
  type Ack,
  isAcknowledged,
  ownersAmong,
  quorumOf,
  votersAmong,
} from '../../src/core/quorum.js'

function member(id: string, state: MemberState = 'alive', status: MemberStatus = 'serving') {
  return { id, name: id, incarnation: 1, addresses: [], sinceMs: 0, state, status } as Member
}

const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

/** Members a, b, c … */
const members = (count: number) => LETTERS.slice(0, count).map((id) => member(id))

const states = fc.constantFrom<MemberState>('alive', 'suspect', 'dead', 'left')
const statuses = fc.constantFrom<MemberStatus>('joining', 'serving', 'draining')
const lists: fc.Arbitrary<Member[]> = fc
  .array(fc.tuple(states, statuses), { minLength: 1, maxLength: LETTERS.length })
  .map((pairs) => pairs.map(([state, status], i) => member(LETTERS[i] as string, state, status)))
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

  it('of one list has a member in common with every other', () => {
    fc.assert(
      fc.property(lists, confirmations, confirmations, (list, some, others) => {
        fc.pre(isAcknowledged('quorum', some, list, 0) && isAcknowledged('quorum', others, list, 0))
        expect([...some].some((id) => others.has(id))).toBe(true)
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
          isAcknowledged('quorum', new Set(ownersAmong(list)), list, 0),
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
    ]
    expect(ownersAmong(list)).toEqual(['a', 'b'])
  })

  it('all count towards the quorum', () => {
    fc.assert(
      fc.property(lists, (list) => {
        expect(votersAmong(list)).toEqual(expect.arrayContaining(ownersAmong(list)))
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
    expect(isAcknowledged(ack, new Set(confirmed), members(5), 0)).toBe(expected)
  })

  it('by all only where all that live are a quorum', () => {
    const list = [member('a'), member('b', 'dead'), member('c', 'dead')]
    expect(isAcknowledged('all', new Set(['a']), list, 0)).toBe(false)
    expect(isAcknowledged('all', new Set(['a', 'b']), list, 0)).toBe(true)
  })

  it('not by one that confirmed and left with its copy', () => {
    const list = [member('a'), member('b'), member('c'), member('d', 'left')]
    expect(isAcknowledged('quorum', new Set(['a', 'd']), list, 0)).toBe(false)
    expect(isAcknowledged('quorum', new Set(['a', 'b']), list, 0)).toBe(true)
  })

  it('not by fewer than were a quorum when it was made', () => {
    const confirmed = new Set(['a', 'b'])
    expect(isAcknowledged('quorum', confirmed, members(3), 2)).toBe(true)
    expect(isAcknowledged('quorum', confirmed, members(3), 3)).toBe(false)
  })

  it('not by fewer than are a quorum now', () => {
    expect(isAcknowledged('quorum', new Set(['a', 'b']), members(5), 2)).toBe(false)
  })

  it('the more, the more have confirmed it', () => {
    const minimum = fc.nat(5)
    fc.assert(
      fc.property(
        acks,
        lists,
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
      fc.property(lists, confirmations, fc.nat(5), (list, confirmed, min) => {
        const reached = (['none', 'one', 'quorum', 'all'] as const).map((ack) =>
          isAcknowledged(ack, confirmed, list, min),
        )
        expect(reached).toEqual(reached.toSorted((a, b) => Number(b) - Number(a)))
      }),
    )
  })
})
