/**
 * Yamux that gives credit back in bulk.
 *
 * After whatever it has read, however short, Yamux tells the sender that it may send as much again: a packet of its own,
 * encrypted and written by itself, for each one that comes. For short requests that is half of all packets. Here that credit
 * is held back, and goes out behind the next frame, or once there is a good part of a window of it.
 */
import { type YamuxMuxerInit, yamux } from '@chainsafe/libp2p-yamux'
import type { StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'

/** Credit of one stream that may be held back, in bytes: a quarter of the smallest window, so that no sender waits for it. */
const HELD_CREDIT_MAX = 64 * 1024

/** Streams whose credit may be held back at once. */
const HELD_STREAMS_MAX = 64

type Frame = Uint8Array | Uint8ArrayList

/** A Yamux muxer, with `yamux`'s own options. */
export function thriftyYamux(init: YamuxMuxerInit): ReturnType<typeof yamux> {
  return (components): StreamMuxerFactory => {
    const factory = yamux(init)(components)
    return {
      protocol: factory.protocol,
      createStreamMuxer: (muxerInit) => new ThriftyMuxer(factory.createStreamMuxer(muxerInit)),
    }
  }
}

class ThriftyMuxer implements StreamMuxer {
  readonly protocol: string
  readonly source: AsyncGenerator<Frame>
  readonly sink: StreamMuxer['sink']
  readonly #muxer: StreamMuxer

  constructor(muxer: StreamMuxer) {
    this.#muxer = muxer
    this.protocol = muxer.protocol
    this.source = creditInBulk(muxer.source)
    this.sink = (source) => muxer.sink(source)
  }

  get streams(): StreamMuxer['streams'] {
    return this.#muxer.streams
  }

  newStream(name?: string): ReturnType<StreamMuxer['newStream']> {
    return this.#muxer.newStream(name)
  }

  close(options?: Parameters<StreamMuxer['close']>[0]): Promise<void> {
    return this.#muxer.close(options)
  }

  abort(error: Error): void {
    this.#muxer.abort(error)
  }
}

/** The frames of Yamux, those that only give credit behind others, or together. */
export async function* creditInBulk(frames: AsyncIterable<Frame>): AsyncGenerator<Frame> {
  /** By stream, the frame that gives it all of its credit. */
  const held = new Map<number, Uint8Array>()
  for await (const frame of frames) {
    if (!isMereCredit(frame)) {
      if (held.size === 0) yield frame
      else yield new Uint8ArrayList(frame, ...held.values())
      held.clear()
      continue
    }
    const view = new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES)
    const stream = view.getUint32(STREAM_AT)
    const earlier = held.get(stream)
    const credit = view.getUint32(CREDIT_AT) + (earlier === undefined ? 0 : creditOf(earlier))
    view.setUint32(CREDIT_AT, credit)
    held.set(stream, frame)
    if (credit < HELD_CREDIT_MAX && held.size <= HELD_STREAMS_MAX) continue
    yield new Uint8ArrayList(...held.values())
    held.clear()
  }
}

/** Yamux's header: version, type, flags (2 bytes), stream (4), length or credit (4). */
const HEADER_BYTES = 12
const STREAM_AT = 4
const CREDIT_AT = 8
const WINDOW_UPDATE = 1

function creditOf(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset, HEADER_BYTES).getUint32(CREDIT_AT)
}

/** Whether a frame does nothing but give credit: no flag, so it does not open or end a stream either. */
function isMereCredit(frame: Frame): frame is Uint8Array {
  return (
    frame instanceof Uint8Array &&
    frame.length === HEADER_BYTES &&
    frame[1] === WINDOW_UPDATE &&
    frame[2] === 0 &&
    frame[3] === 0
  )
}
