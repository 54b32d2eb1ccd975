/**
 * Delivery: hands writes straight to their owners, and tells when enough of them have them.
 *
 * The writes of one turn of the event loop go to each owner in one request, beside their publication. Where somebody
 * waits for acknowledgements, an owner that does not answer is asked again until the time is over; what comes of a write
 * that too few acknowledged is open. Where nobody does, each owner is tried once: what it did not take it gets as a hint
 * (see handoff.ts), or asks for when it hears of it.
 */
import { backoffMs } from '../core/backoff.js'
import type { Marker, Write } from '../core/entry.js'
import { type Ack, type Electorate, isAcknowledged } from '../core/quorum.js'
import { NotConfirmedError, PeerStoppedError } from '../errors.js'
import { BATCH_BYTES_MAX } from '../protocol/limits.js'
import type { Records } from '../protocol/messages.js'
import { recordBytes } from '../protocol/records.js'
import type { Membership } from './membership.js'
import type { Ownership } from './ownership.js'
import { Pauses } from './pauses.js'
import type { Runtime, Timer } from './ports.js'
import type { RequestStreams } from './request-streams.js'

/** How long one owner may take to answer before it is asked again, in ms; and how fast large values reach it at least. */
const TRY_TIMEOUT_MS = 1_000
const BYTES_PER_MS_MIN = 1_000

/** Pause before an owner that did not answer is asked again, in ms. */
const RETRY_BACKOFF = { minMs: 20, maxMs: 500 }

/** Records that go to the owners in one request at most. */
const ROUND_RECORDS_MAX = 1_000

export interface DeliveryComponents {
  readonly runtime: Runtime
  readonly membership: Membership
  readonly ownership: Ownership
  readonly requests: RequestStreams
}

export interface DeliveryOptions {
  /** How long acknowledgements are waited for, in ms. */
  readonly timeoutMs: number
}

/** A record on its way to its owners. */
export interface Parcel {
  readonly record: Write | Marker
  /** Of its key; undefined for a clear, which concerns all members. */
  readonly partition: number | undefined
  readonly ack: Ack
  /** Whether it goes to every owner, even when enough have acknowledged it. */
  readonly goesToAll: boolean
}

export interface DeliveryListener {
  /** Takes in a write that belongs here by now. */
  takeIn(write: Write): void
  /** Every owner that is there has a write. */
  delivered(write: Write): void
  /** There are fewer records on their way. */
  roomFreed(): void
}

export class Delivery {
  readonly #components: DeliveryComponents
  readonly #options: DeliveryOptions
  readonly #listener: DeliveryListener
  readonly #rounds = new Set<Round>()
  readonly #pauses: Pauses
  #size = 0
  /** The round that gathers the writes of this turn. */
  #gathering: Round | undefined
  #stopped = false

  constructor(
    components: DeliveryComponents,
    options: DeliveryOptions,
    listener: DeliveryListener,
  ) {
    this.#components = components
    this.#options = options
    this.#listener = listener
    this.#pauses = new Pauses(components.runtime.scheduler)
  }

  /** Whoever waits is told that there is no acknowledgement. */
  stop(): void {
    this.#stopped = true
    this.#pauses.end()
    for (const round of [...this.#rounds]) round.giveUp(new PeerStoppedError('write'))
  }

  /** Writes that wait for acknowledgements. */
  get waitingCount(): number {
    let count = 0
    for (const round of this.#rounds) count += round.waitingCount
    return count
  }

  /** Records that are on their way. */
  get size(): number {
    return this.#size
  }

  /** Who owns what, or is there, has changed. */
  electorateChanged(): void {
    for (const round of [...this.#rounds]) round.review()
  }

  /**
   * Hands a record that was taken in here, where it belongs, to its owners. Resolves when enough of them have it; returns
   * undefined where nobody waits for that. @throws NotConfirmedError
   */
  send(parcel: Parcel): Promise<void> | undefined {
    if (this.#stopped) {
      return parcel.ack === 'none' ? undefined : Promise.reject(new PeerStoppedError('write'))
    }
    if (!this.#gathering?.hasRoomFor(parcel.record)) this.#gathering = this.#begin()
    this.#size++
    return this.#gathering.add(parcel)
  }

  #begin(): Round {
    const round: Round = new Round(this.#components, this.#options, this.#pauses, {
      started: () => {
        if (this.#gathering === round) this.#gathering = undefined
      },
      takeIn: (write) => this.#listener.takeIn(write),
      delivered: (write) => this.#listener.delivered(write),
      done: (records) => {
        this.#size -= records
      },
      over: () => {
        this.#rounds.delete(round)
        this.#listener.roomFreed()
      },
    })
    this.#rounds.add(round)
    return round
  }
}

/** A parcel, who has it, and who waits. */
interface Item extends Parcel {
  readonly confirmed: Set<string>
  quorumMin: number
  /** Undefined when nobody waits, or no longer. */
  waiter: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined
}

function isWaitedFor({ waiter }: Item): boolean {
  return waiter !== undefined
}

interface RoundListener {
  /** No more writes can be added. */
  started(): void
  takeIn(write: Write): void
  delivered(write: Write): void
  /** So many records need nothing more. */
  done(records: number): void
  over(): void
}

/** The writes of one turn of the event loop, on their way to the owners from its end on. */
class Round {
  readonly #components: DeliveryComponents
  readonly #options: DeliveryOptions
  readonly #pauses: Pauses
  readonly #listener: RoundListener
  readonly #start: Timer
  #items: Item[] = []
  /** Owners that are being asked, and those that need not be asked again. */
  readonly #asking = new Set<string>()
  readonly #tried = new Set<string>()
  #bytes = 0
  #deadline: Timer | undefined
  #hasStarted = false
  #isOver = false

  constructor(
    components: DeliveryComponents,
    options: DeliveryOptions,
    pauses: Pauses,
    listener: RoundListener,
  ) {
    this.#components = components
    this.#options = options
    this.#pauses = pauses
    this.#listener = listener
    this.#start = components.runtime.scheduler.defer(() => this.#begin())
  }

  /** A value that is larger than a request should be goes alone: several might not fit into a frame. */
  hasRoomFor(record: Write | Marker): boolean {
    if (this.#items.length === 0) return true
    return (
      this.#items.length < ROUND_RECORDS_MAX && this.#bytes + recordBytes(record) <= BATCH_BYTES_MAX
    )
  }

  get waitingCount(): number {
    return this.#items.filter(isWaitedFor).length
  }

  add(parcel: Parcel): Promise<void> | undefined {
    const item: Item = { ...parcel, confirmed: new Set(), quorumMin: 0, waiter: undefined }
    this.#items.push(item)
    this.#bytes += recordBytes(parcel.record)
    if (parcel.ack === 'none') return undefined
    return new Promise<void>((resolve, reject) => {
      item.waiter = { resolve, reject }
    })
  }

  #begin(): void {
    const { runtime } = this.#components
    this.#listener.started()
    this.#hasStarted = true
    this.#deadline = runtime.scheduler.after(this.#options.timeoutMs, () => this.giveUp())
    for (const item of this.#items) item.quorumMin = this.#electorateOf(item).quorum
    this.review()
  }

  /** Counts this member itself, where a record belongs here: it may have come to do so while it waited. */
  #countSelf(item: Item): void {
    const { membership, ownership } = this.#components
    if (item.confirmed.has(membership.id) || membership.status !== 'serving') return
    const { record, partition } = item
    // A clear is taken in by every member before anybody else hears of it.
    if (partition === undefined ? !ownership.isOwner : !ownership.holds(partition)) return
    if ('key' in record) this.#listener.takeIn(record)
    item.confirmed.add(membership.id)
  }

  /** Looks who has enough, and asks owners that have not been asked. */
  review(): void {
    if (!this.#hasStarted || this.#isOver) return
    const owners = new Set<string>()
    this.#keep((item) => {
      const electorate = this.#electorateOf(item)
      this.#countSelf(item)
      if (item.waiter !== undefined) {
        const { ack, confirmed, quorumMin } = item
        if (isAcknowledged(ack, confirmed, electorate, quorumMin)) {
          item.waiter.resolve()
          item.waiter = undefined
        }
      }
      if (this.#isDone(item, electorate)) return false
      for (const id of electorate.owners) if (!item.confirmed.has(id)) owners.add(id)
      return true
    })
    for (const id of owners) {
      if (id === this.#components.membership.id || this.#asking.has(id)) continue
      if (!this.#tried.has(id)) void this.#ask(id)
    }
    const isTrying = this.#asking.size > 0 || this.#items.some(isWaitedFor)
    if (this.#items.length === 0 || !isTrying) this.#end()
  }

  /** Tells all who still wait why they have waited in vain. */
  giveUp(reason?: Error): void {
    for (const item of this.#items) {
      const { lists } = this.#electorateOf(item)
      const missing = [...new Set(lists.flat())].filter((id) => !item.confirmed.has(id))
      item.waiter?.reject(
        reason ?? new NotConfirmedError([...item.confirmed], missing, this.#options.timeoutMs),
      )
    }
    this.#end()
  }

  /** Goes on with those items of which `isLeft` says so. */
  #keep(isLeft: (item: Item) => boolean): void {
    const before = this.#items.length
    this.#items = this.#items.filter(isLeft)
    this.#listener.done(before - this.#items.length)
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#keep(() => false)
    this.#start.cancel()
    this.#deadline?.cancel()
    this.#listener.over()
  }

  #electorateOf({ partition }: Parcel): Electorate {
    const { ownership } = this.#components
    return partition === undefined ? ownership.everybody() : ownership.electorateOf(partition)
  }

  /** Whether nothing is left to do for a record; tells when every owner has it. */
  #isDone(item: Item, { owners }: Electorate): boolean {
    if (item.waiter !== undefined) return false
    if (owners.length > 0 && owners.every((id) => item.confirmed.has(id))) {
      if ('key' in item.record) this.#listener.delivered(item.record)
      return true
    }
    return !item.goesToAll
  }

  /** What an owner has not confirmed. */
  #itemsFor(id: string): Item[] {
    return this.#items.filter(
      (item) => !item.confirmed.has(id) && this.#electorateOf(item).owners.includes(id),
    )
  }

  async #ask(id: string): Promise<void> {
    const { runtime } = this.#components
    this.#asking.add(id)
    for (let attempt = 1; !this.#isOver; attempt++) {
      const items = this.#itemsFor(id)
      if (items.length === 0 || (await this.#give(id, items))) break
      // Where nobody waits, one try is all.
      if (!items.some(isWaitedFor)) {
        this.#tried.add(id)
        break
      }
      await this.#pauses.pause(backoffMs(attempt, RETRY_BACKOFF, runtime.random.next()))
    }
    this.#asking.delete(id)
    this.review()
  }

  /** Gives an owner some records. False when it should be tried again. */
  async #give(id: string, items: readonly Item[]): Promise<boolean> {
    const { requests, ownership } = this.#components
    const timeoutMs = TRY_TIMEOUT_MS + Math.ceil(this.#bytes / BYTES_PER_MS_MIN)
    // Clears stand apart from writes in a message; indexes count the writes.
    const written = items.filter(({ record }) => 'key' in record)
    const body = { kind: 'replicate', records: recordsOf(items), ring: ownership.digest } as const
    try {
      const { refused, ring, foreign } = await requests.ask(id, body, { timeoutMs })
      if (refused > 0) {
        // What it does not believe now it will not believe in a moment.
        this.#tried.add(id)
        return true
      }
      if (!ownership.counts(ring)) return false
      const notTaken = new Set(foreign.map((index) => written[index]))
      for (const item of items) if (!notTaken.has(item)) item.confirmed.add(id)
      return notTaken.size === 0
    } catch {
      return false
    }
  }
}

function recordsOf(items: readonly Item[]): Records {
  const writes: Write[] = []
  const markers: Marker[] = []
  for (const { record } of items) {
    if ('key' in record) writes.push(record)
    else markers.push(record)
  }
  return { writes, markers }
}
