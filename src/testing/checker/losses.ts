/**
 * What acknowledged writes must outlive, where a key has some owners of many: the loss of so many memories, and again of
 * so many once all members have taken over what they own since. Judged for the benefit of the mesh: every owner's memory
 * counts, whichever keys it had, and time between two looks counts as unsettled.
 */

/** What is lost while a write is kept or under way. */
export interface Risk {
  /** Memories lost since all was settled, or since the write began. */
  lostCount: number
  /** How many may be lost. */
  tolerance: number
  /** Whether more were lost: nothing is promised any more. */
  isVoid: boolean
}

export class Losses {
  readonly #risks = new Set<Risk>()
  #partings = 0
  #isApart = false
  #isUnscathed = true

  /**
   * Which view all members share, as a number: the same as long as nobody takes a running member to be dead, or itself to
   * be alone. Undefined from then on until all is settled.
   */
  get view(): number | undefined {
    return this.#isApart ? undefined : this.#partings
  }

  /** Whether no memory has been lost so far, and nobody was taken to be dead. */
  get isUnscathed(): boolean {
    return this.#isUnscathed && this.#partings === 0
  }

  begin(): Risk {
    const risk: Risk = { lostCount: 0, tolerance: Number.POSITIVE_INFINITY, isVoid: false }
    this.#risks.add(risk)
    return risk
  }

  /** A write is acknowledged: from now on it is promised to outlive so many losses. */
  promise(risk: Risk, tolerance: number): void {
    risk.tolerance = tolerance
    risk.isVoid = risk.lostCount > tolerance
  }

  /** Nobody looks at it any more. */
  end(risk: Risk): void {
    this.#risks.delete(risk)
  }

  /** A process ends, and its memory is gone. */
  loses(): void {
    this.#isUnscathed = false
    for (const risk of this.#risks) {
      risk.lostCount++
      risk.isVoid ||= risk.lostCount > risk.tolerance
    }
  }

  /** All members place keys by one ring, and have all that they own by it. */
  settled(): void {
    this.#isApart = false
    // What is under way may have been given to those that were lost.
    for (const risk of this.#risks) if (Number.isFinite(risk.tolerance)) risk.lostCount = 0
  }

  /** Views part. */
  disagree(): void {
    this.#partings++
    this.#isApart = true
  }
}
