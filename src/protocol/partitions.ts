/**
 * Sets of partitions: in memory a 1 at the place of each that is in, on the wire a bit.
 */
import { PARTITIONS } from '../core/ring.js'
import { ProtocolError } from './checks.js'

const BYTES = PARTITIONS / 8

export function packPartitions(partitions: Uint8Array): Uint8Array {
  const bits = new Uint8Array(BYTES)
  for (let partition = 0; partition < PARTITIONS; partition++) {
    if (partitions[partition] === 1) bits[partition >> 3] = at(bits, partition) | bit(partition)
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
  for (let partition = 0; partition < PARTITIONS; partition++) {
    if ((at(bits, partition) & bit(partition)) !== 0) partitions[partition] = 1
  }
  return partitions
}

function at(bits: Uint8Array, partition: number): number {
  return bits[partition >> 3] as number
}

function bit(partition: number): number {
  return 1 << (partition & 7)
}
