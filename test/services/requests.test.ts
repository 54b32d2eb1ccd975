/**
 * Requests between two peers: many over one stream, in any order, and none that waits for ever, whatever the other side
 * does. The asker is ours; who answers is ours as well, or says what a test tells it to.
 */
import { describe, expect, it } from 'vitest'
import { MemoryNetwork } from '../../src/adapters/memory/network.js'
import type { MemoryTransport } from '../../src/adapters/memory/transport.js'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { SimulatedTime } from '../../src/adapters/simulated/time.js'
import type { Write } from '../../src/core/entry.js'
import { answersCodec, asksCodec } from '../../src/protocol/asks.js'
import { VALUE_BYTES_MAX } from '../../src/protocol/limits.js'
import type { Answer, Ask, Numbered } from '../../src/protocol/messages.js'
import { Counters, type DropReason } from '../../src/services/counters.js'
import type { Membership } from '../../src/services/membership.js'
import type { Channel } from '../../src/services/ports.js'
import { RequestStreams } from '../../src/services/request-streams.js'
import { PROTOCOLS } from '../../src/services/topics.js'
import { testSeed } from '../support/random.js'
import { at, set } from '../support/writes.js'

const seed = testSeed()
const MIB = 1024 * 1024
const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const TIMEOUT = { timeoutMs: 1_000 }

type Answering = (from: string, ask: Ask) => Answer | Promise<Answer>

const never: Answering = () => new Promise(() => {})

/** Takes in writes whose keys are numbers, and answers with the number. */
const echo: Answering = (_, ask) => taken(Number(keyOf(ask)))

/** An answer with a number. */
function taken(refused: number): Answer {
  return { kind: 'replicate', refused, ring: 0n, foreign: [] }
}

/** What a read finds. */
function readOf(write: Write): Answer {
  return { kind: 'read', records: { writes: [write], markers: [] }, ring: 0n, open: [] }
}

function keyOf(ask: Ask): string | undefined {
  return ask.kind === 'replicate' ? ask.records.writes[0]?.key : undefined
}

function replicate(key: number | string, payload = '') {
  const writes = [set(String(key), payload, at(1))]
  return { kind: 'replicate', records: { writes, markers: [] }, ring: 0n } as const
}

/** What became of a request: the number answered, or why there is none. */
async function outcome(asked: Promise<{ refused: number }>): Promise<number | string> {
  try {
    return (await asked).refused
  } catch (error) {
    return (error as Error).message
  }
}

/** A network, its time, and what went over it. */
class Bench {
  readonly time = new SimulatedTime()
  /** Frames that arrived, as `<from>><to>`. */
  readonly frames: string[] = []
  readonly network = new MemoryNetwork(
    { clock: this.time, scheduler: this.time, random: new SimulatedRandom(seed) },
    { observer: { framed: (from, to) => void this.frames.push(`${from}>${to}`) } },
  )

  /** A peer of ours. It takes those in `members` to be members. */
  async peer(id: string, answer: Answering = never, members: readonly string[] = ['a', 'b']) {
    const own = this.time.member()
    const transport = this.network.transport({ id, scheduler: own })
    const drops = new Counters<DropReason>()
    const runtime = { clock: own, scheduler: own, random: new SimulatedRandom(seed), log: QUIET }
    const list = { get: (other: string) => (members.includes(other) ? {} : undefined) }
    const membership = { list } as unknown as Membership
    const streams = new RequestStreams({ runtime, transport, membership, drops }, answer)
    await this.#start(transport, {
      channel: (channel) => void streams.serve(channel),
      disconnected: (other) => streams.disconnected(other),
    })
    return { transport, streams, drops, own }
  }

  /** Something that has no manners of its own. Its channels are those that others opened to it. */
  async stranger(id: string) {
    const transport = this.network.transport({ id })
    const channels: Channel[] = []
    await this.#start(transport, {
      channel: (channel) => void channels.push(channel),
      disconnected: () => {},
    })
    return { transport, channels }
  }

  async #start(
    transport: MemoryTransport,
    on: { channel: (channel: Channel) => void; disconnected: (id: string) => void },
  ) {
    await transport.start(
      { topics: [], protocols: [PROTOCOLS.requests] },
      {
        connected: () => {},
        connectedAgain: () => {},
        disconnected: on.disconnected,
        message: () => {},
        channel: (_, channel) => on.channel(channel),
        found: () => {},
      },
    )
  }

  async connect(a: MemoryTransport, b: MemoryTransport): Promise<void> {
    await this.time.settled(a.dial(b.addresses, b.id))
    await this.time.advance(10)
    this.frames.length = 0
  }

  settled<T>(promise: Promise<T>): Promise<T> {
    return this.time.settled(promise)
  }

  framesFrom(id: string): number {
    return this.frames.filter((frame) => frame.startsWith(id)).length
  }
}

/** Two of ours, connected. */
async function two(answer: Answering = echo) {
  const bench = new Bench()
  const a = await bench.peer('a')
  const b = await bench.peer('b', answer)
  await bench.connect(a.transport, b.transport)
  return { bench, a, b }
}

/** One of ours that asks, and one that answers what the test says. */
async function oneAndStranger() {
  const bench = new Bench()
  const a = await bench.peer('a')
  const b = await bench.stranger('b')
  await bench.connect(a.transport, b.transport)
  const channel = (index: number) => b.channels[index] as Channel
  return {
    bench,
    a,
    b,
    channel,
    /** Reads a frame of questions. */
    asked: async (index = 0): Promise<ReadonlyArray<Numbered<Ask>>> => {
      await bench.time.runUntil(() => b.channels.length > index)
      const { value } = await bench.settled(channel(index).frames[Symbol.asyncIterator]().next())
      return asksCodec.decode(value as Uint8Array).asks
    },
    answer: async (answers: ReadonlyArray<Numbered<Answer>>, index = 0) => {
      await channel(index).send(answersCodec.encode(answers))
      await bench.time.advance(5)
    },
  }
}

const refused = (id: number, count: number): Numbered<Answer> => ({
  id,
  body: taken(count),
})

describe(`requests, seed ${seed}`, () => {
  it('are answered in any order', async () => {
    const pending = new Map<string, (answer: Answer) => void>()
    const { bench, a } = await two(
      (_, ask) => new Promise((resolve) => pending.set(keyOf(ask) as string, resolve)),
    )
    const order: number[] = []
    const asked = [1, 2, 3, 4].map(async (key) => {
      const { refused: count } = await a.streams.ask('b', replicate(key), TIMEOUT)
      expect(count).toBe(key)
      order.push(key)
    })
    await bench.time.runUntil(() => pending.size === 4)
    for (const key of [3, 1, 4, 2]) {
      pending.get(String(key))?.(taken(key))
      await bench.time.advance(5)
    }
    await bench.settled(Promise.all(asked))
    expect(order).toEqual([3, 1, 4, 2])
    expect(a.streams.stats()).toEqual({
      requestCount: 4,
      requestErrorCount: 0,
      requestsInFlight: 0,
    })
  })

  it('of one turn of the event loop share one frame, and so do their answers', async () => {
    const { bench, a } = await two()
    const asked = Array.from({ length: 1_000 }, (_, key) =>
      outcome(a.streams.ask('b', replicate(key), TIMEOUT)),
    )
    expect(await bench.settled(Promise.all(asked))).toEqual([...asked.keys()])
    expect([bench.framesFrom('a'), bench.framesFrom('b')]).toEqual([1, 1])
  })

  it('of many bytes take several frames, none of them large', async () => {
    const { bench, a } = await two()
    const asked = Array.from({ length: 40 }, (_, key) =>
      outcome(a.streams.ask('b', replicate(key, 'x'.repeat(100_000)), TIMEOUT)),
    )
    expect(await bench.settled(Promise.all(asked))).toEqual([...asked.keys()])
    expect(bench.framesFrom('a')).toBe(20)
  })

  it('go both ways at once', async () => {
    const bench = new Bench()
    const a = await bench.peer('a', echo)
    const b = await bench.peer('b', echo)
    await bench.connect(a.transport, b.transport)
    const there = outcome(a.streams.ask('b', replicate(1), TIMEOUT))
    const back = outcome(b.streams.ask('a', replicate(2), TIMEOUT))
    expect(await bench.settled(Promise.all([there, back]))).toEqual([1, 2])
  })

  it('that are refused say why, cut to a decent length', async () => {
    const { bench, a } = await two((_, ask) => {
      throw new Error(keyOf(ask) === '1' ? 'not today' : 'x'.repeat(10_000))
    })
    const why = (key: number) => bench.settled(outcome(a.streams.ask('b', replicate(key), TIMEOUT)))
    expect(await why(1)).toBe('b refused: not today')
    expect(await why(2)).toHaveLength(200 + 'b refused: '.length)
    // It did answer.
    for (let i = 0; i < 20; i++) await why(1)
    expect(a.streams.breakerOf('b')).toBe('closed')
  })

  it('more than may be worked on at once are held back, and all answered', async () => {
    let underWork = 0
    let most = 0
    const time: { current?: SimulatedTime } = {}
    const { bench, a } = await two(async (from, ask) => {
      most = Math.max(most, ++underWork)
      await new Promise<void>((resolve) => time.current?.after(20, resolve))
      underWork--
      return echo(from, ask)
    })
    time.current = bench.time
    const asked = Array.from({ length: 10_000 }, (_, key) =>
      outcome(a.streams.ask('b', replicate(key), TIMEOUT)),
    )
    expect(await bench.settled(Promise.all(asked))).toEqual([...asked.keys()])
    expect(most).toBe(4_096)
  })
})

describe(`a peer that answers badly, seed ${seed}`, () => {
  it('not at all: the request fails at its deadline', async () => {
    const { bench, a } = await two(never)
    const startMs = bench.time.monotonicMs()
    const why = await bench.settled(outcome(a.streams.ask('b', replicate(1), TIMEOUT)))
    expect(why).toBe('b has not answered within 1000 ms')
    expect(bench.time.monotonicMs() - startMs).toBe(1_000)
    expect(a.streams.stats()).toMatchObject({ requestErrorCount: 1, requestsInFlight: 0 })
  })

  it('late: the answer is dropped and harms nobody', async () => {
    const { bench, a, asked, answer } = await oneAndStranger()
    const first = outcome(a.streams.ask('b', replicate(1), TIMEOUT))
    expect((await asked()).map(({ id }) => id)).toEqual([1])
    expect(await bench.settled(first)).toBe('b has not answered within 1000 ms')
    const second = outcome(a.streams.ask('b', replicate(2), TIMEOUT))
    await asked()
    await answer([refused(1, 111)])
    expect(a.streams.stats().requestsInFlight).toBe(1)
    await answer([refused(2, 222)])
    expect(await bench.settled(second)).toBe(222)
  })

  it('twice, and what nobody asked: only the first answer counts', async () => {
    const { bench, a, asked, answer, b } = await oneAndStranger()
    const first = outcome(a.streams.ask('b', replicate(1), TIMEOUT))
    await asked()
    // The number after it has not been asked yet: nobody can know the answer.
    await answer([refused(1, 1), refused(1, 2), refused(99, 3), refused(2, 4)])
    expect(await bench.settled(first)).toBe(1)
    const second = outcome(a.streams.ask('b', replicate(2), TIMEOUT))
    await asked()
    await answer([refused(2, 6)])
    expect(await bench.settled(second)).toBe(6)
    expect(b.channels).toHaveLength(1)
  })

  it('with something else than was asked: the request fails, and the next one does not', async () => {
    const { bench, a, asked, answer } = await oneAndStranger()
    const first = outcome(a.streams.ask('b', replicate(1), TIMEOUT))
    await asked()
    await answer([{ id: 1, body: { kind: 'confirm', applied: true } }])
    expect(await bench.settled(first)).toBe('b refused: it answered confirm')
    const second = outcome(a.streams.ask('b', replicate(2), TIMEOUT))
    await asked()
    await answer([refused(2, 2)])
    expect(await bench.settled(second)).toBe(2)
  })

  it.each([
    ['random bytes', Uint8Array.from([1, 255, 255, 255])],
    ['nothing', new Uint8Array()],
    ['an answer of no kind', Uint8Array.from([1, 10, 2, 8, 1])],
    ['another version', Uint8Array.from([9])],
  ])(
    'with %s: counted, all that wait fail, and the next goes over a new stream',
    async (_, bytes) => {
      const { bench, a, b, asked, answer, channel } = await oneAndStranger()
      const waiting = [1, 2, 3].map((key) => outcome(a.streams.ask('b', replicate(key), TIMEOUT)))
      await asked()
      const startMs = bench.time.monotonicMs()
      await channel(0).send(bytes)
      for (const why of await bench.settled(Promise.all(waiting)))
        expect(why).toEqual(expect.any(String))
      expect(bench.time.monotonicMs() - startMs).toBeLessThan(10)
      expect(Object.values(a.drops.all())).toEqual([1])
      const next = outcome(a.streams.ask('b', replicate(4), TIMEOUT))
      const [question] = await asked(1)
      await answer([refused(question?.id as number, 4)], 1)
      expect(await bench.settled(next)).toBe(4)
      expect(b.channels).toHaveLength(2)
    },
  )

  it('by closing the stream: all that wait fail at once', async () => {
    const { bench, a, asked, channel } = await oneAndStranger()
    const waiting = outcome(a.streams.ask('b', replicate(1), TIMEOUT))
    await asked()
    await channel(0).close()
    const startMs = bench.time.monotonicMs()
    expect(await bench.settled(waiting)).toBe('the other side closed the stream of requests')
    expect(bench.time.monotonicMs() - startMs).toBeLessThan(10)
  })

  it('never: the breaker opens, requests fail at once, and one is tried now and then', async () => {
    let isAnswering = false
    let askedCount = 0
    const { bench, a } = await two((from, ask) => {
      askedCount++
      return (isAnswering ? echo : never)(from, ask)
    })
    for (let i = 0; i < 5; i++) {
      expect(a.streams.breakerOf('b')).toBe('closed')
      await bench.settled(outcome(a.streams.ask('b', replicate(i), TIMEOUT)))
    }
    expect(a.streams.breakerOf('b')).toBe('open')
    const startMs = bench.time.monotonicMs()
    const why = await bench.settled(outcome(a.streams.ask('b', replicate(6), TIMEOUT)))
    expect(why).toBe('requests to b have failed of late: none is made for a while')
    expect(bench.time.monotonicMs()).toBe(startMs)
    expect(askedCount).toBe(5)

    await bench.time.advance(250)
    expect(a.streams.breakerOf('b')).toBe('half-open')
    const tries = [7, 8, 9].map((key) => outcome(a.streams.ask('b', replicate(key), TIMEOUT)))
    await bench.settled(Promise.all(tries))
    expect(askedCount).toBe(6)

    isAnswering = true
    await bench.time.advance(500)
    expect(await bench.settled(outcome(a.streams.ask('b', replicate(10), TIMEOUT)))).toBe(10)
    expect(a.streams.breakerOf('b')).toBe('closed')
    const all = [11, 12].map((key) => outcome(a.streams.ask('b', replicate(key), TIMEOUT)))
    expect(await bench.settled(Promise.all(all))).toEqual([11, 12])
  })

  it('by not reading: what waits to be sent is given up at its deadline', async () => {
    const { bench, a } = await oneAndStranger()
    // More than the window of a stream.
    const waiting = Array.from({ length: 20 }, (_, key) =>
      outcome(a.streams.ask('b', replicate(key, 'x'.repeat(100_000)), TIMEOUT)),
    )
    const whys = await bench.settled(Promise.all(waiting))
    expect(new Set(whys)).toEqual(new Set(['b has not answered within 1000 ms']))
    expect(a.streams.stats().requestsInFlight).toBe(0)
  })
})

describe(`a connection, seed ${seed}`, () => {
  it('that breaks fails all that wait at once; the next ones go over the new one', async () => {
    let isAnswering = false
    const { bench, a, b } = await two((from, ask) => (isAnswering ? echo : never)(from, ask))
    const waiting = Array.from({ length: 50 }, (_, key) =>
      outcome(a.streams.ask('b', replicate(key), TIMEOUT)),
    )
    await bench.time.advance(10)
    const startMs = bench.time.monotonicMs()
    await bench.settled(b.transport.hangUp('a'))
    const whys = await bench.settled(Promise.all(waiting))
    for (const why of whys) expect(why).toMatch(/connection/)
    expect(bench.time.monotonicMs() - startMs).toBeLessThan(10)

    isAnswering = true
    await bench.connect(a.transport, b.transport)
    // However many failed with the last one.
    expect(a.streams.breakerOf('b')).toBe('closed')
    expect(await bench.settled(outcome(a.streams.ask('b', replicate(7), TIMEOUT)))).toBe(7)
  })

  it('that is not there fails requests at once, and none of that is held against the peer', async () => {
    const bench = new Bench()
    const a = await bench.peer('a')
    const b = await bench.peer('b', echo)
    for (let i = 0; i < 20; i++) {
      const why = await bench.settled(outcome(a.streams.ask('b', replicate(1), TIMEOUT)))
      expect(why).toBe('not connected to b')
    }
    await bench.connect(a.transport, b.transport)
    expect(await bench.settled(outcome(a.streams.ask('b', replicate(1), TIMEOUT)))).toBe(1)
  })

  it('that breaks while the stream is being opened fails what waits for it', async () => {
    const { bench, a } = await two()
    const waiting = outcome(a.streams.ask('b', replicate(1), TIMEOUT))
    await bench.settled(a.transport.hangUp('b'))
    expect(await bench.settled(waiting)).toMatch(/connection/)
  })

  it('that is cut fails requests at their deadlines, and they work when it heals', async () => {
    const { bench, a } = await two()
    expect(await bench.settled(outcome(a.streams.ask('b', replicate(1), TIMEOUT)))).toBe(1)
    bench.network.cut('a', 'b')
    const why = await bench.settled(outcome(a.streams.ask('b', replicate(2), TIMEOUT)))
    expect(why).toBe('b has not answered within 1000 ms')
    bench.network.heal()
    expect(await bench.settled(outcome(a.streams.ask('b', replicate(3), TIMEOUT)))).toBe(3)
  })
})

describe(`bytes under way, seed ${seed}`, () => {
  it('beyond the limit are refused at once, and admitted when there is room again', async () => {
    let isAnswering = false
    const { bench, a } = await two((from, ask) => (isAnswering ? echo : never)(from, ask))
    const payload = 'x'.repeat(250_000)
    const ask = (key: number) => outcome(a.streams.ask('b', replicate(key, payload), TIMEOUT))
    const waiting = Array.from({ length: 67 }, (_, key) => ask(key))
    const startMs = bench.time.monotonicMs()
    const why = await bench.settled(ask(68))
    expect(why).toMatch(/^\d+ bytes are under way to b, the limit is 16777216$/)
    expect(bench.time.monotonicMs()).toBe(startMs)
    await bench.settled(Promise.all(waiting))
    isAnswering = true
    // The breaker is open by then.
    await bench.time.advance(500)
    expect(await bench.settled(ask(69))).toBe(69)
  })

  it('of a request that is beyond the limit by itself may go alone', async () => {
    const { bench, a } = await two()
    const values = ['1', '2', '3'].map((key) => set(key, 'x'.repeat(VALUE_BYTES_MAX), at(1)))
    const huge = {
      kind: 'replicate',
      records: { writes: values, markers: [] },
      ring: 0n,
    } as const
    const first = outcome(a.streams.ask('b', huge, TIMEOUT))
    const second = outcome(a.streams.ask('b', replicate(2, 'x'.repeat(MIB)), TIMEOUT))
    expect(await bench.settled(second)).toMatch(/the limit is/)
    expect(await bench.settled(first)).toBe(1)
    const third = outcome(a.streams.ask('b', replicate(3, 'x'.repeat(MIB)), TIMEOUT))
    expect(await bench.settled(third)).toBe(3)
  })

  it('of a large request do not hold up small ones', async () => {
    const { bench, a, b, asked, answer } = await oneAndStranger()
    const large = outcome(a.streams.ask('b', replicate(1, 'x'.repeat(4 * MIB)), TIMEOUT))
    await bench.time.runUntil(() => b.channels.length === 1)
    const small = outcome(a.streams.ask('b', replicate(2), TIMEOUT))
    const [question] = await asked(1)
    await answer([refused(question?.id as number, 2)], 1)
    expect(await bench.settled(small)).toBe(2)
    expect(await bench.settled(large)).toBe('b has not answered within 1000 ms')
  })
})

describe(`a peer that serves, seed ${seed}`, () => {
  /** Sends a frame of its own making, and reads answers until so many have come. */
  async function raw(answer: Answering) {
    const bench = new Bench()
    const a = await bench.stranger('a')
    const b = await bench.peer('b', answer)
    await bench.connect(a.transport, b.transport)
    const channel = await bench.settled(a.transport.open('b', PROTOCOLS.requests))
    const answers = async (count: number): Promise<Array<Numbered<Answer>>> => {
      const got: Array<Numbered<Answer>> = []
      for await (const frame of channel.frames) {
        got.push(...answersCodec.decode(frame))
        if (got.length >= count) break
      }
      return got
    }
    return { bench, b, channel, answers }
  }

  const questions = (count: number) =>
    asksCodec.encode({
      asks: Array.from({ length: count }, (_, i) => ({ id: i + 1, body: replicate(i) })),
      cancelled: [],
    })

  it('serves nobody who is no member, and counts it', async () => {
    let served = 0
    const count: Answering = (from, ask) => {
      served++
      return echo(from, ask)
    }
    const bench = new Bench()
    const a = await bench.peer('a')
    const b = await bench.peer('b', count, ['b'])
    await bench.connect(a.transport, b.transport)
    const startMs = bench.time.monotonicMs()
    const why = await bench.settled(outcome(a.streams.ask('b', replicate(1), TIMEOUT)))
    expect(why).toMatch(/aborted/)
    expect(bench.time.monotonicMs() - startMs).toBeLessThan(10)
    expect(served).toBe(0)
    expect(b.drops.all()).toEqual({ 'unknown author': 1 })
  })

  it('refuses those beyond 4,096 that it works on at once as busy, and counts them', async () => {
    const { bench, b, channel, answers } = await raw(never)
    await channel.send(questions(5_000))
    const got = await bench.settled(answers(904))
    expect(new Set(got.map(({ body }) => JSON.stringify(body)))).toEqual(
      new Set([JSON.stringify({ kind: 'refusal', reason: 'busy' })]),
    )
    expect(got[0]?.id).toBe(4_097)
    expect(b.drops.get('busy')).toBe(904)
  })

  it('answers no more than there is room for to one that does not read', async () => {
    let served = 0
    const payload = 'x'.repeat(100_000)
    const { bench, channel, answers } = await raw(() => {
      served++
      return readOf(set('key', payload, at(1)))
    })
    await channel.send(questions(500))
    await bench.time.advance(1_000)
    // A megabyte that waits, and half a megabyte in the window.
    expect(served).toBeGreaterThan(10)
    expect(served).toBeLessThan(30)
    const got = await bench.settled(answers(500))
    expect(got).toHaveLength(500)
    expect(served).toBe(500)
  })

  it('forgets what it owes one that went away without reading', async () => {
    let served = 0
    const payload = 'x'.repeat(100_000)
    const { bench, b, channel } = await raw(() => {
      served++
      return readOf(set('key', payload, at(1)))
    })
    await channel.send(questions(500))
    await bench.time.advance(1_000)
    channel.abort(new Error('enough'))
    await bench.time.advance(1_000)
    b.streams.stop()
    await bench.settled(b.transport.stop())
    expect(b.own.pending).toBe(0)
    expect(served).toBeLessThanOrEqual(500)
  })

  it.each([
    ['random bytes', Uint8Array.from([1, 255, 255, 255])],
    ['a question of no kind', Uint8Array.from([1, 10, 2, 8, 1])],
  ])('counts %s, and breaks the stream off', async (_, bytes) => {
    const { bench, b, channel } = await raw(echo)
    await channel.send(bytes)
    const end = channel.frames[Symbol.asyncIterator]().next()
    expect(await bench.settled(end.then(String, () => 'broken'))).toBe('broken')
    expect(b.drops.get('malformed')).toBe(1)
  })
})

describe(`a request that nobody waits for any more, seed ${seed}`, () => {
  /** Reads frames as they are, with the numbers of what was cancelled. */
  async function watched() {
    const { bench, a, b, channel, answer } = await oneAndStranger()
    const frame = async () => {
      await bench.time.runUntil(() => b.channels.length > 0)
      const { value } = await bench.settled(channel(0).frames[Symbol.asyncIterator]().next())
      const { asks, cancelled } = asksCodec.decode(value as Uint8Array)
      return { asks: asks.map(({ id }) => id), cancelled }
    }
    return { bench, a, frame, answer }
  }

  it('is cancelled on the wire once its time is over', async () => {
    const { bench, a, frame } = await watched()
    const asked = outcome(a.streams.ask('b', replicate(1), TIMEOUT))
    expect(await frame()).toEqual({ asks: [1], cancelled: [] })
    expect(await bench.settled(asked)).toBe('b has not answered within 1000 ms')
    expect(await frame()).toEqual({ asks: [], cancelled: [1] })
    await bench.time.advance(5_000)
    expect(bench.framesFrom('a')).toBe(2)
  })

  it('is cancelled with the next frame where there is one', async () => {
    const { bench, a, frame } = await watched()
    const first = outcome(a.streams.ask('b', replicate(1), TIMEOUT))
    await frame()
    const next = first.then(() => outcome(a.streams.ask('b', replicate(2), TIMEOUT)))
    await bench.settled(first)
    expect(await frame()).toEqual({ asks: [2], cancelled: [1] })
    expect(await bench.settled(next)).toEqual(expect.any(String))
  })

  it('is not cancelled when it was answered', async () => {
    const { bench, a, frame, answer } = await watched()
    const asked = outcome(a.streams.ask('b', replicate(1), TIMEOUT))
    await frame()
    await answer([refused(1, 1)])
    expect(await bench.settled(asked)).toBe(1)
    await bench.time.advance(5_000)
    expect(bench.framesFrom('a')).toBe(1)
  })

  it('is not cancelled when it was never sent', async () => {
    const { bench, a } = await watched()
    // As many as may be unanswered at once, and one more.
    for (let key = 0; key < 4_096; key++) void outcome(a.streams.ask('b', replicate(key), TIMEOUT))
    const unsent = outcome(a.streams.ask('b', replicate(4_096), { timeoutMs: 500 }))
    await bench.time.advance(400)
    const sent = bench.framesFrom('a')
    expect(await bench.settled(unsent)).toBe('b has not answered within 500 ms')
    await bench.time.advance(400)
    expect(bench.framesFrom('a')).toBe(sent)
  })

  it('is not answered, and the others on its stream are', async () => {
    const pending = new Map<string, (answer: Answer) => void>()
    const bench = new Bench()
    const a = await bench.stranger('a')
    const b = await bench.peer('b', (_, ask) => {
      return new Promise((resolve) => pending.set(keyOf(ask) as string, resolve))
    })
    await bench.connect(a.transport, b.transport)
    const channel = await bench.settled(a.transport.open('b', PROTOCOLS.requests))
    const asks = [1, 2, 3].map((id) => ({ id, body: replicate(id) }))
    await channel.send(asksCodec.encode({ asks, cancelled: [] }))
    // Nobody ever asked the last of them.
    await channel.send(asksCodec.encode({ asks: [], cancelled: [2, 99] }))
    await bench.time.advance(10)
    for (const key of ['2', '1', '3']) pending.get(key)?.(taken(Number(key)))
    const { value } = await bench.settled(channel.frames[Symbol.asyncIterator]().next())
    expect(answersCodec.decode(value as Uint8Array).map(({ id }) => id)).toEqual([1, 3])
    await bench.time.advance(1_000)
    expect(bench.framesFrom('b')).toBe(1)
  })

  it('and its number may be asked anew', async () => {
    const { bench, a, frame, answer } = await watched()
    const first = outcome(a.streams.ask('b', replicate(1), TIMEOUT))
    await frame()
    await bench.settled(first)
    const second = outcome(a.streams.ask('b', replicate(2), TIMEOUT))
    const { asks } = await frame()
    await answer([refused(1, 7), refused(asks[0] ?? 2, 2)])
    expect(await bench.settled(second)).toBe(2)
  })
})

describe(`after stop(), seed ${seed}`, () => {
  it('all that waited have failed, nothing is scheduled, and nobody is asked any more', async () => {
    const { bench, a, b } = await two(never)
    const waiting = Array.from({ length: 10 }, (_, key) =>
      outcome(a.streams.ask('b', replicate(key), { timeoutMs: 60_000 })),
    )
    await bench.time.advance(10)
    // Some of them have not even been sent.
    waiting.push(outcome(a.streams.ask('b', replicate(1, 'x'.repeat(MIB)), TIMEOUT)))
    a.streams.stop()
    const whys = await bench.settled(Promise.all(waiting))
    expect(new Set(whys)).toEqual(new Set(['this peer has stopped']))
    const why = await bench.settled(outcome(a.streams.ask('b', replicate(2), TIMEOUT)))
    expect(why).toBe('this peer has stopped')
    await bench.settled(a.transport.stop())
    await bench.time.advance(0)
    expect(a.own.pending).toBe(0)
    expect(a.streams.stats().requestsInFlight).toBe(0)

    b.streams.stop()
    await bench.settled(b.transport.stop())
    await bench.time.advance(0)
    expect(b.own.pending).toBe(0)
  })

  it('a stream that was being opened is given up', async () => {
    const { bench, a, b, channel } = await oneAndStranger()
    const waiting = outcome(a.streams.ask('b', replicate(1), TIMEOUT))
    await bench.time.runUntil(() => b.channels.length === 1)
    a.streams.stop()
    expect(await bench.settled(waiting)).toBe('this peer has stopped')
    const end = channel(0).frames[Symbol.asyncIterator]().next()
    expect(await bench.settled(end.then(String, () => 'broken'))).toBe('broken')
  })
})
