/**
 * One entry: `PUT|GET|HEAD|DELETE /v1/caches/{cache}/{key}`.
 *
 * A client that normalises its URLs, as `fetch` does, cannot name the keys `.` and `..` in a path, encoded or not;
 * it reaches them by a batch.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Ack, Consistency, Peer } from '../../api.js'
import { clientGone } from './abort.js'
import { HttpError } from './errors.js'
import {
  ACK_PARAMETER,
  CONSISTENCY_PARAMETER,
  query,
  TAG_PARAMETER,
  TTL_PARAMETER,
  tagsOf,
} from './schemas.js'
import { parseValues, toBody } from './values.js'

const URL = '/v1/caches/:cache/:key'

interface EntryRoute {
  Params: { cache: string; key: string }
  Querystring: { ttl?: string; tag?: string | string[]; ack?: Ack; consistency?: Consistency }
}

/** Registers the routes. */
export function entryRoutes(peer: Peer) {
  return async (app: FastifyInstance) => {
    app.get<EntryRoute>(
      URL,
      { schema: { querystring: query({ consistency: CONSISTENCY_PARAMETER }) } },
      (request, reply) => read(peer, request, reply),
    )
    app.delete<EntryRoute>(
      URL,
      { schema: { querystring: query({ ack: ACK_PARAMETER }) } },
      async (request, reply) => {
        const { cache, key } = request.params
        const { ack } = request.query
        await peer.cache(cache).delete(key, { ack, signal: clientGone(reply) })
        return reply.code(204).send()
      },
    )
    await app.register(async (values) => {
      parseValues(values)
      values.put<EntryRoute>(
        URL,
        {
          schema: {
            querystring: query({ ttl: TTL_PARAMETER, tag: TAG_PARAMETER, ack: ACK_PARAMETER }),
          },
        },
        (request, reply) => write(peer, request, reply),
      )
    })
  }
}

async function read(peer: Peer, request: FastifyRequest<EntryRoute>, reply: FastifyReply) {
  const { cache: name, key } = request.params
  const cache = peer.cache(name)
  const { consistency } = request.query
  const options = { consistency, signal: clientGone(reply) }
  const counted = request.method !== 'HEAD'
  const entry = await cache.entry(key, { ...options, counted })
  if (entry === undefined) {
    const message = `cache ${JSON.stringify(name)} has no key ${JSON.stringify(key)}`
    throw new HttpError(404, 'KEY_NOT_FOUND', message)
  }
  const { type, payload } = toBody(entry.value, request.headers.accept)
  reply.header('x-hearsay-version', entry.version)
  reply.header('last-modified', new Date(entry.updatedAt).toUTCString())
  if (entry.expiresAt !== undefined) reply.header('x-hearsay-expires-at', String(entry.expiresAt))
  return reply.type(type).send(payload)
}

async function write(peer: Peer, request: FastifyRequest<EntryRoute>, reply: FastifyReply) {
  const { cache, key } = request.params
  const { ttl, tag, ack } = request.query
  const signal = clientGone(reply)
  // No content type and no length is how clients send nothing at all: no bytes.
  const value = request.body === undefined ? new Uint8Array() : request.body
  const ttlMs = ttl === undefined ? undefined : Number(ttl)
  const tags = tagsOf(tag)
  await peer.cache(cache).set(key, value, { ttl: ttlMs, tags, ack, signal })
  return reply.code(204).send()
}
