/**
 * The write queue: gathers writes into batches and publishes them one after the other.
 *
 * A write that finds the queue idle goes out at the end of the event loop's turn, together with all that were made in
 * that turn. While a batch is on its way the next one gathers, until it is full or the flush interval is over. The
 * queue is bounded: when it is full, the next writer waits; no write is ever dropped.
 */
import type { ClearMarker, Write } from '../core/entry.js'
import { payloadBytes } from '../core/entry.js'
import { SyncQueueFullError } from '../errors.js'
import { BATCH_BYTES_MAX } from '../protocol/limits.js'
import type { Records } from '../protocol/messages.js'
import { recordBytes } from '../protocol/records.js'
import type { Runtime, Timer } from './ports.js'

/** Weight of the newest batch in the moving average of the latency. */
const LATENCY_WEIGHT = 0.1

export interface WriteQueueOptions {
  readonly flushIntervalMs: number
  readonly batchEntriesMax: number
  readonly syncQueueMax: number
  readonly syncTimeoutMs: number
}

/** Somebody who waits for room. */
interface Waiter {
  readonly grant: () => void
  readonly fail: (error: unknown) => void
  readonly timer: Timer
}

type Item = Write | ClearMarker

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
  readonly #waiters = new Set<Waiter>()
  #flushTimer: Timer | undefined
  #publishing = 0
  /** Items ever pushed, and ever published; `drained` waits for the second to reach the first. */
  #pushedCount = 0
  #publishedCount = 0
  #drainWaiters: Array<{ readonly upTo: number; readonly resolve: () => void }> = []
  #waitCount = 0
  #latencyMs = 0

  /** @param publish hands a batch to the others; never rejects */
  constructor(
    runtime: Runtime,
    options: WriteQueueOptions,
    publish: (records: Records) => Promise<void>,
  ) {
    this.#runtime = runtime
    this.#options = options
    this.#publish = publish
  }

  /** Writes that have not been published. */
  get size(): number {
    return this.#items.length + this.#publishing
  }

  /** How many writers have had to wait for room. */
  get waitCount(): number {
    return this.#waitCount
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
    signal?.throwIfAborted()
    if (this.#waiters.size === 0 && this.size + this.#reserved < this.#options.syncQueueMax) {
      this.#reserved++
      return undefined
    }
    this.#waitCount++
    return this.#waitForRoom(signal)
  }

  /** Gives room back that comes to no use. */
  release(): void {
    this.#reserved--
    this.#grantRoom()
  }

  /** Queues a write or a clear, in the room that was given for it. */
  push(item: Item): void {
    this.#reserved--
    if (this.#items.length === 0) this.#sinceMs = this.#runtime.clock.monotonicMs()
    this.#items.push(item)
    this.#bytes += itemBytes(item)
    this.#pushedCount++
    if (this.#publishing > 0) return
    if (this.#flushTimer === undefined || this.#isFull()) this.#flushAfter(0)
  }

  /** Resolves when all that was queued before has been published. */
  async drained(): Promise<void> {
    if (this.size === 0) return
    await new Promise<void>((resolve) => {
      this.#drainWaiters.push({ upTo: this.#pushedCount, resolve })
    })
  }

  /** Turns away whoever waits for room. What is queued is still published. */
  close(error: Error): void {
    for (const waiter of this.#waiters) waiter.fail(error)
  }

  async #waitForRoom(signal?: AbortSignal): Promise<void> {
    const { syncQueueMax, syncTimeoutMs } = this.#options
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown) => {
        this.#waiters.delete(waiter)
        waiter.timer.cancel()
        signal?.removeEventListener('abort', onAbort)
        reject(error as Error)
      }
      const onAbort = () => fail(signal?.reason)
      const waiter: Waiter = {
        grant: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
        fail,
        timer: this.#runtime.scheduler.after(syncTimeoutMs, () =>
          fail(new SyncQueueFullError(syncQueueMax, syncTimeoutMs)),
        ),
      }
      this.#waiters.add(waiter)
      signal?.addEventListener('abort', onAbort)
    })
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
    const sinceMs = this.#sinceMs
    const items = this.#take()
    this.#sinceMs = this.#runtime.clock.monotonicMs()
    this.#publishing = items.length
    const writes: Write[] = []
    const markers: ClearMarker[] = []
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
    this.#grantRoom()
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
      const more = itemBytes(item)
      if (count === this.#options.batchEntriesMax || (count > 0 && bytes + more > BATCH_BYTES_MAX))
        break
      bytes += more
      count++
    }
    this.#bytes -= bytes
    return this.#items.splice(0, count)
  }

  #grantRoom(): void {
    for (const waiter of this.#waiters) {
      if (this.size + this.#reserved >= this.#options.syncQueueMax) return
      this.#reserved++
      this.#waiters.delete(waiter)
      waiter.timer.cancel()
      waiter.grant()
    }
  }
}

/** Bytes that an item takes in a batch, about. A value too large for a batch is only announced there. */
function itemBytes(item: Item): number {
  const isAnnounced = item.payload !== undefined && payloadBytes(item.payload) > BATCH_BYTES_MAX
  return recordBytes(isAnnounced ? { ...item, payload: undefined } : item)
}
