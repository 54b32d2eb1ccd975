/**
 * What can happen in a simulated run, as data: what callers do, what goes wrong, and, in scenarios, what must be so.
 * A seed's run and a scenario written by hand are the same thing: steps at moments of simulated time.
 */
import type { LinkSettings } from '../../src/adapters/memory/faults.js'
import type { MemoryNetworkOptions } from '../../src/adapters/memory/network.js'
import type { Ack, Consistency, MemberState, PeerStats } from '../../src/api.js'
import type { PeerOptions, ResolvedOptions } from '../../src/options.js'

/** Keys of operations that name no cache are of this one. */
export const DEFAULT_CACHE = 'c'

/** What a caller asks of the peer `at`. Every value is written once in a run, so that it tells who wrote it. */
export type Work = Write | Read | { do: 'flush'; at: string }

type Write = { at: string; cache?: string; ack?: Ack } & (
  | { do: 'set'; key: string; value: string; ttlMs?: number; tags?: string[] }
  | { do: 'delete'; key: string }
  | { do: 'setMany'; entries: Array<[key: string, value: string]>; tags?: string[] }
  | { do: 'deleteMany'; keys: string[] }
  | { do: 'clear' }
  | { do: 'invalidate'; tags: string[] }
)

type Read = { at: string; cache?: string; consistency?: Consistency } & (
  | { do: 'get'; key: string }
  | { do: 'getMany'; keys: string[] }
)

/** What happens to members and links. */
export type Happening =
  /** A new member. */
  | { do: 'start'; member: string; clockOffsetMs?: number; options?: PeerOptions }
  /** Stops as its user would. */
  | { do: 'leave'; member: string; drain?: boolean }
  /** Killed; `silent`: its host is gone with it. */
  | { do: 'crash'; member: string; silent?: boolean }
  /** A gone member's process starts again at its address, with its id and nothing in memory. */
  | { do: 'restart'; member: string; clockOffsetMs?: number }
  /** Its host is suspended: connections break, nothing runs, and it comes back with all it knew. */
  | { do: 'suspend'; member: string; forMs: number }
  /** All its connections break, and it runs on, as when a router forgets them. */
  | { do: 'disconnect'; member: string }
  /** Stands still, as in a long garbage collection. */
  | { do: 'stall'; member: string; forMs: number }
  /** The wall clock jumps by so much. */
  | { do: 'stepClock'; member: string; byMs: number }
  /** Both clocks run fast by this share; 0 is right. */
  | { do: 'drift'; member: string; share: number }
  /** Links of all, or of one pair in one direction, behave like this from now on. */
  | { do: 'link'; settings: Partial<LinkSettings>; from?: string; to?: string }
  /** Nothing passes from the first group to the second and, unless `oneWay`, back. */
  | { do: 'cut'; from: string[]; to: string[]; oneWay?: boolean }
  | { do: 'mend'; from: string[]; to: string[] }
  /** Gossip between two goes deaf though they stay connected. */
  | { do: 'mute'; between: [string, string] }
  /** All links are as at the start, all clocks right. */
  | { do: 'heal' }

/** What a scenario says must be so at that moment. */
export type Expectation =
  | { do: 'expectHeld'; at: string; key: string; value: string | undefined; cache?: string }
  /** A read that begins then is answered so. */
  | {
      do: 'expectRead'
      at: string
      key: string
      value: string | undefined
      consistency: Consistency
    }
  | { do: 'expectSeen'; at: string; member: string; state: MemberState | undefined }
  /** Nobody, since the start, has told that the member is in that state. */
  | { do: 'expectNeverTold'; member: string; state: MemberState }
  | { do: 'expectStatus'; member: string; status: 'joining' | 'serving' }
  /** Latest outcome of such an operation at a peer: `ok`, `pending`, or an error's code. */
  | { do: 'expectOutcome'; at: string; of: Work['do']; outcome: string }
  | { do: 'expectAlert'; at: string; code: string }
  /** A number of a peer's stats is within bounds. */
  | { do: 'expectStat'; at: string; stat: keyof PeerStats; atLeast?: number; atMost?: number }

export type Operation = Work | Happening | Expectation

/** Something that happens at a moment, in ms of simulated time from the start. */
export type Step = Operation & { readonly atMs: number }

/** One fault with its beginning and its end: what a script is shortened by. */
export interface Fault {
  readonly kind: string
  readonly steps: readonly Step[]
}

/** A whole run. */
export interface Plan {
  /** Options of all peers. */
  readonly options?: PeerOptions
  /** Options that users cannot set. */
  readonly resolved?: Partial<ResolvedOptions>
  readonly network?: MemoryNetworkOptions
  readonly work: readonly Step[]
  readonly faults: readonly Fault[]
  /** When the faults are over and the callers go quiet. */
  readonly healAtMs: number
  /** The run lasts at least this long. */
  readonly endAtMs: number
}

/** A scenario: a plan with a name, and what it proves. */
export interface Scenario {
  readonly name: string
  /** A paragraph. */
  readonly proves: string
  /** Fault kinds that it shows, of those that seeds draw. */
  readonly shows: readonly string[]
  /** How many members start with it, named `p01`, `p02` …, all within 100 ms. @default 5 */
  readonly members?: number
  /** Those of them that are clients. */
  readonly clients?: readonly string[]
  readonly options?: PeerOptions
  readonly network?: MemoryNetworkOptions
  readonly steps: readonly Step[]
}

/** All steps of a plan in order. Those of one moment keep theirs: faults first. */
export function stepsOf({ work, faults }: Pick<Plan, 'work' | 'faults'>): Step[] {
  const steps = [...faults.flatMap((fault) => fault.steps), ...work]
  return steps.sort((a, b) => a.atMs - b.atMs)
}

/** Members that begin together, over the first 100 ms; some of them as clients. */
export function beginning(count: number, clients: readonly string[] = []): Step[] {
  return Array.from({ length: count }, (_, index) => {
    const member = memberName(index + 1)
    const step = { atMs: Math.round((index * 100) / count), do: 'start' as const, member }
    return clients.includes(member) ? { ...step, options: { role: 'client' } } : step
  })
}

export function memberName(number: number): string {
  return `p${String(number).padStart(2, '0')}`
}

/** Characters of a text that are shown. */
const SHOWN_MAX = 40

/** A step as one line of a history or a script. */
export function printStep(step: Step): string {
  const { atMs, do: what, ...rest } = step
  const details = Object.entries(rest).map(([name, value]) => `${name}=${printed(value)}`)
  return `${printMoment(atMs)} ${what} ${details.join(' ')}`
}

/** A moment in seconds, to the millisecond, so that lines align. */
export function printMoment(atMs: number): string {
  return (atMs / 1_000).toFixed(3).padStart(8)
}

function printed(value: unknown): string {
  if (Array.isArray(value)) {
    const shown = value.slice(0, 4).map(printed).join(',')
    return value.length > 4 ? `[${shown},… ${value.length}]` : `[${shown}]`
  }
  return typeof value === 'string' ? value.slice(0, SHOWN_MAX) : JSON.stringify(value)
}
