/** Messages come back as they were sent; what is not a message is a `ProtocolError` and nothing else. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { leftOf, markerOf, type Write } from '../../src/core/entry.js'
import type { MemberDescription } from '../../src/core/members.js'
import { noPartitions } from '../../src/core/placement.js'
import { RING_MEMBERS_MAX } from '../../src/core/ring.js'
import { COUNTER_MAX, type Version, WALL_MS_MAX } from '../../src/core/version.js'
import { answersCodec, asksCodec } from '../../src/protocol/asks.js'
import { ProtocolError } from '../../src/protocol/checks.js'
import type { Codec } from '../../src/protocol/codec.js'
import * as codecs from '../../src/protocol/codec.js'
import * as wire from '../../src/protocol/generated/wire.js'
import * as limits from '../../src/protocol/limits.js'
import type * as messages from '../../src/protocol/messages.js'
import { at, del, set } from '../support/writes.js'

const self: messages.MemberReport = {
  id: '12D3KooWSelf',
  name: 'first',
  incarnation: 1_767_225_600_000,
  status: 'serving',
  role: 'owner',
  addresses: ['/ip4/127.0.0.1/tcp/4001', '/ip6/::1/tcp/4001'],
  state: 'alive',
}

const hello: messages.Hello = {
  mesh: 'shop',
  protocolMinor: 7,
  replicas: 3,
  partitions: 4096,
  virtualNodes: 256,
  tombstoneGraceMs: 3_600_000,
  instance: '0123456789abcdef',
  clock: { wallMs: WALL_MS_MAX, counter: COUNTER_MAX },
  self,
  members: [
    { ...self, id: 'alive', status: 'joining', role: 'client', state: 'alive' },
    { ...self, id: 'suspect', status: 'draining', state: 'suspect', addresses: [] },
    { ...self, id: 'dead', state: 'dead' },
    { ...self, id: 'left', state: 'left' },
  ],
  wallMs: WALL_MS_MAX,
  uptimeMs: 5,
  rings: [['12D3KooWSelf', 'alive'], ['12D3KooWSelf']],
}

const heartbeat: messages.Heartbeat = {
  name: 'first',
  incarnation: 3,
  status: 'draining',
  addresses: self.addresses,
  instance: '0123456789abcdef',
  sequence: 2 ** 40,
  uptimeMs: 86_400_000,
  wallMs: 1_767_225_600_000,
  loopLagMs: 12,
  intervalMs: 1_000,
  opsEpoch: 1_767_225_600_000,
  opsSequence: 9,
  settledRing: 2n ** 64n - 2n,
  timestampMs: 1_767_225_600_009,
  role: 'client',
}

const news: readonly messages.MemberNews[] = [
  {
    id: 'a',
    incarnation: 1,
    state: 'alive',
    refused: false,
    opsEpoch: 0,
    opsSequence: 0,
    member: { ...self, id: 'a' },
  },
  { id: 'b', incarnation: 2, state: 'suspect', refused: true, opsEpoch: 0, opsSequence: 0 },
  { id: 'c', incarnation: 3, state: 'dead', refused: false, opsEpoch: 7, opsSequence: 2 ** 40 },
  { id: 'd', incarnation: WALL_MS_MAX, state: 'left', refused: false, opsEpoch: 0, opsSequence: 0 },
  { id: 'e', incarnation: 5, state: 'forgotten', refused: false, opsEpoch: 0, opsSequence: 0 },
]

const announcement: Write = { ...set('large', '', at(4)), payload: undefined }

const records: messages.Records = {
  writes: [
    set('text', 'grüße 👋', at(1, 'm1'), { expiresAt: 2_000 }),
    set('empty text', '', at(2, 'm2', 1), { cache: 'other' }),
    set('bytes', new Uint8Array([0, 255]), at(3, 'm1')),
    set('no bytes', new Uint8Array(0), at(3, 'm1', COUNTER_MAX)),
    announcement,
    del('gone', at(WALL_MS_MAX, 'm3')),
    set('tagged', 'v', at(4, 'm1'), { tags: ['größe', 't'] }),
    leftOf(set('undone', 'v', at(4, 'm2'), { tags: ['t'] })),
  ],
  markers: [
    markerOf('other', at(5, 'm1')),
    markerOf('third', at(6, 'm4')),
    markerOf('third', at(7, 'm4'), 't'),
  ],
  stubs: [
    {
      cache: 'c',
      key: 'expired',
      version: at(7),
      expiresAt: 9,
      deleted: false,
      payload: undefined,
    },
  ],
}

/** Digests of the slices of markers. */
const slices = Int32Array.from({ length: 64 }, (_, slice) => slice - 32)

const noRecords: messages.Records = { writes: [], markers: [], stubs: [] }

/** Partitions at both ends of a byte, and of all. */
const some = noPartitions()
for (const partition of [0, 7, 8, 4_095]) some[partition] = 1

const horizon = { valuesMs: 1_767_225_600_000, tombstonesMs: 1_767_222_000_000 }

const sixteen = (digest: number) => Array<number>(16).fill(digest)

/** An answer to who holds the same. */
const same = {
  kind: 'compare',
  equal: false,
  horizon: { valuesMs: 0, tombstonesMs: 0 },
  ring: 0n,
  markers: 0,
  excluded: undefined,
  nodes: undefined,
  positions: [],
} as const

/** Some at the beginning, at the end, and in runs. */
function seconds(): Uint32Array {
  const seconds = new Uint32Array(4_096)
  seconds.fill(1_767_225_600, 1, 700)
  seconds.fill(2 ** 32 - 1, 4_095)
  return seconds
}

const page: messages.StatePage = {
  ...records,
  nextPartition: 4_096,
  last: true,
  positions: [{ member: 'm1', epoch: 1_767_225_600_000, sequence: 12 }],
  clock: { wallMs: 1, counter: 2 },
  lacking: some,
  moments: [
    {
      member: 'm9',
      instance: 'of then',
      seconds: seconds(),
      isOneWay: true,
      earliestS: 1_767_225_600,
    },
  ],
  otherRing: true,
}

const noPage = {
  nextPartition: 0,
  last: false,
  positions: [],
  lacking: undefined,
  otherRing: false,
}

/** Of every codec: messages that use all of its fields, and ones that use none. */
const samples: ReadonlyArray<readonly [string, Codec<unknown>, readonly unknown[]]> = [
  ['hello', codecs.helloCodec, [hello, { ...hello, replicas: 'all', members: [], rings: [] }]],
  [
    'hello reply',
    codecs.helloReplyCodec,
    [{ welcome: hello }, { refusal: { field: 'mesh', ours: 'a', theirs: 'b' } }],
  ],
  [
    'heartbeat',
    codecs.heartbeatCodec,
    [heartbeat, { ...heartbeat, addresses: [], settledRing: 0n }],
  ],
  ['members news', codecs.membersNewsCodec, [news, []]],
  [
    'batch',
    codecs.batchCodec,
    [
      { epoch: 9, sequence: 1, ...records },
      { epoch: 0, sequence: 0, ...noRecords },
    ],
  ],
  [
    'state request',
    codecs.stateRequestCodec,
    [
      { fromPartition: 0, partitions: undefined, ring: 0n, held: undefined },
      {
        fromPartition: 4_095,
        partitions: some,
        ring: 2n ** 64n - 1n,
        held: undefined,
      },
    ],
  ],
  ['state page', codecs.statePageCodec, [page, { ...page, ...noRecords, ...noPage, moments: [] }]],
  [
    'requests',
    asksCodec,
    [
      { asks: [], cancelled: [] },
      {
        asks: [
          { id: 1, body: { kind: 'confirm', epoch: 5, sequence: 2 ** 40 } },
          { id: 2 ** 32 - 1, body: { kind: 'replicate', records, ring: 2n ** 64n - 1n } },
          {
            id: 7,
            body: { kind: 'read', keys: [{ cache: 'c', key: 'größe' }], ring: 1n, large: true },
          },
          {
            id: 8,
            body: { kind: 'scan', cache: 'c', partitions: some, fromPartition: 9, countOnly: true },
          },
          { id: 20, body: { kind: 'ping' } },
          { id: 21, body: { kind: 'ping', target: 'peer-b' } },
          {
            id: 9,
            body: {
              kind: 'compare',
              root: 2n ** 64n - 1n,
              horizon,
              positions: true,
              givenUp: some,
            },
          },
          {
            id: 10,
            body: {
              kind: 'narrow',
              ring: 2n ** 64n - 1n,
              seed: -(2 ** 31),
              excluded: some,
              nodes: [
                { node: 0, partitions: sixteen(-1) },
                { node: 255, partitions: sixteen(2 ** 31 - 1) },
              ],
              givenUp: some,
            },
          },
          {
            id: 11,
            body: {
              kind: 'narrow',
              ring: 0n,
              seed: 1,
              excluded: undefined,
              nodes: [],
              givenUp: undefined,
            },
          },
          {
            id: 12,
            body: {
              kind: 'list',
              ring: 1n,
              seed: 2 ** 31 - 1,
              buckets: [
                { bucket: 0, ids: [] },
                { bucket: 65_535, ids: [0, 2 ** 24 - 1] },
              ],
              isUrgent: true,
              moments: [
                { partition: 0, atMs: 0, lostMs: 0 },
                { partition: 4_095, atMs: 1_767_225_600_000, lostMs: 1_767_225_601_000 },
              ],
              givesOnly: true,
            },
          },
          { id: 13, body: { kind: 'exchange', records, markers: slices, agreedMs: 0 } },
          {
            id: 14,
            body: {
              kind: 'exchange',
              records: noRecords,
              markers: undefined,
              agreedMs: 1_767_225_600_000,
            },
          },
        ],
        cancelled: [5, 2 ** 32 - 2],
      },
    ],
  ],
  [
    'answers',
    answersCodec,
    [
      [
        { id: 1, body: { kind: 'confirm', applied: true } },
        { id: 2, body: { kind: 'replicate', refused: 3, ring: 2n ** 64n - 1n, foreign: [0, 9] } },
        { id: 3, body: { kind: 'read', records, ring: 1n, open: [0, 999], markers: -7 } },
        {
          id: 5,
          body: { kind: 'scan', keys: ['größe'], count: 1, nextPartition: 4_096, lacking: some },
        },
        { id: 6, body: { kind: 'scan', keys: [], count: 0, nextPartition: 0, lacking: undefined } },
        { id: 4, body: { kind: 'refusal', reason: 'busy' } },
        { id: 20, body: { kind: 'ping', vitals: undefined } },
        {
          id: 21,
          body: {
            kind: 'ping',
            vitals: { incarnation: 0, instance: 'i', uptimeMs: 0, intervalMs: 60_000 },
          },
        },
        { id: 7, body: { ...same, equal: true, positions: page.positions } },
        {
          id: 8,
          body: {
            ...same,
            horizon,
            ring: 2n ** 64n - 1n,
            markers: -1,
            excluded: some,
            nodes: Int32Array.from({ length: 256 }, (_, node) => node - 128),
          },
        },
        {
          id: 9,
          body: {
            kind: 'narrow',
            partitions: [
              { partition: 0, buckets: sixteen(0) },
              { partition: 4_095, buckets: sixteen(2 ** 24 - 1) },
            ],
            done: 2,
          },
        },
        { id: 10, body: { kind: 'narrow', partitions: [], done: 0 } },
        {
          id: 11,
          body: {
            kind: 'list',
            records,
            wanted: [0, 65_535],
            done: 4_096,
            moments: [{ partition: 7, atMs: 1_000, lostMs: 0 }],
          },
        },
        { id: 12, body: { kind: 'exchange', records, markers: undefined } },
        { id: 13, body: { kind: 'exchange', records: noRecords, markers: slices } },
      ],
    ],
  ],
]

/** What decoding throws; fails when it throws nothing. */
function failure(codec: Codec<unknown>, bytes: Uint8Array): ProtocolError {
  try {
    codec.decode(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError)
    return error as ProtocolError
  }
  throw new Error('was decoded')
}

/** A message of our version around a body made by hand. */
function frame(body: Uint8Array): Uint8Array {
  return Uint8Array.from([limits.PROTOCOL_MAJOR, ...body])
}

/** Decodes, or fails with a `ProtocolError`: which of the two does not matter. */
function decodesOrRefuses(codec: Codec<unknown>, bytes: Uint8Array): void {
  try {
    codec.decode(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError)
  }
}

describe.each(samples)('a %s', (_, codec, values) => {
  const encoded = values.map((value) => codec.encode(value))

  it('of another protocol version is refused by both versions', () => {
    for (const bytes of encoded) {
      for (const version of [0, 2, 255]) {
        const other = Uint8Array.from(bytes)
        other[0] = version
        const error = failure(codec, other)
        expect(error.reason).toBe('version')
        expect(error.message).toMatch(
          new RegExp(`\\b${version}\\b.*\\b${limits.PROTOCOL_MAJOR}\\b`),
        )
      }
    }
  })

  it('of no bytes at all is refused', () => {
    const error = failure(codec, new Uint8Array(0))
    expect(error.reason).toBe('version')
    expect(error.message).toContain('missing')
  })

  it('that was cut short is refused, or is a shorter message', () => {
    for (const bytes of encoded) {
      for (let length = 0; length < bytes.length; length++) {
        decodesOrRefuses(codec, bytes.subarray(0, length))
      }
    }
  })

  it('with any byte turned into any other is refused, or is another message', () => {
    const turned = fc.record({
      bytes: fc.constantFrom(...encoded),
      at: fc.nat(),
      byte: fc.integer({ min: 0, max: 255 }),
    })
    fc.assert(
      fc.property(turned, ({ bytes, at, byte }) => {
        const copy = Uint8Array.from(bytes)
        copy[at % copy.length] = byte
        decodesOrRefuses(codec, copy)
      }),
      { numRuns: 500 },
    )
  })

  it('made of random bytes is refused, unless they happen to mean something', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodesOrRefuses(codec, bytes)
        decodesOrRefuses(codec, frame(bytes))
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    ['number', [0xa0, 0x06, 1]],
    ['text', [0xa2, 0x06, 3, 1, 2, 3]],
    ['64-bit number', [0xa1, 0x06, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['32-bit number', [0xa5, 0x06, 1, 2, 3, 4]],
  ])('with a %s field of a later minor version is understood', (_, unknown) => {
    for (const [i, bytes] of encoded.entries()) {
      expect(codec.decode(Uint8Array.from([...bytes, ...unknown]))).toEqual(values[i])
    }
  })

  it('comes back as it was sent', () => {
    for (const [i, bytes] of encoded.entries()) {
      expect(bytes[0]).toBe(limits.PROTOCOL_MAJOR)
      expect(codec.decode(bytes)).toEqual(values[i])
      expect(codec.decode(Buffer.from(bytes))).toEqual(values[i])
    }
  })
})

describe('records', () => {
  const { batchCodec } = codecs
  const batch = (some: Partial<messages.Records>) =>
    batchCodec.encode({ epoch: 1, sequence: 1, writes: [], markers: [], ...some })

  /** A batch as its sender would not make it. */
  const handmade = (parts: Partial<wire.WireRecords>) =>
    frame(
      wire.WireBatch.encode({
        epoch: 1,
        sequence: 1,
        records: {
          members: [],
          caches: [],
          records: [],
          markers: [],
          stubs: [],
          tags: [],
          tagged: [],
          ...parts,
        },
      }),
    )

  const stamped = { member: 0, cache: 0, wallMs: 1, counter: 0 }
  const record = { ...stamped, key: 'k', createdAt: 1, expiresAt: 0, deleted: false }
  const kinds = {
    records: (change: object) => ({ records: [{ ...record, ...change }] }),
    markers: (change: object) => ({ markers: [{ ...stamped, ...change }] }),
    stubs: (change: object) => ({ stubs: [{ ...stamped, key: 'k', expiresAt: 0, ...change }] }),
  }

  describe.each(Object.entries(kinds))('among the %s', (_, kind) => {
    const known = { members: ['m'], caches: ['c'] }

    it('one by a member, or of a cache, that the message does not name is malformed', () => {
      expect(() => batchCodec.decode(handmade({ ...known, ...kind({}) }))).not.toThrow()
      for (const change of [{ member: 1 }, { cache: 1 }, { member: 2 ** 32 - 1 }]) {
        const error = failure(batchCodec, handmade({ ...known, ...kind(change) }))
        expect(error.reason).toBe('malformed')
      }
      expect(failure(batchCodec, handmade(kind({}))).reason).toBe('malformed')
    })

    it('one whose timestamp is out of range is refused', () => {
      const last = { wallMs: WALL_MS_MAX, counter: COUNTER_MAX }
      expect(() => batchCodec.decode(handmade({ ...known, ...kind(last) }))).not.toThrow()
      for (const change of [{ wallMs: WALL_MS_MAX + 1 }, { counter: COUNTER_MAX + 1 }]) {
        const error = failure(batchCodec, handmade({ ...known, ...kind(change) }))
        expect(error.reason).toBe('limit')
      }
    })

    it('one of a cache whose name is empty or too long is refused', () => {
      const named = (cache: string) => handmade({ ...known, caches: [cache], ...kind({}) })
      expect(failure(batchCodec, named('')).reason).toBe('malformed')
      expect(() => batchCodec.decode(named('c'.repeat(256)))).not.toThrow()
      expect(() => batchCodec.decode(named('ü'.repeat(128)))).not.toThrow()
      expect(failure(batchCodec, named('c'.repeat(257))).reason).toBe('limit')
      expect(failure(batchCodec, named(`c${'ü'.repeat(128)}`)).message).toContain('256')
    })

    it('one by a member whose id is too long is refused', () => {
      const by = (member: string) => handmade({ ...known, members: [member], ...kind({}) })
      expect(() => batchCodec.decode(by('m'.repeat(limits.TEXT_MAX)))).not.toThrow()
      expect(failure(batchCodec, by('m'.repeat(limits.TEXT_MAX + 1))).reason).toBe('limit')
    })
  })

  it.each([kinds.records, kinds.stubs])(
    'with a key that is empty or too long are refused',
    (kind) => {
      const keyed = (key: string) => handmade({ members: ['m'], caches: ['c'], ...kind({ key }) })
      expect(failure(batchCodec, keyed('')).reason).toBe('malformed')
      expect(() => batchCodec.decode(keyed('k'.repeat(1_024)))).not.toThrow()
      expect(() => batchCodec.decode(keyed('👋'.repeat(256)))).not.toThrow()
      expect(failure(batchCodec, keyed('k'.repeat(1_025))).reason).toBe('limit')
      expect(failure(batchCodec, keyed(`k${'👋'.repeat(256)}`)).message).toContain('1024')
    },
  )

  describe('with tags', () => {
    const known = { members: ['m'], caches: ['c'], records: [record] }
    const tagged = (tags: string[], indexes: number[], at = 0) =>
      handmade({ ...known, tags, tagged: [{ record: at, tags: indexes }] })

    it('that are empty or too long are refused', () => {
      expect(() => batchCodec.decode(tagged(['t'.repeat(128)], [0]))).not.toThrow()
      expect(failure(batchCodec, tagged([''], [0])).reason).toBe('malformed')
      expect(failure(batchCodec, tagged(['t'.repeat(129)], [0])).reason).toBe('limit')
      expect(failure(batchCodec, tagged([`t${'ü'.repeat(64)}`], [0])).message).toContain('128')
    })

    it('that the message does not name, or of a record that it has not, are malformed', () => {
      expect(failure(batchCodec, tagged(['t'], [1])).reason).toBe('malformed')
      expect(failure(batchCodec, tagged(['t'], [0], 1)).reason).toBe('malformed')
      const marker = { ...known, markers: [{ ...stamped, tag: 1 }], tags: ['t'] }
      expect(failure(batchCodec, handmade(marker)).reason).toBe('malformed')
    })

    it('of which there are too many are refused', () => {
      const tags = Array.from({ length: 33 }, (_, index) => `t${index}`)
      const indexes = [...tags.keys()]
      expect(() => batchCodec.decode(tagged(tags, indexes.slice(1)))).not.toThrow()
      expect(failure(batchCodec, tagged(tags, indexes)).message).toContain('33 tags')
    })
  })

  it.each([
    { text: new Uint8Array(0) },
    { binary: new Uint8Array(0) },
    { text: new Uint8Array([97]) },
  ])('that delete and have a value, %j, are malformed', (value) => {
    const parts = {
      members: ['m'],
      caches: ['c'],
      records: [{ ...record, deleted: true, ...value }],
    }
    expect(failure(batchCodec, handmade(parts)).reason).toBe('malformed')
  })

  it('are as many as the limit says and not one more, of all kinds together', () => {
    const many = (count: number): Write[] =>
      Array.from({ length: count }, (_, i) => del(`${i}`, at(1)))
    const others = { markers: [...records.markers], stubs: [...(records.stubs ?? [])] }
    const left = limits.RECORDS_MAX - others.markers.length - others.stubs.length
    const full = { writes: many(left), ...others }
    expect(batchCodec.decode(batch(full)).writes).toHaveLength(left)
    const error = failure(batchCodec, batch({ ...full, writes: many(left + 1) }))
    expect(error.reason).toBe('limit')
    expect(error.message).toContain('50001')
    expect(error.message).toContain('50000')
  })

  it('may be left out', () => {
    const nothing = frame(wire.WireBatch.encode({ epoch: 1, sequence: 2 }))
    expect(batchCodec.decode(nothing)).toMatchObject({ sequence: 2, writes: [], markers: [] })
  })

  it('with fields of a later minor version inside are understood', () => {
    const inner = wire.WireRecords.encode({ members: ['m'], caches: ['c'], records: [record] })
    const body = [...inner, 0xa2, 0x06, 2, 7, 7]
    const bytes = frame(Uint8Array.from([0x1a, body.length, ...body]))
    expect(batchCodec.decode(bytes).writes).toMatchObject([{ key: 'k', cache: 'c' }])
  })

  it('name each member and each cache once', () => {
    const writes = Array.from({ length: 100 }, (_, i) => del(`${i}`, at(1, 'm'.repeat(50))))
    expect(batch({ writes }).length).toBeLessThan(100 * 20)
  })

  it.each([
    ['a typed array', (bytes: Uint8Array) => bytes],
    ['a Buffer', (bytes: Uint8Array) => Buffer.from(bytes)],
    [
      'a part of a larger buffer',
      (bytes: Uint8Array) =>
        Buffer.concat([Buffer.alloc(5), bytes, Buffer.alloc(5)]).subarray(5, -5),
    ],
  ])('share no memory with a frame that is %s', (_, make) => {
    const binary = new Uint8Array([1, 2, 3, 4])
    const writes = [set('bytes', binary, at(1)), set('text', 'some text', at(2))]
    const bytes = make(batch({ writes }))
    const [first, second] = batchCodec.decode(bytes).writes
    bytes.fill(0)
    binary.fill(0)
    const payload = first?.payload as Uint8Array
    expect(payload).toEqual(new Uint8Array([1, 2, 3, 4]))
    // Nor do they keep a larger buffer alive.
    expect(payload.buffer.byteLength).toBe(4)
    expect(payload.constructor).toBe(Uint8Array)
    expect(second?.payload).toBe('some text')
  })

  it('of any keys, values and versions come back as they were sent', () => {
    const text = (maxLength: number) =>
      fc.oneof(
        fc.string({ minLength: 1, maxLength, unit: 'grapheme' }),
        fc.string({ minLength: 1, maxLength, unit: 'binary' }),
      )
    const versions: fc.Arbitrary<Version> = fc.record({
      wallMs: fc.maxSafeNat().map((ms) => ms % (WALL_MS_MAX + 1)),
      counter: fc.nat(COUNTER_MAX),
      member: text(20),
    })
    const payload = fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array(), fc.constant(undefined))
    const writes: fc.Arbitrary<Write> = fc
      .record({
        cache: text(20),
        key: text(40),
        version: versions,
        createdAt: fc.maxSafeNat(),
        expiresAt: fc.maxSafeNat(),
        deleted: fc.boolean(),
        payload,
      })
      .map((write) => (write.deleted ? { ...write, payload: undefined } : write))
    const stubs = fc.record({
      cache: text(20),
      key: text(40),
      version: versions,
      expiresAt: fc.maxSafeNat(),
      deleted: fc.constant(false),
      payload: fc.constant(undefined),
    })
    const markers = fc
      .record({ cache: text(20), version: versions })
      .map(({ cache, version }) => markerOf(cache, version))
    const all = fc.record({
      writes: fc.array(writes),
      markers: fc.array(markers, { maxLength: 3 }),
      stubs: fc.array(stubs, { maxLength: 3 }),
    })
    fc.assert(
      fc.property(all, (some) => {
        const body = { kind: 'read', records: some, ring: 0n, open: [], markers: 0 } as const
        const answers = [{ id: 1, body }]
        expect(answersCodec.decode(answersCodec.encode(answers))).toEqual(answers)
      }),
    )
  })
})

describe('the limits of', () => {
  const long = 'x'.repeat(limits.TEXT_MAX)
  const tooLong = `${long}x`
  const addresses = Array<string>(limits.ADDRESSES_MAX).fill(long)
  const member = { ...self, id: long, name: long, addresses }

  /** What a member may not say of itself. */
  const excesses: ReadonlyArray<readonly [string, Partial<MemberDescription>]> = [
    ['id', { id: tooLong }],
    ['name', { name: tooLong }],
    ['number of addresses', { addresses: [...addresses, ''] }],
    ['address', { addresses: [tooLong] }],
    ['incarnation', { incarnation: WALL_MS_MAX + 1 }],
  ]

  it.each(excesses)("a member's %s hold in a hello, in its answer and in news", (_, excess) => {
    const over = { ...member, ...excess }
    const greetings = (described: MemberDescription) => [
      { ...hello, self: described },
      { ...hello, members: [{ ...described, state: 'alive' as const }] },
    ]
    for (const greeting of greetings({ ...member, incarnation: WALL_MS_MAX })) {
      const welcome = { welcome: greeting }
      expect(codecs.helloCodec.decode(codecs.helloCodec.encode(greeting))).toEqual(greeting)
      const { helloReplyCodec } = codecs
      expect(helloReplyCodec.decode(helloReplyCodec.encode(welcome))).toEqual(welcome)
    }
    for (const greeting of greetings(over)) {
      const { helloCodec, helloReplyCodec } = codecs
      expect(failure(helloCodec, helloCodec.encode(greeting)).reason).toBe('limit')
      const answer = helloReplyCodec.encode({ welcome: greeting })
      expect(failure(helloReplyCodec, answer).reason).toBe('limit')
    }
    const { membersNewsCodec } = codecs
    const told = {
      id: 'a',
      incarnation: 1,
      state: 'alive',
      refused: false,
      opsEpoch: 0,
      opsSequence: 0,
    } as const
    const bytes = membersNewsCodec.encode([{ ...told, member: over }])
    expect(failure(membersNewsCodec, bytes).reason).toBe('limit')
  })

  it.each(excesses.slice(1))("a heartbeat's %s hold", (_, excess) => {
    const { heartbeatCodec } = codecs
    const full = { ...heartbeat, name: long, addresses, incarnation: WALL_MS_MAX }
    expect(heartbeatCodec.decode(heartbeatCodec.encode(full))).toEqual(full)
    const error = failure(heartbeatCodec, heartbeatCodec.encode({ ...full, ...excess }))
    expect(error.reason).toBe('limit')
  })

  it.each([
    ['mesh name', { mesh: tooLong }],
    ['instance', { instance: tooLong }],
    ['clock', { clock: { wallMs: WALL_MS_MAX + 1, counter: 0 } }],
    ["clock's counter", { clock: { wallMs: 0, counter: COUNTER_MAX + 1 } }],
  ])("a hello's %s hold", (_, excess) => {
    const { helloCodec } = codecs
    const full = { ...hello, mesh: long, instance: long }
    expect(helloCodec.decode(helloCodec.encode(full))).toEqual(full)
    const error = failure(helloCodec, helloCodec.encode({ ...full, ...excess }))
    expect(error.reason).toBe('limit')
  })

  it('the number of members in a hello hold', () => {
    const { helloCodec } = codecs
    const report = { ...self, addresses: [], state: 'dead' as const }
    const members = Array<messages.MemberReport>(limits.MEMBERS_MAX).fill(report)
    const full = helloCodec.encode({ ...hello, members })
    expect(helloCodec.decode(full).members).toHaveLength(limits.MEMBERS_MAX)
    const over = helloCodec.encode({ ...hello, members: [...members, report] })
    expect(failure(helloCodec, over)).toMatchObject({
      reason: 'limit',
      message: '10001 members, the limit is 10000',
    })
  })

  it('rings in a hello hold, of each and of all', () => {
    const { helloCodec } = codecs
    const fits = (rings: ReadonlyArray<readonly string[]>) => {
      const greeting = { ...hello, rings }
      expect(helloCodec.decode(helloCodec.encode(greeting))).toEqual(greeting)
    }
    const fails = (rings: ReadonlyArray<readonly string[]>) => {
      const bytes = helloCodec.encode({ ...hello, rings })
      return expect(failure(helloCodec, bytes)).toMatchObject({ reason: 'limit' })
    }
    fits(Array(limits.RINGS_MAX).fill(['a', long]))
    fails(Array(limits.RINGS_MAX + 1).fill([]))
    fits([Array(RING_MEMBERS_MAX).fill('a')])
    fails([['a'], Array(RING_MEMBERS_MAX + 1).fill('a')])
    fails([['a', tooLong]])
  })

  it('news of members hold', () => {
    const { membersNewsCodec } = codecs
    const item = {
      id: long,
      incarnation: WALL_MS_MAX,
      state: 'dead',
      refused: false,
      opsEpoch: 0,
      opsSequence: 0,
    } as const
    const many = Array<messages.MemberNews>(limits.MEMBERS_MAX).fill({ ...item, id: 'm' })
    expect(membersNewsCodec.decode(membersNewsCodec.encode(many))).toHaveLength(many.length)
    expect(membersNewsCodec.decode(membersNewsCodec.encode([item]))).toEqual([item])
    for (const over of [
      [...many, item],
      [{ ...item, id: tooLong }],
      [{ ...item, incarnation: WALL_MS_MAX + 1 }],
    ]) {
      expect(failure(membersNewsCodec, membersNewsCodec.encode(over)).reason).toBe('limit')
    }
  })

  it('a page of state hold', () => {
    const { statePageCodec } = codecs
    const position = { member: 'm', epoch: 1, sequence: 1 }
    const positions = Array<typeof position>(limits.MEMBERS_MAX).fill(position)
    const full = statePageCodec.encode({ ...page, positions })
    expect(statePageCodec.decode(full).positions).toHaveLength(limits.MEMBERS_MAX)
    const over = [
      { ...page, positions: [...positions, position] },
      { ...page, clock: { wallMs: WALL_MS_MAX + 1, counter: 0 } },
      { ...page, clock: { wallMs: 0, counter: COUNTER_MAX + 1 } },
    ]
    for (const each of over) {
      expect(failure(statePageCodec, statePageCodec.encode(each)).reason).toBe('limit')
    }
  })
})

describe('requests and answers', () => {
  /** A frame as its sender would not make it. */
  const asked = (ask: object) => frame(wire.WireAsks.encode({ asks: [{ id: 1, ...ask }] }))
  const answered = (answer: object) =>
    frame(wire.WireAnswers.encode({ answers: [{ id: 1, ...answer }] }))
  const scan = {
    cache: 'c',
    partitions: new Uint8Array(512).fill(255),
    fromPartition: 0,
    countOnly: false,
  }
  const found = { keys: ['k'], count: 1, nextPartition: 1, lacking: undefined }
  const confirm = { id: 1, body: { kind: 'confirm', epoch: 1, sequence: 1 } } as const

  it('of no kind are malformed', () => {
    expect(failure(asksCodec, asked({})).reason).toBe('malformed')
    expect(failure(answersCodec, answered({})).reason).toBe('malformed')
  })

  it('are as many as the limit says and not one more, the cancelled ones among them', () => {
    const many = (count: number, cancelled: number) =>
      asksCodec.encode({
        asks: Array<typeof confirm>(count).fill(confirm),
        cancelled: Array<number>(cancelled).fill(7),
      })
    const { asks, cancelled } = asksCodec.decode(many(limits.ASKS_MAX - 3, 3))
    expect([asks.length, cancelled.length]).toEqual([limits.ASKS_MAX - 3, 3])
    expect(failure(asksCodec, many(limits.ASKS_MAX - 3, 4))).toMatchObject({
      reason: 'limit',
      message: '10001 requests, the limit is 10000',
    })
    const answer = { id: 1, body: { kind: 'confirm', applied: true } } as const
    const answers = answersCodec.encode(Array<typeof answer>(limits.ASKS_MAX + 1).fill(answer))
    expect(failure(answersCodec, answers).reason).toBe('limit')
  })

  it('for a scan name partitions, and a cache', () => {
    expect(() => asksCodec.decode(asked({ scan }))).not.toThrow()
    const nothing = { ...scan, partitions: new Uint8Array() }
    const bad = [
      [nothing, 'malformed'],
      [{ ...scan, partitions: new Uint8Array(511) }, 'malformed'],
      [{ ...scan, partitions: new Uint8Array(513) }, 'malformed'],
      [{ ...scan, cache: '' }, 'malformed'],
      [{ ...scan, cache: 'c'.repeat(257) }, 'limit'],
    ] as const
    for (const [ask, reason] of bad) {
      expect(failure(asksCodec, asked({ scan: ask })).reason).toBe(reason)
    }
  })

  it('for a read name no more keys than may be, and none that is too long', () => {
    const key = { cache: 'c', key: 'k' }
    const keys = Array<typeof key>(limits.FETCH_KEYS_MAX).fill(key)
    expect(() => asksCodec.decode(asked({ read: { keys, ring: 0n } }))).not.toThrow()
    for (const over of [[...keys, key], [{ cache: 'c', key: 'k'.repeat(1_025) }]]) {
      expect(failure(asksCodec, asked({ read: { keys: over, ring: 0n } })).reason).toBe('limit')
    }
    expect(
      failure(asksCodec, asked({ read: { keys: [{ cache: 'c', key: '' }], ring: 0n } })).reason,
    ).toBe('malformed')
  })

  it('of a scan tell keys within their limits, and partitions in full or not at all', () => {
    expect(() => answersCodec.decode(answered({ scan: found }))).not.toThrow()
    const bad = [
      [{ ...found, keys: ['k'.repeat(1_025)] }, 'limit'],
      [{ ...found, keys: [''] }, 'malformed'],
      [{ ...found, lacking: new Uint8Array(1) }, 'malformed'],
    ] as const
    for (const [scanned, reason] of bad) {
      expect(failure(answersCodec, answered({ scan: scanned })).reason).toBe(reason)
    }
  })

  it('of a repair are of whole digests and ids, within their limits', () => {
    const narrow = { ring: 0n, seed: 1, nodes: new Uint8Array(65) }
    const list = { ring: 0n, seed: 1, buckets: new Uint8Array([0, 0, 1, 0, 7, 7, 7]) }
    expect(() => asksCodec.decode(asked({ narrow }))).not.toThrow()
    expect(() => asksCodec.decode(asked({ list }))).not.toThrow()
    const bad = [
      [{ narrow: { ...narrow, nodes: new Uint8Array(64) } }, 'malformed'],
      [{ narrow: { ...narrow, nodes: new Uint8Array(65 * 257) } }, 'limit'],
      [{ narrow: { ...narrow, excluded: new Uint8Array(5) } }, 'malformed'],
      [{ list: { ...list, buckets: new Uint8Array([0, 0, 1]) } }, 'malformed'],
      [{ list: { ...list, buckets: new Uint8Array([0, 0, 2, 0, 7, 7, 7]) } }, 'malformed'],
      [{ list: { ...list, buckets: new Uint8Array(4 + 65_535 * 3).fill(255, 0, 4) } }, undefined],
      [{ list: { ...list, buckets: overfull() } }, 'limit'],
      [{ list: { ...list, moments: new Uint8Array(5) } }, 'malformed'],
      [{ list: { ...list, moments: new Uint8Array(10).fill(255) } }, 'limit'],
    ] as const
    for (const [ask, reason] of bad) {
      if (reason === undefined) expect(() => asksCodec.decode(asked(ask))).not.toThrow()
      else expect(failure(asksCodec, asked(ask)).reason).toBe(reason)
    }
    const badAnswers = [
      [{ compare: { nodes: new Uint8Array(1_020) } }, 'malformed'],
      [{ compare: { excluded: new Uint8Array(1) } }, 'malformed'],
      [{ narrow: { partitions: new Uint8Array(49) } }, 'malformed'],
      [{ narrow: { partitions: new Uint8Array(50).fill(255) } }, 'limit'],
      [{ list: { wanted: Array<number>(limits.LIST_IDS_MAX + 1).fill(0) } }, 'limit'],
    ] as const
    for (const [answer, reason] of badAnswers) {
      expect(failure(answersCodec, answered(answer)).reason).toBe(reason)
    }
  })

  /** Two buckets with more ids than there may be. */
  function overfull(): Uint8Array {
    const bucket = new Uint8Array(4 + 65_535 * 3).fill(255, 2, 4)
    return Buffer.concat([bucket, bucket])
  }

  it('of reads and writes name no more indexes than there may be records', () => {
    const foreign = (count: number) =>
      answered({ replicate: { refused: 0, ring: 0n, foreign: Array<number>(count).fill(1) } })
    expect(() => answersCodec.decode(foreign(limits.RECORDS_MAX))).not.toThrow()
    expect(failure(answersCodec, foreign(limits.RECORDS_MAX + 1)).reason).toBe('limit')
    const open = (count: number) =>
      answered({ read: { ring: 0n, open: Array<number>(count).fill(1) } })
    expect(() => answersCodec.decode(open(limits.FETCH_KEYS_MAX))).not.toThrow()
    expect(failure(answersCodec, open(limits.FETCH_KEYS_MAX + 1)).reason).toBe('limit')
  })
})

describe('a hello made by hand', () => {
  const { helloCodec, helloReplyCodec } = codecs
  /** A hello of which something is missing, or different. */
  const handmade = (change: object) => {
    const whole = wire.WireHello.decode(helloCodec.encode(hello).subarray(1))
    return wire.WireHello.encode({ ...whole, ...change })
  }

  it('of nobody is malformed', () => {
    expect(failure(helloCodec, frame(handmade({ self: undefined }))).reason).toBe('malformed')
  })

  it('without a clock is at the beginning of time', () => {
    const { clock } = helloCodec.decode(frame(handmade({ clock: undefined })))
    expect(clock).toEqual({ wallMs: 0, counter: 0 })
  })

  it('of a member in a state that only news can tell is taken to be of a dead one', () => {
    const [member] = wire.WireHello.decode(helloCodec.encode(hello).subarray(1)).members
    const forgotten = { ...member, state: wire.WireState.FORGOTTEN }
    const { members } = helloCodec.decode(frame(handmade({ members: [forgotten] })))
    expect(members.map(({ state }) => state)).toEqual(['dead'])
  })

  it('of an earlier version, without a role and rings, is of an owner that tells of none', () => {
    const { self, rings } = helloCodec.decode(frame(handmade({ rings: [] })))
    expect(self.role).toBe('owner')
    expect(rings).toEqual([])
  })

  it('of a status that does not exist is malformed', () => {
    const id = [0x0a, 1, 97]
    const nobody = [0x4a, id.length + 2, ...id, 0x20, 99]
    expect(failure(helloCodec, frame(Uint8Array.from(nobody))).reason).toBe('malformed')
  })

  it('with a number that is not exact in JavaScript is malformed', () => {
    const graceMs = [0x30, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
    const bytes = frame(Uint8Array.from([...handmade({}), ...graceMs]))
    expect(failure(helloCodec, bytes).reason).toBe('malformed')
  })

  it('that is neither a welcome nor a refusal is malformed', () => {
    expect(failure(helloReplyCodec, frame(new Uint8Array(0))).reason).toBe('malformed')
  })
})
