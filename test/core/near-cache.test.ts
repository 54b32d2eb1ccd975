import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { announcementOf, markerOf, type Write } from '../../src/core/entry.js'
import { NearCache } from '../../src/core/near-cache.js'
import { entryBytes } from '../../src/core/stored-entry.js'
import { at, del, set } from '../support/writes.js'

const open = (bytesMax = 1_000_000) => new NearCache(bytesMax)

/** Reads a key: asks at one moment, and has the answer afterwards. */
function fill(near: NearCache, write: Write, askedAtMs: number): void {
  near.end(near.begin(write.cache, write.key, askedAtMs), write)
}

const payloadOf = (near: NearCache, sinceMs = 0, key = 'k') => near.get('c', key, sinceMs)?.payload

describe('a near copy', () => {
  it('is not there after its bound, and not kept any longer either', () => {
    const near = open()
    fill(near, set('k', 'v', at(1)), 100)
    expect(payloadOf(near, 100)).toBe('v')
    expect(payloadOf(near, 101)).toBeUndefined()
    expect([near.size, near.bytes]).toEqual([0, 0])
    // A reader that would bear an older one does not find it again.
    expect(payloadOf(near, 0)).toBeUndefined()
  })

  it('is as old as the question, however late the answer came', () => {
    const near = open()
    const asked = near.begin('c', 'k', 100)
    near.end(asked, set('k', 'v', at(1)))
    expect(payloadOf(near, 101)).toBeUndefined()
  })

  it('does not become younger by news, though it has the later value', () => {
    const near = open()
    fill(near, set('k', 'old', at(1)), 100)
    near.heard(set('k', 'new', at(2)))
    expect(payloadOf(near, 100)).toBe('new')
    expect(payloadOf(near, 101)).toBeUndefined()
  })

  it('becomes younger by asking again', () => {
    const near = open()
    const write = set('k', 'v', at(1))
    fill(near, write, 100)
    fill(near, write, 200)
    expect(payloadOf(near, 200)).toBe('v')
    expect(near.size).toBe(1)
  })

  it('is dropped by news of a delete, and of a value that is only announced', () => {
    for (const news of [del('k', at(2)), announcementOf(set('k', 'new', at(2)))]) {
      const near = open()
      fill(near, set('k', 'old', at(1)), 0)
      near.heard(news)
      expect(payloadOf(near)).toBeUndefined()
      expect(near.bytes).toBe(0)
    }
  })

  it('is not touched by news of what is older', () => {
    const near = open()
    fill(near, set('k', 'v', at(5)), 0)
    near.heard(set('k', 'old', at(4)))
    near.heard(del('k', at(4)))
    expect(payloadOf(near)).toBe('v')
  })

  it('is not made by news alone: who has not read a key keeps nothing of it', () => {
    const near = open()
    near.heard(set('k', 'v', at(1)))
    expect(near.size).toBe(0)
  })

  it('is not made of a delete, of nothing, or of a value that did not come along', () => {
    const near = open()
    fill(near, del('k', at(1)), 0)
    fill(near, announcementOf(set('k', 'v', at(1))), 0)
    near.end(near.begin('c', 'k', 0), undefined)
    expect(near.size).toBe(0)
  })

  it('is not replaced by an older one that an owner which is behind answers', () => {
    const near = open()
    fill(near, set('k', 'new', at(2)), 0)
    fill(near, set('k', 'old', at(1)), 100)
    expect(payloadOf(near)).toBe('new')
    // Nor is it younger for that.
    expect(payloadOf(near, 1)).toBeUndefined()
  })

  it('goes when its cache is cleared, unless it was written after that', () => {
    const near = open()
    fill(near, set('old', '', at(1)), 0)
    fill(near, set('new', '', at(9)), 0)
    fill(near, set('old', '', at(1), { cache: 'other' }), 0)
    near.clear(markerOf('c', at(5)))
    expect(payloadOf(near, 0, 'old')).toBeUndefined()
    expect(payloadOf(near, 0, 'new')).toBe('')
    expect(near.get('other', 'old', 0)).toBeDefined()
  })
})

describe('an answer on its way', () => {
  it.each<[string, (near: NearCache) => void]>([
    ['a later write', (near) => near.heard(set('k', 'new', at(2)))],
    ['a later delete', (near) => near.heard(del('k', at(2)))],
    ['an announcement', (near) => near.heard(announcementOf(set('k', 'new', at(2))))],
    ['a clear', (near) => near.clear(markerOf('c', at(2)))],
    [
      'a later write and then an older one',
      (near) => {
        near.heard(set('k', 'new', at(2)))
        near.heard(set('k', 'older', at(0)))
      },
    ],
  ])('is not kept when %s is heard of meanwhile', (_, happens) => {
    const near = open()
    const asked = near.begin('c', 'k', 0)
    happens(near)
    near.end(asked, set('k', 'old', at(1)))
    expect(payloadOf(near)).toBeUndefined()
  })

  it('is kept when it is what was heard of, or later', () => {
    for (const heard of [at(1), at(0)]) {
      const near = open()
      const asked = near.begin('c', 'k', 0)
      near.heard(set('k', 'v', heard))
      near.clear(markerOf('c', at(0)))
      near.end(asked, set('k', 'v', at(1)))
      expect(payloadOf(near)).toBe('v')
    }
  })

  it('is not held up by news of other keys and other caches', () => {
    const near = open()
    const asked = near.begin('c', 'k', 0)
    near.heard(set('other', 'new', at(9)))
    near.heard(set('k', 'new', at(9), { cache: 'other' }))
    near.clear(markerOf('other', at(9)))
    near.end(asked, set('k', 'v', at(1)))
    expect(payloadOf(near)).toBe('v')
  })

  it('is judged by itself, when several ask for one key', () => {
    const near = open()
    const first = near.begin('c', 'k', 0)
    near.heard(set('k', 'new', at(2)))
    const second = near.begin('c', 'k', 10)
    near.end(first, set('k', 'old', at(1)))
    expect(payloadOf(near)).toBeUndefined()
    near.end(second, set('k', 'new', at(2)))
    expect(payloadOf(near, 10)).toBe('new')
  })

  it('is forgotten when it has come, so that no later news cost anything', () => {
    const near = open()
    const asked = near.begin('c', 'k', 0)
    near.end(asked, undefined)
    near.heard(set('k', 'new', at(2)))
    expect(asked.latest).toBeUndefined()
  })
})

describe('the bytes of near copies', () => {
  it('of a value that is larger than all of them may be are not kept, nor what it replaces', () => {
    const near = open(entryBytes('k', 'small'))
    fill(near, set('k', 'small', at(1)), 0)
    near.heard(set('k', 'larger', at(2)))
    expect([payloadOf(near), near.bytes]).toEqual([undefined, 0])
  })

  it('may be none at all', () => {
    const near = open(0)
    fill(near, set('k', '', at(1)), 0)
    expect(near.size).toBe(0)
  })

  it('make the least recently used go first', () => {
    const near = open(3 * entryBytes('a', ''))
    for (const key of ['a', 'b', 'c']) fill(near, set(key, '', at(1)), 0)
    payloadOf(near, 0, 'a')
    fill(near, set('d', '', at(1)), 0)
    expect(['a', 'b', 'c', 'd'].map((key) => payloadOf(near, 0, key))).toEqual([
      '',
      undefined,
      '',
      '',
    ])
  })

  it('and their age stay within the bounds, whatever comes', () => {
    const bytesMax = 1_500
    const key = fc.constantFrom('a', 'b', 'c', 'd')
    const version = fc.nat(5)
    const steps = fc.array(
      fc.oneof(
        fc.record({ do: fc.constant('fill' as const), key, version, size: fc.nat(1_500) }),
        fc.record({ do: fc.constant('heard' as const), key, version, size: fc.nat(1_500) }),
        fc.record({ do: fc.constant('delete' as const), key, version }),
        fc.record({ do: fc.constant('clear' as const), version }),
      ),
    )
    fc.assert(
      fc.property(steps, (all) => {
        const near = open(bytesMax)
        const askedAtMs = new Map<string, number>()
        for (const [nowMs, step] of all.entries()) {
          if (step.do === 'clear') near.clear(markerOf('c', at(step.version)))
          else if (step.do === 'delete') near.heard(del(step.key, at(step.version)))
          else {
            const write = set(step.key, 'x'.repeat(step.size), at(step.version))
            if (step.do === 'heard') near.heard(write)
            else {
              fill(near, write, nowMs)
              askedAtMs.set(step.key, nowMs)
            }
          }
          expect(near.bytes).toBeLessThanOrEqual(bytesMax)
        }
        for (const [name, lastMs] of askedAtMs) {
          expect(near.get('c', name, lastMs + 1)).toBeUndefined()
        }
        near.clear(markerOf('c', at(1_000_000)))
        expect([near.size, near.bytes]).toEqual([0, 0])
      }),
    )
  })
})
