/**
 * Where keys belong: after heal and quiet all place them by one ring, hold what they own by it, and keep nothing for
 * others any more. Of clients nobody expects that they own anything.
 */
import type { SimulatedProcess, Simulation } from '../../../src/testing/simulation.js'
import type { Violations } from './violations.js'

/** Whether a process keeps keys; the others are clients. */
export function isOwner({ options }: SimulatedProcess): boolean {
  return options.role !== 'client'
}

/** Why what a process owns and keeps is not as it is to be at rest; nothing where it is. */
function* unrestOf({ id, peer, time }: SimulatedProcess, ring: string): Generator<string> {
  if (time.isStalled) yield `${id} stands still`
  if (peer.status !== 'serving') yield `${id} is ${peer.status}`
  const own = peer.ring.members.join(' ')
  if (own !== ring) yield `the ring of ${id} is ${own}, not ${ring}`
  if (!peer.isPlacementSettled) yield `an earlier ring is in force at ${id}`
  const { openPartitions } = peer.pending
  if (openPartitions > 0) yield `${id} has yet to take over ${openPartitions} partitions`
}

/** Whether all members place keys by one ring, and have taken over all that they own by it. */
export function isSettled(simulation: Simulation): boolean {
  return unrest(simulation).next().done === true
}

function* unrest(simulation: Simulation): Generator<string> {
  const running = simulation.running()
  const ids = running.filter(isOwner).map(({ id }) => id)
  const ring = ids.sort().join(' ')
  for (const process of running) yield* unrestOf(process, ring)
}

/** Whether nobody keeps anything for others: there is an owner, and it is there. */
export function hasNoHints(simulation: Simulation): boolean {
  const running = simulation.running()
  return !running.some(isOwner) || running.every(({ peer }) => peer.pending.hintCount === 0)
}

/** After heal and quiet. */
export function checkPlacement(simulation: Simulation, violations: Violations): void {
  for (const what of unrest(simulation)) violations.add('placement', what)
  if (hasNoHints(simulation)) return
  for (const { id, peer } of simulation.running()) {
    const { hintCount } = peer.pending
    if (hintCount > 0) violations.add('placement', `${id} keeps ${hintCount} writes for others`)
  }
}
