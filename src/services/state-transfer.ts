/**
 * State transfer: a member's whole state, or single values of it, over a stream.
 *
 * The state goes in pages, partition by partition, so that a transfer that breaks off can go on where it was, with
 * the same member or another one. The pages of one transfer are not a snapshot: writes go on meanwhile. But all that
 * its sender had when it began is in them, unless superseded (of an expired or evicted value, the version), and that is what the positions on the first page say.
 */
import type { ClearMarker, Write } from '../core/entry.js'
import type { HybridLogicalClock } from '../core/hlc.js'
import { lowest, type Position, type Positions } from '../core/positions.js'
import type { Remembered } from '../core/remembered.js'
import { PARTITIONS } from '../core/ring.js'
import type { Store } from '../core/store.js'
import { TIMESTAMP_ZERO } from '../core/version.js'
import { ProtocolError } from '../protocol/checks.js'
import {
  fetchReplyCodec,
  fetchRequestCodec,
  statePageCodec,
  stateRequestCodec,
} from '../protocol/codec.js'
import { BATCH_BYTES_MAX, FETCH_KEYS_MAX } from '../protocol/limits.js'
import type { StatePage } from '../protocol/messages.js'
import { recordBytes } from '../protocol/records.js'
import type { Counters, DropReason } from './counters.js'
import type { Membership } from './membership.js'
import type { Channel, Runtime, Transport } from './ports.js'
import type { Replication } from './replication.js'
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
  readonly drops: Counters<DropReason>
  /** What this member itself has published. */
  readonly published: () => { readonly epoch: number; readonly sequence: number }
}

/** A transfer in progress, which may go on after it broke off. */
export interface Transfer {
  nextPartition: number
  /** What the senders of its parts all had when they began. */
  positions: readonly Position[] | undefined
  /** Writes that took effect. */
  appliedCount: number
}

/** A transfer that has not begun. */
export function newTransfer(): Transfer {
  return { nextPartition: 0, positions: undefined, appliedCount: 0 }
}

export class StateTransfer {
  readonly #components: StateTransferComponents
  #served = 0

  constructor(components: StateTransferComponents) {
    this.#components = components
  }

  /** Takes over a member's state. When it throws, `transfer` says how far it came. */
  async pull(id: string, transfer: Transfer): Promise<void> {
    const { transport, runtime, positions, membership } = this.#components
    const channel = await withDeadline(
      runtime.scheduler,
      PAGE_TIMEOUT_MS,
      transport.open(id, PROTOCOLS.state),
    )
    try {
      const from = transfer.nextPartition
      await channel.send(stateRequestCodec.encode({ fromPartition: from }))
      let first = true
      for (let last = false; !last; ) {
        const frame = await withDeadline(
          runtime.scheduler,
          PAGE_TIMEOUT_MS,
          readFrame(channel.frames),
        )
        const page = this.#decode(frame)
        this.#take(page, transfer, first)
        first = false
        last = page.last
      }
      await channel.close()
    } catch (error) {
      channel.abort(error as Error)
      throw error
    }
    for (const position of transfer.positions ?? []) {
      if (position.member !== membership.id) positions.adopt(position)
    }
  }

  /** Fetches values that a member announced. @throws when some could not be had */
  async fetch(id: string, writes: readonly Write[]): Promise<void> {
    const { transport, runtime, replication } = this.#components
    for (let start = 0; start < writes.length; start += FETCH_KEYS_MAX) {
      const keys = writes
        .slice(start, start + FETCH_KEYS_MAX)
        .map(({ cache, key }) => ({ cache, key }))
      const channel = await transport.open(id, PROTOCOLS.fetch)
      try {
        await channel.send(fetchRequestCodec.encode({ keys }))
        for (let left = keys.length; left > 0; left--) {
          const reply = readFrame(channel.frames)
          const frame = await withDeadline(runtime.scheduler, PAGE_TIMEOUT_MS, reply)
          replication.apply(fetchReplyCodec.decode(frame))
        }
        await channel.close()
      } catch (error) {
        channel.abort(error as Error)
        throw error
      }
    }
  }

  /** Serves a request for the state. */
  async serveState(channel: Channel): Promise<void> {
    await this.#serve(channel, async (request) => {
      const { fromPartition } = stateRequestCodec.decode(request)
      for (const page of this.#pages(fromPartition)) {
        await channel.send(statePageCodec.encode(page))
      }
    })
  }

  /** Serves a request for single values: one reply a key, with all that is known of it: it may be gone by now. */
  async serveFetch(channel: Channel): Promise<void> {
    await this.#serve(channel, async (request) => {
      for (const { cache, key } of fetchRequestCodec.decode(request).keys) {
        await channel.send(fetchReplyCodec.encode(this.#components.store.known([{ cache, key }])))
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

  #take(page: StatePage, transfer: Transfer, first: boolean): void {
    const { replication, hlc } = this.#components
    if (first) {
      transfer.positions =
        transfer.positions === undefined
          ? page.positions
          : lowest(transfer.positions, page.positions)
    }
    hlc.observe(page.clock)
    transfer.appliedCount += replication.apply(page).applied
    transfer.nextPartition = Math.max(transfer.nextPartition, page.nextPartition)
  }

  /** The state in pages: markers and tombstones first, then the partitions. */
  *#pages(fromPartition: number): Generator<StatePage> {
    const { store, hlc } = this.#components
    const page = new PageBuilder(this.#positions())
    if (fromPartition === 0) {
      page.markers.push(...store.markers())
      for (const tombstone of [...store.tombstones()]) {
        if (page.isFull(tombstone)) yield page.take(0, hlc.last)
        page.add(tombstone)
      }
      for (const stub of [...store.stubs()]) {
        if (page.isFull(stub)) yield page.take(0, hlc.last)
        page.addStub(stub)
      }
    }
    for (let partition = fromPartition; partition < PARTITIONS; partition++) {
      for (const entry of store.partition(partition)) {
        if (page.isFull(entry)) yield page.take(partition, hlc.last)
        page.add(entry)
      }
    }
    yield page.take(PARTITIONS, hlc.last, true)
  }

  #positions(): Position[] {
    const { positions, membership, published } = this.#components
    return [...positions.list(), { member: membership.id, ...published() }]
  }
}

/** Gathers records until a page is full. */
class PageBuilder {
  readonly markers: ClearMarker[] = []
  #stubs: Remembered[] = []
  #writes: Write[] = []
  #bytes = 0
  #positions: readonly Position[]

  constructor(positions: readonly Position[]) {
    this.#positions = positions
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
    }
    this.#writes = []
    this.#stubs = []
    this.#bytes = 0
    this.#positions = []
    return page
  }
}
