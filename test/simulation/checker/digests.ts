/**
 * Digests: those of two members are equal exactly when the two know the same, deletes included; and after heal and quiet
 * they are.
 */
import type { SimulatedProcess } from '../../../src/testing/simulation.js'
import { isOwner } from './placement.js'
import type { Violations } from './violations.js'

/** Pairs of members whose digests differ though they should not. */
export function* differing(running: readonly SimulatedProcess[]): Generator<string> {
  for (const { one, other, isEqual } of compared(running)) {
    if (!isEqual) yield `the digests of ${one.id} and ${other.id} differ at rest`
  }
}

/** Whether digests tell what they are of. */
export function checkMeaning(running: readonly SimulatedProcess[], violations: Violations): void {
  const countedIn = rememberingCounted()
  for (const { one, other, partitions, isEqual } of compared(running)) {
    const isSame = countedIn(one, partitions) === countedIn(other, partitions)
    if (isSame === isEqual) continue
    const what = isSame ? 'the same by digests that differ' : 'different records by equal digests'
    violations.add('digest', `${one.id} and ${other.id} know ${what}`)
  }
}

/**
 * What a process counts in some partitions, as of its horizon: not asked again where that is as it was in the last pair that
 * the process was in.
 */
function rememberingCounted(): (process: SimulatedProcess, partitions: Uint8Array) => string {
  const last = new Map<SimulatedProcess, { of: string; counted: string }>()
  return (process, partitions) => {
    const { valuesMs, tombstonesMs } = process.peer.horizon
    const of = `${valuesMs} ${tombstonesMs} ${Buffer.from(partitions).toString('latin1')}`
    const known = last.get(process)
    const counted = known?.of === of ? known.counted : process.peer.countedIn(partitions)
    last.set(process, { of, counted })
    return counted
  }
}

interface ComparedPair {
  readonly one: SimulatedProcess
  readonly other: SimulatedProcess
  /** What both are ready to compare, each partition a 1 at its place. */
  readonly partitions: Uint8Array
  readonly isEqual: boolean
}

/** Pairs that have something to compare, and whether their digests of that are equal. */
function* compared(running: readonly SimulatedProcess[]): Generator<ComparedPair> {
  for (const [one, other] of pairs(running)) {
    if (one.peer.ring.members.join() !== other.peer.ring.members.join()) continue
    const theirs = other.peer.comparedWith(one.id)
    const partitions = one.peer
      .comparedWith(other.id)
      .map((isIn, partition) => isIn & (theirs[partition] as number))
    const horizon = {
      valuesMs: Math.max(one.peer.horizon.valuesMs, other.peer.horizon.valuesMs),
      tombstonesMs: Math.max(one.peer.horizon.tombstonesMs, other.peer.horizon.tombstonesMs),
    }
    const [root, otherRoot] = [one, other].map(({ peer }) => peer.rootOver(partitions, horizon))
    if (root === undefined || otherRoot === undefined) continue
    yield { one, other, partitions, isEqual: root === otherRoot }
  }
}

function* pairs(
  running: readonly SimulatedProcess[],
): Generator<[SimulatedProcess, SimulatedProcess]> {
  const owners = running.filter(isOwner)
  for (const [index, one] of owners.entries()) {
    for (const other of owners.slice(index + 1)) yield [one, other]
  }
}
