/** Findings of caches, peers and services, each with the case that showed it. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { createPeer, NotConfirmedError } from '../src/index.js'
import { batchCodec } from '../src/protocol/codec.js'
import { topicsOf } from '../src/services/topics.js'
import { SimulatedMesh } from './support/mesh.js'
import { testSeed } from './support/random.js'

const seed = testSeed()
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

describe('stop()', () => {
  it('fails writers and ready() that wait for the peer to join', async () => {
    const mesh = new SimulatedMesh(seed)
    const { peer } = await mesh.start({
      bootstrap: ['/ip4/127.0.0.1/tcp/4001'],
      joinTimeoutMs: 60_000,
    })
    const waiting = Promise.allSettled([peer.cache('c').set('key', 1), peer.ready()])
    await mesh.advance(100)
    await mesh.settled(peer.stop())
    for (const outcome of await mesh.settled(waiting, 120_000)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'PEER_STOPPED' } })
    }
  })
  it('fails writers that wait for room, at once, and leaves no timer of theirs', async () => {
    const mesh = new SimulatedMesh(seed, { syncQueueMax: 1, batchEntriesMax: 1 })
    const { peer } = await mesh.start()
    const cache = peer.cache('c')
    await cache.set('first', 1)
    const waiting = Promise.allSettled([2, 3, 4].map((i) => cache.set(`${i}`, i)))
    await mesh.settled(peer.stop())
    await mesh.advance(0)
    expect(mesh.time.pending).toBe(0)
    for (const outcome of await mesh.settled(waiting)) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: 'PEER_STOPPED' })
    }
  })
})

describe('createPeer', () => {
  it('listens on /dns4/localhost, or refuses it by name; the process lives on. Needs a build', () => {
    const script = `
      import { createPeer } from 'hearsay'
      try { await (await createPeer({ listen: ['/dns4/localhost/tcp/0'] })).stop(); console.log('OK') }
      catch (error) { console.log(error.code) }
      setTimeout(() => {}, 500)`
    const args = ['--input-type=module', '--eval', script]
    const output = execFileSync(process.execPath, args, { stdio: 'pipe', encoding: 'utf8' })
    expect(output.trim()).toMatch(/^(OK|INVALID_OPTION|LISTEN_FAILED)$/)
  })
})

describe('opening a cache', () => {
  it('without a time to live and then with 0, its default, is no contradiction', async () => {
    const { peer } = (await SimulatedMesh.of(1, seed)).node(0)
    const cache = peer.cache('x')
    expect(peer.cache('x', { ttl: 0 })).toBe(cache)
  })
  it('with options that are no object is a typed error', async () => {
    const { peer } = (await SimulatedMesh.of(1, seed)).node(0)
    expect(() => peer.cache('x', null as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })
})

describe('join()', () => {
  it.each([undefined, 5, [5]])('of %s is a typed error', async (addresses) => {
    const mesh = await SimulatedMesh.of(1, seed)
    const joining = mesh.settled(mesh.node(0).peer.join(addresses as never))
    await expect(joining).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
  it('resolves when one of several addresses takes it in, also when an earlier one refused', async () => {
    const peers = await Promise.all(
      ['a', 'b', 'a'].map((mesh) => createPeer({ mesh, logger: quiet })),
    )
    const [first, wrong, right] = peers as [(typeof peers)[0], (typeof peers)[0], (typeof peers)[0]]
    try {
      await first.join([...wrong.addresses, ...right.addresses])
      expect(first.members).toHaveLength(2)
    } finally {
      await Promise.all(peers.map((peer) => peer.stop()))
    }
  })
})

describe('stats()', () => {
  it('syncErrorCount counts confirmations that failed, as api.ts says', async () => {
    const mesh = await SimulatedMesh.of(2, seed, { syncTimeoutMs: 500 })
    const { peer } = mesh.node(0)
    mesh.stall(mesh.node(1), 5_000)
    await peer.cache('c').set('key', 1)
    const before = peer.stats().syncErrorCount
    await expect(mesh.settled(peer.flush())).rejects.toBeInstanceOf(NotConfirmedError)
    expect(peer.stats().syncErrorCount).toBeGreaterThan(before)
  })
})

describe('a value of another peer that is not CBOR', () => {
  it('does not take away all the others from who lists or asks for many', async () => {
    const mesh = await SimulatedMesh.of(2, seed)
    await mesh.advance(3_000)
    const [source, target] = [mesh.node(0), mesh.node(1)]
    const cache = target.peer.cache('c')
    await cache.set('good', { a: 1 })
    const version = { wallMs: mesh.time.now(), counter: 0, member: source.id }
    const bad = {
      cache: 'c',
      key: 'bad',
      version,
      deleted: false,
      payload: new Uint8Array([0xa1]),
      createdAt: 1,
      expiresAt: 0,
    }
    const batch = { epoch: 1, sequence: 1, writes: [bad], markers: [] }
    await source.transport.publish(topicsOf('hearsay').ops, batchCodec.encode(batch))
    await mesh.advance(100)
    expect([...cache.local.keys()].length).toBe(2)
    expect((await cache.getMany(['bad', 'good'])).get('good')).toEqual({ a: 1 })
    expect([...cache.local.entries()].map(({ key }) => key)).toContain('good')
  })
})
