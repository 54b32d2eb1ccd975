/**
 * What requests have to look like, beside what the caches check themselves, and how a mismatch is put into words:
 * the message names the field and its value.
 *
 * A schema's `description` completes the sentence "… is not …", for the keywords that have no better words.
 */
import type { FastifySchemaValidationError } from 'fastify'
import { ACKS, CONSISTENCIES } from '../../api.js'
import { HttpError } from './errors.js'
import { TTL_MS_MAX } from './limits.js'

/** Options of Ajv. By default Fastify's converts types and drops unknown fields; here both are mistakes. */
export const AJV_OPTIONS = {
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: false,
  allErrors: false,
  // Errors carry the value and the schema that it failed.
  verbose: true,
} as const

/** A query string with the given parameters, all optional unless listed, and no others. */
export function query(
  properties: Readonly<Record<string, object>> = {},
  required: readonly string[] = [],
) {
  return { type: 'object', properties, required, additionalProperties: false }
}

const TTL_RANGE = `from 0 (never expires) to ${TTL_MS_MAX}`

/** Time to live. Of the query string's type; the cache checks the range. */
export const TTL_PARAMETER = {
  type: 'string',
  pattern: '^[0-9]+$',
  description: `a whole number of ms ${TTL_RANGE}`,
}

/** The same in a body. */
export const TTL_FIELD = { type: 'number', description: `a number of ms ${TTL_RANGE}` }

/** Tags: `?tag=a&tag=b`. The cache checks each. */
export const TAG_PARAMETER = {
  anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
  description: 'a tag, or several',
}

/** The same in a body. */
export const TAGS_FIELD = {
  type: 'array',
  items: { type: 'string' },
  description: 'a list of texts',
}

/** What {@link TAG_PARAMETER} is to the cache; undefined for none. */
export function tagsOf(tag: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof tag === 'string' ? [tag] : tag
}

/** How many acknowledgements a write waits for. */
export const ACK_PARAMETER = { type: 'string', enum: ACKS }

/** Whom a read asks. */
export const CONSISTENCY_PARAMETER = { type: 'string', enum: CONSISTENCIES }

/** An Ajv error in verbose mode. */
interface VerboseError extends Pick<FastifySchemaValidationError, 'keyword' | 'instancePath'> {
  readonly params: Record<string, unknown>
  readonly message?: string | undefined
  readonly data?: unknown
  readonly parentSchema?: object | undefined
}

/** Puts the first mismatch into words. Fastify's `schemaErrorFormatter`. */
export function toValidationError(
  errors: readonly FastifySchemaValidationError[],
  part: string,
): HttpError {
  const [error] = errors as readonly VerboseError[]
  return part === 'querystring'
    ? new HttpError(400, 'INVALID_QUERY', toProblem('query', error))
    : new HttpError(400, 'INVALID_BODY', toProblem(part, error))
}

/** One mismatch in words: `query ttl: "soon" is not a whole number of ms`. */
export function toProblem(part: string, error: VerboseError | undefined): string {
  if (error === undefined) return `${part}: is not valid`
  const path = error.instancePath.slice(1).replaceAll('/', '.')
  const where = path === '' ? part : `${part} ${path}`
  const field = part === 'query' ? 'parameter' : 'field'
  switch (error.keyword) {
    case 'additionalProperties':
      return `${where}: there is no ${field} ${JSON.stringify(error.params.additionalProperty)} here`
    case 'required':
      return `${where}: the ${field} ${JSON.stringify(error.params.missingProperty)} is missing`
    case 'enum':
      return `${where}: ${printed(error.data)} is not supported, only ${listed(error.params.allowedValues)}`
    case 'maxItems':
      return `${where}: ${(error.data as unknown[]).length} items are more than the limit of ${error.params.limit}`
    default:
      return `${where}: ${printed(error.data)} ${unmet(error)}`
  }
}

function unmet(error: VerboseError): string {
  const { description } = (error.parentSchema ?? {}) as { description?: string }
  return description === undefined ? (error.message ?? 'is not valid') : `is not ${description}`
}

function listed(values: unknown): string {
  return (values as unknown[]).map(printed).join(' or ')
}

/** The value as JSON, no longer than is useful in a message. */
function printed(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
