/**
 * Messages to bytes and back: one version byte, then protobuf.
 *
 * Whatever comes from another peer passes through here, and comes out well-formed and within the limits or as a
 * `ProtocolError` whose `reason` is what the drop is counted under.
 */

import * as protobuf from 'protons-runtime'
import type { MemberDescription, MemberRole, MemberState, MemberStatus } from '../core/members.js'
import { countOf } from '../core/placement.js'
import { RING_MEMBERS_MAX } from '../core/ring.js'
import {
  addresses,
  atMost,
  incarnation,
  intervalMs,
  ProtocolError,
  text,
  timestamp,
  wallMs,
} from './checks.js'
import { packDigests, packRuns, unpackDigests, unpackRuns } from './digests.js'
import * as wire from './generated/wire.js'
import * as limits from './limits.js'
import type * as messages from './messages.js'
import { packPartitions, unpackPartitions } from './partitions.js'
import { recordsFromWire, recordsToWire } from './records.js'

/** Turns one kind of message into bytes and back. `decode` throws nothing but {@link ProtocolError}. */
export interface Codec<T> {
  encode(message: T): Uint8Array
  decode(bytes: Uint8Array): T
}

interface WireCodec<W> {
  codec(): protobuf.Codec<W>
  decode(bytes: Uint8Array): W
}

/** A codec of one kind of message: what it is on the wire, and the way there and back. */
export function codec<T, W>(
  inner: WireCodec<W>,
  toWire: (message: T) => Partial<W>,
  fromWire: (message: W) => T,
): Codec<T> {
  return {
    encode(message) {
      // A number below 128 is one byte.
      const writer = protobuf.writer().uint32(limits.PROTOCOL_MAJOR)
      inner.codec().encode(toWire(message), writer, { lengthDelimited: false })
      return writer.finish()
    },
    decode(bytes) {
      if (bytes[0] !== limits.PROTOCOL_MAJOR) {
        throw new ProtocolError(
          'version',
          `protocol version ${bytes[0] ?? 'missing'}, ours is ${limits.PROTOCOL_MAJOR}`,
        )
      }
      let message: W
      try {
        message = inner.decode(bytes.subarray(1))
      } catch (cause) {
        throw new ProtocolError('malformed', 'not a message of this kind', { cause })
      }
      return fromWire(message)
    },
  }
}

const STATES: readonly MemberState[] = ['alive', 'suspect', 'dead', 'left']
const STATE_TO_WIRE = {
  alive: wire.WireState.ALIVE,
  suspect: wire.WireState.SUSPECT,
  dead: wire.WireState.DEAD,
  left: wire.WireState.LEFT,
  forgotten: wire.WireState.FORGOTTEN,
}
const STATE_FROM_WIRE = {
  [wire.WireState.ALIVE]: 'alive',
  [wire.WireState.SUSPECT]: 'suspect',
  [wire.WireState.DEAD]: 'dead',
  [wire.WireState.LEFT]: 'left',
  [wire.WireState.FORGOTTEN]: 'forgotten',
} as const
const STATUS_TO_WIRE = {
  joining: wire.WireStatus.JOINING,
  serving: wire.WireStatus.SERVING,
  draining: wire.WireStatus.DRAINING,
}
const STATUS_FROM_WIRE: Record<wire.WireStatus, MemberStatus> = {
  [wire.WireStatus.JOINING]: 'joining',
  [wire.WireStatus.SERVING]: 'serving',
  [wire.WireStatus.DRAINING]: 'draining',
}

const ROLE_TO_WIRE = { owner: wire.WireRole.OWNER, client: wire.WireRole.CLIENT }
const ROLE_FROM_WIRE: Record<wire.WireRole, MemberRole> = {
  [wire.WireRole.OWNER]: 'owner',
  [wire.WireRole.CLIENT]: 'client',
}

function memberToWire(member: MemberDescription, state: MemberState = 'alive'): wire.WireMember {
  return {
    id: member.id,
    name: member.name,
    incarnation: member.incarnation,
    ...(member.outlived !== undefined && { outlived: member.outlived }),
    status: STATUS_TO_WIRE[member.status],
    addresses: [...member.addresses],
    state: STATE_TO_WIRE[state],
    role: ROLE_TO_WIRE[member.role],
  }
}

function memberFromWire(member: wire.WireMember | undefined): messages.MemberReport {
  if (member === undefined) throw new ProtocolError('malformed', 'a member is missing')
  const state = STATE_FROM_WIRE[member.state]
  return {
    id: text(member.id, 'member id'),
    name: text(member.name, 'member name'),
    incarnation: incarnation(member.incarnation),
    ...outlived(member),
    status: STATUS_FROM_WIRE[member.status],
    role: ROLE_FROM_WIRE[member.role],
    addresses: addresses(member.addresses),
    state: STATES.includes(state as MemberState) ? (state as MemberState) : 'dead',
  }
}

/** Which deaths a member has outlived, where it says so. */
function outlived(member: { readonly outlived?: number | undefined }): { outlived?: number } {
  return member.outlived === undefined ? {} : { outlived: incarnation(member.outlived) }
}

function helloToWire(hello: messages.Hello): wire.WireHello {
  return {
    mesh: hello.mesh,
    minor: hello.protocolMinor,
    replicas: hello.replicas === 'all' ? 0 : hello.replicas,
    partitions: hello.partitions,
    virtualNodes: hello.virtualNodes,
    tombstoneGraceMs: hello.tombstoneGraceMs,
    instance: hello.instance,
    clock: { wallMs: hello.clock.wallMs, counter: hello.clock.counter },
    self: memberToWire(hello.self),
    members: hello.members.map((member) => memberToWire(member, member.state)),
    wallMs: hello.wallMs,
    uptimeMs: hello.uptimeMs,
    rings: hello.rings.map((members) => ({ members: [...members] })),
  }
}

function helloFromWire(hello: wire.WireHello): messages.Hello {
  atMost(hello.members.length, limits.MEMBERS_MAX, 'members')
  atMost(hello.rings.length, limits.RINGS_MAX, 'rings')
  return {
    mesh: text(hello.mesh, 'mesh name'),
    protocolMinor: hello.minor,
    replicas: hello.replicas === 0 ? 'all' : hello.replicas,
    partitions: hello.partitions,
    virtualNodes: hello.virtualNodes,
    tombstoneGraceMs: hello.tombstoneGraceMs,
    instance: text(hello.instance, 'instance'),
    clock: timestamp(hello.clock ?? { wallMs: 0, counter: 0 }),
    self: memberFromWire(hello.self),
    members: hello.members.map(memberFromWire),
    wallMs: wallMs(hello.wallMs),
    uptimeMs: hello.uptimeMs,
    rings: hello.rings.map(({ members }) => {
      atMost(members.length, RING_MEMBERS_MAX, 'members of a ring')
      return members.map((member) => text(member, 'member id'))
    }),
  }
}

/** The opening of every connection. */
export const helloCodec: Codec<messages.Hello> = codec(wire.WireHello, helloToWire, helloFromWire)

/** The answer to a hello. */
export const helloReplyCodec: Codec<messages.HelloReply> = codec<
  messages.HelloReply,
  wire.WireHelloReply
>(
  wire.WireHelloReply,
  (reply) =>
    'welcome' in reply ? { welcome: helloToWire(reply.welcome) } : { refusal: reply.refusal },
  ({ welcome, refusal }) => {
    if (welcome !== undefined) return { welcome: helloFromWire(welcome) }
    if (refusal !== undefined) {
      for (const said of Object.values(refusal)) text(said, 'refusal')
      return { refusal }
    }
    throw new ProtocolError('malformed', 'neither a welcome nor a refusal')
  },
)

/** Messages of the heartbeat topic. */
export const heartbeatCodec: Codec<messages.Heartbeat> = codec(
  wire.WireHeartbeat,
  (heartbeat: messages.Heartbeat) => ({
    ...heartbeat,
    status: STATUS_TO_WIRE[heartbeat.status],
    role: ROLE_TO_WIRE[heartbeat.role],
    addresses: [...heartbeat.addresses],
  }),
  (heartbeat) => ({
    ...heartbeat,
    incarnation: incarnation(heartbeat.incarnation),
    ...outlived(heartbeat),
    wallMs: wallMs(heartbeat.wallMs),
    name: text(heartbeat.name, 'member name'),
    instance: text(heartbeat.instance, 'instance'),
    timestampMs: wallMs(heartbeat.timestampMs),
    intervalMs: intervalMs(heartbeat.intervalMs),
    // The library reads this field as a signed number.
    settledRing: BigInt.asUintN(64, heartbeat.settledRing),
    status: STATUS_FROM_WIRE[heartbeat.status],
    role: ROLE_FROM_WIRE[heartbeat.role],
    addresses: addresses(heartbeat.addresses),
  }),
)

/** Messages of the members topic. */
export const membersNewsCodec: Codec<readonly messages.MemberNews[]> = codec(
  wire.WireMembersNews,
  (news: readonly messages.MemberNews[]) => ({
    news: news.map(({ member, ...item }) => ({
      ...item,
      state: STATE_TO_WIRE[item.state],
      ...(member && { member: memberToWire(member) }),
    })),
  }),
  ({ news }) => {
    atMost(news.length, limits.MEMBERS_MAX, 'news')
    return news.map(({ member, ...item }) => ({
      ...item,
      id: text(item.id, 'member id'),
      incarnation: incarnation(item.incarnation),
      state: STATE_FROM_WIRE[item.state],
      ...(member && { member: memberFromWire(member) }),
    }))
  },
)

/** Messages of the ops topic. */
export const batchCodec: Codec<messages.Batch> = codec(
  wire.WireBatch,
  ({ epoch, sequence, ...records }: messages.Batch) => ({
    epoch,
    sequence,
    records: recordsToWire(records),
  }),
  ({ epoch, sequence, records }) => ({
    epoch,
    sequence,
    ...recordsFromWire(records),
  }),
)

export const stateRequestCodec: Codec<messages.StateRequest> = codec(
  wire.WireStateRequest,
  ({ fromPartition, partitions, ring, held }: messages.StateRequest) => ({
    fromPartition,
    ...(partitions && { partitions: packPartitions(partitions) }),
    ring,
    ...(held && { digests: packDigests(held.digests) }),
    valuesMs: held?.horizon.valuesMs ?? 0,
    tombstonesMs: held?.horizon.tombstonesMs ?? 0,
  }),
  ({ ring, digests, valuesMs, tombstonesMs, ...request }) => {
    const partitions = request.partitions && unpackPartitions(request.partitions)
    return {
      fromPartition: request.fromPartition,
      partitions,
      ring: BigInt.asUintN(64, ring),
      held: digests && {
        digests: unpackDigests(digests, partitions === undefined ? 0 : countOf(partitions)),
        horizon: { valuesMs: wallMs(valuesMs), tombstonesMs: wallMs(tombstonesMs) },
      },
    }
  },
)

export const statePageCodec: Codec<messages.StatePage> = codec(
  wire.WireStatePage,
  (page: messages.StatePage) => ({
    records: recordsToWire(page),
    nextPartition: page.nextPartition,
    last: page.last,
    positions: [...page.positions],
    clock: { wallMs: page.clock.wallMs, counter: page.clock.counter },
    ...(page.lacking && { lacking: packPartitions(page.lacking) }),
    otherRing: page.otherRing,
    moments: page.moments.map(({ member, instance, seconds, isOneWay }) => ({
      member,
      instance,
      runs: packRuns(seconds),
      oneWay: isOneWay,
    })),
  }),
  ({ records, nextPartition, last, positions, clock, lacking, otherRing, moments }) => {
    atMost(positions.length, limits.MEMBERS_MAX, 'positions')
    atMost(moments.length, limits.MEMBERS_MAX, 'members')
    for (const { member } of positions) text(member, 'member id')
    return {
      ...recordsFromWire(records),
      nextPartition,
      last,
      positions,
      clock: timestamp(clock ?? { wallMs: 0, counter: 0 }),
      lacking: lacking && unpackPartitions(lacking),
      otherRing,
      moments: moments.map(({ member, instance, runs, oneWay }) => ({
        member: text(member, 'member id'),
        instance: text(instance, 'instance'),
        ...unpackRuns(runs),
        isOneWay: oneWay,
      })),
    }
  },
)
