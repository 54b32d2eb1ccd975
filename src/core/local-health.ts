/**
 * How far a member may trust its own judgement of others: the local health multiplier of Lifeguard (Dadgar, Phillips,
 * Currey, 2017).
 *
 * Most members that are called dead wrongly are called so by one that is in trouble itself: its event loop is late, its link
 * is lossy. Each sign of that makes it give others more time, in proportion; while all goes well, it comes to trust itself again.
 */

/** Signs of trouble that count at most: beyond it, more time would only make the dead unnoticed. */
export const TROUBLE_MAX = 8

export class LocalHealth {
  #trouble = 0

  /**
   * A sign of trouble here: this member was suspected and had to refute; one that it could not reach was reached by others;
   * its own event loop was late.
   */
  worse(): void {
    this.#trouble = Math.min(TROUBLE_MAX, this.#trouble + 1)
  }

  /** All went well for a while. */
  better(): void {
    this.#trouble = Math.max(0, this.#trouble - 1)
  }

  /** By how much this member's time-outs are to be longer: 1 in good health. */
  get multiplier(): number {
    return 1 + this.#trouble
  }
}
