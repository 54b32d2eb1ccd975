/**
 * The libp2p node: TCP, Noise, Yamux, gossipsub, and limits that suit a mesh of servers rather than an open network.
 */
import type { GossipSub } from '@chainsafe/libp2p-gossipsub'
import { noise } from '@chainsafe/libp2p-noise'

import { identify } from '@libp2p/identify'
import type { Libp2p, PrivateKey } from '@libp2p/interface'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { createLibp2p } from 'libp2p'
import { gossip } from './gossip.js'
import { thriftyYamux } from './muxer.js'

export type Node = Libp2p<{ pubsub: GossipSub }>

export interface NodeOptions {
  readonly privateKey: PrivateKey
  readonly listen: readonly string[]
  readonly announce: readonly string[] | undefined
  readonly mdns: boolean
  readonly topics: readonly string[]
}

/**
 * How long opening a connection may take, and an inbound one its handshake, in ms. Long, for when many peers of one
 * host start together they are slow, and a handshake that is given up has to be done again.
 */
const DIAL_TIMEOUT_MS = 10_000
const INBOUND_UPGRADE_TIMEOUT_MS = 10_000

/** Dials at once: few, so that under load each one ends rather than all running out of time. */
const PARALLEL_DIALS_MAX = 4

/** Makes a node that has not been started. */
export async function createNode(options: NodeOptions): Promise<Node> {
  const noDelay = { noDelay: true }
  return (await createLibp2p({
    start: false,
    privateKey: options.privateKey,
    addresses: {
      listen: [...options.listen],
      ...(options.announce && { announce: [...options.announce] }),
    },
    transports: [
      tcp({ dialOpts: noDelay, listenOpts: noDelay, socketCloseTimeout: 500, backlog: 1024 }),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [thriftyYamux({ enableKeepAlive: false })],
    peerDiscovery: options.mdns ? [(await import('@libp2p/mdns')).mdns({ interval: 5_000 })] : [],
    connectionManager: {
      maxConnections: 2_000,
      maxParallelDials: PARALLEL_DIALS_MAX,
      dialTimeout: DIAL_TIMEOUT_MS,
      inboundUpgradeTimeout: INBOUND_UPGRADE_TIMEOUT_MS,
      outboundStreamProtocolNegotiationTimeout: 5_000,
      // A whole mesh starting at once comes from one address, all in the same second.
      inboundConnectionThreshold: 1_000,
      maxIncomingPendingConnections: 1_000,
      // Its own reconnecting gives up within milliseconds; hearsay has a dialer of its own.
      reconnectRetries: 0,
    },
    // It would open a stream to everybody every few seconds, at several times the cost of hearsay's own heartbeats,
    // which say the same and more.
    connectionMonitor: { enabled: false },
    connectionGater: {
      // A peer id of another type can be made to look like one's own choosing; ours are all Ed25519.
      denyInboundEncryptedConnection: (peer) => peer.type !== 'Ed25519',
      // libp2p takes whoever answers, also when the address names somebody else.
      denyOutboundEncryptedConnection: (peer, { remoteAddr }) => {
        const wanted = remoteAddr.getPeerId()
        return wanted !== null && wanted !== peer.toString()
      },
      // The default refuses private addresses in browsers only; here every address may be dialled.
      denyDialMultiaddr: () => false,
    },
    services: { identify: identify(), ping: ping(), pubsub: gossip(options.topics) },
  })) as unknown as Node
}
