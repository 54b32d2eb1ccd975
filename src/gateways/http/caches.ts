/**
 * Whole caches: `GET /v1/caches` lists them, `DELETE /v1/caches/{cache}` clears one on all members, or what of it bears a tag.
 */
import type { FastifyInstance } from 'fastify'
import type { DeleteOptions, Peer } from '../../api.js'
import { clientGone } from './abort.js'
import { ACK_PARAMETER, query, TAG_PARAMETER, tagsOf } from './schemas.js'

interface ClearQuery extends Pick<DeleteOptions, 'ack'> {
  readonly tag?: string | string[]
}

/** Registers the routes. */
export function cacheRoutes(peer: Peer) {
  return async (app: FastifyInstance) => {
    app.get('/v1/caches', async () =>
      peer.caches().map((name) => ({ name, localSize: peer.cache(name).local.size })),
    )
    app.delete<{ Params: { cache: string }; Querystring: ClearQuery }>(
      '/v1/caches/:cache',
      { schema: { querystring: query({ ack: ACK_PARAMETER, tag: TAG_PARAMETER }) } },
      async (request, reply) => {
        const { ack, tag } = request.query
        const cache = peer.cache(request.params.cache)
        const options = { ack, signal: clientGone(reply) }
        const tags = tagsOf(tag)
        if (tags === undefined) await cache.clear(options)
        else await cache.invalidateTags(tags, options)
        return reply.code(204).send()
      },
    )
  }
}
