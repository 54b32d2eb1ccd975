/**
 * Lossy partitions: those of which something had to be forgotten, for want of room, that others may still know. Their digests
 * say nothing, until what was forgotten counts nowhere any more.
 */
import { PARTITIONS } from './ring.js'

export class LossyPartitions {
  /** Each lossy partition as a 1 at its place. Not to be changed. */
  readonly flags = new Uint8Array(PARTITIONS)
  /** Until when each is, by the horizon of values; wall time in ms. */
  readonly #untilMs = new Float64Array(PARTITIONS)
  #count = 0

  /** How many there are. */
  get count(): number {
    return this.#count
  }

  /** Something was forgotten that others know of until its value expires. @param expiresAt wall time in ms, 0 for never */
  add(partition: number, expiresAt: number): void {
    const untilMs = expiresAt === 0 ? Number.POSITIVE_INFINITY : expiresAt
    if (this.flags[partition] === 0) this.#count++
    this.flags[partition] = 1
    this.#untilMs[partition] = Math.max(this.#untilMs[partition] as number, untilMs)
  }

  /** The digest of a partition is to be trusted again. */
  remove(partition: number): void {
    if (this.flags[partition] === 1) this.#count--
    this.flags[partition] = 0
    this.#untilMs[partition] = 0
  }

  /** Values that expired before a wall time, in ms, count nowhere any more. */
  advance(valuesMs: number): void {
    if (this.#count === 0) return
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const isOver = (this.#untilMs[partition] as number) < valuesMs
      if (isOver && this.flags[partition] === 1) this.remove(partition)
    }
  }
}
