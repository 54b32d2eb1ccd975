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
    this.bytes = entryBytes(write.key, payload)
  }

  get partition(): number {
    return partitionAt(this.keyHash)
  }
}

/** Bytes of memory that an entry is accounted with. */
export function entryBytes(key: string, payload: Payload): number {
  const overhead =
    typeof payload === 'string' ? ENTRY_OVERHEAD_BYTES.text : ENTRY_OVERHEAD_BYTES.binary
  return overhead + stringBytes(key) + payloadBytes(payload)
}
