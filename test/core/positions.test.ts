import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lowest, type Position, Positions } from '../../src/core/positions.js'

const EPOCH = 7

/** Positions after these batches of the member `a`. */
function received(...sequences: number[]): Positions {
  const positions = new Positions()
  for (const sequence of sequences) positions.received('a', EPOCH, sequence)
  return positions
}

function sequenceOf(positions: Positions): number | undefined {
  return positions.list().find(({ member }) => member === 'a')?.sequence
}

describe('Positions', () => {
  it('has reached nothing of a member that it has not heard of', () => {
    const positions = new Positions()
    expect(positions.hasReached('a', EPOCH, 0)).toBe(false)
    expect(positions.isBehind('a')).toBe(false)
    expect(positions.list()).toEqual([])
  })

  it('does not move past a gap', () => {
    const positions = received(1, 2, 4, 5)
    expect(sequenceOf(positions)).toBe(2)
    expect(positions.hasReached('a', EPOCH, 3)).toBe(false)
    expect(positions.behind()).toEqual(['a'])
  })

  it('moves on over what came early, once the gap is closed', () => {
    const positions = received(1, 4, 3, 6, 2)
    expect(sequenceOf(positions)).toBe(4)
    expect(positions.isBehind('a')).toBe(true)
    positions.received('a', EPOCH, 5)
    expect(sequenceOf(positions)).toBe(6)
    expect(positions.isBehind('a')).toBe(false)
  })

  it('sees a gap at the end from what the sender says it published', () => {
    const positions = received(1, 2)
    positions.announced('a', EPOCH, 3)
    expect(positions.behind()).toEqual(['a'])
    positions.announced('a', EPOCH, 1)
    expect(positions.behind()).toEqual(['a'])
    positions.received('a', EPOCH, 3)
    expect(positions.behind()).toEqual([])
  })

  it('ignores an epoch that is over', () => {
    const positions = received(1)
    positions.received('a', EPOCH - 1, 2)
    positions.announced('a', EPOCH - 1, 9)
    positions.adopt({ member: 'a', epoch: EPOCH - 1, sequence: 9 })
    expect(positions.list()).toEqual([{ member: 'a', epoch: EPOCH, sequence: 1 }])
    expect(positions.isBehind('a')).toBe(false)
  })

  it('begins anew with a new epoch, and has then reached all of the old one', () => {
    const positions = received(1, 2, 4)
    positions.received('a', EPOCH + 1, 1)
    expect(positions.list()).toEqual([{ member: 'a', epoch: EPOCH + 1, sequence: 1 }])
    expect(positions.hasReached('a', EPOCH, 3)).toBe(true)
    expect(positions.isBehind('a')).toBe(false)
  })

  it('takes over how far another was, and what came early beyond it', () => {
    const positions = received(1, 3, 5, 7)
    positions.adopt({ member: 'a', epoch: EPOCH, sequence: 4 })
    expect(sequenceOf(positions)).toBe(5)
    expect(positions.isBehind('a')).toBe(true)
  })

  it('does not go back to where another was', () => {
    const positions = received(1, 2, 3)
    positions.adopt({ member: 'a', epoch: EPOCH, sequence: 2 })
    expect(sequenceOf(positions)).toBe(3)
  })

  it('stays behind, until a transfer, when too much came early to remember', () => {
    const positions = new Positions()
    for (let sequence = 2; sequence <= 10_010; sequence++) {
      positions.received('a', EPOCH, sequence)
    }
    positions.received('a', EPOCH, 1)
    expect(sequenceOf(positions)).toBe(10_001)
    expect(positions.isBehind('a')).toBe(true)
    positions.adopt({ member: 'a', epoch: EPOCH, sequence: 10_010 })
    expect(positions.isBehind('a')).toBe(false)
  })

  it('forgets a member', () => {
    const positions = received(2)
    positions.forget('a')
    expect(positions.behind()).toEqual([])
    expect(positions.list()).toEqual([])
  })

  it('reaches the end of the unbroken run, whatever the order and however often', () => {
    const batches = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(batches, (sequences) => {
        const positions = received(...sequences)
        const missing = [1, 2, 3, 4, 5, 6, 7, 8, 9].find((n) => !sequences.includes(n)) as number
        expect(sequenceOf(positions)).toBe(missing - 1)
        expect(positions.isBehind('a')).toBe(Math.max(...sequences) >= missing)
        expect(positions.hasReached('a', EPOCH, missing - 1)).toBe(true)
        expect(positions.hasReached('a', EPOCH, missing)).toBe(false)
      }),
    )
  })
})

describe('what is given up', () => {
  it('counts as lost: nothing is missing any more', () => {
    const positions = received(1, 2, 5, 9)
    positions.announced('a', EPOCH, 12)
    positions.giveUp('a')
    expect(positions.isBehind('a')).toBe(false)
    expect(sequenceOf(positions)).toBe(12)
    expect(positions.hasReached('a', EPOCH, 12)).toBe(true)
  })

  it('does not keep the next batch from being missed', () => {
    const positions = received(1, 3)
    positions.giveUp('a')
    positions.received('a', EPOCH, 4)
    expect(sequenceOf(positions)).toBe(4)
    positions.announced('a', EPOCH, 6)
    expect(positions.isBehind('a')).toBe(true)
    positions.received('a', EPOCH, 5)
    positions.received('a', EPOCH, 6)
    expect(positions.isBehind('a')).toBe(false)
  })

  it('of a member of which nothing was missing, or nothing was heard, changes nothing', () => {
    const positions = received(1, 2)
    positions.giveUp('a')
    positions.giveUp('nobody')
    expect(sequenceOf(positions)).toBe(2)
    expect(positions.list()).toHaveLength(1)
  })
})

describe('lowest', () => {
  const at = (member: string, epoch: number, sequence: number): Position => ({
    member,
    epoch,
    sequence,
  })

  it.each([
    ['a sender that only one has heard of', [at('a', 1, 5)], [at('b', 1, 5)], []],
    ['one epoch', [at('a', 1, 5)], [at('a', 1, 3)], [at('a', 1, 3)]],
    ['two epochs', [at('a', 1, 5)], [at('a', 2, 3)], [at('a', 1, 5)]],
    [
      'several senders',
      [at('a', 1, 1), at('b', 2, 2)],
      [at('b', 2, 9), at('a', 1, 4)],
      [at('a', 1, 1), at('b', 2, 2)],
    ],
  ])('of %s', (_, a, b, both) => {
    expect(lowest(a, b)).toEqual(both)
    expect(lowest(b, a).sort((x, y) => (x.member < y.member ? -1 : 1))).toEqual(both)
  })
})
