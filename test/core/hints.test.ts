import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { markerOf } from '../../src/core/entry.js'
import { Hints } from '../../src/core/hints.js'
import { entryBytes } from '../../src/core/stored-entry.js'
import { at, del, set } from '../support/writes.js'

const AGE_MS = 1_000

function open() {
  const hints = new Hints({ ageMaxMs: AGE_MS })
  const keys = () => [...hints.values()].map(({ write }) => write.key)
  return { hints, keys }
}

describe('hints', () => {
  it('take the bytes of an entry each, until they are released', () => {
    const { hints } = open()
    const first = set('a', '', at(1))
    hints.add(first, 0, 0)
    hints.add(set('b', '', at(2)), 0, 0)
    expect(hints.bytes).toBe(2 * entryBytes('a', ''))
    hints.release(first)
    expect(hints.bytes).toBe(entryBytes('a', ''))
  })

  it('that waited too long are given up, the oldest first, and counted', () => {
    const { hints, keys } = open()
    for (const [i, key] of ['a', 'b', 'c'].entries()) hints.add(set(key, '', at(i)), 0, i * 400)
    expect(hints.expire(AGE_MS - 1)).toBe(0)
    expect(hints.expire(AGE_MS + 400)).toBe(2)
    expect(keys()).toEqual(['c'])
    expect(hints.expiredCount).toBe(2)
    expect(hints.get('c', 'a')).toBeUndefined()
    expect(hints.expire(AGE_MS * 2)).toBe(1)
    expect([hints.size, hints.bytes, hints.expiredCount]).toEqual([0, 0, 3])
  })

  it('of one key are one: the later write takes the place, and its time begins anew', () => {
    const { hints, keys } = open()
    hints.add(set('k', 'old', at(1)), 0, 0)
    hints.add(set('other', '', at(2)), 0, 100)
    hints.add(set('k', 'new', at(3)), 0, 500)
    expect(hints.get('c', 'k')?.payload).toBe('new')
    expect(keys()).toEqual(['other', 'k'])
    expect(hints.bytes).toBe(entryBytes('k', 'new') + entryBytes('other', ''))
    expect(hints.expire(AGE_MS + 100)).toBe(1)
    expect(keys()).toEqual(['k'])
  })

  it('stay when an earlier write to their key was delivered', () => {
    const { hints } = open()
    const old = set('k', 'old', at(1))
    hints.add(old, 0, 0)
    hints.add(set('k', 'new', at(2)), 0, 0)
    hints.release(old)
    expect(hints.get('c', 'k')?.payload).toBe('new')
  })

  it('stay, but are not the latest any more, when a later write of somebody else is heard of', () => {
    const { hints } = open()
    hints.add(set('k', 'mine', at(5)), 0, 0)
    hints.heard(set('k', 'older', at(4, 'other')))
    expect(hints.latest('c', 'k')?.payload).toBe('mine')
    hints.heard(set('k', 'newer', at(6, 'other')))
    expect(hints.latest('c', 'k')).toBeUndefined()
    // That one may be lost.
    expect(hints.get('c', 'k')?.payload).toBe('mine')
    hints.add(set('k', 'mine again', at(7)), 0, 0)
    expect(hints.latest('c', 'k')?.payload).toBe('mine again')
  })

  it('of deletes are kept like others', () => {
    const { hints } = open()
    hints.add(del('k', at(1)), 3, 0)
    expect(hints.get('c', 'k')).toMatchObject({ deleted: true, payload: undefined })
    expect(hints.bytes).toBeGreaterThan(0)
    expect([...hints.values()]).toMatchObject([{ partition: 3, sinceMs: 0 }])
  })

  it('that a clear has undone are forgotten, those written after it and of other caches are not', () => {
    const { hints, keys } = open()
    hints.add(set('old', '', at(1)), 0, 0)
    hints.add(del('gone', at(2)), 0, 0)
    hints.add(set('new', '', at(6)), 0, 0)
    hints.add(set('elsewhere', '', at(1), { cache: 'other' }), 0, 0)
    hints.clear(markerOf('c', at(5)))
    hints.clear(markerOf('unknown', at(5)))
    expect(keys()).toEqual(['new', 'elsewhere'])
    expect(hints.expiredCount).toBe(0)
  })

  it('take exactly the bytes of what they hold, whatever comes and goes', () => {
    const key = fc.constantFrom('a', 'b', 'c')
    const steps = fc.array(
      fc.oneof(
        fc.record({ do: fc.constant('add' as const), key, payload: fc.string({ maxLength: 20 }) }),
        fc.record({ do: fc.constant('release' as const), key }),
        fc.record({ do: fc.constant('expire' as const), afterMs: fc.nat(AGE_MS) }),
        fc.record({ do: fc.constant('clear' as const) }),
      ),
    )
    fc.assert(
      fc.property(steps, (all) => {
        const { hints } = open()
        let nowMs = 0
        for (const [i, step] of all.entries()) {
          if (step.do === 'expire') nowMs += step.afterMs
          if (step.do === 'add') hints.add(set(step.key, step.payload, at(i)), 0, nowMs)
          else if (step.do === 'expire') hints.expire(nowMs)
          else if (step.do === 'clear') hints.clear(markerOf('c', at(i)))
          else {
            const write = hints.get('c', step.key)
            if (write !== undefined) hints.release(write)
          }
          const held = [...hints.values()]
          const bytes = held.map(({ write }) => entryBytes(write.key, write.payload as string))
          expect(hints.bytes).toBe(bytes.reduce((sum, one) => sum + one, 0))
          expect(hints.size).toBe(held.length)
          expect(held.every(({ sinceMs }) => nowMs - sinceMs <= AGE_MS)).toBe(true)
        }
      }),
    )
  })
})
