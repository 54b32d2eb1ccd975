/** A cache as its users have it: what it refuses, what it gives, what it tells, and what it counts. */
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Cache, CacheEntry, CacheEvents } from '../src/api.js'
import { entryBytes } from '../src/core/stored-entry.js'
import {
  CacheOptionsConflictError,
  InvalidKeyError,
  InvalidOptionError,
  InvalidTagError,
  InvalidTtlError,
  PeerStoppedError,
  SyncQueueFullError,
  UnsupportedValueError,
  ValueTooLargeError,
} from '../src/errors.js'
import type { PeerOptions } from '../src/options.js'
import type { ProcessOptions } from '../src/testing/simulation.js'
import { type MeshNode, SimulatedMesh } from './support/mesh.js'
import { testSeed } from './support/random.js'

const seed = testSeed()
const MIB = 1024 * 1024
const CENTURY_MS = 100 * 365.25 * 24 * 3_600_000

/** An address at which nobody listens. */
const NOWHERE = '/ip4/127.0.0.1/tcp/4001'

/** A mesh of one. */
async function one(options: PeerOptions = {}) {
  const mesh = await SimulatedMesh.of(1, seed, options)
  const node = mesh.node(0)
  return { mesh, node, peer: node.peer, cache: node.peer.cache<unknown>('c') }
}

/** A mesh of two: one writes, the other hears of it. */
async function two(first: ProcessOptions = {}, second: ProcessOptions = {}) {
  const mesh = new SimulatedMesh(seed)
  await mesh.start(first)
  await mesh.start(second)
  await mesh.settle()
  const [here, there] = mesh.nodes.map(({ peer }) => peer.cache<unknown>('c'))
  if (here === undefined || there === undefined) throw new Error('there are not two')
  return { mesh, here, there }
}

/** Lets all that was written come to everybody. */
async function flush(mesh: SimulatedMesh): Promise<void> {
  for (const { peer } of mesh.running()) await mesh.settled(peer.flush())
}

/** Writes down the events of a cache, as text. */
function record(cache: Cache<unknown>): string[] {
  const events: string[] = []
  const names: Array<keyof CacheEvents> = [
    'set',
    'delete',
    'expire',
    'evict',
    'clear',
    'invalidate',
  ]
  for (const name of names) {
    cache.on(name, (event) => events.push('key' in event ? `${name} ${event.key}` : name))
  }
  return events
}

/** What a promise or a call fails with. */
async function failure(call: () => unknown): Promise<Error> {
  try {
    await call()
  } catch (error) {
    return error as Error
  }
  throw new Error('did not fail')
}

function byKey(entries: Iterable<CacheEntry<unknown>>): CacheEntry<unknown>[] {
  return [...entries].sort((a, b) => (a.key < b.key ? -1 : 1))
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

describe(`a cache, seed ${seed}:`, () => {
  describe('a bad key', () => {
    const umlauts = 'ü'.repeat(512)
    const bad: ReadonlyArray<readonly [string, unknown, RegExp]> = [
      ['no text at all', '', /empty/],
      ['a number', 7, /string.*number/],
      ['undefined', undefined, /string.*undefined/],
      ['null', null, /string.*null/],
      ['an object', {}, /string.*object/],
      ['a symbol', Symbol('key'), /string.*symbol/],
      ['1,025 bytes', 'k'.repeat(1_025), /"k+….*1025.*1024/],
      ['1,025 bytes in fewer characters', `${umlauts}k`, /1025.*1024/],
      ['1,028 bytes of pairs of surrogates', '👋'.repeat(257), /1028.*1024/],
      ['a lone surrogate', 'a\ud800', /"a\\ud800".*surrogate/],
    ]

    it.each(bad)(
      'such as %s is refused by every call, before anything is done',
      async (...given) => {
        const { cache, peer } = await one()
        await cache.set('kept', 1)
        const [, value, message] = given
        const key = value as string
        const calls: Array<() => unknown> = [
          () => cache.set(key, 1),
          () => cache.get(key),
          () => cache.has(key),
          () => cache.delete(key),
          () => cache.entry(key),
          () => cache.getMany(['kept', key]),
          () => cache.setMany([['kept', 2] as const, [key, 2] as const]),
          () => cache.deleteMany(['kept', key]),
        ]
        for (const call of calls) {
          const error = await failure(call)
          expect(error).toBeInstanceOf(InvalidKeyError)
          expect(error).toMatchObject({ code: 'INVALID_KEY' })
          expect(error.message).toMatch(message)
        }
        expect(await collect(cache.entries())).toMatchObject([{ key: 'kept', value: 1 }])
        expect(peer.stats()).toMatchObject({ setCount: 1, deleteCount: 0, syncQueueSize: 1 })
      },
    )

    it('is none that is as long as may be, or strange', async () => {
      const { cache } = await one()
      const keys = ['k'.repeat(1_024), umlauts, '👋'.repeat(256), ' ', '\0', '__proto__', '\ufeff']
      for (const key of keys) {
        await cache.set(key, key)
        expect(await cache.get(key)).toBe(key)
      }
      expect(new Set(await collect(cache.keys()))).toEqual(new Set(keys))
      for (const key of keys) expect(await cache.delete(key)).toBe(true)
      expect(cache.local.size).toBe(0)
    })
  })

  describe('a bad time to live', () => {
    const bad: ReadonlyArray<readonly [unknown, string]> = [
      [Number.NaN, 'NaN'],
      [-1, '-1'],
      [Number.POSITIVE_INFINITY, 'Infinity'],
      [Number.NEGATIVE_INFINITY, '-Infinity'],
      ['1000', '1000'],
      [null, 'null'],
      [{}, '[object Object]'],
      [1_000n, '1000'],
      [CENTURY_MS + 1, String(CENTURY_MS + 1)],
    ]

    it.each(bad)('such as %o is refused by writes and by the cache', async (value, printed) => {
      const { cache, peer } = await one()
      await cache.set('kept', 1)
      const ttl = value as number
      const calls: Array<() => unknown> = [
        () => cache.set('kept', 2, { ttl }),
        () => cache.setMany([['kept', 2] as const], { ttl }),
        () => peer.cache('another', { ttl }),
      ]
      for (const call of calls) {
        const error = await failure(call)
        expect(error).toBeInstanceOf(InvalidTtlError)
        expect(error).toMatchObject({ code: 'INVALID_TTL' })
        expect(error.message).toContain(`is ${printed},`)
        expect(error.message).toContain(String(CENTURY_MS))
      }
      expect(await cache.get('kept')).toBe(1)
      expect(peer.caches()).toEqual(['c'])
    })
  })

  describe('a bad value', () => {
    const bad: ReadonlyArray<readonly [string, unknown]> = [
      ['undefined', undefined],
      ['a function', () => {}],
      ['a function inside', { deep: [() => {}] }],
      ['a symbol', Symbol('s')],
      ['a promise', Promise.resolve(1)],
    ]

    it.each(bad)('such as %s is refused, and what was there stays', async (_, value) => {
      const { cache, peer } = await one()
      await cache.set('kept', 1)
      const calls = [
        () => cache.set('kept', value),
        () => cache.setMany([['new', 2] as const, ['kept', value] as const]),
      ]
      for (const call of calls) {
        expect(await failure(call)).toBeInstanceOf(UnsupportedValueError)
      }
      expect(await collect(cache.entries())).toMatchObject([{ key: 'kept', value: 1 }])
      expect(peer.stats().setCount).toBe(1)
    })

    it.each([
      ['text', 'x'.repeat(8 * MIB + 1), 8 * MIB + 1],
      ['text in more bytes than characters', 'ü'.repeat(4 * MIB + 1), 8 * MIB + 2],
      ['bytes', new Uint8Array(8 * MIB), 8 * MIB + 7],
    ])('is %s over 8 MiB', async (_, value, bytes) => {
      const { cache } = await one()
      await cache.set('kept', 1)
      for (const call of [
        () => cache.set('kept', value),
        () => cache.setMany([['new', 2] as const, ['kept', value] as const]),
      ]) {
        const error = (await failure(call)) as ValueTooLargeError
        expect(error).toBeInstanceOf(ValueTooLargeError)
        expect(error).toMatchObject({ code: 'VALUE_TOO_LARGE', bytes, bytesMax: 8 * MIB })
        expect(error.message).toContain(String(bytes))
        expect(error.message).toContain(String(8 * MIB))
      }
      expect(await collect(cache.entries())).toMatchObject([{ key: 'kept', value: 1 }])
    })

    it('is none of exactly 8 MiB', async () => {
      const { cache } = await one()
      const value = 'x'.repeat(8 * MIB)
      await cache.set('large', value)
      expect(((await cache.get('large')) as string).length).toBe(value.length)
    })

    it('is one that takes more than all of maxBytes, by a single byte', async () => {
      const { cache, peer } = await one({ maxBytes: MIB })
      await cache.set('kept', 1)
      const fitting = MIB - entryBytes('new', '')
      const error = (await failure(() => cache.set('new', 'x'.repeat(fitting + 1)))) as Error
      expect(error).toBeInstanceOf(ValueTooLargeError)
      expect(error).toMatchObject({ bytes: MIB + 1, bytesMax: MIB })
      expect(error.message).toContain('maxBytes')
      expect(await cache.get('kept')).toBe(1)
      await cache.set('new', 'x'.repeat(fitting))
      expect(await cache.has('new')).toBe(true)
      expect(peer.stats()).toMatchObject({ memoryBytes: MIB, evictionCount: 1 })
    })
  })

  describe('a bad tag', () => {
    const bad: ReadonlyArray<readonly [what: string, tags: unknown, message: RegExp]> = [
      ['a number among others', ['t', 7], /tag 7 is no text/],
      ['an empty one', [''], /must not be empty/],
      ['one that is too long', ['t'.repeat(129)], /t….*129 bytes.*128/],
      ['a lone surrogate', ['a\ud800'], /"a\\ud800".*surrogate/],
      ['no list', 7, /are 7, they must be an iterable/],
    ]

    it.each(bad)('such as %s is refused, before anything is done', async (_, tags, message) => {
      const { cache, peer } = await one()
      const given = tags as string[]
      for (const call of [
        () => cache.set('k', 1, { tags: given }),
        () => cache.setMany([['k', 1]], { tags: given }),
        () => cache.invalidateTags(given),
      ]) {
        const error = await failure(call)
        expect(error).toBeInstanceOf(InvalidTagError)
        expect(error).toMatchObject({
          code: 'INVALID_TAG',
          message: expect.stringMatching(message),
        })
      }
      expect(peer.stats()).toMatchObject({ setCount: 0, markerCount: 0 })
    })

    it('is one too many for an entry, but not for an invalidation', async () => {
      const { cache, peer } = await one()
      const tags = Array.from({ length: 33 }, (_, index) => `t${index}`)
      const error = await failure(() => cache.set('k', 1, { tags }))
      expect(error.message).toBe('33 tags are more than the limit of 32')
      await cache.set('k', 1, { tags: [...tags.slice(1), 't1', 't2'] })
      expect((await cache.entry('k'))?.tags).toEqual(tags.slice(1))
      await cache.invalidateTags(tags)
      expect(peer.stats()).toMatchObject({ markerCount: 33, itemCount: 0 })
    })

    it('is none in a text: a text is one tag to invalidate, and no list of tags to set', async () => {
      const { cache } = await one()
      const error = await failure(() => cache.set('k', 1, { tags: 'tag' }))
      expect(error).toBeInstanceOf(InvalidTagError)
    })
  })

  describe('a call', () => {
    type Call = (cache: Cache<unknown>, options: never) => Promise<unknown>
    const READ = 'consistency, signal'
    const DELETE = 'ack, signal'
    const calls: ReadonlyArray<readonly [name: string, options: string, call: Call]> = [
      ['get', READ, (cache, options) => cache.get('kept', options)],
      ['has', READ, (cache, options) => cache.has('kept', options)],
      ['entry', `${READ}, counted`, (cache, options) => cache.entry('kept', options)],
      ['getMany', READ, (cache, options) => cache.getMany(['kept'], options)],
      ['set', `ttl, tags, ${DELETE}`, (cache, options) => cache.set('kept', 2, options)],
      [
        'setMany',
        `ttl, tags, ${DELETE}`,
        (cache, options) => cache.setMany([['kept', 2]], options),
      ],
      ['delete', DELETE, (cache, options) => cache.delete('kept', options)],
      ['deleteMany', DELETE, (cache, options) => cache.deleteMany(['kept'], options)],
      ['clear', DELETE, (cache, options) => cache.clear(options)],
      ['invalidateTags', DELETE, (cache, options) => cache.invalidateTags('t', options)],
    ]

    describe.each(calls)('of %s', (_, names, call) => {
      const bad: ReadonlyArray<readonly [what: unknown, option: string, problem: string]> = [
        ['x', 'options', `is x, it must be an object with any of ${names}`],
        [null, 'options', `is null, it must be an object with any of ${names}`],
        [5_000, 'options', `is 5000, it must be an object with any of ${names}`],
        [[], 'options', `is [object Array], it must be an object with any of ${names}`],
        [() => {}, 'options', `is a function, it must be an object with any of ${names}`],
        [{ tll: 5 }, 'tll', `is 5, but there is no such option here, only ${names}`],
        [{ nearCache: 5 }, 'nearCache', `is 5, but there is no such option here, only ${names}`],
        [{ signal: 5 }, 'signal', 'is 5, it must be an AbortSignal'],
        [{ signal: null }, 'signal', 'is null, it must be an AbortSignal'],
        [
          { signal: new AbortController() },
          'signal',
          'is [object AbortController], it must be an AbortSignal',
        ],
      ]

      it.each(bad)('refuses %o for options, and names what is wrong', async (...given) => {
        const [options, option, problem] = given
        const { cache, peer } = await one()
        await cache.set('kept', 1)
        const error = await failure(() => call(cache, options as never))
        expect(error).toBeInstanceOf(InvalidOptionError)
        expect(error).toMatchObject({ option, problem: `of cache c ${problem}` })
        expect(cache.peek('kept')).toBe(1)
        expect(peer.stats()).toMatchObject({ setCount: 1, deleteCount: 0, missCount: 0 })
      })

      it('takes all that it knows, and undefined for what is not given', async () => {
        const { mesh, cache } = await one()
        const own = Object.fromEntries(names.split(', ').map((name) => [name, undefined]))
        await mesh.settled(call(cache, own as never))
        const another = { aborted: false, addEventListener() {}, throwIfAborted() {} }
        await mesh.settled(call(cache, { ...own, signal: another } as never))
        await mesh.settled(call(cache, { ...own, signal: new AbortController().signal } as never))
      })
    })

    it('that goes through keys refuses what is no iterable of keys', async () => {
      const { cache } = await one()
      await cache.set('k', 1)
      const bad = [5, null, undefined, 'k', {}, { [Symbol.iterator]: 5 }, true]
      for (const given of bad as never[]) {
        for (const call of [() => cache.getMany(given), () => cache.deleteMany(given)]) {
          const error = await failure(call)
          expect(error).toBeInstanceOf(InvalidOptionError)
          expect(error).toMatchObject({ option: 'keys' })
          const shown = typeof given === 'object' && given !== null ? '[object Object]' : given
          const problem = `of cache c is ${shown}, it must be an iterable of keys, and no string`
          expect(error).toMatchObject({ problem })
        }
      }
      expect(cache.peek('k')).toBe(1)
      expect(await cache.getMany(new Set(['k']))).toEqual(new Map([['k', 1]]))
    })

    it('of setMany refuses what is no iterable of pairs', async () => {
      const { cache } = await one()
      const bad: ReadonlyArray<readonly [unknown, string]> = [
        [{ a: 1 }, 'is [object Object], it must be an iterable of pairs [key, value]'],
        [5, 'is 5, it must be an iterable of pairs [key, value]'],
        ['ab', 'is ab, it must be an iterable of pairs [key, value]'],
        [null, 'is null, it must be an iterable of pairs [key, value]'],
        [['ab'], 'has ab, it must be a pair [key, value]'],
        [[null], 'has null, it must be a pair [key, value]'],
        [[['a']], 'has [object Array], it must be a pair [key, value]'],
        [[['a', 1, 2]], 'has [object Array], it must be a pair [key, value]'],
        [[new Set(['a', 1])], 'has [object Set], it must be a pair [key, value]'],
      ]
      for (const [entries, problem] of bad) {
        const error = await failure(() => cache.setMany(entries as never))
        expect(error).toBeInstanceOf(InvalidOptionError)
        expect(error).toMatchObject({ option: 'entries', problem: `of cache c ${problem}` })
      }
      expect(cache.local.size).toBe(0)
    })

    it('tells of a value that has no text, and not at length of one that is long', async () => {
      const { cache } = await one()
      const bare = Object.create(null)
      for (const options of [{ ack: bare }, { ttl: bare }, 'x'.repeat(9_999)]) {
        const error = await failure(() => cache.set('k', 1, options as never))
        expect(error.message).toMatch(/is (\[object Object\]|x{64}…), it must be/)
      }
    })
  })

  describe('opening a cache', () => {
    it.each([
      ['no text', '', '""'],
      ['a number', 5, '5'],
      ['undefined', undefined, 'undefined'],
      ['text with NUL', 'a\0b', 'u0000'],
      ['text with a lone surrogate', 'a\ud800', 'ud800'],
      ['257 bytes', 'c'.repeat(257), '257 bytes long, the limit is 256'],
      ['257 bytes in fewer characters', `c${'ü'.repeat(128)}`, '257'],
    ])('under a name that is %s fails', async (_, name, printed) => {
      const { peer } = await one()
      const error = await failure(() => peer.cache(name as string))
      expect(error).toBeInstanceOf(InvalidOptionError)
      expect(error).toMatchObject({ option: 'cache name' })
      expect(error.message).toContain(printed)
      expect(peer.caches()).toEqual(['c'])
    })

    it('with an option that there is not fails, and names it', async () => {
      const { peer } = await one()
      const error = await failure(() => peer.cache('new', { tll: 5 } as object))
      expect(error).toBeInstanceOf(InvalidOptionError)
      expect(error).toMatchObject({ option: 'tll' })
      expect(peer.caches()).toEqual(['c'])
    })

    it('again with another time to live fails, and names both; the first holds', async () => {
      const { mesh, peer } = await one()
      const cache = peer.cache('ttl', { ttl: 1_000 })
      peer.cache('unset')
      const another = await failure(() => peer.cache('ttl', { ttl: 2_000 }))
      expect(another).toBeInstanceOf(CacheOptionsConflictError)
      expect(another.message).toMatch(/cache ttl .*1000.*2000/)
      const late = await failure(() => peer.cache('unset', { ttl: 2_000 }))
      expect(late).toBeInstanceOf(CacheOptionsConflictError)
      await cache.set('key', 1)
      await mesh.advance(1_000)
      expect(await cache.get('key')).toBe(undefined)
    })

    it('again gives the same object, with the same options or with none', async () => {
      const { peer } = await one()
      const cache = peer.cache('ttl', { ttl: 1_000 })
      expect(peer.cache('ttl')).toBe(cache)
      expect(peer.cache('ttl', { ttl: 1_000 })).toBe(cache)
      expect(peer.cache('ttl', {})).toBe(cache)
      expect(cache.name).toBe('ttl')
      expect(peer.caches()).toEqual(['c', 'ttl'])
    })

    it('under any name of up to 256 bytes gives a cache of its own', async () => {
      const { peer } = await one()
      const names = ['c'.repeat(256), 'ü'.repeat(128), ' ', '__proto__', 'constructor', 'a/b']
      for (const name of names) await peer.cache(name).set('key', name)
      for (const name of names) expect(await peer.cache(name).get('key')).toBe(name)
      expect(peer.caches()).toEqual(['c', ...names])
    })

    it('is not needed to hold its entries', async () => {
      const { mesh } = await two()
      await mesh.cache(0, 'elsewhere').set('key', 1)
      await flush(mesh)
      const { peer } = mesh.node(1)
      expect(peer.caches()).toContain('elsewhere')
      expect(await peer.cache('elsewhere').get('key')).toBe(1)
    })
  })

  describe('setMany', () => {
    it.each([
      ['key', ['', 1] as const],
      ['value', ['bad', () => {}] as const],
      ['pair', undefined as unknown as readonly [string, unknown]],
    ])('with one bad %s among many takes no effect at all', async (_, bad) => {
      const { cache, peer } = await one()
      await cache.set('a', 'old')
      const events = record(cache)
      await failure(() => cache.setMany([['a', 1] as const, ['b', 2] as const, bad]))
      await failure(() => cache.setMany([bad, ['a', 1] as const]))
      expect(await collect(cache.entries())).toMatchObject([{ key: 'a', value: 'old' }])
      expect(peer.stats().setCount).toBe(1)
      expect(events).toEqual([])
    })

    it('sets all, from anything that can be gone through', async () => {
      const { cache, peer } = await one()
      await cache.setMany(
        new Map<string, unknown>([
          ['a', 1],
          ['b', 2],
        ]),
      )
      await cache.setMany([])
      const pairs = function* () {
        yield ['c', 3] as const
        yield ['a', 4] as const
      }
      await cache.setMany(pairs())
      expect(await cache.getMany(['a', 'b', 'c'])).toEqual(
        new Map([
          ['a', 4],
          ['b', 2],
          ['c', 3],
        ]),
      )
      expect(peer.stats().setCount).toBe(4)
    })

    it('gives all entries the time to live that it is given', async () => {
      const { mesh, cache } = await one()
      await cache.setMany([['a', 1] as const, ['b', 2] as const], { ttl: 100 })
      await mesh.advance(100)
      expect(await cache.getMany(['a', 'b'])).toEqual(new Map())
    })
  })

  describe('a writer', () => {
    /** A peer whose queue holds two writes and is full. */
    async function full() {
      const { mesh, cache, peer, node } = await one({
        syncQueueMax: 2,
        batchEntriesMax: 1,
        syncTimeoutMs: 1_000,
      })
      let publish = () => {}
      const published = new Promise<void>((resolve) => {
        publish = resolve
      })
      node.transport.publish = () => published
      await cache.set('a', 1)
      await cache.set('b', 2)
      return { mesh, cache, peer, publish }
    }

    /** A peer that looks for its mesh. */
    async function joining() {
      const mesh = new SimulatedMesh(seed)
      const { peer } = await mesh.start({ bootstrap: [NOWHERE] })
      return { mesh, peer, cache: peer.cache<unknown>('c') }
    }

    type Write = (cache: Cache<unknown>, signal?: AbortSignal) => Promise<unknown>
    const writes: ReadonlyArray<readonly [string, Write]> = [
      ['set', (cache, signal) => cache.set('a', 9, { signal })],
      ['delete', (cache, signal) => cache.delete('a', { signal })],
      ['setMany', (cache, signal) => cache.setMany([['a', 9] as const], { signal })],
      ['deleteMany', (cache, signal) => cache.deleteMany(['a'], { signal })],
      ['clear', (cache, signal) => cache.clear({ signal })],
    ]

    describe.each(writes)('of %s', (_, write) => {
      it('fails when the queue stays full, and its write has no effect', async () => {
        const { mesh, cache } = await full()
        const error = await failure(() => mesh.settled(write(cache)))
        expect(error).toBeInstanceOf(SyncQueueFullError)
        expect(error.message).toMatch(/\b2\b.*syncQueueMax.*\b1000\b.*syncTimeoutMs/)
        expect(await cache.getMany(['a', 'b'])).toEqual(
          new Map([
            ['a', 1],
            ['b', 2],
          ]),
        )
      })

      it('gives up at a signal while the queue is full, without an effect', async () => {
        const { mesh, cache, peer, publish } = await full()
        const controller = new AbortController()
        const outcome = failure(() => write(cache, controller.signal))
        await mesh.advance(10)
        controller.abort(new Error('enough'))
        expect((await mesh.settled(outcome)).message).toBe('enough')
        publish()
        await mesh.advance(5_000)
        expect(await cache.getMany(['a', 'b'])).toEqual(
          new Map([
            ['a', 1],
            ['b', 2],
          ]),
        )
        expect(peer.stats()).toMatchObject({ syncQueueSize: 0, syncQueueWaitCount: 1 })
      })

      it('does nothing at all when the signal has been given before', async () => {
        const { mesh, cache } = await one()
        await cache.set('a', 1)
        const signal = AbortSignal.abort(new Error('enough'))
        const error = await failure(() => mesh.settled(write(cache, signal)))
        expect(error.message).toBe('enough')
        expect(await cache.get('a')).toBe(1)
      })

      it('gives up at a signal while the peer is joining, without an effect', async () => {
        const { mesh, cache, peer } = await joining()
        const first = cache.set('a', 1)
        const controller = new AbortController()
        const outcome = failure(() => write(cache, controller.signal))
        await mesh.advance(100)
        controller.abort(new Error('enough'))
        expect((await mesh.settled(outcome)).message).toBe('enough')
        const early = AbortSignal.abort(new Error('too late'))
        expect((await failure(() => write(cache, early))).message).toBe('too late')
        await mesh.settled(first)
        expect(await cache.get('a')).toBe(1)
        expect(peer.status).toBe('serving')
      })

      it('goes on as soon as there is room, and a signal given later changes nothing', async () => {
        const { mesh, cache, peer, publish } = await full()
        const controller = new AbortController()
        const writing = write(cache, controller.signal)
        await mesh.advance(10)
        publish()
        await mesh.settled(writing)
        controller.abort()
        await mesh.settled(peer.flush())
        expect(await cache.get('a')).not.toBe(1)
      })
    })

    it.each([
      ['for room', full],
      ['for the mesh', joining],
    ])('shares its signal with many that wait %s, at the cost of one listener', async (_, open) => {
      const { mesh, cache } = await open()
      const controller = new AbortController()
      const { signal } = controller
      const outcomes = Array.from({ length: 50 }, (_, i) =>
        failure(() => cache.set(`k${i}`, i, { signal })),
      )
      await mesh.advance(10)
      expect(getEventListeners(signal, 'abort')).toHaveLength(1)
      controller.abort(new Error('enough'))
      const messages = (await mesh.settled(Promise.all(outcomes))).map(({ message }) => message)
      expect(new Set(messages)).toEqual(new Set(['enough']))
      expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    })

    it('waits while the peer joins, then writes', async () => {
      const mesh = new SimulatedMesh(seed)
      const { peer } = await mesh.start({ bootstrap: [NOWHERE], joinTimeoutMs: 2_000 })
      const cache = peer.cache('c')
      const writing = cache.set('key', 1)
      await mesh.advance(1_000)
      expect(peer.status).toBe('joining')
      expect(cache.peek('key')).toBe(undefined)
      await mesh.settled(writing)
      expect(peer.status).toBe('serving')
      expect(cache.peek('key')).toBe(1)
    })
  })

  describe('reading and writing', () => {
    it('tells a key that is not there from one whose value is null', async () => {
      const { cache } = await one()
      await cache.set('null', null)
      expect(await cache.get('none')).toBe(undefined)
      expect(await cache.has('none')).toBe(false)
      expect(await cache.entry('none')).toBe(undefined)
      expect(cache.peek('none')).toBe(undefined)
      expect(await cache.get('null')).toBe(null)
      expect(await cache.has('null')).toBe(true)
      expect(cache.peek('null')).toBe(null)
      expect(await cache.getMany(['none', 'null'])).toEqual(new Map([['null', null]]))
      expect(await cache.delete('none')).toBe(false)
      expect(await cache.delete('null')).toBe(true)
    })

    it('takes effect here at once, and there as soon as it is flushed', async () => {
      const { mesh, here, there } = await two()
      await here.set('a', 1)
      expect(await here.get('a')).toBe(1)
      expect(await there.get('a')).toBe(undefined)
      await flush(mesh)
      expect(await there.get('a')).toBe(1)
      expect(await there.delete('a')).toBe(true)
      expect(await there.delete('a')).toBe(false)
      expect(await here.get('a')).toBe(1)
      await flush(mesh)
      expect(await here.get('a')).toBe(undefined)
      expect(await here.delete('a')).toBe(false)
    })

    it('gets many in the order asked for, each once, and leaves out what is not there', async () => {
      const { cache } = await one()
      await cache.setMany([['a', 1] as const, ['b', 2] as const, ['c', 3] as const])
      const found = await cache.getMany(new Set(['c', 'none', 'a']))
      expect([...found]).toEqual([
        ['c', 3],
        ['a', 1],
      ])
      expect([...(await cache.getMany(['b', 'b']))]).toEqual([['b', 2]])
      expect([...(await cache.getMany([]))]).toEqual([])
    })

    it('deletes many and tells how many there were', async () => {
      const { cache } = await one()
      await cache.setMany([['a', 1] as const, ['b', 2] as const, ['c', 3] as const])
      expect(await cache.deleteMany(['a', 'none', 'c', 'a'])).toBe(2)
      expect(await cache.deleteMany([])).toBe(0)
      expect(await collect(cache.keys())).toEqual(['b'])
    })

    it('gives every reader a value of its own', async () => {
      const { mesh, here, there } = await two()
      const value = { list: [1], at: new Date(5) }
      await here.set('key', value)
      value.list.push(2)
      value.at.setTime(6)
      await flush(mesh)
      for (const cache of [here, there]) {
        const reads: Array<() => Promise<unknown>> = [
          () => cache.get('key'),
          async () => cache.peek('key'),
          async () => (await cache.entry('key'))?.value,
          async () => (await cache.getMany(['key'])).get('key'),
          async () => [...cache.local.entries()][0]?.value,
          async () => (await collect(cache.entries()))[0]?.value,
        ]
        for (const read of reads) {
          const first = (await read()) as typeof value
          expect(first).toStrictEqual({ list: [1], at: new Date(5) })
          first.list.push(3)
          first.at.setTime(7)
          expect(await read()).not.toBe(first)
          expect(await read()).toStrictEqual({ list: [1], at: new Date(5) })
        }
      }
    })

    it('keeps kinds of values the same here and there', async () => {
      const { mesh, here, there } = await two()
      const value = {
        date: new Date(5),
        map: new Map([[{ a: 1 }, new Set([2n ** 70n])]]),
        bytes: new Float64Array([1.5]),
        pattern: /a/gi,
        odd: [Number.NaN, Number.POSITIVE_INFINITY, null, undefined],
      }
      await here.setMany([['object', value] as const, ['text', 'grüße'] as const])
      await flush(mesh)
      for (const cache of [here, there]) {
        expect(await cache.get('object')).toStrictEqual(value)
        expect(await cache.get('text')).toBe('grüße')
      }
    })

    it('clears a cache everywhere, and no other; what is set later stays', async () => {
      const { mesh, here, there } = await two()
      await here.setMany([['a', 1] as const, ['b', 2] as const])
      await mesh.cache(0, 'other').set('a', 1)
      await flush(mesh)
      await there.clear()
      expect(there.local.size).toBe(0)
      await there.set('b', 3)
      await flush(mesh)
      for (const cache of [here, there]) {
        expect(await collect(cache.entries())).toMatchObject([{ key: 'b', value: 3 }])
        expect(await cache.get('a')).toBe(undefined)
        expect(await cache.size()).toBe(1)
      }
      for (const { peer } of mesh.nodes) expect(peer.cache('other').peek('a')).toBe(1)
      await here.clear()
      await here.clear()
      expect(await collect(here.keys())).toEqual([])
    })

    it('invalidates tags everywhere; what is set later stays, and what was there before does not show', async () => {
      const { mesh, here, there } = await two()
      await here.set('a', 'before')
      await here.set('a', 'page', { tags: ['t', 'u'] })
      await here.setMany([['b', 1] as const, ['c', 2] as const], { tags: ['u'] })
      await here.set('d', 3)
      await flush(mesh)
      expect((await there.entry('a'))?.tags).toEqual(['t', 'u'])
      expect((await there.entry('d'))?.tags).toEqual([])
      const heard = record(there)
      await there.invalidateTags('t')
      expect(there.peek('a')).toBe(undefined)
      await there.set('b', 4, { tags: ['t'] })
      await flush(mesh)
      for (const cache of [here, there]) {
        expect(await collect(cache.keys())).toEqual(expect.arrayContaining(['b', 'c', 'd']))
        expect(await cache.get('a')).toBe(undefined)
        expect(await cache.has('a')).toBe(false)
        expect(await cache.size()).toBe(3)
      }
      await here.invalidateTags(['u', 't', 'unknown'])
      await flush(mesh)
      for (const cache of [here, there]) expect(await collect(cache.keys())).toEqual(['d'])
      expect(heard).toEqual(['invalidate', 'set b', 'invalidate', 'invalidate', 'invalidate'])
      expect(mesh.node(0).peer.stats()).toMatchObject({ markerCount: 3, markerOverflowCount: 0 })
    })

    it('invalidates in one cache alone', async () => {
      const { mesh, here } = await two()
      await mesh.cache(0, 'other').set('a', 1, { tags: ['t'] })
      await here.invalidateTags('t')
      await flush(mesh)
      for (const { peer } of mesh.nodes) expect(peer.cache('other').peek('a')).toBe(1)
    })

    it('lists all that the mesh holds, and what is held here', async () => {
      const { mesh, here, there } = await two()
      // More than are gone through in one turn of the event loop.
      const keys = Array.from({ length: 2_500 }, (_, i) => `key ${i}`)
      for (const [i, key] of keys.entries()) await (i % 2 === 0 ? here : there).set(key, i)
      await flush(mesh)
      for (const cache of [here, there]) {
        expect(new Set(await collect(cache.keys()))).toEqual(new Set(keys))
        const entries = await collect(cache.entries())
        expect(entries).toHaveLength(keys.length)
        expect(entries.every(({ key, value }) => key === `key ${value}`)).toBe(true)
        expect(await cache.size()).toBe(keys.length)
        expect(cache.local.size).toBe(keys.length)
        expect(new Set(cache.local.keys())).toEqual(new Set(keys))
        expect(byKey(cache.local.entries())).toEqual(byKey(entries))
      }
    })

    it('lists what is there while it is written to, and can be broken off', async () => {
      const { cache } = await one()
      await cache.setMany([['a', 1] as const, ['b', 2] as const, ['c', 3] as const])
      const seen: string[] = []
      for await (const key of cache.keys()) {
        seen.push(key)
        await cache.delete('b')
        await cache.set('d', 4)
      }
      // Whether what came or went meanwhile is among them is open.
      expect(seen.filter((key) => key === 'a' || key === 'c').sort()).toEqual(['a', 'c'])
      expect(new Set(seen).size).toBe(seen.length)
      const found: string[] = []
      for await (const { key } of cache.entries()) {
        found.push(key)
        break
      }
      expect(['a', 'c', 'd']).toContain(found[0])
      expect(found).toHaveLength(1)
    })
  })

  describe('an entry', () => {
    it('tells its version and its times, the same here and there', async () => {
      const { mesh, here, there } = await two()
      const startMs = mesh.time.now()
      await here.set('key', 'first', { ttl: 60_000 })
      const first = (await here.entry('key')) as CacheEntry<unknown>
      expect(first).toMatchObject({ key: 'key', value: 'first' })
      expect(first.version).toMatch(/^[0-9a-f]{12}-[0-9a-f]{4}-p01$/)
      expect(first.createdAt).toBeGreaterThanOrEqual(startMs)
      expect(first.updatedAt).toBe(first.createdAt)
      expect(first.expiresAt).toBe(first.updatedAt + 60_000)
      await flush(mesh)
      expect(await there.entry('key')).toEqual(first)
      expect([...there.local.entries()]).toEqual([first])
    })

    it('that is overwritten keeps when it was made, and has a later version', async () => {
      const { mesh, here, there } = await two()
      await here.set('key', 'first', { ttl: 60_000 })
      await flush(mesh)
      await mesh.advance(5_000)
      const first = (await here.entry('key')) as CacheEntry<unknown>
      await there.set('key', 'second')
      await flush(mesh)
      const second = (await here.entry('key')) as CacheEntry<unknown>
      expect(second.createdAt).toBe(first.createdAt)
      expect(second.updatedAt).toBeGreaterThanOrEqual(first.updatedAt + 5_000)
      expect(second.expiresAt).toBe(undefined)
      expect(second.version > first.version).toBe(true)
      expect(await there.entry('key')).toEqual(second)
    })

    it.each([
      ['deleted', (cache: Cache<unknown>) => cache.delete('key')],
      ['cleared', (cache: Cache<unknown>) => cache.clear()],
    ])('that is made again after it was %s, is new', async (_, remove) => {
      const { mesh, cache } = await one()
      await cache.set('key', 1)
      const first = await cache.entry('key')
      await mesh.advance(1_000)
      await remove(cache)
      await cache.set('key', 2)
      const second = await cache.entry('key')
      expect(second?.createdAt).toBeGreaterThan(first?.createdAt ?? 0)
      expect(second?.createdAt).toBe(second?.updatedAt)
    })

    it('has a version that sorts as text in the order of the writes', async () => {
      const { mesh, cache } = await one()
      const versions: string[] = []
      for (let i = 0; i < 200; i++) {
        await cache.set('key', i)
        versions.push((await cache.entry('key'))?.version ?? '')
        if (i % 50 === 0) await mesh.advance(1)
      }
      expect(versions.toSorted()).toEqual(versions)
      expect(new Set(versions).size).toBe(200)
    })
  })

  describe('a time to live', () => {
    it('of the write goes before that of the cache; 0 means for ever', async () => {
      const { mesh, peer } = await one()
      const cache = peer.cache('ttl', { ttl: 1_000 })
      await cache.set('cache', 1)
      await cache.set('shorter', 1, { ttl: 500 })
      await cache.set('longer', 1, { ttl: 2_000 })
      await cache.set('for ever', 1, { ttl: 0 })
      await cache.set('for a century', 1, { ttl: CENTURY_MS })
      await peer.cache('c').set('no default', 1)
      const left = async () => [...(await cache.getMany(cache.local.keys())).keys()]
      await mesh.advance(499)
      expect(await left()).toContain('shorter')
      await mesh.advance(1)
      expect(await left()).toEqual(['cache', 'longer', 'for ever', 'for a century'])
      await mesh.advance(500)
      expect(await left()).toEqual(['longer', 'for ever', 'for a century'])
      await mesh.advance(3_600_000)
      expect(await left()).toEqual(['for ever', 'for a century'])
      expect(await peer.cache('c').get('no default')).toBe(1)
    })

    it('of a fraction of a ms is rounded up', async () => {
      const { mesh, cache } = await one()
      await cache.set('key', 1, { ttl: 0.01 })
      expect(await cache.get('key')).toBe(1)
      await mesh.advance(1)
      expect(await cache.get('key')).toBe(undefined)
    })

    it('that is over hides the entry from every read at once, swept or not', async () => {
      const { mesh, here, there } = await two(
        { sweepIntervalMs: 60_000 },
        { sweepIntervalMs: 60_000 },
      )
      await here.set('key', 1, { ttl: 1_000 })
      await flush(mesh)
      await mesh.advance(1_000)
      for (const cache of [here, there]) {
        expect(await cache.get('key')).toBe(undefined)
        expect(await cache.has('key')).toBe(false)
        expect(await cache.entry('key')).toBe(undefined)
        expect(cache.peek('key')).toBe(undefined)
        expect(await cache.getMany(['key'])).toEqual(new Map())
        expect([...cache.local.keys()]).toEqual([])
        expect(await collect(cache.entries())).toEqual([])
        expect(await cache.delete('key')).toBe(false)
      }
    })

    it('starts anew when the key is set again', async () => {
      const { mesh, cache } = await one()
      await cache.set('key', 1, { ttl: 1_000 })
      await mesh.advance(900)
      await cache.set('key', 2, { ttl: 1_000 })
      await mesh.advance(900)
      expect(await cache.get('key')).toBe(2)
      await cache.set('key', 3, { ttl: 0 })
      await mesh.advance(60_000)
      expect(await cache.get('key')).toBe(3)
    })
  })

  describe('events', () => {
    it('of a listener that throws harm neither the write nor the other listeners', async () => {
      const { node, cache } = await one()
      const heard: string[] = []
      cache.on('set', () => {
        throw new Error('a listener of mine')
      })
      cache.on('set', ({ key }) => heard.push(key))
      await cache.set('key', 1)
      expect(heard).toEqual(['key'])
      expect(await cache.get('key')).toBe(1)
      expect(node.log.join('\n')).toMatch(/error .*a listener of mine/)
    })

    it('of set, delete and clear come on the writer at once', async () => {
      const { cache } = await one()
      const events = record(cache)
      await cache.set('a', 1)
      await cache.setMany([['a', 2] as const, ['b', 3] as const])
      await cache.delete('a')
      await cache.delete('none')
      await cache.clear()
      await cache.set('a', 4)
      expect(events).toEqual(['set a', 'set a', 'set b', 'delete a', 'clear', 'set a'])
    })

    it('of what was written and cleared in one go come, on the other peer, of what is left', async () => {
      const { mesh, here, there } = await two()
      const events = record(there)
      await here.set('a', 1)
      await here.clear()
      await here.set('b', 2)
      await flush(mesh)
      expect(events).toEqual(['clear', 'set b'])
    })

    it('of one write after the other come on the other peer, with their versions', async () => {
      const { mesh, here, there } = await two()
      const heard: unknown[] = []
      there.on('set', (event) => heard.push(['set', event]))
      there.on('delete', (event) => heard.push(['delete', event]))
      there.on('clear', (event) => heard.push(['clear', event]))
      await here.set('a', 1)
      const version = (await here.entry('a'))?.version
      await flush(mesh)
      await here.delete('a')
      await flush(mesh)
      await here.clear()
      await flush(mesh)
      expect(heard).toEqual([
        ['set', { key: 'a', version }],
        ['delete', { key: 'a', version: expect.stringMatching(/^[0-9a-f]{12}-[0-9a-f]{4}-p01$/) }],
        ['clear', { version: expect.stringMatching(/^[0-9a-f]{12}-[0-9a-f]{4}-p01$/) }],
      ])
    })

    it('of expiry come on both, each by its own clock, once', async () => {
      const { mesh, here, there } = await two()
      await here.set('key', 1, { ttl: 1_000 })
      await here.set('stays', 1)
      await flush(mesh)
      const events = [record(here), record(there)]
      await mesh.advance(10_000)
      expect(events).toEqual([['expire key'], ['expire key']])
      for (const { peer } of mesh.nodes) expect(peer.stats().expirationCount).toBe(1)
    })

    it('of eviction come only where there is no room; elsewhere the entry stays', async () => {
      const { mesh, here, there } = await two({}, { maxItems: 2 })
      const events = [record(here), record(there)]
      for (const key of ['a', 'b', 'c']) await here.set(key, key)
      await flush(mesh)
      expect(events[0]).toEqual(['set a', 'set b', 'set c'])
      expect(events[1]).toEqual(['set a', 'set b', 'set c', 'evict a'])
      expect(here.local.size).toBe(3)
      expect([...there.local.keys()]).toEqual(['b', 'c'])
      // What is used is kept.
      await there.get('b')
      await there.set('d', 4)
      expect(events[1]?.slice(4)).toEqual(['set d', 'evict c'])
      expect(mesh.node(1).peer.stats().evictionCount).toBe(2)
    })

    it('come to those who listen, as long as they do', async () => {
      const { cache, peer } = await one()
      const heard: string[] = []
      const listener = ({ key }: { key: string }) => heard.push(`listener ${key}`)
      const stop = cache.on('set', ({ key }) => heard.push(`on ${key}`))
      cache.once('set', ({ key }) => heard.push(`once ${key}`))
      cache.on('set', listener)
      peer.cache('other').on('set', () => heard.push('other'))
      await cache.set('a', 1)
      stop()
      cache.off('set', listener)
      await cache.set('b', 1)
      expect(heard).toEqual(['on a', 'once a', 'listener a'])
    })
  })

  describe('what is counted', () => {
    it('are hits and misses of get and getMany, and of nothing else', async () => {
      const { peer, cache } = await one()
      expect(peer.stats()).toMatchObject({ hitCount: 0, missCount: 0, hitRate: 0 })
      await cache.set('a', 1)
      await cache.get('a')
      await cache.get('none')
      await cache.getMany(['a', 'none', 'neither', 'a'])
      const counted = { hitCount: 3, missCount: 3, hitRate: 0.5 }
      expect(peer.stats()).toMatchObject(counted)
      await cache.has('a')
      await cache.has('none')
      await cache.entry('a')
      await cache.entry('none')
      cache.peek('a')
      cache.peek('none')
      await cache.delete('none')
      await collect(cache.entries())
      await failure(() => cache.get(''))
      expect(peer.stats()).toMatchObject(counted)
    })

    it('are writes, and what is held', async () => {
      const { mesh, here, there } = await two()
      await here.setMany([['a', 'x'] as const, ['b', 'y'] as const])
      await here.delete('a')
      await here.delete('none')
      await flush(mesh)
      const [writer, other] = mesh.nodes.map(({ peer }) => peer.stats())
      expect(writer).toMatchObject({ setCount: 2, deleteCount: 2, opsPublishedCount: 4 })
      expect(other).toMatchObject({ setCount: 0, deleteCount: 0, opsReceivedCount: 4 })
      for (const stats of [writer, other]) {
        const memoryBytes = entryBytes('b', 'y')
        expect(stats).toMatchObject({
          itemCount: 1,
          memoryBytes,
          tombstoneCount: 2,
          memberCount: 2,
        })
      }
      expect(there.local.size).toBe(1)
    })

    it('has all the names that are promised, each a finite number', async () => {
      const { mesh, here } = await two()
      const names = [
        'hitCount',
        'missCount',
        'hitRate',
        'itemCount',
        'memoryBytes',
        'avgLatencyMs',
        'p95LatencyMs',
        'p99LatencyMs',
        'syncQueueSize',
        'syncLatencyMs',
        'syncErrorCount',
      ] as const
      const check = () => {
        for (const { peer } of mesh.nodes) {
          const { droppedCount, ...numbers } = peer.stats()
          expect(Object.keys(numbers)).toEqual(expect.arrayContaining([...names]))
          for (const [name, value] of Object.entries({ ...numbers, ...droppedCount })) {
            expect(Number.isFinite(value), `${name} is ${value}`).toBe(true)
            // A clock may be behind.
            if (name !== 'clockSkewMs') expect(value, name).toBeGreaterThanOrEqual(0)
          }
        }
      }
      check()
      await here.set('a', 1)
      await here.get('a')
      await here.get('none')
      await flush(mesh)
      check()
    })

    it('are latencies of callers, none of them below nothing', async () => {
      const mesh = new SimulatedMesh(seed)
      const { peer } = await mesh.start({ bootstrap: [NOWHERE], joinTimeoutMs: 1_000 })
      expect(peer.stats()).toMatchObject({ avgLatencyMs: 0, p95LatencyMs: 0, p99LatencyMs: 0 })
      await mesh.settled(peer.cache('c').set('waits', 1))
      const { avgLatencyMs, p95LatencyMs, p99LatencyMs } = peer.stats()
      for (const ms of [avgLatencyMs, p95LatencyMs, p99LatencyMs]) {
        expect(ms).toBeGreaterThan(900)
        expect(ms).toBeLessThan(1_200)
      }
    })
  })

  describe('after stop()', () => {
    it('every call fails by name, and what is here can still be looked at', async () => {
      const { mesh, here, there } = await two()
      await here.set('key', 1)
      await flush(mesh)
      const { peer } = mesh.node(0) as MeshNode
      await mesh.stop(mesh.node(0))
      const calls: ReadonlyArray<readonly [string, () => unknown]> = [
        ['set', () => here.set('key', 2)],
        ['get', () => here.get('key')],
        ['has', () => here.has('key')],
        ['delete', () => here.delete('key')],
        ['getMany', () => here.getMany(['key'])],
        ['setMany', () => here.setMany([['key', 2] as const])],
        ['deleteMany', () => here.deleteMany(['key'])],
        ['entry', () => here.entry('key')],
        ['clear', () => here.clear()],
        ['keys', () => collect(here.keys())],
        ['entries', () => collect(here.entries())],
        ['size', () => here.size()],
        ['flush', () => peer.flush()],
        ['ready', () => peer.ready()],
        ['join', () => peer.join(NOWHERE)],
        ['forget', () => peer.forget('p02')],
      ]
      for (const [name, call] of calls) {
        const error = await failure(call)
        expect(error, name).toBeInstanceOf(PeerStoppedError)
        expect(error).toMatchObject({ code: 'PEER_STOPPED' })
      }
      expect(here.peek('key')).toBe(1)
      expect([...here.local.keys()]).toEqual(['key'])
      expect(peer.stats().itemCount).toBe(1)
      expect(peer.status).toBe('stopped')
      await mesh.advance(1_000)
      expect(await there.get('key')).toBe(1)
    })
  })
})
