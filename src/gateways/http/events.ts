/**
 * What happens in the mesh, as it happens: `GET /v1/events`, server-sent events.
 *
 * A reader gets the events from the moment it has the headers. What it does not read waits in this process, so
 * that is bounded: a reader too far behind is cut off, and may come back for what happens from then on.
 */
import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Peer, PeerEvents } from '../../api.js'
import type { Logger } from '../../options.js'
import { HttpError } from './errors.js'
import { EVENT_BUFFER_BYTES_MAX, EVENT_KEEP_ALIVE_MS, EVENT_STREAMS_MAX } from './limits.js'

/** Every event of a peer; the type makes sure that none is missing. */
const EVENT_NAMES = Object.keys({
  'member:alive': true,
  'member:suspect': true,
  'member:dead': true,
  'member:left': true,
  'sync:start': true,
  'sync:end': true,
  'rebalance:start': true,
  'rebalance:end': true,
  alert: true,
} satisfies Record<keyof PeerEvents, true>) as Array<keyof PeerEvents>

/** Registers the route. The streams end before the server stops listening, which would else wait for them. */
export function eventRoutes(peer: Peer, logger: Logger) {
  return async (app: FastifyInstance) => {
    const streams = new EventStreams(peer, logger)
    app.addHook('preClose', async () => streams.close())
    app.get('/v1/events', { exposeHeadRoute: false }, async (_request, reply) => {
      streams.add(reply)
      return reply
    })
  }
}

class EventStreams {
  readonly #logger: Logger
  readonly #streams = new Set<ServerResponse>()
  readonly #unsubscribe: ReadonlyArray<() => void>
  readonly #keepAlive: NodeJS.Timeout
  #closed = false
  #cutOffCount = 0

  constructor(peer: Peer, logger: Logger) {
    this.#logger = logger
    this.#unsubscribe = EVENT_NAMES.map((name) =>
      peer.on(name, (event) => {
        if (this.#streams.size > 0) this.#send(`event: ${name}\ndata: ${JSON.stringify(event)}\n\n`)
      }),
    )
    this.#keepAlive = setInterval(() => this.#send(': still here\n\n'), EVENT_KEEP_ALIVE_MS)
    this.#keepAlive.unref()
  }

  /** Takes the reply over and streams to it. @throws HttpError 503 */
  add(reply: FastifyReply): void {
    if (this.#closed) throw new HttpError(503, 'CLOSING', 'the gateway is closing')
    if (this.#streams.size >= EVENT_STREAMS_MAX) {
      throw new HttpError(
        503,
        'TOO_MANY_STREAMS',
        `${EVENT_STREAMS_MAX} event streams are open, which is the limit`,
      )
    }
    const headers = reply.getHeaders()
    reply.hijack()
    const response = reply.raw
    this.#streams.add(response)
    response.on('close', () => this.#streams.delete(response))
    response.on('error', () => {}) // A reader that went away; 'close' follows.
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
    } as never)
    response.write(': events of this peer\n\n')
  }

  /** Ends the streams. */
  close(): void {
    this.#closed = true
    clearInterval(this.#keepAlive)
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    for (const stream of this.#streams) {
      // The end of a reader that does not read never gets through.
      if (stream.writableNeedDrain) stream.destroy()
      else stream.end()
    }
  }

  #send(text: string): void {
    for (const stream of this.#streams) {
      stream.write(text)
      if (stream.writableLength > EVENT_BUFFER_BYTES_MAX) this.#cutOff(stream)
    }
  }

  #cutOff(stream: ServerResponse): void {
    this.#cutOffCount++
    this.#logger.warn(
      `an event stream was cut off: its reader left ${stream.writableLength} bytes unread, the limit is ` +
        `${EVENT_BUFFER_BYTES_MAX} (${this.#cutOffCount} so far)`,
    )
    this.#streams.delete(stream)
    stream.destroy()
  }
}
