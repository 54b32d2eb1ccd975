import { describe, expect, it } from 'vitest'
import { markerOf, payloadBytes, stringBytes, tombstone } from '../../src/core/entry.js'
import { supersedes } from '../../src/core/version.js'
import { at, set } from '../support/writes.js'

describe('tombstone', () => {
  it('carries no value and never expires', () => {
    const deleted = tombstone('users', '42', at(7))
    expect(deleted).toMatchObject({ cache: 'users', key: '42', version: at(7), deleted: true })
    expect(deleted.payload).toBeUndefined()
    expect(deleted.expiresAt).toBe(0)
  })

  it('wins over a set of the same time by any member', () => {
    expect(supersedes(tombstone('c', 'k', at(1, 'a')), set('k', 'v', at(1, 'z')))).toBe(true)
  })
})

describe('markerOf', () => {
  it('wins over a set of the same time, and loses to a later one', () => {
    const marker = markerOf('c', at(5, 'a'))
    expect(supersedes(marker, set('k', 'v', at(5, 'z')))).toBe(true)
    expect(supersedes(set('k', 'v', at(5, 'a', 1)), marker)).toBe(true)
  })
})

describe('stringBytes', () => {
  it.each([
    ['', 0],
    ['plain', 5],
    ['é\u00ff', 2],
    ['\u0100', 2],
    ['plain\u0100', 12],
    ['🎉', 4],
    ['a\nb\u2028', 8],
  ])('counts %j as %i', (text, bytes) => {
    expect(stringBytes(text)).toBe(bytes)
  })
})

describe('payloadBytes', () => {
  it('counts the bytes of a view, not of the buffer under it', () => {
    expect(payloadBytes(new Uint8Array(new ArrayBuffer(100), 10, 3))).toBe(3)
  })

  it('counts text as memory holds it', () => {
    expect(payloadBytes('abc')).toBe(3)
    expect(payloadBytes('ab€')).toBe(6)
  })
})
