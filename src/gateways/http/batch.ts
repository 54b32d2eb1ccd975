/**
 * Many operations in one request: `POST /v1/caches/{cache}/batch`.
 *
 * They take effect one after the other, in their order, and each has a status of its own: one that fails does not
 * spoil the others. The answer has an item for each of them, at the same place.
 */
import { setImmediate } from 'node:timers/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Cache, Peer } from '../../api.js'
import type { Logger } from '../../options.js'
import { clientGone } from './abort.js'
import { type Failure, HttpError, logUnexpected, toErrorBody, toFailure } from './errors.js'
import { BATCH_ANSWER_CHARS_MAX, BATCH_ITEMS_MAX } from './limits.js'
import { toProblem } from './schemas.js'
import { toJson } from './values.js'

/** The path; with other methods it is that of the entry whose key is `batch`. */
export const BATCH_URL = '/v1/caches/:cache/batch'

interface BatchRoute {
  Params: { cache: string }
  Body: unknown[]
}

type Operation =
  | { readonly op: 'get' | 'delete'; readonly key: string }
  | { readonly op: 'set'; readonly key: string; readonly value: unknown; readonly ttl?: number }

const TTL = { type: 'number', description: 'a number of ms' }

/** An item of each kind. Checked one by one: in the schema of the body, one bad item would refuse them all. */
const ITEM_SCHEMAS: ReadonlyMap<string, object> = new Map([
  ['get', itemSchema({}, [])],
  ['set', itemSchema({ value: {}, ttl: TTL }, ['value'])],
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

/** Failures that every write after the first would meet too, each after a wait. */
const LASTING_FAILURES: ReadonlySet<string> = new Set(['SYNC_QUEUE_FULL', 'PEER_STOPPED'])

/** Registers the route. */
export function batchRoutes(peer: Peer, logger: Logger) {
  return async (app: FastifyInstance) => {
    app.post<BatchRoute>(BATCH_URL, { schema: { body: BODY_SCHEMA } }, async (request, reply) => {
      const cache = peer.cache(request.params.cache)
      const answers = await runBatch(cache, request, clientGone(reply), logger)
      return reply.type('application/json; charset=utf-8').send(`[${answers.join(',')}]`)
    })
  }
}

async function runBatch(
  cache: Cache,
  request: FastifyRequest<BatchRoute>,
  signal: AbortSignal,
  logger: Logger,
): Promise<string[]> {
  const answers: string[] = []
  let charsLeft = BATCH_ANSWER_CHARS_MAX
  let lasting: Failure | undefined
  for (const [index, item] of request.body.entries()) {
    if (index % TURN_ITEMS === 0) await setImmediate()
    signal.throwIfAborted()
    const answer = await attempt(logger, async () => {
      const operation = toOperation(item, request)
      if (operation.op === 'get') return readOne(cache, operation.key, charsLeft)
      return lasting ?? writeOne(cache, operation, signal)
    })
    if (typeof answer !== 'string' && LASTING_FAILURES.has(answer.code)) lasting = answer
    const text = typeof answer === 'string' ? answer : toItem(answer)
    charsLeft -= text.length
    answers.push(text)
  }
  return answers
}

/** What the operation gives, or its failure. */
async function attempt<T>(logger: Logger, operate: () => Promise<T>): Promise<T | Failure> {
  try {
    return await operate()
  } catch (error) {
    logUnexpected(logger, 'an item of a batch', error)
    return toFailure(error)
  }
}

async function readOne(cache: Cache, key: string, charsLeft: number): Promise<string> {
  if (charsLeft <= 0) throw answerTooLarge()
  const value = await cache.get(key)
  if (value === undefined) return '{"status":404}'
  const json = toJson(value)
  if (json.length > charsLeft) throw answerTooLarge()
  return `{"status":200,"value":${json}}`
}

async function writeOne(cache: Cache, operation: Operation, signal: AbortSignal): Promise<string> {
  if (operation.op === 'set') {
    const { key, value, ttl } = operation
    await cache.set(key, value, ttl === undefined ? { signal } : { signal, ttl })
  } else {
    await cache.delete(operation.key, { signal })
  }
  return '{"status":204}'
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
