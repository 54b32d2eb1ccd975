/**
 * Tells when a client has gone away, so that nothing waits on its behalf.
 *
 * Not Fastify's `request.signal`: it follows the request's close event, which Node emits as soon as the body has
 * been read, when the client is still there.
 */
import type { FastifyReply } from 'fastify'

/** A signal that aborts when the connection closes before the reply has been sent. */
export function clientGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  const { raw } = reply
  raw.once('close', () => {
    if (!raw.writableFinished) controller.abort()
  })
  return controller.signal
}
