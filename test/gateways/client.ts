/**
 * Ways to speak to a gateway in tests: `fetch` for what well-behaved clients send, and raw requests for paths and
 * headers that `fetch` does not let through.
 */
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Logger } from '../../src/options.js'

/** The body of a failed request. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string }
}

/** A logger that keeps what it is told. */
export function recordingLogger() {
  const lines: string[] = []
  const keep = (message: string) => void lines.push(message)
  const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep }
  return { logger, lines }
}

/** A logger that says nothing. */
export const silent: Logger = recordingLogger().logger

/** A request whose path and headers go out as they are. */
export function rawRequest(
  url: string,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  const { method = 'GET', headers = {}, body } = options
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: hostname, port, path, method, headers, agent: false })
    outgoing.on('error', reject)
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    outgoing.end(body)
  })
}

/** A connection on which the given text has been sent. */
export async function connection(url: string, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  await new Promise<void>((resolve) => socket.write(text, () => resolve()))
  return socket
}

/** Everything that arrives on a connection until it is closed. */
export async function untilClosed(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += chunk
  return text
}

/** One server-sent event. */
interface StreamedEvent {
  readonly name: string
  readonly data: Record<string, unknown>
}

/** A reader of the stream of events. */
interface EventReader {
  /** The next event, comments left out; undefined when the stream has ended. */
  next(): Promise<StreamedEvent | undefined>
  close(): void
}

/** Opens the stream of events. */
export async function openEvents(url: string): Promise<EventReader> {
  const client = new AbortController()
  const response = await fetch(`${url}/v1/events`, { signal: client.signal })
  if (response.status !== 200 || response.body === null) {
    throw new Error(`no event stream: ${response.status} ${await response.text()}`)
  }
  const events = parseEvents(response.body)
  return {
    next: async () => (await events.next()).value ?? undefined,
    close: () => client.abort(),
  }
}

async function* parseEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<StreamedEvent, void> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const match = /^event: (.*)\ndata: (.*)$/.exec(block)
      if (match !== null) yield { name: match[1] ?? '', data: JSON.parse(match[2] ?? '') }
    }
  }
}

/** A promise that is resolved from outside. */
export function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
