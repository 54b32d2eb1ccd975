/**
 * Keeps web pages out. The gateway has no authentication: being on the same machine is the permission, and a
 * browser is on the same machine while the pages in it are not.
 *
 * A page reaches a loopback address in two ways. It may have its own name resolve to 127.0.0.1 (DNS rebinding):
 * then the Host header carries that name. Or it may send a request to the loopback address itself, whose answer it
 * cannot read but whose effect it can have: then the Origin header carries the page's origin.
 */
import type { FastifyRequest } from 'fastify'
import { HttpError } from './errors.js'

/** Methods without effect: a page gains nothing by sending one, for it cannot read the answer. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Fastify hook that lets through only what programs on this machine send.
 * @throws HttpError 403
 */
export async function refuseWebPages(request: FastifyRequest): Promise<void> {
  const { host, origin } = request.headers
  if (host === undefined || !isLoopbackHost(host)) {
    throw new HttpError(
      403,
      'HOST_REFUSED',
      `the host header ${printed(host)} is not a loopback name or address, such as localhost or 127.0.0.1`,
    )
  }
  if (origin !== undefined && !SAFE_METHODS.has(request.method) && !isLoopbackOrigin(origin)) {
    throw new HttpError(
      403,
      'ORIGIN_REFUSED',
      `the origin ${printed(origin)} is not on this machine: web pages may not change anything here`,
    )
  }
}

/** Whether a Host header, port or not, names this machine. Exported for its table test. */
export function isLoopbackHost(host: string): boolean {
  const name = /^(\[[^\]]*\]|[^:]*)(?::\d{1,5})?$/.exec(host)?.[1]
  if (name === undefined) return false
  return /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/i.test(name)
}

function isLoopbackOrigin(origin: string): boolean {
  try {
    return isLoopbackHost(new URL(origin).hostname)
  } catch {
    // `null`, the origin of sandboxed frames and local files, is no URL.
    return false
  }
}

function printed(value: string | undefined): string {
  return value === undefined ? '(missing)' : JSON.stringify(value)
}
