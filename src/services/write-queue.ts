/**
 * The write queue: gathers writes into batches and publishes them one after the other.
 *
 * A write that finds the queue idle goes out at the end of the event loop's turn, together with all that were made in
 * that turn; one that its owners are given directly waits for company first, up to the flush interval. While a batch is on its way the next one gathers, until it is full or the flush interval is over. The
 * queue is bounded: when it is full, the next writer waits; no write is ever dropped.
 */
import type { Marker, Write } from '../core/entry.js'
import { SyncQueueFullError } from '../errors.js'
import { BATCH_BYTES_MAX } from '../protocol/limits.js'
import type { Records } from '../protocol/messages.js'
import { recordBytes } from '../protocol/records.js'
import type { Runtime, Timer } from './ports.js'
import { Room } from './room.js'

/** Weight of the newest batch in the moving average of the latency. */
const LATENCY_WEIGHT = 0.1

export interface WriteQueueOptions {
  readonly flushIntervalMs: number
  readonly batchEntriesMax: number
  readonly syncQueueMax: number
  readonly syncTimeoutMs: number
}

type Item = Write | Marker

export class WriteQueue {
  readonly #runtime: Runtime
  readonly #options: WriteQueueOptions
  readonly #publish: (records: Records) => Promise<void>
  #items: Item[] = []
  /** When the first of `#items` came in, and the bytes they come to. */
  #sinceMs = 0
  #bytes = 0
  /** Room that writers were given and have not used yet. */
  #reserved = 0
  readonly #room: Room
  readonly #elsewhere: () => number
  #flushTimer: Timer | undefined
  /** Nothing in the batch is urgent. */
  #waitsForCompany = false
  #publishing = 0
  /** Items ever pushed, and ever published; `drained` waits for the second to reach the first. */
  #pushedCount = 0
  #publishedCount = 0
  #drainWaiters: Array<{ readonly upTo: number; readonly resolve: () => void }> = []
  #latencyMs = 0

  /**
   * @param publish hands a batch to the others; never rejects
   * @param elsewhere writes on their way by other means, which count against the bound as well
   */
  constructor(
    runtime: Runtime,
    options: WriteQueueOptions,
    publish: (records: Records) => Promise<void>,
    elsewhere: () => number = () => 0,
  ) {
    this.#runtime = runtime
    this.#options = options
    this.#publish = publish
    this.#elsewhere = elsewhere
    const { syncQueueMax, syncTimeoutMs } = options
    const timedOut = () => new SyncQueueFullError(syncQueueMax, syncTimeoutMs)
    this.#room = new Room(runtime.scheduler, syncTimeoutMs, timedOut)
  }

  /** Writes that have not been published. */
  get size(): number {
    return this.#items.length + this.#publishing
  }

  /** How many writers have had to wait for room. */
  get waitCount(): number {
    return this.#room.waitCount
  }

  /** Moving average of the time from a batch's first write to its publication, in ms. */
  get latencyMs(): number {
    return this.#latencyMs
  }

  /**
   * Room for one write: undefined when there is some now, otherwise a promise of it. Whoever was given room must
   * `push`, or `release` it.
   * @throws SyncQueueFullError when there is none within `syncTimeoutMs`; the signal's reason when it aborts
   */
  room(signal?: AbortSignal): Promise<void> | undefined {
    if (signal?.aborted) throw signal.reason
    if (this.#room.size === 0 && this.#hasRoom()) {
      this.#reserved++
      return undefined
    }
    return this.#room.wait(signal)
  }

  /** Gives room back that comes to no use. */
  release(): void {
    this.#reserved--
    this.grantRoom()
  }

  /**
   * Queues a write or a clear, in the room that was given for it.
   * @param isUrgent false when the others get it by another way as well: then it may wait for company
   */
  push(item: Item, isUrgent = true): void {
    this.#reserved--
    if (this.#items.length === 0) this.#sinceMs = this.#runtime.clock.monotonicMs()
    this.#items.push(item)
    this.#bytes += recordBytes(item)
    this.#pushedCount++
    if (this.#publishing > 0) return
    if (this.#flushTimer === undefined) {
      this.#waitsForCompany = !isUrgent
      this.#flushAfter(isUrgent || this.#isFull() ? 0 : this.#options.flushIntervalMs)
    } else if (this.#isFull() || (isUrgent && this.#waitsForCompany)) {
      this.#waitsForCompany = false
      this.#flushAfter(0)
    }
  }

  /** Resolves when all that was queued before has been published. */
  async drained(): Promise<void> {
    if (this.size === 0) return
    await new Promise<void>((resolve) => {
      this.#drainWaiters.push({ upTo: this.#pushedCount, resolve })
      if (this.#publishing === 0) this.#flushAfter(0)
    })
  }

  /** Turns away whoever waits for room. What is queued is still published. */
  close(error: Error): void {
    this.#room.close(error)
  }

  /** Publishes nothing any more. */
  stop(): void {
    this.#flushTimer?.cancel()
  }

  #hasRoom(): boolean {
    return this.size + this.#reserved + this.#elsewhere() < this.#options.syncQueueMax
  }

  #isFull(): boolean {
    return this.#items.length >= this.#options.batchEntriesMax || this.#bytes >= BATCH_BYTES_MAX
  }

  #flushAfter(delayMs: number): void {
    const { scheduler } = this.#runtime
    this.#flushTimer?.cancel()
    this.#flushTimer =
      delayMs > 0
        ? scheduler.after(delayMs, () => this.#flush())
        : scheduler.defer(() => this.#flush())
  }

  #flush(): void {
    this.#flushTimer = undefined
    this.#waitsForCompany = false
    const sinceMs = this.#sinceMs
    const items = this.#take()
    this.#sinceMs = this.#runtime.clock.monotonicMs()
    this.#publishing = items.length
    const writes: Write[] = []
    const markers: Marker[] = []
    for (const item of items) {
      if ('key' in item) writes.push(item)
      else markers.push(item)
    }
    void this.#publish({ writes, markers }).then(() => this.#published(sinceMs))
  }

  #published(sinceMs: number): void {
    const nowMs = this.#runtime.clock.monotonicMs()
    this.#latencyMs += (nowMs - sinceMs - this.#latencyMs) * LATENCY_WEIGHT
    this.#publishedCount += this.#publishing
    this.#publishing = 0
    this.grantRoom()
    this.#drainWaiters = this.#drainWaiters.filter(({ upTo, resolve }) => {
      if (upTo > this.#publishedCount) return true
      resolve()
      return false
    })
    if (this.#items.length === 0) return
    const isAwaited = this.#drainWaiters.length > 0
    const leftMs = this.#sinceMs + this.#options.flushIntervalMs - nowMs
    this.#flushAfter(this.#isFull() || isAwaited ? 0 : leftMs)
  }

  /** Takes a batch's worth off the queue. */
  #take(): Item[] {
    let count = 0
    let bytes = 0
    for (const item of this.#items) {
      const more = recordBytes(item)
      if (count === this.#options.batchEntriesMax || (count > 0 && bytes + more > BATCH_BYTES_MAX))
        break
      bytes += more
      count++
    }
    this.#bytes -= bytes
    return this.#items.splice(0, count)
  }

  /** Lets writers in who wait for room, as far as there is any. */
  grantRoom(): void {
    this.#room.grant(() => {
      const hasRoom = this.#hasRoom()
      if (hasRoom) this.#reserved++
      return hasRoom
    })
  }
}
