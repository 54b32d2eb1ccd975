/**
 * Requests between peers: one long-lived stream each way, deadlines, bounded bytes under way, and a circuit breaker
 * for each peer, so that one that hangs does not hold up everybody who asks.
 *
 * Small requests share a stream; large ones have one of their own, so that nobody waits behind a value of megabytes.
 */
import { Breaker, type BreakerState } from '../core/breaker.js'
import { answersCodec, asksCodec } from '../protocol/asks.js'
import { ProtocolError } from '../protocol/checks.js'
import { BATCH_BYTES_MAX } from '../protocol/limits.js'
import type { Answer, Ask, Numbered } from '../protocol/messages.js'
import { recordsBytes } from '../protocol/records.js'
import type { Counters, DropReason } from './counters.js'
import type { Membership } from './membership.js'
import type { Channel, Runtime, Timer, Transport } from './ports.js'
import { RequestLink, UNANSWERED_MAX } from './request-link.js'
import { PROTOCOLS } from './topics.js'

/** Bytes of requests to one peer that may wait for their answers. One more is turned away at once. */
const IN_FLIGHT_BYTES_MAX = 16 * 1024 * 1024

/** Bytes of answers that may wait to be sent over one stream. A peer that does not take them is not served more. */
const ANSWER_BYTES_MAX = 1024 * 1024

/** When requests to a peer are given up for a while; see {@link Breaker}. */
const BREAKER = { failuresMax: 5, openMinMs: 250, openMaxMs: 5_000 }

/** Bytes that a request takes beside its records, and each key in one that reads, about. */
const OVERHEAD_BYTES = 40

/** Bytes of a set of partitions. */
const PARTITION_SET_BYTES = 512

/** Bytes of the digests of a node or a partition, and of an id, about. */
const NODE_BYTES = 65
const ID_BYTES = 3

/** A request that got no answer. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
}

export interface RequestStreamsComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly membership: Membership
  readonly drops: Counters<DropReason>
}

export interface AskOptions {
  /** How long the answer may take, in ms. */
  readonly timeoutMs: number
  /** It only asks whether the peer lives: sent whatever the breaker says, which learns nothing from it. @default false */
  readonly isProbe?: boolean
}

/** Everything about the requests to one peer, for as long as there is a connection to it. */
interface Link {
  readonly small: RequestLink
  readonly large: RequestLink
  readonly breaker: Breaker
}

type AnswerTo<Kind extends Ask['kind']> = Extract<Answer, { kind: Kind }>

export class RequestStreams {
  readonly #components: RequestStreamsComponents
  readonly #answer: (from: string, ask: Ask) => Answer | Promise<Answer>
  readonly #links = new Map<string, Link>()
  readonly #served = new Set<Answers>()
  #requestCount = 0
  #requestErrorCount = 0
  #stopped = false

  /** @param answer answers a request of a member; what it throws is a refusal */
  constructor(
    components: RequestStreamsComponents,
    answer: (from: string, ask: Ask) => Answer | Promise<Answer>,
  ) {
    this.#components = components
    this.#answer = answer
  }

  /** Nobody is asked any more, and nobody answered. */
  stop(): void {
    this.#stopped = true
    const error = new RequestError('this peer has stopped')
    for (const id of [...this.#links.keys()]) this.#drop(id, error)
    for (const answers of [...this.#served]) answers.end(error)
  }

  stats() {
    let requestsInFlight = 0
    for (const { small, large } of this.#links.values()) requestsInFlight += small.size + large.size
    return {
      requestCount: this.#requestCount,
      requestErrorCount: this.#requestErrorCount,
      requestsInFlight,
    }
  }

  /** Whether requests to a peer are made, given up for a while, or tried again. */
  breakerOf(id: string): BreakerState {
    const nowMs = this.#components.runtime.clock.monotonicMs()
    return this.#links.get(id)?.breaker.state(nowMs) ?? 'closed'
  }

  /** Whether a peer is connected, and has answered of late. */
  isReachable(id: string): boolean {
    return this.#components.transport.isConnected(id) && this.breakerOf(id) === 'closed'
  }

  /** The last connection to a peer closed. One that can be reached again is tried again: its breaker goes, too. */
  disconnected(id: string): void {
    this.#drop(id, new RequestError(`the connection to ${id} closed`))
  }

  /** Asks a peer. @throws RequestError when it does not answer, or refuses to */
  async ask<Body extends Ask>(
    id: string,
    body: Body,
    { timeoutMs, isProbe = false }: AskOptions,
  ): Promise<AnswerTo<Body['kind']>> {
    if (!isProbe) this.#requestCount++
    try {
      const answer = await this.#exchange(id, body, timeoutMs, isProbe)
      if (answer.kind === body.kind) return answer as AnswerTo<Body['kind']>
      const { reason } = answer as { reason?: string }
      throw new RequestError(`${id} refused: ${reason ?? `it answered ${answer.kind}`}`)
    } catch (error) {
      if (!isProbe) this.#requestErrorCount++
      throw error
    }
  }

  async #exchange(id: string, body: Ask, timeoutMs: number, isProbe: boolean): Promise<Answer> {
    const { scheduler, clock, random } = this.#components.runtime
    if (this.#stopped) throw new RequestError('this peer has stopped')
    const { breaker, small, large } = this.#linkTo(id)
    const bytes = bytesOf(body)
    const isLarge = bytes > BATCH_BYTES_MAX || (body.kind === 'read' && body.large)
    const link = isLarge ? large : small
    // A request that is too large for the bound by itself may go when nothing else is under way.
    if (link.inFlightBytes > 0 && link.inFlightBytes + bytes > IN_FLIGHT_BYTES_MAX) {
      throw new RequestError(
        `${link.inFlightBytes} bytes are under way to ${id}, the limit is ${IN_FLIGHT_BYTES_MAX}`,
      )
    }
    // From here on the breaker has to hear how it went.
    if (!isProbe && !breaker.admits(clock.monotonicMs())) {
      throw new RequestError(`requests to ${id} have failed of late: none is made for a while`)
    }
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        const timer = scheduler.after(timeoutMs, () => {
          giveUp()
          reject(new RequestError(`${id} has not answered within ${timeoutMs} ms`))
        })
        const giveUp = link.push({
          body,
          bytes,
          answered: (given) => {
            timer.cancel()
            resolve(given)
          },
          failed: (error) => {
            timer.cancel()
            reject(new RequestError(error.message, { cause: error }))
          },
        })
      })
      if (!isProbe) breaker.succeeded()
      return answer
    } catch (error) {
      if (!isProbe) breaker.failed(clock.monotonicMs(), random.next())
      throw error
    }
  }

  /** Answers the requests that come over a stream, until it ends. */
  async serve(channel: Channel): Promise<void> {
    const { membership, drops } = this.#components
    if (this.#stopped || membership.list.get(channel.remote) === undefined) {
      if (!this.#stopped) drops.add('unknown author')
      channel.abort(new RequestError('not served'))
      return
    }
    const answers = new Answers(channel, this.#components.runtime.scheduler)
    this.#served.add(answers)
    try {
      for await (const frame of channel.frames) {
        const { asks, cancelled } = asksCodec.decode(frame)
        for (const id of cancelled) answers.cancel(id)
        for (const { id, body } of asks) {
          void this.#serveOne(channel.remote, id, body, answers)
          // By the next microtask all is answered that has nothing to wait for, and can be counted.
          await undefined
          if (answers.isFull) await answers.room()
        }
      }
      await channel.close()
    } catch (error) {
      if (error instanceof ProtocolError) drops.add(error.reason)
      answers.end(error as Error)
    } finally {
      this.#served.delete(answers)
    }
  }

  async #serveOne(from: string, id: number, ask: Ask, answers: Answers): Promise<void> {
    if (answers.underWork >= UNANSWERED_MAX) {
      this.#components.drops.add('busy')
      answers.add({ id, body: { kind: 'refusal', reason: 'busy' } })
      return
    }
    answers.begin(id)
    let body: Answer
    try {
      body = await this.#answer(from, ask)
    } catch (error) {
      body = { kind: 'refusal', reason: (error as Error).message.slice(0, 200) }
    }
    if (answers.finish(id)) answers.add({ id, body })
  }

  /** @throws RequestError when there is no connection */
  #linkTo(id: string): Link {
    const known = this.#links.get(id)
    if (known !== undefined) return known
    const { runtime, transport, drops } = this.#components
    // That a peer cannot be reached says nothing of how it answers, and is known without a try.
    if (!transport.isConnected(id)) throw new RequestError(`not connected to ${id}`)
    const components = {
      scheduler: runtime.scheduler,
      open: () => transport.open(id, PROTOCOLS.requests),
      malformed: (error: ProtocolError) => drops.add(error.reason),
    }
    const link = {
      small: new RequestLink(components),
      large: new RequestLink(components),
      breaker: new Breaker(BREAKER),
    }
    this.#links.set(id, link)
    return link
  }

  #drop(id: string, error: RequestError): void {
    const link = this.#links.get(id)
    this.#links.delete(id)
    link?.small.close(error)
    link?.large.close(error)
  }
}

/** The answers over one stream: those of one turn of the event loop go out as one frame. */
class Answers {
  /** Requests that are being worked on, and whether somebody waits for their answers still. */
  readonly #underWork = new Map<number, boolean>()
  readonly #channel: Channel
  readonly #scheduler: Runtime['scheduler']
  #ready: Array<Numbered<Answer>> = []
  #bytes = 0
  #isSending = false
  #isOver = false
  #timer: Timer | undefined
  #onRoom: () => void = () => {}

  constructor(channel: Channel, scheduler: Runtime['scheduler']) {
    this.#channel = channel
    this.#scheduler = scheduler
  }

  get underWork(): number {
    return this.#underWork.size
  }

  begin(id: number): void {
    this.#underWork.set(id, true)
  }

  /** The asker waits no longer: what it asked need not be answered. */
  cancel(id: number): void {
    if (this.#underWork.has(id)) this.#underWork.set(id, false)
  }

  /** Ends the work on a request. False when nobody waits for its answer. */
  finish(id: number): boolean {
    const isAwaited = this.#underWork.get(id) === true
    this.#underWork.delete(id)
    return isAwaited
  }

  /** So much waits to be sent that no more should be answered. */
  get isFull(): boolean {
    return this.#bytes > ANSWER_BYTES_MAX
  }

  /** Resolves when there is room for more, or the stream has broken. */
  async room(): Promise<void> {
    while (this.isFull) {
      await new Promise<void>((resolve) => {
        this.#onRoom = resolve
      })
    }
  }

  /** Breaks the stream off. Nobody waits for what has not been sent: who asked sees the stream break. */
  end(reason: Error): void {
    this.#isOver = true
    this.#timer?.cancel()
    this.#channel.abort(reason)
    this.#ready = []
    this.#bytes = 0
    this.#onRoom()
  }

  add(answer: Numbered<Answer>): void {
    if (this.#isOver) return
    this.#ready.push(answer)
    this.#bytes += bytesOfAnswer(answer.body)
    if (this.#isSending) return
    this.#isSending = true
    this.#timer = this.#scheduler.defer(() => void this.#send())
  }

  async #send(): Promise<void> {
    try {
      while (this.#ready.length > 0) {
        const frame = this.#nextFrame()
        await this.#channel.send(answersCodec.encode(frame))
        this.#onRoom()
      }
    } catch (error) {
      this.end(error as Error)
    }
    this.#isSending = false
  }

  #nextFrame(): Array<Numbered<Answer>> {
    let count = 0
    let bytes = 0
    for (const { body } of this.#ready) {
      const more = bytesOfAnswer(body)
      if (count > 0 && bytes + more > BATCH_BYTES_MAX) break
      bytes += more
      count++
    }
    this.#bytes -= bytes
    return this.#ready.splice(0, count)
  }
}

function bytesOf(ask: Ask): number {
  switch (ask.kind) {
    case 'replicate':
    case 'exchange':
      return OVERHEAD_BYTES + recordsBytes(ask.records)
    case 'scan':
      return OVERHEAD_BYTES + ask.cache.length + PARTITION_SET_BYTES
    case 'read':
      return ask.keys.reduce((sum, { key }) => sum + OVERHEAD_BYTES + key.length, OVERHEAD_BYTES)
    case 'narrow':
      return OVERHEAD_BYTES + PARTITION_SET_BYTES + ask.nodes.length * NODE_BYTES
    case 'list':
      return ask.buckets.reduce((sum, { ids }) => sum + (ids.length + 2) * ID_BYTES, OVERHEAD_BYTES)
    default:
      return OVERHEAD_BYTES
  }
}

function bytesOfAnswer(answer: Answer): number {
  switch (answer.kind) {
    case 'scan':
      return answer.keys.reduce((sum, key) => sum + key.length + 4, PARTITION_SET_BYTES)
    case 'compare':
      return OVERHEAD_BYTES + PARTITION_SET_BYTES + (answer.nodes?.length ?? 0) * 4
    case 'narrow':
      return OVERHEAD_BYTES + answer.partitions.length * NODE_BYTES
    case 'list':
      return OVERHEAD_BYTES + recordsBytes(answer.records) + answer.wanted.length * ID_BYTES
    case 'read':
    case 'exchange':
      return OVERHEAD_BYTES + recordsBytes(answer.records)
    default:
      return OVERHEAD_BYTES
  }
}
