/**
 * Replication: takes in this member's writes, where they belong here, and those of the others; publishes its own on the
 * ops topic, and has them handed to their owners where that topic does not carry their values.
 *
 * Gossip is the fast path and may lose messages. Batches are numbered, so that what is missing is noticed: by the
 * next batch, or by the number that the sender's heartbeats carry. Whoever is behind for longer than a message may
 * be late asks for the state (see catch-up.ts).
 */
import {
  announcementOf,
  isAnnouncement,
  type Marker,
  markerOf,
  payloadBytes,
  tombstone,
  type Write,
} from '../core/entry.js'
import type { HybridLogicalClock } from '../core/hlc.js'
import type { MeshClock } from '../core/mesh-clock.js'
import type { NearCache } from '../core/near-cache.js'
import type { Positions } from '../core/positions.js'
import type { Ack } from '../core/quorum.js'
import type { Store } from '../core/store.js'
import { type Payload, supersedes, type Version } from '../core/version.js'
import { ClockSkewError } from '../errors.js'
import { CLOCK_SKEW_MAX_MS } from '../options.js'
import type { ProtocolError } from '../protocol/checks.js'
import { batchCodec } from '../protocol/codec.js'
import { BATCH_BYTES_MAX } from '../protocol/limits.js'
import type { Batch, Records } from '../protocol/messages.js'
import { Announcements } from './announcements.js'
import type { Counters, DropReason } from './counters.js'
import type { Parcel } from './delivery.js'
import { type GapListener, Gaps } from './gaps.js'
import type { Membership } from './membership.js'
import type { Ownership } from './ownership.js'
import type { Runtime, Transport } from './ports.js'
import { WriteQueue, type WriteQueueOptions } from './write-queue.js'

/** Bytes of a value that rides along in a message to all though not all own it: they may have a near copy of it. */
const INLINE_BYTES_MAX = 256

export interface ReplicationComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly membership: Membership
  readonly store: Store
  readonly hlc: HybridLogicalClock
  readonly meshClock: MeshClock
  readonly positions: Positions
  readonly ownership: Ownership
  readonly near: NearCache
  readonly drops: Counters<DropReason>
}

export interface ReplicationOptions extends WriteQueueOptions {
  readonly topic: string
}

/** What is set along with a value. */
export interface SetOptions {
  /** 0: for ever. */
  readonly ttlMs: number
  readonly ack: Ack
  readonly tags?: readonly string[] | undefined
}

export interface ReplicationListener extends GapListener {
  /** Values that a member announced are to be fetched. Resolves to whether they were had. */
  fetch(member: string, writes: readonly Write[]): Promise<boolean>
  /** Hands a record to its owners; see {@link Delivery.send}. */
  send(parcel: Parcel): Promise<void> | undefined
  /** How many records are on their way to their owners. */
  sending(): number
  /** A write to a key that this member does not own: kept until its owners have it; see {@link Handoff.add}. */
  hinted(write: Write, partition: number): void
  /** A cache was cleared. */
  cleared(marker: Marker): void
  /** A write to a key that this member does not own, its own or another's. */
  heardOf(write: Write): void
}

export class Replication {
  readonly #components: ReplicationComponents
  readonly #options: ReplicationOptions
  readonly #listener: ReplicationListener
  readonly #queue: WriteQueue
  readonly #announcements: Announcements
  readonly #gaps: Gaps
  #epoch = 0
  #sequence = 0
  #opsPublishedCount = 0
  #opsReceivedCount = 0
  #errorCount = 0

  constructor(
    components: ReplicationComponents,
    options: ReplicationOptions,
    listener: ReplicationListener,
  ) {
    this.#components = components
    this.#options = options
    this.#listener = listener
    this.#queue = new WriteQueue(
      components.runtime,
      options,
      (records) => this.#publish(records),
      () => listener.sending(),
    )
    this.#gaps = new Gaps(components.runtime, components.positions, listener)
    this.#announcements = new Announcements(components.runtime, {
      fetch: (member, writes) => listener.fetch(member, writes),
    })
  }

  stop(): void {
    this.#gaps.stop()
    this.#queue.stop()
    this.#announcements.stop()
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
      opsGapCount: this.#gaps.count,
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

  /** Fewer records are on their way to their owners. */
  roomFreed(): void {
    this.#queue.grantRoom()
  }

  /** Room for one write in the queue; see {@link WriteQueue.room}. */
  room(signal?: AbortSignal): Promise<void> | undefined {
    return this.#queue.room(signal)
  }

  /**
   * Sets a key, here at once, where it belongs here, and everywhere soon. Call only with room.
   * Returns what resolves when enough owners have it; undefined for `ack: 'none'`. @throws ClockSkewError
   */
  set(
    cache: string,
    key: string,
    payload: Payload,
    { ttlMs, ack, tags }: SetOptions,
  ): Promise<void> | undefined {
    const { store, meshClock } = this.#components
    const version = this.#stamp()
    const createdAt = store.createdAt(cache, key) ?? version.wallMs
    const expiresAt = ttlMs === 0 ? 0 : meshClock.strictNow() + ttlMs
    const write = { cache, key, version, deleted: false, payload, createdAt, expiresAt, tags }
    return this.#write(write, ack)
  }

  /** Deletes a key, in the same way. Call only with room. @throws ClockSkewError */
  delete(cache: string, key: string, ack: Ack): Promise<void> | undefined {
    return this.#write(tombstone(cache, key, this.#stamp()), ack)
  }

  /** Clears a cache, or what of it bears a tag, on all members. Call only with room. @throws ClockSkewError */
  undo(cache: string, tag: string | undefined, ack: Ack): Promise<void> | undefined {
    const marker = markerOf(cache, this.#stamp(), tag)
    this.#undo(marker)
    this.#queue.push(marker, ack === 'none')
    if (ack === 'none') return undefined
    return this.#listener.send({ record: marker, partition: undefined, ack, goesToAll: false })
  }

  /** Resolves when all that was written before has been published. */
  async drained(): Promise<void> {
    // A write that was made in this turn may be a step away from the queue.
    await undefined
    await this.#queue.drained()
  }

  /** Messages of the ops topic. */
  receive(author: string, bytes: Uint8Array): void {
    const { drops, membership, positions, ownership } = this.#components
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
    const announced = this.#hear(batch)
    if (announced.length > 0) void this.#complete(author, batch, announced)
    else if (ownership.isOwner) {
      positions.received(author, batch.epoch, batch.sequence)
      this.#gaps.look(author)
    } else this.heard(author, batch.epoch, batch.sequence)
  }

  /** Takes in a batch of the ops topic. Returns the writes that belong here and whose values have yet to come. */
  #hear(batch: Batch): Write[] {
    const { ownership } = this.#components
    if (ownership.holdsAll) {
      this.apply(batch)
      return batch.writes.filter((write) => isAnnouncement(write) && !this.#has(write))
    }
    const ours: Write[] = []
    for (const write of batch.writes) {
      if (ownership.holdsKey(write.cache, write.key)) ours.push(write)
      else this.#hearOf(write)
    }
    this.#take({ writes: ours, markers: batch.markers })
    return ours.filter((write) => isAnnouncement(write) && !this.#has(write))
  }

  /** A write to a key of others: nothing is stored, but a near copy is brought up to date. */
  #hearOf(write: Write): void {
    const { near, hlc, drops } = this.#components
    if (!this.#believes(write, hlc, drops)) return
    near.heard(write)
    this.#listener.heardOf(write)
  }

  #has(write: Write): boolean {
    const { writes, stubs, markers } = this.#components.store.known([write])
    return [...writes, ...stubs, ...markers].some((known) => !supersedes(write, known))
  }

  /** A batch counts as received once the values that it only announces are here as well. */
  async #complete(author: string, batch: Batch, announced: readonly Write[]): Promise<void> {
    const { positions, ownership } = this.#components
    positions.announced(author, batch.epoch, batch.sequence)
    const fetched = this.#announcements.complete(author, announced, !ownership.isFullCopy)
    const complete = await this.#gaps.fetching(author, fetched)
    if (complete) positions.received(author, batch.epoch, batch.sequence)
    this.#gaps.look(author)
  }

  /**
   * Applies what came from another member, by whichever way, as far as it belongs here. Returns how many took effect, and
   * how many were refused.
   */
  apply(records: Records): { applied: number; refused: number } {
    const { ownership } = this.#components
    if (ownership.holdsAll) return this.#take(records)
    const isOurs = ({ cache, key }: { readonly cache: string; readonly key: string }) =>
      ownership.holdsKey(cache, key)
    const { writes, markers, stubs = [] } = records
    return this.#take({ writes: writes.filter(isOurs), markers, stubs: stubs.filter(isOurs) })
  }

  /** Takes in what a writer hands to its owners: says what does not belong here. */
  accept({ writes, markers }: Records): { refused: number; foreign: number[] } {
    const { ownership } = this.#components
    const foreign: number[] = []
    const ours = writes.filter(({ cache, key }, index) => {
      const isOurs = ownership.holdsKey(cache, key)
      if (!isOurs) foreign.push(index)
      return isOurs
    })
    const { refused } = this.#take({ writes: ours, markers })
    return { refused, foreign }
  }

  #take({ writes, markers, stubs = [] }: Records): { applied: number; refused: number } {
    const { store, near, hlc, drops } = this.#components
    let applied = 0
    let refused = 0
    const believes = (record: { readonly version: Version }) => {
      const isBelieved = this.#believes(record, hlc, drops)
      if (!isBelieved) refused++
      return isBelieved
    }
    for (const marker of markers) if (believes(marker) && this.#undo(marker)) applied++
    for (const stub of stubs) if (believes(stub) && store.outdate(stub)) applied++
    for (const write of writes) {
      if (isAnnouncement(write) || !believes(write)) continue
      const outcome = store.apply(write)
      // It may have been read a moment ago, and belong here for a moment only.
      near.heard(write)
      this.#announcements.came(write)
      if (outcome === 'applied') applied++
      if (outcome !== 'too large') continue
      refused++
      drops.add('too large')
    }
    return { applied, refused }
  }

  #undo(marker: Marker): boolean {
    const { store, near } = this.#components
    if (!store.undo(marker)) return false
    // What bears a tag stays near, and in hints: it is held against the markers when it is read.
    if (marker.tag !== undefined) return true
    near.clear(marker)
    this.#listener.cleared(marker)
    return true
  }

  /** A member says how much it has published. */
  heard(member: string, epoch: number, sequence: number): void {
    const { positions, ownership } = this.#components
    // Who owns nothing lacks nothing.
    if (ownership.isOwner) positions.announced(member, epoch, sequence)
    else positions.adopt({ member, epoch, sequence })
    this.#gaps.look(member)
  }

  /** Takes in a write of this member, and sends it on its ways. */
  #write(write: Write, ack: Ack): Promise<void> | undefined {
    const { store, ownership, near } = this.#components
    // Hashing is for those who need it: a member that holds every key and hands nothing over does not.
    let partition = ownership.holdsAll ? undefined : ownership.partitionOf(write.cache, write.key)
    const holds = partition === undefined || ownership.holds(partition)
    near.heard(write)
    if (partition === undefined || holds) store.apply(write)
    else {
      this.#listener.hinted(write, partition)
      this.#listener.heardOf(write)
    }
    const inline = ridesAlong(write, ownership.ring.isFull, holds && ack === 'none')
    // Where the ring is changing, those who gain the key may not hear of it as theirs yet.
    const goesToAll =
      !holds || (!ownership.isFullCopy && (ownership.placement.previous.length > 0 || !inline))
    this.#queue.push(inline ? write : announcementOf(write), ack === 'none' && inline)
    if (ack === 'none' && !goesToAll) return undefined
    partition ??= ownership.partitionOf(write.cache, write.key)
    return this.#listener.send({ record: write, partition, ack, goesToAll })
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
    const batch = { epoch, sequence, markers, writes }
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
}

/**
 * Whether a value rides along in the message to all: where all own it, unless it is too large for a batch; otherwise where it
 * is small and not handed to its owners anyway.
 */
function ridesAlong({ payload }: Write, allOwnIt: boolean, isOnlyPublished: boolean): boolean {
  if (payload === undefined) return true
  if (allOwnIt) return payloadBytes(payload) <= BATCH_BYTES_MAX
  return isOnlyPublished && payloadBytes(payload) <= INLINE_BYTES_MAX
}
