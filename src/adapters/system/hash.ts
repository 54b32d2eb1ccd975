/**
 * xxhash64, compiled to WebAssembly: the hash that places keys and members on the ring.
 */
import xxhash from 'xxhash-wasm'
import type { Hash64 } from '../../core/ring.js'

/** Compiles the hash; resolves to the same one each time. */
export function loadHash64(): Promise<Hash64> {
  loading ??= xxhash().then(
    ({ h64 }) =>
      (text: string) =>
        h64(text),
  )
  return loading
}

let loading: Promise<Hash64> | undefined
