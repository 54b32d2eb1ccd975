/**
 * One end of a connection in memory. What is sent arrives at the other end, in its process's time: frames in order
 * and for certain, as over TCP, messages each on its own. While the link is cut both wait, and go on when it heals,
 * unless the connection has broken by then.
 */
import { MemoryChannel } from './channel.js'
import type { MemoryNetwork, SentMessage } from './network.js'
import type { MemoryTransport } from './transport.js'

/** Time by which the end of a connection comes after the last message, in ms: a clock that drifts rounds. */
const END_GAP_MS = 0.01

/** Time after which something unacknowledged is sent again the first time, in ms; doubles each time. */
const RETRANSMIT_MS = 200

/** Retransmissions in a row after which a connection is given up. */
const RETRANSMISSIONS_MAX = 6

export class ConnectionEnd {
  readonly owner: MemoryTransport
  readonly dialled: boolean
  /** Gossip over it is deaf. */
  isMuted = false
  readonly #network: MemoryNetwork
  #peer: ConnectionEnd | undefined
  #isOpen = true
  readonly #channels = new Set<MemoryChannel>()
  /** Frames on their way to the other end, in order. */
  readonly #inFlight: Array<() => void> = []
  #lastFrameArrivalMs = 0
  #lastArrivalMs = 0
  /** What waits for the link to heal. */
  readonly #held: Array<() => void> = []

  constructor(network: MemoryNetwork, owner: MemoryTransport, dialled: boolean) {
    this.#network = network
    this.owner = owner
    this.dialled = dialled
  }

  /** Makes a connection's two ends. Neither owner knows of it yet. */
  static pair(
    network: MemoryNetwork,
    dialler: MemoryTransport,
    listener: MemoryTransport,
  ): [dialler: ConnectionEnd, listener: ConnectionEnd] {
    const near = new ConnectionEnd(network, dialler, true)
    const far = new ConnectionEnd(network, listener, false)
    near.#peer = far
    far.#peer = near
    return [near, far]
  }

  get peer(): ConnectionEnd {
    return this.#peer as ConnectionEnd
  }

  /** Id of the peer at the other end. */
  get remote(): string {
    return this.peer.owner.id
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Runs `arrive` at the other end, after all frames sent before. */
  sendFrame(arrive: (end: ConnectionEnd) => void): void {
    this.#whenLinked(() => this.#transmitFrame(arrive, false))
  }

  /** Runs `arrive` at the other end, in no particular order. */
  sendMessage(message: SentMessage, arrive: (end: ConnectionEnd) => void): void {
    this.#whenLinked(() => {
      const delayMs = this.#network.delayMs(this.owner.id, this.remote)
      const heldUpMs = this.#network.heldUpMs(this.owner.id, this.remote)
      if (heldUpMs > 0) {
        this.#network.observer.mishap?.('held up', this.owner.id, this.remote, message, heldUpMs)
        // It comes round another way, and may come after this connection has closed.
        this.peer.owner.after(delayMs + heldUpMs, () => arrive(this.peer))
        return
      }
      const nowMs = this.#network.clock.monotonicMs()
      this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + delayMs)
      this.peer.owner.after(delayMs, () => this.#arriveAtPeer(arrive))
    })
  }

  /** Closes this end at once, and the other when that has got there, after all that was sent before. */
  close(): void {
    if (!this.#isOpen) return
    this.#shut(new Error('the connection was closed'))
    this.#sendEnd()
  }

  /** The process is gone. Its kernel closes the connection, unless the whole host is gone. */
  abandon({ silent }: { readonly silent: boolean }): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    if (!silent) this.#sendEnd()
  }

  /** Sends what waited for the link to heal. */
  flushHeld(): void {
    if (this.#network.faults.isCut(this.owner.id, this.remote)) return
    for (const send of this.#held.splice(0)) send()
  }

  /** A frame of a channel has arrived here. */
  noteFrame(bytes: Uint8Array): void {
    this.#network.observer.framed?.(this.remote, this.owner.id, bytes)
  }

  addChannel(channel: MemoryChannel): void {
    this.#channels.add(channel)
  }

  removeChannel(channel: MemoryChannel): void {
    this.#channels.delete(channel)
  }

  /** A pair of channels, the second not yet handed to its owner. */
  channelPair(): [near: MemoryChannel, far: MemoryChannel] {
    const { frameBytesMax } = this.#network.options
    const near = new MemoryChannel(this, frameBytesMax)
    const far = new MemoryChannel(this.peer, frameBytesMax)
    near.linkTo(far)
    far.linkTo(near)
    return [near, far]
  }

  #sendEnd(): void {
    const end = (peer: ConnectionEnd) =>
      peer.#shut(new Error('the other side closed the connection'))
    this.#whenLinked(() => this.#transmitFrame(end, true))
  }

  #whenLinked(send: () => void): void {
    if (this.#network.faults.isCut(this.owner.id, this.remote)) this.#held.push(send)
    else send()
  }

  /** @param afterMessages whether it comes after the messages, too: it is the end of the connection */
  #transmitFrame(arrive: (end: ConnectionEnd) => void, afterMessages: boolean): void {
    const nowMs = this.#network.clock.monotonicMs()
    const delayMs = this.#network.delayMs(this.owner.id, this.remote) + this.#retransmissionsMs()
    const earliestMs = afterMessages ? this.#lastArrivalMs + END_GAP_MS : this.#lastFrameArrivalMs
    const arrivalMs = Math.max(earliestMs, nowMs + delayMs)
    this.#lastFrameArrivalMs = arrivalMs
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, arrivalMs)
    // Timers of two moments may fire in either order where clocks are coarse: the queue keeps the order.
    this.#inFlight.push(() => this.#arriveAtPeer(arrive))
    this.peer.owner.after(arrivalMs - nowMs, () => this.#inFlight.shift()?.())
  }

  /** What comes to an end that has closed, of which this one has not heard, is answered with a reset. */
  #arriveAtPeer(arrive: (end: ConnectionEnd) => void): void {
    const { peer } = this
    if (peer.isOpen) {
      arrive(peer)
      return
    }
    if (!this.#isOpen || this.#network.faults.isCut(peer.owner.id, this.owner.id)) return
    const delayMs = this.#network.delayMs(peer.owner.id, this.owner.id)
    this.owner.after(delayMs, () => this.#shut(new Error('the other side reset the connection')))
  }

  /** Time lost because a frame had to be sent more than once. */
  #retransmissionsMs(): number {
    const { frameLossProbability } = this.#network.faults.settings(this.owner.id, this.remote)
    let totalMs = 0
    let tries = 0
    while (this.#network.happens(frameLossProbability)) {
      totalMs += RETRANSMIT_MS * 2 ** tries
      if (++tries < RETRANSMISSIONS_MAX) continue
      this.owner.after(totalMs, () => this.close())
      break
    }
    return totalMs
  }

  #shut(reason: Error): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const channel of [...this.#channels]) channel.breakOff(reason)
    this.owner.connectionClosed(this)
  }
}
