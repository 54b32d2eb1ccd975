/**
 * Gossipsub, set up for a mesh in which everybody is connected to everybody, and the few things its interface
 * does not say: whether messages can flow to a peer, and how much waits to be sent.
 *
 * - Peers of one host are many on one address, so the scores that punish this are off; with them on, more than ten
 *   peers on one address stop hearing each other.
 * - A message goes from its author to everybody at once, and nobody forwards it: with all connected, forwarding only
 *   repeats, at three times the cost. Round a broken link it comes by lazy gossip instead: at each heartbeat of
 *   gossipsub some peers are told what there is, and ask for what they lack.
 * - What a stranger may make us hold is bounded: topics other than our own, lists in one message, waiting bytes.
 */
import { type GossipSub, gossipsub } from '@chainsafe/libp2p-gossipsub'
import type { Message } from '@libp2p/interface'

/** Bytes that may wait for one peer; beyond it, messages to it are lost, and it will ask for the state. */
const OUTBOUND_BUFFER_BYTES_MAX = 16 * 1024 * 1024

/** Largest message taken in. A sender keeps to far smaller ones. */
const INBOUND_BYTES_MAX = 4 * 1024 * 1024

export function gossip(topics: readonly string[]) {
  return gossipsub({
    allowedTopics: [...topics],
    floodPublish: true,
    batchPublish: true,
    emitSelf: false,
    fallbackToFloodsub: false,
    doPX: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    globalSignaturePolicy: 'StrictSign',
    msgIdFn: shortIdOf,
    // Author and number name a message; known before the signature is checked, so a repeat costs no check.
    fastMsgIdFn: ({ from, seqno }) =>
      Buffer.from(from ?? []).toString('latin1') + Buffer.from(seqno ?? []).toString('latin1'),
    D: 0,
    Dlo: 0,
    Dhi: 0,
    Dscore: 0,
    Dout: 0,
    // However many there are: a message of the last two seconds is offered to each of them often enough.
    Dlazy: 2,
    gossipFactor: 0,
    heartbeatInterval: 1_000,
    // What was sent is kept for three heartbeats, and offered for two: by time, not by size, so not for long.
    mcacheLength: 3,
    mcacheGossip: 2,
    seenTTL: 60_000,
    pruneBackoff: 5_000,
    unsubcribeBackoff: 1_000,
    awaitRpcHandler: true,
    awaitRpcMessageHandler: true,
    idontwantMinDataSize: Number.POSITIVE_INFINITY,
    maxInboundDataLength: INBOUND_BYTES_MAX,
    maxOutboundBufferSize: OUTBOUND_BUFFER_BYTES_MAX,
    decodeRpcLimits: {
      maxSubscriptions: 64,
      maxMessages: 4_096,
      maxIhaveMessageIDs: 5_000,
      maxIwantMessageIDs: 5_000,
      maxIdontwantMessageIDs: 512,
      maxControlMessages: 5_000,
      maxPeerInfos: 16,
    },
    scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyWeight: 0 },
  })
}

/** Bytes of an author's key that stand for it in a message's id. */
const AUTHOR_BYTES = 8

/**
 * What a message is called where it is offered: the end of its author's key, and its number. In a large mesh most of what
 * goes to and fro at rest is such names; the default's are three times as long.
 */
function shortIdOf(message: Message): Uint8Array {
  if (message.type !== 'signed') throw new Error('a message without a signature')
  const author = message.from.toMultihash().bytes.subarray(-AUTHOR_BYTES)
  const id = new Uint8Array(AUTHOR_BYTES + BigUint64Array.BYTES_PER_ELEMENT)
  id.set(author)
  new DataView(id.buffer).setBigUint64(AUTHOR_BYTES, message.sequenceNumber)
  return id
}

/** The fields of gossipsub's streams that its types keep to itself. */
interface GossipStream {
  readonly rawStream: { readonly status: string }
  readonly pushable?: { readonly readableLength: number }
}

/** What gossipsub keeps to itself: who is known to listen to each topic. */
interface GossipTopics {
  readonly topics: ReadonlyMap<string, ReadonlySet<string>>
}

/**
 * Whether messages flow both ways, those of every topic. When one of two connections to a peer closes, gossipsub may be
 * left with a dead stream and go on counting the peer as a recipient; then this is false.
 */
export function flowsBothWays(pubsub: GossipSub, id: string): boolean {
  const outbound = pubsub.streamsOutbound.get(id) as unknown as GossipStream | undefined
  const inbound = pubsub.streamsInbound.get(id) as unknown as GossipStream | undefined
  const { topics } = pubsub as unknown as GossipTopics
  return (
    pubsub.peers.has(id) &&
    outbound?.rawStream.status === 'open' &&
    inbound?.rawStream.status === 'open' &&
    pubsub.getTopics().every((topic) => topics.get(topic)?.has(id))
  )
}

/** Bytes that wait to be sent, by peer. */
export function* backlog(pubsub: GossipSub): Generator<[id: string, bytes: number]> {
  for (const [id, stream] of pubsub.streamsOutbound) {
    yield [id, (stream as unknown as GossipStream).pushable?.readableLength ?? 0]
  }
}
