/**
 * The HTTP gateway: a peer for programs in any language, and for those who run it. Loopback only, for it has no
 * authentication. Loaded on first use.
 */
import { lookup } from 'node:dns/promises'
import type { Peer } from '../../api.js'
import { AddressInUseError, InvalidOptionError, ListenError } from '../../errors.js'
import type { Logger } from '../../options.js'
import { closer } from './closing.js'
import { buildServer } from './server.js'

/** Options of {@link startHttpGateway}. */
export interface HttpGatewayOptions {
  /** Where to listen, `host:port`; port 0 picks a free one. */
  readonly address: string
  readonly logger: Logger
}

/** A gateway that listens. */
export interface HttpGateway {
  /** Base URL, with the port that was picked. */
  readonly url: string
  /**
   * Ends event streams, lets the requests under way finish for a moment, and closes every connection. May be
   * called twice.
   */
  close(): Promise<void>
}

/**
 * Serves a peer over HTTP.
 * @throws AddressInUseError, ListenError
 */
export async function startHttpGateway(
  peer: Peer,
  options: HttpGatewayOptions,
): Promise<HttpGateway> {
  const { address, logger } = options
  const where = await toIp(address)
  const app = await buildServer(peer, logger)
  const close = closer(app)
  try {
    await app.listen(where)
  } catch (error) {
    await close()
    throw toListenError(address, error)
  }
  return { url: app.listeningOrigin, close }
}

/** One address for a name: for `localhost`, Fastify would listen on two, on a port that may be free on one only. */
async function toIp(address: string): Promise<{ host: string; port: number }> {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address)
  const host = match?.[1] ?? match?.[2]
  if (host === undefined) {
    throw new InvalidOptionError('http', `${JSON.stringify(address)} is not host:port`)
  }
  try {
    return { host: (await lookup(host)).address, port: Number(match?.[3]) }
  } catch (error) {
    throw toListenError(address, error)
  }
}

function toListenError(address: string, cause: unknown): Error {
  if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    return new AddressInUseError(address, { cause })
  }
  const { message } = cause as Error
  return new ListenError(`cannot listen on ${address}: ${message}`, { cause })
}
