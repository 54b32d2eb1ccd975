/**
 * Users' values to payloads and back.
 *
 * Text is kept as it is. Everything else is CBOR (RFC 8949), with the registered tags for dates, maps, sets, big
 * integers, typed arrays (RFC 8746) and shared references, so that any language can read what a mesh holds.
 */
import { addExtension, Encoder } from 'cbor-x'
import type { Payload } from '../core/version.js'
import { UnsupportedValueError } from '../errors.js'

const encoder = new Encoder({
  structuredClone: true,
  useRecords: false,
  tagUint8Array: true,
  copyBuffers: true,
})

/** Tag of an `ArrayBuffer`, from the first-come-first-served range: CBOR itself knows only byte strings. */
const ARRAY_BUFFER_TAG = 40_501

addExtension({
  Class: ArrayBuffer as unknown as new () => ArrayBuffer,
  tag: ARRAY_BUFFER_TAG,
  encode: (buffer: ArrayBuffer, encode: (data: unknown) => Uint8Array) =>
    encode(new Uint8Array(buffer)),
  decode: (bytes: Uint8Array) => Uint8Array.from(bytes).buffer,
})

// What structured data cannot express, but would silently turn into an empty object.
for (const Class of [Promise, WeakMap, WeakSet, WeakRef, SharedArrayBuffer]) {
  addExtension({
    Class: Class as unknown as new () => object,
    tag: ARRAY_BUFFER_TAG + 1,
    encode: () => {
      throw new Error(`a ${Class.name}`)
    },
    decode: () => undefined as unknown as object,
  })
}

/** How deep a value may be nested: what every peer can read, whatever room its stack has left. */
const DEPTH_MAX = 200

/** Whether objects, arrays, maps and sets are nested more than `depth` deep; a reference back is no nesting. */
function isDeeperThan(depth: number, value: unknown, seen = new Set<object>()): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  if (seen.has(value)) return false
  if (depth === 0) return true
  seen.add(value)
  const isIterable = Array.isArray(value) || value instanceof Set || value instanceof Map
  const items: Iterable<unknown> = isIterable ? value : Object.values(value)
  for (const item of items) {
    // An entry of a map comes as a pair, which is not there when the map is encoded.
    const parts = value instanceof Map ? (item as unknown[]) : [item]
    if (parts.some((part) => isDeeperThan(depth - 1, part, seen))) return true
  }
  return false
}

/**
 * The payload of a value.
 * @throws UnsupportedValueError for undefined, functions, symbols, promises and weak collections, also nested
 */
export function encodeValue(value: unknown): Payload {
  // Lone surrogates have no UTF-8 form; replaced here, the text is the same on every peer.
  if (typeof value === 'string') return value.toWellFormed()
  if (value === undefined) {
    throw new UnsupportedValueError('undefined cannot be stored: delete the key instead')
  }
  let payload: Uint8Array
  try {
    payload = Uint8Array.from(encoder.encode(value))
  } catch (cause) {
    const what =
      cause instanceof Error ? cause.message.replace('Unknown type: ', 'a ') : String(cause)
    throw new UnsupportedValueError(
      `the value holds what cannot be sent to another process: ${what}`,
      { cause },
    )
  }
  // Each level takes a byte at least, so that most values need no look.
  if (payload.length > DEPTH_MAX && isDeeperThan(DEPTH_MAX, value)) {
    throw new UnsupportedValueError(`the value is nested more than ${DEPTH_MAX} deep, the limit`)
  }
  return payload
}

/** The value of a payload: a new one at each call. Throws when the payload is none that `encodeValue` makes. */
export function decodeValue(payload: Payload): unknown {
  return typeof payload === 'string' ? payload : encoder.decode(payload)
}
