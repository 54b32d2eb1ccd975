/**
 * The log of all writes: every record that any member published, read off the network, and every value that callers
 * wrote, with the time it was to live.
 */
import type { Write } from '../../../src/core/entry.js'
import { formatVersion } from '../../../src/core/version.js'
import { batchCodec } from '../../../src/protocol/codec.js'
import type { Batch } from '../../../src/protocol/messages.js'
import { type Record, wins } from './records.js'

/** What a caller wrote. */
export interface Written {
  readonly cache: string
  readonly key: string
  /** 0: for ever. */
  readonly ttlMs: number
}

export class WriteLog {
  /** By cache and key. */
  readonly #records = new Map<string, Record[]>()
  readonly #markers = new Map<string, Record[]>()
  readonly #keys: Array<{ readonly cache: string; readonly key: string }> = []
  readonly #written = new Map<string, Written>()
  /** The version under which a value was seen first. */
  readonly #versions = new Map<string, string>()
  readonly #authored = new Map<string, Record[]>()
  recordCount = 0

  /** A caller is about to write a value. */
  intends(value: string, written: Written): void {
    this.#written.set(value, written)
  }

  /** Time to live of a value, in ms; 0 for ever. Undefined when nobody wrote it. */
  written(value: string): Written | undefined {
    return this.#written.get(value)
  }

  /** A value was seen in effect under a version. */
  seen(value: string, version: string): void {
    if (!this.#versions.has(value)) this.#versions.set(value, version)
  }

  versionOf(value: string): string | undefined {
    return this.#versions.get(value)
  }

  /** A batch was published. Returns its records. */
  published(author: string, bytes: Uint8Array): Record[] {
    const records = recordsOf(batchCodec.decode(bytes))
    for (const record of records) this.#add(author, record)
    return records
  }

  /** Every record of a key, markers of its cache included. */
  of(cache: string, key: string): Record[] {
    return [...(this.#records.get(nameOf(cache, key)) ?? []), ...(this.#markers.get(cache) ?? [])]
  }

  /** All that a member has published so far. */
  by(author: string): readonly Record[] {
    return this.#authored.get(author) ?? []
  }

  /** Every key ever written, with its cache. */
  get keys(): ReadonlyArray<{ readonly cache: string; readonly key: string }> {
    return this.#keys
  }

  #add(author: string, record: Record): void {
    this.recordCount++
    push(this.#authored, author, record)
    const { cache, key } = record
    if (key === undefined) push(this.#markers, cache, record)
    else if (push(this.#records, nameOf(cache, key), record) === 1) this.#keys.push({ cache, key })
    if (record.value !== undefined) this.seen(record.value, record.version)
  }
}

/** The records of a batch as the checker sees them. */
export function recordsOf({ writes, markers }: Batch): Record[] {
  return [
    ...markers.map(({ cache, version }) => ({
      cache,
      key: undefined,
      version: formatVersion(version),
      deleted: true,
      value: undefined,
    })),
    ...writes.map((write) => recordOf(write)),
  ]
}

/** The one of some records that wins over all others. */
export function winnerOf(records: Iterable<Record>): Record | undefined {
  let winner: Record | undefined
  for (const record of records) {
    if (winner === undefined || wins(record, winner)) winner = record
  }
  return winner
}

function recordOf({ cache, key, version, deleted, payload }: Write): Record {
  return {
    cache,
    key,
    version: formatVersion(version),
    deleted,
    value: typeof payload === 'string' ? payload : undefined,
  }
}

export function nameOf(cache: string, key: string): string {
  return `${cache}\0${key}`
}

/** Adds to the list of a key. Returns how many are in it now. */
function push<K, V>(map: Map<K, V[]>, key: K, value: V): number {
  const list = map.get(key)
  if (list !== undefined) return list.push(value)
  map.set(key, [value])
  return 1
}
