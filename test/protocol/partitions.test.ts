/** Sets of partitions: whole, and nothing in between. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noPartitions } from '../../src/core/placement.js'
import { PARTITIONS } from '../../src/core/ring.js'
import { ProtocolError } from '../../src/protocol/checks.js'
import { packPartitions, unpackPartitions } from '../../src/protocol/partitions.js'

describe('partitions on the wire', () => {
  it.each([0, 1, 8, 511, 513, 4_096])(
    'of %i bytes are malformed, and the message says so',
    (length) => {
      const unpack = () => unpackPartitions(new Uint8Array(length))
      expect(unpack).toThrow(ProtocolError)
      expect(unpack).toThrow(expect.objectContaining({ reason: 'malformed' }))
      expect(unpack).toThrow(`${length} bytes of partitions, there must be 512`)
    },
  )

  it('are a bit each, the first in the lowest', () => {
    const some = noPartitions()
    for (const partition of [0, 9, PARTITIONS - 1]) some[partition] = 1
    const bits = packPartitions(some)
    expect(bits).toHaveLength(512)
    expect([bits[0], bits[1], bits[511]]).toEqual([1, 2, 128])
    expect(bits.reduce((sum, byte) => sum + byte, 0)).toBe(131)
  })

  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(PARTITIONS - 1)), (chosen) => {
        const some = noPartitions()
        for (const partition of chosen) some[partition] = 1
        expect(unpackPartitions(packPartitions(some))).toEqual(some)
      }),
    )
  })
})
