/**
 * The transport of production: libp2p over TCP.
 */
// First of all: libp2p needs it as soon as it is loaded.
import './with-resolvers.js'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { AddressInUseError, ListenError } from '../../errors.js'
import {
  type Channel,
  DialError,
  type Probe,
  type Transport,
  type TransportHandlers,
  type TransportPlan,
} from '../../services/ports.js'
import { probeAddress, resolveAddress } from './addresses.js'
import { StreamChannel } from './channel.js'
import { backlog, flowsBothWays } from './gossip.js'
import { createNode, type Node, type NodeOptions } from './node.js'

/** Bytes waiting for a peer above which `publish` makes its caller wait. */
const BACKLOG_BYTES_HIGH = 1024 * 1024

/** How long `publish` waits for a peer whose backlog does not shrink before it goes on without it, in ms. */
const BACKLOG_PATIENCE_MS = 250

/** How long `stop` waits for what is still to be sent, in ms. */
const STOP_PATIENCE_MS = 500

/** Streams of one protocol and connection; the default of 32 is reset when many requests meet. */
const STREAMS_MAX = 1_024

/** How long it may take to find out who answers with this peer's own id, in ms. */
const TWIN_TIMEOUT_MS = 5_000

/** Where Node tells of each TCP connection that this process takes. */
const SOCKET_TAKEN = 'net.server.socket'

/** What libp2p keeps to itself: a dial that goes out also where the address names this peer's own id, and the listeners. */
interface NodeInternals {
  readonly components: {
    readonly transportManager: {
      dial(address: Multiaddr, options: { readonly signal: AbortSignal }): Promise<unknown>
      getAddrs(): Multiaddr[]
    }
  }
}

export type Libp2pTransportOptions = Omit<NodeOptions, 'topics'>

export class Libp2pTransport implements Transport {
  readonly id: string
  readonly #options: Libp2pTransportOptions
  readonly #createNode: typeof createNode
  #node: Node | undefined
  /** Asked for with each heartbeat, and costly to list; they do not change once the node listens. */
  #addresses: readonly string[] = []
  /** Connections by peer: asked for with each request, and libp2p would parse the peer's id each time. */
  readonly #connected = new Map<string, Set<Connection>>()
  /** Peers that let their backlog grow: not waited for until it has shrunk. */
  readonly #laggards = new Set<string>()

  /** @param create makes the libp2p node */
  constructor(options: Libp2pTransportOptions, create = createNode) {
    this.#createNode = create
    this.id = peerIdFromPrivateKey(
      options.privateKey as PrivateKey & { type: 'Ed25519' },
    ).toString()
    this.#options = options
  }

  get addresses(): readonly string[] {
    return this.#addresses
  }

  async start(plan: TransportPlan, handlers: TransportHandlers): Promise<void> {
    const node = await this.#createNode({ ...this.#options, topics: plan.topics })
    this.#node = node
    this.#listenTo(node, handlers)
    for (const protocol of plan.protocols) {
      await node.handle(
        protocol,
        ({ stream, connection }) =>
          handlers.channel(protocol, new StreamChannel(stream, connection)),
        { maxInboundStreams: STREAMS_MAX, maxOutboundStreams: STREAMS_MAX },
      )
    }
    try {
      await node.start()
    } catch (error) {
      await node.stop()
      throw listenError(error, this.#options.listen)
    }
    this.#addresses = node.getMultiaddrs().map(String)
    for (const topic of plan.topics) node.services.pubsub.subscribe(topic)
  }

  /** Stops, once what waits has been sent: libp2p itself would throw it away. */
  async stop(): Promise<void> {
    if (this.#node === undefined) return
    const deadlineMs = performance.now() + STOP_PATIENCE_MS
    const waiting = () =>
      [...backlog(this.#started().services.pubsub)].some(([, bytes]) => bytes > 0)
    // A turn even when nothing waits: the last message may be between two buffers.
    do await sleep(1)
    while (waiting() && performance.now() < deadlineMs)
    await this.#node.stop()
  }

  async dial(addresses: readonly string[], id?: string): Promise<string> {
    try {
      const targets = addresses.map((address) => withPeerId(multiaddr(address), id))
      const connection = await this.#started().dial(targets)
      return connection.remotePeer.toString()
    } catch (error) {
      const twinAt = isDialOfSelf(error) ? await this.#findTwin(addresses) : undefined
      if (twinAt === undefined) throw toDialError(error, addresses)
      throw new DialError('twin', `${twinAt}: another process has this peer's id`, { cause: error })
    }
  }

  resolve(address: string): Promise<readonly string[]> {
    return resolveAddress(address)
  }

  probe(address: string): Promise<Probe> {
    return probeAddress(address)
  }

  async hangUp(id: string): Promise<void> {
    await this.#node?.hangUp(peerIdFromString(id))
  }

  isConnected(id: string): boolean {
    return this.#connections(id).length > 0
  }

  gossipsWith(id: string): boolean {
    return this.#node !== undefined && flowsBothWays(this.#node.services.pubsub, id)
  }

  async publish(topic: string, bytes: Uint8Array): Promise<void> {
    const { pubsub } = this.#started().services
    await pubsub.publish(topic, bytes)
    await this.#waitForBacklog()
  }

  async open(id: string, protocol: string): Promise<Channel> {
    const [connection] = this.#connections(id)
    if (connection === undefined) throw new DialError('unreachable', `not connected to ${id}`)
    const stream = await connection.newStream(protocol, { maxOutboundStreams: STREAMS_MAX })
    return new StreamChannel(stream, connection)
  }

  /** The first address at which another process has this peer's id. */
  async #findTwin(addresses: readonly string[]): Promise<string | undefined> {
    for (const address of addresses) if (await this.#hasTwinAt(multiaddr(address))) return address
    return undefined
  }

  /**
   * Whether another process that has this peer's id answers at an address. This peer may be there itself, by a name or a
   * mapped port that it does not know of: then its own listener takes a connection meanwhile. Where it takes one, of
   * whomever, the answer is no.
   */
  async #hasTwinAt(address: Multiaddr): Promise<boolean> {
    const { transportManager } = (this.#started() as unknown as NodeInternals).components
    const ports = transportManager.getAddrs().map((own) => own.toOptions().port)
    let hasTaken = false
    const note = (message: unknown) => {
      const { localPort } = (message as { readonly socket: Socket }).socket
      if (localPort === undefined || ports.includes(localPort)) hasTaken = true
    }
    subscribe(SOCKET_TAKEN, note)
    try {
      const signal = AbortSignal.timeout(TWIN_TIMEOUT_MS)
      // Never opens a connection: anybody else is turned away for the id in the address.
      await transportManager.dial(withPeerId(address, this.id), { signal })
      return false
    } catch (error) {
      return !hasTaken && isDialOfSelf(error)
    } finally {
      unsubscribe(SOCKET_TAKEN, note)
    }
  }

  #started(): Node {
    if (this.#node === undefined) throw new Error('the transport has not been started')
    return this.#node
  }

  #connections(id: string): Connection[] {
    return [...(this.#connected.get(id) ?? [])].filter(({ status }) => status === 'open')
  }

  #listenTo(node: Node, handlers: TransportHandlers): void {
    node.addEventListener('connection:open', ({ detail: connection }) => {
      const id = connection.remotePeer.toString()
      if (id === this.id) return
      const known = this.#connected.get(id) ?? new Set()
      this.#connected.set(id, known.add(connection))
      const dialled = connection.direction === 'outbound'
      if (this.#connections(id).length > 1) handlers.connectedAgain(id, dialled)
      else handlers.connected(id, dialled)
    })
    node.addEventListener('connection:close', ({ detail: connection }) => {
      const id = connection.remotePeer.toString()
      const known = this.#connected.get(id)
      known?.delete(connection)
      if (known?.size === 0) this.#connected.delete(id)
    })
    node.addEventListener('peer:disconnect', ({ detail: peer }) => {
      if (peer.toString() === this.id) return
      this.#laggards.delete(peer.toString())
      handlers.disconnected(peer.toString())
    })
    node.addEventListener('peer:discovery', ({ detail: { id, multiaddrs } }) => {
      handlers.found(multiaddrs.map((address) => withPeerId(address, id.toString()).toString()))
    })
    node.services.pubsub.addEventListener('message', ({ detail: message }) => {
      if (message.type !== 'signed') return
      handlers.message(message.topic, message.from.toString(), message.data)
    })
  }

  /** Waits while a peer that keeps up has much to take in, so that a fast writer does not overrun it. */
  async #waitForBacklog(): Promise<void> {
    const deadlineMs = performance.now() + BACKLOG_PATIENCE_MS
    while (true) {
      const slow: string[] = []
      for (const [id, bytes] of backlog(this.#started().services.pubsub)) {
        if (bytes <= BACKLOG_BYTES_HIGH) this.#laggards.delete(id)
        else if (!this.#laggards.has(id)) slow.push(id)
      }
      if (slow.length === 0) return
      if (performance.now() > deadlineMs) {
        for (const id of slow) this.#laggards.add(id)
        return
      }
      await sleep(1)
    }
  }
}

function withPeerId(address: Multiaddr, id: string | undefined): Multiaddr {
  return id === undefined || address.getPeerId() !== null
    ? address
    : address.encapsulate(`/p2p/${id}`)
}

/** Every error inside an error: libp2p wraps the reason of a failed dial several times over. */
function* causes(error: unknown): Generator<NodeJS.ErrnoException> {
  if (!(error instanceof Error)) return
  yield error
  if (error instanceof AggregateError) for (const inner of error.errors) yield* causes(inner)
  if (error.cause !== undefined) yield* causes(error.cause)
}

/** What libp2p throws when a dial is to this peer's own id, or meets it. */
const SELF_ERRORS = ['DialedSelfError', 'InvalidPeerIdError']

/** What libp2p throws when another peer answers than the one asked for, or this peer itself. */
const WRONG_PEER_ERRORS = new Set([
  'UnexpectedPeerError',
  'ConnectionInterceptedError',
  'InvalidCryptoExchangeError',
  ...SELF_ERRORS,
])

function isDialOfSelf(error: unknown): boolean {
  return [...causes(error)].some(({ name }) => SELF_ERRORS.includes(name))
}

function toDialError(error: unknown, addresses: readonly string[]): DialError {
  const all = [...causes(error)]
  const wrongPeer = all.some(({ name }) => WRONG_PEER_ERRORS.has(name))
  const refused = all.filter(({ code }) => code === 'ECONNREFUSED').length >= addresses.length
  const reason = wrongPeer ? 'wrong peer' : refused ? 'refused' : 'unreachable'
  const [root] = all.reverse()
  return new DialError(reason, `${addresses.join(', ')}: ${root?.message ?? String(error)}`, {
    cause: error,
  })
}

function listenError(error: unknown, listen: readonly string[]): Error {
  const message = [...causes(error)].map((cause) => cause.message).join('; ')
  const taken = listen.find(
    (address) =>
      message.includes('EADDRINUSE') && message.includes(`:${multiaddr(address).toOptions().port}`),
  )
  if (taken !== undefined) return new AddressInUseError(taken, { cause: error })
  return new ListenError(`cannot listen on ${listen.join(', ')}: ${message}`, { cause: error })
}
