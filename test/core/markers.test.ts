/** Clears and invalidations by tag: what they undo, which of them are kept, for how long, and how two sets are compared. */
import { describe, expect, it } from 'vitest'
import { leftOf, type Marker, markerOf } from '../../src/core/entry.js'
import { Markers } from '../../src/core/markers.js'
import { at, del, set } from '../support/writes.js'

const GRACE_MS = 1_000
const ALL_AGREED = () => Number.POSITIVE_INFINITY

function open({ itemsMax = 100 } = {}) {
  const overflowed: Marker[] = []
  const markers = new Markers({
    itemsMax,
    graceMs: GRACE_MS,
    onOverflow: (marker) => overflowed.push(marker),
  })
  return { markers, overflowed }
}

function holding(...all: Marker[]): Markers {
  const { markers } = open()
  for (const marker of all) markers.add(marker, 0)
  return markers
}

const tagged = (wallMs: number, ...tags: string[]) => set('k', 'v', at(wallMs), { tags })

describe('markers', () => {
  it('of a tag undo what bears it and was written before, and nothing else', () => {
    const marker = markerOf('c', at(5), 't')
    const markers = holding(marker)
    expect(markers.undoing(tagged(4, 't'))).toBe(marker)
    expect(markers.undoing(tagged(4, 'other', 't'))).toBe(marker)
    expect(markers.undoing(tagged(6, 't'))).toBeUndefined()
    expect(markers.undoing(tagged(4, 'other'))).toBeUndefined()
    expect(markers.undoing(set('k', 'v', at(4)))).toBeUndefined()
    expect(markers.undoing(set('k', 'v', at(4), { cache: 'd', tags: ['t'] }))).toBeUndefined()
  })

  it('of a tag leave tombstones alone: those stand for what they undid', () => {
    const markers = holding(markerOf('c', at(5), 't'))
    expect(markers.undoing(leftOf(tagged(4, 't')))).toBeUndefined()
    expect(markers.undoing(del('k', at(4)))).toBeUndefined()
  })

  it('of a cache undo all that was written before, tombstones as well', () => {
    const clear = markerOf('c', at(5))
    const markers = holding(clear)
    for (const write of [set('k', 'v', at(4)), tagged(4, 't'), del('k', at(4))]) {
      expect(markers.undoing(write)).toBe(clear)
    }
    expect(markers.undoing(set('k', 'v', at(6)))).toBeUndefined()
  })

  it('that a later one covers are no news, and are not kept', () => {
    const { markers } = open()
    expect(markers.add(markerOf('c', at(3), 't'), 0)).toBe(true)
    expect(markers.add(markerOf('c', at(2), 't'), 0)).toBe(false)
    expect(markers.add(markerOf('c', at(3), 't'), 0)).toBe(false)
    expect(markers.add(markerOf('c', at(9), 'u'), 0)).toBe(true)
    expect(markers.add(markerOf('c', at(5)), 0)).toBe(true)
    expect(markers.add(markerOf('c', at(4), 't'), 0)).toBe(false)
    expect([...markers.values()]).toEqual([markerOf('c', at(9), 'u'), markerOf('c', at(5))])
    expect(markers.outranking(markerOf('c', at(4), 't'))).toEqual(markerOf('c', at(5)))
    expect(markers.outranking(markerOf('c', at(10), 'u'))).toBeUndefined()
  })

  it('are the same by their digest whatever the order in which they came', () => {
    const all = [
      markerOf('c', at(3), 't'),
      markerOf('c', at(5)),
      markerOf('c', at(6), 't'),
      markerOf('d', at(6), 't'),
    ]
    const [one, other] = [holding(...all), holding(...all.toReversed())]
    expect(one.digest).toBe(other.digest)
    expect(one.slices).toEqual(other.slices)
    other.add(markerOf('d', at(7), 't'), 0)
    expect(one.digest).not.toBe(other.digest)
  })

  it('differ in the slices of the times at which those were made that one lacks', () => {
    const shared = Array.from({ length: 10 }, (_, i) => markerOf('c', at(1 + i * 100_000), `t${i}`))
    const late = markerOf('c', at(1_000_000), 'late')
    const [one, other] = [holding(...shared), holding(...shared, late)]
    expect(other.differing(one.slices)).toEqual([late])
    expect(one.differing(other.slices)).toEqual([])
    expect(one.differing(one.slices)).toEqual([])
    expect(other.counted()).toHaveLength(11)
  })

  it('count in the digest until the horizon has passed them', () => {
    const [one, other] = [holding(markerOf('c', at(5_000), 't')), holding()]
    one.advance(5_000)
    expect(one.digest).not.toBe(other.digest)
    one.advance(5_001)
    expect(one.digest).toBe(other.digest)
    expect(one.counted()).toEqual([])
    expect(one.undoing(tagged(4_999, 't'))).toBeDefined()
    // One that comes when it is no longer told of still undoes.
    other.advance(5_001)
    other.add(markerOf('c', at(5_000), 't'), 0)
    expect(one.digest).toBe(other.digest)
  })

  it('go when their grace is over, none counts them any more, and all have had them', () => {
    const markers = holding(markerOf('c', at(5), 't'), markerOf('c', at(7)))
    const purge = (nowMs: number, agreedMs = Number.POSITIVE_INFINITY) =>
      markers.purge(nowMs, 100, () => agreedMs)
    purge(GRACE_MS - 1)
    purge(GRACE_MS)
    expect(markers.size).toBe(1)
    markers.advance(8)
    purge(2 * GRACE_MS, 7)
    expect(markers.size).toBe(1)
    purge(2 * GRACE_MS + 1, 8)
    expect(markers.size).toBe(1)
    purge(3 * GRACE_MS, 8)
    expect(markers.size).toBe(0)
    expect(markers.clearOf('c')).toBeUndefined()
    expect(markers.digest).toBe(holding().digest)
  })

  it('are purged a slice at a time, and ask once what all others have had', () => {
    const markers = holding(...Array.from({ length: 10 }, (_, i) => markerOf('c', at(1), `t${i}`)))
    markers.advance(2)
    let asked = 0
    const agreed = () => {
      asked++
      return 2
    }
    expect(markers.purge(GRACE_MS, 4, agreed)).toBe(4)
    expect([markers.size, asked]).toEqual([6, 1])
  })

  it('that are kept beyond their grace go first where there is no room, and nobody is told', () => {
    const { markers, overflowed } = open({ itemsMax: 3 })
    for (const [wallMs, tag] of [
      [1, 'old 1'],
      [2, 'old 2'],
    ] as const) {
      markers.add(markerOf('c', at(wallMs), tag), 0)
    }
    markers.add(markerOf('c', at(5_000), 'young 1'), 900)
    markers.advance(3_000)
    // Both are needed yet: somebody who is called dead has not agreed since.
    markers.purge(GRACE_MS, 10, () => 0)
    markers.add(markerOf('c', at(5_001), 'young 2'), GRACE_MS)
    markers.add(markerOf('c', at(5_002), 'young 3'), GRACE_MS)
    expect([...markers.values()].map(({ tag }) => tag)).toEqual(['young 1', 'young 2', 'young 3'])
    expect(overflowed).toEqual([])
  })

  it('beyond the most there may be push out the oldest, which is counted and told', () => {
    const { markers, overflowed } = open({ itemsMax: 2 })
    for (const wallMs of [1, 2, 3]) markers.add(markerOf('c', at(wallMs), `t${wallMs}`), 0)
    expect(overflowed).toEqual([markerOf('c', at(1), 't1')])
    expect([markers.size, markers.overflowCount]).toEqual([2, 1])
    expect(markers.digest).toBe(
      holding(markerOf('c', at(2), 't2'), markerOf('c', at(3), 't3')).digest,
    )
    markers.add(markerOf('c', at(3_004), 't3'), 0)
    expect(markers.overflowCount).toBe(1)
    // The oldest by when it was made, not by when it came.
    markers.add(markerOf('c', at(1_001), 't4'), 0)
    markers.add(markerOf('c', at(2_001), 't5'), 0)
    expect(overflowed.map(({ tag }) => tag)).toEqual(['t1', 't2', 't4'])
    expect(markers.purge(GRACE_MS, 10, ALL_AGREED)).toBe(2)
  })
})
