/**
 * Sets of partitions: in memory a 1 at the place of each that is in, on the wire a bit.
 */
import { PARTITIONS } from '../core/ring.js'
import { ProtocolError } from './checks.js'

const BYTES = PARTITIONS / 8

export function packPartitions(partitions: Uint8Array): Uint8Array {
  const bits = new Uint8Array(BYTES)
  for (let byte = 0; byte < BYTES; byte++) {
    let packed = 0
    for (let bit = 0; bit < 8; bit++) packed |= (partitions[byte * 8 + bit] as number) << bit
    bits[byte] = packed
  }
  return bits
}

export function unpackPartitions(bits: Uint8Array): Uint8Array {
  if (bits.length !== BYTES) {
    throw new ProtocolError(
      'malformed',
      `${bits.length} bytes of partitions, there must be ${BYTES}`,
    )
  }
  const partitions = new Uint8Array(PARTITIONS)
  for (let byte = 0; byte < BYTES; byte++) {
    const packed = bits[byte] as number
    for (let bit = 0; bit < 8; bit++) partitions[byte * 8 + bit] = (packed >> bit) & 1
  }
  return partitions
}
