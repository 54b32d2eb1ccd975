/**
 * The frames of a stream of requests: what one peer asks another, and what is answered.
 */
import { atMost, ProtocolError, text, utf8 } from './checks.js'
import { type Codec, codec } from './codec.js'
import * as wire from './generated/wire.js'
import { keysFromWire } from './keys.js'
import * as limits from './limits.js'
import type * as messages from './messages.js'
import { packPartitions, unpackPartitions } from './partitions.js'
import { recordsFromWire, recordsToWire } from './records.js'

/** What the opener of the stream asks. */
export const asksCodec: Codec<messages.Asks> = codec(
  wire.WireAsks,
  ({ asks, cancelled }: messages.Asks) => ({
    asks: asks.map(({ id, body }) => ({ id, ...askToWire(body) })),
    cancelled: [...cancelled],
  }),
  ({ asks, cancelled }) => {
    atMost(asks.length + cancelled.length, limits.ASKS_MAX, 'requests')
    return { asks: asks.map(({ id, ...ask }) => ({ id, body: askFromWire(ask) })), cancelled }
  },
)

/** What is answered. */
export const answersCodec: Codec<ReadonlyArray<messages.Numbered<messages.Answer>>> = codec(
  wire.WireAnswers,
  (answers: ReadonlyArray<messages.Numbered<messages.Answer>>) => ({
    answers: answers.map(({ id, body }) => ({ id, ...answerToWire(body) })),
  }),
  ({ answers }) => {
    atMost(answers.length, limits.ASKS_MAX, 'answers')
    return answers.map(({ id, ...answer }) => ({ id, body: answerFromWire(answer) }))
  },
)

function askToWire(ask: messages.Ask): Omit<wire.WireAsk, 'id'> {
  switch (ask.kind) {
    case 'confirm':
      return { confirm: { epoch: ask.epoch, sequence: ask.sequence } }
    case 'replicate':
      return { replicate: { records: recordsToWire(ask.records), ring: ask.ring } }
    case 'read':
      return { read: { keys: [...ask.keys], ring: ask.ring, large: ask.large } }
    case 'scan': {
      const { cache, partitions, fromPartition, countOnly } = ask
      return {
        scan: { cache, partitions: packPartitions(partitions), fromPartition, countOnly },
      }
    }
  }
}

function askFromWire(ask: Omit<wire.WireAsk, 'id'>): messages.Ask {
  const { confirm, replicate, read, scan } = ask
  if (confirm !== undefined) return { kind: 'confirm', ...confirm }
  if (replicate !== undefined) {
    return {
      kind: 'replicate',
      records: recordsFromWire(replicate.records),
      ring: unsigned(replicate.ring),
    }
  }
  if (read !== undefined) {
    const { keys, ring, large } = read
    return { kind: 'read', keys: keysFromWire(keys), ring: unsigned(ring), large }
  }
  if (scan === undefined) throw new ProtocolError('malformed', 'a request of no known kind')
  if (scan.partitions === undefined) throw new ProtocolError('malformed', 'a scan of no partition')
  return {
    kind: 'scan',
    cache: utf8(scan.cache, limits.CACHE_NAME_BYTES_MAX, 'cache name'),
    partitions: unpackPartitions(scan.partitions),
    fromPartition: scan.fromPartition,
    countOnly: scan.countOnly,
  }
}

function answerToWire(answer: messages.Answer): Omit<wire.WireAnswer, 'id'> {
  switch (answer.kind) {
    case 'confirm':
      return { confirm: { applied: answer.applied } }
    case 'replicate':
      return {
        replicate: { refused: answer.refused, ring: answer.ring, foreign: [...answer.foreign] },
      }
    case 'read':
      return {
        read: { records: recordsToWire(answer.records), ring: answer.ring, open: [...answer.open] },
      }
    case 'scan': {
      const { keys, count, nextPartition, lacking } = answer
      return {
        scan: {
          keys: [...keys],
          count,
          nextPartition,
          ...(lacking && { lacking: packPartitions(lacking) }),
        },
      }
    }
    case 'refusal':
      return { refusal: answer.reason }
  }
}

function answerFromWire(answer: Omit<wire.WireAnswer, 'id'>): messages.Answer {
  const { confirm, replicate, read, scan, refusal } = answer
  if (confirm !== undefined) return { kind: 'confirm', ...confirm }
  if (replicate !== undefined) {
    atMost(replicate.foreign.length, limits.RECORDS_MAX, 'indexes')
    return { kind: 'replicate', ...replicate, ring: unsigned(replicate.ring) }
  }
  if (read !== undefined) {
    atMost(read.open.length, limits.FETCH_KEYS_MAX, 'indexes')
    const records = recordsFromWire(read.records)
    return { kind: 'read', records, ring: unsigned(read.ring), open: read.open }
  }
  if (scan !== undefined) {
    atMost(scan.keys.length, limits.SCAN_KEYS_MAX, 'keys')
    for (const key of scan.keys) utf8(key, limits.KEY_BYTES_MAX, 'key')
    return { kind: 'scan', ...scan, lacking: scan.lacking && unpackPartitions(scan.lacking) }
  }
  if (refusal === undefined) throw new ProtocolError('malformed', 'an answer of no known kind')
  return { kind: 'refusal', reason: text(refusal, 'refusal') }
}

/** The library reads 64-bit fields as signed numbers. */
function unsigned(digest: bigint): bigint {
  return BigInt.asUintN(64, digest)
}
