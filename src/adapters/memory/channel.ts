/**
 * A channel over a connection in memory: frames in order both ways. As with a window of Yamux, what the other side
 * has not read yet is bounded, and `send` waits while there is more.
 */
import type { Channel } from '../../services/ports.js'
import type { ConnectionEnd } from './connection.js'

/** Bytes that may be on their way or unread before `send` makes its caller wait. */
const WINDOW_BYTES = 512 * 1024

export class MemoryChannel implements Channel {
  readonly remote: string
  readonly frames: AsyncIterableIterator<Uint8Array>
  readonly #end: ConnectionEnd
  readonly #frameBytesMax: number
  readonly #incoming: FrameQueue
  #peer: MemoryChannel | undefined
  #onBroken: (reason: Error) => void = () => {}
  #state: 'open' | 'closed' | 'broken' = 'open'
  #windowBytes = WINDOW_BYTES
  /** Bytes read here that the other side has not been told of. */
  #readBytes = 0
  #waiters: Array<{ readonly resolve: () => void; readonly reject: (reason: Error) => void }> = []

  constructor(end: ConnectionEnd, frameBytesMax: number) {
    this.remote = end.remote
    this.#end = end
    this.#frameBytesMax = frameBytesMax
    this.#incoming = new FrameQueue((bytes) => this.#noteRead(bytes))
    this.frames = this.#incoming
    end.addChannel(this)
  }

  /** Names the channel at the other end. */
  linkTo(peer: MemoryChannel): void {
    this.#peer = peer
  }

  /** Calls `listener` when the channel breaks. */
  onceBroken(listener: (reason: Error) => void): void {
    this.#onBroken = listener
  }

  async send(frame: Uint8Array): Promise<void> {
    if (this.#state !== 'open') throw new Error(`the channel is ${this.#state}`)
    if (frame.byteLength > this.#frameBytesMax) {
      const error = new Error(
        `a frame of ${frame.byteLength} bytes, the limit is ${this.#frameBytesMax}`,
      )
      this.abort(error)
      throw error
    }
    // Not slice(): that of a Buffer copies nothing.
    const copy = new Uint8Array(frame)
    this.#windowBytes -= copy.byteLength
    this.#toPeer((peer) => peer.#take(copy))
    if (this.#windowBytes > 0) return
    await new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#finish('closed')
    this.#incoming.end()
    this.#toPeer((peer) => peer.#remoteClosed())
  }

  abort(reason: Error): void {
    if (this.#state !== 'open') return
    this.breakOff(reason)
    this.#toPeer((peer) => peer.breakOff(new Error('the other side aborted the channel')))
  }

  async hangUp(): Promise<void> {
    this.#end.close()
  }

  /** Breaks this end, without a word to the other: it knows, or cannot be told. */
  breakOff(reason: Error): void {
    if (this.#state === 'broken') return
    this.#finish('broken')
    this.#incoming.fail(reason)
    this.#onBroken(reason)
    for (const { reject } of this.#waiters.splice(0)) reject(reason)
  }

  #take(frame: Uint8Array): void {
    this.#end.noteFrame(frame)
    this.#incoming.push(frame)
  }

  #remoteClosed(): void {
    this.#incoming.end()
    // Nobody reads there any more, so nobody will make room.
    this.#grant(Number.POSITIVE_INFINITY)
  }

  #noteRead(bytes: number): void {
    this.#readBytes += bytes
    if (this.#readBytes < WINDOW_BYTES / 2) return
    const granted = this.#readBytes
    this.#readBytes = 0
    this.#toPeer((peer) => peer.#grant(granted))
  }

  #grant(bytes: number): void {
    this.#windowBytes += bytes
    if (this.#windowBytes <= 0) return
    for (const { resolve } of this.#waiters.splice(0)) resolve()
  }

  #finish(state: 'closed' | 'broken'): void {
    this.#state = state
    this.#end.removeChannel(this)
  }

  #toPeer(act: (peer: MemoryChannel) => void): void {
    if (!this.#end.isOpen) return
    const peer = this.#peer as MemoryChannel
    this.#end.sendFrame(() => act(peer))
  }
}

/** Frames that have come and have not been read. */
class FrameQueue implements AsyncIterableIterator<Uint8Array> {
  readonly #onRead: (bytes: number) => void
  readonly #frames: Uint8Array[] = []
  readonly #readers: Array<{
    readonly resolve: (result: IteratorResult<Uint8Array>) => void
    readonly reject: (reason: Error) => void
  }> = []
  #ended = false
  #error: Error | undefined

  constructor(onRead: (bytes: number) => void) {
    this.#onRead = onRead
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const frame = this.#frames.shift()
    if (frame !== undefined) {
      this.#onRead(frame.byteLength)
      return { done: false, value: frame }
    }
    if (this.#error !== undefined) throw this.#error
    if (this.#ended) return { done: true, value: undefined }
    return await new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
  }

  /** The reader has had enough. */
  async return(): Promise<IteratorResult<Uint8Array>> {
    this.end()
    this.#frames.length = 0
    return { done: true, value: undefined }
  }

  push(frame: Uint8Array): void {
    if (this.#ended || this.#error !== undefined) return
    const reader = this.#readers.shift()
    if (reader === undefined) {
      this.#frames.push(frame)
      return
    }
    this.#onRead(frame.byteLength)
    reader.resolve({ done: false, value: frame })
  }

  end(): void {
    this.#ended = true
    for (const { resolve } of this.#readers.splice(0)) resolve({ done: true, value: undefined })
  }

  fail(error: Error): void {
    if (this.#ended) return
    this.#error = error
    for (const { reject } of this.#readers.splice(0)) reject(error)
  }
}
