/**
 * Names of keys on the wire.
 */
import { atMost, utf8 } from './checks.js'
import type * as wire from './generated/wire.js'
import * as limits from './limits.js'

export function keysFromWire(keys: wire.WireKey[]): wire.WireKey[] {
  atMost(keys.length, limits.FETCH_KEYS_MAX, 'keys')
  for (const { cache, key } of keys) {
    utf8(cache, limits.CACHE_NAME_BYTES_MAX, 'cache name')
    utf8(key, limits.KEY_BYTES_MAX, 'key')
  }
  return keys
}
