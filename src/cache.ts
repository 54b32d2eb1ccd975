/**
 * A cache: checks what callers give, turns values into payloads and back, and counts. What it means to write or read
 * in a mesh is the services' affair.
 */
import {
  ACKS,
  type Ack,
  type Cache,
  type CacheEntry,
  type CacheEvents,
  type CacheOptions,
  CONSISTENCIES,
  type Consistency,
  type DeleteOptions,
  type LocalCache,
  type ReadOptions,
  type WriteOptions,
} from './api.js'
import type { ClearMarker, Write } from './core/entry.js'
import { entryBytes, type StoredEntry } from './core/stored-entry.js'
import { formatVersion, type Payload } from './core/version.js'
import { Emitter } from './emitter.js'
import {
  InvalidKeyError,
  InvalidOptionError,
  InvalidTtlError,
  ValueTooLargeError,
} from './errors.js'
import { FETCH_KEYS_MAX, KEY_BYTES_MAX, VALUE_BYTES_MAX } from './protocol/limits.js'
import { decodeValue, encodeValue } from './protocol/values.js'
import type { MeshMember } from './services/mesh-member.js'
import type { Clock, LatencyRecorder } from './services/ports.js'

/** Longest time to live: a hundred years, in ms. */
const TTL_MS_MAX = 100 * 365.25 * 24 * 3_600_000

/** Entries yielded by an asynchronous walk before the event loop gets its turn. */
const WALK_SLICE = 1_000

/** What all caches of a peer count together. */
export interface CallCounts {
  hitCount: number
  missCount: number
  setCount: number
  deleteCount: number
}

export interface CacheComponents {
  readonly member: MeshMember
  readonly clock: Clock
  readonly latency: LatencyRecorder
  readonly counts: CallCounts
  readonly maxBytes: number
  /** Throws when the peer no longer takes writes, or reads. */
  readonly assertRunning: (operation: string) => void
  readonly onListenerError: (error: unknown) => void
}

/** Checks a time to live. @throws InvalidTtlError */
function checkTtl(ttl: unknown, where: string): number {
  if (typeof ttl !== 'number' || !(ttl >= 0 && ttl <= TTL_MS_MAX)) {
    throw new InvalidTtlError(
      `${where}: the time to live is ${String(ttl)}, it must be a number of ms from 0 (never expires) to ${TTL_MS_MAX}`,
    )
  }
  return Math.ceil(ttl)
}

/** Checks an option that is one of some words. @throws InvalidOptionError */
function checkOneOf<Word extends string>(
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
function checkKey(key: unknown): string {
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

export class MeshCache<T> implements Cache<T> {
  readonly name: string
  readonly events: Emitter<CacheEvents>
  readonly local: LocalCache<T>
  readonly #components: CacheComponents
  readonly #ttlMs: number
  readonly #ack: Ack
  readonly #consistency: Consistency

  constructor(name: string, components: CacheComponents, options: CacheOptions) {
    this.name = name
    this.#components = components
    this.#ttlMs = options.ttl === undefined ? 0 : checkTtl(options.ttl, `cache ${name}`)
    this.#ack = checkOneOf('ack', options.ack ?? 'none', ACKS, `cache ${name}`)
    this.#consistency = checkOneOf(
      'consistency',
      options.consistency ?? 'local',
      CONSISTENCIES,
      `cache ${name}`,
    )
    this.events = new Emitter(components.onListenerError)
    this.local = new LocalView<T>(name, components.member)
  }

  on<Name extends keyof CacheEvents>(name: Name, listener: (event: CacheEvents[Name]) => void) {
    return this.events.on(name, listener)
  }

  once<Name extends keyof CacheEvents>(name: Name, listener: (event: CacheEvents[Name]) => void) {
    return this.events.once(name, listener)
  }

  off<Name extends keyof CacheEvents>(name: Name, listener: (event: CacheEvents[Name]) => void) {
    this.events.off(name, listener)
  }

  async set(key: string, value: T, options: WriteOptions = {}): Promise<void> {
    const startMs = this.#begin('set')
    checkKey(key)
    const payload = this.#encode(key, value)
    const ttlMs = this.#ttlOf(options)
    const ack = this.#ackOf(options)
    await this.#turn(options.signal)
    this.#components.counts.setCount++
    const write = this.#components.member.replication.set(this.name, key, payload, ttlMs)
    if (ack !== 'none') await this.#acknowledged([write], ack, options.signal)
    this.#end(startMs)
  }

  async get(key: string, options: ReadOptions = {}): Promise<T | undefined> {
    const startMs = this.#begin('get')
    checkKey(key)
    const consistency = this.#consistencyOf(options)
    if (consistency === 'quorum') await this.#latest([key], options.signal)
    const value = this.#read(key)
    this.#end(startMs)
    return value
  }

  async has(key: string, options: ReadOptions = {}): Promise<boolean> {
    this.#components.assertRunning('has')
    checkKey(key)
    if (this.#consistencyOf(options) === 'quorum') await this.#latest([key], options.signal)
    return this.#components.member.store.get(this.name, key) !== undefined
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    const startMs = this.#begin('delete')
    checkKey(key)
    const ack = this.#ackOf(options)
    const { existed, write } = await this.#delete(key, options.signal)
    if (ack !== 'none') await this.#acknowledged([write], ack, options.signal)
    this.#end(startMs)
    return existed
  }

  async getMany(keys: Iterable<string>, options: ReadOptions = {}): Promise<Map<string, T>> {
    const startMs = this.#begin('getMany')
    const checked = [...keys].map(checkKey)
    if (this.#consistencyOf(options) === 'quorum') await this.#latest(checked, options.signal)
    const found = new Map<string, T>()
    for (const key of checked) {
      const value = this.#read(key)
      if (value !== undefined) found.set(key, value)
    }
    this.#end(startMs)
    return found
  }

  async setMany(
    entries: Iterable<readonly [key: string, value: T]>,
    options: WriteOptions = {},
  ): Promise<void> {
    const startMs = this.#begin('setMany')
    const ttlMs = this.#ttlOf(options)
    const writes = Array.from(
      entries,
      ([key, value]) => [checkKey(key), this.#encode(key, value)] as const,
    )
    const ack = this.#ackOf(options)
    const written: Write[] = []
    for (const [key, payload] of writes) {
      await this.#turn(options.signal)
      this.#components.counts.setCount++
      written.push(this.#components.member.replication.set(this.name, key, payload, ttlMs))
    }
    if (ack !== 'none') await this.#acknowledged(written, ack, options.signal)
    this.#end(startMs)
  }

  async deleteMany(keys: Iterable<string>, options: DeleteOptions = {}): Promise<number> {
    this.#components.assertRunning('deleteMany')
    const checked = [...keys].map(checkKey)
    const ack = this.#ackOf(options)
    const written: Write[] = []
    let count = 0
    for (const key of checked) {
      const { existed, write } = await this.#delete(key, options.signal)
      if (existed) count++
      written.push(write)
    }
    if (ack !== 'none') await this.#acknowledged(written, ack, options.signal)
    return count
  }

  peek(key: string): T | undefined {
    const entry = this.#components.member.store.get(this.name, key)
    return entry && (readValue(entry, this.#components.member) as T | undefined)
  }

  async entry(key: string, options: ReadOptions = {}): Promise<CacheEntry<T> | undefined> {
    this.#components.assertRunning('entry')
    checkKey(key)
    if (this.#consistencyOf(options) === 'quorum') await this.#latest([key], options.signal)
    const entry = this.#components.member.store.get(this.name, key)
    return entry && describe<T>(entry, this.#components.member)
  }

  async clear(options: DeleteOptions = {}): Promise<void> {
    this.#components.assertRunning('clear')
    const ack = this.#ackOf(options)
    await this.#turn(options.signal)
    const marker = this.#components.member.replication.clear(this.name)
    if (ack !== 'none') await this.#acknowledged([marker], ack, options.signal)
  }

  async *keys(): AsyncIterableIterator<string> {
    for await (const { key } of this.#walk()) yield key
  }

  async *entries(): AsyncIterableIterator<CacheEntry<T>> {
    for await (const entry of this.#walk()) {
      const described = describe<T>(entry, this.#components.member)
      if (described !== undefined) yield described
    }
  }

  async size(): Promise<number> {
    this.#components.assertRunning('size')
    return this.local.size
  }

  /** Every entry, giving the event loop its turn now and then. */
  async *#walk(): AsyncGenerator<StoredEntry> {
    this.#components.assertRunning('keys and entries')
    let count = 0
    for (const entry of this.#components.member.store.entries(this.name)) {
      if (++count % WALK_SLICE === 0) await new Promise((resolve) => setImmediate(resolve))
      yield entry
    }
  }

  #read(key: string): T | undefined {
    const { member, counts } = this.#components
    const entry = member.store.get(this.name, key)
    const value = entry && readValue(entry, member)
    if (value === undefined) counts.missCount++
    else counts.hitCount++
    return value as T | undefined
  }

  #encode(key: string, value: unknown): Payload {
    const payload = encodeValue(value)
    const bytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
    if (bytes > VALUE_BYTES_MAX) throw new ValueTooLargeError(bytes, VALUE_BYTES_MAX)
    const { maxBytes } = this.#components
    const held = entryBytes(key, payload)
    if (held > maxBytes) throw new ValueTooLargeError(held, maxBytes, 'the entry (maxBytes)')
    return payload
  }

  #ttlOf({ ttl }: WriteOptions): number {
    return ttl === undefined ? this.#ttlMs : checkTtl(ttl, `cache ${this.name}`)
  }

  #ackOf({ ack }: { readonly ack?: Ack }): Ack {
    return ack === undefined ? this.#ack : checkOneOf('ack', ack, ACKS, `cache ${this.name}`)
  }

  #consistencyOf({ consistency }: ReadOptions): Consistency {
    if (consistency === undefined) return this.#consistency
    return checkOneOf('consistency', consistency, CONSISTENCIES, `cache ${this.name}`)
  }

  async #delete(key: string, signal: AbortSignal | undefined) {
    await this.#turn(signal)
    const { member, counts } = this.#components
    const existed = member.store.get(this.name, key) !== undefined
    counts.deleteCount++
    return { existed, write: member.replication.delete(this.name, key) }
  }

  /** Waits until enough owners have what was written. */
  async #acknowledged(
    records: ReadonlyArray<Write | ClearMarker>,
    ack: Ack,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { acks } = this.#components.member
    await abortable(Promise.all(records.map((record) => acks.reached(record, ack))), signal)
  }

  /** Waits until the latest that a majority knows of some keys is held here. */
  async #latest(keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const { quorumReads } = this.#components.member
    for (let start = 0; start < keys.length; start += FETCH_KEYS_MAX) {
      const slice = keys.slice(start, start + FETCH_KEYS_MAX)
      const names = slice.map((key) => ({ cache: this.name, key }))
      await abortable(quorumReads.latest(names), signal)
    }
  }

  /** Waits until a write may be made. Does not wait at all in the usual case. */
  async #turn(signal: AbortSignal | undefined): Promise<void> {
    const { member } = this.#components
    if (!member.catchUp.isWritable) await abortable(member.catchUp.mayWrite, signal)
    const room = member.replication.room(signal)
    if (room !== undefined) await room
    try {
      this.#components.assertRunning('write')
    } catch (error) {
      member.replication.releaseRoom()
      throw error
    }
  }

  #begin(operation: string): number {
    this.#components.assertRunning(operation)
    return this.#components.clock.monotonicMs()
  }

  #end(startMs: number): void {
    this.#components.latency.record(this.#components.clock.monotonicMs() - startMs)
  }
}

/** Waits for `promise`, or until the signal aborts; then nobody minds how the promise ends. */
async function abortable(
  promise: Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal === undefined) {
    await promise
    return
  }
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const settled = () => signal.removeEventListener('abort', onAbort)
    promise.then(() => resolve(), reject).finally(settled)
    if (signal.aborted) onAbort()
  })
}

class LocalView<T> implements LocalCache<T> {
  readonly #cache: string
  readonly #member: MeshMember

  constructor(cache: string, member: MeshMember) {
    this.#cache = cache
    this.#member = member
  }

  *entries(): IterableIterator<CacheEntry<T>> {
    for (const entry of this.#member.store.entries(this.#cache)) {
      const described = describe<T>(entry, this.#member)
      if (described !== undefined) yield described
    }
  }

  *keys(): IterableIterator<string> {
    for (const { key } of this.#member.store.entries(this.#cache)) yield key
  }

  get size(): number {
    return this.#member.store.size(this.#cache)
  }
}

/** The value of an entry. What another peer stored and nobody can read is counted, and is not there. */
function readValue({ payload }: StoredEntry, { drops }: MeshMember): unknown {
  if (typeof payload === 'string') return payload
  try {
    return decodeValue(payload)
  } catch {
    drops.add('unreadable value')
    return undefined
  }
}

function describe<T>(entry: StoredEntry, member: MeshMember): CacheEntry<T> | undefined {
  const { key, version, createdAt, expiresAt } = entry
  const value = readValue(entry, member)
  if (value === undefined) return undefined
  return {
    key,
    value: value as T,
    version: formatVersion(version),
    createdAt,
    updatedAt: version.wallMs,
    expiresAt: expiresAt === 0 ? undefined : expiresAt,
  }
}
