/**
 * The Fastify instance: its settings, what holds for every request, and the routes, each concern in a file of its
 * own.
 */
import { maxHeaderSize } from 'node:http'
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import type { Peer } from '../../api.js'
import type { Logger } from '../../options.js'
import { BATCH_URL, batchRoutes } from './batch.js'
import { cacheRoutes } from './caches.js'
import { entryRoutes } from './entries.js'
import { answerUnparsable, errorHandler, HttpError } from './errors.js'
import { eventRoutes } from './events.js'
import { refuseWebPages } from './guard.js'
import { BODY_BYTES_MAX, CONNECTIONS_MAX, REQUEST_TIMEOUT_MS } from './limits.js'
import { memberRoutes } from './members.js'
import { refuseOtherMethods } from './methods.js'
import { AJV_OPTIONS, query, toValidationError } from './schemas.js'
import { statusRoutes } from './status.js'
import { parseJsonOnly } from './values.js'

/** Builds the server; it does not listen yet. */
export async function buildServer(peer: Peer, logger: Logger): Promise<FastifyInstance> {
  const handleError = errorHandler(logger)
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Node's own answer to a request without a host has no body; the guard's has.
    http: { requireHostHeader: false },
    // Node bounds the URL, the cache its key; percent-encoded, the longest key is well below Node's bound.
    routerOptions: { maxParamLength: maxHeaderSize },
    // What comes while closing is served, or refused by the peer: Fastify's own refusal has not our shape.
    return503OnClosing: false,
    ajv: { customOptions: AJV_OPTIONS },
    schemaErrorFormatter: toValidationError,
    frameworkErrors: (error, request, reply) =>
      void handleError(error, request as never, reply as never),
    clientErrorHandler: answerUnparsable,
  })
  app.server.maxConnections = CONNECTIONS_MAX
  app.setErrorHandler(handleError)
  app.setNotFoundHandler(async (request) => {
    throw new HttpError(404, 'ROUTE_NOT_FOUND', `there is no ${request.method} ${request.url} here`)
  })
  await addRoutes(app, peer, logger)
  return app
}

async function addRoutes(app: FastifyInstance, peer: Peer, logger: Logger): Promise<void> {
  app.addHook('onRequest', async (_request, reply) => {
    // Entries change under a URL; and no browser may take what somebody stored for a script.
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
  })
  app.addHook('onRequest', refuseWebPages)
  app.addHook('onRequest', refuseUnreadable)
  app.addHook('onRoute', (route) => {
    route.schema = { querystring: query(), ...route.schema }
  })
  const addRefusals = refuseOtherMethods(app, [BATCH_URL])
  parseJsonOnly(app, { emptyAllowed: true })
  await app.register(entryRoutes(peer))
  await app.register(batchRoutes(peer, logger))
  await app.register(cacheRoutes(peer))
  await app.register(memberRoutes(peer))
  await app.register(eventRoutes(peer, logger))
  await app.register(statusRoutes(peer))
  addRefusals()
}

/** Refuses what would be taken for something else: a query that is not well-formed, a compressed body. */
async function refuseUnreadable(request: FastifyRequest): Promise<void> {
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    const message = `the content-encoding ${JSON.stringify(encoding)} is not taken: send the body as it is`
    throw new HttpError(415, 'UNSUPPORTED_MEDIA_TYPE', message)
  }
  try {
    decodeURIComponent(request.url)
  } catch {
    throw new HttpError(400, 'INVALID_URL', 'the URL is not valid percent-encoded UTF-8')
  }
}
