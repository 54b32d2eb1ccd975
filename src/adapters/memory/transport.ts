/**
 * The transport of a network in memory. All that reaches the process runs on its own scheduler, so that a process
 * that stands still hears late, and one that was killed not at all; what the kernel does by itself (accepting a
 * connection, refusing one, closing those of a dead process) goes on meanwhile.
 */
import {
  type Channel,
  DialError,
  type Probe,
  type Scheduler,
  type Timer,
  type Transport,
  type TransportHandlers,
  type TransportPlan,
} from '../../services/ports.js'
import type { MemoryChannel } from './channel.js'
import type { ConnectionEnd } from './connection.js'
import { Dialler } from './dialler.js'
import { MemoryGossip } from './gossip.js'
import type { MemoryNetwork, MemoryPeerOptions } from './network.js'

/** How often connections are looked at for silence, in ms. */
const WATCH_INTERVAL_MS = 1_000

export class MemoryTransport implements Transport {
  readonly id: string
  readonly #network: MemoryNetwork
  readonly #scheduler: Scheduler
  readonly #dialler: Dialler
  readonly #timers = new Set<Timer>()
  /** Open connections by peer, the oldest first. */
  readonly #ends = new Map<string, Set<ConnectionEnd>>()
  /** Connections that still have to be agreed on. */
  readonly #opening = new Set<ConnectionEnd>()
  #port: number
  #endpoint: string | undefined
  #plan: TransportPlan = { topics: [], protocols: [] }
  #handlers: TransportHandlers | undefined
  #gossip: MemoryGossip | undefined
  #state: 'new' | 'running' | 'stopped' | 'crashed' | 'lost' = 'new'
  #isAsleep = false
  /** When this process last looked after its connections, by the network's clock. */
  #lastAwakeMs = 0

  constructor(network: MemoryNetwork, options: MemoryPeerOptions) {
    this.id = options.id
    this.#network = network
    this.#port = options.port ?? 0
    this.#scheduler = options.scheduler ?? network.scheduler
    this.#dialler = new Dialler(network, this)
  }

  get addresses(): readonly string[] {
    return this.#endpoint === undefined ? [] : [`${this.#endpoint}/p2p/${this.id}`]
  }

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  /** Its whole host is gone: nothing answers, not even to refuse. */
  get isLost(): boolean {
    return this.#state === 'lost'
  }

  /** Its host has been suspended, and has not run since: nothing answers meanwhile. */
  get isAsleep(): boolean {
    return this.#isAsleep
  }

  get gossip(): MemoryGossip | undefined {
    return this.isRunning ? this.#gossip : undefined
  }

  async start(plan: TransportPlan, handlers: TransportHandlers): Promise<void> {
    if (this.isRunning) return
    this.#network.replaceLost(this.#port)
    this.#endpoint = this.#network.listen(this, this.#port)
    this.#port = Number(this.#endpoint.split('/').at(-1))
    this.#plan = plan
    this.#handlers = handlers
    this.#state = 'running'
    this.#isAsleep = false
    this.#gossip = new MemoryGossip(this.#network, this.id, plan.topics, (topic, author, bytes) =>
      handlers.message(topic, author, bytes),
    )
    this.#lastAwakeMs = this.#network.clock.monotonicMs()
    this.#watch()
  }

  async stop(): Promise<void> {
    if (this.#isGone()) return await forever()
    if (!this.isRunning) return
    for (const end of this.#allEnds()) end.close()
    this.#state = 'stopped'
    this.#leave()
  }

  /** Ends the process without a word. */
  crash({ silent }: { readonly silent: boolean }): void {
    if (!this.isRunning) return
    this.#state = silent ? 'lost' : 'crashed'
    for (const end of this.#allEnds()) end.abandon({ silent })
    this.#ends.clear()
    this.#leave()
  }

  /**
   * All its connections break, as when its host is suspended: the others hear soon, this process when it runs again.
   * Until then it cannot be reached.
   */
  sever(): void {
    this.#isAsleep = true
    this.after(0, () => {
      this.#isAsleep = false
    })
    for (const { peer } of this.#allEnds()) {
      peer.owner.after(this.#network.delayMs(this.id, peer.owner.id), () => peer.close())
    }
  }

  async dial(addresses: readonly string[], id?: string): Promise<string> {
    if (this.#isGone()) return await forever()
    if (!this.isRunning) throw new DialError('unreachable', 'this transport does not run')
    return await this.#dialler.dial(addresses, id)
  }

  async resolve(address: string): Promise<readonly string[]> {
    const [, name] = /^dns:\/\/(.+)$/.exec(address) ?? []
    if (name === undefined) return [address]
    const found = this.#network.names.get(name)
    if (found === undefined) throw new DialError('unreachable', `${name} has no address`)
    return found
  }

  async probe(address: string): Promise<Probe> {
    if (this.#isGone()) return await forever()
    return await this.#dialler.probe(address)
  }

  async hangUp(id: string): Promise<void> {
    if (this.#isGone()) return await forever()
    for (const end of [...(this.#ends.get(id) ?? [])]) end.close()
  }

  isConnected(id: string): boolean {
    return this.#ends.has(id)
  }

  gossipsWith(id: string): boolean {
    return this.gossip?.flowsBothWays(id) ?? false
  }

  async publish(topic: string, bytes: Uint8Array): Promise<void> {
    if (this.#isGone()) return await forever()
    if (this.gossip === undefined) throw new Error('this transport does not run')
    this.gossip.publish(topic, bytes)
  }

  async open(id: string, protocol: string): Promise<Channel> {
    if (this.#isGone()) return await forever()
    const [end] = this.#ends.get(id) ?? []
    if (end === undefined) throw new DialError('unreachable', `not connected to ${id}`)
    const [near, far] = end.channelPair()
    return await new Promise<Channel>((resolve, reject) => {
      const timer = this.after(this.#network.options.openTimeoutMs, () => {
        near.abort(new Error('no answer to the opening of a channel'))
      })
      near.onceBroken((reason) => {
        timer.cancel()
        reject(reason)
      })
      end.sendFrame((there) => {
        if (!there.owner.accept(protocol, far)) return
        there.sendFrame(() => {
          timer.cancel()
          resolve(near)
        })
      })
    })
  }

  /** Runs a task later, in this process's time, unless it has stopped or been killed by then. */
  after(delayMs: number, task: () => void): Timer {
    if (!this.isRunning) return { cancel: () => {} }
    const inner = this.#scheduler.after(delayMs, () => {
      this.#timers.delete(timer)
      task()
    })
    const timer = {
      cancel: () => {
        this.#timers.delete(timer)
        inner.cancel()
      },
    }
    this.#timers.add(timer)
    return timer
  }

  /** Takes a channel that another peer opens. False when its protocol is not spoken here. */
  accept(protocol: string, channel: MemoryChannel): boolean {
    if (!this.#plan.protocols.includes(protocol)) {
      channel.abort(new Error(`${protocol} is not spoken`))
      return false
    }
    this.#handlers?.channel(protocol, channel)
    return true
  }

  /** A connection is about to open: it counts, should this process end meanwhile. */
  connectionOpening(end: ConnectionEnd): void {
    this.#opening.add(end)
  }

  connectionOpened(end: ConnectionEnd): void {
    this.#opening.delete(end)
    const known = this.#ends.get(end.remote)
    if (known !== undefined) {
      known.add(end)
      this.#handlers?.connectedAgain(end.remote, end.dialled)
      return
    }
    this.#ends.set(end.remote, new Set([end]))
    this.#gossip?.connected(end)
    this.#handlers?.connected(end.remote, end.dialled)
  }

  /** One end of a connection has closed here. */
  connectionClosed(end: ConnectionEnd): void {
    this.#opening.delete(end)
    const known = this.#ends.get(end.remote)
    if (!known?.delete(end) || known.size > 0) return
    this.#ends.delete(end.remote)
    this.#gossip?.disconnected(end.remote)
    this.#handlers?.disconnected(end.remote)
  }

  /** Sends what waited for a link to heal. */
  flushHeld(): void {
    for (const end of this.#allEnds()) end.flushHeld()
  }

  muteGossip(id: string): void {
    for (const end of this.#ends.get(id) ?? []) end.isMuted = true
  }

  #allEnds(): ConnectionEnd[] {
    return [...this.#ends.values()].flatMap((ends) => [...ends]).concat([...this.#opening])
  }

  #isGone(): boolean {
    return this.#state === 'crashed' || this.#state === 'lost'
  }

  #leave(): void {
    for (const timer of [...this.#timers]) timer.cancel()
    this.#network.remove(this, this.#endpoint as string)
  }

  /** Breaks connections over which nothing has come for too long; all of them, when it was this process that slept. */
  #watch(): void {
    const nowMs = this.#network.clock.monotonicMs()
    const { silenceMaxMs } = this.#network.options
    const hasSlept = nowMs - this.#lastAwakeMs > silenceMaxMs
    this.#lastAwakeMs = nowMs
    for (const end of this.#allEnds()) {
      if (hasSlept || nowMs - this.#silentSinceMs(end) >= silenceMaxMs) end.close()
    }
    this.after(WATCH_INTERVAL_MS, () => this.#watch())
  }

  #silentSinceMs({ remote, peer }: ConnectionEnd): number {
    const { isLost, addresses } = peer.owner
    // Another process on that host, back from the dead, knows nothing of the connection and resets it.
    if (isLost && this.#network.at(addresses[0] ?? '')?.isRunning) return Number.NEGATIVE_INFINITY
    return Math.min(this.#network.faults.cutSinceMs(this.id, remote), peer.owner.#lastAwakeMs)
  }
}

/** A process that is gone never gets an answer. */
function forever(): Promise<never> {
  return new Promise(() => {})
}
