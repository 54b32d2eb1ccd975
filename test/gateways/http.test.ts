/** Entries, values and caches over HTTP, against a peer that is alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Peer } from '../../src/api.js'
import { createPeer } from '../../src/index.js'
import { type ErrorBody, rawRequest, silent } from './client.js'

const MIB = 1024 * 1024
const JSON_TYPE = { 'content-type': 'application/json' }
const TEXT_TYPE = { 'content-type': 'text/plain' }

let peer: Peer
let url: string

beforeAll(async () => {
  peer = await createPeer({ http: '127.0.0.1:0', logger: silent })
  await peer.ready()
  url = peer.http ?? ''
})

afterAll(() => peer?.stop())

function entryUrl(key: string, query = ''): string {
  return `${url}/v1/caches/things/${encodeURIComponent(key)}${query}`
}

function put(
  key: string,
  body: RequestInit['body'],
  headers: Record<string, string> = {},
  query = '',
) {
  return fetch(entryUrl(key, query), { method: 'PUT', body: body ?? null, headers })
}

async function errorOf(response: Response): Promise<ErrorBody['error']> {
  const body = (await response.json()) as ErrorBody
  expect(Object.keys(body)).toEqual(['error'])
  return body.error
}

describe('an entry', () => {
  it('that is not there is a 404 in the shape of all errors', async () => {
    const response = await fetch(entryUrl('nothing'))
    expect(response.status).toBe(404)
    const { code, message } = await errorOf(response)
    expect(code).toBe('KEY_NOT_FOUND')
    expect(message).toContain('"nothing"')
  })

  it('is not there any more after a DELETE, which may be repeated', async () => {
    await put('gone', 'text', TEXT_TYPE)
    expect((await fetch(entryUrl('gone'), { method: 'DELETE' })).status).toBe(204)
    expect((await fetch(entryUrl('gone'), { method: 'DELETE' })).status).toBe(204)
    expect((await fetch(entryUrl('gone'))).status).toBe(404)
  })

  it('carries its version, its last change and its expiry', async () => {
    expect((await put('dated', 'text', TEXT_TYPE, '?ttl=60000&ack=none')).status).toBe(204)
    const { headers } = await fetch(entryUrl('dated', '?consistency=local'))
    const entry = await peer.cache('things').entry('dated')
    expect(headers.get('x-hearsay-version')).toBe(entry?.version)
    expect(headers.get('x-hearsay-expires-at')).toBe(String(entry?.expiresAt))
    expect(headers.get('last-modified')).toMatch(/ GMT$/)
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it('has no expiry when its ttl is 0', async () => {
    await put('lasting', 'text', TEXT_TYPE, '?ttl=0')
    expect((await fetch(entryUrl('lasting'))).headers.has('x-hearsay-expires-at')).toBe(false)
  })

  it('counts as a hit or a miss by GET and not by HEAD', async () => {
    await put('counted', 'text', TEXT_TYPE)
    const before = peer.stats()
    await fetch(entryUrl('counted'))
    await fetch(entryUrl('not-counted'))
    const head = await fetch(entryUrl('counted'), { method: 'HEAD' })
    expect((await fetch(entryUrl('not-counted'), { method: 'HEAD' })).status).toBe(404)
    const after = peer.stats()
    expect(head.headers.get('content-length')).toBe('4')
    expect(after.hitCount - before.hitCount).toBe(1)
    expect(after.missCount - before.missCount).toBe(1)
  })

  it.each([
    'a/b',
    'a b',
    '🥐 crème',
    '?#&=+%',
    '%2F',
    'batch',
    '...',
    'k'.repeat(1024),
    '/'.repeat(1024),
  ])('has the key %s', async (key) => {
    expect((await put(key, key, TEXT_TYPE)).status).toBe(204)
    expect(await peer.cache('things').get(key)).toBe(key)
    expect(await (await fetch(entryUrl(key))).text()).toBe(key)
  })

  it.each(['.', '..'])('has the key %s, for clients that leave it in the path', async (key) => {
    await peer.cache('things').set(key, 'dots')
    expect((await rawRequest(url, `/v1/caches/things/${key}`)).body).toBe('dots')
  })

  it('is in the cache whose name is percent-encoded', async () => {
    const response = await fetch(`${url}/v1/caches/a%2Fb%20c/key`, { method: 'PUT', body: 'x' })
    expect(response.status).toBe(204)
    expect(await peer.cache('a/b c').has('key')).toBe(true)
  })
})

describe('a value', () => {
  it.each([
    ['an empty JSON body', '', JSON_TYPE, 400, 'INVALID_BODY'],
    ['malformed JSON', '{"a":', JSON_TYPE, 400, 'INVALID_BODY'],
    ['a key that would change prototypes', '{"__proto__":{}}', JSON_TYPE, 400, 'INVALID_BODY'],
    ['text that is not UTF-8', new Uint8Array([0xff]), TEXT_TYPE, 400, 'INVALID_BODY'],
    [
      'an unknown charset',
      'x',
      { 'content-type': 'text/plain; charset=x' },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    ['a malformed content type', 'x', { 'content-type': 'text' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['a compressed body', 'x', { 'content-encoding': 'gzip' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['a value over the limit', new Uint8Array(8 * MIB + 1), {}, 413, 'VALUE_TOO_LARGE'],
    ['a body far over the limit', new Uint8Array(32 * MIB), {}, 413, 'BODY_TOO_LARGE'],
  ])('is refused: %s', async (_name, body, headers, status, code) => {
    const response = await put('refused', body, headers as Record<string, string>)
    expect(response.status).toBe(status)
    expect((await errorOf(response)).code).toBe(code)
    expect(await peer.cache('things').has('refused')).toBe(false)
  })

  it.each([
    ['a Map', new Map([['a', 1]]), 'Map'],
    ['a Set', new Set([1]), 'Set'],
    ['a BigInt', 1n, 'bigint'],
    ['a Date', new Date(0), 'Date'],
    ['a typed array of numbers', new Float64Array(2), 'Float64Array'],
    ['a Date inside', { list: [{ born: new Date(0) }] }, '"born"'],
    ['bytes inside', { picture: new Uint8Array(2) }, '"picture"'],
    ['NaN inside', { ratio: Number.NaN }, 'NaN'],
    ['Infinity', Number.POSITIVE_INFINITY, 'Infinity'],
    ['undefined inside', [1, undefined], 'undefined'],
  ])('that JSON cannot carry is a 406 which says why: %s', async (_name, value, reason) => {
    await peer.cache('things').set('rich', value)
    const response = await fetch(entryUrl('rich'))
    expect(response.status).toBe(406)
    const { code, message } = await errorOf(response)
    expect(code).toBe('NOT_ACCEPTABLE')
    expect(message).toContain(reason)
  })

  it('that contains itself is a 406', async () => {
    const circular: { me?: unknown } = {}
    circular.me = circular
    await peer.cache('things').set('circular', circular)
    expect((await fetch(entryUrl('circular'))).status).toBe(406)
  })

  it.each(['null', 'false', '0', '""', '[]', '{"a":[1,{"b":null}]}'])(
    'of JSON comes back: %s',
    async (json) => {
      expect((await put('json', json, JSON_TYPE)).status).toBe(204)
      expect(await peer.cache('things').get('json')).toEqual(JSON.parse(json))
      const response = await fetch(entryUrl('json'), { headers: { accept: 'application/json' } })
      expect(response.headers.get('content-type')).toMatch(/^application\/json/)
      expect(await response.text()).toBe(json)
    },
  )

  it('of text comes back as text, or as JSON where that is asked for', async () => {
    await put('text', 'grüße "you"', { 'content-type': 'text/html; charset=utf-8' })
    const text = await fetch(entryUrl('text'))
    expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await text.text()).toBe('grüße "you"')
    const json = await fetch(entryUrl('text'), { headers: { accept: 'application/json' } })
    expect(json.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await json.json()).toBe('grüße "you"')
  })

  it('of text is decoded by its charset', async () => {
    await put('latin', new Uint8Array([0xe9]), { 'content-type': 'text/plain; charset=latin1' })
    expect(await peer.cache('things').get('latin')).toBe('é')
  })

  it.each([
    ['no content type', {}],
    ['another content type', { 'content-type': 'image/png' }],
  ])('of bytes comes back as bytes: %s', async (_name, headers) => {
    const bytes = new Uint8Array([0, 1, 254, 255])
    await put('bytes', bytes, headers as Record<string, string>)
    expect(await peer.cache('things').get('bytes')).toEqual(bytes)
    const response = await fetch(entryUrl('bytes'))
    expect(response.headers.get('content-type')).toBe('application/octet-stream')
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes)
  })

  it('is no bytes when nothing is sent', async () => {
    expect((await fetch(entryUrl('empty'), { method: 'PUT' })).status).toBe(204)
    expect(await peer.cache('things').get('empty')).toEqual(new Uint8Array())
  })
})

describe('caches', () => {
  it('are listed with the number of entries held here', async () => {
    await peer.cache('listed').set('a', 1)
    await peer.cache('listed').set('b', 2)
    const caches = await (await fetch(`${url}/v1/caches`)).json()
    expect(caches).toContainEqual({ name: 'listed', localSize: 2 })
  })

  it('are cleared as a whole', async () => {
    await peer.cache('cleared').set('a', 1)
    expect((await fetch(`${url}/v1/caches/cleared`, { method: 'DELETE' })).status).toBe(204)
    expect(await peer.cache('cleared').has('a')).toBe(false)
  })

  it('are cleared of what bears a tag', async () => {
    const put = async (key: string, query: string) => {
      const init = { method: 'PUT', body: 'v', headers: { 'content-type': 'text/plain' } }
      return (await fetch(`${url}/v1/caches/tagged/${key}${query}`, init)).status
    }
    expect(await put('a', '?tag=t&tag=with%20space')).toBe(204)
    expect(await put('b', '?tag=u')).toBe(204)
    expect(await put('c', '')).toBe(204)
    const cache = peer.cache('tagged')
    expect((await cache.entry('a'))?.tags).toEqual(['t', 'with space'])
    const clear = (query: string) => fetch(`${url}/v1/caches/tagged${query}`, { method: 'DELETE' })
    expect((await clear('?tag=with%20space')).status).toBe(204)
    expect([cache.peek('a'), cache.peek('b'), cache.peek('c')]).toEqual([undefined, 'v', 'v'])
    expect((await clear('?tag=u&tag=t')).status).toBe(204)
    expect([cache.peek('b'), cache.peek('c')]).toEqual([undefined, 'v'])
    const refused = await clear('?tag=')
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ error: { code: 'INVALID_TAG' } })
    expect(cache.peek('c')).toBe('v')
  })
})
