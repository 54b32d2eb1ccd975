/**
 * A channel over a libp2p stream: length-prefixed frames, piped both ways.
 */
import type { Connection, Stream } from '@libp2p/interface'
import { decode, encode } from 'it-length-prefixed'
import { pipe } from 'it-pipe'
import { type Pushable, pushable } from 'it-pushable'
import type { Uint8ArrayList } from 'uint8arraylist'
import { FRAME_BYTES_MAX } from '../../protocol/limits.js'
import type { Channel } from '../../services/ports.js'

/** Bytes that may wait in a channel before `send` makes its caller wait. */
const BUFFER_BYTES_MAX = 512 * 1024

const NEVER = new AbortController().signal

export class StreamChannel implements Channel {
  readonly remote: string
  readonly frames: AsyncIterable<Uint8Array>
  readonly #stream: Stream
  readonly #connection: Connection
  readonly #outgoing: Pushable<Uint8Array> = pushable()
  readonly #sent: Promise<void>

  constructor(stream: Stream, connection: Connection) {
    this.remote = connection.remotePeer.toString()
    this.#stream = stream
    this.#connection = connection
    this.#sent = pipe(this.#outgoing, stream).catch((error: Error) => {
      stream.abort(error)
    })
    this.frames = pipe(
      stream,
      (source) => decode(source, { maxDataLength: FRAME_BYTES_MAX }),
      contiguous,
    )
  }

  async send(frame: Uint8Array): Promise<void> {
    if (this.#stream.status !== 'open') throw new Error(`the channel is ${this.#stream.status}`)
    this.#outgoing.push(this.#prefixed(frame))
    if (this.#outgoing.readableLength > BUFFER_BYTES_MAX) {
      // Without a signal, `onEmpty` does not wait at all.
      await Promise.race([this.#outgoing.onEmpty({ signal: NEVER }), this.#sent])
    }
  }

  /** Length and frame in one piece: each piece is encrypted, and written to the socket, by itself. */
  #prefixed(frame: Uint8Array): Uint8Array {
    try {
      return encode.single(frame, { maxDataLength: FRAME_BYTES_MAX }).subarray()
    } catch (error) {
      this.abort(error as Error)
      throw error
    }
  }

  async close(): Promise<void> {
    this.#outgoing.end()
    await this.#sent
    if (this.#stream.status === 'open') await this.#stream.close()
  }

  abort(reason: Error): void {
    this.#outgoing.end(reason)
    this.#stream.abort(reason)
  }

  async hangUp(): Promise<void> {
    await this.#connection.close()
  }
}

async function* contiguous(source: AsyncIterable<Uint8ArrayList>): AsyncGenerator<Uint8Array> {
  for await (const frame of source) yield frame.subarray()
}
