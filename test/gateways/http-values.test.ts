/** The rules of the gateway that are plain functions. */
import { describe, expect, it } from 'vitest'
import { isLoopbackHost } from '../../src/gateways/http/guard.js'
import { prefersJson, toJson } from '../../src/gateways/http/values.js'

describe('prefersJson', () => {
  it.each([
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['text/plain', false],
    ['application/json', true],
    ['Application/JSON', true],
    ['application/json;q=0', false],
    ['application/json, */*', true],
    ['application/json, text/plain, */*', true],
    ['application/json;q=0.5, text/plain', false],
    ['application/json; q=0.9, text/*;q=0.8', true],
    ['text/html, application/json;q=0.9, */*;q=0.8', true],
    ['application/*', false],
  ])('of %j is %s', (accept, expected) => {
    expect(prefersJson(accept)).toBe(expected)
  })
})

describe('toJson', () => {
  it('refuses text that would be endless because one object is in many places', () => {
    let value: unknown = ['x'.repeat(1_000)]
    for (let level = 0; level < 40; level++) value = [value, value]
    expect(() => toJson(value)).toThrow('limit')
  })

  it('refuses what is nested deeper than JSON can be written', () => {
    let value: unknown = []
    for (let level = 0; level < 100_000; level++) value = [value]
    expect(() => toJson(value)).toThrow('too deep')
  })

  it('takes one object in two places, which is no circle', () => {
    const shared = { a: 1 }
    expect(toJson([shared, shared])).toBe('[{"a":1},{"a":1}]')
  })

  it('does not ask a value how it wants to be written', () => {
    expect(() => toJson({ born: new Date(0) })).toThrow('Date')
    expect(toJson({ toJSON: 'text' })).toBe('{"toJSON":"text"}')
  })
})

describe('isLoopbackHost', () => {
  it.each([
    ['localhost', true],
    ['Localhost:80', true],
    ['127.0.0.1', true],
    ['127.255.0.9:65535', true],
    ['[::1]', true],
    ['[::1]:7700', true],
    ['', false],
    [':80', false],
    ['localhost.', false],
    ['localhost:', false],
    ['a.localhost', false],
    ['localhost:80:80', false],
    ['127.0.0.1.example', false],
    ['127.example', false],
    ['0.0.0.0', false],
    ['[::2]', false],
    ['::1', false],
  ])('of %j is %s', (host, expected) => {
    expect(isLoopbackHost(host)).toBe(expected)
  })
})
