/**
 * How long a suspect has to speak up before it is called dead.
 *
 * From Lifeguard (Dadgar, Phillips, Currey, 2017): start with a long time-out and shorten it, by the logarithm,
 * with each independent member that suspects the same one. A suspicion that only one observer holds is probably
 * that observer's own trouble; one that many hold needs no long wait.
 */

/** The numbers the formula takes. */
export interface SuspicionTimes {
  /** The wait once enough members have confirmed, in ms. */
  readonly minMs: number
  /** The wait when nobody confirms, in ms. */
  readonly maxMs: number
  /** Independent confirmations after which the wait is `minMs`. */
  readonly confirmationsWanted: number
}

/** Time left, in ms, after `elapsedMs` of suspicion with `confirmations` from others. Never below 0. */
export function remainingSuspicionMs(
  elapsedMs: number,
  confirmations: number,
  { minMs, maxMs, confirmationsWanted }: SuspicionTimes,
): number {
  const share =
    confirmationsWanted < 1
      ? 1
      : Math.min(1, Math.log1p(confirmations) / Math.log1p(confirmationsWanted))
  const timeoutMs = Math.max(minMs, maxMs - share * (maxMs - minMs))
  return Math.max(0, timeoutMs - elapsedMs)
}
