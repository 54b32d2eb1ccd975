/**
 * Watches the connections that are there. When one of two connections to a peer closes, gossip between the two can
 * be dead for good while both believe to be connected; and somebody can connect and never say who he is. Both are
 * cut off; discovery then dials anew those that are worth it.
 */
import type { Handshake } from './handshake.js'
import { Pauses } from './pauses.js'
import type { Runtime, Timer, Transport } from './ports.js'

/** How often connections are looked at, in ms, and how often in a row one may fail before it is given up. */
const WATCH_INTERVAL_MS = 500
const WATCH_MISSES_MAX = 3

/** A look that comes this late, in ms, tells more of this process than of the connections. */
const WATCH_LATE_MS = 250

/** How long a peer that connected may take to have its hello accepted, and messages to begin to flow, in ms. */
const HELLO_DEADLINE_MS = 15_000
const FLOW_DEADLINE_MS = 10_000

/** How often it is looked whether messages flow by somebody who waits for that, in ms. */
const FLOW_INTERVAL_MS = 10

export interface WatchdogComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly handshake: Handshake
}

/** What is known of one connected peer. */
interface Watched {
  readonly sinceMs: number
  readonly helloDeadline: Timer
  /** Messages have flowed since it connected. */
  hasFlowed: boolean
  misses: number
}

export class Watchdog {
  readonly #components: WatchdogComponents
  readonly #watched = new Map<string, Watched>()
  readonly #pauses: Pauses
  #timer: Timer | undefined

  constructor(components: WatchdogComponents) {
    this.#components = components
    this.#pauses = new Pauses(components.runtime.scheduler)
  }

  start(): void {
    const { clock, scheduler } = this.#components.runtime
    const dueAtMs = clock.monotonicMs() + WATCH_INTERVAL_MS
    this.#timer = scheduler.after(WATCH_INTERVAL_MS, () => {
      if (clock.monotonicMs() - dueAtMs < WATCH_LATE_MS) this.#watch()
      this.start()
    })
  }

  stop(): void {
    this.#timer?.cancel()
    this.#pauses.end()
    for (const { helloDeadline } of this.#watched.values()) helloDeadline.cancel()
  }

  /** Resolves when messages flow to everybody in the mesh who is connected, or the time is over. */
  async flowing(timeoutMs: number): Promise<void> {
    const { runtime, transport, handshake } = this.#components
    const deadlineMs = runtime.clock.monotonicMs() + timeoutMs
    const lacks = (id: string) => handshake.isAccepted(id) && !transport.gossipsWith(id)
    while ([...this.#watched.keys()].some(lacks)) {
      if (runtime.clock.monotonicMs() >= deadlineMs) return
      await this.#pauses.pause(FLOW_INTERVAL_MS)
    }
  }

  connected(id: string): void {
    const { runtime, handshake } = this.#components
    this.disconnected(id)
    const helloDeadline = runtime.scheduler.after(HELLO_DEADLINE_MS, () => {
      if (!handshake.isAccepted(id)) this.#hangUp(id, 'it did not say hello')
    })
    const sinceMs = runtime.clock.monotonicMs()
    this.#watched.set(id, { sinceMs, helloDeadline, hasFlowed: false, misses: 0 })
  }

  disconnected(id: string): void {
    this.#watched.get(id)?.helloDeadline.cancel()
    this.#watched.delete(id)
  }

  #watch(): void {
    const { transport, handshake, runtime } = this.#components
    const nowMs = runtime.clock.monotonicMs()
    for (const [id, watched] of this.#watched) {
      if (!handshake.isAccepted(id)) continue
      if (transport.gossipsWith(id)) {
        watched.hasFlowed = true
        watched.misses = 0
        continue
      }
      // A fresh connection takes a while to carry messages, the longer the busier the host.
      if (!watched.hasFlowed && nowMs - watched.sinceMs < FLOW_DEADLINE_MS) continue
      if (++watched.misses >= WATCH_MISSES_MAX) this.#hangUp(id, 'messages do not flow')
    }
  }

  #hangUp(id: string, reason: string): void {
    const { transport, runtime } = this.#components
    if (!transport.isConnected(id)) return
    runtime.log.info(`hanging up on ${id}: ${reason}`)
    void transport.hangUp(id).catch(() => {})
  }
}
