/**
 * Damping of members that come and go, after the route flap damping of BGP (RFC 2439).
 *
 * Each death moves a share of all keys to others, and each return moves it back: one that dies every half minute keeps a whole
 * mesh busy, and serves nobody. So each death adds to a penalty, which halves while all is well; beyond one bound the member is
 * kept off the ring, though it goes on taking part, until the penalty has fallen below another one.
 */

/** Time in which the penalty halves, in ms. */
const HALF_LIFE_MS = 60_000

/** From this penalty on the member owns nothing: the third death within a minute or so. */
const SUPPRESS_FROM = 2

/** Below this it owns keys again. */
const REUSE_BELOW = 1

/** The penalty grows no higher, so that the member is back on the ring after three half-lives without a death. */
const PENALTY_MAX = 8

export class Damping {
  #penalty = 0
  #asOfMs = 0
  #isSuppressed = false

  /** The member died, and is back. Times are those of a monotonic clock, in ms. */
  died(nowMs: number): void {
    this.#penalty = Math.min(PENALTY_MAX, this.#penaltyAt(nowMs) + 1)
    this.#asOfMs = nowMs
    if (this.#penalty >= SUPPRESS_FROM) this.#isSuppressed = true
  }

  /** Whether all has been well for so long that a death would be the first. */
  isCalm(nowMs: number): boolean {
    return this.#penaltyAt(nowMs) < REUSE_BELOW / 2
  }

  /** How long the member is to own nothing from now on, in ms; 0 where it may. */
  remainingMs(nowMs: number): number {
    if (!this.#isSuppressed) return 0
    const remainingMs = HALF_LIFE_MS * Math.log2(this.#penaltyAt(nowMs) / REUSE_BELOW)
    if (remainingMs <= 0) this.#isSuppressed = false
    return Math.ceil(Math.max(0, remainingMs))
  }

  #penaltyAt(nowMs: number): number {
    return this.#penalty * 0.5 ** ((nowMs - this.#asOfMs) / HALF_LIFE_MS)
  }
}
