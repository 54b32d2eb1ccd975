/**
 * How this peer is: `/v1/peer`, `/v1/stats`, and the probes `/healthz` and `/readyz`; `/v1/flush`, which answers
 * when the others have what was written here, and `/v1/sync`, when they and this peer hold the same.
 */
import type { FastifyInstance } from 'fastify'
import type { Peer } from '../../api.js'
import { toErrorBody } from './errors.js'

/** Registers the routes. */
export function statusRoutes(peer: Peer) {
  return async (app: FastifyInstance) => {
    app.get('/v1/peer', async () => {
      const { id, name, mesh, status, addresses, http } = peer
      return { id, name, mesh, status, addresses, http }
    })
    app.get('/v1/stats', async () => peer.stats())
    app.post('/v1/flush', async (_request, reply) => {
      await peer.flush()
      return reply.code(204).send()
    })
    app.post('/v1/sync', async () => peer.sync())
    app.get('/healthz', async () => ({ status: 'ok' }))
    app.get('/readyz', async (_request, reply) => {
      const { status } = peer
      if (status === 'serving') return { status }
      const error = { code: 'NOT_READY', message: `the peer is ${status}, not serving` }
      return reply.code(503).send({ status, ...toErrorBody(error) })
    })
  }
}
