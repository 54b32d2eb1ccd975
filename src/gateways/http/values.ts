/**
 * Between values and bodies. In: `application/json` is any JSON value, `text/*` a string, everything else bytes.
 * Out: a string is text, a Uint8Array bytes, and the rest JSON if JSON can carry it; a value that would come back
 * as another one is refused, never bent.
 */
import type { FastifyInstance } from 'fastify'
import { HttpError } from './errors.js'
import { JSON_CHARS_MAX } from './limits.js'

/** What a value takes in JSON beside its own text and its key's: quotes, colon, comma, or a short number. */
const PUNCTUATION_CHARS = 4

/** A value as it goes over the wire. */
interface Body {
  readonly type: string
  readonly payload: string | Buffer
}

/** Makes `request.body` of an instance's routes the value that the body stands for. */
export function parseValues(app: FastifyInstance): void {
  parseJsonOnly(app, { emptyAllowed: false })
  app.addContentTypeParser(/^text\//, { parseAs: 'buffer' }, (request, body, done) => {
    done(null, decodeText(body as Buffer, charsetOf(request.headers['content-type'])))
  })
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, toBytes(body as Buffer))
  })
}

/**
 * Makes `request.body` what the JSON of the body says, and refuses other types. None at all is undefined, where
 * that is allowed: clients name a type also where they send nothing.
 */
export function parseJsonOnly(app: FastifyInstance, options: { emptyAllowed: boolean }): void {
  const parse = app.getDefaultJsonParser('error', 'ignore')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (options.emptyAllowed && body.length === 0) done(null, undefined)
    else void parse(request, decodeText(body as Buffer), done)
  })
}

/** The value as JSON, bytes or text; `accept` is the request's header. @throws HttpError 406 */
export function toBody(value: unknown, accept: string | undefined): Body {
  if (value instanceof Uint8Array) {
    const payload = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    return { type: 'application/octet-stream', payload }
  }
  if (typeof value === 'string' && !prefersJson(accept)) {
    return { type: 'text/plain; charset=utf-8', payload: value }
  }
  return { type: 'application/json; charset=utf-8', payload: toJson(value) }
}

/** The value as JSON, if parsing it gives an equal value. @throws HttpError 406 */
export function toJson(value: unknown): string {
  let charsLeft = JSON_CHARS_MAX
  // A replacer sees values after their `toJSON`; what is stored is in the object that holds them.
  function check(this: unknown, key: string, converted: unknown): unknown {
    const original = (this as Record<string, unknown>)[key]
    const problem = whyNotJson(original)
    if (problem !== undefined) {
      throw notAcceptable(`JSON cannot carry ${problem}${at(key)}`)
    }
    charsLeft -= PUNCTUATION_CHARS + (typeof original === 'string' ? original.length : 0)
    if (!Array.isArray(this)) charsLeft -= key.length
    if (charsLeft < 0) {
      throw notAcceptable(`the value as JSON is over the limit of ${JSON_CHARS_MAX} characters`)
    }
    return converted
  }
  try {
    return JSON.stringify(value, check)
  } catch (error) {
    if (error instanceof HttpError) throw error
    if (error instanceof RangeError) throw notAcceptable('the value is nested too deep for JSON')
    throw notAcceptable('JSON cannot carry a value that contains itself')
  }
}

/** What there is about one value, its content apart, that JSON has no words for. */
function whyNotJson(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : `the number ${value}`
    case 'object':
      return value === null || Array.isArray(value) || isPlainObject(value)
        ? undefined
        : `a value of type ${value.constructor?.name ?? 'object'}`
    default:
      return typeof value === 'undefined' ? 'undefined' : `a value of type ${typeof value}`
  }
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * Whether a string is wanted as JSON: the header names JSON, and names no text that it likes better. A wildcard
 * alone does not, for text is the plainer answer to whoever takes anything.
 */
export function prefersJson(accept: string | undefined): boolean {
  if (accept === undefined) return false
  const qualities = new Map<string, number>()
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    qualities.set(type, quality === undefined ? 1 : Number(quality))
  }
  const json = qualities.get('application/json') ?? 0
  const text = qualities.get('text/plain') ?? qualities.get('text/*') ?? qualities.get('*/*') ?? 0
  return json > 0 && json >= text
}

/** A view without Buffer's methods, which no other reader of the value would get. */
function toBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

/** Text in the charset that the header names; UTF-8 unless it does. */
function decodeText(bytes: Buffer, charset = 'utf-8'): string {
  const decoder = decoderOf(charset)
  try {
    return decoder.decode(bytes)
  } catch {
    throw new HttpError(400, 'INVALID_BODY', `the body is not valid ${charset} text`)
  }
}

function decoderOf(charset: string): { decode(bytes: Uint8Array): string } {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true })
  } catch {
    const message = `the charset ${JSON.stringify(charset)} is not known: send utf-8`
    throw new HttpError(415, 'UNSUPPORTED_MEDIA_TYPE', message)
  }
}

function charsetOf(contentType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType ?? '')?.[1]
}

function notAcceptable(message: string): HttpError {
  return new HttpError(406, 'NOT_ACCEPTABLE', message)
}

function at(key: string): string {
  if (key === '') return ''
  return `, found under ${JSON.stringify(key.length > 100 ? `${key.slice(0, 100)}…` : key)}`
}
