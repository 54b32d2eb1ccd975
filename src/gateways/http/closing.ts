/**
 * The end of the gateway. A server is closed when its last connection is, and clients keep theirs: so the idle
 * ones are closed here, the busy ones as soon as they are idle, and after a while those that never are.
 */
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { CLOSE_GRACE_MS, CLOSE_SWEEP_MS } from './limits.js'

/** Prepares the end of a server that does not listen yet. Returns the function that brings it, any number of times. */
export function closer(app: FastifyInstance): () => Promise<void> {
  const { server } = app
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const closeIdle = () => {
    server.closeIdleConnections()
    // For Node, a connection is idle after its first request: not one that a client opened in advance.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  }
  let closed: Promise<void> | undefined
  return () => {
    closed ??= close(app, closeIdle)
    return closed
  }
}

async function close(app: FastifyInstance, closeIdle: () => void): Promise<void> {
  const sweep = setInterval(closeIdle, CLOSE_SWEEP_MS)
  const cutOff = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS)
  try {
    await app.close()
  } finally {
    clearInterval(sweep)
    clearTimeout(cutOff)
  }
}
