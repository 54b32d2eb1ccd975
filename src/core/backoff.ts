/**
 * Capped exponential back-off with equal jitter (Brooker, "Exponential Backoff And Jitter", 2015): the spread
 * keeps members that failed together from trying again together.
 */

/** Bounds of a back-off. */
export interface Backoff {
  /** Ceiling of the first delay, in ms. */
  readonly minMs: number
  /** Ceiling of every later delay, in ms. */
  readonly maxMs: number
}

/**
 * Delay before try number `attempt` (the first retry is 1), in ms: uniformly between half and all of the
 * ceiling, which doubles with each attempt up to `maxMs`. `random` is in [0, 1).
 */
export function backoffMs(attempt: number, { minMs, maxMs }: Backoff, random: number): number {
  const ceilingMs = Math.min(maxMs, minMs * 2 ** Math.min(attempt - 1, 30))
  return ceilingMs * (0.5 + random / 2)
}
