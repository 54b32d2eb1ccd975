/**
 * State transfer: what a member holds of some partitions, over a stream.
 *
 * The state goes in pages, partition by partition, so that a transfer that breaks off can go on where it was, with
 * the same member or another one. The pages of one transfer are not a snapshot: writes go on meanwhile. But all that
 * its sender had when it began is in them, unless superseded (of an expired or evicted value, the version), and that is what the positions on the first page say.
 */
import type { Horizon } from '../core/counted.js'
import type { Marker, Write } from '../core/entry.js'
import type { Hints } from '../core/hints.js'
import type { HybridLogicalClock } from '../core/hlc.js'
import type { Moments } from '../core/last-equal.js'
import { noPartitions } from '../core/placement.js'
import { lowest, type Position, type Positions } from '../core/positions.js'
import type { Remembered } from '../core/remembered.js'
import { PARTITIONS } from '../core/ring.js'
import type { Store } from '../core/store.js'
import { TIMESTAMP_ZERO } from '../core/version.js'
import { ProtocolError } from '../protocol/checks.js'
import { statePageCodec, stateRequestCodec } from '../protocol/codec.js'
import { BATCH_BYTES_MAX } from '../protocol/limits.js'
import type { HeldDigests, StatePage, StateRequest } from '../protocol/messages.js'
import { recordBytes } from '../protocol/records.js'
import type { Agreements } from './agreements.js'
import type { Counters, DropReason } from './counters.js'
import { lookUp } from './look-up.js'
import type { Membership } from './membership.js'
import type { Ownership } from './ownership.js'
import type { Channel, Runtime, Transport } from './ports.js'
import type { Replication } from './replication.js'
import type { RequestStreams } from './request-streams.js'
import { readFrame, withDeadline } from './requests.js'
import { PROTOCOLS } from './topics.js'

/** Records in a page at most. */
const PAGE_RECORDS_MAX = 4_000

/** How long the next page may take, in ms. */
const PAGE_TIMEOUT_MS = 5_000

/** Transfers served at once; one more is turned away, and asks again or asks another. */
const SERVED_MAX = 8

export interface StateTransferComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly membership: Membership
  readonly store: Store
  readonly hlc: HybridLogicalClock
  readonly positions: Positions
  readonly replication: Replication
  readonly requests: RequestStreams
  readonly drops: Counters<DropReason>
  /** What this member itself has published. */
  readonly published: () => { readonly epoch: number; readonly sequence: number }
  readonly ownership: Ownership
  readonly hints: Hints
  readonly agreements: Agreements
  /** Of some partitions, those that this member does not hold in full; undefined for none. */
  readonly lacking: (partitions: Uint8Array | undefined) => Uint8Array | undefined
  /** As of when members compare what they hold. */
  readonly horizon: () => Horizon
}

/** A transfer in progress, which may go on after it broke off. */
export interface Transfer {
  /** The partitions that are wanted, each as a 1 at its place; undefined for all. */
  readonly partitions: Uint8Array | undefined
  /** Digest of the ring by which they are; 0 for whichever. */
  readonly ring: bigint
  /** Of the wanted partitions, those of which the last sender did not hold all; undefined for none. */
  lacking: Uint8Array | undefined
  nextPartition: number
  /** When it last came on, by the monotonic clock. */
  progressedAtMs: number
  /** What the senders of its parts all had when they began. */
  positions: readonly Position[] | undefined
  /** When the last sender had agreed with whom. */
  moments: readonly Moments[]
  /** Writes that took effect. */
  appliedCount: number
}

/** A transfer that has not begun. @param ring digest of the ring by which the partitions are wanted; 0 for whichever */
export function newTransfer(partitions?: Uint8Array, ring = 0n): Transfer {
  return {
    partitions,
    ring,
    lacking: undefined,
    nextPartition: 0,
    progressedAtMs: 0,
    positions: undefined,
    moments: [],
    appliedCount: 0,
  }
}

export class StateTransfer {
  readonly #components: StateTransferComponents
  #served = 0
  #receivedCount = 0

  constructor(components: StateTransferComponents) {
    this.#components = components
  }

  stats() {
    return { transferReceivedCount: this.#receivedCount }
  }

  /**
   * Takes over what a member holds. When it throws, `transfer` says how far it came.
   * @returns false when the member places keys by another ring than `transfer` asks for, and gives out nothing
   */
  async pull(id: string, transfer: Transfer): Promise<boolean> {
    const { transport, runtime } = this.#components
    const { partitions, ring } = transfer
    transfer.progressedAtMs = runtime.clock.monotonicMs()
    const opening = transport.open(id, PROTOCOLS.state)
    const channel = await withDeadline(runtime.scheduler, PAGE_TIMEOUT_MS, opening, (error) => {
      // It may open yet, and nobody would close it.
      opening.then(
        (late) => late.abort(error),
        () => {},
      )
    })
    try {
      const { nextPartition: fromPartition } = transfer
      const held = this.#held(transfer)
      const request = { fromPartition, partitions, ring, held }
      await channel.send(stateRequestCodec.encode(request))
      let first = true
      for (let last = false; !last; ) {
        const frame = await withDeadline(
          runtime.scheduler,
          PAGE_TIMEOUT_MS,
          readFrame(channel.frames),
        )
        transfer.progressedAtMs = runtime.clock.monotonicMs()
        const page = this.#decode(frame)
        if (page.otherRing) {
          await channel.close()
          return false
        }
        this.#take(id, page, transfer, first)
        first = false
        last = page.last
      }
      await channel.close()
    } catch (error) {
      channel.abort(error as Error)
      throw error
    }
    this.#adopt(id, transfer)
    return true
  }

  /** What is held of wanted partitions already: it may be had from another member, or from before. */
  #held({ partitions, nextPartition }: Transfer): HeldDigests | undefined {
    const { store, horizon } = this.#components
    if (partitions === undefined || nextPartition > 0) return undefined
    store.advance(horizon())
    if (!store.areDigestsSettled) return undefined
    return { digests: heldOf(store, partitions), horizon: store.horizon }
  }

  /** Of some partitions, those of which this member does not hold the same as who asks. */
  #differing({ partitions, held }: StateRequest): Uint8Array | undefined {
    const { store } = this.#components
    if (partitions === undefined || held === undefined) return partitions
    if (!store.advance(held.horizon) || !store.areDigestsSettled) return partitions
    const { lossy, digests } = store
    const differing = noPartitions()
    let place = 0
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (partitions[partition] !== 1) continue
      const isSame = digests.of(partition) === held.digests[place++] && lossy[partition] === 0
      if (!isSame) differing[partition] = 1
    }
    return differing
  }

  /** Notes how far this member has come in what others published, now that it has what `id` held. */
  #adopt(id: string, transfer: Transfer): void {
    const { positions: theirs = [], partitions, ring } = transfer
    const { positions, membership } = this.#components
    for (const position of theirs) {
      if (position.member === membership.id) continue
      // Only where the sender holds every key does it have all that somebody else published; and its own writes are
      // all there only where no partition of this member was left out.
      const isComplete = partitions === undefined || (ring === 0n && position.member === id)
      if (isComplete) positions.adopt(position)
    }
  }

  /** Fetches values that a member announced. @throws when some could not be had */
  async fetch(id: string, writes: readonly Write[]): Promise<void> {
    const { requests, replication } = this.#components
    const options = { ring: 0n, timeoutMs: PAGE_TIMEOUT_MS }
    for await (const told of lookUp(requests, id, writes, options)) replication.apply(told)
  }

  /** Serves a request for the state. */
  async serveState(channel: Channel): Promise<void> {
    await this.#serve(channel, async (request) => {
      const wanted = stateRequestCodec.decode(request)
      if (wanted.ring !== 0n && wanted.ring !== this.#components.ownership.ring.digest) {
        await channel.send(statePageCodec.encode(OTHER_RING))
        return
      }
      const { scheduler } = this.#components.runtime
      for (const page of this.#pages(channel.remote, wanted)) {
        // Who stops reading is not to keep others from being served.
        await withDeadline(scheduler, PAGE_TIMEOUT_MS, channel.send(statePageCodec.encode(page)))
      }
    })
  }

  async #serve(channel: Channel, answer: (request: Uint8Array) => Promise<void>): Promise<void> {
    const { membership, runtime, drops } = this.#components
    if (membership.list.get(channel.remote) === undefined || this.#served >= SERVED_MAX) {
      drops.add(this.#served >= SERVED_MAX ? 'busy' : 'unknown author')
      channel.abort(new Error('not served'))
      return
    }
    this.#served++
    try {
      const request = readFrame(channel.frames)
      await answer(await withDeadline(runtime.scheduler, PAGE_TIMEOUT_MS, request))
      await channel.close()
    } catch (error) {
      if (error instanceof ProtocolError) drops.add(error.reason)
      runtime.log.debug(`a request of ${channel.remote} failed: ${(error as Error).message}`)
      channel.abort(error as Error)
    } finally {
      this.#served--
    }
  }

  #decode(frame: Uint8Array): StatePage {
    try {
      return statePageCodec.decode(frame)
    } catch (error) {
      this.#components.drops.add((error as ProtocolError).reason)
      throw error
    }
  }

  #take(id: string, page: StatePage, transfer: Transfer, first: boolean): void {
    const { replication, hlc, agreements } = this.#components
    if (first) {
      transfer.positions =
        transfer.positions === undefined
          ? page.positions
          : lowest(transfer.positions, page.positions)
      transfer.lacking = page.lacking
    }
    hlc.observe(page.clock)
    if (first) {
      transfer.moments = page.moments
      agreements.compared(id, page.moments)
    }
    this.#receivedCount += page.writes.length + (page.stubs?.length ?? 0)
    const isNews = (record: Remembered) => !agreements.isForgotten(id, record)
    const writes = page.writes.filter(isNews)
    const stubs = (page.stubs ?? []).filter(isNews)
    transfer.appliedCount += replication.apply({ ...page, writes, stubs }).applied
    transfer.nextPartition = Math.max(transfer.nextPartition, page.nextPartition)
  }

  /** What is held of some partitions, in pages: clears, tombstones and hints first, then one partition after the other. */
  *#pages(to: string, request: StateRequest): Generator<StatePage> {
    const { store, hints, hlc, lacking, agreements } = this.#components
    const { fromPartition } = request
    const moments = agreements.toldTo(to)
    const page = new PageBuilder(this.#positions(), lacking(request.partitions), moments)
    const partitions = this.#differing(request)
    if (fromPartition === 0) {
      for (const marker of store.markers.values()) page.markers.push(marker)
      for (const tombstone of [...store.tombstones()]) {
        // One that is kept beyond its grace, for somebody who is away, counts in no digest.
        const isOld = tombstone.version.wallMs < store.horizon.tombstonesMs
        if (!this.#isWanted(tombstone, isOld ? request.partitions : partitions)) continue
        if (page.isFull(tombstone)) yield page.take(0, hlc.last)
        page.add(tombstone)
      }
      // What this member wrote and others own.
      for (const { write, partition } of [...hints.values()]) {
        if (request.partitions?.[partition] === 0) continue
        if (page.isFull(write)) yield page.take(0, hlc.last)
        page.add(write)
      }
      for (const stub of [...store.stubs()]) {
        if (!this.#isWanted(stub, partitions)) continue
        if (page.isFull(stub)) yield page.take(0, hlc.last)
        page.addStub(stub)
      }
    }
    for (let partition = fromPartition; partition < PARTITIONS; partition++) {
      if (partitions?.[partition] === 0 || store.isEmpty(partition)) continue
      for (const entry of store.partition(partition)) {
        if (page.isFull(entry)) yield page.take(partition, hlc.last)
        page.add(entry)
      }
    }
    yield page.take(PARTITIONS, hlc.last, true)
  }

  #isWanted({ cache, key }: Remembered, partitions: Uint8Array | undefined): boolean {
    if (partitions === undefined) return true
    return partitions[this.#components.ownership.partitionOf(cache, key)] === 1
  }

  #positions(): Position[] {
    const { positions, membership, published } = this.#components
    return [...positions.list(), { member: membership.id, ...published() }]
  }
}

/** Told in place of a digest of what is not held in full: of a partition of which nothing is known it is another one. */
const NOT_HELD = -1

/** The digest of each of some partitions, as far as it is held in full. */
function heldOf(store: Store, partitions: Uint8Array): Int32Array {
  const { digests } = store
  const held = new Int32Array(PARTITIONS)
  let count = 0
  for (let partition = 0; partition < PARTITIONS; partition++) {
    if (partitions[partition] !== 1) continue
    held[count++] = store.lacksValues(partition) ? NOT_HELD : digests.of(partition)
  }
  return held.subarray(0, count)
}

/** What is answered to who places keys by another ring. */
const OTHER_RING: StatePage = {
  writes: [],
  markers: [],
  positions: [],
  nextPartition: 0,
  clock: TIMESTAMP_ZERO,
  last: true,
  lacking: undefined,
  otherRing: true,
  moments: [],
}

/** Gathers records until a page is full. */
class PageBuilder {
  readonly markers: Marker[] = []
  #stubs: Remembered[] = []
  #writes: Write[] = []
  #bytes = 0
  #positions: readonly Position[]
  #lacking: Uint8Array | undefined
  #moments: readonly Moments[]

  constructor(
    positions: readonly Position[],
    lacking: Uint8Array | undefined,
    moments: readonly Moments[],
  ) {
    this.#positions = positions
    this.#lacking = lacking
    this.#moments = moments
  }

  isFull(next: Remembered): boolean {
    const count = this.#writes.length + this.#stubs.length
    if (count === 0) return false
    return count >= PAGE_RECORDS_MAX || this.#bytes + recordBytes(next) > BATCH_BYTES_MAX
  }

  addStub(stub: Remembered): void {
    this.#stubs.push(stub)
    this.#bytes += recordBytes(stub)
  }

  add(write: Write): void {
    this.#writes.push(write)
    this.#bytes += recordBytes(write)
  }

  take(nextPartition: number, clock = TIMESTAMP_ZERO, last = false): StatePage {
    const page = {
      writes: this.#writes,
      markers: this.markers.splice(0),
      stubs: this.#stubs,
      positions: this.#positions,
      nextPartition,
      clock,
      last,
      lacking: this.#lacking,
      otherRing: false,
      moments: this.#moments,
    }
    this.#lacking = undefined
    this.#moments = []
    this.#writes = []
    this.#stubs = []
    this.#bytes = 0
    this.#positions = []
    return page
  }
}
