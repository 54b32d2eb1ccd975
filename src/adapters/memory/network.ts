/**
 * A network in memory: for tests and simulations, on simulated time or on the system's.
 *
 * It carries bytes only, and copies them, so that no two peers ever share an object; whatever the services say to
 * each other goes through the production codec. What goes wrong in it is named and may change while it runs:
 * loss, duplication, delay, links cut one way or both, processes killed, hosts lost, gossip gone deaf.
 */
import type { Clock, Random, Scheduler } from '../../services/ports.js'
import { Faults, type LinkSettings } from './faults.js'
import { MemoryTransport } from './transport.js'

export interface MemoryNetworkComponents {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
}

/** Sees what goes over the network, as it does. Must change nothing. */
export interface NetworkObserver {
  /** A message leaves its author. */
  published?(author: string, topic: string, bytes: Uint8Array): void
  /** A message is about to be handed to a peer. */
  delivered?(to: string, author: string, topic: string, bytes: Uint8Array): void
  /** A frame of a channel has arrived. */
  framed?(from: string, to: string, bytes: Uint8Array): void
  /** Something happens to a message on one link; what is held up comes `lateMs` later than it would have. */
  mishap?(what: Mishap, from: string, to: string, message: SentMessage, lateMs: number): void
}

/** What may happen to one message on one link. */
export type Mishap = 'lost' | 'duplicated' | 'held up'

/** A message on its way, as observers see it. */
export interface SentMessage {
  readonly topic: string
  readonly author: string
  readonly bytes: Uint8Array
}

/** Options of {@link MemoryNetwork}. Times in ms. */
export interface MemoryNetworkOptions extends Partial<LinkSettings> {
  /** @default nobody watches */
  readonly observer?: NetworkObserver
  /** How many of those that receive a message each pass it on to. 0: only the author sends. @default 2 */
  readonly forwardPeersMax?: number
  /** Silence after which a connection breaks, as pings over TCP would find. @default 8000 */
  readonly silenceMaxMs?: number
  /** How long a dial takes to be given up when nothing answers at all. @default 5000 */
  readonly dialTimeoutMs?: number
  /** The same for opening a channel, and for a probe. @default 2000 and 1000 */
  readonly openTimeoutMs?: number
  readonly probeTimeoutMs?: number
  /** Largest frame of a channel, in bytes. @default unlimited */
  readonly frameBytesMax?: number
}

/** One transport of the network: a process on a host. */
export interface MemoryPeerOptions {
  readonly id: string
  /** Port to listen on; 0 picks a free one. @default 0 */
  readonly port?: number
  /** Runs what reaches this process. @default the network's own */
  readonly scheduler?: Scheduler
}

const OPTION_DEFAULTS = {
  forwardPeersMax: 2,
  silenceMaxMs: 8_000,
  dialTimeoutMs: 5_000,
  openTimeoutMs: 2_000,
  probeTimeoutMs: 1_000,
  frameBytesMax: Number.POSITIVE_INFINITY,
}

/** The first port that is given out. */
const FIRST_PORT = 10_001

export class MemoryNetwork {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly faults: Faults
  readonly options: Omit<typeof OPTION_DEFAULTS, 'forwardPeersMax'>
  /** See {@link MemoryNetworkOptions.forwardPeersMax}; may change at any time. */
  forwardPeersMax: number
  readonly observer: NetworkObserver
  /** Addresses that `dns://<name>` stands for. */
  readonly names = new Map<string, readonly string[]>()
  /** Who listens, by address without the peer's id. */
  readonly #listeners = new Map<string, MemoryTransport>()
  /** Those that run, in the order in which they started. */
  readonly #running = new Set<MemoryTransport>()
  #nextPort = FIRST_PORT
  #messageCount = 0

  constructor(components: MemoryNetworkComponents, options: MemoryNetworkOptions = {}) {
    this.clock = components.clock
    this.scheduler = components.scheduler
    this.random = components.random
    this.faults = new Faults(given(options))
    this.options = { ...OPTION_DEFAULTS, ...given(options) }
    this.observer = options.observer ?? {}
    this.forwardPeersMax = options.forwardPeersMax ?? OPTION_DEFAULTS.forwardPeersMax
  }

  /** A transport on this network; it is there for others once it has started. */
  transport(options: MemoryPeerOptions): MemoryTransport {
    return new MemoryTransport(this, options)
  }

  /** Changes how links behave from now on. */
  configure(settings: Partial<LinkSettings>): void {
    this.faults.configure(settings)
  }

  /** Changes how one link behaves, in one direction. */
  configureLink(from: string, to: string, settings: Partial<LinkSettings>): void {
    this.faults.configureLink(from, to, settings)
  }

  /** Lets nothing through from `a` to `b`, and, unless `oneWay`, nothing back. */
  cut(a: string, b: string, { oneWay = false }: { readonly oneWay?: boolean } = {}): void {
    const nowMs = this.clock.monotonicMs()
    this.faults.cut(a, b, nowMs)
    if (!oneWay) this.faults.cut(b, a, nowMs)
  }

  /** Cuts every link between one group and another. */
  split(group: readonly string[], others: readonly string[]): void {
    for (const a of group) for (const b of others) this.cut(a, b)
  }

  /** Mends the links between two peers, or all; what waited on connections that still stand is sent. */
  heal(a?: string, b?: string): void {
    for (const [from, to] of this.faults.cuts()) {
      const isMeant = a === undefined || (from === a && to === b) || (from === b && to === a)
      if (isMeant) this.faults.heal(from, to)
    }
    for (const transport of this.#running) transport.flushHeld()
  }

  /** Makes every link as it was at the start; what waited on connections that still stand is sent. */
  reset(): void {
    this.faults.reset()
    this.heal()
  }

  /**
   * Kills every process with this id. The others' connections to it close soon after, unless `silent`: then its
   * whole host is gone, and nothing at all comes from it any more.
   */
  crash(id: string, { silent = false }: { readonly silent?: boolean } = {}): void {
    for (const transport of [...this.#running]) {
      if (transport.id === id) transport.crash({ silent })
    }
  }

  /** Makes gossip between two peers deaf both ways, though they stay connected, until they connect anew. */
  muteGossip(a: string, b: string): void {
    for (const transport of this.#running) {
      if (transport.id === a) transport.muteGossip(b)
      if (transport.id === b) transport.muteGossip(a)
    }
  }

  /** One-way delay of the next thing sent from one peer to another. */
  delayMs(from: string, to: string): number {
    const { min, max } = this.faults.settings(from, to).delayMs
    return min + this.random.next() * (max - min)
  }

  /** How much longer than others the next message takes, in ms: 0 for most. */
  heldUpMs(from: string, to: string): number {
    const { reorderProbability, reorderDelayMaxMs } = this.faults.settings(from, to)
    return this.happens(reorderProbability) ? this.random.next() * reorderDelayMaxMs : 0
  }

  /** Whether something happens that has this chance. Draws nothing when it cannot. */
  happens(probability: number): boolean {
    return probability > 0 && this.random.next() < probability
  }

  nextMessageNumber(): number {
    return ++this.#messageCount
  }

  /** Begins to listen. Returns the address. @throws when another one listens there */
  listen(transport: MemoryTransport, port: number): string {
    let wanted = port
    if (wanted === 0) {
      do wanted = this.#nextPort++
      while (this.#listeners.has(addressOf(wanted)))
    }
    const address = addressOf(wanted)
    if (this.#listeners.has(address)) throw new Error(`${address} is in use`)
    this.#listeners.set(address, transport)
    this.#running.add(transport)
    return address
  }

  /** Ends a process's part in the network. */
  remove(transport: MemoryTransport, address: string): void {
    this.#running.delete(transport)
    // The address of a lost host answers nothing, rather than refusing.
    if (!transport.isLost) this.#listeners.delete(address)
  }

  /** Who is at an address; a host that is lost counts until another one takes its place. */
  at(address: string): MemoryTransport | undefined {
    return this.#listeners.get(endpointOf(address))
  }

  /** Frees the address of a lost host, so that it can come back there. */
  replaceLost(port: number): void {
    const address = addressOf(port)
    if (this.#listeners.get(address)?.isLost) this.#listeners.delete(address)
  }
}

function given<T extends object>(options: T): T {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as T
}

function addressOf(port: number): string {
  return `/ip4/127.0.0.1/tcp/${port}`
}

/** An address without the peer's id. */
function endpointOf(address: string): string {
  return address.split('/p2p/')[0] as string
}
