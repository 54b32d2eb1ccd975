/**
 * Talks to a running peer over its HTTP gateway, and turns what can go wrong on the way into words.
 */
import type { Ack, Consistency, Explanation, MemberInfo, PeerStats, SyncResult } from '../api.js'
import { CommandFailure, UsageError } from './failure.js'
import { formatMs } from './format.js'
import { parseServerSentEvents, type ServerSentEvent } from './sse.js'

/** A value as it travels: text, JSON, or bytes. */
export type Body =
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'json'; readonly value: unknown }
  | { readonly type: 'bytes'; readonly value: Uint8Array }

/** A value that a peer has, and its version. */
export interface Found {
  readonly body: Body
  readonly version: string | undefined
}

/** One operation of a batch. */
export interface BatchOperation {
  readonly op: 'get' | 'set' | 'delete'
  readonly key: string
  readonly value?: unknown
  readonly ttl?: number
}

/** What came of it. */
export interface BatchResult {
  readonly status: number
  readonly value?: unknown
  readonly error?: { readonly code: string; readonly message: string }
}

const CONTENT_TYPES: Readonly<Record<Body['type'], string>> = {
  text: 'text/plain; charset=utf-8',
  json: 'application/json',
  bytes: 'application/octet-stream',
}

/** How long a peer may take to answer; more than it waits for confirmations itself. */
const ANSWER_TIMEOUT_MS = 30_000

interface Call {
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body?: Body | undefined
  /** Ends the call; without one it ends after the time-out. */
  readonly signal?: AbortSignal
}

/** Options of {@link PeerClient.set}. */
interface SetOptions {
  readonly ttlMs?: number | undefined
  readonly tags?: readonly string[] | undefined
  readonly ack?: Ack | undefined
}

/** A peer, by the base URL of its gateway. */
export class PeerClient {
  /** @param url as `parsePeerUrl` returns it */
  constructor(
    readonly url: string,
    private readonly timeoutMs = ANSWER_TIMEOUT_MS,
  ) {}

  /** The value of a key, or undefined. */
  async get(cache: string, key: string, consistency?: Consistency): Promise<Found | undefined> {
    const call = this.#call('GET', pathOf('caches', cache, key), { query: { consistency } })
    const response = await call.catch((error: unknown) => {
      // Only the peer's own words make a miss: any other 404 comes from something that is no peer.
      if (error instanceof CommandFailure && error.code === 'KEY_NOT_FOUND') return undefined
      throw error
    })
    return (
      response && {
        body: await readBody(response),
        version: response.headers.get('x-hearsay-version') ?? undefined,
      }
    )
  }

  /** Sets a key. */
  async set(
    cache: string,
    key: string,
    body: Body,
    { ttlMs, tags, ack }: SetOptions = {},
  ): Promise<void> {
    const query = { ttl: ttlMs?.toString(), tag: tags, ack }
    await this.#drop(await this.#call('PUT', pathOf('caches', cache, key), { body, query }))
  }

  /** Deletes a key; there or not. */
  async delete(cache: string, key: string, ack?: Ack): Promise<void> {
    await this.#drop(await this.#call('DELETE', pathOf('caches', cache, key), { query: { ack } }))
  }

  /** Many operations in one request. */
  async batch(cache: string, operations: readonly BatchOperation[]): Promise<BatchResult[]> {
    const body: Body = { type: 'json', value: operations }
    const response = await this.#call('POST', ['caches', cache, 'batch'], { body })
    return (await response.json()) as BatchResult[]
  }

  /** Resolves when every live member has confirmed the writes made at this peer. */
  async flush(): Promise<void> {
    await this.#drop(await this.#call('POST', ['flush']))
  }

  /** Resolves when the peer and those who own the same hold the same. */
  async sync(): Promise<SyncResult> {
    return (await (await this.#call('POST', ['sync'])).json()) as SyncResult
  }

  async members(): Promise<MemberInfo[]> {
    const answer = await (await this.#call('GET', ['members'])).json()
    return answer as MemberInfo[]
  }

  /** Where a key belongs, and what its owners hold. */
  async explain(cache: string, key: string): Promise<Explanation> {
    return (await (await this.#call('GET', pathOf('explain', cache, key))).json()) as Explanation
  }

  async stats(): Promise<PeerStats> {
    return (await (await this.#call('GET', ['stats'])).json()) as PeerStats
  }

  /** Entries that the peer itself holds, by cache. */
  async localSizes(): Promise<Map<string, number>> {
    const answer = await (await this.#call('GET', ['caches'])).json()
    const caches = answer as { name: string; localSize: number }[]
    return new Map(caches.map(({ name, localSize }) => [name, localSize]))
  }

  /** Makes the peer dial further addresses. */
  async join(addresses: readonly string[]): Promise<void> {
    const body: Body = { type: 'json', value: { addresses } }
    await this.#drop(await this.#call('POST', ['members'], { body }))
  }

  /** Makes the mesh forget a dead or left member. */
  async forget(id: string): Promise<void> {
    await this.#drop(await this.#call('DELETE', ['members', id]))
  }

  /**
   * Follows the events of the peer. Resolves once none is missed any more; the events then come
   * until `signal` is aborted, and fail when the peer ends them.
   */
  async events(signal: AbortSignal): Promise<AsyncGenerator<ServerSentEvent>> {
    const { body } = await this.#call('GET', ['events'], { signal })
    return this.#read(body ?? new ReadableStream(), signal)
  }

  async *#read(
    body: ReadableStream<Uint8Array>,
    signal: AbortSignal,
  ): AsyncGenerator<ServerSentEvent> {
    try {
      yield* parseServerSentEvents(body)
    } catch (error) {
      if (signal.aborted) return
      throw this.#gone(error)
    }
    throw this.#gone(undefined)
  }

  #gone(cause: unknown): CommandFailure {
    return new CommandFailure('PEER_GONE', `the peer at ${this.url} has ended the stream`, {
      cause,
    })
  }

  async #call(method: string, path: readonly string[], call: Call = {}): Promise<Response> {
    const url = urlOf(`${this.url}/v1`, path)
    for (const [name, value] of Object.entries(call.query ?? {})) {
      for (const one of [value ?? []].flat()) url.searchParams.append(name, one)
    }
    const response = await fetch(url, {
      method,
      signal: call.signal ?? AbortSignal.timeout(this.timeoutMs),
      ...(call.body && {
        body: encodeBody(call.body),
        headers: { 'content-type': CONTENT_TYPES[call.body.type] },
      }),
    }).catch((error: unknown) => {
      throw this.#unanswered(error)
    })
    if (response.ok) return response
    throw await this.#refusal(response)
  }

  #unanswered(error: unknown): unknown {
    if (error instanceof Error && error.name === 'TimeoutError') {
      const message = `the peer at ${this.url} has not answered for ${formatMs(this.timeoutMs)}`
      return new CommandFailure('NO_ANSWER', message, { cause: error })
    }
    const message = `no peer answers at ${this.url}: start one with "hearsay start" or name it with --peer URL`
    return new CommandFailure('NO_PEER', message, { cause: error })
  }

  /** The peer's own words for why it refuses, or that no peer speaks here. */
  async #refusal(response: Response): Promise<Error> {
    const answer = (await response.json().catch(() => undefined)) as
      | { error?: { code?: string; message?: string } }
      | undefined
    const { code, message } = answer?.error ?? {}
    if (code === undefined || message === undefined) {
      const what = `${response.status} ${response.statusText}`.trim()
      return new CommandFailure('NOT_A_PEER', `what answers at ${this.url} is no peer: ${what}`)
    }
    return response.status === 400 ? new UsageError(message) : new CommandFailure(code, message)
  }

  async #drop(response: Response): Promise<void> {
    await response.body?.cancel()
  }
}

/** Where something about a key is found. @throws UsageError where there can be no such key, nor such a path */
function pathOf(resource: 'caches' | 'explain', cache: string, key: string): readonly string[] {
  if (cache === '') throw new UsageError('the name of a cache must not be empty')
  if (key === '') throw new UsageError('a key must not be empty')
  return [resource, cache, key]
}

/**
 * The URL of a resource. @throws UsageError for a name that would make it the URL of another one
 */
function urlOf(base: string, path: readonly string[]): URL {
  for (const name of path) {
    if (/^\.{0,2}$/.test(name)) {
      throw new UsageError(`the name ${JSON.stringify(name)} cannot be part of a URL`)
    }
  }
  return new URL(`${base}/${path.map(encodeURIComponent).join('/')}`)
}

function encodeBody(body: Body): string | Uint8Array<ArrayBuffer> {
  if (body.type === 'text') return body.value
  return body.type === 'json' ? JSON.stringify(body.value) : Uint8Array.from(body.value)
}

async function readBody(response: Response): Promise<Body> {
  const type = response.headers.get('content-type') ?? ''
  const bytes = new Uint8Array(await response.arrayBuffer())
  if (type.startsWith('application/json'))
    return { type: 'json', value: JSON.parse(decodeText(bytes)) }
  if (type.startsWith('text/')) return { type: 'text', value: decodeText(bytes) }
  return { type: 'bytes', value: bytes }
}

/** As it is: a byte order mark is part of the text. @throws TypeError when it is not UTF-8 */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
}
