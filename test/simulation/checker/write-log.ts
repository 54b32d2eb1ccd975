/**
 * The log of all writes: every record that any member published, read off the network, and every value that callers
 * wrote, with the time it was to live.
 */
import type { Write } from '../../../src/core/entry.js'
import { formatVersion } from '../../../src/core/version.js'
import { batchCodec } from '../../../src/protocol/codec.js'
import type { Batch } from '../../../src/protocol/messages.js'
import { nameOf, type Record, winnerOf, wins } from '../../../src/testing/checker/records.js'

const NO_TAGS: readonly string[] = []

/** What a caller wrote. */
export interface Written {
  readonly cache: string
  readonly key: string
  /** 0: for ever. */
  readonly ttlMs: number
  readonly tags?: readonly string[] | undefined
}

/** A value: what a caller wrote, and the version under which it was seen first. */
export interface KnownValue {
  readonly value: string
  written: Written | undefined
  version: string | undefined
}

export class WriteLog {
  /** By cache and key. */
  readonly #records = new Map<string, Record[]>()
  readonly #markers = new Map<string, Record[]>()
  /** Invalidations, by cache and tag. */
  readonly #invalidations = new Map<string, Record[]>()
  readonly #keys: Array<{ readonly cache: string; readonly key: string }> = []
  /** By what {@link nameOfValue} makes of them. */
  readonly #values = new Map<string, KnownValue>()
  /** Those that do not live for ever, by cache and key. */
  readonly #brief = new Map<string, string[]>()
  /** Values by the version under which they were seen first. */
  readonly #byVersion = new Map<string, string>()
  /** Deletes that callers asked for and that have not been published. */
  readonly #deletesAsked = new Map<string, number>()
  readonly #authored = new Map<string, Record[]>()
  recordCount = 0

  /** A caller is about to write a value. */
  intends(value: string, written: Written): void {
    this.#valueOf(value).written = written
    if (written.ttlMs > 0) push(this.#brief, nameOf(written.cache, written.key), value)
  }

  /**
   * Values of a key that do not live for ever: as records, where they were seen in effect. Owners may have one before it
   * is published, and one whose time is over when it comes is not told of there.
   */
  briefOf(cache: string, key: string): ReadonlyArray<Record | undefined> {
    return (this.#brief.get(nameOf(cache, key)) ?? []).map((value) => {
      const version = this.versionOf(value)
      return version === undefined ? undefined : { cache, key, version, deleted: false, value }
    })
  }

  /** A caller is about to delete a key or, when there is none, to clear a cache or what of it bears a tag. */
  intendsDelete(author: string, cache: string, key: string | undefined, tag?: string): void {
    const name = deleteName(author, cache, key, tag)
    this.#deletesAsked.set(name, (this.#deletesAsked.get(name) ?? 0) + 1)
  }

  /** Whether a delete of a key, or a clear, was asked for and has not been published: it may have taken effect. */
  expectsDelete(author: string, cache: string, key: string): boolean {
    const names = [deleteName(author, cache, key), deleteName(author, cache, undefined)]
    return names.some((name) => (this.#deletesAsked.get(name) ?? 0) > 0)
  }

  /** Whether anybody was asked to delete a key, or to clear its cache, and has not published it. */
  awaitsDelete(cache: string, key: string): boolean {
    const ends = [deleteName('', cache, key), deleteName('', cache, undefined)]
    return [...this.#deletesAsked].some(
      ([name, count]) => count > 0 && ends.some((end) => name.endsWith(end)),
    )
  }

  /** Counts a delete that was published. False when nobody had asked for it. */
  takeDelete(author: string, { cache, key, tag }: Record): boolean {
    const name = deleteName(author, cache, key, tag)
    const left = this.#deletesAsked.get(name) ?? 0
    this.#deletesAsked.set(name, left - 1)
    return left > 0
  }

  /** Time to live of a value, in ms; 0 for ever. Undefined when nobody wrote it. */
  written(value: string): Written | undefined {
    return this.known(value)?.written
  }

  /** What is known of a value, in one: to look a large one up takes time. */
  known(value: string): Readonly<KnownValue> | undefined {
    const known = this.#values.get(nameOfValue(value))
    return known?.value === value ? known : undefined
  }

  /** A value was seen in effect under a version. */
  seen(value: string, version: string): void {
    const known = this.#valueOf(value)
    if (known.version !== undefined) return
    known.version = version
    this.#byVersion.set(version, value)
  }

  versionOf(value: string): string | undefined {
    return this.known(value)?.version
  }

  /** Whether a version is known to be one of a value. */
  isSet(version: string): boolean {
    return this.#byVersion.has(version)
  }

  /** A batch was published. Returns its records. */
  published(author: string, bytes: Uint8Array): Record[] {
    // A value too large for a batch is not in it: its author was seen to set it.
    const records = recordsOf(batchCodec.decode(bytes)).map((record) =>
      record.deleted
        ? record
        : { ...record, value: record.value ?? this.#byVersion.get(record.version) },
    )
    for (const record of records) this.#add(author, record)
    return records
  }

  /** What a value was set with. */
  tagsOf({ value, version }: Record): readonly string[] {
    const known = value ?? this.#byVersion.get(version)
    return (known === undefined ? undefined : this.written(known)?.tags) ?? NO_TAGS
  }

  /** Whether a value bears a tag that somebody has invalidated since, or was asked to. */
  mayBeUndone(record: Record): boolean {
    return this.tagsOf(record).some((tag) => {
      const invalidations = this.#invalidations.get(nameOf(record.cache, tag)) ?? []
      const end = deleteName('', record.cache, undefined, tag)
      return (
        invalidations.some((one) => wins(one, record)) ||
        [...this.#deletesAsked].some(([name, count]) => count > 0 && name.endsWith(end))
      )
    })
  }

  /** The latest invalidation of a tag that a member has published. */
  latestInvalidation(author: string, cache: string, tag: string): Record | undefined {
    const all = this.#invalidations.get(nameOf(cache, tag)) ?? []
    return winnerOf(all.filter(({ version }) => version.endsWith(`-${author}`)))
  }

  /** Every record of a key, clears of its cache included. */
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

  #valueOf(value: string): KnownValue {
    const name = nameOfValue(value)
    let known = this.#values.get(name)
    if (known === undefined) {
      known = { value, written: undefined, version: undefined }
      this.#values.set(name, known)
    }
    if (known.value !== value) throw new Error(`two values are named ${name}`)
    return known
  }

  #add(author: string, record: Record): void {
    this.recordCount++
    push(this.#authored, author, record)
    const { cache, key, tag } = record
    if (tag !== undefined) push(this.#invalidations, nameOf(cache, tag), record)
    else if (key === undefined) push(this.#markers, cache, record)
    else if (push(this.#records, nameOf(cache, key), record) === 1) this.#keys.push({ cache, key })
    if (record.value !== undefined) this.seen(record.value, record.version)
  }
}

/** Characters of a long value, at either end, by which it is told from others. */
const NAME_CHARACTERS = 32

/** What a value is kept under: all long texts of one length have the same hash in V8, and each look-up would compare them whole. */
function nameOfValue(value: string): string {
  const { length } = value
  if (length <= 3 * NAME_CHARACTERS) return value
  return `${value.slice(0, NAME_CHARACTERS)}${length}${value.slice(-NAME_CHARACTERS)}`
}

/** The records of a batch as the checker sees them. */
export function recordsOf({ writes, markers }: Batch): Record[] {
  return [
    ...markers.map(({ cache, tag, version }) => ({
      cache,
      key: undefined,
      tag,
      version: formatVersion(version),
      deleted: true,
      value: undefined,
    })),
    ...writes.map((write) => recordOf(write)),
  ]
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

/** Adds to the list of a key. Returns how many are in it now. */
function deleteName(author: string, cache: string, key: string | undefined, tag?: string): string {
  return `${author}\0${cache}\0${key ?? ''}${tag === undefined ? '' : `\0${tag}`}`
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): number {
  const list = map.get(key)
  if (list !== undefined) return list.push(value)
  map.set(key, [value])
  return 1
}
