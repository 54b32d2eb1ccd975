/**
 * Hinted handoff: gives owners what was written to their keys here and did not reach them at once, as soon as they can be
 * reached; and makes writers wait while too much of that has gathered.
 */
import type { Marker, Write } from '../core/entry.js'
import { type Hint, Hints } from '../core/hints.js'
import type { Recalled } from '../core/version.js'
import { HintsFullError } from '../errors.js'
import type { Runtime, Timer } from './ports.js'
import { Room } from './room.js'

/** How often hints are looked through, in ms, and how long one is left alone after it was tried. */
const LOOK_INTERVAL_MS = 250
const TRY_INTERVAL_MS = 1_000

/** Hints given to their owners at once. */
const SLICE = 5_000

export interface HandoffOptions {
  /** Bytes of hints kept at most. */
  readonly hintBytesMax: number
  /** How long a hint is kept, in ms. */
  readonly hintAgeMaxMs: number
  /** How long a writer waits for room, in ms. */
  readonly syncTimeoutMs: number
}

/** What a writer holds while it has room. */
export interface Ticket {
  /** 0 when it has none. */
  bytes: number
}

export interface HandoffListener {
  /** A write may belong here by now. */
  takeIn(write: Write, partition: number): void
  /** A write is to be given to its owners. */
  send(write: Write, partition: number): void
  /** Writes that no owner has taken within the age that hints may reach are given up. */
  expired(count: number): void
}

export class Handoff {
  readonly hints: Hints
  readonly #runtime: Runtime
  readonly #listener: HandoffListener
  readonly #room: Room
  readonly #hintBytesMax: number
  /** Room that writers were given and have not used yet. */
  #reservedBytes = 0
  #timer: Timer | undefined
  #stopped = false

  constructor(runtime: Runtime, options: HandoffOptions, listener: HandoffListener) {
    this.#runtime = runtime
    this.#listener = listener
    this.#hintBytesMax = options.hintBytesMax
    const { hintBytesMax, hintAgeMaxMs, syncTimeoutMs } = options
    this.hints = new Hints({ ageMaxMs: hintAgeMaxMs })
    const timedOut = () => new HintsFullError(hintBytesMax, syncTimeoutMs)
    this.#room = new Room(runtime.scheduler, syncTimeoutMs, timedOut)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** Turns away whoever waits for room. */
  close(error: Error): void {
    this.#room.close(error)
  }

  /** Writers that have had to wait for room. */
  get waitCount(): number {
    return this.#room.waitCount
  }

  /**
   * Room for one write to a key of others, noted on its ticket: undefined when there is some now, otherwise a promise of it.
   * @throws HintsFullError when there is none within `syncTimeoutMs`; the signal's reason when it aborts
   */
  room(ticket: Ticket, bytes: number, signal?: AbortSignal): Promise<void> | undefined {
    if (signal?.aborted) throw signal.reason
    if (this.#room.size === 0 && this.#hasRoom()) {
      this.#reserve(ticket, bytes)
      return undefined
    }
    return this.#waitForRoom(ticket, bytes, signal)
  }

  /** The write of a ticket has been made, or will not be: its room is taken by the hint itself, if there is one. */
  release(ticket: Ticket): void {
    if (ticket.bytes === 0) return
    this.#reservedBytes -= ticket.bytes
    ticket.bytes = 0
    this.#grantRoom()
  }

  async #waitForRoom(ticket: Ticket, bytes: number, signal?: AbortSignal): Promise<void> {
    await this.#room.wait(signal, () => this.#reserve(ticket, bytes))
  }

  #reserve(ticket: Ticket, bytes: number): void {
    ticket.bytes = bytes
    this.#reservedBytes += bytes
  }

  #hasRoom(): boolean {
    return this.hints.bytes + this.#reservedBytes < this.#hintBytesMax
  }

  /** Keeps a write until its owners have it. */
  add(write: Write, partition: number): void {
    this.hints.add(write, partition, this.#runtime.clock.monotonicMs())
    if (!this.#stopped) this.#timer ??= this.#lookLater()
  }

  /** Every owner that is there has a write. */
  delivered(write: Write): void {
    this.hints.release(write)
    this.#grantRoom()
  }

  /** A cache was cleared. */
  clear(marker: Marker): void {
    this.hints.clear(marker)
    this.#grantRoom()
  }

  /** What was written after a wall time, in ms, is given up. */
  recall(limitMs: number): Recalled {
    const recalled = this.hints.recall(limitMs)
    this.#grantRoom()
    return recalled
  }

  /** Owners have changed: what waits is given to those of now, of which this member may be one. */
  ownersChanged(): void {
    for (const hint of this.hints.values()) {
      hint.triedAtMs = Number.NEGATIVE_INFINITY
      this.#listener.takeIn(hint.write, hint.partition)
    }
  }

  #lookLater(): Timer {
    return this.#runtime.scheduler.after(LOOK_INTERVAL_MS, () => this.#look())
  }

  #look(): void {
    this.#timer = undefined
    const nowMs = this.#runtime.clock.monotonicMs()
    const expired = this.hints.expire(nowMs)
    if (expired > 0) {
      this.#listener.expired(expired)
      this.#grantRoom()
    }
    for (const hint of this.#due(nowMs)) {
      hint.triedAtMs = nowMs
      this.#listener.send(hint.write, hint.partition)
    }
    if (this.hints.size > 0) this.#timer = this.#lookLater()
  }

  #due(nowMs: number): Hint[] {
    const due: Hint[] = []
    for (const hint of this.hints.values()) {
      if (due.length === SLICE) break
      if (nowMs - hint.triedAtMs >= TRY_INTERVAL_MS) due.push(hint)
    }
    return due
  }

  #grantRoom(): void {
    this.#room.grant(() => this.#hasRoom())
  }
}
