/**
 * Admission: what a write has to have before it is made. This member must know the mesh's clock, there must be room for
 * hints where the key belongs to others, and room in the write queue; who finds none waits for it.
 */
import { entryBytes } from '../core/stored-entry.js'
import type { Payload } from '../core/version.js'
import { abortable } from './abortable.js'
import type { CatchUp } from './catch-up.js'
import type { Handoff, Ticket } from './handoff.js'
import type { Ownership } from './ownership.js'
import type { Replication } from './replication.js'

export interface AdmissionComponents {
  readonly catchUp: CatchUp
  readonly ownership: Ownership
  readonly handoff: Handoff
  readonly replication: Replication
}

/** A write to one key that waits for its turn. */
export interface WriteTicket extends Ticket {
  readonly cache: string
  readonly key: string
  readonly payload: Payload
}

export interface TurnOptions {
  /** Of a write to one key. Its room goes back if there is no turn, and otherwise when it has been made. */
  readonly ticket?: WriteTicket | undefined
  readonly signal?: AbortSignal | undefined
  /** Throws when there are no more turns, for the peer has been stopped. */
  readonly assertRunning: (operation: string) => void
}

export class Admission {
  readonly #components: AdmissionComponents

  constructor(components: AdmissionComponents) {
    this.#components = components
  }

  /** A ticket for a write to one key; undefined where none is needed. */
  ticket(cache: string, key: string, payload: Payload): WriteTicket | undefined {
    return this.#components.ownership.holdsAll ? undefined : { cache, key, payload, bytes: 0 }
  }

  /**
   * What resolves when a write may be made; undefined where there is nothing to wait for.
   * @throws SyncQueueFullError, HintsFullError when there is no room in time; the signal's reason when it aborts
   */
  turn(options: TurnOptions): Promise<void> | undefined {
    const { catchUp, replication } = this.#components
    if (!catchUp.isWritable) return this.#waitForTurn(options)
    const hintRoom = this.#hintRoom(options)
    if (hintRoom !== undefined) return this.#waitForTurn(options, hintRoom)
    const room = replication.room(options.signal)
    return room && this.#waitForRoom(room, options)
  }

  /** Makes a write that has its turn. */
  made<Result>(ticket: WriteTicket | undefined, write: () => Result): Result {
    try {
      return write()
    } finally {
      if (ticket !== undefined) this.#components.handoff.release(ticket)
    }
  }

  async #waitForTurn(options: TurnOptions, hintRoom?: Promise<void>): Promise<void> {
    const { catchUp, replication } = this.#components
    if (!catchUp.isWritable) await abortable(catchUp.mayWrite, options.signal)
    await (hintRoom ?? this.#hintRoom(options))
    await this.#waitForRoom(replication.room(options.signal), options)
  }

  /** Room to keep a write to a key of others for them; undefined where none is needed, or there is some. */
  #hintRoom({ ticket, signal }: TurnOptions): Promise<void> | undefined {
    const { ownership, handoff } = this.#components
    if (ticket === undefined || ownership.holdsKey(ticket.cache, ticket.key)) return undefined
    return handoff.room(ticket, entryBytes(ticket.key, ticket.payload), signal)
  }

  /** Waits for room in the write queue. All room goes back if there is none, or the peer has been stopped meanwhile. */
  async #waitForRoom(
    room: Promise<void> | undefined,
    { ticket, assertRunning }: TurnOptions,
  ): Promise<void> {
    const { replication, handoff } = this.#components
    let hasRoom = false
    try {
      await room
      hasRoom = true
      assertRunning('write')
    } catch (error) {
      if (hasRoom) replication.releaseRoom()
      if (ticket !== undefined) handoff.release(ticket)
      throw error
    }
  }
}
