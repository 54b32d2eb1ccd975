/**
 * Whole caches: `GET /v1/caches` lists them, `DELETE /v1/caches/{cache}` clears one on all members.
 */
import type { FastifyInstance } from 'fastify'
import type { DeleteOptions, Peer } from '../../api.js'
import { clientGone } from './abort.js'
import { ACK_PARAMETER, query } from './schemas.js'

/** Registers the routes. */
export function cacheRoutes(peer: Peer) {
  return async (app: FastifyInstance) => {
    app.get('/v1/caches', async () =>
      peer.caches().map((name) => ({ name, localSize: peer.cache(name).local.size })),
    )
    app.delete<{ Params: { cache: string }; Querystring: Pick<DeleteOptions, 'ack'> }>(
      '/v1/caches/:cache',
      { schema: { querystring: query({ ack: ACK_PARAMETER }) } },
      async (request, reply) => {
        await peer
          .cache(request.params.cache)
          .clear({ ...request.query, signal: clientGone(reply) })
        return reply.code(204).send()
      },
    )
  }
}
