/**
 * The frames of a stream of requests: what one peer asks another, and what is answered.
 */

import type { Horizon } from '../core/counted.js'
import { MARKER_SLICES } from '../core/markers.js'
import { atMost, incarnation, intervalMs, ProtocolError, text, utf8 } from './checks.js'
import { type Codec, codec } from './codec.js'
import {
  packBuckets,
  packDigests,
  packMoments,
  packNodes,
  packPartitionDigests,
  unpackBuckets,
  unpackDigests,
  unpackMoments,
  unpackNodes,
  unpackPartitionDigests,
} from './digests.js'
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
    case 'compare':
      return {
        compare: {
          root: ask.root,
          ...horizonToWire(ask.horizon),
          positions: ask.positions,
          ...(ask.givenUp && { givenUp: packPartitions(ask.givenUp) }),
        },
      }
    case 'narrow': {
      const { ring, seed, excluded, nodes, givenUp } = ask
      const packed = {
        ...(excluded && { excluded: packPartitions(excluded) }),
        ...(givenUp && { givenUp: packPartitions(givenUp) }),
      }
      return { narrow: { ring, seed: seed >>> 0, ...packed, nodes: packNodes(nodes) } }
    }
    case 'list': {
      const { ring, seed, buckets, isUrgent, moments, givesOnly } = ask
      const packed = moments.length > 0 && { moments: packMoments(moments) }
      return {
        list: {
          ring,
          seed: seed >>> 0,
          buckets: packBuckets(buckets),
          urgent: isUrgent,
          givesOnly,
          ...packed,
        },
      }
    }
    case 'exchange':
      return {
        exchange: {
          records: recordsToWire(ask.records),
          agreedS: Math.floor(ask.agreedMs / S_MS),
          ...slicesToWire(ask.markers),
        },
      }
    case 'ping':
      return { ping: ask.target === undefined ? {} : { target: ask.target } }
  }
}

function askFromWire(ask: Omit<wire.WireAsk, 'id'>): messages.Ask {
  const { confirm, replicate, read, scan, ping } = ask
  if (ping !== undefined) {
    const { target } = ping
    return { kind: 'ping', ...(target !== undefined && { target: text(target, 'member id') }) }
  }
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
  if (scan === undefined) return repairAskFromWire(ask)
  if (scan.partitions === undefined) throw new ProtocolError('malformed', 'a scan of no partition')
  return {
    kind: 'scan',
    cache: utf8(scan.cache, limits.CACHE_NAME_BYTES_MAX, 'cache name'),
    partitions: unpackPartitions(scan.partitions),
    fromPartition: scan.fromPartition,
    countOnly: scan.countOnly,
  }
}

/** What anti-entropy asks. */
function repairAskFromWire({
  compare,
  narrow,
  list,
  exchange,
}: Omit<wire.WireAsk, 'id'>): messages.Ask {
  if (compare !== undefined) {
    const { root, positions, givenUp } = compare
    return {
      kind: 'compare',
      root: unsigned(root),
      horizon: horizonFromWire(compare),
      positions,
      givenUp: givenUp && unpackPartitions(givenUp),
    }
  }
  if (narrow !== undefined) {
    const { ring, seed, excluded, nodes, givenUp } = narrow
    return {
      kind: 'narrow',
      ring: unsigned(ring),
      seed: seed | 0,
      excluded: excluded && unpackPartitions(excluded),
      nodes: unpackNodes(nodes),
      givenUp: givenUp && unpackPartitions(givenUp),
    }
  }
  if (list !== undefined) {
    const { ring, seed, buckets, urgent, moments, givesOnly } = list
    return {
      kind: 'list',
      ring: unsigned(ring),
      seed: seed | 0,
      buckets: unpackBuckets(buckets),
      isUrgent: urgent,
      moments: unpackMoments(moments),
      givesOnly,
    }
  }
  if (exchange !== undefined) {
    const { records, markers, agreedS } = exchange
    const agreedMs = agreedS * S_MS
    return {
      kind: 'exchange',
      records: recordsFromWire(records),
      markers: slicesFromWire(markers),
      agreedMs,
    }
  }
  throw new ProtocolError('malformed', 'a request of no known kind')
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
        read: {
          records: recordsToWire(answer.records),
          ring: answer.ring,
          open: [...answer.open],
          markers: (answer.markers ?? 0) >>> 0,
        },
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
    case 'compare': {
      const { equal, horizon, ring, markers, excluded, nodes, positions } = answer
      const compare = { equal, ring: 0n, markers: 0, valuesS: 0, tombstonesS: 0 }
      if (!equal)
        Object.assign(compare, { ring, markers: markers >>> 0, ...horizonToWire(horizon) })
      return {
        compare: {
          ...compare,
          ...(excluded && { excluded: packPartitions(excluded) }),
          ...(nodes && { nodes: packDigests(nodes) }),
          positions: [...positions],
        },
      }
    }
    case 'narrow':
      return {
        narrow: { partitions: packPartitionDigests(answer.partitions), done: answer.done },
      }
    case 'list': {
      const { records, wanted, done, moments } = answer
      const packed = moments.length > 0 && { moments: packMoments(moments) }
      return { list: { records: recordsToWire(records), wanted: [...wanted], done, ...packed } }
    }
    case 'exchange':
      return {
        exchange: { records: recordsToWire(answer.records), ...slicesToWire(answer.markers) },
      }
    case 'ping':
      return { ping: answer.vitals ?? NO_VITALS }
    case 'refusal':
      return { refusal: answer.reason }
  }
}

function answerFromWire(answer: Omit<wire.WireAnswer, 'id'>): messages.Answer {
  const { confirm, replicate, read, scan, ping, refusal } = answer
  if (ping !== undefined) return { kind: 'ping', vitals: vitalsFromWire(ping) }
  if (confirm !== undefined) return { kind: 'confirm', ...confirm }
  if (replicate !== undefined) {
    atMost(replicate.foreign.length, limits.RECORDS_MAX, 'indexes')
    return { kind: 'replicate', ...replicate, ring: unsigned(replicate.ring) }
  }
  if (read !== undefined) {
    atMost(read.open.length, limits.FETCH_KEYS_MAX, 'indexes')
    const records = recordsFromWire(read.records)
    const { open, markers } = read
    return { kind: 'read', records, ring: unsigned(read.ring), open, markers: markers | 0 }
  }
  if (scan !== undefined) {
    atMost(scan.keys.length, limits.SCAN_KEYS_MAX, 'keys')
    for (const key of scan.keys) utf8(key, limits.KEY_BYTES_MAX, 'key')
    return { kind: 'scan', ...scan, lacking: scan.lacking && unpackPartitions(scan.lacking) }
  }
  if (refusal === undefined) return repairAnswerFromWire(answer)
  return { kind: 'refusal', reason: text(refusal, 'refusal') }
}

/** What anti-entropy is answered. */
function repairAnswerFromWire({
  compare,
  narrow,
  list,
  exchange,
}: Omit<wire.WireAnswer, 'id'>): messages.Answer {
  if (compare !== undefined) {
    const { equal, ring, markers, excluded, nodes, positions } = compare
    atMost(positions.length, limits.MEMBERS_MAX, 'positions')
    for (const { member } of positions) text(member, 'member id')
    return {
      kind: 'compare',
      equal,
      horizon: horizonFromWire(compare),
      ring: unsigned(ring),
      markers: markers | 0,
      excluded: excluded && unpackPartitions(excluded),
      nodes: nodes && unpackDigests(nodes),
      positions,
    }
  }
  if (narrow !== undefined) {
    return {
      kind: 'narrow',
      partitions: unpackPartitionDigests(narrow.partitions),
      done: narrow.done,
    }
  }
  if (list !== undefined) {
    atMost(list.wanted.length, limits.LIST_IDS_MAX, 'ids')
    const { records, moments } = list
    return {
      kind: 'list',
      ...list,
      records: recordsFromWire(records),
      moments: unpackMoments(moments),
    }
  }
  if (exchange !== undefined) {
    const { records, markers } = exchange
    return {
      kind: 'exchange',
      records: recordsFromWire(records),
      markers: slicesFromWire(markers),
    }
  }
  throw new ProtocolError('malformed', 'an answer of no known kind')
}

const NO_VITALS = { uptimeMs: 0, instance: '', intervalMs: 0 }

function vitalsFromWire({ incarnation: given, ...vitals }: wire.WirePingReply) {
  if (given === undefined) return undefined
  return {
    incarnation: incarnation(given),
    instance: text(vitals.instance, 'instance'),
    uptimeMs: vitals.uptimeMs,
    intervalMs: intervalMs(vitals.intervalMs),
  }
}

const S_MS = 1_000

function horizonToWire({ valuesMs, tombstonesMs }: Horizon) {
  return { valuesS: Math.floor(valuesMs / S_MS), tombstonesS: Math.floor(tombstonesMs / S_MS) }
}

function horizonFromWire(from: { valuesS: number; tombstonesS: number }): Horizon {
  return { valuesMs: from.valuesS * S_MS, tombstonesMs: from.tombstonesS * S_MS }
}

/** The library reads 64-bit fields as signed numbers. */
function unsigned(digest: bigint): bigint {
  return BigInt.asUintN(64, digest)
}

/** Digests of slices of markers, where they are given. */
function slicesToWire(slices: Int32Array | undefined): { markers?: Uint8Array } {
  return slices === undefined ? {} : { markers: packDigests(slices) }
}

function slicesFromWire(packed: Uint8Array | undefined): Int32Array | undefined {
  return packed && unpackDigests(packed, MARKER_SLICES)
}
