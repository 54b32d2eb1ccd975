/**
 * Hybrid logical clock (Kulkarni, Demirbas, Madappa, Avva, Leone: "Logical Physical Clocks and Consistent
 * Snapshots in Globally Distributed Databases", 2014).
 *
 * Timestamps follow wall time, never go back, and order causes before effects across members: each timestamp
 * heard moves the clock forward. A timestamp from too far ahead is refused rather than adopted, because one
 * member with a broken clock would otherwise drag the whole mesh into the future for good.
 */
import {
  COUNTER_MAX,
  compareTimestamps,
  TIMESTAMP_ZERO,
  type Timestamp,
  WALL_MS_MAX,
} from './version.js'

/** Options of {@link HybridLogicalClock}. */
export interface HybridLogicalClockOptions {
  /** Wall time in ms since the Unix epoch. May step back; the clock will not. */
  readonly now: () => number
  /** The time that others are judged by: this member's own may be a little off. @default `now` */
  readonly judgeBy?: () => number
  /** A timestamp further ahead of `judgeBy()` than this, in ms, is refused. */
  readonly aheadMaxMs: number
}

/**
 * Where all wall clocks have been set back, timestamps go on from where they were, ahead of them all. One that is not
 * further ahead of the latest than this, in ms, is then taken.
 */
const SET_BACK_SLACK_MS = 1_000

export class HybridLogicalClock {
  readonly #now: () => number
  readonly #judgeBy: () => number
  readonly #aheadMaxMs: number
  #last: Timestamp = TIMESTAMP_ZERO
  /** Wall time of the latest that was heard and lay in nobody's future, in ms. */
  #heardMs = 0

  constructor(options: HybridLogicalClockOptions) {
    this.#now = options.now
    this.#judgeBy = options.judgeBy ?? options.now
    this.#aheadMaxMs = options.aheadMaxMs
  }

  /** The highest timestamp issued or observed. */
  get last(): Timestamp {
    return this.#last
  }

  /** Issues the next timestamp: later than every one issued or observed before. */
  tick(): Timestamp {
    const wallMs = Math.min(Math.max(Math.floor(this.#now()), 0), WALL_MS_MAX)
    this.#last = wallMs > this.#last.wallMs ? { wallMs, counter: 0 } : successor(this.#last)
    return this.#last
  }

  /**
   * Goes on from a wall time, in ms, or from what has been heard since then, though later timestamps have been issued: nobody else
   * has taken any of them, and they are given up here. Never forward.
   */
  setBack(toMs: number): void {
    const wallMs = Math.max(Math.floor(toMs), this.#heardMs)
    if (wallMs < this.#last.wallMs) this.#last = { wallMs, counter: COUNTER_MAX }
  }

  /** Whether a timestamp heard from another member is near enough to be believed. */
  accepts(timestamp: Timestamp): boolean {
    const { wallMs, counter } = timestamp
    if (wallMs > WALL_MS_MAX || counter > COUNTER_MAX) return false
    const latestMs = this.#judgeBy() + this.#aheadMaxMs
    const isSetBack = this.#last.wallMs > latestMs
    return wallMs <= (isSetBack ? this.#last.wallMs + SET_BACK_SLACK_MS : latestMs)
  }

  /** Moves the clock past a timestamp heard. Returns false, and changes nothing, when it is refused. */
  observe(timestamp: Timestamp): boolean {
    if (!this.accepts(timestamp)) return false
    const { wallMs } = timestamp
    if (wallMs > this.#heardMs && wallMs <= this.#judgeBy() + this.#aheadMaxMs) {
      this.#heardMs = wallMs
    }
    if (compareTimestamps(timestamp, this.#last) > 0) {
      this.#last = { wallMs: timestamp.wallMs, counter: timestamp.counter }
    }
    return true
  }
}

/** The smallest timestamp after `timestamp`; a full counter carries into the milliseconds. */
export function successor(timestamp: Timestamp): Timestamp {
  return timestamp.counter < COUNTER_MAX
    ? { wallMs: timestamp.wallMs, counter: timestamp.counter + 1 }
    : { wallMs: timestamp.wallMs + 1, counter: 0 }
}
