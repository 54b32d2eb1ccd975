/**
 * What is replicated: a Set, a Delete (a tombstone), or the marker of a clear or of an invalidation by tag, which stands
 * for any number of Deletes.
 */
import { type Payload, supersedes, type Version, type Versioned } from './version.js'

/** A key of a cache. */
export interface KeyName {
  readonly cache: string
  readonly key: string
}

/** A key's name as text, unlike that of any other: cache names hold no NUL. */
export function nameOf({ cache, key }: KeyName): string {
  return `${cache}\0${key}`
}

/** What a marker is for, as text, unlike that of any other: neither cache names nor tags hold a NUL. */
export function nameOfMarker({ cache, tag = '' }: Marker): string {
  return `${cache}\0${tag}`
}

/** One write to one key. It is a Delete when `deleted`, and then has no payload. */
export interface Write extends Versioned {
  readonly cache: string
  readonly key: string
  /** Wall time the key came to be, in ms since the epoch; kept when it is overwritten. */
  readonly createdAt: number
  /** Wall time from which the entry is gone, in ms since the epoch; 0 means never. */
  readonly expiresAt: number
  /** By which it can be undone together with others; undefined for none. On a tombstone: see {@link leftOf}. */
  readonly tags?: readonly string[] | undefined
}

/** Undoes whatever it supersedes of one cache: all of it, or what bears a tag. */
export interface Marker extends Versioned {
  readonly cache: string
  /** Undefined for a clear of the whole cache. */
  readonly tag: string | undefined
  readonly deleted: true
  readonly payload: undefined
}

/** A tombstone: the Delete of one key. */
export function tombstone(cache: string, key: string, version: Version): Write {
  return { cache, key, version, deleted: true, payload: undefined, createdAt: 0, expiresAt: 0 }
}

/**
 * What is left of a write that a tag undid: a tombstone of the same version, for nobody deleted the key at a time of its own.
 * It bears the tags, so that it is told from a Delete: see `supersedes`; and the time at which the value would have expired,
 * for by then it counts nowhere else.
 */
export function leftOf({ cache, key, version, expiresAt, tags }: Write): Write {
  return { ...tombstone(cache, key, version), expiresAt, tags }
}

/** The clear of a whole cache or, with a tag, the invalidation of what bears it. */
export function markerOf(cache: string, version: Version, tag?: string): Marker {
  return { cache, tag, version, deleted: true, payload: undefined }
}

/** Whether a marker undoes a record of its cache. There is nothing to undo in a tombstone but by a clear. */
export function undoes(marker: Marker, record: Versioned): boolean {
  const { tag } = marker
  if (tag !== undefined && (record.deleted || !record.tags?.includes(tag))) return false
  return !supersedes(record, marker)
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
