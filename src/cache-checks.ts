/**
 * Checks of what callers give a cache: each throws a typed error that names the value and the limit.
 */
import { InvalidKeyError, InvalidOptionError, InvalidTagError, InvalidTtlError } from './errors.js'
import { KEY_BYTES_MAX, TAG_BYTES_MAX, TAGS_MAX } from './protocol/limits.js'

/** Longest time to live, and age of a near copy: a hundred years, in ms. */
const TTL_MS_MAX = 100 * 365.25 * 24 * 3_600_000

/** Characters of a value that a message shows. */
const SHOWN_CHARS_MAX = 64

/** Checks a time to live. @throws InvalidTtlError */
export function checkTtl(ttl: unknown, where: string): number {
  if (typeof ttl !== 'number' || !(ttl >= 0 && ttl <= TTL_MS_MAX)) {
    throw new InvalidTtlError(
      `${where}: the time to live is ${shown(ttl)}, it must be a number of ms from 0 (never expires) to ${TTL_MS_MAX}`,
    )
  }
  return Math.ceil(ttl)
}

/** Options of the calls of a cache. */
export const READ_OPTIONS = ['consistency', 'signal'] as const
export const ENTRY_OPTIONS = [...READ_OPTIONS, 'counted'] as const
export const DELETE_OPTIONS = ['ack', 'signal'] as const
export const WRITE_OPTIONS = ['ttl', 'tags', ...DELETE_OPTIONS] as const

/** What a call that is given no options has. */
const NO_OPTIONS = Object.freeze({})

/**
 * Checks what options a call is given, and the signal among them; of the others only the names.
 * @throws InvalidOptionError
 */
export function checkOptions<Options extends { readonly signal?: AbortSignal }>(
  options: Options | undefined,
  names: readonly string[],
  cache: string,
): Options {
  if (options === undefined) return NO_OPTIONS as Options
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    const wanted = `it must be an object with any of ${names.join(', ')}`
    throw new InvalidOptionError('options', `of cache ${cache} is ${shown(options)}, ${wanted}`)
  }
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue
    const value = shown(options[name as keyof Options])
    const wanted = `there is no such option here, only ${names.join(', ')}`
    throw new InvalidOptionError(name, `of cache ${cache} is ${value}, but ${wanted}`)
  }
  const { signal } = options
  if (signal !== undefined && !isSignal(signal)) {
    const wanted = 'it must be an AbortSignal'
    throw new InvalidOptionError('signal', `of cache ${cache} is ${shown(signal)}, ${wanted}`)
  }
  return options
}

/** Also one of another realm, or of another make. */
function isSignal(signal: unknown): boolean {
  const { aborted, addEventListener } = (signal ?? {}) as Partial<AbortSignal>
  return typeof aborted === 'boolean' && typeof addEventListener === 'function'
}

/** Checks the keys of a call, all of them. @throws InvalidOptionError, InvalidKeyError */
export function checkKeys(keys: unknown, cache: string): string[] {
  if (isIterable(keys)) return Array.from(keys, checkKey)
  const wanted = 'it must be an iterable of keys, and no string'
  throw new InvalidOptionError('keys', `of cache ${cache} is ${shown(keys)}, ${wanted}`)
}

/** Checks that the entries of a call are something to go through. @throws InvalidOptionError */
export function checkEntries<Entry>(entries: Iterable<Entry>, cache: string): Iterable<Entry> {
  if (isIterable(entries)) return entries
  const wanted = 'it must be an iterable of pairs [key, value]'
  throw new InvalidOptionError('entries', `of cache ${cache} is ${shown(entries)}, ${wanted}`)
}

/** Checks one of the entries of a call, though not yet its key and its value. @throws InvalidOptionError */
export function checkPair<Pair extends readonly unknown[]>(pair: Pair, cache: string): Pair {
  if (Array.isArray(pair) && pair.length === 2) return pair
  const wanted = 'it must be a pair [key, value]'
  throw new InvalidOptionError('entries', `of cache ${cache} has ${shown(pair)}, ${wanted}`)
}

/** Whether it is something to go through, other than the characters of a text. */
function isIterable(value: unknown): value is Iterable<unknown> {
  const isObject = typeof value === 'object' && value !== null
  return isObject && typeof (value as Iterable<unknown>)[Symbol.iterator] === 'function'
}

/** A value in a message. */
function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Object.prototype.toString.call(value)
  const text = String(value)
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text
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
    `of ${where} is ${shown(word)}, it must be one of ${words.join(', ')}`,
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

/** Checks the tags of an entry: each once, undefined for none. @throws InvalidTagError */
export function checkTags(given: unknown, cache: string): readonly string[] | undefined {
  if (given === undefined) return undefined
  const tags = checkTagList(given, cache)
  if (tags.length > TAGS_MAX) {
    throw new InvalidTagError(`${tags.length} tags are more than the limit of ${TAGS_MAX}`)
  }
  return tags.length === 0 ? undefined : tags
}

/** Checks tags, however many, and returns each once. @throws InvalidTagError */
export function checkTagList(given: unknown, cache: string): readonly string[] {
  if (isIterable(given)) return Array.from(new Set(given), checkTag)
  const wanted = 'they must be an iterable of texts'
  throw new InvalidTagError(`the tags of cache ${cache} are ${shown(given)}, ${wanted}`)
}

function checkTag(tag: unknown): string {
  if (typeof tag !== 'string') throw new InvalidTagError(`the tag ${shown(tag)} is no text`)
  if (tag.length === 0) throw new InvalidTagError('a tag must not be empty')
  const bytes = Buffer.byteLength(tag)
  if (bytes > TAG_BYTES_MAX) {
    const limit = `the limit is ${TAG_BYTES_MAX}`
    throw new InvalidTagError(`the tag ${shown(tag)} is ${bytes} bytes long, ${limit}`)
  }
  if (tag.isWellFormed()) return tag
  throw new InvalidTagError(`the tag ${JSON.stringify(tag)} has a lone surrogate: it is not text`)
}

/** Checks the age that near copies may have. @throws InvalidOptionError */
export function checkNearCache(ageMs: unknown, where: string): number {
  if (typeof ageMs === 'number' && ageMs >= 0 && ageMs <= TTL_MS_MAX) return ageMs
  throw new InvalidOptionError(
    'nearCache',
    `of ${where} is ${shown(ageMs)}, it must be a number of ms from 0 (no near copies) to ${TTL_MS_MAX}`,
  )
}
