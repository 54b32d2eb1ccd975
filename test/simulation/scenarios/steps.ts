/** Words that scenarios are written with: several things in one moment, one thing of many members, a lot of writes. */
import type { Ack, Consistency } from '../../../src/api.js'
import {
  beginning,
  type Expectation,
  type Happening,
  memberName,
  type Operation,
  type Plan,
  type Scenario,
  type Step,
  type Work,
} from '../operations.js'

/** The members that scenarios begin with, unless they say otherwise. */
const MEMBERS_COUNT = 5

/** How long a run goes on after its last step, in ms. */
const QUIET_MS = 3_000

/** Two groups that partitions divide the members into. */
export const HALVES = { from: ['p01', 'p02'], to: ['p03', 'p04', 'p05'] }

/** The first so many members, as `p01 p02 p03`. */
export function first(count: number): string {
  return Array.from({ length: count }, (_, index) => memberName(index + 1)).join(' ')
}

/** All members of a scenario that does not say how many. */
export const ALL = first(MEMBERS_COUNT)

/** A scenario as a run: every member keeps every key, unless it says otherwise. */
export function planOf(scenario: Scenario): Plan {
  const { members = MEMBERS_COUNT, clients, options, network, steps } = scenario
  const healAtMs = Math.max(...steps.map(({ atMs }) => atMs)) + 1
  return {
    options: { replicas: 'all', ...options },
    ...(network && { network }),
    work: [...beginning(members, clients), ...steps],
    faults: [],
    healAtMs,
    endAtMs: healAtMs + QUIET_MS,
  }
}

/** Several things in one moment, in order. */
export function at(atMs: number, ...operations: Array<Operation | Operation[]>): Step[] {
  return operations.flat().map((operation) => ({ ...operation, atMs }))
}

/** Each of some members, named like `p01 p02`, holds this value of a key; undefined: holds none. */
export function held(members: string, key: string, value: string | undefined): Expectation[] {
  return members.split(' ').map((at) => ({ do: 'expectHeld', at, key, value }))
}

/** Each of some members, named like `p01 p02`, reads this value of a key; undefined: nothing. */
export function read(
  members: string,
  key: string,
  value: string | undefined,
  consistency: Consistency = 'quorum',
): Expectation[] {
  return members.split(' ').map((at) => ({ do: 'expectRead', at, key, value, consistency }))
}

/** Each of some members sees another one in a state. */
export function seen(
  members: string,
  member: string,
  state: 'alive' | 'suspect' | 'dead' | 'left',
): Expectation[] {
  return members.split(' ').map((at) => ({ do: 'expectSeen', at, member, state }))
}

/** All of some members see each other alive. */
export function together(members: string): Expectation[] {
  return members.split(' ').flatMap((member) => seen(members, member, 'alive'))
}

/** Nobody has ever said of any of these that it is in that state. */
export function neverTold(members: string, state: 'suspect' | 'dead' | 'left'): Expectation[] {
  return members.split(' ').map((member) => ({ do: 'expectNeverTold', member, state }))
}

/** What one member publishes is lost on its way to some others, or, with `lost` false, no longer is. */
export function unheard(writer: string, others: string, lost = true): Happening[] {
  const settings = { lossProbability: lost ? 1 : 0 }
  return others.split(' ').map((to) => ({ do: 'link', settings, from: writer, to }))
}

/** Sets of ten keys by some members in turn, at equal intervals, for as long as it says. */
export function writes(
  members: string,
  options: { fromMs: number; toMs: number; everyMs: number; ack?: Ack },
): Step[] {
  const { fromMs, toMs, everyMs, ack } = options
  const writers = members.split(' ')
  return Array.from({ length: Math.floor((toMs - fromMs) / everyMs) }, (_, index) => {
    const writer = writers[index % writers.length] as string
    const atMs = fromMs + index * everyMs
    const work: Work = { do: 'set', at: writer, key: `w${index % 10}`, value: `w at ${atMs}` }
    return { ...work, ...(ack && { ack }), atMs }
  })
}

/** Entries for `setMany`: `<prefix>1`, `<prefix>2` …, each with a value of its own. */
export function entries(prefix: string, count: number): Array<[key: string, value: string]> {
  return Array.from({ length: count }, (_, i) => [`${prefix}${i + 1}`, `${prefix} ${i + 1}`])
}

/** A paragraph that is written over several lines. */
export function paragraph(lines: TemplateStringsArray): string {
  return lines.join('').replace(/\s+/g, ' ').trim()
}
