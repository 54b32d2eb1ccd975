/**
 * Who is in the mesh and who owns what: `/v1/members` (list, join, forget), `/v1/ring`, and `/v1/explain`, what the owners
 * of a key hold.
 */
import type { FastifyInstance } from 'fastify'
import type { Peer } from '../../api.js'
import { JOIN_ADDRESSES_MAX } from './limits.js'
import { query } from './schemas.js'

const JOIN_SCHEMA = {
  type: 'object',
  properties: {
    addresses: {
      type: 'array',
      items: { type: 'string', minLength: 1, description: 'an address' },
      minItems: 1,
      maxItems: JOIN_ADDRESSES_MAX,
      description: 'a list of one or more addresses',
    },
  },
  required: ['addresses'],
  additionalProperties: false,
  description: 'an object with the field addresses',
}

const RING_QUERY = query({ cache: { type: 'string' }, key: { type: 'string' } }, ['cache', 'key'])

/** Registers the routes. */
export function memberRoutes(peer: Peer) {
  return async (app: FastifyInstance) => {
    app.get('/v1/members', async () => peer.members)
    app.post<{ Body: { addresses: string[] } }>(
      '/v1/members',
      { schema: { body: JOIN_SCHEMA } },
      async (request, reply) => {
        await peer.join(request.body.addresses)
        return reply.code(204).send()
      },
    )
    app.delete<{ Params: { id: string } }>('/v1/members/:id', async (request, reply) => {
      await peer.forget(request.params.id)
      return reply.code(204).send()
    })
    app.get<{ Querystring: { cache: string; key: string } }>(
      '/v1/ring',
      { schema: { querystring: RING_QUERY } },
      async ({ query: { cache, key } }) => {
        const { partition, owners } = peer.ring.locate(cache, key)
        return { partition, owners }
      },
    )
    app.get<{ Params: { cache: string; key: string } }>(
      '/v1/explain/:cache/:key',
      async ({ params: { cache, key } }) => peer.explain(cache, key),
    )
  }
}
