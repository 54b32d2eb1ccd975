/** Findings of the codec and of values, each with the case that showed it. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { answersCodec, asksCodec } from '../src/protocol/asks.js'
import * as codecs from '../src/protocol/codec.js'
import * as limits from '../src/protocol/limits.js'

const long = 'x'.repeat(limits.TEXT_MAX + 1)
const heartbeat = {
  name: 'n',
  incarnation: 3,
  status: 'serving',
  addresses: [],
  instance: 'i',
  sequence: 1,
  uptimeMs: 1,
  wallMs: 1,
  loopLagMs: 1,
  intervalMs: 1_000,
  opsEpoch: 1,
  opsSequence: 1,
  settledRing: 1n,
  timestampMs: 1,
  role: 'owner',
} as const
const page = {
  writes: [],
  markers: [],
  nextPartition: 0,
  last: true,
  positions: [],
  clock: { wallMs: 1, counter: 0 },
  lacking: undefined,
  otherRing: false,
  moments: [],
}
const limit = { name: 'ProtocolError', reason: 'limit' }

describe('codec', () => {
  it('a ring digest above 2^63 comes back as it was sent', () => {
    const settledRing = 2n ** 63n
    const bytes = codecs.heartbeatCodec.encode({ ...heartbeat, settledRing })
    expect(codecs.heartbeatCodec.decode(bytes).settledRing).toBe(settledRing)
  })
  it("a heartbeat's instance is within TEXT_MAX", () => {
    const bytes = codecs.heartbeatCodec.encode({ ...heartbeat, instance: long })
    expect(() => codecs.heartbeatCodec.decode(bytes)).toThrow(expect.objectContaining(limit))
  })
  it.each(['field', 'ours', 'theirs'])("a refusal's %s is within TEXT_MAX", (field) => {
    const refusal = { field: 'mesh', ours: 'a', theirs: 'b', [field]: long }
    const bytes = codecs.helloReplyCodec.encode({ refusal })
    expect(() => codecs.helloReplyCodec.decode(bytes)).toThrow(expect.objectContaining(limit))
  })
  it("a position's member is within TEXT_MAX", () => {
    const positions = [{ member: long, epoch: 1, sequence: 1 }]
    const bytes = codecs.statePageCodec.encode({ ...page, positions })
    expect(() => codecs.statePageCodec.decode(bytes)).toThrow(expect.objectContaining(limit))
  })
  it.each([
    { cache: 'c', key: 'k'.repeat(1_025) },
    { cache: 'c'.repeat(257), key: 'k' },
  ])('keys and cache names of a request to read are within their limits', (key) => {
    const body = { kind: 'read', keys: [key], ring: 0n, large: false } as const
    const bytes = asksCodec.encode({ asks: [{ id: 1, body }], cancelled: [] })
    expect(() => asksCodec.decode(bytes)).toThrow(expect.objectContaining(limit))
  })
  it.each(['x'.repeat(limits.VALUE_BYTES_MAX + 1), new Uint8Array(limits.VALUE_BYTES_MAX + 1)])(
    'a value of a peer is within 8 MiB',
    (payload) => {
      const version = { wallMs: 1, counter: 0, member: 'm' }
      const write = {
        cache: 'c',
        key: 'k',
        version,
        deleted: false,
        payload,
        createdAt: 1,
        expiresAt: 0,
      }
      const records = { writes: [write], markers: [] }
      const body = { kind: 'read', records, ring: 0n, open: [] } as const
      const bytes = answersCodec.encode([{ id: 1, body }])
      expect(bytes.length).toBeLessThan(limits.FRAME_BYTES_MAX)
      expect(() => answersCodec.decode(bytes)).toThrow(expect.objectContaining(limit))
    },
  )
})

describe('values', () => {
  /** In a process of its own: how deep it gets depends on what has been compiled. Needs a build. */
  it.each([1_000, 1_200, 1_400, 1_600])('maps %i deep are refused, or can be read', (depth) => {
    const script = `
      import { decodeValue, encodeValue } from './dist/protocol/values.js'
      let value = 1
      for (let i = 0; i < ${depth}; i++) value = new Map([[1, value]])
      let payload
      try { payload = encodeValue(value) } catch { process.exit() }
      decodeValue(payload)`
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'pipe' })
  })
})
