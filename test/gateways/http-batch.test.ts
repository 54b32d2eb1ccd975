/** Many operations in one request. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Peer } from '../../src/api.js'
import { createPeer } from '../../src/index.js'
import { type ErrorBody, silent } from './client.js'

interface Item extends Partial<ErrorBody> {
  readonly status: number
  readonly value?: unknown
}

let peer: Peer

beforeAll(async () => {
  peer = await createPeer({ http: '127.0.0.1:0', logger: silent })
  await peer.ready()
})

afterAll(() => peer?.stop())

function post(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = { 'content-type': 'application/json' },
) {
  return fetch(`${peer.http}/v1/caches/things/batch`, { method: 'POST', body, headers })
}

async function batch(operations: readonly unknown[]): Promise<Item[]> {
  const response = await post(JSON.stringify(operations))
  expect(response.status).toBe(200)
  return (await response.json()) as Item[]
}

it.each([
  ['no list', '{"op":"get"}', 400, 'INVALID_BODY', 'JSON list'],
  ['no JSON', '[', 400, 'INVALID_BODY', 'not JSON'],
  ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 400, 'INVALID_BODY', 'utf-8'],
  ['too many items', JSON.stringify(Array(10_001).fill(null)), 400, 'INVALID_BODY', '10001'],
  ['too many bytes', `["${'x'.repeat(9 * 1024 * 1024)}"]`, 413, 'BODY_TOO_LARGE', 'limit'],
])('refuses a body that is %s', async (_name, body, status, code, text) => {
  const response = await post(body)
  expect(response.status).toBe(status)
  const { error } = (await response.json()) as ErrorBody
  expect(error.code).toBe(code)
  expect(error.message).toContain(text)
})

it('refuses a body of another type', async () => {
  const response = await post('[]', { 'content-type': 'text/plain' })
  expect(response.status).toBe(415)
  expect(((await response.json()) as ErrorBody).error.code).toBe('UNSUPPORTED_MEDIA_TYPE')
})

it('gives each operation its answer, in their order, and one that fails spoils no other', async () => {
  await peer.cache('things').set('rich', new Map())
  const items = await batch([
    { op: 'set', key: 'a', value: { n: [1, null] } },
    { op: 'get', key: 'a' },
    { op: 'get', key: 'nothing' },
    { op: 'set', key: '', value: 1 },
    { op: 'set', key: 'b', value: 1, ttl: -1 },
    { op: 'get', key: 'rich' },
    { op: 'set', key: 'c', value: null },
    { op: 'get', key: 'c' },
    { op: 'delete', key: 'a' },
    { op: 'get', key: 'a' },
    { op: 'set', key: 'd', value: 1, tags: ['t'] },
    { op: 'set', key: 'd', value: 1, tags: [7] },
    { op: 'set', key: 'd', value: 1, tags: [''] },
  ])
  expect(items.map(({ status }) => status)).toEqual([
    204, 200, 404, 400, 400, 406, 204, 200, 204, 404, 204, 400, 400,
  ])
  expect(items[1]?.value).toEqual({ n: [1, null] })
  expect(items[3]?.error?.code).toBe('INVALID_KEY')
  expect(items[4]?.error?.code).toBe('INVALID_TTL')
  expect(items[5]?.error?.code).toBe('NOT_ACCEPTABLE')
  expect(items[7]).toEqual({ status: 200, value: null })
  expect((await peer.cache('things').entry('d'))?.tags).toEqual(['t'])
  expect(items[11]?.error).toMatchObject({ code: 'INVALID_BODY' })
  expect(items[12]?.error?.code).toBe('INVALID_TAG')
})

it.each([
  [null, 'null'],
  [{ key: 'a' }, '"op"'],
  [{ op: 'increment', key: 'a' }, '"increment"'],
  [{ op: 'get' }, '"key"'],
  [{ op: 'get', key: 5 }, 'key: 5'],
  [{ op: 'set', key: 'a' }, '"value"'],
  [{ op: 'set', key: 'a', value: 1, ttl: '5' }, 'ttl: "5" is not a number of ms from 0'],
  [{ op: 'get', key: 'a', value: 1 }, '"value"'],
])('says what is wrong with the item %j', async (operation, text) => {
  const [wrong, right] = await batch([operation, { op: 'set', key: 'a', value: 1 }])
  expect(wrong?.status).toBe(400)
  expect(wrong?.error?.message).toContain(text)
  expect(right).toEqual({ status: 204 })
})

it('keeps the keys that a URL cannot name', async () => {
  const items = await batch([
    { op: 'set', key: '..', value: 'up' },
    { op: 'get', key: '..' },
  ])
  expect(items[1]?.value).toBe('up')
})

it('takes as many operations as its limit says', async () => {
  const operations = Array.from({ length: 10_000 }, (_, n) => ({
    op: 'set',
    key: `${n}`,
    value: n,
  }))
  const items = await batch(operations)
  expect(items).toHaveLength(10_000)
  expect(items.every(({ status }) => status === 204)).toBe(true)
  expect(await peer.cache('things').get('9999')).toBe(9999)
})
