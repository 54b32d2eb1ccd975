/**
 * Which open partition is pulled next from whom, while a member takes over what it owns since the ring changed.
 *
 * A partition is to be pulled from a quorum of its owners by each earlier ring, or from all of them that are there. In a
 * wave each is asked of one of them, so that the next has to give only what differs from what the one before gave.
 */
import { noPartitions } from './placement.js'
import { PARTITIONS, type Ring } from './ring.js'

/** What a member has given of a partition: all of it; or what it has, which is not all there is. 0 for nothing. */
export const GIVEN = 1
export const LACKING = 2

/** A member that may have what is wanted. */
export interface Source {
  /** What it has given of each partition; undefined for nothing at all. */
  readonly given: Uint8Array | undefined
  readonly standing: Standing
}

/** Whether a member is there to be asked, and whether now; who has failed before is asked only if nobody else can be. */
export type Standing = 'gone' | 'busy' | 'failing' | 'free'

/** An earlier ring in force, and from how many owners of a partition by it that is to be pulled. */
export interface EarlierRing {
  readonly ring: Ring
  readonly neededCount: number
}

/** What is next. */
export interface Wave {
  /** What is to be pulled from whom, each partition a 1 at its place. */
  readonly wanted: Map<string, Uint8Array>
  /** Open partitions of which nothing more is to be had. */
  readonly finished: readonly number[]
}

/** Standings from the least to the most wanted. */
const RANKS = { gone: 0, busy: 1, failing: 2, free: 3 } satisfies Record<Standing, number>

const NOTHING = noPartitions()

/**
 * The next wave.
 * @param open partitions that are to be taken over, each as a 1 at its place
 * @param sources by member id; who is missing is gone, and has given nothing
 */
export function nextWave(
  open: Uint8Array,
  earlier: readonly EarlierRing[],
  sources: ReadonlyMap<string, Source>,
): Wave {
  const wanted = new Map<string, Uint8Array>()
  const finishable = open.slice()
  const pickable = open.slice()
  for (const { ring, neededCount } of earlier) {
    const { members, listLength } = ring
    const owners = members.map((id) => sources.get(id))
    const given = owners.map((owner) => owner?.given ?? NOTHING)
    const ranks = owners.map((owner) => RANKS[owner?.standing ?? 'gone'])
    const haveAnyGiven = owners.some((owner) => owner?.given !== undefined)
    // Looked up once a member, not once a partition.
    const wantedOf = members.map((id) => wanted.get(id))
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (open[partition] !== 1) continue
      let missing = neededCount
      let best = 0
      let bestRank: number = RANKS.gone
      for (let place = 0; place < listLength; place++) {
        // There is no better one, and those that are left cannot have given what is missing.
        if (bestRank === RANKS.free && missing > (haveAnyGiven ? listLength - place : 0)) break
        const owner = ring.memberAt(partition, place)
        const gave = (given[owner] as Uint8Array)[partition]
        const rank = ranks[owner] as number
        if (gave === GIVEN) missing--
        else if (gave !== LACKING && rank > bestRank) {
          best = owner
          bestRank = rank
        }
      }
      if (missing <= 0 || bestRank === RANKS.gone) continue
      finishable[partition] = 0
      if (pickable[partition] === 0 || bestRank < RANKS.failing) continue
      pickable[partition] = 0
      let partitions = wantedOf[best]
      if (partitions === undefined) {
        partitions = noPartitions()
        wantedOf[best] = partitions
        wanted.set(members[best] as string, partitions)
      }
      partitions[partition] = 1
    }
  }
  const finished: number[] = []
  for (let partition = 0; partition < PARTITIONS; partition++) {
    if (finishable[partition] === 1) finished.push(partition)
  }
  return { wanted, finished }
}
