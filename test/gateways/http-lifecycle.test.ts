/** The beginning and the end of the gateway. */
import { Agent, get } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { PeerEvents } from '../../src/api.js'
import { Emitter } from '../../src/emitter.js'
import { AddressInUseError, ListenError } from '../../src/errors.js'
import { connection, deferred, openEvents, untilClosed } from './client.js'
import { gatewayOver, PUT } from './stand-in.js'

describe('listening', () => {
  it('on an address that is taken fails, names it, and leaves nothing behind', async () => {
    const { url } = await gatewayOver()
    const address = url.slice('http://'.length)
    const emitter = new Emitter<PeerEvents>(() => {})
    const peer = { on: emitter.on.bind(emitter) }
    const failure = await gatewayOver({ peer, address }).catch((error) => error)
    expect(failure).toBeInstanceOf(AddressInUseError)
    expect(failure.message).toContain(address)
    expect(failure.cause.code).toBe('EADDRINUSE')
    expect(emitter.hears('alert')).toBe(false)
  })

  it('on an address of another machine fails, and names it', async () => {
    const failure = await gatewayOver({ address: '192.0.2.1:0' }).catch((error) => error)
    expect(failure).toBeInstanceOf(ListenError)
    expect(failure.message).toContain('192.0.2.1:0')
  })

  it.each(['localhost:0', '[::1]:0'])('on %s gives a URL that is served', async (address) => {
    const { url } = await gatewayOver({ address })
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })
})

describe('closing', () => {
  it('ends event streams and idle connections, and may be done twice', async () => {
    const { gateway, url } = await gatewayOver()
    const agent = new Agent({ keepAlive: true })
    await new Promise((resolve) =>
      get(`${url}/healthz`, { agent }, (response) => response.resume().on('end', resolve)),
    )
    const unused = await connection(url, '')
    const events = await openEvents(url)
    await Promise.all([gateway.close(), gateway.close()])
    expect(await events.next()).toBe(undefined)
    expect(await untilClosed(unused)).toBe('')
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
    agent.destroy()
  })

  it('lets a request under way finish', async () => {
    const started = deferred()
    const finish = deferred()
    const set = async () => {
      started.resolve()
      await finish.promise
    }
    const { gateway, url } = await gatewayOver({ cache: { set } })
    const response = fetch(`${url}/v1/caches/c/k`, PUT)
    await started.promise
    const closed = gateway.close()
    finish.resolve()
    expect((await response).status).toBe(204)
    await closed
  })

  it('does not wait for long for one that does not finish, nor for one that is half sent', async () => {
    const started = deferred()
    const set = () => {
      started.resolve()
      return new Promise<void>(() => {})
    }
    const { gateway, url } = await gatewayOver({ cache: { set } })
    const response = fetch(`${url}/v1/caches/c/k`, PUT)
    response.catch(() => {})
    const halfSent = await connection(url, 'PUT /v1/caches/c/k HTTP/1.1\r\nhost: local')
    await started.promise
    await gateway.close()
    await expect(response).rejects.toThrow()
    halfSent.destroy()
  })
})
