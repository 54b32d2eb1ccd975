/**
 * An entry as the store holds it, and what it is accounted with.
 */
import { payloadBytes, stringBytes, type Write } from './entry.js'
import type { Evictable } from './eviction.js'
import type { Filed } from './partition-index.js'
import { partitionAt } from './ring.js'
import type { Payload, Version } from './version.js'

/**
 * Bytes that one entry costs beside the characters of its key and the bytes of its value: the entry, its
 * version, its place in the map and the strings' and buffers' own headers. Measured on Node 20
 * and 24 by `npm run bench -- memory`; text values are one string, other values a buffer with its backing store.
 */
export const ENTRY_OVERHEAD_BYTES = { text: 305, binary: 465 }

/** The same of each tag of an entry, beside its characters: its place in the list, and among all that bear the tag. */
export const TAG_OVERHEAD_BYTES = 80

/** An entry as it is held. Its fields change in place when its key is overwritten. */
export class StoredEntry implements Write, Evictable, Filed {
  readonly cache: string
  readonly key: string
  /** See {@link keyHashOf}. */
  readonly keyHash: number
  readonly deleted = false
  version: Version
  createdAt: number
  expiresAt: number
  payload: Payload
  tags: readonly string[] | undefined
  /** As accounted, by {@link entryBytes}. */
  bytes: number
  older: this | undefined = undefined
  newer: this | undefined = undefined
  isFiled = false
  before: this | undefined = undefined
  after: this | undefined = undefined

  constructor(write: Write, payload: Payload, keyHash: number) {
    this.cache = write.cache
    this.key = write.key
    this.keyHash = keyHash
    this.version = write.version
    this.createdAt = write.createdAt
    this.expiresAt = write.expiresAt
    this.payload = payload
    this.tags = write.tags
    this.bytes = entryBytes(write.key, payload, write.tags)
  }

  get partition(): number {
    return partitionAt(this.keyHash)
  }
}

/** Bytes of memory that an entry is accounted with. */
export function entryBytes(key: string, payload: Payload, tags?: readonly string[]): number {
  let bytes = typeof payload === 'string' ? ENTRY_OVERHEAD_BYTES.text : ENTRY_OVERHEAD_BYTES.binary
  if (tags !== undefined) {
    for (const tag of tags) bytes += TAG_OVERHEAD_BYTES + stringBytes(tag)
  }
  return bytes + stringBytes(key) + payloadBytes(payload)
}
