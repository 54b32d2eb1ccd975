/**
 * Heartbeats: says at intervals that this member lives, and notes who else does.
 *
 * The age of what is heard is judged by the sender's own incarnation, sequence and uptime, never by when a message
 * happens to arrive: a heartbeat that gossip delivers late, or twice, is no sign of life.
 */
import { isLive } from '../core/members.js'
import type { MeshClock } from '../core/mesh-clock.js'
import { PhiAccrual } from '../core/phi.js'
import type { ProtocolError } from '../protocol/checks.js'
import { heartbeatCodec } from '../protocol/codec.js'
import type { Heartbeat } from '../protocol/messages.js'
import type { Counters, DropReason } from './counters.js'
import type { Membership } from './membership.js'
import type { Runtime, Timer, Transport } from './ports.js'

/** Intervals that the detector remembers of each member. */
const WINDOW_SIZE = 100

/** Floor of the deviation, as a share of the heartbeat interval. */
const DEVIATION_MIN_SHARE = 0.3

/** A member heard within this many intervals is fresh: no rumour of its death is believed. */
const FRESH_INTERVALS = 1.5

export interface HeartbeatComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly membership: Membership
  readonly meshClock: MeshClock
  readonly drops: Counters<DropReason>
  /** What the heartbeat says of what this member has published. */
  readonly published: () => { readonly epoch: number; readonly sequence: number }
  /** Digest of the ring of which this member holds all that it owns; 0 when it is still taking over. */
  readonly settledRing: () => bigint
  /** Wall time of this member's latest timestamp, in ms. */
  readonly latestTimestampMs: () => number
}

export interface HeartbeatOptions {
  readonly topic: string
  readonly intervalMs: number
  /** This process, as told in its hello. */
  readonly instance: string
}

export interface HeartbeatListener {
  /** A new sign of life. */
  alive(id: string, heartbeat: Heartbeat): void
  /** Somebody who is no member, or of whom nothing was known to be running, is out there. */
  stranger(id: string, addresses: readonly string[]): void
}

/** What is remembered of one member's heartbeats. */
interface Pulse {
  readonly phi: PhiAccrual
  incarnation: number
  sequence: number
  uptimeMs: number
}

export class Heartbeats {
  readonly #components: HeartbeatComponents
  readonly #options: HeartbeatOptions
  readonly #listener: HeartbeatListener
  readonly #pulses = new Map<string, Pulse>()
  /** The process that each member's hello came from. */
  readonly #instances = new Map<string, string>()
  readonly #startedAtMs: number
  #sequence = 0
  #loopLagMs = 0
  #dueAtMs = 0
  #timer: Timer | undefined

  constructor(
    components: HeartbeatComponents,
    options: HeartbeatOptions,
    listener: HeartbeatListener,
  ) {
    this.#components = components
    this.#options = options
    this.#listener = listener
    this.#startedAtMs = components.runtime.clock.monotonicMs()
    components.membership.judgeFreshnessBy((id) => this.isFresh(id))
  }

  start(): void {
    // Spread over the interval, so that members started together do not all speak at once for ever.
    const { random } = this.#components.runtime
    this.#schedule(random.next() * this.#options.intervalMs)
  }

  stop(): void {
    this.#timer?.cancel()
  }

  /** Sends a heartbeat now, beside the regular ones. */
  async beat(): Promise<void> {
    const { membership, transport, runtime, published, settledRing, latestTimestampMs } =
      this.#components
    const { name, incarnation, outlived, status, role, addresses } = membership.self()
    const { epoch, sequence } = published()
    const wallMs = runtime.clock.now()
    const heartbeat: Heartbeat = {
      name,
      incarnation,
      outlived,
      status,
      role,
      addresses,
      instance: this.#options.instance,
      sequence: ++this.#sequence,
      uptimeMs: this.uptimeMs,
      wallMs,
      loopLagMs: Math.floor(this.#loopLagMs),
      viewDigest: membership.list.digest(),
      opsEpoch: epoch,
      opsSequence: sequence,
      settledRing: settledRing(),
      timestampMs: latestTimestampMs(),
    }
    try {
      await transport.publish(this.#options.topic, heartbeatCodec.encode(heartbeat))
    } catch (error) {
      runtime.log.debug(`a heartbeat could not be published: ${(error as Error).message}`)
    }
  }

  /** How long this process has run, by its monotonic clock. */
  get uptimeMs(): number {
    return Math.floor(this.#components.runtime.clock.monotonicMs() - this.#startedAtMs)
  }

  /** The process a member's hello came from; heartbeats of another one are not its own. */
  instanceOf(id: string): string | undefined {
    return this.#instances.get(id)
  }

  /** A hello came from `instance`: a sign of life, and the end of what was known of another instance. */
  met(id: string, instance: string): void {
    if (this.#instances.get(id) !== instance) this.#pulses.delete(id)
    this.#instances.set(id, instance)
    this.#pulse(id).phi.excuse(this.#components.runtime.clock.monotonicMs())
  }

  forget(id: string): void {
    this.#pulses.delete(id)
    this.#instances.delete(id)
  }

  /** How suspicious a member's silence is; 0 when nothing was ever heard of it. */
  phi(id: string): number {
    return this.#pulses.get(id)?.phi.phi(this.#components.runtime.clock.monotonicMs()) ?? 0
  }

  /** Begins to count the silence of a member that has not been heard yet. */
  expect(id: string): void {
    if (!this.#pulses.has(id)) {
      this.#pulse(id).phi.excuse(this.#components.runtime.clock.monotonicMs())
    }
  }

  /** Whether a member was heard so lately that it can only be alive. */
  isFresh(id: string): boolean {
    const lastMs = this.#pulses.get(id)?.phi.lastArrivalMs
    if (lastMs === undefined) return false
    const silenceMs = this.#components.runtime.clock.monotonicMs() - lastMs
    return silenceMs < FRESH_INTERVALS * this.#options.intervalMs
  }

  /** Forgives everybody's silence: it was this member that did not listen. */
  excuseAll(): void {
    const nowMs = this.#components.runtime.clock.monotonicMs()
    for (const { phi } of this.#pulses.values()) phi.excuse(nowMs)
  }

  /** Messages of the heartbeat topic. */
  receive(author: string, bytes: Uint8Array): void {
    const { drops, membership } = this.#components
    let heartbeat: Heartbeat
    try {
      heartbeat = heartbeatCodec.decode(bytes)
    } catch (error) {
      drops.add((error as ProtocolError).reason)
      return
    }
    const instance = this.#instances.get(author)
    if (instance !== undefined && instance !== heartbeat.instance) {
      drops.add('other instance')
      this.#listener.stranger(author, heartbeat.addresses)
      return
    }
    const known = membership.list.get(author)
    if (known === undefined) {
      this.#listener.stranger(author, heartbeat.addresses)
      return
    }
    const pulse = this.#pulse(author)
    if (!isNewer(heartbeat, pulse)) return
    pulse.incarnation = heartbeat.incarnation
    pulse.sequence = heartbeat.sequence
    pulse.uptimeMs = heartbeat.uptimeMs
    pulse.phi.arrived(this.#components.runtime.clock.monotonicMs())
    this.#believe(author, heartbeat)
  }

  #believe(author: string, heartbeat: Heartbeat): void {
    const { membership, meshClock } = this.#components
    const { name, incarnation, outlived, status, role, addresses, wallMs, uptimeMs } = heartbeat
    const description = { id: author, name, incarnation, outlived, status, role, addresses }
    membership.learn({ id: author, incarnation, state: 'alive' }, description)
    const member = membership.list.get(author)
    if (member === undefined || member.incarnation > incarnation) return
    if (!isLive(member)) {
      membership.remind(author)
      return
    }
    membership.vindicate(author)
    membership.describe(description)
    if (wallMs > 0) meshClock.heard(author, wallMs, uptimeMs)
    this.#listener.alive(author, heartbeat)
  }

  #pulse(id: string): Pulse {
    let pulse = this.#pulses.get(id)
    if (pulse === undefined) {
      const { intervalMs } = this.#options
      const phi = new PhiAccrual({
        windowSize: WINDOW_SIZE,
        expectedIntervalMs: intervalMs,
        deviationMinMs: intervalMs * DEVIATION_MIN_SHARE,
      })
      pulse = { phi, incarnation: -1, sequence: -1, uptimeMs: -1 }
      this.#pulses.set(id, pulse)
    }
    return pulse
  }

  #schedule(delayMs: number): void {
    const { clock, scheduler } = this.#components.runtime
    this.#dueAtMs = clock.monotonicMs() + delayMs
    this.#timer = scheduler.after(delayMs, () => {
      this.#loopLagMs = Math.max(0, clock.monotonicMs() - this.#dueAtMs)
      void this.beat()
      this.#schedule(this.#options.intervalMs)
    })
  }
}

/** Whether a heartbeat was sent after all those heard before, by the sender's own account. */
function isNewer(heartbeat: Heartbeat, pulse: Pulse): boolean {
  if (heartbeat.incarnation < pulse.incarnation) return false
  return heartbeat.sequence > pulse.sequence && heartbeat.uptimeMs >= pulse.uptimeMs
}
