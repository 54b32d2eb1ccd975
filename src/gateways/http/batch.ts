/**
 * Many operations in one request: `POST /v1/caches/{cache}/batch`.
 *
 * They take effect one after the other, in their order, and each has a status of its own: one that fails does not
 * spoil the others. The answer has an item for each of them, at the same place. Only for other members do some wait
 * together, see {@link turnsOf}.
 */
import { setMaxListeners } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Ack, Cache, Consistency, Peer } from '../../api.js'
import type { Logger } from '../../options.js'
import { clientGone } from './abort.js'
import { type Failure, HttpError, logUnexpected, toErrorBody, toFailure } from './errors.js'
import { BATCH_ANSWER_CHARS_MAX, BATCH_ITEMS_MAX } from './limits.js'
import {
  ACK_PARAMETER,
  CONSISTENCY_PARAMETER,
  query,
  TAGS_FIELD,
  TTL_FIELD,
  toProblem,
} from './schemas.js'
import { toJson } from './values.js'

/** The path; with other methods it is that of the entry whose key is `batch`. */
export const BATCH_URL = '/v1/caches/:cache/batch'

interface BatchRoute {
  Params: { cache: string }
  Querystring: Asked
  Body: unknown[]
}

/** What other members are asked for. */
interface Asked {
  readonly ack?: Ack
  readonly consistency?: Consistency
}

type Write =
  | { readonly op: 'delete'; readonly key: string }
  | {
      readonly op: 'set'
      readonly key: string
      readonly value: unknown
      readonly ttl?: number
      readonly tags?: string[]
    }

type Read = { readonly op: 'get'; readonly key: string }

type Operation = Write | Read

/** An item of each kind. Checked one by one: in the schema of the body, one bad item would refuse them all. */
const ITEM_SCHEMAS: ReadonlyMap<string, object> = new Map([
  ['get', itemSchema({}, [])],
  ['set', itemSchema({ value: {}, ttl: TTL_FIELD, tags: TAGS_FIELD }, ['value'])],
  ['delete', itemSchema({}, [])],
])

/** Says what the kinds are, to whoever names none of them. */
const ITEM_OF_UNKNOWN_KIND = {
  type: 'object',
  properties: { op: { type: 'string', enum: [...ITEM_SCHEMAS.keys()] } },
  required: ['op'],
  description: 'an operation',
}

const BODY_SCHEMA = {
  type: 'array',
  maxItems: BATCH_ITEMS_MAX,
  description: 'a JSON list of operations',
}

/** Operations after which the rest of the process has its turn; heartbeats must not wait for a whole batch. */
const TURN_ITEMS = 100

/** Operations that wait for other members together; few, for values may be large. */
const TOGETHER_MAX = 32

/** Failures that every operation of the kind after the first would meet too, each after a wait. */
const LASTING_FAILURES: ReadonlySet<string> = new Set([
  'SYNC_QUEUE_FULL',
  'PEER_STOPPED',
  'NOT_CONFIRMED',
])

/** What comes after one that was not confirmed had no effect: its outcome is not open. */
const NOT_ATTEMPTED: Failure = {
  status: 503,
  code: 'NOT_ATTEMPTED',
  message: 'not attempted: too few members confirmed one before it in this batch',
}

/** Registers the route. */
export function batchRoutes(peer: Peer, logger: Logger) {
  return async (app: FastifyInstance) => {
    const querystring = query({ ack: ACK_PARAMETER, consistency: CONSISTENCY_PARAMETER })
    const schema = { body: BODY_SCHEMA, querystring }
    app.post<BatchRoute>(BATCH_URL, { schema }, async (request, reply) => {
      const cache = peer.cache(request.params.cache)
      const answers = await new Batch(cache, request, clientGone(reply), logger).run()
      return reply.type('application/json; charset=utf-8').send(`[${answers.join(',')}]`)
    })
  }
}

/** One batch on its way. */
class Batch {
  readonly #answers: string[] = []
  #charsLeft = BATCH_ANSWER_CHARS_MAX
  /** What those still to come would meet: the reads, and the writes. */
  readonly #lasting = new Map<boolean, Failure>()

  constructor(
    private readonly cache: Cache,
    private readonly request: FastifyRequest<BatchRoute>,
    private readonly signal: AbortSignal,
    private readonly logger: Logger,
  ) {
    // Each that waits listens to it; Node takes more than ten for a leak, and warns.
    setMaxListeners(2 * TOGETHER_MAX, signal)
  }

  /** Carries all of it out. Returns the items of the answer. */
  async run(): Promise<string[]> {
    let pauseAt = 0
    for (const turn of turnsOf(this.#operations(), this.request.query)) {
      if (this.#answers.length >= pauseAt) {
        await setImmediate()
        pauseAt += TURN_ITEMS
      }
      this.signal.throwIfAborted()
      await this.#take(turn)
    }
    return this.#answers
  }

  /** The operations, each as soon as it is asked for; one that is none is a failure. */
  *#operations(): Generator<Operation | Failure> {
    for (const item of this.request.body) {
      try {
        yield toOperation(item, this.request)
      } catch (error) {
        yield toFailure(error)
      }
    }
  }

  async #take(turn: ReadonlyArray<Operation | Failure>): Promise<void> {
    const reads = turn.filter((item): item is Read => 'op' in item && item.op === 'get')
    if (reads.length === 0) {
      const answers = turn.map((item) => this.#attempt(() => this.#begin(item)))
      for (const [index, answer] of (await Promise.all(answers)).entries()) {
        this.#put(turn[index] as Write | Failure, answer)
      }
      return
    }
    await this.#readAll(reads)
  }

  /** A write, or why there is none. */
  async #begin(operation: Operation | Failure): Promise<string | Failure> {
    if (!('op' in operation)) return operation
    return this.#lasting.get(false) ?? (await this.#write(operation as Write))
  }

  /** Reads of different keys, with one request for each owner that is asked. */
  async #readAll(reads: readonly Read[]): Promise<void> {
    const lasting = this.#charsLeft <= 0 ? undefined : this.#lasting.get(true)
    const found = lasting ?? (await this.#attempt(() => this.#getAll(reads)))
    for (const read of reads) {
      this.#put(
        read,
        await this.#attempt(async () => {
          if (this.#charsLeft <= 0) throw answerTooLarge()
          return found instanceof Map ? this.#item(found.get(read.key)) : found
        }),
      )
    }
  }

  async #getAll(reads: readonly Read[]): Promise<Map<string, unknown>> {
    const { consistency } = this.request.query
    if (this.#charsLeft <= 0) return new Map()
    const keys = reads.map(({ key }) => key)
    return this.cache.getMany(keys, { consistency, signal: this.signal })
  }

  #item(value: unknown): string {
    if (value === undefined) return NOT_FOUND
    const json = toJson(value)
    if (json.length > this.#charsLeft) throw answerTooLarge()
    return `{"status":200,"value":${json}}`
  }

  #put(operation: Operation | Failure, answer: string | Failure): void {
    if (typeof answer !== 'string' && 'op' in operation && LASTING_FAILURES.has(answer.code)) {
      const lasting = answer.code === 'NOT_CONFIRMED' ? NOT_ATTEMPTED : answer
      this.#lasting.set(isRead(operation), lasting)
    }
    const text = typeof answer === 'string' ? answer : toItem(answer)
    this.#charsLeft -= text.length
    this.#answers.push(text)
  }

  async #write(operation: Write): Promise<string> {
    const options = { ack: this.request.query.ack, signal: this.signal }
    if (operation.op === 'delete') await this.cache.delete(operation.key, options)
    else {
      const { key, value, ttl, tags } = operation
      await this.cache.set(key, value, { ...options, ttl, tags })
    }
    return '{"status":204}'
  }

  /** What the operation gives, or its failure. */
  async #attempt<T>(operate: () => Promise<T>): Promise<T | Failure> {
    try {
      return await operate()
    } catch (error) {
      logUnexpected(this.logger, 'an item of a batch', error)
      return toFailure(error)
    }
  }
}

const NOT_FOUND = '{"status":404}'

/**
 * The operations in their order, those that may wait for other members at the same time together: all reads or all
 * writes, and of no key two, so that each finds what the one before it did.
 */
function* turnsOf(
  operations: Iterable<Operation | Failure>,
  asked: Asked,
): Generator<Array<Operation | Failure>> {
  let turn: Array<Operation | Failure> = []
  const keys = new Set<string>()
  let areReads: boolean | undefined
  for (const operation of operations) {
    const isTogether =
      waits(operation, asked) && isRead(operation) === areReads && !keys.has(operation.key)
    if (turn.length > 0 && (!isTogether || turn.length >= TOGETHER_MAX)) {
      yield turn
      turn = []
      keys.clear()
    }
    turn.push(operation)
    areReads = waits(operation, asked) ? isRead(operation) : undefined
    if ('op' in operation) keys.add(operation.key)
  }
  if (turn.length > 0) yield turn
}

/** Whether other members may have to be asked. */
function waits(operation: Operation | Failure, { ack }: Asked): operation is Operation {
  if (!('op' in operation)) return false
  return isRead(operation) || (ack !== undefined && ack !== 'none')
}

function isRead({ op }: Operation): boolean {
  return op === 'get'
}

function toItem(failure: Failure): string {
  return JSON.stringify({ status: failure.status, ...toErrorBody(failure) })
}

function toOperation(item: unknown, request: FastifyRequest): Operation {
  const op = String((item as { op?: unknown } | null)?.op)
  const schema = ITEM_SCHEMAS.get(op) ?? ITEM_OF_UNKNOWN_KIND
  // Compiled once for each schema, which Fastify keeps.
  const validate = request.compileValidationSchema(schema as never)
  if (validate(item) !== true) {
    throw new HttpError(400, 'INVALID_BODY', toProblem('item', validate.errors?.[0]))
  }
  return item as Operation
}

function itemSchema(properties: object, required: string[]) {
  return {
    type: 'object',
    properties: {
      op: { type: 'string' },
      key: { type: 'string', description: 'a key' },
      ...properties,
    },
    required: ['op', 'key', ...required],
    additionalProperties: false,
    description: 'an operation',
  }
}

function answerTooLarge(): HttpError {
  return new HttpError(
    413,
    'ANSWER_TOO_LARGE',
    `the answer to this batch has reached the limit of ${BATCH_ANSWER_CHARS_MAX} characters: ask again for this key`,
  )
}
