/** Requests that are refused, all in one shape: those that are wrong, and those of web pages. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Peer } from '../../src/api.js'
import { createPeer } from '../../src/index.js'
import { connection, type ErrorBody, rawRequest, silent, untilClosed } from './client.js'

const ONLY_ACKS = 'is not supported, only "none" or "one" or "quorum" or "all"'
const TTL_RANGE = 'number of ms from 0 (never expires) to 3155760000000'
const ONLY_CONSISTENCIES = 'is not supported, only "local" or "one" or "quorum"'

let peer: Peer
let url: string

beforeAll(async () => {
  peer = await createPeer({ http: '127.0.0.1:0', logger: silent })
  await peer.ready()
  url = peer.http ?? ''
})

afterAll(() => peer?.stop())

describe('a request', () => {
  it.each([
    ['PUT', '/v1/caches/c/k?ttl=soon', 400, 'INVALID_QUERY', 'ttl: "soon"'],
    ['PUT', '/v1/caches/c/k?ttl=-1', 400, 'INVALID_QUERY', `ttl: "-1" is not a whole ${TTL_RANGE}`],
    [
      'PUT',
      '/v1/caches/c/k?ttl=1e20',
      400,
      'INVALID_QUERY',
      `ttl: "1e20" is not a whole ${TTL_RANGE}`,
    ],
    // In the same words, but from the cache.
    ['PUT', '/v1/caches/c/k?ttl=99999999999999999999', 400, 'INVALID_TTL', TTL_RANGE],
    ['PUT', '/v1/caches/c/k?ttl=1&ttl=2', 400, 'INVALID_QUERY', 'ttl: ["1","2"]'],
    ['PUT', '/v1/caches/c/k?ack=some', 400, 'INVALID_QUERY', `ack: "some" ${ONLY_ACKS}`],
    ['PUT', '/v1/caches/c/k?ack=', 400, 'INVALID_QUERY', `ack: "" ${ONLY_ACKS}`],
    ['PUT', '/v1/caches/c/k?ack=one&ack=all', 400, 'INVALID_QUERY', 'ack: ["one","all"]'],
    ['PUT', '/v1/caches/c/k?consistency=one', 400, 'INVALID_QUERY', '"consistency"'],
    ['PUT', '/v1/caches/c/k?tll=5', 400, 'INVALID_QUERY', '"tll"'],
    ['DELETE', '/v1/caches/c/k?ack=two', 400, 'INVALID_QUERY', `ack: "two" ${ONLY_ACKS}`],
    ['DELETE', '/v1/caches/c?ack=All', 400, 'INVALID_QUERY', `ack: "All" ${ONLY_ACKS}`],
    [
      'GET',
      '/v1/caches/c/k?consistency=all',
      400,
      'INVALID_QUERY',
      `consistency: "all" ${ONLY_CONSISTENCIES}`,
    ],
    ['GET', '/v1/caches/c/k?ack=one', 400, 'INVALID_QUERY', '"ack"'],
    ['GET', '/v1/peer?verbose=1', 400, 'INVALID_QUERY', '"verbose"'],
    ['GET', '/v1/ring?cache=c', 400, 'INVALID_QUERY', '"key"'],
    ['GET', '/v1/ring?cache=c&key=%ZZ', 400, 'INVALID_URL', ''],
    ['GET', '/v1/caches/c/%ZZ', 400, 'INVALID_URL', ''],
    ['GET', '/v1/caches/c/%C0%AF', 400, 'INVALID_URL', ''],
    ['GET', '/v1/caches/c/', 400, 'INVALID_KEY', ''],
    ['GET', `/v1/caches/c/${'k'.repeat(1025)}`, 400, 'INVALID_KEY', '1024'],
    ['GET', `/v1/caches/c/${'k'.repeat(20_000)}`, 431, 'HEADERS_TOO_LARGE', ''],
    ['GET', '/v1/nothing', 404, 'ROUTE_NOT_FOUND', '/v1/nothing'],
    ['POST', '/v1/caches/c/k', 405, 'METHOD_NOT_ALLOWED', 'PUT'],
    ['DELETE', '/v1/stats', 405, 'METHOD_NOT_ALLOWED', 'GET'],
  ])('%s %s is refused in words', async (method, path, status, code, text) => {
    const response = await rawRequest(url, path, { method })
    expect(response.status).toBe(status)
    expect(response.headers['content-type']).toMatch(/^application\/json/)
    const { error } = JSON.parse(response.body) as ErrorBody
    expect(error.code).toBe(code)
    expect(error.message).toContain(text)
  })

  it('with a wrong method is told the right ones', async () => {
    const { headers } = await rawRequest(url, '/v1/members', { method: 'PUT' })
    expect(headers.allow).toBe('GET, HEAD, POST')
  })

  it('that is not HTTP is refused in the same shape', async () => {
    const answer = await untilClosed(await connection(url, 'nonsense\r\n\r\n'))
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*"code":"BAD_REQUEST"/s)
  })

  it.each([
    'evil.example',
    'evil.example:80',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    'localhost@evil.example',
  ])('that names the host %s is refused', async (host) => {
    const { status, body } = await rawRequest(url, '/v1/peer', { headers: { host } })
    expect(status).toBe(403)
    expect((JSON.parse(body) as ErrorBody).error.code).toBe('HOST_REFUSED')
  })

  it('that names no host is refused', async () => {
    const text = 'GET /v1/peer HTTP/1.1\r\nconnection: close\r\n\r\n'
    const answer = await untilClosed(await connection(url, text))
    expect(answer).toMatch(/^HTTP\/1\.1 403 .*"code":"HOST_REFUSED"/s)
  })

  it.each(['localhost', 'LOCALHOST:1', '127.0.0.1:7700', '127.1.2.3', '[::1]:7700'])(
    'that names the host %s is served',
    async (host) => {
      expect((await rawRequest(url, '/v1/peer', { headers: { host } })).status).toBe(200)
    },
  )

  it.each(['https://evil.example', 'http://localhost.evil.example', 'null'])(
    'of a page of %s may change nothing',
    async (origin) => {
      const refused = await putByPage(origin)
      expect(refused.status).toBe(403)
      expect(((await refused.json()) as ErrorBody).error.code).toBe('ORIGIN_REFUSED')
      expect(await peer.cache('c').has('by-a-page')).toBe(false)
      expect((await fetch(`${url}/v1/peer`, { headers: { origin } })).status).toBe(200)
    },
  )

  it('of a page on this machine may', async () => {
    expect((await putByPage('http://localhost:3000')).status).toBe(204)
  })
})

function putByPage(origin: string) {
  const headers = { origin }
  return fetch(`${url}/v1/caches/c/by-a-page`, { method: 'PUT', body: 'x', headers })
}
