/** How many members a request waits for: what the cache is asked, and what becomes of too few confirmations. */
import { describe, expect, it } from 'vitest'
import type { Cache, CacheEntry, ReadOptions } from '../../src/api.js'
import { NotConfirmedError, SyncError } from '../../src/errors.js'
import { deferred, type ErrorBody } from './client.js'
import { gatewayOver, PUT } from './stand-in.js'

const ENTRY: CacheEntry<unknown> = {
  key: 'k',
  value: 'text',
  version: 'v2',
  createdAt: 0,
  updatedAt: 0,
  expiresAt: undefined,
  tags: [],
}

/** A stand-in for a cache that keeps what it is asked: the method, and whom it is to wait for. */
function askedCache(parts: Partial<Cache> = {}) {
  const asked: unknown[] = []
  const cache: Partial<Cache> = {
    set: async (_key, _value, options) => void asked.push(['set', options?.ack, options?.ttl]),
    delete: async (_key, options) => asked.push(['delete', options?.ack]) > 0,
    clear: async (options) => void asked.push(['clear', options?.ack]),
    getMany: async <T>(keys: Iterable<string>, options?: ReadOptions) => {
      asked.push(['getMany', options?.consistency])
      return new Map([...keys].map((key) => [key, 'text' as T]))
    },
    entry: async (_key, options) => {
      asked.push([options?.counted ? 'get' : 'look', options?.consistency])
      return ENTRY
    },
    ...parts,
  }
  return { cache, asked }
}

function batch(url: string, query: string, operations: readonly unknown[]) {
  return fetch(`${url}/v1/caches/c/batch${query}`, {
    method: 'POST',
    body: JSON.stringify(operations),
    headers: { 'content-type': 'application/json' },
  })
}

type Items = Array<{ status: number; value?: unknown } & Partial<ErrorBody>>

async function itemsOf(response: Response): Promise<Items> {
  expect(response.status).toBe(200)
  return (await response.json()) as Items
}

describe('what the cache is asked', () => {
  it.each([
    ['PUT', '/k?ack=none', ['set', 'none', undefined]],
    ['PUT', '/k?ack=one', ['set', 'one', undefined]],
    ['PUT', '/k?ack=quorum&ttl=5', ['set', 'quorum', 5]],
    ['PUT', '/k?ack=all', ['set', 'all', undefined]],
    ['DELETE', '/k?ack=quorum', ['delete', 'quorum']],
    ['DELETE', '?ack=all', ['clear', 'all']],
    ['GET', '/k?consistency=local', ['get', 'local']],
    ['GET', '/k?consistency=one', ['get', 'one']],
    ['GET', '/k?consistency=quorum', ['get', 'quorum']],
    ['HEAD', '/k?consistency=quorum', ['look', 'quorum']],
  ])('by %s %s is what the request says', async (method, path, call) => {
    const { cache, asked } = askedCache()
    const { url } = await gatewayOver({ cache })
    const response = await fetch(`${url}/v1/caches/c${path}`, method === 'PUT' ? PUT : { method })
    expect(response.ok).toBe(true)
    expect(asked).toEqual([call])
  })

  it('is left to the cache where the request says nothing', async () => {
    const { cache, asked } = askedCache()
    const { url } = await gatewayOver({ cache })
    await fetch(`${url}/v1/caches/c/k`, PUT)
    await fetch(`${url}/v1/caches/c/k`, { method: 'DELETE' })
    await fetch(`${url}/v1/caches/c/k`)
    await batch(url, '', [
      { op: 'set', key: 'a', value: 1 },
      { op: 'get', key: 'a' },
    ])
    expect(asked).toEqual([
      ['set', undefined, undefined],
      ['delete', undefined],
      ['get', undefined],
      ['set', undefined, undefined],
      ['getMany', undefined],
    ])
  })

  it('by HEAD is nothing that counts', async () => {
    const { cache, asked } = askedCache()
    const { url } = await gatewayOver({ cache })
    const response = await fetch(`${url}/v1/caches/c/k?consistency=one`, { method: 'HEAD' })
    expect(response.headers.get('x-hearsay-version')).toBe('v2')
    expect(asked).toEqual([['look', 'one']])
  })
})

describe('a read of the majority', () => {
  it('gives value and version of one entry, as the cache answers it', async () => {
    const { cache } = askedCache({
      entry: async (_key, options) =>
        options?.consistency === 'quorum' ? { ...ENTRY, value: 'new', version: 'v2' } : ENTRY,
    })
    const { url } = await gatewayOver({ cache })
    const latest = await fetch(`${url}/v1/caches/c/k?consistency=quorum`)
    expect(latest.headers.get('x-hearsay-version')).toBe('v2')
    expect(await latest.text()).toBe('new')
  })

  it('that finds the key deleted is a 404', async () => {
    const { cache } = askedCache({ entry: async () => undefined, getMany: async () => new Map() })
    const { url } = await gatewayOver({ cache })
    expect((await fetch(`${url}/v1/caches/c/k?consistency=quorum`)).status).toBe(404)
    const items = await itemsOf(await batch(url, '?consistency=quorum', [{ op: 'get', key: 'k' }]))
    expect(items).toEqual([{ status: 404 }])
  })
})

describe('too few confirmations', () => {
  const tooFew = () => Promise.reject(new NotConfirmedError(['ada'], ['bob', 'cyd'], 1_000))
  const { cache } = askedCache({ set: tooFew, delete: tooFew, clear: tooFew, entry: tooFew })

  it.each([
    ['PUT', '/k?ack=quorum'],
    ['DELETE', '/k?ack=quorum'],
    ['DELETE', '?ack=all'],
    ['GET', '/k?consistency=quorum'],
  ])('are a 503 that names who confirmed and who did not: %s %s', async (method, path) => {
    const { url, lines } = await gatewayOver({ cache })
    const response = await fetch(`${url}/v1/caches/c${path}`, method === 'PUT' ? PUT : { method })
    expect(response.status).toBe(503)
    const { error } = (await response.json()) as ErrorBody
    expect(error.code).toBe('NOT_CONFIRMED')
    expect(error.message).toContain('ada did, bob, cyd did not')
    expect(lines).toEqual([])
  })

  it('are said to be the end where nobody else could be asked', () => {
    const { message } = new NotConfirmedError(['ada'], [], 1_000)
    expect(message).toContain('ada did, and no other was there to be asked')
    expect(message).toContain('1000 ms')
  })

  it('for one write of a batch end the writes after it, which is told apart', async () => {
    let attempts = 0
    const set: Cache['set'] = () => {
      attempts++
      return tooFew()
    }
    const { cache } = askedCache({ set })
    const { url } = await gatewayOver({ cache })
    const write = { op: 'set', key: 'k', value: 1 }
    const response = await batch(url, '?ack=quorum', [write, write, write, { op: 'get', key: 'k' }])
    const items = await itemsOf(response)
    expect(items.map(({ status }) => status)).toEqual([503, 503, 503, 200])
    expect(items.map(({ error }) => error?.code)).toEqual([
      'NOT_CONFIRMED',
      'NOT_ATTEMPTED',
      'NOT_ATTEMPTED',
      undefined,
    ])
    expect(attempts).toBe(1)
  })
})

describe('a repair', () => {
  it('answers with what was done', async () => {
    const done = { memberCount: 2, pulledCount: 3, pushedCount: 4 }
    const { url } = await gatewayOver({ peer: { sync: async () => done } })
    const response = await fetch(`${url}/v1/sync`, { method: 'POST' })
    expect([response.status, await response.json()]).toEqual([200, done])
  })

  it('that was not possible with all is a 503 that names them', async () => {
    const sync = () => Promise.reject(new SyncError(['bob'], 2))
    const { url } = await gatewayOver({ peer: { sync } })
    const response = await fetch(`${url}/v1/sync`, { method: 'POST' })
    const { error } = (await response.json()) as ErrorBody
    expect([response.status, error.code]).toEqual([503, 'NOT_SYNCED'])
    expect(error.message).toContain('1 of 2 members could not be compared with: bob')
  })
})

describe('a batch', () => {
  it.each([
    ['?ack=some', 'ack: "some"', '"quorum"'],
    ['?consistency=all', 'consistency: "all"', '"quorum"'],
    ['?ttl=5', '"ttl"', 'no parameter'],
  ])('with the query %s is refused', async (query, ...texts) => {
    const { url } = await gatewayOver()
    const response = await batch(url, query, [])
    expect(response.status).toBe(400)
    const { error } = (await response.json()) as ErrorBody
    expect(error.code).toBe('INVALID_QUERY')
    for (const text of texts) expect(error.message).toContain(text)
  })

  it('has writes of several keys wait for others at once, and of one key one after the other', async () => {
    const under: string[] = []
    const most: string[][] = []
    const all = deferred()
    const set: Cache['set'] = async (key, value, options) => {
      expect(options?.ack).toBe('quorum')
      under.push(`${key}=${value}`)
      most.push([...under])
      // The first three end when all of them have begun: had each to end first, none would.
      if (under.length === 3) all.resolve()
      if (value !== 2) await all.promise
      under.splice(under.indexOf(`${key}=${value}`), 1)
    }
    const { url } = await gatewayOver({ cache: { set } })
    const response = await batch(url, '?ack=quorum', [
      { op: 'set', key: 'a', value: 1 },
      { op: 'set', key: 'b', value: 1 },
      { op: 'set', key: 'c', value: 1 },
      { op: 'set', key: 'a', value: 2 },
    ])
    expect((await itemsOf(response)).map(({ status }) => status)).toEqual([204, 204, 204, 204])
    expect(most[2]).toEqual(['a=1', 'b=1', 'c=1'])
    expect(most[3]).toEqual(['a=2'])
  })

  it('whose client goes away is given up, however many of it wait, and nothing warns', async () => {
    const warnings: Error[] = []
    const keep = (warning: Error) => void warnings.push(warning)
    process.on('warning', keep)
    const waiting = deferred()
    const givenUp = deferred()
    let waitingCount = 0
    const set: Cache['set'] = (_key, _value, options) =>
      new Promise((_resolve, reject) => {
        if (++waitingCount === 32) waiting.resolve()
        options?.signal?.addEventListener('abort', () => {
          if (--waitingCount === 0) givenUp.resolve()
          reject(options.signal?.reason)
        })
      })
    const { url, lines } = await gatewayOver({ cache: { set } })
    const client = new AbortController()
    const response = fetch(`${url}/v1/caches/c/batch?ack=all`, {
      method: 'POST',
      body: JSON.stringify(
        [...Array(100).keys()].map((n) => ({ op: 'set', key: `${n}`, value: n })),
      ),
      headers: { 'content-type': 'application/json' },
      signal: client.signal,
    })
    response.catch(() => {})
    await waiting.promise
    client.abort()
    await givenUp.promise
    // Warnings come a turn later.
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', keep)
    expect(warnings).toEqual([])
    expect(lines).toEqual([])
  })

  it('reads what it wrote, and what the majority has of the rest', async () => {
    const held = new Map<string, unknown>([['other', 'latest']])
    const { cache } = askedCache({
      set: async (key, value) => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        held.set(key, value)
      },
      getMany: async <T>(keys: Iterable<string>, options?: ReadOptions) => {
        expect(options?.consistency).toBe('quorum')
        const found = [...keys].filter((key) => held.has(key))
        return new Map(found.map((key) => [key, held.get(key) as T]))
      },
    })
    const { url } = await gatewayOver({ cache })
    const response = await batch(url, '?ack=quorum&consistency=quorum', [
      { op: 'set', key: 'a', value: 1 },
      { op: 'get', key: 'a' },
      { op: 'get', key: 'other' },
      { op: 'nothing' },
      { op: 'get', key: 'none' },
    ])
    const items = await itemsOf(response)
    expect(items.map(({ status }) => status)).toEqual([204, 200, 200, 400, 404])
    expect(items.map(({ value }) => value)).toEqual([undefined, 1, 'latest', undefined, undefined])
  })

  it('asks for the keys that it reads together', async () => {
    const { cache, asked } = askedCache()
    const { url } = await gatewayOver({ cache })
    await batch(
      url,
      '',
      ['a', 'b', 'c'].map((key) => ({ op: 'get', key })),
    )
    expect(asked).toEqual([['getMany', undefined]])
  })
})
