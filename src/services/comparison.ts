/**
 * Comparison: notices that this member and another one hold different entries though both are at rest. That is what
 * remains when something was lost of which no number tells: a member wrote, was heard by one other only, and was
 * started again. Every heartbeat carries a digest of what its sender holds; two that differ for some time while neither
 * changes lead to a transfer of state.
 */
import type { Clock } from './ports.js'

/** Heartbeats in a row that have to show the same difference, and for how long, in ms: after a stall many come at once. */
const BEATS = 3
const DIFFERENT_MIN_MS = 1_000

/** A difference that a transfer did not end is looked at again after so many times as many heartbeats. */
const PATIENCE_FACTOR = 10

interface Difference {
  readonly ours: bigint
  readonly theirs: bigint
  readonly sinceMs: number
  beats: number
  /** How many have to be counted until something is done. */
  dueAt: number
}

export class Comparison {
  readonly #clock: Clock
  readonly #digestOf: (asOfMs: number) => bigint | undefined
  readonly #onDifference: (member: string) => void
  readonly #differences = new Map<string, Difference>()

  /**
   * @param digestOf of what this member holds as of a wall time; undefined when that says nothing
   * @param onDifference a member holds something else, for longer than news may be under way
   */
  constructor(
    clock: Clock,
    digestOf: (asOfMs: number) => bigint | undefined,
    onDifference: (member: string) => void,
  ) {
    this.#clock = clock
    this.#digestOf = digestOf
    this.#onDifference = onDifference
  }

  /** A serving member tells the digest of what it holds as of a wall time; 0 when it cannot say. */
  heard(member: string, asOfMs: number, theirs: bigint): void {
    const ours = this.#digestOf(asOfMs)
    if (ours === undefined || theirs === 0n || ours === theirs) {
      this.#differences.delete(member)
      return
    }
    const known = this.#differences.get(member)
    if (known?.ours !== ours || known.theirs !== theirs) {
      const sinceMs = this.#clock.monotonicMs()
      this.#differences.set(member, { ours, theirs, sinceMs, beats: 1, dueAt: BEATS })
      return
    }
    if (++known.beats < known.dueAt) return
    if (this.#clock.monotonicMs() - known.sinceMs < DIFFERENT_MIN_MS) return
    known.dueAt *= PATIENCE_FACTOR
    this.#onDifference(member)
  }

  /** A member is gone. */
  gone(member: string): void {
    this.#differences.delete(member)
  }
}
