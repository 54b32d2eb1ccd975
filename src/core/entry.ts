/**
 * What is replicated: a Set, a Delete (a tombstone), or the clear marker of a whole cache.
 */
import type { Payload, Version, Versioned } from './version.js'

/** A key of a cache. */
export interface KeyName {
  readonly cache: string
  readonly key: string
}

/** A key's name as text, unlike that of any other: cache names hold no NUL. */
export function nameOf({ cache, key }: KeyName): string {
  return `${cache}\0${key}`
}

/** One write to one key. It is a Delete when `deleted`, and then has no payload. */
export interface Write extends Versioned {
  readonly cache: string
  readonly key: string
  /** Wall time the key came to be, in ms since the epoch; kept when it is overwritten. */
  readonly createdAt: number
  /** Wall time from which the entry is gone, in ms since the epoch; 0 means never. */
  readonly expiresAt: number
}

/** Forgets everything of one cache that it supersedes. */
export interface ClearMarker extends Versioned {
  readonly cache: string
  readonly deleted: true
  readonly payload: undefined
}

/** A tombstone: the Delete of one key. */
export function tombstone(cache: string, key: string, version: Version): Write {
  return { cache, key, version, deleted: true, payload: undefined, createdAt: 0, expiresAt: 0 }
}

/** The clear of a whole cache. */
export function clearMarker(cache: string, version: Version): ClearMarker {
  return { cache, version, deleted: true, payload: undefined }
}

/** That there is a value, without it. */
export function announcementOf({
  cache,
  key,
  version,
  deleted,
  createdAt,
  expiresAt,
}: Write): Write {
  return { cache, key, version, deleted, createdAt, expiresAt, payload: undefined }
}

/** Whether a write says that there is a value, without it. */
export function isAnnouncement({ deleted, payload }: Write): boolean {
  return !deleted && payload === undefined
}

/** Bytes a string takes in memory: V8 keeps Latin-1 text in one byte a character, all else in two. */
export function stringBytes(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the class is "beyond Latin-1"
  return /[^\u0000-\u00ff]/.test(text) ? text.length * 2 : text.length
}

/** Bytes a payload takes in memory, without the objects that hold it. */
export function payloadBytes(payload: Payload): number {
  return typeof payload === 'string' ? stringBytes(payload) : payload.byteLength
}
