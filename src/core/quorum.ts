/**
 * How many acknowledgements a write needs, where every member owns every key.
 *
 * A quorum is the majority of all members, those that are dead and not yet forgotten included: any two majorities have a
 * member in common, and a part of the mesh that has called the rest dead cannot make one of its own (Gifford, "Weighted
 * Voting for Replicated Data", 1979).
 */
import { isLive, type Member } from './members.js'

/**
 * How many owners must have a write before its caller is told that it is done. In this version every member owns every
 * key.
 *
 * - `none`: none: it has taken effect here and goes out to the others (asynchronous)
 * - `one`: one; an owner that writes counts itself
 * - `quorum`: the majority of the members, those that are dead and not yet forgotten included (semi-synchronous): the
 *   write outlives the loss of any one member, and a part of the mesh that is cut off cannot acknowledge
 * - `all`: every live, serving member, and at least a quorum (synchronous)
 */
export type Ack = (typeof ACKS)[number]
export const ACKS = ['none', 'one', 'quorum', 'all'] as const

/** Those whose majority is a quorum: not those that have left, and not those that hold nothing yet. */
export function votersAmong(members: readonly Member[]): string[] {
  const voters = members.filter(
    ({ state, status }) => state === 'dead' || (state !== 'left' && status !== 'joining'),
  )
  return voters.map(({ id }) => id)
}

/**
 * The majority of the members that own keys.
 * @param expectsOthers whether the member that asks was told of others: as long as it has met none, it is no majority
 */
export function quorumOf(members: readonly Member[], expectsOthers = false): number {
  if (expectsOthers && members.length === 1) return 2
  return Math.floor(votersAmong(members).length / 2) + 1
}

/** Those that can acknowledge now: live, and serving. */
export function ownersAmong(members: readonly Member[]): string[] {
  const owners = members.filter((member) => isLive(member) && member.status === 'serving')
  return owners.map(({ id }) => id)
}

/**
 * Whether a write is acknowledged.
 * @param quorumMin the quorum when it was made: where the members change meanwhile, both have to be reached
 */
export function isAcknowledged(
  ack: Ack,
  confirmed: ReadonlySet<string>,
  members: readonly Member[],
  quorumMin: number,
): boolean {
  if (ack === 'none') return true
  if (ack === 'one') return confirmed.size >= 1
  // One that confirmed and left has taken its copy with it.
  const held = votersAmong(members).filter((id) => confirmed.has(id)).length
  if (held < Math.max(quorumMin, quorumOf(members))) return false
  return ack === 'quorum' || ownersAmong(members).every((id) => confirmed.has(id))
}
