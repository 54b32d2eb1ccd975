/**
 * Acknowledgement: hands writes straight to their owners, and tells when enough of them have them.
 *
 * The writes of one turn of the event loop go to each owner in one request, beside their publication. An owner that
 * does not answer is asked again until the time is over; what comes of a write that too few acknowledged is open.
 */
import { backoffMs } from '../core/backoff.js'
import type { ClearMarker, Write } from '../core/entry.js'
import { type Ack, isAcknowledged, ownersAmong, quorumOf, votersAmong } from '../core/quorum.js'
import { NotConfirmedError, PeerStoppedError } from '../errors.js'
import { BATCH_BYTES_MAX } from '../protocol/limits.js'
import type { Records } from '../protocol/messages.js'
import { recordBytes } from '../protocol/records.js'
import type { Membership } from './membership.js'
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

export interface AcknowledgementComponents {
  readonly runtime: Runtime
  readonly membership: Membership
  readonly requests: RequestStreams
}

export interface AcknowledgementOptions {
  /** How long acknowledgements are waited for, in ms. */
  readonly timeoutMs: number
  /** Whether this member was told of others to look for. */
  readonly expectsOthers: boolean
}

export class Acknowledgement {
  readonly #components: AcknowledgementComponents
  readonly #options: AcknowledgementOptions
  readonly #rounds = new Set<Round>()
  readonly #pauses: Pauses
  /** The round that gathers the writes of this turn. */
  #gathering: Round | undefined
  #stopped = false

  constructor(components: AcknowledgementComponents, options: AcknowledgementOptions) {
    this.#components = components
    this.#options = options
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
    for (const round of this.#rounds) count += round.waiterCount
    return count
  }

  /** Who is in the mesh, or serves, has changed. */
  viewChanged(): void {
    for (const round of [...this.#rounds]) round.review()
  }

  /** Resolves when enough owners have a write that was applied here. @throws NotConfirmedError */
  async reached(record: Write | ClearMarker, ack: Ack): Promise<void> {
    if (ack === 'none') return
    if (this.#stopped) throw new PeerStoppedError('write')
    if (!this.#gathering?.hasRoomFor(record)) this.#gathering = this.#begin()
    await this.#gathering.add(record, ack)
  }

  #begin(): Round {
    const round: Round = new Round(this.#components, this.#options, this.#pauses, {
      started: () => {
        if (this.#gathering === round) this.#gathering = undefined
      },
      over: () => this.#rounds.delete(round),
    })
    this.#rounds.add(round)
    return round
  }
}

interface Waiter {
  readonly ack: Ack
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

interface RoundListener {
  /** No more writes can be added. */
  started(): void
  /** Nobody waits any more. */
  over(): void
}

/** The writes of one turn of the event loop, on their way to the owners from its end on. */
class Round {
  readonly #components: AcknowledgementComponents
  readonly #options: AcknowledgementOptions
  readonly #pauses: Pauses
  readonly #listener: RoundListener
  readonly #start: Timer
  readonly #writes: Write[] = []
  readonly #markers: ClearMarker[] = []
  readonly #confirmed = new Set<string>()
  readonly #asked = new Set<string>()
  #bytes = 0
  #waiters: Waiter[] = []
  #quorumMin = 0
  #deadline: Timer | undefined
  #hasStarted = false
  #isOver = false

  constructor(
    components: AcknowledgementComponents,
    options: AcknowledgementOptions,
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
  hasRoomFor(record: Write | ClearMarker): boolean {
    const count = this.#writes.length + this.#markers.length
    if (count === 0) return true
    return count < ROUND_RECORDS_MAX && this.#bytes + recordBytes(record) <= BATCH_BYTES_MAX
  }

  get waiterCount(): number {
    return this.#waiters.length
  }

  async add(record: Write | ClearMarker, ack: Ack): Promise<void> {
    if ('key' in record) this.#writes.push(record)
    else this.#markers.push(record)
    this.#bytes += recordBytes(record)
    await new Promise<void>((resolve, reject) => this.#waiters.push({ ack, resolve, reject }))
  }

  #begin(): void {
    const { membership, runtime } = this.#components
    this.#listener.started()
    this.#hasStarted = true
    this.#quorumMin = quorumOf(membership.list.all(), this.#options.expectsOthers)
    this.#deadline = runtime.scheduler.after(this.#options.timeoutMs, () => this.giveUp())
    // It was applied here before anybody else hears of it; a member that does not serve yet is no owner.
    if (membership.status === 'serving') this.#confirmed.add(membership.id)
    this.review()
  }

  /** Asks owners that have not been asked, and looks who has enough. */
  review(): void {
    if (!this.#hasStarted || this.#isOver) return
    const { membership } = this.#components
    const members = membership.list.all()
    const levels = [...new Set(this.#waiters.map(({ ack }) => ack))]
    const reached = levels.filter((ack) =>
      isAcknowledged(ack, this.#confirmed, members, this.#quorumMin),
    )
    for (const { ack, resolve } of this.#waiters) if (reached.includes(ack)) resolve()
    this.#waiters = this.#waiters.filter(({ ack }) => !reached.includes(ack))
    if (this.#waiters.length === 0) {
      this.#end()
      return
    }
    for (const id of ownersAmong(members)) {
      if (id === membership.id || this.#asked.has(id)) continue
      this.#asked.add(id)
      void this.#askUntilConfirmed(id)
    }
  }

  /** Tells all who still wait why they have waited in vain. */
  giveUp(reason?: Error): void {
    const { membership } = this.#components
    const missing = votersAmong(membership.list.all()).filter((id) => !this.#confirmed.has(id))
    const error =
      reason ?? new NotConfirmedError([...this.#confirmed], missing, this.#options.timeoutMs)
    for (const { reject } of this.#waiters) reject(error)
    this.#waiters = []
    this.#end()
  }

  #end(): void {
    this.#isOver = true
    this.#start.cancel()
    this.#deadline?.cancel()
    this.#listener.over()
  }

  async #askUntilConfirmed(id: string): Promise<void> {
    const { requests, membership, runtime } = this.#components
    const records: Records = { writes: this.#writes, markers: this.#markers }
    const timeoutMs = TRY_TIMEOUT_MS + Math.ceil(this.#bytes / BYTES_PER_MS_MIN)
    for (let attempt = 1; !this.#isOver; attempt++) {
      try {
        const body = { kind: 'replicate', records } as const
        const { refused } = await requests.ask(id, body, { timeoutMs })
        // What it does not believe now it will not believe in a moment.
        if (refused > 0) return
        this.#confirmed.add(id)
        this.review()
        return
      } catch {
        if (!ownersAmong(membership.list.all()).includes(id)) break
        await this.#pauses.pause(backoffMs(attempt, RETRY_BACKOFF, runtime.random.next()))
      }
    }
    // Gone, or no owner any more: it is asked again should it come back.
    this.#asked.delete(id)
  }
}
