/**
 * Digests: those of two members are equal exactly when the two know the same, deletes included; and after heal and quiet
 * they are.
 */
import type { SimulatedProcess } from '../../../src/testing/simulation.js'
import { isOwner } from './placement.js'
import type { Violations } from './violations.js'

/** Pairs of members whose digests differ though they should not. */
export function* differing(running: readonly SimulatedProcess[]): Generator<string> {
  for (const [one, other] of pairs(running)) {
    if (hasEqualRoots(one, other) === false) {
      yield `the digests of ${one.id} and ${other.id} differ at rest`
    }
  }
}

/** Whether digests tell what they are of. */
export function checkMeaning(running: readonly SimulatedProcess[], violations: Violations): void {
  for (const [one, other] of pairs(running)) {
    const isEqual = hasEqualRoots(one, other)
    if (isEqual === undefined) continue
    const isSame = one.peer.countedWith(other.id) === other.peer.countedWith(one.id)
    if (isSame === isEqual) continue
    const what = isSame ? 'the same by digests that differ' : 'different records by equal digests'
    violations.add('digest', `${one.id} and ${other.id} know ${what}`)
  }
}

/** Undefined where there is nothing to compare. */
function hasEqualRoots(
  { peer: one, id }: SimulatedProcess,
  { peer: other, id: otherId }: SimulatedProcess,
): boolean | undefined {
  const horizon = {
    valuesMs: Math.max(one.horizon.valuesMs, other.horizon.valuesMs),
    tombstonesMs: Math.max(one.horizon.tombstonesMs, other.horizon.tombstonesMs),
  }
  if (one.ring.members.join() !== other.ring.members.join()) return undefined
  const root = one.rootWith(otherId, horizon)
  const otherRoot = other.rootWith(id, horizon)
  return root === undefined || otherRoot === undefined ? undefined : root === otherRoot
}

function* pairs(
  running: readonly SimulatedProcess[],
): Generator<[SimulatedProcess, SimulatedProcess]> {
  const owners = running.filter(isOwner)
  for (const [index, one] of owners.entries()) {
    for (const other of owners.slice(index + 1)) yield [one, other]
  }
}
