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
  type EntryOptions,
  type LocalCache,
  type ReadOptions,
  type WriteOptions,
} from './api.js'
import {
  checkEntries,
  checkKey,
  checkKeys,
  checkNearCache,
  checkOneOf,
  checkOptions,
  checkPair,
  checkTagList,
  checkTags,
  checkTtl,
  DELETE_OPTIONS,
  ENTRY_OPTIONS,
  READ_OPTIONS,
  WRITE_OPTIONS,
} from './cache-checks.js'
import { entryBytes } from './core/stored-entry.js'
import { formatVersion, type Payload } from './core/version.js'
import { Emitter } from './emitter.js'
import { ValueTooLargeError } from './errors.js'
import { FETCH_KEYS_MAX, VALUE_BYTES_MAX } from './protocol/limits.js'
import { decodeValue, encodeValue } from './protocol/values.js'
import { abortable } from './services/abortable.js'
import type { MeshMember } from './services/mesh-member.js'
import type { Clock, LatencyRecorder } from './services/ports.js'
import type { Found } from './services/reads.js'

/** How old near copies may be unless the cache says otherwise, in ms. */
export const NEAR_CACHE_MS = 5_000

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

export class MeshCache<T> implements Cache<T> {
  readonly name: string
  readonly events: Emitter<CacheEvents>
  readonly local: LocalCache<T>
  readonly #components: CacheComponents
  readonly #ttlMs: number
  readonly #ack: Ack
  readonly #consistency: Consistency
  readonly #nearMaxMs: number

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
    this.#nearMaxMs = checkNearCache(options.nearCache ?? NEAR_CACHE_MS, `cache ${name}`)
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

  async set(key: string, value: T, given?: WriteOptions): Promise<void> {
    const startMs = this.#begin('set')
    checkKey(key)
    const options = checkOptions(given, WRITE_OPTIONS, this.name)
    const tags = checkTags(options.tags, this.name)
    const payload = this.#encode(key, value, tags)
    const ttlMs = this.#ttlOf(options)
    const ack = this.#ackOf(options)
    const { member, counts, assertRunning } = this.#components
    const ticket = member.admission.ticket(this.name, key, payload)
    const turn = member.admission.turn({ ticket, signal: options.signal, assertRunning })
    if (turn !== undefined) await turn
    counts.setCount++
    const acknowledged = member.admission.made(ticket, () =>
      member.replication.set(this.name, key, payload, { ttlMs, ack, tags }),
    )
    if (acknowledged !== undefined) await abortable(acknowledged, options.signal)
    this.#end(startMs)
  }

  async get(key: string, given?: ReadOptions): Promise<T | undefined> {
    const startMs = this.#begin('get')
    checkKey(key)
    const options = checkOptions(given, READ_OPTIONS, this.name)
    const consistency = this.#consistencyOf(options)
    const nearest = this.#nearest(key, consistency)
    const entry = nearest
      ? nearest.entry
      : (await this.#ask([key], consistency, options.signal)).get(key)
    const value = this.#count(entry)
    this.#end(startMs)
    return value
  }

  async has(key: string, given?: ReadOptions): Promise<boolean> {
    this.#components.assertRunning('has')
    const options = checkOptions(given, READ_OPTIONS, this.name)
    return (await this.#find(key, options)) !== undefined
  }

  async delete(key: string, given?: DeleteOptions): Promise<boolean> {
    const startMs = this.#begin('delete')
    checkKey(key)
    const options = checkOptions(given, DELETE_OPTIONS, this.name)
    const ack = this.#ackOf(options)
    const { existed, acknowledged } = await this.#delete(key, ack, options.signal)
    if (acknowledged !== undefined) await abortable(acknowledged, options.signal)
    this.#end(startMs)
    return existed
  }

  async getMany(keys: Iterable<string>, given?: ReadOptions): Promise<Map<string, T>> {
    const startMs = this.#begin('getMany')
    const options = checkOptions(given, READ_OPTIONS, this.name)
    const checked = checkKeys(keys, this.name)
    const entries = await this.#findMany(checked, this.#consistencyOf(options), options.signal)
    const found = new Map<string, T>()
    for (const key of checked) {
      const value = this.#count(entries.get(key))
      if (value !== undefined) found.set(key, value)
    }
    this.#end(startMs)
    return found
  }

  async setMany(
    entries: Iterable<readonly [key: string, value: T]>,
    given?: WriteOptions,
  ): Promise<void> {
    const startMs = this.#begin('setMany')
    const options = checkOptions(given, WRITE_OPTIONS, this.name)
    const ttlMs = this.#ttlOf(options)
    const tags = checkTags(options.tags, this.name)
    const writes = Array.from(checkEntries(entries, this.name), (entry) => {
      const [key, value] = checkPair(entry, this.name)
      return [checkKey(key), this.#encode(key, value, tags)] as const
    })
    const ack = this.#ackOf(options)
    const { member, counts, assertRunning } = this.#components
    const { admission, replication } = member
    const { signal } = options
    const acknowledged: Array<Promise<void>> = []
    for (const [key, payload] of writes) {
      const ticket = admission.ticket(this.name, key, payload)
      const turn = admission.turn({ ticket, signal, assertRunning })
      if (turn !== undefined) await turn
      counts.setCount++
      const done = admission.made(ticket, () =>
        replication.set(this.name, key, payload, { ttlMs, ack, tags }),
      )
      if (done !== undefined) acknowledged.push(heard(done))
    }
    if (acknowledged.length > 0) await abortable(all(acknowledged), signal)
    this.#end(startMs)
  }

  async deleteMany(keys: Iterable<string>, given?: DeleteOptions): Promise<number> {
    this.#components.assertRunning('deleteMany')
    const options = checkOptions(given, DELETE_OPTIONS, this.name)
    const checked = checkKeys(keys, this.name)
    const ack = this.#ackOf(options)
    const deleted: Array<Promise<void>> = []
    let count = 0
    for (const key of checked) {
      const { existed, acknowledged } = await this.#delete(key, ack, options.signal)
      if (existed) count++
      if (acknowledged !== undefined) deleted.push(heard(acknowledged))
    }
    if (deleted.length > 0) await abortable(all(deleted), options.signal)
    return count
  }

  peek(key: string): T | undefined {
    const { member } = this.#components
    const entry = member.reads.nearest(this.name, key, this.#nearMaxMs)?.entry
    return entry && (readValue(entry, member) as T | undefined)
  }

  async entry(key: string, given?: EntryOptions): Promise<CacheEntry<T> | undefined> {
    this.#components.assertRunning('entry')
    const options = checkOptions(given, ENTRY_OPTIONS, this.name)
    const entry = await this.#find(key, options)
    if (options.counted) this.#count(entry)
    return entry && describe<T>(entry, this.#components.member)
  }

  async clear(given?: DeleteOptions): Promise<void> {
    this.#components.assertRunning('clear')
    const options = checkOptions(given, DELETE_OPTIONS, this.name)
    const ack = this.#ackOf(options)
    const { confirmed } = await this.#undo(undefined, ack, options.signal)
    if (confirmed !== undefined) await abortable(confirmed, options.signal)
  }

  async invalidateTags(given: string | Iterable<string>, options?: DeleteOptions): Promise<void> {
    this.#components.assertRunning('invalidateTags')
    const { ack, signal } = checkOptions(options, DELETE_OPTIONS, this.name)
    const level = this.#ackOf({ ack })
    const tags = checkTagList(typeof given === 'string' ? [given] : given, this.name)
    const acknowledged: Array<Promise<void>> = []
    for (const tag of tags) {
      const { confirmed } = await this.#undo(tag, level, signal)
      if (confirmed !== undefined) acknowledged.push(heard(confirmed))
    }
    if (acknowledged.length > 0) await abortable(all(acknowledged), signal)
  }

  async *keys(): AsyncIterableIterator<string> {
    this.#components.assertRunning('keys and entries')
    for await (const keys of this.#components.member.scan.keys(this.name)) yield* keys
  }

  async *entries(): AsyncIterableIterator<CacheEntry<T>> {
    this.#components.assertRunning('keys and entries')
    for await (const keys of this.#components.member.scan.keys(this.name)) {
      const found = await this.#findMany(keys, 'local', undefined)
      for (const entry of found.values()) {
        const described = entry && describe<T>(entry, this.#components.member)
        if (described !== undefined) yield described
      }
    }
  }

  async size(): Promise<number> {
    this.#components.assertRunning('size')
    return this.#components.member.scan.size(this.name)
  }

  /** What is here of a key, where that settles it. */
  #nearest(key: string, consistency: Consistency) {
    if (consistency === 'quorum') return undefined
    const nearMaxMs = consistency === 'local' ? this.#nearMaxMs : 0
    return this.#components.member.reads.nearest(this.name, key, nearMaxMs)
  }

  async #find(key: string, options: ReadOptions): Promise<Found | undefined> {
    const consistency = this.#consistencyOf(options)
    const found = await this.#findMany([checkKey(key)], consistency, options.signal)
    return found.get(key)
  }

  /** The entries of some keys, by key; what is not here is asked for together. */
  async #findMany(
    keys: readonly string[],
    consistency: Consistency,
    signal: AbortSignal | undefined,
  ): Promise<Map<string, Found | undefined>> {
    const found = new Map<string, Found | undefined>()
    const missing = new Set<string>()
    for (const key of keys) {
      const nearest = this.#nearest(key, consistency)
      if (nearest === undefined) missing.add(key)
      else found.set(key, nearest.entry)
    }
    if (missing.size === 0) return found
    for (const [key, entry] of await this.#ask([...missing], consistency, signal)) {
      found.set(key, entry)
    }
    return found
  }

  /** The entries of some keys, from their owners. */
  async #ask(
    keys: readonly string[],
    consistency: Consistency,
    signal: AbortSignal | undefined,
  ): Promise<Map<string, Found | undefined>> {
    const { reads, quorumReads } = this.#components.member
    const names = keys.map((key) => ({ cache: this.name, key }))
    const found = new Map<string, Found | undefined>()
    if (consistency !== 'quorum') {
      const mustAnswer = consistency === 'one'
      const nearMaxMs = mustAnswer ? 0 : this.#nearMaxMs
      const answers = await abortable(reads.ask(names, { nearMaxMs, mustAnswer }), signal)
      for (const [{ key }, entry] of answers) found.set(key, entry)
      return found
    }
    for (let start = 0; start < names.length; start += FETCH_KEYS_MAX) {
      const latest = quorumReads.latest(names.slice(start, start + FETCH_KEYS_MAX))
      for (const write of (await abortable(latest, signal)).values()) {
        found.set(write.key, reads.live(write))
      }
    }
    return found
  }

  #count(entry: Found | undefined): T | undefined {
    const { member, counts } = this.#components
    const value = entry && readValue(entry, member)
    if (value === undefined) counts.missCount++
    else counts.hitCount++
    return value as T | undefined
  }

  #encode(key: string, value: unknown, tags: readonly string[] | undefined): Payload {
    const payload = encodeValue(value)
    const bytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
    if (bytes > VALUE_BYTES_MAX) throw new ValueTooLargeError(bytes, VALUE_BYTES_MAX)
    const { maxBytes } = this.#components
    const held = entryBytes(key, payload, tags)
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

  async #delete(key: string, ack: Ack, signal: AbortSignal | undefined) {
    const { member, counts, assertRunning } = this.#components
    const ticket = member.admission.ticket(this.name, key, '')
    await member.admission.turn({ ticket, signal, assertRunning })
    const existed = this.#nearest(key, 'local')?.entry !== undefined
    counts.deleteCount++
    const acknowledged = member.admission.made(ticket, () =>
      member.replication.delete(this.name, key, ack),
    )
    return { existed, acknowledged }
  }

  /** Makes a marker once there is room. What confirms it is wrapped: it is not waited for here. */
  async #undo(tag: string | undefined, ack: Ack, signal: AbortSignal | undefined) {
    const { member, assertRunning } = this.#components
    await member.admission.turn({ signal, assertRunning })
    return { confirmed: member.replication.undo(this.name, tag, ack) }
  }

  #begin(operation: string): number {
    this.#components.assertRunning(operation)
    return this.#components.clock.monotonicMs()
  }

  #end(startMs: number): void {
    this.#components.latency.record(this.#components.clock.monotonicMs() - startMs)
  }
}

/** The same promise, which may fail before anybody waits for it. */
function heard(promise: Promise<void>): Promise<void> {
  promise.catch(() => {})
  return promise
}

async function all(promises: ReadonlyArray<Promise<void>>): Promise<void> {
  await Promise.all(promises)
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
function readValue({ payload }: Found, { drops }: MeshMember): unknown {
  if (typeof payload === 'string') return payload
  try {
    return decodeValue(payload)
  } catch {
    drops.add('unreadable value')
    return undefined
  }
}

function describe<T>(entry: Found, member: MeshMember): CacheEntry<T> | undefined {
  const { key, version, createdAt, expiresAt, tags = [] } = entry
  const value = readValue(entry, member)
  if (value === undefined) return undefined
  return {
    key,
    value: value as T,
    version: formatVersion(version),
    createdAt,
    updatedAt: version.wallMs,
    expiresAt: expiresAt === 0 ? undefined : expiresAt,
    tags: [...tags],
  }
}
