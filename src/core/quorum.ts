/**
 * How many acknowledgements a write needs, and whose.
 *
 * A quorum is a majority: any two have a member in common (Gifford, "Weighted Voting for Replicated Data", 1979). Where
 * each key has so many owners, it is counted from that number, never from those that happen to be there; where every
 * member owns every key, from all members, those that are dead and not yet forgotten included. So a part of the mesh
 * that has called the rest dead cannot make a quorum of too few.
 */
import { isOnRing, type Member } from './members.js'

/**
 * How many owners must have a write before its caller is told that it is done.
 *
 * - `none`: none: it has taken effect here and goes out to the others (asynchronous)
 * - `one`: one; an owner that writes counts itself
 * - `quorum`: ⌊replicas/2⌋+1 of the key's owners, or, with `replicas: 'all'`, the majority of the members, those that are
 *   dead and not yet forgotten included (semi-synchronous): the write outlives the loss of any one owner
 * - `all`: every owner that is there, and at least a quorum (synchronous): it outlives the loss of all of them but one
 */
export type Ack = (typeof ACKS)[number]
export const ACKS = ['none', 'one', 'quorum', 'all'] as const

/** Whose confirmations count for a record. */
export interface Electorate {
  /** Lists of members; of each, a quorum has to confirm. */
  readonly lists: ReadonlyArray<readonly string[]>
  /** How many of each list. */
  readonly quorum: number
  /** Those that can confirm now: live, and serving. */
  readonly owners: readonly string[]
}

/** A quorum where each key has so many owners: their majority, however many there are at the moment. */
export function quorumOfReplicas(replicas: number): number {
  return Math.floor(replicas / 2) + 1
}

/** How many of so many owners have to be asked for one of them to be among any quorum. */
export function readQuorum(owners: number, quorum: number): number {
  return Math.max(1, owners - quorum + 1)
}

/**
 * Everybody, where every member owns every key, and for what concerns all members.
 * @param expectsOthers whether the member that asks was told of others: as long as it has met none, it is no majority
 */
export function everybody(members: readonly Member[], expectsOthers = false): Electorate {
  const voters = votersAmong(members)
  const alone = expectsOthers && members.length === 1
  return {
    lists: [voters],
    quorum: alone ? 2 : Math.floor(voters.length / 2) + 1,
    owners: members.filter(isOnRing).map(({ id }) => id),
  }
}

/** Those whose majority is a quorum: not those that have left, not those that hold nothing yet, and no clients. */
function votersAmong(members: readonly Member[]): string[] {
  const voters = members.filter(
    ({ state, status, role }) =>
      role === 'owner' && (state === 'dead' || (state !== 'left' && status !== 'joining')),
  )
  return voters.map(({ id }) => id)
}

/**
 * Whether a write is acknowledged.
 * @param quorumMin the quorum when it was made: where it changes meanwhile, both have to be reached
 */
export function isAcknowledged(
  ack: Ack,
  confirmed: ReadonlySet<string>,
  electorate: Electorate,
  quorumMin = 0,
): boolean {
  if (ack === 'none') return true
  const { lists, owners } = electorate
  if (ack === 'one') return lists.some((list) => confirmedOf(list, confirmed) > 0)
  const quorum = Math.max(quorumMin, electorate.quorum)
  // One that confirmed and left has taken its copy with it.
  if (lists.length === 0 || lists.some((list) => confirmedOf(list, confirmed) < quorum))
    return false
  return ack === 'quorum' || owners.every((id) => confirmed.has(id))
}

function confirmedOf(list: readonly string[], confirmed: ReadonlySet<string>): number {
  let count = 0
  for (const id of list) if (confirmed.has(id)) count++
  return count
}
