/**
 * What every transport promises, real or in memory. Run on each implementation, so that what the simulations find is
 * true of production.
 */
import { afterEach, beforeEach, describe, expect, it as vitestIt } from 'vitest'
import { FRAME_BYTES_MAX } from '../../src/protocol/limits.js'
import {
  type Channel,
  DialError,
  type Transport,
  type TransportHandlers,
} from '../../src/services/ports.js'

/** A place where transports of one kind can meet. */
export interface Bench {
  /** A transport that has not been started; with `identityOf`, one with that transport's id. */
  transport(options?: { readonly identityOf?: Transport }): Promise<Transport>
  /** An address where nobody listens. */
  vacantAddress(): Promise<string>
  /** Awaits a promise, letting time pass. */
  run<T>(promise: Promise<T>): Promise<T>
  /** Lets time pass until a condition holds. */
  until(condition: () => boolean): Promise<void>
  /** Lets time pass. */
  pass(ms: number): Promise<void>
}

const TOPICS = ['hearsay/test/a', 'hearsay/test/b']
const TOPIC = TOPICS[0] as string
const PROTOCOLS = ['/hearsay/test/one', '/hearsay/test/two']
const PROTOCOL = PROTOCOLS[0] as string

/** Takes down what a transport tells. */
class Notes implements TransportHandlers {
  readonly connections: string[] = []
  readonly messages: Array<{ topic: string; author: string; bytes: Uint8Array }> = []
  readonly channels: Array<{ protocol: string; channel: Channel }> = []

  connected(id: string, dialled: boolean): void {
    this.connections.push(`connected ${id} ${dialled}`)
  }

  connectedAgain(id: string, dialled: boolean): void {
    this.connections.push(`again ${id} ${dialled}`)
  }

  disconnected(id: string): void {
    this.connections.push(`disconnected ${id}`)
  }

  message(topic: string, author: string, bytes: Uint8Array): void {
    this.messages.push({ topic, author, bytes })
  }

  channel(protocol: string, channel: Channel): void {
    this.channels.push({ protocol, channel })
  }

  found(): void {}
}

interface Running {
  readonly transport: Transport
  readonly notes: Notes
}

const text = (value: string) => new TextEncoder().encode(value)
const read = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

async function* next(frames: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  const iterator = frames[Symbol.asyncIterator]()
  for (let i = 0; i < count; i++) {
    const { value, done } = await iterator.next()
    if (done) return
    yield value
  }
}

async function collect(frames: AsyncIterable<Uint8Array>, count = Number.POSITIVE_INFINITY) {
  const found: Uint8Array[] = []
  for await (const frame of next(frames, count)) found.push(frame)
  return found
}

/**
 * @param open makes a place for one test
 * @param lacks promises that this one is known not to keep yet, by the names of their tests
 */
export function describeTransport(
  name: string,
  open: () => Promise<Bench>,
  lacks: readonly string[] = [],
): void {
  const it = (claim: string, test: () => Promise<void>) =>
    lacks.includes(claim) ? vitestIt.skip(claim, test) : vitestIt(claim, test)

  describe(`the transport ${name}`, () => {
    let bench: Bench
    let running: Running[]

    beforeEach(async () => {
      bench = await open()
      running = []
    })

    afterEach(async () => {
      await bench.run(Promise.all(running.map(({ transport }) => transport.stop())))
    })

    async function start(options: { readonly identityOf?: Transport } = {}): Promise<Running> {
      const transport = await bench.transport(options)
      const notes = new Notes()
      await bench.run(transport.start({ topics: TOPICS, protocols: PROTOCOLS }, notes))
      const started = { transport, notes }
      running.push(started)
      return started
    }

    /** Two peers that are connected, and whose gossip flows. */
    async function pair(): Promise<[a: Running, b: Running]> {
      const a = await start()
      const b = await start()
      await connect(a, b)
      return [a, b]
    }

    async function connect(a: Running, b: Running): Promise<void> {
      await bench.run(a.transport.dial(b.transport.addresses, b.transport.id))
      await bench.until(
        () => a.transport.gossipsWith(b.transport.id) && b.transport.gossipsWith(a.transport.id),
      )
    }

    async function channelPair(a: Running, b: Running): Promise<[near: Channel, far: Channel]> {
      const near = await bench.run(a.transport.open(b.transport.id, PROTOCOL))
      // Some transports tell the other side with the first frame only.
      await bench.run(near.send(text('first')))
      await bench.until(() => b.notes.channels.length > 0)
      const { channel } = b.notes.channels.pop() as { channel: Channel }
      const [first] = await bench.run(collect(channel.frames, 1))
      expect(read(first as Uint8Array)).toBe('first')
      return [near, channel]
    }

    const reasonOf = (dial: Promise<string>) =>
      bench.run(
        dial.then(
          (id) => `connected to ${id}`,
          (error: unknown) => (error instanceof DialError ? error.reason : String(error)),
        ),
      )

    describe('dialling', () => {
      it('is refused where nobody listens', async () => {
        const a = await start()
        const vacant = await bench.vacantAddress()
        expect(await reasonOf(a.transport.dial([vacant]))).toBe('refused')
      })

      it('is refused where somebody has stopped', async () => {
        const [a, b] = [await start(), await start()]
        const { addresses, id } = b.transport
        const kept = [...addresses]
        await bench.run(b.transport.stop())
        expect(await reasonOf(a.transport.dial(kept, id))).toBe('refused')
      })

      it('tells when another peer answers', async () => {
        const [a, b, c] = [await start(), await start(), await start()]
        const bare = b.transport.addresses.map((address) => address.split('/p2p/')[0] as string)
        expect(await reasonOf(a.transport.dial(bare, c.transport.id))).toBe('wrong peer')
        expect(a.transport.isConnected(b.transport.id)).toBe(false)
        expect(a.notes.connections).toEqual([])
      })

      it('tells when it is itself that answers', async () => {
        const a = await start()
        const own = a.transport.addresses.map((address) => address.split('/p2p/')[0] as string)
        expect(await reasonOf(a.transport.dial(own))).toBe('wrong peer')
      })

      it('says who answered, and both sides hear of the connection once', async () => {
        const [a, b] = [await start(), await start()]
        const [address] = b.transport.addresses
        const bare = (address as string).split('/p2p/')[0] as string
        expect(await reasonOf(a.transport.dial([bare]))).toBe(`connected to ${b.transport.id}`)
        await bench.until(() => b.notes.connections.length > 0)
        expect(a.notes.connections).toEqual([`connected ${b.transport.id} true`])
        expect(b.notes.connections).toEqual([`connected ${a.transport.id} false`])
        expect(a.transport.isConnected(b.transport.id)).toBe(true)
        expect(b.transport.isConnected(a.transport.id)).toBe(true)
      })

      it('goes on to the next address when one refuses', async () => {
        const [a, b] = [await start(), await start()]
        const addresses = [await bench.vacantAddress(), ...b.transport.addresses]
        const id = b.transport.id
        const dial = a.transport.dial(
          addresses.map((address) => address.split('/p2p/')[0] as string),
          id,
        )
        expect(await reasonOf(dial)).toBe(`connected to ${id}`)
      })

      it('opens no second connection to a peer that is connected', async () => {
        const [a, b] = await pair()
        await bench.run(a.transport.dial(b.transport.addresses, b.transport.id))
        await bench.pass(50)
        expect(a.notes.connections).toHaveLength(1)
        expect(b.notes.connections).toHaveLength(1)
      })
    })

    describe('a probe', () => {
      it('finds an address open, or refused, and connects nobody', async () => {
        const [a, b] = [await start(), await start()]
        const address = b.transport.addresses[0] as string
        expect(await bench.run(a.transport.probe(address))).toBe('open')
        expect(await bench.run(a.transport.probe(await bench.vacantAddress()))).toBe('refused')
        await bench.run(b.transport.stop())
        expect(await bench.run(a.transport.probe(address))).toBe('refused')
        expect([...a.notes.connections, ...b.notes.connections]).toEqual([])
      })
    })

    it('takes an address for itself when it is no name', async () => {
      const a = await start()
      expect(await bench.run(a.transport.resolve('/ip4/127.0.0.1/tcp/4001'))).toEqual([
        '/ip4/127.0.0.1/tcp/4001',
      ])
    })

    it('cannot resolve a name that nobody knows', async () => {
      const a = await start()
      const found = a.transport.resolve('dns://nobody.invalid:4001')
      expect(await reasonOf(found.then((all) => all.join()))).toBe('unreachable')
    })

    describe('published messages', () => {
      it('reach everybody else, once each, with their author', async () => {
        const [a, b, c] = [await start(), await start(), await start()]
        await connect(a, b)
        await connect(b, c)
        await connect(a, c)
        const all = [a, b, c]
        for (const [i, { transport }] of all.entries()) {
          await bench.run(transport.publish(TOPIC, text(`of ${i}`)))
        }
        await bench.until(() => all.every(({ notes }) => notes.messages.length >= 2))
        await bench.pass(100)
        for (const [i, { notes }] of all.entries()) {
          const expected = all
            .map(({ transport }, j) => `${transport.id} of ${j}`)
            .filter((_, j) => j !== i)
          const heard = notes.messages.map(({ author, bytes }) => `${author} ${read(bytes)}`)
          expect(heard.sort()).toEqual(expected.sort())
          expect(new Set(notes.messages.map(({ topic }) => topic))).toEqual(new Set([TOPIC]))
        }
      })

      it('are passed on to those whom their author is not connected to', async () => {
        const [a, b, c] = [await start(), await start(), await start()]
        await connect(a, b)
        await connect(b, c)
        // Who passes on to whom may take a while to settle.
        await bench.pass(1_500)
        await bench.run(a.transport.publish(TOPIC, text('news')))
        await bench.until(() => c.notes.messages.length > 0)
        expect(c.notes.messages[0]?.author).toBe(a.transport.id)
      })

      it('are no error when nobody is there', async () => {
        const a = await start()
        await bench.run(a.transport.publish(TOPIC, text('hello?')))
      })
    })

    describe('a channel', () => {
      it('needs a connection', async () => {
        const [a, b] = [await start(), await start()]
        await expect(bench.run(a.transport.open(b.transport.id, PROTOCOL))).rejects.toThrow()
      })

      it('carries nothing in a protocol that is not spoken', async () => {
        const [a, b] = await pair()
        const use = async () => {
          const channel = await a.transport.open(b.transport.id, '/hearsay/unknown')
          await channel.send(text('anybody?'))
          const answer = await collect(channel.frames, 1)
          if (answer.length === 0) throw new Error('closed without an answer')
        }
        await expect(bench.run(use())).rejects.toThrow()
        expect(b.notes.channels).toEqual([])
      })

      it('carries frames in order, both ways', async () => {
        const [a, b] = await pair()
        const [near, far] = await channelPair(a, b)
        expect([near.remote, far.remote]).toEqual([b.transport.id, a.transport.id])
        const sent = Array.from({ length: 200 }, (_, i) => `frame ${i}`)
        const talk = async (channel: Channel, prefix: string) => {
          for (const frame of sent) await channel.send(text(prefix + frame))
        }
        const [, , atNear, atFar] = await bench.run(
          Promise.all([
            talk(near, '>'),
            talk(far, '<'),
            collect(near.frames, sent.length),
            collect(far.frames, sent.length),
          ]),
        )
        expect(atFar.map(read)).toEqual(sent.map((frame) => `>${frame}`))
        expect(atNear.map(read)).toEqual(sent.map((frame) => `<${frame}`))
      })

      it('knows its protocol', async () => {
        const [a, b] = await pair()
        for (const protocol of PROTOCOLS) {
          const channel = await bench.run(a.transport.open(b.transport.id, protocol))
          await bench.run(channel.send(text(protocol)))
          await bench.until(() => b.notes.channels.length > 0)
          expect(b.notes.channels.pop()?.protocol).toBe(protocol)
        }
      })

      it('carries a frame of the largest size, and an empty one', async () => {
        const [a, b] = await pair()
        const [near, far] = await channelPair(a, b)
        const large = new Uint8Array(FRAME_BYTES_MAX).map((_, i) => i % 251)
        const send = async () => {
          await near.send(large)
          await near.send(new Uint8Array())
          await near.send(text('after'))
        }
        const [, frames] = await bench.run(Promise.all([send(), collect(far.frames, 3)]))
        expect(frames.map(({ length }) => length)).toEqual([FRAME_BYTES_MAX, 0, 5])
        expect(Buffer.compare(frames[0] as Uint8Array, large)).toBe(0)
      })

      it('carries no frame beyond the largest size', async () => {
        const [a, b] = await pair()
        const [near, far] = await channelPair(a, b)
        const reading = collect(far.frames, 1).then(
          (frames) => frames.length,
          () => 'broken',
        )
        await bench.run(near.send(new Uint8Array(FRAME_BYTES_MAX + 1)).catch(() => {}))
        expect(await bench.run(reading)).not.toBe(1)
      })

      it('makes a sender wait whose frames nobody reads, and lets it go on when they are', async () => {
        const [a, b] = await pair()
        const [near, far] = await channelPair(a, b)
        // Whatever buffers and windows there are between the two, this is more.
        const count = 100
        const frame = new Uint8Array(256 * 1024)
        let sent = 0
        const sending = (async () => {
          for (; sent < count; sent++) await near.send(frame)
        })()
        await bench.pass(300)
        expect(sent).toBeLessThan(count)
        const [frames] = await bench.run(Promise.all([collect(far.frames, count), sending]))
        expect(frames).toHaveLength(count)
      })

      it('ends for its reader when the other side closes, after all that was sent', async () => {
        const [a, b] = await pair()
        const [near, far] = await channelPair(a, b)
        const talk = async () => {
          await near.send(text('one'))
          await near.send(text('two'))
          await near.close()
        }
        const [, frames] = await bench.run(Promise.all([talk(), collect(far.frames)]))
        expect(frames.map(read)).toEqual(['one', 'two'])
      })

      it('takes nothing more after it was closed, and may be closed and aborted again', async () => {
        const [a, b] = await pair()
        const [near, far] = await channelPair(a, b)
        await bench.run(Promise.all([near.close(), collect(far.frames), far.close()]))
        await expect(bench.run(near.send(text('late')))).rejects.toThrow()
        await bench.run(near.close())
        near.abort(new Error('too late to matter'))
      })

      it('throws at both readers when it is aborted', async () => {
        const [a, b] = await pair()
        const [near, far] = await channelPair(a, b)
        const atNear = expect(collect(near.frames)).rejects.toThrow()
        const atFar = expect(collect(far.frames)).rejects.toThrow()
        near.abort(new Error('enough'))
        await bench.run(Promise.all([atNear, atFar]))
        await expect(bench.run(near.send(text('late')))).rejects.toThrow()
        expect(a.transport.isConnected(b.transport.id)).toBe(true)
      })

      it('leaves other channels of the connection alone', async () => {
        const [a, b] = await pair()
        const [near, far] = await channelPair(a, b)
        const [near2, far2] = await channelPair(a, b)
        near.abort(new Error('enough'))
        await bench.run(collect(far.frames).catch(() => {}))
        await bench.run(near2.send(text('still here')))
        const [frame] = await bench.run(collect(far2.frames, 1))
        expect(read(frame as Uint8Array)).toBe('still here')
      })
    })

    describe('the end of a connection', () => {
      it('is told once to each side, after a hang-up', async () => {
        const [a, b] = await pair()
        await bench.run(a.transport.hangUp(b.transport.id))
        await bench.until(() => b.notes.connections.length > 1 && a.notes.connections.length > 1)
        await bench.pass(100)
        expect(a.notes.connections.slice(1)).toEqual([`disconnected ${b.transport.id}`])
        expect(b.notes.connections.slice(1)).toEqual([`disconnected ${a.transport.id}`])
        expect(a.transport.isConnected(b.transport.id)).toBe(false)
        expect(a.transport.gossipsWith(b.transport.id)).toBe(false)
      })

      it('breaks the channels on it', async () => {
        const [a, b] = await pair()
        const [near, far] = await channelPair(a, b)
        const outcome = (frames: AsyncIterable<Uint8Array>) =>
          collect(frames).then(
            () => 'over',
            () => 'over',
          )
        const both = Promise.all([outcome(near.frames), outcome(far.frames)])
        await bench.run(a.transport.hangUp(b.transport.id))
        expect(await bench.run(both)).toEqual(['over', 'over'])
        await expect(bench.run(near.send(text('late')))).rejects.toThrow()
      })

      it('comes when a channel hangs up, and does not keep the two from connecting again', async () => {
        const [a, b] = await pair()
        const [, far] = await channelPair(a, b)
        await bench.run(far.hangUp())
        await bench.until(() => !a.transport.isConnected(b.transport.id))
        await bench.until(() => !b.transport.isConnected(a.transport.id))
        await connect(a, b)
        await bench.run(b.transport.publish(TOPIC, text('again')))
        await bench.until(() => a.notes.messages.length > 0)
      })

      it('is no error for a peer that is not connected', async () => {
        const [a, b] = [await start(), await start()]
        await bench.run(a.transport.hangUp(b.transport.id))
      })

      it('comes when the other side stops, after what it published last', async () => {
        const [a, b] = await pair()
        await bench.run(b.transport.publish(TOPIC, text('goodbye')))
        await bench.run(b.transport.stop())
        await bench.until(() => !a.transport.isConnected(b.transport.id))
        expect(a.notes.messages.map(({ bytes }) => read(bytes))).toEqual(['goodbye'])
        expect(a.notes.connections.at(-1)).toBe(`disconnected ${b.transport.id}`)
      })
    })

    describe('a second process with the same identity', () => {
      it('is one more connection to the same peer, which a channel can hang up by itself', async () => {
        const [a, b] = await pair()
        const twin = await start({ identityOf: b.transport })
        expect(twin.transport.id).toBe(b.transport.id)
        await bench.run(twin.transport.dial(a.transport.addresses, a.transport.id))
        await bench.until(() => a.notes.connections.length > 1)
        expect(a.notes.connections.at(-1)).toBe(`again ${b.transport.id} false`)
        const [, far] = await channelPair(twin, a)
        await bench.run(far.hangUp())
        await bench.until(() => !twin.transport.isConnected(a.transport.id))
        await bench.pass(100)
        expect(a.transport.isConnected(b.transport.id)).toBe(true)
        expect(b.transport.isConnected(a.transport.id)).toBe(true)
        expect(a.notes.connections).toHaveLength(2)
      })
    })

    describe('stopping', () => {
      it('may be done twice, and before starting', async () => {
        const a = await start()
        await bench.run(a.transport.stop())
        await bench.run(a.transport.stop())
        const never = await bench.transport()
        await bench.run(never.stop())
      })

      it('ends everything', async () => {
        const [a, b] = await pair()
        await bench.run(a.transport.stop())
        expect(a.transport.isConnected(b.transport.id)).toBe(false)
        expect(a.transport.gossipsWith(b.transport.id)).toBe(false)
        await expect(bench.run(a.transport.open(b.transport.id, PROTOCOL))).rejects.toThrow()
        expect(await reasonOf(a.transport.dial(b.transport.addresses, b.transport.id))).toBe(
          'unreachable',
        )
      })
    })
  })
}
