/**
 * Gaps: which members have published something that has not come here, though it is later than a message may be.
 */
import type { Positions } from '../core/positions.js'
import type { Runtime, Timer } from './ports.js'

/** How late a message may be before its absence counts as a loss, in ms. */
const GRACE_MS = 300

export interface GapListener {
  /** Something that a member published has not come for longer than it could be late. */
  gap(member: string): void
  /** All that a member published, as far as known, has been applied. */
  advanced(member: string): void
}

export class Gaps {
  readonly #runtime: Runtime
  readonly #positions: Positions
  readonly #listener: GapListener
  /** When a gap was first seen, by member. */
  readonly #sinceMs = new Map<string, number>()
  /** How much is being fetched, by member. */
  readonly #fetching = new Map<string, number>()
  #timer: Timer | undefined
  #count = 0
  #stopped = false

  constructor(runtime: Runtime, positions: Positions, listener: GapListener) {
    this.#runtime = runtime
    this.#positions = positions
    this.#listener = listener
  }

  /** What a fetch that ends later leaves behind is nobody's concern any more. */
  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
  }

  /** Gaps that have been told of. */
  get count(): number {
    return this.#count
  }

  /** What is fetched from a member while `work` goes on is late, not lost. */
  async fetching<Result>(member: string, work: Promise<Result>): Promise<Result> {
    this.#fetching.set(member, (this.#fetching.get(member) ?? 0) + 1)
    try {
      return await work
    } finally {
      const left = (this.#fetching.get(member) ?? 1) - 1
      if (left === 0) this.#fetching.delete(member)
      else this.#fetching.set(member, left)
    }
  }

  /** How far this member has come in what another published has changed, or how much that is. */
  look(member: string): void {
    if (!this.#positions.isBehind(member)) {
      this.#sinceMs.delete(member)
      this.#listener.advanced(member)
      return
    }
    if (this.#stopped || this.#sinceMs.has(member) || this.#fetching.has(member)) return
    this.#sinceMs.set(member, this.#runtime.clock.monotonicMs())
    this.#timer ??= this.#tellLater()
  }

  #tellLater(): Timer {
    return this.#runtime.scheduler.after(GRACE_MS, () => this.#tell())
  }

  #tell(): void {
    this.#timer = undefined
    const nowMs = this.#runtime.clock.monotonicMs()
    for (const [member, sinceMs] of this.#sinceMs) {
      if (!this.#positions.isBehind(member)) {
        this.#sinceMs.delete(member)
      } else if (nowMs - sinceMs >= GRACE_MS) {
        this.#sinceMs.delete(member)
        this.#count++
        this.#listener.gap(member)
      }
    }
    if (this.#sinceMs.size > 0) this.#timer ??= this.#tellLater()
  }
}
