/**
 * Replication: publishes this member's writes on the ops topic, and applies those of the others.
 *
 * Gossip is the fast path and may lose messages. Batches are numbered, so that what is missing is noticed: by the
 * next batch, or by the number that the sender's heartbeats carry. Whoever is behind for longer than a message may
 * be late asks for the state (see catch-up.ts).
 */
import {
  type ClearMarker,
  clearMarker,
  payloadBytes,
  tombstone,
  type Write,
} from '../core/entry.js'
import type { HybridLogicalClock } from '../core/hlc.js'
import type { MeshClock } from '../core/mesh-clock.js'
import type { Positions } from '../core/positions.js'
import type { Store } from '../core/store.js'
import type { Payload, Version } from '../core/version.js'
import { ClockSkewError } from '../errors.js'
import type { ProtocolError } from '../protocol/checks.js'
import { batchCodec } from '../protocol/codec.js'
import { BATCH_BYTES_MAX } from '../protocol/limits.js'
import type { Batch, Records } from '../protocol/messages.js'
import { CLOCK_SKEW_MAX_MS } from './clock-watch.js'
import type { Counters, DropReason } from './counters.js'
import type { Membership } from './membership.js'
import type { Runtime, Timer, Transport } from './ports.js'
import { WriteQueue, type WriteQueueOptions } from './write-queue.js'

/** How late a message may be before its absence counts as a loss, in ms. */
const GAP_GRACE_MS = 300

export interface ReplicationComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly membership: Membership
  readonly store: Store
  readonly hlc: HybridLogicalClock
  readonly meshClock: MeshClock
  readonly positions: Positions
  readonly drops: Counters<DropReason>
}

export interface ReplicationOptions extends WriteQueueOptions {
  readonly topic: string
}

export interface ReplicationListener {
  /** Something that a member published has not come for longer than it could be late. */
  gap(member: string): void
  /** A member announced values that are too large for a batch. Resolves to whether they were fetched. */
  announced(member: string, writes: readonly Write[]): Promise<boolean>
  /** All that a member published, as far as known, has been applied. */
  advanced(member: string): void
}

export class Replication {
  readonly #components: ReplicationComponents
  readonly #options: ReplicationOptions
  readonly #listener: ReplicationListener
  readonly #queue: WriteQueue
  /** When a gap was first seen, by member. */
  readonly #behindSinceMs = new Map<string, number>()
  /** Fetches under way, by member. */
  readonly #fetching = new Map<string, number>()
  #gapTimer: Timer | undefined
  #epoch = 0
  #sequence = 0
  #opsPublishedCount = 0
  #opsReceivedCount = 0
  #gapCount = 0
  #errorCount = 0

  constructor(
    components: ReplicationComponents,
    options: ReplicationOptions,
    listener: ReplicationListener,
  ) {
    this.#components = components
    this.#options = options
    this.#listener = listener
    this.#queue = new WriteQueue(components.runtime, options, (records) => this.#publish(records))
  }

  stop(): void {
    this.#gapTimer?.cancel()
  }

  /**
   * The epoch of this run, and the number of the last batch published in it. The epoch is the incarnation in which the
   * first batch is published: by then this member has heard which incarnations an earlier run of it had.
   */
  get published(): { readonly epoch: number; readonly sequence: number } {
    if (this.#sequence === 0) this.#epoch = this.#components.membership.incarnation
    return { epoch: this.#epoch, sequence: this.#sequence }
  }

  stats() {
    return {
      syncQueueSize: this.#queue.size,
      syncQueueWaitCount: this.#queue.waitCount,
      syncLatencyMs: this.#queue.latencyMs,
      opsPublishedCount: this.#opsPublishedCount,
      opsReceivedCount: this.#opsReceivedCount,
      opsGapCount: this.#gapCount,
      errorCount: this.#errorCount,
    }
  }

  /** Turns away whoever waits for room in the queue. */
  close(error: Error): void {
    this.#queue.close(error)
  }

  /** Gives back room that comes to no use. */
  releaseRoom(): void {
    this.#queue.release()
  }

  /** Room for one write in the queue; see {@link WriteQueue.room}. */
  room(signal?: AbortSignal): Promise<void> | undefined {
    return this.#queue.room(signal)
  }

  /**
   * Sets a key, here at once and everywhere soon. `ttlMs` 0 means for ever. Call only with room.
   * @throws ClockSkewError
   */
  set(cache: string, key: string, payload: Payload, ttlMs: number): Write {
    const version = this.#stamp()
    const createdAt = this.#components.store.get(cache, key)?.createdAt ?? version.wallMs
    const expiresAt = ttlMs === 0 ? 0 : this.#components.meshClock.strictNow() + ttlMs
    return this.#write({ cache, key, version, deleted: false, payload, createdAt, expiresAt })
  }

  /** Deletes a key, here at once and everywhere soon. Call only with room. @throws ClockSkewError */
  delete(cache: string, key: string): Write {
    return this.#write(tombstone(cache, key, this.#stamp()))
  }

  /** Clears a cache, here at once and everywhere soon. Call only with room. @throws ClockSkewError */
  clear(cache: string): ClearMarker {
    const marker = clearMarker(cache, this.#stamp())
    this.#components.store.clear(marker)
    this.#queue.push(marker)
    return marker
  }

  /** Resolves when all that was written before has been published. */
  async drained(): Promise<void> {
    await this.#queue.drained()
  }

  /** Messages of the ops topic. */
  receive(author: string, bytes: Uint8Array): void {
    const { drops, membership, positions } = this.#components
    let batch: Batch
    try {
      batch = batchCodec.decode(bytes)
    } catch (error) {
      drops.add((error as ProtocolError).reason)
      return
    }
    if (membership.list.get(author) === undefined) {
      drops.add('unknown author')
      return
    }
    this.#opsReceivedCount += batch.writes.length + batch.markers.length
    this.apply(batch)
    const announced = batch.writes.filter(isAnnouncement)
    if (announced.length > 0) {
      void this.#fetch(author, batch, announced)
    } else {
      positions.received(author, batch.epoch, batch.sequence)
      this.#lookForGap(author)
    }
  }

  /** A batch counts as received once the values that it only announces are here as well. */
  async #fetch(author: string, batch: Batch, announced: readonly Write[]): Promise<void> {
    const { positions } = this.#components
    positions.announced(author, batch.epoch, batch.sequence)
    this.#fetching.set(author, (this.#fetching.get(author) ?? 0) + 1)
    const fetched = await this.#listener.announced(author, announced)
    const left = (this.#fetching.get(author) ?? 1) - 1
    if (left === 0) this.#fetching.delete(author)
    else this.#fetching.set(author, left)
    if (fetched) positions.received(author, batch.epoch, batch.sequence)
    this.#lookForGap(author)
  }

  /** Applies what came from another member, by whichever way. Returns how many took effect, and how many were refused. */
  apply({ writes, markers, stubs = [] }: Records): { applied: number; refused: number } {
    const { store, hlc, drops } = this.#components
    let applied = 0
    let refused = 0
    const believes = (record: { readonly version: Version }) => {
      const isBelieved = this.#believes(record, hlc, drops)
      if (!isBelieved) refused++
      return isBelieved
    }
    for (const marker of markers) if (believes(marker) && store.clear(marker)) applied++
    for (const stub of stubs) if (believes(stub) && store.outdate(stub)) applied++
    for (const write of writes) {
      if (isAnnouncement(write) || !believes(write)) continue
      const outcome = store.apply(write)
      if (outcome === 'applied') applied++
      if (outcome !== 'too large') continue
      refused++
      drops.add('too large')
    }
    return { applied, refused }
  }

  /** A member says how much it has published. */
  heard(member: string, epoch: number, sequence: number): void {
    this.#components.positions.announced(member, epoch, sequence)
    this.#lookForGap(member)
  }

  #write(write: Write): Write {
    this.#components.store.apply(write)
    this.#queue.push(write)
    return write
  }

  /** @throws ClockSkewError */
  #stamp(): Version {
    const { hlc, meshClock, membership } = this.#components
    if (!meshClock.isTrusted) {
      this.#queue.release()
      throw new ClockSkewError(meshClock.skewMs, CLOCK_SKEW_MAX_MS)
    }
    const { wallMs, counter } = hlc.tick()
    return { wallMs, counter, member: membership.id }
  }

  #believes(
    { version }: { readonly version: Version },
    hlc: HybridLogicalClock,
    drops: Counters<DropReason>,
  ): boolean {
    if (hlc.observe(version)) return true
    drops.add('clock')
    return false
  }

  async #publish({ writes, markers }: Records): Promise<void> {
    const { transport, runtime } = this.#components
    const { epoch } = this.published
    const sequence = ++this.#sequence
    const batch = { epoch, sequence, markers, writes: writes.map(announceIfLarge) }
    try {
      await transport.publish(this.#options.topic, batchCodec.encode(batch))
      this.#opsPublishedCount += writes.length + markers.length
    } catch (error) {
      // The number is used up: the others see the gap and ask for the state.
      this.#errorCount++
      runtime.log.warn(
        `a batch of ${writes.length} writes was not published: ${(error as Error).message}`,
      )
    }
  }

  #lookForGap(member: string): void {
    const { positions, runtime } = this.#components
    if (!positions.isBehind(member)) {
      this.#behindSinceMs.delete(member)
      this.#listener.advanced(member)
      return
    }
    // What is being fetched is late, not lost.
    if (this.#behindSinceMs.has(member) || this.#fetching.has(member)) return
    this.#behindSinceMs.set(member, runtime.clock.monotonicMs())
    this.#gapTimer ??= runtime.scheduler.after(GAP_GRACE_MS, () => this.#reportGaps())
  }

  #reportGaps(): void {
    const { positions, runtime } = this.#components
    this.#gapTimer = undefined
    const nowMs = runtime.clock.monotonicMs()
    for (const [member, sinceMs] of this.#behindSinceMs) {
      if (!positions.isBehind(member)) {
        this.#behindSinceMs.delete(member)
      } else if (nowMs - sinceMs >= GAP_GRACE_MS) {
        this.#behindSinceMs.delete(member)
        this.#gapCount++
        this.#listener.gap(member)
      }
    }
    if (this.#behindSinceMs.size > 0) {
      this.#gapTimer = runtime.scheduler.after(GAP_GRACE_MS, () => this.#reportGaps())
    }
  }
}

/** A write that says that there is a value, without it. */
function isAnnouncement(write: Write): boolean {
  return !write.deleted && write.payload === undefined
}

/** A value too large for a batch is only announced; the others fetch it. */
function announceIfLarge(write: Write): Write {
  return write.payload !== undefined && payloadBytes(write.payload) > BATCH_BYTES_MAX
    ? { ...write, payload: undefined }
    : write
}
