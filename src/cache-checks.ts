/**
 * Checks of what callers give a cache: each throws a typed error that names the value and the limit.
 */
import { InvalidKeyError, InvalidOptionError, InvalidTtlError } from './errors.js'
import { KEY_BYTES_MAX } from './protocol/limits.js'

/** Longest time to live, and age of a near copy: a hundred years, in ms. */
const TTL_MS_MAX = 100 * 365.25 * 24 * 3_600_000

/** Checks a time to live. @throws InvalidTtlError */
export function checkTtl(ttl: unknown, where: string): number {
  if (typeof ttl !== 'number' || !(ttl >= 0 && ttl <= TTL_MS_MAX)) {
    throw new InvalidTtlError(
      `${where}: the time to live is ${String(ttl)}, it must be a number of ms from 0 (never expires) to ${TTL_MS_MAX}`,
    )
  }
  return Math.ceil(ttl)
}

/** Checks an option that is one of some words. @throws InvalidOptionError */
export function checkOneOf<Word extends string>(
  option: string,
  word: unknown,
  words: readonly Word[],
  where: string,
): Word {
  const known = words.find((one) => one === word)
  if (known !== undefined) return known
  throw new InvalidOptionError(
    option,
    `of ${where} is ${String(word)}, it must be one of ${words.join(', ')}`,
  )
}

/** Checks a key. @throws InvalidKeyError */
export function checkKey(key: unknown): string {
  if (typeof key !== 'string') {
    throw new InvalidKeyError(`a key must be a string, not ${key === null ? 'null' : typeof key}`)
  }
  if (key.length === 0) throw new InvalidKeyError('a key must not be empty')
  // A character has at most three bytes, so that most keys need no counting.
  if (key.length * 3 > KEY_BYTES_MAX) {
    const bytes = Buffer.byteLength(key)
    if (bytes > KEY_BYTES_MAX) {
      throw new InvalidKeyError(
        `the key ${JSON.stringify(`${key.slice(0, 32)}…`)} is ${bytes} bytes long, the limit is ${KEY_BYTES_MAX}`,
      )
    }
  }
  if (!key.isWellFormed()) {
    throw new InvalidKeyError(`the key ${JSON.stringify(key)} has a lone surrogate: it is not text`)
  }
  return key
}

/** Checks the age that near copies may have. @throws InvalidOptionError */
export function checkNearCache(ageMs: unknown, where: string): number {
  if (typeof ageMs === 'number' && ageMs >= 0 && ageMs <= TTL_MS_MAX) return ageMs
  throw new InvalidOptionError(
    'nearCache',
    `of ${where} is ${String(ageMs)}, it must be a number of ms from 0 (no near copies) to ${TTL_MS_MAX}`,
  )
}
