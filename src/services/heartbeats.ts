/**
 * Heartbeats: says at intervals that this member lives, and notes who else does.
 *
 * The age of what is heard is judged by the sender's own incarnation, sequence and uptime, never by when a message
 * happens to arrive: a heartbeat that gossip delivers late, or twice, is no sign of life (see core/pulse.ts). The intervals
 * grow with the mesh (see core/heartbeat-interval.ts).
 */
import { heartbeatIntervalMs } from '../core/heartbeat-interval.js'
import { isLive } from '../core/members.js'
import type { MeshClock } from '../core/mesh-clock.js'
import { Pulse } from '../core/pulse.js'
import type { ProtocolError } from '../protocol/checks.js'
import { heartbeatCodec } from '../protocol/codec.js'
import type { Heartbeat, Vitals } from '../protocol/messages.js'
import type { Counters, DropReason } from './counters.js'
import type { Membership } from './membership.js'
import type { Runtime, Timer, Transport } from './ports.js'

/** A member heard within this many intervals is fresh: no rumour of its death is believed. */
const FRESH_INTERVALS = 1.5

/** What gossip adds to a heartbeat on the wire, in bytes: author, number, topic, signature, framing, about. */
const ENVELOPE_BYTES = 220

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
  /** Shortest interval, in ms. */
  readonly intervalMs: number
  /** What heartbeats may take of the link, sent, each way; the interval grows so that they do not take more. */
  readonly bytesPerSecond: number
  /** This process, as told in its hello. */
  readonly instance: string
}

export interface HeartbeatListener {
  /** A new sign of life. */
  alive(id: string, heartbeat: Heartbeat): void
  /** Somebody who is no member, or of whom nothing was known to be running, is out there. */
  stranger(id: string, addresses: readonly string[]): void
}

export class Heartbeats {
  readonly #components: HeartbeatComponents
  readonly #options: HeartbeatOptions
  readonly #listener: HeartbeatListener
  readonly #pulses = new Map<string, Pulse>()
  /** The process that each member's hello came from. */
  readonly #instances = new Map<string, string>()
  /** Of which run of a member its clocks are known. */
  readonly #clocked = new Map<string, string>()
  readonly #startedAtMs: number
  #sequence = 0
  #loopLagMs = 0
  #dueAtMs = 0
  #intervalMs: number
  #bytes = 0
  #timer: Timer | undefined

  constructor(
    components: HeartbeatComponents,
    options: HeartbeatOptions,
    listener: HeartbeatListener,
  ) {
    this.#components = components
    this.#options = options
    this.#listener = listener
    this.#intervalMs = options.intervalMs
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

  /** Between two heartbeats of this member now, in ms. */
  get intervalMs(): number {
    return this.#intervalMs
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
      opsEpoch: epoch,
      opsSequence: sequence,
      settledRing: settledRing(),
      timestampMs: latestTimestampMs(),
      intervalMs: this.#intervalMs,
    }
    const bytes = heartbeatCodec.encode(heartbeat)
    this.#bytes = bytes.length
    try {
      await transport.publish(this.#options.topic, bytes)
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
    this.#clocked.set(id, instance)
    this.#pulse(id).met(this.#nowMs)
  }

  /** What this member says of itself when it is pinged. */
  get vitals(): Vitals {
    const { incarnation } = this.#components.membership
    const { instance } = this.#options
    return { incarnation, instance, uptimeMs: this.uptimeMs, intervalMs: this.#intervalMs }
  }

  /** A member was pinged and has answered, or another one has heard it answer: it lives, in this incarnation. */
  answered(id: string, vitals: Vitals): void {
    const { membership } = this.#components
    const { incarnation, instance } = vitals
    const member = membership.list.get(id)
    // What is known already of a later incarnation is of a later moment; a later one than known is the end of a suspicion.
    if (member === undefined || incarnation < member.incarnation) return
    // Another process, which has yet to say hello here, and where it is.
    if (instance !== (this.#instances.get(id) ?? instance)) return
    this.#pulse(id).answered(vitals, this.#nowMs)
    membership.learn({ id, incarnation, state: 'alive' })
    if (isLive(member)) membership.vindicate(id)
    else membership.remind(id)
  }

  /** Within what a member has said that its next heartbeat follows, in ms. */
  announcedMs(id: string): number {
    return this.#pulses.get(id)?.announcedMs ?? this.#options.intervalMs
  }

  /** These members are pinged at such intervals, and no others. Of members that are forgotten nothing is kept. */
  watch(ids: readonly string[], intervalMs: number): void {
    for (const [id, pulse] of this.#pulses) {
      if (this.#components.membership.list.get(id) === undefined) this.#forget(id)
      else pulse.pingedEvery(ids.includes(id) ? intervalMs : undefined)
    }
  }

  #forget(id: string): void {
    this.#pulses.delete(id)
    this.#instances.delete(id)
    this.#clocked.delete(id)
  }

  /** How suspicious a member's silence is; 0 when nothing was ever heard of it. */
  phi(id: string): number {
    return this.#pulses.get(id)?.phi(this.#nowMs) ?? 0
  }

  /** Begins to count the silence of a member that has not been heard yet. */
  expect(id: string): void {
    if (!this.#pulses.has(id)) this.#pulse(id).excuse(this.#nowMs)
  }

  /** When a member was last known to live, on this member's monotonic clock; undefined before it was. */
  heardAtMs(id: string): number | undefined {
    return this.#pulses.get(id)?.heardAtMs
  }

  /** Whether a member was heard so lately that it can only be alive, by the shortest interval. */
  isFresh(id: string): boolean {
    return this.#isHeardWithin(id, this.#options.intervalMs)
  }

  /** Whether a member was heard when it was to be: so it seems to run. */
  isOnTime(id: string): boolean {
    return this.#isHeardWithin(id, this.#pulses.get(id)?.expectedIntervalMs ?? 0)
  }

  #isHeardWithin(id: string, intervalMs: number): boolean {
    const heardAtMs = this.heardAtMs(id)
    return heardAtMs !== undefined && this.#nowMs - heardAtMs < FRESH_INTERVALS * intervalMs
  }

  /** Forgives everybody's silence: it was this member that did not listen. */
  excuseAll(): void {
    const nowMs = this.#nowMs
    for (const pulse of this.#pulses.values()) pulse.excuse(nowMs)
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
    const known = membership.list.get(author)
    if (instance !== undefined && instance !== heartbeat.instance) {
      if (!this.#isIntroduced(author, heartbeat)) {
        drops.add('other instance')
        this.#listener.stranger(author, heartbeat.addresses)
        return
      }
      this.#instances.set(author, heartbeat.instance)
      this.#pulses.delete(author)
    }
    if (known === undefined) {
      this.#listener.stranger(author, heartbeat.addresses)
      return
    }
    // Of one that never said hello here, the next life would count as what the first one said before.
    if (instance === undefined) this.#instances.set(author, heartbeat.instance)
    const { isNew, isLate } = this.#pulse(author).heard(heartbeat, this.#nowMs)
    if (isNew) this.#believe(author, heartbeat, isLate)
  }

  /**
   * Whether a process that this member cannot reach, and had no hello from, has been introduced by one that had: so is one
   * that was started anew behind a broken link, and no second process with the identity of one that runs.
   */
  #isIntroduced(id: string, { incarnation }: Heartbeat): boolean {
    const { membership, transport } = this.#components
    return !transport.isConnected(id) && membership.list.get(id)?.incarnation === incarnation
  }

  /** @param isLate it tells what was, and not that its author lives now */
  #believe(author: string, heartbeat: Heartbeat, isLate: boolean): void {
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
    if (!isLate) membership.vindicate(author)
    membership.describe(description)
    if (wallMs > 0) {
      // The uptime of another run says nothing beside that of this one.
      if (this.#clocked.get(author) === heartbeat.instance) {
        meshClock.heard(author, wallMs, uptimeMs)
      } else meshClock.met(author, wallMs, uptimeMs)
      this.#clocked.set(author, heartbeat.instance)
    }
    this.#listener.alive(author, heartbeat)
  }

  #pulse(id: string): Pulse {
    let pulse = this.#pulses.get(id)
    if (pulse === undefined) {
      pulse = new Pulse(this.#options.intervalMs)
      this.#pulses.set(id, pulse)
    }
    return pulse
  }

  get #nowMs(): number {
    return this.#components.runtime.clock.monotonicMs()
  }

  #schedule(delayMs: number): void {
    const { clock, scheduler } = this.#components.runtime
    this.#dueAtMs = clock.monotonicMs() + delayMs
    this.#timer = scheduler.after(delayMs, () => {
      this.#loopLagMs = Math.max(0, clock.monotonicMs() - this.#dueAtMs)
      this.#intervalMs = heartbeatIntervalMs({
        listeners: this.#components.membership.others().length,
        bytes: ENVELOPE_BYTES + this.#bytes,
        bytesPerSecond: this.#options.bytesPerSecond,
        intervalMinMs: this.#options.intervalMs,
      })
      void this.beat()
      this.#schedule(this.#intervalMs)
    })
  }
}
