/**
 * From errors to answers: every failure leaves as `{error:{code,message}}` with the status decided here, whoever
 * raised it: the cache, this gateway, Fastify, or Node's parser.
 */
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { HearsayError } from '../../errors.js'
import type { Logger } from '../../options.js'
import { BODY_BYTES_MAX } from './limits.js'

/** A request that the gateway itself refuses. */
export class HttpError extends Error {
  /** @param statusCode named as Fastify expects it */
  constructor(
    readonly statusCode: number,
    readonly code: string,
    message: string,
  ) {
    super(message)
    this.name = 'HttpError'
  }
}

/** What a client is told. */
export interface Failure {
  readonly status: number
  readonly code: string
  readonly message: string
}

/** Status by the code of a HearsayError. One that is not listed is not the caller's to handle: 500. */
const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  INVALID_OPTION: 400,
  INVALID_KEY: 400,
  INVALID_TTL: 400,
  INVALID_TAG: 400,
  UNSUPPORTED_VALUE: 400,
  UNKNOWN_MEMBER: 404,
  MEMBER_LIVE: 409,
  HELLO_REFUSED: 409,
  CACHE_OPTIONS_CONFLICT: 409,
  VALUE_TOO_LARGE: 413,
  UNREACHABLE: 502,
  SYNC_QUEUE_FULL: 503,
  HINTS_FULL: 503,
  CLOCK_SKEW: 503,
  NOT_CONFIRMED: 503,
  NOT_SYNCED: 503,
  PEER_STOPPED: 503,
}

/** What Fastify refuses, in our words. Its own messages name neither the limit nor the way out. */
const FRAMEWORK_FAILURES: Readonly<Record<string, Failure>> = {
  FST_ERR_BAD_URL: {
    status: 400,
    code: 'INVALID_URL',
    message: 'the path is not valid percent-encoded UTF-8',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: {
    status: 400,
    code: 'INVALID_BODY',
    message: 'the body is empty, which is not JSON',
  },
  FST_ERR_CTP_INVALID_JSON_BODY: {
    status: 400,
    code: 'INVALID_BODY',
    message: 'the body is not JSON, or has a key "__proto__", which is refused',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    status: 400,
    code: 'INVALID_BODY',
    message: 'the body is not as long as the content-length header says',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: {
    status: 413,
    code: 'BODY_TOO_LARGE',
    message: `the body is larger than the limit of ${BODY_BYTES_MAX} bytes`,
  },
}

const INTERNAL: Failure = {
  status: 500,
  code: 'INTERNAL',
  message: 'something failed inside the peer; its log says what',
}

/** What to tell the client of an error. Says nothing of one that is not expected. */
export function toFailure(error: unknown): Failure {
  if (error instanceof HttpError) {
    return { status: error.statusCode, code: error.code, message: error.message }
  }
  if (error instanceof HearsayError) {
    const status = STATUS_BY_CODE[error.code]
    return status === undefined ? INTERNAL : { status, code: error.code, message: error.message }
  }
  const { code = '', statusCode = 500 } = Object(error) as { code?: string; statusCode?: number }
  const failure = FRAMEWORK_FAILURES[code]
  if (failure !== undefined) return failure
  if (statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, code: 'BAD_REQUEST', message: (error as Error).message }
  }
  return INTERNAL
}

/** The body of a failed request. */
export function toErrorBody({ code, message }: Pick<Failure, 'code' | 'message'>) {
  return { error: { code, message } }
}

/** Fastify's error handler: logs what is not expected, and answers. */
export function errorHandler(logger: Logger) {
  return async (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const failure = toFailure(error)
    if (failure.status === 415 && failure.code === 'BAD_REQUEST') {
      return reply.code(415).send(toErrorBody(unsupportedMediaType(request)))
    }
    logUnexpected(logger, `${request.method} ${request.url}`, error)
    // Fastify would close the connection under a client that is still sending, which then sees a reset and not
    // the answer. Node reads and drops the rest instead, for as long as a request may take.
    if (failure.status === 413) reply.removeHeader('connection')
    return reply.code(failure.status).send(toErrorBody(failure))
  }
}

/** Logs what the client is told nothing of. Nothing was wrong where it only went away. */
export function logUnexpected(logger: Logger, what: string, error: unknown): void {
  if (toFailure(error) !== INTERNAL || (error as Error | undefined)?.name === 'AbortError') return
  logger.error(`${what} failed: ${(error as Error | undefined)?.stack ?? String(error)}`)
}

function unsupportedMediaType(request: FastifyRequest) {
  const type = request.headers['content-type']
  const message =
    type === undefined
      ? 'the body has no content-type'
      : `the content-type ${JSON.stringify(type)} is malformed, or is not taken here`
  return { code: 'UNSUPPORTED_MEDIA_TYPE', message }
}

/** Answers a request that Node could not parse; there is no reply object for it, only the socket. */
export function answerUnparsable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const { status, code, message } = toParserFailure(error)
  const body = JSON.stringify(toErrorBody({ code, message }))
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\n` +
      `content-type: application/json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

function toParserFailure(error: { code?: string }): Failure {
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, code: 'HEADERS_TOO_LARGE', message: 'the URL and headers are too long' }
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return { status: 408, code: 'REQUEST_TIMEOUT', message: 'the request took too long to send' }
  }
  return { status: 400, code: 'BAD_REQUEST', message: 'the request is not valid HTTP' }
}
