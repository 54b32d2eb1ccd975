/** Members, ring, probes and events over HTTP, in a mesh of real peers. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { MemberInfo, Peer } from '../../src/api.js'
import { createPeer } from '../../src/index.js'
import type { PeerOptions } from '../../src/options.js'
import { type ErrorBody, openEvents, silent } from './client.js'

// A mesh forms in well under a second, but not on a machine that is busy with other tests.
vi.setConfig({ testTimeout: 30_000 })
const SOON = { timeout: 10_000 }

const JSON_TYPE = { 'content-type': 'application/json' }

let peer: Peer
let url: string
const others: Peer[] = []

beforeAll(async () => {
  peer = await createPeer({ name: 'first', http: '127.0.0.1:0', logger: silent })
  await peer.ready()
  url = peer.http ?? ''
})

afterEach(async () => {
  await Promise.all(others.splice(0).map((other) => other.stop()))
})

afterAll(() => peer?.stop())

async function another(options: PeerOptions): Promise<Peer> {
  const other = await createPeer({ logger: silent, ...options })
  others.push(other)
  return other
}

function join(body: unknown) {
  return fetch(`${url}/v1/members`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: JSON_TYPE,
  })
}

async function errorCodeOf(response: Response): Promise<string> {
  return ((await response.json()) as ErrorBody).error.code
}

describe('joining', () => {
  it.each([
    ['no addresses', {}, '"addresses"'],
    ['an empty list', { addresses: [] }, '[]'],
    ['something else than a list', { addresses: '/ip4/127.0.0.1/tcp/1' }, '"/ip4/127.0.0.1/tcp/1"'],
    ['something else than text', { addresses: [1] }, 'addresses.0: 1'],
    ['an unknown field', { addresses: ['/ip4/127.0.0.1/tcp/1'], now: true }, '"now"'],
    ['no object', [], '[]'],
  ])('is refused for %s', async (_name, body, text) => {
    const response = await join(body)
    expect(response.status).toBe(400)
    const { error } = (await response.json()) as ErrorBody
    expect(error.code).toBe('INVALID_BODY')
    expect(error.message).toContain(text)
  })

  it('at what is no address is a 400', async () => {
    const response = await join({ addresses: ['next door'] })
    expect(response.status).toBe(400)
    expect(await errorCodeOf(response)).toBe('INVALID_OPTION')
  })

  it('at an address where nobody is, is a 502', async () => {
    const response = await join({ addresses: ['/ip4/127.0.0.1/tcp/1'] })
    expect(response.status).toBe(502)
    expect(await errorCodeOf(response)).toBe('UNREACHABLE')
  })

  it('another mesh is a 409', async () => {
    const stranger = await another({ mesh: 'another' })
    const response = await join({ addresses: stranger.addresses })
    expect(response.status).toBe(409)
    expect(await errorCodeOf(response)).toBe('HELLO_REFUSED')
  })

  it('makes one mesh of two', async () => {
    const other = await another({ joinTimeoutMs: 0 })
    expect((await join({ addresses: other.addresses })).status).toBe(204)
    await expect.poll(() => peer.members.some(({ id }) => id === other.id), SOON).toBe(true)
  })
})

describe('forgetting', () => {
  it('an unknown member is a 404', async () => {
    const response = await fetch(`${url}/v1/members/nobody`, { method: 'DELETE' })
    expect(response.status).toBe(404)
    expect(await errorCodeOf(response)).toBe('UNKNOWN_MEMBER')
  })

  it('a live member is a 409', async () => {
    const other = await another({ bootstrap: [...peer.addresses] })
    await other.ready()
    await expect.poll(() => peer.members.some(({ id }) => id === other.id), SOON).toBe(true)
    const response = await fetch(`${url}/v1/members/${other.id}`, { method: 'DELETE' })
    expect(response.status).toBe(409)
    expect(await errorCodeOf(response)).toBe('MEMBER_LIVE')
  })

  it('one that has left takes it off the list', async () => {
    const other = await another({ bootstrap: [...peer.addresses] })
    await other.ready()
    await other.stop()
    const state = () => peer.members.find(({ id }) => id === other.id)?.state
    await expect.poll(state, SOON).toBe('left')
    const response = await fetch(`${url}/v1/members/${other.id}`, { method: 'DELETE' })
    expect(response.status).toBe(204)
    await expect.poll(state, SOON).toBe(undefined)
  })
})

describe('what is shown', () => {
  it('of the members is what the peer knows', async () => {
    const members = (await (await fetch(`${url}/v1/members`)).json()) as MemberInfo[]
    expect(members[0]).toMatchObject({ id: peer.id, name: 'first', state: 'alive', self: true })
    expect(Object.keys(members[0] ?? {}).sort()).toEqual(
      [
        'addresses',
        'breaker',
        'id',
        'incarnation',
        'name',
        'partitions',
        'role',
        'self',
        'state',
      ].sort(),
    )
  })

  it('of the ring is where a key belongs', async () => {
    const placement = await (await fetch(`${url}/v1/ring?cache=a%20b&key=%2F`)).json()
    expect(placement).toEqual(peer.ring.locate('a b', '/'))
  })

  it('of the peer is what others need to find it', async () => {
    expect(await (await fetch(`${url}/v1/peer`)).json()).toEqual({
      id: peer.id,
      name: 'first',
      mesh: 'hearsay',
      status: 'serving',
      addresses: peer.addresses,
      http: url,
    })
  })

  it('of the counters is all of them', async () => {
    const stats = (await (await fetch(`${url}/v1/stats`)).json()) as object
    expect(Object.keys(stats)).toEqual(Object.keys(peer.stats()))
  })
})

describe('a peer that has not caught up', () => {
  it('is healthy, and not ready', async () => {
    const joining = await another({
      bootstrap: ['/ip4/127.0.0.1/tcp/1'],
      joinTimeoutMs: 60_000,
      http: '127.0.0.1:0',
    })
    expect((await fetch(`${joining.http}/healthz`)).status).toBe(200)
    const response = await fetch(`${joining.http}/readyz`)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ status: 'joining', error: { code: 'NOT_READY' } })
  })

  it('is ready once it has', async () => {
    const response = await fetch(`${url}/readyz`)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ status: 'serving' })
  })
})

describe('the stream of events', () => {
  it('tells who comes and who goes', async () => {
    const events = await openEvents(url)
    const other = await another({ name: 'second', bootstrap: [...peer.addresses] })
    await other.ready()
    const next = async (name: string) => {
      let event = await events.next()
      while (event !== undefined && (event.name !== name || event.data.id !== other.id)) {
        event = await events.next()
      }
      return event?.data
    }
    expect(await next('member:alive')).toMatchObject({ name: 'second', state: 'alive' })
    await other.stop()
    expect(await next('member:left')).toMatchObject({ id: other.id, state: 'left' })
    events.close()
  })
})
