/** Values come back as they went in, each read a new one; what cannot be carried is refused and not mangled. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UnsupportedValueError } from '../../src/errors.js'
import { decodeValue, encodeValue } from '../../src/protocol/values.js'

/** What a reader gets of a value. */
function read(value: unknown): unknown {
  return decodeValue(encodeValue(value))
}

/** What refuses a value; fails when nothing does. */
function refusal(value: unknown): UnsupportedValueError {
  try {
    encodeValue(value)
  } catch (error) {
    expect(error).toBeInstanceOf(UnsupportedValueError)
    expect(error).toMatchObject({ code: 'UNSUPPORTED_VALUE' })
    return error as UnsupportedValueError
  }
  throw new Error('was encoded')
}

/** A value in as many containers, one in another. */
function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 'innermost'
  for (let level = 0; level < levels; level++) value = wrap(value)
  return value
}

const unsupported: ReadonlyArray<readonly [string, unknown]> = [
  ['function', () => {}],
  ['symbol', Symbol('s')],
  ['Promise', Promise.resolve(1)],
  ['WeakMap', new WeakMap()],
  ['WeakSet', new WeakSet()],
  ['WeakRef', new WeakRef({})],
  ['SharedArrayBuffer', new SharedArrayBuffer(1)],
]

describe('a value that cannot be carried', () => {
  it.each(unsupported)('because it is a %s is refused, and the error says so', (kind, value) => {
    expect(refusal(value).message).toContain(`a ${kind}`)
  })

  it.each(unsupported)('because there is a %s somewhere in it is refused', (kind, value) => {
    const places = [
      [value],
      { a: { b: value } },
      [1, [2, value]],
      new Map([['key', value]]),
      new Map([[value, 'value']]),
      new Set([value]),
    ]
    for (const place of places) expect(refusal(place).message).toContain(`a ${kind}`)
  })

  it('is one of a class whose base cannot be carried', () => {
    class Later extends Promise<number> {}
    refusal(Later.resolve(1))
    refusal([Later.resolve(1)])
  })

  it('is undefined, with a word on what to do instead', () => {
    expect(refusal(undefined).message).toContain('delete')
  })

  it('is one that throws when it is looked at, and the error says why', () => {
    const thrown = new Error('not now')
    const value = {
      get field(): never {
        throw thrown
      },
    }
    const error = refusal(value)
    expect(error.message).toContain('not now')
    expect(error.cause).toBe(thrown)
  })

  it.each([
    ['arrays', (inner: unknown) => [inner]],
    ['objects', (inner: unknown) => ({ inner })],
    ['maps', (inner: unknown) => new Map([['inner', inner]])],
    ['sets', (inner: unknown) => new Set([inner])],
  ])('is one of %s, a hundred thousand of them in each other', (_, wrap) => {
    refusal(nested(100_000, wrap))
  })

  it('leaves nothing behind that spoils the next one', () => {
    const shared = { text: 'shared' }
    const value = { first: shared, second: [shared, new Date(5)] }
    const clean = encodeValue(value)
    for (const bad of [{ shared, bad: () => {} }, [shared, shared, Symbol('s')]]) {
      refusal(bad)
      expect(encodeValue(value)).toEqual(clean)
    }
    refusal(nested(100_000, (inner) => [inner]))
    expect(encodeValue(value)).toEqual(clean)
  })
})

describe('bytes that are no value', () => {
  it.each([
    '', // nothing
    'ff', // an end without a beginning
    '9f01', // a list without an end
    '8201', // a list of two with one
    'a1', // an object of one with none
    'a101', // a key without a value
    'fb00', // a number cut short
    '1c', // no such kind
    '5b7fffffffffffffff', // more bytes than there are
    '9bffffffffffffffff', // more items than there can be
    '0101', // two values
  ])('such as %j are an error', (hex) => {
    expect(() => decodeValue(Buffer.from(hex, 'hex'))).toThrow()
    // And leave nothing behind.
    expect(read({ a: [1, 2] })).toEqual({ a: [1, 2] })
  })

  it('are an error wherever they end', () => {
    const bytes = encodeValue({ a: [1, 'two', new Map([[3n ** 50n, new Date(4)]])] }) as Uint8Array
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeValue(bytes.subarray(0, length))).toThrow()
    }
  })

  it('never do anything but make a value or an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        try {
          decodeValue(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
    )
    expect(read([1, { a: 2 }])).toEqual([1, { a: 2 }])
  })
})

/** Values by what the guide calls them. */
const carried: ReadonlyArray<readonly [string, readonly unknown[]]> = [
  ['text', ['', 'a', 'grüße 👋', '\0', 'x'.repeat(100_000)]],
  ['a boolean or null', [true, false, null]],
  [
    'a number',
    [0, 1, -1, 23, 24, 255, 256, 65_536, 2 ** 32, -(2 ** 32), 2 ** 53, -(2 ** 53), 0.1, 1e300],
  ],
  ['an extreme number', [5e-324, Number.MAX_VALUE, Number.EPSILON, Infinity, -Infinity, NaN]],
  [
    'a bigint',
    [0n, 5n, -1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 64n), -(2n ** 64n) - 1n],
  ],
  ['a bigint beyond 64 bits', [2n ** 65n, -(3n ** 200n), 2n ** 4_000n]],
  ['a Date', [new Date(0), new Date(-1), new Date('2026-01-02T03:04:05.678Z')]],
  ['a Date that is none', [new Date(Number.NaN)]],
  ['an object', [{}, { a: 1 }, { '': 0, 1: 'one', 'größe 👋': { b: [] } }]],
  ['an array', [[], [[], [[]]], [1, 'two', null, { three: 3 }]]],
  ['undefined inside', [[undefined], { a: undefined }, new Map([[undefined, undefined]])]],
  [
    'a Map',
    [
      new Map(),
      new Map<unknown, unknown>([
        [1, 'number'],
        ['1', 'text'],
        [null, 'null'],
        [true, new Map([[{ deep: 1 }, new Set([2])]])],
        [2n, 'bigint'],
        [{ an: 'object' }, 'object'],
        [[1, 2], 'array'],
        [new Date(3), 'date'],
      ]),
    ],
  ],
  ['a Set', [new Set(), new Set<unknown>([1, '1', 1n, null, { a: 1 }, [2], new Set([3])])]],
  ['a RegExp', [/a(b)[c-d]/, /x/dgimsuy, /\/"'/v]],
  ['an ArrayBuffer', [new ArrayBuffer(0), new Uint8Array([1, 2, 255]).buffer]],
  ['a Buffer, as bytes', [new Uint8Array([1, 2, 3])]],
]

const typedArrays = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
]
const bigTypedArrays = [BigInt64Array, BigUint64Array]

describe('a value comes back as it went in:', () => {
  it.each(carried)('%s', (_, values) => {
    for (const value of values) {
      expect(read(value)).toStrictEqual(value)
      // The same inside other values.
      expect(read({ in: [value] })).toStrictEqual({ in: [value] })
      expect(read(new Map([[1, value]]))).toStrictEqual(new Map([[1, value]]))
      expect(read(new Set([value]))).toStrictEqual(new Set([value]))
    }
  })

  it.each([...typedArrays, ...bigTypedArrays])('%o', (Typed) => {
    const bytes = new Uint8Array([255, 1, 2, 3, 4, 5, 6, 120, 9, 8, 7, 6, 5, 4, 3, 64])
    const values = [new Typed(0), new Typed(bytes.buffer), new Typed(bytes.buffer, 8)]
    for (const value of values) {
      expect(read(value)).toStrictEqual(value)
      expect(read({ in: [value] })).toStrictEqual({ in: [value] })
    }
  })

  it('a part of a larger buffer, without the rest of it', () => {
    const part = new Uint8Array(1_000).subarray(10, 13)
    expect((encodeValue(part) as Uint8Array).length).toBeLessThan(20)
    expect((encodeValue([Buffer.from('part')]) as Uint8Array).length).toBeLessThan(20)
    expect((read(part) as Uint8Array).buffer.byteLength).toBe(3)
  })

  it('an Error, with its message', () => {
    const value = read({ failure: new Error('went wrong') }) as { failure: Error }
    expect(value.failure).toBeInstanceOf(Error)
    expect(value.failure.message).toBe('went wrong')
  })

  it('a circle, through objects, arrays, maps and sets', () => {
    const value: Record<string, unknown> = { name: 'circle' }
    value.self = value
    value.array = [value]
    value.map = new Map([[value, value]])
    value.set = new Set([value])
    const copy = read(value) as typeof value
    expect(copy.self).toBe(copy)
    expect(copy.array).toEqual([copy])
    expect((copy.array as unknown[])[0]).toBe(copy)
    expect((copy.map as Map<unknown, unknown>).get(copy)).toBe(copy)
    expect((copy.set as Set<unknown>).has(copy)).toBe(true)
  })

  it('one object in many places, as one object', () => {
    const shared = { a: 1 }
    const value = Array.from({ length: 300 }, () => ({ shared }))
    const copy = read(value) as typeof value
    expect(copy).toEqual(value)
    expect(new Set(copy.map((item) => item.shared)).size).toBe(1)
  })

  it('what is nested as deep as data is', () => {
    for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => ({ inner })]) {
      const value = nested(200, wrap)
      expect(read(value)).toEqual(value)
    }
  })

  it('what is as large as values may be', () => {
    const bytes = new Uint8Array(8 * 1024 * 1024 - 8).fill(7)
    expect(Buffer.compare(read(bytes) as Uint8Array, bytes)).toBe(0)
  })

  it('any value whatever', () => {
    const any = fc.anything({
      withBigInt: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      key: fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
    })
    fc.assert(
      fc.property(any, (value) => {
        fc.pre(value !== undefined)
        expect(read(value)).toEqual(withoutNegativeZero(value))
      }),
      { numRuns: 300 },
    )
  })

  it('any date of these hundred thousand years', () => {
    const dates = fc.date({ min: new Date('-050000-01-01'), max: new Date('+050000-01-01') })
    fc.assert(
      fc.property(dates, (date) => {
        expect((read(date) as Date).getTime()).toBe(date.getTime())
      }),
    )
  })
})

describe('a value changes only as the guide says:', () => {
  it('-0 becomes 0, and a hole undefined', () => {
    expect(read(-0)).toBe(0)
    expect(read([-0])).toStrictEqual([0])
    // biome-ignore lint/suspicious/noSparseArray: it is what this is about
    const sparse = read([1, , 3]) as unknown[]
    expect(sparse).toStrictEqual([1, undefined, 3])
    expect(1 in sparse).toBe(true)
  })

  it('an instance of a class becomes a plain object with what it holds', () => {
    class Point {
      readonly x = 1
      readonly #hidden = 2
      get double() {
        return this.x * this.#hidden
      }
    }
    expect(read(new Point())).toStrictEqual({ x: 1 })
    expect(read([Object.assign(Object.create(null), { a: 1 })])).toStrictEqual([{ a: 1 }])
  })

  it('a Buffer becomes a Uint8Array', () => {
    expect(read(Buffer.from([1, 2]))).toStrictEqual(new Uint8Array([1, 2]))
  })

  it('a key named __proto__ changes no prototype', () => {
    const value = read(JSON.parse('{"__proto__":{"isAdmin":true},"a":1}')) as { isAdmin?: boolean }
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(value.isAdmin).toBe(undefined)
    expect(({} as { isAdmin?: boolean }).isAdmin).toBe(undefined)
  })

  it.each(['a\ud800b', '\udc00', `${'x'.repeat(200)}\ud83d`, '\ud83d👋\ude00'])(
    'text with a lone surrogate, %j, is made well-formed, once and for all',
    (text) => {
      expect(encodeValue(text)).toBe(text.toWellFormed())
      expect(read(text)).toBe(text.toWellFormed())
      const [inside] = read([text]) as [string]
      expect(inside.isWellFormed()).toBe(true)
      expect(read([inside])).toEqual([inside])
    },
  )
})

describe('two reads', () => {
  it('of one payload share nothing', () => {
    const payload = encodeValue({
      object: { a: 1 },
      array: [1],
      map: new Map([[1, { b: 2 }]]),
      set: new Set([1]),
      date: new Date(1),
      bytes: new Uint8Array([1, 2, 3]),
      numbers: new Float64Array([1.5]),
      buffer: new ArrayBuffer(4),
    })
    interface Value {
      object: { a: number }
      array: number[]
      map: Map<number, { b: number }>
      set: Set<number>
      date: Date
      bytes: Uint8Array
      numbers: Float64Array
      buffer: ArrayBuffer
    }
    const spoiled = decodeValue(payload) as Value
    const untouched = decodeValue(payload)
    const before = decodeValue(payload)
    spoiled.object.a = 9
    spoiled.array.push(9)
    for (const value of spoiled.map.values()) value.b = 9
    spoiled.map.clear()
    spoiled.set.add(9)
    spoiled.date.setTime(9)
    spoiled.bytes.fill(9)
    spoiled.numbers.fill(9)
    new Uint8Array(spoiled.buffer).fill(9)
    expect(untouched).toStrictEqual(before)
    expect(decodeValue(payload)).toStrictEqual(before)
  })

  it('share nothing with what was written', () => {
    const bytes = new Uint8Array([1, 2, 3])
    const value = { list: [1], bytes, buffer: new Uint8Array([4]).buffer }
    const payload = encodeValue(value)
    value.list.push(2)
    bytes.fill(0)
    new Uint8Array(value.buffer).fill(0)
    expect(decodeValue(payload)).toStrictEqual({
      list: [1],
      bytes: new Uint8Array([1, 2, 3]),
      buffer: new Uint8Array([4]).buffer,
    })
  })
})

/** A value as it comes back: -0 is 0, and a circle is none that fast-check makes. */
function withoutNegativeZero(value: unknown): unknown {
  if (value === 0) return 0
  if (Array.isArray(value)) return value.map(withoutNegativeZero)
  if (value instanceof Map) {
    return new Map(
      [...value].map(([key, item]) => [key, item].map(withoutNegativeZero) as [unknown, unknown]),
    )
  }
  if (value instanceof Set) return new Set([...value].map(withoutNegativeZero))
  if (value instanceof Date || ArrayBuffer.isView(value)) return value
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withoutNegativeZero(item)]),
  )
}
