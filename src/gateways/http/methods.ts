/**
 * 405 for a path that exists with a method that it does not have. Fastify says 404 to that.
 */
import type { FastifyInstance, RouteOptions } from 'fastify'
import { HttpError } from './errors.js'

/**
 * Notes each route that is registered from now on.
 * @param except paths that are also matched by another's parameter, which has the methods that they lack
 * @returns a function that registers, for each path, the methods which are left
 */
export function refuseOtherMethods(app: FastifyInstance, except: readonly string[]): () => void {
  const methodsByUrl = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }: RouteOptions) => {
    const methods = methodsByUrl.get(url) ?? new Set()
    methodsByUrl.set(url, methods)
    for (const one of [method].flat()) methods.add(one)
  })
  return () => {
    for (const [url, methods] of [...methodsByUrl]) {
      if (!except.includes(url)) refuse(app, url, methods)
    }
  }
}

function refuse(app: FastifyInstance, url: string, methods: ReadonlySet<string>): void {
  const allow = [...methods].sort().join(', ')
  app.route({
    url,
    method: app.supportedMethods.filter((method) => !methods.has(method)),
    exposeHeadRoute: false,
    // Before the body is read, for nobody wants it.
    onRequest: async (request, reply) => {
      reply.header('allow', allow)
      throw new HttpError(405, 'METHOD_NOT_ALLOWED', `${request.method} is not one of ${allow}`)
    },
    handler: async () => undefined,
  })
}
