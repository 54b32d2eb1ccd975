/**
 * How long a suspect has to speak up before it is called dead.
 *
 * From Lifeguard (Dadgar, Phillips, Currey, 2017): start with a long time-out and shorten it, by the logarithm,
 * with each independent member that suspects the same one. A suspicion that only one observer holds is probably
 * that observer's own trouble; one that many hold needs no long wait.
 *
 * Other than there, a confirmation shortens the wait as of when it comes, not as of the first suspicion: who confirms later has
 * heard the suspect later, and that it was silent for long is known from then on only.
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

/**
 * Time left, in ms: never below 0.
 * @param elapsedMs how long ago each member came to suspect it, in ms, the first one first
 */
export function remainingSuspicionMs(elapsedMs: readonly number[], times: SuspicionTimes): number {
  const leftMs = elapsedMs.map(
    (sinceMs, confirmations) => timeoutMs(confirmations, times) - sinceMs,
  )
  return Math.max(0, Math.min(...leftMs))
}

/** How long a suspect is waited for with so many confirmations from others, in ms. */
function timeoutMs(
  confirmations: number,
  { minMs, maxMs, confirmationsWanted }: SuspicionTimes,
): number {
  const share =
    confirmationsWanted < 1
      ? 1
      : Math.min(1, Math.log1p(confirmations) / Math.log1p(confirmationsWanted))
  return Math.max(minMs, maxMs - share * (maxMs - minMs))
}
