/**
 * Records on the wire: writes, clears and stubs, with the member ids and cache names of a message sent once each.
 */
import { type Marker, payloadBytes, type Write } from '../core/entry.js'
import type { Payload, Version } from '../core/version.js'
import { at, atMost, inRange, ProtocolError, text, utf8 } from './checks.js'
import type * as wire from './generated/wire.js'
import * as limits from './limits.js'
import type * as messages from './messages.js'

/** Bytes that a record takes in a message beside its key and value, about. */
const RECORD_OVERHEAD_BYTES = 40

/** Bytes that a record takes in a message, about: a write, a stub, or a clear, which has no key. */
export function recordBytes(record: {
  readonly key?: string
  readonly payload: Payload | undefined
  readonly tag?: string | undefined
  readonly tags?: readonly string[] | undefined
}): number {
  const { key = '', payload, tag = '', tags } = record
  let bytes = RECORD_OVERHEAD_BYTES + key.length + tag.length
  if (payload !== undefined) bytes += payloadBytes(payload)
  if (tags !== undefined) for (const { length } of tags) bytes += length
  return bytes
}

/** Bytes that records take in a message, about. */
export function recordsBytes({ writes, markers, stubs = [] }: messages.Records): number {
  let bytes = 0
  for (const records of [writes, markers, stubs]) {
    for (const record of records) bytes += recordBytes(record)
  }
  return bytes
}

/** Numbers the distinct texts of a message, so that each is sent once. */
class Dictionary {
  readonly #indexes = new Map<string, number>()

  index(item: string): number {
    let index = this.#indexes.get(item)
    if (index === undefined) {
      index = this.#indexes.size
      this.#indexes.set(item, index)
    }
    return index
  }

  get items(): string[] {
    return [...this.#indexes.keys()]
  }
}

export function recordsToWire({ writes, markers, stubs = [] }: messages.Records): wire.WireRecords {
  const members = new Dictionary()
  const caches = new Dictionary()
  const tags = new Dictionary()
  const tagged: wire.WireTagged[] = []
  const records = writes.map((write, index) => {
    const { payload, version } = write
    const record: wire.WireRecord = {
      member: members.index(version.member),
      cache: caches.index(write.cache),
      key: write.key,
      wallMs: version.wallMs,
      counter: version.counter,
      createdAt: write.createdAt,
      expiresAt: write.expiresAt,
      deleted: write.deleted,
    }
    if (typeof payload === 'string') record.text = Buffer.from(payload)
    else if (payload !== undefined) record.binary = payload
    if (write.tags !== undefined && (payload !== undefined || write.deleted)) {
      tagged.push({ record: index, tags: write.tags.map((tag) => tags.index(tag)) })
    }
    return record
  })
  const wireMarkers = markers.map(({ cache, tag, version }) => ({
    member: members.index(version.member),
    cache: caches.index(cache),
    wallMs: version.wallMs,
    counter: version.counter,
    ...(tag !== undefined && { tag: tags.index(tag) }),
  }))
  const wireStubs = stubs.map(({ cache, key, version, expiresAt }) => ({
    member: members.index(version.member),
    cache: caches.index(cache),
    key,
    wallMs: version.wallMs,
    counter: version.counter,
    expiresAt,
  }))
  return {
    members: members.items,
    caches: caches.items,
    records,
    markers: wireMarkers,
    stubs: wireStubs,
    tags: tags.items,
    tagged,
  }
}

export function recordsFromWire(from: wire.WireRecords | undefined): messages.Records {
  if (from === undefined) return { writes: [], markers: [] }
  const { members, caches, records, markers, stubs, tags } = from
  atMost(records.length + markers.length + stubs.length, limits.RECORDS_MAX, 'records')
  for (const member of members) text(member, 'member id')
  for (const cache of caches) utf8(cache, limits.CACHE_NAME_BYTES_MAX, 'cache name')
  for (const tag of tags) utf8(tag, limits.TAG_BYTES_MAX, 'tag')
  const tagsOf = tagsFromWire(from)
  const version = ({ member, wallMs, counter }: Stamped): Version => {
    inRange(wallMs, counter)
    return { wallMs, counter, member: at(members, member, 'member') }
  }
  return {
    writes: records.map((record, index): Write => {
      const { text: string, binary, deleted } = record
      if (deleted && (string !== undefined || binary !== undefined)) {
        throw new ProtocolError('malformed', 'a delete with a value')
      }
      return {
        cache: at(caches, record.cache, 'cache'),
        key: utf8(record.key, limits.KEY_BYTES_MAX, 'key'),
        version: version(record),
        createdAt: record.createdAt,
        expiresAt: record.expiresAt,
        deleted,
        payload: payload(string, binary),
        tags: tagsOf?.get(index),
      }
    }),
    markers: markers.map(
      (marker): Marker => ({
        cache: at(caches, marker.cache, 'cache'),
        tag: marker.tag === undefined ? undefined : at(tags, marker.tag, 'tag'),
        version: version(marker),
        deleted: true,
        payload: undefined,
      }),
    ),
    stubs: stubs.map((stub) => ({
      cache: at(caches, stub.cache, 'cache'),
      key: utf8(stub.key, limits.KEY_BYTES_MAX, 'key'),
      version: version(stub),
      expiresAt: stub.expiresAt,
      deleted: false,
      payload: undefined,
    })),
  }
}

/** The tags of those records that have some, by index; undefined where none has. */
function tagsFromWire({ tags, tagged, records }: wire.WireRecords) {
  if (tagged.length === 0) return undefined
  const tagsOf = new Map<number, readonly string[]>()
  for (const { record, tags: indexes } of tagged) {
    if (record >= records.length) throw new ProtocolError('malformed', 'tags of no record')
    atMost(indexes.length, limits.TAGS_MAX, 'tags')
    if (indexes.length > 0) {
      tagsOf.set(
        record,
        indexes.map((index) => at(tags, index, 'tag')),
      )
    }
  }
  return tagsOf
}

/** Copied: decoded bytes are a view of a network buffer, which a stored value must not keep alive. */
function payload(text: Uint8Array | undefined, binary: Uint8Array | undefined) {
  atMost((text ?? binary)?.length ?? 0, limits.VALUE_BYTES_MAX, "value's bytes")
  if (text !== undefined) {
    return Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString()
  }
  return binary && new Uint8Array(binary)
}

interface Stamped {
  readonly member: number
  readonly wallMs: number
  readonly counter: number
}
