/** The network in memory: its faults do what their names say, and nothing else. */
import { describe, expect, it } from 'vitest'
import { MemoryNetwork, type MemoryNetworkOptions } from '../../src/adapters/memory/network.js'
import type { MemoryTransport } from '../../src/adapters/memory/transport.js'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { SimulatedTime } from '../../src/adapters/simulated/time.js'
import type { Channel, TransportHandlers } from '../../src/services/ports.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()
const TOPIC = 'topic'
const PROTOCOL = '/protocol'

/** A network with so many transports on it, everybody connected to everybody. */
async function open(count: number, options: MemoryNetworkOptions = {}, withSeed = seed) {
  const time = new SimulatedTime()
  const random = new SimulatedRandom(withSeed)
  const network = new MemoryNetwork({ clock: time, scheduler: time, random }, options)
  const transports: MemoryTransport[] = []
  const heard: string[] = []
  const channels: Channel[] = []
  const start = async (id: string, port = 0) => {
    const member = time.member()
    const transport = network.transport({ id, port, scheduler: member })
    const handlers: TransportHandlers = {
      connected: (other) => heard.push(`${id} connected ${other}`),
      connectedAgain: (other) => heard.push(`${id} again ${other}`),
      disconnected: (other) => heard.push(`${id} disconnected ${other}`),
      message: (_, author, bytes) => heard.push(`${id} < ${author}: ${Buffer.from(bytes)}`),
      channel: (_, channel) => channels.push(channel),
      found: () => {},
    }
    await transport.start({ topics: [TOPIC], protocols: [PROTOCOL] }, handlers)
    return { transport, member }
  }
  const members = []
  for (let i = 0; i < count; i++) {
    const { transport, member } = await start('abcdefghij'[i] as string)
    for (const other of transports) await time.settled(transport.dial(other.addresses))
    transports.push(transport)
    members.push(member)
  }
  await time.advance(100)
  heard.length = 0
  const publish = (transport: MemoryTransport, text: string) =>
    transport.publish(TOPIC, Buffer.from(text))
  /** What the two have heard since they were last asked. */
  const heardSince = () => heard.splice(0)
  return { time, network, transports, members, heardSince, start, publish, channels }
}

/** The reason why a dial failed. */
const reason = (dial: Promise<string>) =>
  dial.then(
    () => 'connected',
    (error: { reason: string }) => error.reason,
  )

describe(`the network in memory, seed ${seed}`, () => {
  it('does the same again with the same seed', async () => {
    const run = async () => {
      const { time, transports, heardSince, publish, network } = await open(5, {
        lossProbability: 0.2,
        duplicateProbability: 0.2,
        delayMs: { min: 1, max: 50 },
      })
      for (let i = 0; i < 50; i++) {
        await publish(transports[i % 2] as MemoryTransport, `message ${i}`)
        await time.advance(3)
        if (i === 20) network.crash('c')
      }
      await time.advance(1_000)
      return heardSince()
    }
    expect(await run()).toEqual(await run())
  })

  it('is another one with another seed', async () => {
    const run = async (withSeed: number) => {
      const { time, transports, heardSince, publish } = await open(
        2,
        { lossProbability: 0.5 },
        withSeed,
      )
      for (let i = 0; i < 64; i++) await publish(transports[0] as MemoryTransport, `message ${i}`)
      await time.advance(1_000)
      return heardSince()
    }
    expect(await run(seed)).not.toEqual(await run(seed + 1))
  })

  it('loses as many messages as it is told to, on the link it is told to', async () => {
    const { time, network, transports, heardSince, publish } = await open(2)
    const [a, b] = transports as [MemoryTransport, MemoryTransport]
    network.configureLink('a', 'b', { lossProbability: 0.3 })
    for (let i = 0; i < 1_000; i++) {
      await publish(a, 'to b')
      await publish(b, 'to a')
    }
    await time.advance(100)
    const heard = heardSince()
    expect(heard.filter((text) => text.startsWith('a <'))).toHaveLength(1_000)
    const atB = heard.filter((text) => text.startsWith('b <')).length
    expect(atB).toBeGreaterThan(600)
    expect(atB).toBeLessThan(800)
  })

  it('delivers frames over a lossy link late and in order', async () => {
    const { time, network, transports, channels } = await open(2)
    const [a] = transports as [MemoryTransport]
    const channel = await time.settled(a.open('b', PROTOCOL))
    network.configure({ frameLossProbability: 0.2, delayMs: { min: 1, max: 50 } })
    for (let i = 0; i < 100; i++) await channel.send(Buffer.from([i]))
    const found: number[] = []
    const read = async () => {
      for await (const frame of (channels[0] as Channel).frames) found.push(frame[0] as number)
    }
    void read()
    await time.advance(60_000)
    expect(found).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  it('breaks a connection over which nothing gets through', async () => {
    const { time, network, transports, heardSince } = await open(2)
    network.configure({ frameLossProbability: 1 })
    await time.settled((transports[0] as MemoryTransport).open('b', PROTOCOL).catch(() => {}))
    await time.advance(60_000)
    expect(heardSince().sort()).toEqual(['a disconnected b', 'b disconnected a'])
  })

  it('passes messages round a link that loses everything, unless nobody passes on', async () => {
    const { time, network, transports, heardSince, publish } = await open(3)
    const [a] = transports as [MemoryTransport]
    network.configureLink('a', 'c', { lossProbability: 1 })
    await publish(a, 'round')
    await time.advance(100)
    expect(heardSince().sort()).toEqual(['b < a: round', 'c < a: round'])

    const alone = await open(3, { forwardPeersMax: 0 })
    alone.network.configureLink('a', 'c', { lossProbability: 1 })
    await alone.publish(alone.transports[0] as MemoryTransport, 'round')
    await alone.time.advance(100)
    expect(alone.heardSince()).toEqual(['b < a: round'])
  })

  it('shares no memory between peers', async () => {
    const { time, transports, heardSince, channels } = await open(3)
    const [a] = transports as [MemoryTransport]
    const bytes = Buffer.from('before')
    const channel = await time.settled(a.open('b', PROTOCOL))
    await Promise.all([a.publish(TOPIC, bytes), channel.send(bytes)])
    bytes.fill('x')
    await time.advance(100)
    expect(heardSince().sort()).toEqual(['b < a: before', 'c < a: before'])
    const { value } = await (channels[0] as Channel).frames[Symbol.asyncIterator]().next()
    expect(String(Buffer.from(value as Uint8Array))).toBe('before')
  })

  it('delivers a message twice when told to, and lets messages overtake each other', async () => {
    const { time, transports, heardSince, publish } = await open(2, {
      duplicateProbability: 1,
      delayMs: { min: 0, max: 100 },
    })
    for (let i = 0; i < 20; i++) await publish(transports[0] as MemoryTransport, String(i))
    await time.advance(200)
    const heard = heardSince()
    const inOrder = Array.from({ length: 40 }, (_, i) => `b < a: ${Math.floor(i / 2)}`)
    expect([...heard].sort()).toEqual([...inOrder].sort())
    expect(heard).not.toEqual(inOrder)
  })

  it('tells its observer of every message that is lost, comes twice or is held up', async () => {
    const told: string[] = []
    const { time, network, transports, publish } = await open(2, {
      observer: {
        mishap: (what, from, to, { author, topic, bytes }, lateMs) => {
          const where = `${from} to ${to}, ${topic} of ${author}`
          told.push(`${what} ${where}: ${Buffer.from(bytes)}, ${lateMs > 0 ? 'late' : 'in time'}`)
        },
      },
    })
    const [a] = transports as [MemoryTransport]
    await publish(a, 'well')
    network.configure({ lossProbability: 1 })
    await publish(a, 'first')
    network.configure({ lossProbability: 0, duplicateProbability: 1 })
    await publish(a, 'second')
    network.configure({ duplicateProbability: 0, reorderProbability: 1 })
    await publish(a, 'third')
    await time.advance(2_000)
    expect(told).toEqual([
      'lost a to b, topic of a: first, in time',
      'duplicated a to b, topic of a: second, in time',
      'held up a to b, topic of a: third, late',
    ])
  })
})

describe(`a cut link, seed ${seed}`, () => {
  it('keeps back what is sent, and lets it go when it heals in time', async () => {
    const { time, network, transports, heardSince, publish, channels } = await open(2)
    const [a, b] = transports as [MemoryTransport, MemoryTransport]
    const channel = await time.settled(a.open('b', PROTOCOL))
    network.cut('a', 'b')
    await publish(a, 'kept')
    await channel.send(Buffer.from('frame'))
    await time.advance(5_000)
    expect(heardSince()).toEqual([])
    expect(a.isConnected('b') && b.isConnected('a')).toBe(true)
    network.heal()
    await time.advance(10)
    expect(heardSince()).toEqual(['b < a: kept'])
    const { value } = await (channels[0] as Channel).frames[Symbol.asyncIterator]().next()
    expect(String(Buffer.from(value as Uint8Array))).toBe('frame')
  })

  it('breaks the connection on both sides when it does not, and lets none be made', async () => {
    const { time, network, transports, heardSince } = await open(2)
    const [a, b] = transports as [MemoryTransport, MemoryTransport]
    network.cut('a', 'b')
    await time.advance(7_500)
    expect(heardSince()).toEqual([])
    await time.advance(2_000)
    expect(heardSince().sort()).toEqual(['a disconnected b', 'b disconnected a'])
    expect(await time.settled(reason(a.dial(b.addresses, 'b')))).toBe('unreachable')
    expect(await time.settled(a.probe(b.addresses[0] as string))).toBe('silent')
    network.heal('b', 'a')
    expect(await time.settled(reason(a.dial(b.addresses, 'b')))).toBe('connected')
  })

  it('may be cut one way only', async () => {
    const { time, network, transports, heardSince, publish } = await open(2)
    const [a, b] = transports as [MemoryTransport, MemoryTransport]
    network.cut('a', 'b', { oneWay: true })
    await publish(a, 'kept')
    await publish(b, 'through')
    await time.advance(100)
    expect(heardSince()).toEqual(['a < b: through'])
    await time.advance(10_000)
    expect(heardSince().sort()).toEqual(['a disconnected b', 'b disconnected a'])
    expect(await time.settled(reason(b.dial(a.addresses, 'a')))).toBe('unreachable')
  })

  it('splits one group from another', async () => {
    const { time, network, transports, heardSince, publish } = await open(4)
    network.split(['a', 'b'], ['c', 'd'])
    await publish(transports[0] as MemoryTransport, 'ours')
    await time.advance(100)
    expect(heardSince()).toEqual(['b < a: ours'])
  })
})

describe(`a process that ends, seed ${seed}`, () => {
  it('closes its connections and refuses, when it was killed', async () => {
    const { time, network, transports, heardSince } = await open(2)
    const [a, b] = transports as [MemoryTransport, MemoryTransport]
    const address = b.addresses[0] as string
    network.crash('b')
    await time.advance(10)
    expect(heardSince()).toEqual(['a disconnected b'])
    expect(await time.settled(a.probe(address))).toBe('refused')
    expect(await time.settled(reason(a.dial([address])))).toBe('refused')
  })

  it('is silent when its host is gone, and another may take its place', async () => {
    const { time, network, transports, heardSince, start } = await open(2)
    const [a, b] = transports as [MemoryTransport, MemoryTransport]
    const address = b.addresses[0] as string
    network.crash('b', { silent: true })
    await time.advance(5_000)
    expect(heardSince()).toEqual([])
    expect(await time.settled(a.probe(address))).toBe('silent')
    await time.advance(5_000)
    expect(heardSince()).toEqual(['a disconnected b'])
    expect(await time.settled(reason(a.dial([address])))).toBe('unreachable')
    await start('b', Number(address.split('/')[4]))
    expect(await time.settled(reason(a.dial([address], 'b')))).toBe('connected')
  })

  it('does nothing more, and none of its calls comes back', async () => {
    const { time, network, transports, heardSince, publish } = await open(2)
    const [a, b] = transports as [MemoryTransport, MemoryTransport]
    await publish(a, 'too late')
    const opening = b.open('a', PROTOCOL)
    network.crash('b')
    const settled: string[] = []
    const calls = [opening, b.publish(TOPIC, Buffer.from('x')), b.dial(a.addresses), b.stop()]
    for (const call of calls) {
      void Promise.resolve(call).finally(() => settled.push('settled'))
    }
    await time.advance(20_000)
    expect(heardSince()).toEqual(['a disconnected b'])
    expect(settled).toEqual([])
  })

  it('hears late what came while it stood still, and the kernel answers for it', async () => {
    const { time, transports, members, heardSince, publish } = await open(2)
    const [a, b] = transports as [MemoryTransport, MemoryTransport]
    members[1]?.stall(3_000)
    await publish(a, 'hello')
    expect(await time.settled(a.probe(b.addresses[0] as string))).toBe('open')
    await time.advance(2_900)
    expect(heardSince()).toEqual([])
    await time.advance(200)
    expect(heardSince()).toEqual(['b < a: hello'])
  })

  it('cannot be reached while its host is suspended, and can when it runs again', async () => {
    const { time, transports, members, heardSince } = await open(2)
    const [a, b] = transports as [MemoryTransport, MemoryTransport]
    const address = b.addresses[0] as string
    b.sever()
    members[1]?.stall(10_000)
    await time.advance(10)
    expect(heardSince()).toEqual(['a disconnected b'])
    expect(await time.settled(a.probe(address))).toBe('silent')
    expect(await time.settled(reason(a.dial([address])))).toBe('unreachable')
    await time.advance(5_000)
    expect(heardSince()).toEqual(['b disconnected a'])
    expect(await time.settled(a.probe(address))).toBe('open')
    expect(await time.settled(reason(a.dial([address])))).toBe('connected')
  })

  it('can be reached at once when only its connections have broken', async () => {
    const { time, transports, heardSince } = await open(2)
    const [a, b] = transports as [MemoryTransport, MemoryTransport]
    b.sever()
    await time.advance(10)
    expect(heardSince().sort()).toEqual(['a disconnected b', 'b disconnected a'])
    expect(await time.settled(a.probe(b.addresses[0] as string))).toBe('open')
    expect(await time.settled(reason(a.dial(b.addresses)))).toBe('connected')
  })

  it('loses its connections when it stood still for too long, and its peers theirs to it', async () => {
    const { time, members, heardSince } = await open(2)
    members[1]?.stall(20_000)
    await time.advance(10_000)
    expect(heardSince()).toEqual(['a disconnected b'])
    await time.advance(11_000)
    expect(heardSince()).toEqual(['b disconnected a'])
  })
})

describe(`gossip, seed ${seed}`, () => {
  it('is deaf between two when muted, until they connect anew', async () => {
    const { time, network, transports, heardSince, publish } = await open(2)
    const [a, b] = transports as [MemoryTransport, MemoryTransport]
    network.muteGossip('a', 'b')
    expect([a.gossipsWith('b'), b.gossipsWith('a')]).toEqual([false, false])
    expect([a.isConnected('b'), b.isConnected('a')]).toEqual([true, true])
    await publish(a, 'unheard')
    await time.advance(1_000)
    expect(heardSince()).toEqual([])
    await time.settled(a.hangUp('b'))
    await time.advance(100)
    await time.settled(a.dial(b.addresses, 'b'))
    await time.advance(100)
    heardSince()
    await publish(a, 'heard')
    await time.advance(100)
    expect(heardSince()).toEqual(['b < a: heard'])
  })

  it('dies with the first of two connections, though the second stays', async () => {
    const { time, transports, start, publish, heardSince, channels } = await open(1)
    const [a] = transports as [MemoryTransport]
    const { transport: b } = await start('b')
    const dials = [a.dial(b.addresses, 'b'), b.dial(a.addresses, 'a')]
    await time.settled(Promise.all(dials))
    await time.advance(100)
    expect(heardSince().filter((text) => text.includes('again'))).toHaveLength(2)
    const channel = await time.settled(a.open('b', PROTOCOL))
    expect(channels).toHaveLength(1)
    await channel.hangUp()
    await time.advance(100)
    expect(a.isConnected('b')).toBe(true)
    expect(a.gossipsWith('b')).toBe(false)
    await publish(a, 'unheard')
    await time.advance(100)
    expect(heardSince()).toEqual([])
  })
})

it('leaves nothing scheduled when all have stopped', async () => {
  const { time, transports, publish } = await open(5)
  await publish(transports[0] as MemoryTransport, 'goodbye')
  for (const transport of transports) await time.settled(transport.stop())
  expect(time.pending).toBe(0)
})

it('resolves names that it was given', async () => {
  const { network, transports } = await open(1)
  const [a] = transports as [MemoryTransport]
  network.names.set('cache:4001', ['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2'])
  expect(await a.resolve('dns://cache:4001')).toHaveLength(2)
})
