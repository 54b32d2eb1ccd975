/**
 * When this member and each other one last held the same, partition by partition: what tells a record that the other has yet
 * to hear of from one that it has had, and deleted.
 *
 * A tombstone is not kept for ever. So of two that have been apart for longer than its grace, one may hold a record that
 * the other has deleted and forgotten. As of the moment when they were last equal both knew it, or neither: what is older
 * than that, and held by one of them only, has been deleted by the other. (Cassandra asks its operators to repair within the
 * grace for this reason, `gc_grace_seconds`; here members know when they did.)
 *
 * A moment belongs to one run of the other member: one that was started again has forgotten all. And it belongs to one time of
 * holding the partition: who gave it up in between lacks what it dropped, and has deleted nothing.
 */
import { PARTITIONS } from './ring.js'

/** Moments are kept in s. */
const S_MS = 1_000

/** The moments of one member's run, by partition, in s since the Unix epoch; 0 for never. */
export interface Moments {
  /** Whether they are of when all that the member held was taken over by one that held nothing before. */
  readonly isOneWay: boolean
  readonly member: string
  /** Tells the run from others. */
  readonly instance: string
  readonly seconds: Uint32Array
  /** None of them but 0 is earlier, in s; infinite where all are 0. */
  readonly earliestS: number
}

interface KnownMoments extends Moments {
  earliestS: number
}

export class LastEqual {
  readonly #isOneWay: boolean
  readonly #known = new Map<string, KnownMoments>()

  /** @param isOneWay see {@link Moments} */
  constructor(isOneWay = false) {
    this.#isOneWay = isOneWay
  }

  /**
   * Holds the same of some partitions, each a 1 at its place, as a member did at a moment, in ms.
   * @param counts whether that counts for a partition; where it is left out, it does for all
   */
  note(
    member: string,
    instance: string,
    partitions: Uint8Array,
    atMs: number,
    counts?: (partition: number) => boolean,
  ): void {
    const moments = this.#of(member, instance)
    const { seconds } = moments
    const atS = Math.floor(atMs / S_MS)
    moments.earliestS = Math.min(moments.earliestS, atS)
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (partitions[partition] !== 1 || (seconds[partition] as number) >= atS) continue
      if (counts === undefined || counts(partition)) seconds[partition] = atS
    }
  }

  /** When a partition was last the same as a member's, in ms; 0 for never. */
  of(member: string, instance: string | undefined, partition: number): number {
    const moments = this.#known.get(member)
    if (moments === undefined || moments.instance !== instance) return 0
    return (moments.seconds[partition] as number) * S_MS
  }

  /** The run of a member that moments are known of. */
  instanceOf(member: string): string | undefined {
    return this.#known.get(member)?.instance
  }

  /** Whether any partition was the same as a member's at a moment, in ms, or since. */
  hasBeenSince(member: string, instance: string | undefined, sinceMs: number): boolean {
    const moments = this.#known.get(member)
    if (moments === undefined || moments.instance !== instance) return false
    return moments.seconds.some((seconds) => seconds * S_MS >= sinceMs)
  }

  /**
   * Takes over what another member knows, of some partitions: whoever has just had all from it has had all that it had, and
   * has forgotten what it has forgotten.
   */
  inherit(theirs: Moments, partitions: Uint8Array | undefined): void {
    const { member, instance, seconds } = theirs
    const known = this.#known.get(member)
    if (known !== undefined && known.instance !== instance) return
    const moments = this.#of(member, instance)
    const own = moments.seconds
    moments.earliestS = Math.min(moments.earliestS, theirs.earliestS)
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (partitions?.[partition] === 0) continue
      own[partition] = Math.max(own[partition] as number, seconds[partition] as number)
    }
  }

  /** Nothing is known of a partition any more. */
  forget(partition: number): void {
    for (const { seconds } of this.#known.values()) seconds[partition] = 0
  }

  /** Moments after a wall time, in ms, were by a clock that was wrong: nothing is known of them. */
  recall(limitMs: number): void {
    const limitS = Math.floor(limitMs / S_MS)
    for (const { seconds } of this.#known.values()) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        if ((seconds[partition] as number) > limitS) seconds[partition] = 0
      }
    }
  }

  /** Forgets all members but some. */
  keep(isKept: (member: string) => boolean): void {
    for (const member of this.#known.keys()) if (!isKept(member)) this.#known.delete(member)
  }

  values(): Iterable<Moments> {
    return this.#known.values()
  }

  #of(member: string, instance: string): KnownMoments {
    let moments = this.#known.get(member)
    if (moments === undefined || moments.instance !== instance) {
      const seconds = new Uint32Array(PARTITIONS)
      const earliestS = Number.POSITIVE_INFINITY
      moments = { member, instance, seconds, isOneWay: this.#isOneWay, earliestS }
      this.#known.set(member, moments)
    }
    return moments
  }
}

/**
 * As of when two members both held the same as some third one did, by partition, in s: two that took a partition over, on
 * either side of a split, from two that had agreed, have agreed when those had.
 * @param latestS later ones do not count
 */
export function common(
  ours: readonly Moments[],
  theirs: readonly Moments[],
  latestS = Number.POSITIVE_INFINITY,
): Uint32Array {
  const common = new Uint32Array(PARTITIONS)
  for (const one of ours) {
    for (const { member, instance, seconds, earliestS } of theirs) {
      if (member !== one.member || instance !== one.instance) continue
      if (Math.min(one.earliestS, earliestS) > latestS) continue
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const both = Math.min(one.seconds[partition] as number, seconds[partition] as number)
        if (both <= latestS && both > (common[partition] as number)) common[partition] = both
      }
    }
  }
  return common
}
