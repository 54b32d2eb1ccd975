/**
 * What a round of repair takes: two members with a million entries each, of which all or all but a hundred are equal. The
 * rounds are the ones that peers have, encoded as they go over the wire; only the wire itself is left out.
 */

import { loadHash64 } from '../../src/adapters/system/hash.js'
import type { Write } from '../../src/core/entry.js'
import type { MeshClock } from '../../src/core/mesh-clock.js'
import { keyHashOf, PARTITIONS } from '../../src/core/ring.js'
import { Store } from '../../src/core/store.js'
import { answersCodec, asksCodec } from '../../src/protocol/asks.js'
import { WireRecords } from '../../src/protocol/generated/wire.js'
import type { Answer, Ask, Records } from '../../src/protocol/messages.js'
import { recordsToWire } from '../../src/protocol/records.js'
import type { Agreements } from '../../src/services/agreements.js'
import type { Compared } from '../../src/services/compared.js'
import { RepairAnswers, type RepairComponents } from '../../src/services/repair-answers.js'
import { RepairRound } from '../../src/services/repair-round.js'
import type { Replication } from '../../src/services/replication.js'
import type { RequestStreams } from '../../src/services/request-streams.js'
import { quantile } from '../support/processes/peers.js'
import type { Line } from './run.js'

const ENTRIES = 1_000_000
const DIFFERENT = 100
const ROUNDS = 7
/** Written to each of two members that have room for half as many. */
const FULL_ENTRIES = 100_000
/** Bytes of Yamux, Noise and the length before each message, for TCP to carry. */
const FRAMING_BYTES = 12 + 18 + 2

export async function repair(): Promise<Line[]> {
  const hash = await loadHash64()
  const one = member(hash)
  const other = member(hash)
  console.error(`   filling two stores with ${ENTRIES} entries`)
  for (let i = 0; i < ENTRIES; i++) {
    for (const { store } of [one, other]) store.apply(write(i, 1))
  }
  const equals = []
  const differents = []
  for (let turn = 1; turn <= ROUNDS; turn++) {
    equals.push(await round(one, other))
    // Half of them new, half of them overwritten; one half here, one half there.
    for (let i = 0; i < DIFFERENT; i++) {
      const { store } = i % 2 === 0 ? one : other
      store.apply(write(i % 4 < 2 ? i * 997 : ENTRIES * turn + i, turn + 1))
    }
    differents.push(await round(one, other))
  }
  const equal = median(equals)
  const different = median(differents)
  const after = await round(one, other)
  if (after.bytes !== equal.bytes) throw new Error('the two are not equal after a round')
  const evicting = await full(hash)
  return [
    {
      what: 'round of two full members that evicted different halves of the same',
      figure: evicting.bytes,
      unit: 'B',
      wanted: 100,
    },
    { what: 'round of two equal members', figure: equal.bytes, unit: 'B', wanted: 100 },
    { what: 'the same, CPU of the asking side', figure: equal.askerMs, unit: 'ms' },
    {
      what: `${DIFFERENT} of ${ENTRIES} differ: beside the entries`,
      figure: different.bytes - different.recordBytes,
      unit: 'B',
      wanted: 20_000,
    },
    { what: 'the same, the entries', figure: different.recordBytes, unit: 'B' },
    { what: 'the same, round trips', figure: different.roundTrips, unit: '', wanted: 4 },
    { what: 'the same, CPU of the asking side', figure: different.askerMs, unit: 'ms', wanted: 50 },
    {
      what: 'the same, CPU of the answering side',
      figure: different.answererMs,
      unit: 'ms',
      wanted: 50,
    },
  ]
}

/** Two that had to evict half of what was written to them, each another half. */
async function full(hash: (text: string) => bigint) {
  const one = member(hash, FULL_ENTRIES / 2)
  const other = member(hash, FULL_ENTRIES / 2)
  for (let i = 0; i < FULL_ENTRIES; i++) {
    one.store.apply(write(i, 1))
    other.store.apply(write(FULL_ENTRIES - 1 - i, 1))
  }
  const outcome = await round(one, other)
  if (outcome.recordBytes > 0) throw new Error('what was evicted was sent again')
  return outcome
}

/** Each figure's median. */
function median(rounds: ReadonlyArray<Awaited<ReturnType<typeof round>>>) {
  const of = (figure: keyof (typeof rounds)[number]) =>
    quantile(
      rounds.map((one) => one[figure]),
      0.5,
    )
  return {
    bytes: of('bytes'),
    recordBytes: of('recordBytes'),
    roundTrips: of('roundTrips'),
    askerMs: of('askerMs'),
    answererMs: of('answererMs'),
  }
}

function write(i: number, wallMs: number): Write {
  const version = { wallMs: 1_767_225_600_000 + wallMs, counter: i % 65_536, member: 'm' }
  const key = `key ${i}`
  return { cache: 'c', key, version, deleted: false, payload: 'v', createdAt: 1, expiresAt: 0 }
}

function member(
  hash: (text: string) => bigint,
  itemsMax = Number.POSITIVE_INFINITY,
): RepairComponents {
  const clock = { now: () => Date.now(), monotonicMs: () => performance.now() }
  const store = new Store({
    clock,
    keyHashOf: (cache, key) => keyHashOf(hash, cache, key),
    itemsMax,
    bytesMax: Number.POSITIVE_INFINITY,
    tombstoneGraceMs: 3_600_000,
    tombstonesMax: 1_000,
    markersMax: 1_000,
    stubGraceMs: 3_600_000,
    stubsMax: FULL_ENTRIES,
  })
  const apply = ({ writes }: Records) => {
    let applied = 0
    for (const write of writes) if (store.apply(write) === 'applied') applied++
    return { applied, refused: 0 }
  }
  const partitions = new Uint8Array(PARTITIONS).fill(1)
  const compared = {
    isReady: true,
    ring: 0n,
    partitionsWith: () => partitions,
    excluded: () => undefined,
    heard: () => {},
  }
  const agreements = { nextMs: () => 0, agreed: () => {}, staleMs: () => undefined }
  return {
    store,
    replication: { apply } as unknown as Replication,
    meshClock: clock as unknown as MeshClock,
    compared: compared as unknown as Compared,
    agreements: agreements as unknown as Agreements,
    positions: () => [],
  }
}

async function round(one: RepairComponents, other: RepairComponents) {
  const answers = new RepairAnswers(other)
  let bytes = 0
  let recordBytes = 0
  let roundTrips = 0
  let answererMs = 0
  const ask = async (_id: string, body: Ask): Promise<Answer> => {
    roundTrips++
    const asked = asksCodec.encode({ asks: [{ id: 1, body }], cancelled: [] })
    const startMs = performance.now()
    const answer = answerTo(answers, asksCodec.decode(asked).asks[0]?.body as Ask)
    const answered = answersCodec.encode([{ id: 1, body: answer }])
    answererMs += performance.now() - startMs
    bytes += asked.length + answered.length + 2 * FRAMING_BYTES
    for (const message of [body, answer]) recordBytes += bytesOfRecords(message)
    return answersCodec.decode(answered)[0]?.body as Answer
  }
  const startMs = performance.now()
  await new RepairRound(
    {
      ...one,
      runtime: { random: { next: Math.random } } as never,
      requests: { ask } as unknown as RequestStreams,
      pace: async () => {},
      isUnderWay: () => false,
      differs: () => {},
    },
    'other',
    { isUrgent: true, isThorough: true, horizon: { valuesMs: 0, tombstonesMs: 0 } },
  ).run()
  const askerMs = performance.now() - startMs - answererMs
  return { bytes, recordBytes, roundTrips, askerMs, answererMs }
}

function answerTo(answers: RepairAnswers, ask: Ask): Answer {
  if (ask.kind === 'compare') return answers.compare('one', ask)
  if (ask.kind === 'narrow') return answers.narrow('one', ask)
  if (ask.kind === 'list') return answers.list('one', ask)
  if (ask.kind === 'exchange') return answers.exchange('one', ask)
  throw new Error(ask.kind)
}

function bytesOfRecords(message: Ask | Answer): number {
  if (message.kind !== 'list' && message.kind !== 'exchange') return 0
  if (!('records' in message)) return 0
  const { writes } = message.records
  return writes.length === 0 ? 0 : WireRecords.encode(recordsToWire(message.records)).length
}
