/**
 * One end of a stream of requests to a peer: opened when it is first needed, kept while it lasts, and used by many
 * requests at once. What is asked in one turn of the event loop goes out as one frame; answers come in any order.
 *
 * A stream that breaks fails those that wait, and the next request opens another one.
 */

import { answersCodec, asksCodec } from '../protocol/asks.js'
import type { ProtocolError } from '../protocol/checks.js'
import { BATCH_BYTES_MAX } from '../protocol/limits.js'
import type { Answer, Ask, Numbered } from '../protocol/messages.js'
import type { Channel, Scheduler, Timer } from './ports.js'

/** Requests of one stream that may be worked on at once. The asker holds back what is more; who does not is refused. */
export const UNANSWERED_MAX = 4_096

/** A question that waits for its answer. */
export interface Question {
  readonly body: Ask
  /** What it takes on the wire, about. */
  readonly bytes: number
  answered(answer: Answer): void
  failed(error: Error): void
}

export interface RequestLinkComponents {
  readonly scheduler: Scheduler
  /** Opens the stream. @throws when there is no connection */
  readonly open: () => Promise<Channel>
  /** What came could not be read. */
  readonly malformed: (error: ProtocolError) => void
}

export class RequestLink {
  readonly #components: RequestLinkComponents
  /** To be sent, in order. */
  readonly #outgoing = new Map<number, Question>()
  /** Sent, and not answered. */
  readonly #waiting = new Map<number, Question>()
  #channel: Channel | undefined
  /** Why there will be no other stream. */
  #closed: Error | undefined
  #isSending = false
  #scheduled: Timer | undefined
  /** Sent, and given up since: the other side is told with the next frame. */
  #cancelled: number[] = []
  #lastId = 0
  #inFlightBytes = 0

  constructor(components: RequestLinkComponents) {
    this.#components = components
  }

  /** Bytes of the questions that have not been answered. */
  get inFlightBytes(): number {
    return this.#inFlightBytes
  }

  /** Questions that have not been answered. */
  get size(): number {
    return this.#outgoing.size + this.#waiting.size
  }

  /** Asks. Returns what gives the question up: an answer that comes later is dropped. */
  push(question: Question): () => void {
    this.#lastId = (this.#lastId % 0xffffffff) + 1
    const id = this.#lastId
    this.#outgoing.set(id, question)
    this.#inFlightBytes += question.bytes
    this.#sendSoon()
    return () => {
      if (this.#waiting.has(id)) this.#cancelled.push(id)
      this.#take(id)
      if (this.#cancelled.length > 0) this.#sendSoon()
    }
  }

  /** Breaks the stream off, for good. Whoever waits is told why. */
  close(error: Error): void {
    this.#closed = error
    this.#scheduled?.cancel()
    this.#fail(error)
  }

  #fail(error: Error): void {
    this.#channel?.abort(error)
    this.#channel = undefined
    const questions = [...this.#waiting.values(), ...this.#outgoing.values()]
    this.#waiting.clear()
    this.#outgoing.clear()
    this.#cancelled = []
    this.#inFlightBytes = 0
    for (const question of questions) question.failed(error)
  }

  #take(id: number): Question | undefined {
    const question = this.#waiting.get(id) ?? this.#outgoing.get(id)
    if (question === undefined) return undefined
    this.#waiting.delete(id)
    this.#outgoing.delete(id)
    this.#inFlightBytes -= question.bytes
    if (this.#outgoing.size > 0) this.#sendSoon()
    return question
  }

  #sendSoon(): void {
    if (this.#scheduled !== undefined || this.#isSending) return
    this.#scheduled = this.#components.scheduler.defer(() => {
      this.#scheduled = undefined
      void this.#send()
    })
  }

  async #send(): Promise<void> {
    this.#isSending = true
    while (this.#hasFrame()) await this.#sendFrame()
    this.#isSending = false
  }

  #hasFrame(): boolean {
    if (this.#cancelled.length > 0 && this.#channel !== undefined) return true
    return this.#outgoing.size > 0 && this.#waiting.size < UNANSWERED_MAX
  }

  async #sendFrame(): Promise<void> {
    let channel = this.#channel
    try {
      channel ??= await this.#open()
      const asks = this.#nextFrame()
      // All may have been given up while the stream was being opened.
      const cancelled = this.#cancelled.splice(0)
      if (asks.length + cancelled.length > 0) {
        await channel.send(asksCodec.encode({ asks, cancelled }))
      }
    } catch (error) {
      // Where the stream is known to have broken, what has come since goes over the next one.
      if (this.#channel === channel) this.#fail(error as Error)
    }
  }

  async #open(): Promise<Channel> {
    const channel = await this.#components.open()
    if (this.#closed !== undefined) {
      channel.abort(this.#closed)
      throw this.#closed
    }
    this.#channel = channel
    void this.#receive(channel)
    return channel
  }

  /** Moves a frame's worth of questions from those to be sent to those that wait. */
  #nextFrame(): Array<Numbered<Ask>> {
    const asks: Array<Numbered<Ask>> = []
    let bytes = 0
    for (const [id, question] of this.#outgoing) {
      bytes += question.bytes
      if (asks.length > 0 && bytes > BATCH_BYTES_MAX) break
      if (this.#waiting.size >= UNANSWERED_MAX) break
      this.#outgoing.delete(id)
      this.#waiting.set(id, question)
      asks.push({ id, body: question.body })
    }
    return asks
  }

  async #receive(channel: Channel): Promise<void> {
    let reason = new Error('the other side closed the stream of requests')
    try {
      for await (const frame of channel.frames) {
        for (const { id, body } of this.#decode(frame)) {
          // Nobody can answer what has not been sent.
          if (this.#waiting.has(id)) this.#take(id)?.answered(body)
        }
      }
    } catch (error) {
      reason = error as Error
    }
    if (this.#channel === channel) this.#fail(reason)
  }

  #decode(frame: Uint8Array): ReadonlyArray<Numbered<Answer>> {
    try {
      return answersCodec.decode(frame)
    } catch (error) {
      this.#components.malformed(error as ProtocolError)
      throw error
    }
  }
}
