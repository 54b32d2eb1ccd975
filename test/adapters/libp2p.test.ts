/** The transport of production keeps the promises of a transport, over real TCP on the loopback interface. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import type { PrivateKey } from '@libp2p/interface'
import { afterEach, describe, expect, it } from 'vitest'
import { Libp2pTransport, loadIdentity } from '../../src/adapters/libp2p/index.js'
import type { Libp2pTransportOptions } from '../../src/adapters/libp2p/transport.js'
import type { DialError, Transport, TransportHandlers } from '../../src/services/ports.js'
import { type Bench, describeTransport } from './transport-compliance.js'
import { waitFor } from './wait.js'

describeTransport('over libp2p', async () => {
  const keys = new Map<Transport, PrivateKey>()
  const transport: Bench['transport'] = async ({ identityOf } = {}) => {
    const privateKey = (identityOf && keys.get(identityOf)) ?? (await loadIdentity())
    const made = new Libp2pTransport({
      privateKey,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: undefined,
      mdns: false,
    })
    keys.set(made, privateKey)
    return made
  }
  return {
    transport,
    vacantAddress,
    run: (promise) => promise,
    until: waitFor,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }
})

/** An address that was free a moment ago. */
async function vacantAddress(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return `/ip4/127.0.0.1/tcp/${address.port}`
}

describe('who answers over libp2p with the id of who dials', () => {
  const transports: Transport[] = []
  const servers: Server[] = []

  afterEach(async () => {
    await Promise.all(transports.splice(0).map((transport) => transport.stop()))
    await Promise.all(servers.splice(0).map((server) => once(server.close(), 'close')))
  })

  async function start(privateKey: PrivateKey, options: Partial<Libp2pTransportOptions> = {}) {
    const events: string[] = []
    const note = (event: string) => () => void events.push(event)
    const handlers: TransportHandlers = {
      connected: note('connected'),
      connectedAgain: note('connected again'),
      disconnected: note('disconnected'),
      message: note('message'),
      channel: note('channel'),
      found: note('found'),
    }
    const transport = new Libp2pTransport({
      privateKey,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: undefined,
      mdns: false,
      ...options,
    })
    await transport.start({ topics: [], protocols: [] }, handlers)
    transports.push(transport)
    return { transport, events, endpoint: endpointOf(transport.addresses[0] as string) }
  }

  /** A port that leads to another one, as a mapped one does. */
  async function mappedTo(port: number, onUse = () => {}): Promise<string> {
    const server = createServer((near) => {
      onUse()
      const far = connect({ port, host: '127.0.0.1' })
      for (const socket of [near, far]) socket.on('error', () => {})
      near.pipe(far).pipe(near)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    servers.push(server)
    return `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`
  }

  const endpointOf = (address: string) => address.split('/p2p/')[0] as string

  const portOf = (endpoint: string) => Number(endpoint.split('/').at(-1))

  const reasonOf = (dial: Promise<string>) => dial.then(String, ({ reason }: DialError) => reason)

  /** An address with the id of a transport, and without. */
  const both = (endpoint: string, { id }: Transport) => [endpoint, `${endpoint}/p2p/${id}`]

  it('is a twin where it is another process, whether the address names its id or not', async () => {
    const privateKey = await loadIdentity()
    const original = await start(privateKey)
    const { transport, events } = await start(privateKey)
    for (const address of both(original.endpoint, transport)) {
      const dial = transport.dial([address])
      await expect(dial).rejects.toMatchObject({ name: 'DialError', reason: 'twin' })
      await expect(dial).rejects.toThrow(address)
    }
    expect([...events, ...original.events]).toEqual([])
  })

  it('is nobody else where it is itself, through a mapped port that it does not know of', async () => {
    const { transport, endpoint } = await start(await loadIdentity())
    const mapped = await mappedTo(portOf(endpoint))
    for (const address of [...both(endpoint, transport), ...both(mapped, transport)]) {
      expect(await reasonOf(transport.dial([address]))).toBe('wrong peer')
    }
  })

  it('is nobody else where it is itself, behind an address that it announces', async () => {
    const endpoint = await vacantAddress()
    const announce = ['/dns4/hearsay.test/tcp/4001']
    const { transport } = await start(await loadIdentity(), { listen: [endpoint], announce })
    expect(transport.addresses.map(endpointOf)).toEqual(announce)
    for (const address of both(endpoint, transport)) {
      expect(await reasonOf(transport.dial([address]))).toBe('wrong peer')
    }
  })

  it('is not told from itself while somebody else connects, and is told later', async () => {
    const privateKey = await loadIdentity()
    const original = await start(privateKey)
    const { transport, endpoint } = await start(privateKey)
    let isBusy = true
    const address = await mappedTo(portOf(original.endpoint), () => {
      if (!isBusy) return
      const socket = connect({ port: portOf(endpoint), host: '127.0.0.1' }, () => socket.destroy())
    })
    expect(await reasonOf(transport.dial([address]))).toBe('wrong peer')
    isBusy = false
    expect(await reasonOf(transport.dial([address]))).toBe('twin')
  })

  it('is a wrong peer where it is somebody else after all, and no connection is opened', async () => {
    const [one, other] = [await start(await loadIdentity()), await start(await loadIdentity())]
    const address = `${other.endpoint}/p2p/${one.transport.id}`
    expect(await reasonOf(one.transport.dial([address]))).toBe('wrong peer')
    expect([...one.events, ...other.events]).toEqual([])
    expect(
      await reasonOf(one.transport.dial([`${await vacantAddress()}/p2p/${one.transport.id}`])),
    ).toBe('wrong peer')
  })
})
