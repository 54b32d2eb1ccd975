/**
 * Published messages in memory, after the manner of gossipsub: from the author to everybody it is connected to, and
 * from those who receive one on to a few others; what was seen before is dropped.
 *
 * Gossip with a peer hangs on the first connection to it. When that one closes while another stays, gossip between
 * the two is dead until they connect anew, though both count as connected: this is what happens over libp2p.
 */
import type { ConnectionEnd } from './connection.js'
import type { MemoryNetwork, SentMessage } from './network.js'

/** Messages remembered as seen. */
const SEEN_MAX = 20_000

interface Message extends SentMessage {
  readonly number: number
}

/** What one peer has with another. */
interface Route {
  /** The connection that messages to it go over. */
  readonly outbound: ConnectionEnd
  /** The connection that its subscriptions came over, and what it subscribed to. */
  inbound: ConnectionEnd | undefined
  topics: readonly string[]
}

export class MemoryGossip {
  readonly #network: MemoryNetwork
  readonly #id: string
  readonly #topics: readonly string[]
  readonly #deliver: (topic: string, author: string, bytes: Uint8Array) => void
  readonly #routes = new Map<string, Route>()
  readonly #seen = new Set<number>()

  constructor(
    network: MemoryNetwork,
    id: string,
    topics: readonly string[],
    deliver: (topic: string, author: string, bytes: Uint8Array) => void,
  ) {
    this.#network = network
    this.#id = id
    this.#topics = topics
    this.#deliver = deliver
  }

  /** The first connection to a peer opened: tells it the topics over it. */
  connected(end: ConnectionEnd): void {
    this.#routes.set(end.remote, { outbound: end, inbound: undefined, topics: [] })
    const topics = [...this.#topics]
    const id = this.#id
    end.sendFrame((there) => there.owner.gossip?.subscribed(id, there, topics))
  }

  /** The last connection to a peer closed. */
  disconnected(id: string): void {
    this.#routes.delete(id)
  }

  /** A peer's subscriptions came over a connection. */
  subscribed(id: string, end: ConnectionEnd, topics: readonly string[]): void {
    const route = this.#routes.get(id)
    if (route === undefined) return
    route.inbound = end
    route.topics = topics
  }

  flowsBothWays(id: string): boolean {
    const route = this.#routes.get(id)
    if (route?.inbound === undefined) return false
    return [route.outbound, route.inbound].every(({ isOpen, isMuted }) => isOpen && !isMuted)
  }

  publish(topic: string, bytes: Uint8Array): void {
    const number = this.#network.nextMessageNumber()
    const message = { number, topic, author: this.#id, bytes: new Uint8Array(bytes) }
    this.#remember(number)
    this.#network.observer.published?.(this.#id, topic, message.bytes)
    for (const route of this.#routes.values()) this.#send(route, message)
  }

  hasSeen(number: number): boolean {
    return this.#seen.has(number)
  }

  #send({ outbound, topics }: Route, message: Message): void {
    if (!outbound.isOpen || outbound.isMuted || !topics.includes(message.topic)) return
    const { faults, observer } = this.#network
    const { remote } = outbound
    const { lossProbability, duplicateProbability } = faults.settings(this.#id, remote)
    if (this.#network.happens(lossProbability)) {
      observer.mishap?.('lost', this.#id, remote, message, 0)
    } else {
      outbound.sendMessage(message, (there) => there.owner.gossip?.receive(message, there.remote))
    }
    if (this.#network.happens(duplicateProbability)) {
      observer.mishap?.('duplicated', this.#id, remote, message, 0)
      outbound.sendMessage(message, (there) => there.owner.gossip?.repeat(message))
    }
  }

  receive(message: Message, from: string): void {
    if (this.#seen.has(message.number)) return
    this.#remember(message.number)
    this.repeat(message)
    this.#forward(message, from)
  }

  /** Hands a message on, though it may have been seen before and forgotten. */
  repeat(message: Message): void {
    this.#network.observer.delivered?.(this.#id, message.author, message.topic, message.bytes)
    this.#deliver(message.topic, message.author, new Uint8Array(message.bytes))
  }

  #forward(message: Message, from: string): void {
    const routes = [...this.#routes.values()]
    if (routes.length === 0) return
    let left = this.#network.forwardPeersMax
    if (left === 0) return
    const offset = Math.floor(this.#network.random.next() * routes.length)
    for (let i = 0; i < routes.length && left > 0; i++) {
      const route = routes[(offset + i) % routes.length] as Route
      const { remote, peer } = route.outbound
      if (remote === from || remote === message.author) continue
      left--
      // Arriving there it would be dropped: one event less to run.
      if (!peer.owner.gossip?.hasSeen(message.number)) this.#send(route, message)
    }
  }

  #remember(number: number): void {
    this.#seen.add(number)
    if (this.#seen.size <= SEEN_MAX) return
    const [oldest] = this.#seen
    this.#seen.delete(oldest as number)
  }
}
