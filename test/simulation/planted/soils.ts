/** Runs in which planted bugs show, and in which the code without them does nothing wrong. */
import type { LinkSettings } from '../../../src/adapters/memory/faults.js'
import type { PeerOptions } from '../../../src/options.js'
import type { GenerateOptions } from '../generate.js'
import type { Scenario, Step } from '../operations.js'
import { CLOCKS } from '../scenarios/clocks.js'
import { DATA } from '../scenarios/data.js'
import { LINKS } from '../scenarios/links.js'
import { inOrder, OWNERS } from '../scenarios/owners.js'
import { ALL, at, entries, held, read, unheard, writes } from '../scenarios/steps.js'

/** What seeds draw their runs from, unless it is one run by hand. */
export interface Soil extends GenerateOptions {
  /** How all links behave until all is healed. */
  readonly link?: Partial<LinkSettings>
  /** Options of all peers, over those of the seed. */
  readonly options?: PeerOptions
  /** The one run by hand: for what hardly ever comes together by chance. */
  readonly script?: readonly Step[]
  /** A scenario that shows it as it is. */
  readonly scenario?: Scenario
}

/** Members compare what they hold only when they are connected: rounds of repair would hide what goes wrong otherwise. */
const UNREPAIRED: PeerOptions = { antiEntropyIntervalMs: 3_600_000 }

/** No faults, and no longer than it takes to do all that callers do. */
export const QUIET: Soil = { faults: [], seconds: 20 }

/** Some messages are overtaken by those of two seconds. */
export const LATE: Soil = { ...QUIET, link: { reorderProbability: 0.2, reorderDelayMaxMs: 2_000 } }

/** Some messages are overtaken, and come before they are missed. */
export const OVERTAKEN: Soil = {
  ...QUIET,
  options: UNREPAIRED,
  link: { reorderProbability: 0.3, reorderDelayMaxMs: 280 },
}

export const LOSSY: Soil = { ...QUIET, link: { lossProbability: 0.2 } }

/** Nobody repairs what is lost otherwise. */
export const UNREPAIRED_QUIET: Soil = { ...QUIET, options: UNREPAIRED }
export const UNREPAIRED_OWNED: Soil = { ...LOSSY, replicas: 3, options: UNREPAIRED }

/** Two write a key in one millisecond; a third hears of the one, of the invalidation of its tag, and then of the other. */
export const INVALIDATED_TWIN: Soil = {
  scenario: {
    name: 'invalidated-twin',
    proves: '',
    shows: [],
    options: { replicas: 'all', ...UNREPAIRED },
    network: { forwardPeersMax: 0 },
    steps: [
      ...at(1_900, {
        do: 'link',
        settings: { delayMs: { min: 1_500, max: 1_500 } },
        from: 'p02',
        to: 'p03',
      }),
      ...at(
        2_000,
        { do: 'set', at: 'p01', key: 'k', value: 'page', tags: ['t'] },
        { do: 'set', at: 'p02', key: 'k', value: 'of the higher id' },
      ),
      ...at(2_500, { do: 'invalidate', at: 'p01', tags: ['t'] }),
      ...at(2_600, held('p03', 'k', undefined)),
      ...at(4_000, held('p01 p02 p03', 'k', 'of the higher id')),
    ],
  },
}

/** Long enough for what expires to be left out of account, and for members to join after that. */
export const EXPIRING: Soil = { faults: ['join'], seconds: 90 }

/** A member is cut off until the delete of what it holds counts no more with those that have it. */
export const OUTRANKED: Soil = {
  options: { tombstoneGraceMs: 1_000, replicas: 'all' },
  script: [
    ...at(2_000, { do: 'set', at: 'p05', key: 'k', value: 'v' }),
    ...at(3_000, { do: 'cut', from: ['p05'], to: ['p01', 'p02', 'p03', 'p04'] }),
    ...at(3_500, { do: 'delete', at: 'p01', key: 'k' }),
    ...at(45_000, { do: 'mend', from: ['p05'], to: ['p01', 'p02', 'p03', 'p04'] }),
    ...at(60_000, held('p05', 'k', undefined)),
  ],
}

/** The same where each key has three owners, long enough for near copies to grow old. */
export const OWNED_LOSSY: Soil = { ...LOSSY, seconds: 40, replicas: 3 }

/** Little room in the queue, so that writers have to wait for it. */
export const CROWDED: Soil = { ...QUIET, options: { syncQueueMax: 16, batchEntriesMax: 4 } }

/** Little room in the store. */
export const SMALL: Soil = { ...QUIET, options: { maxItems: 10 } }

/** What has expired is collected at once, and what is older comes after. */
export const SWEPT: Soil = { ...LATE, options: { sweepIntervalMs: 50 } }

export const RESTARTS: Soil = { faults: ['crash', 'leave', 'join'], seconds: 20 }

/** Members join a single one, over a long way: there is nobody else that they wait to be connected to. */
export const SLOW_JOINS: Soil = {
  faults: ['join'],
  members: 1,
  seconds: 20,
  link: { delayMs: { min: 200, max: 500 } },
}

/** The same over connections that break now and then. */
export const BROKEN_JOINS: Soil = {
  ...SLOW_JOINS,
  link: { frameLossProbability: 0.5, delayMs: { min: 50, max: 200 } },
}

/** Long enough for members that have been there for a while to leave. */
export const LEAVES: Soil = { faults: ['leave'], seconds: 60 }

export const SPLITS: Soil = { faults: ['partition', 'one-way'], seconds: 30 }

/** Long enough for stalls that do not follow a start: new members may be called dead for less. */
export const STALLS: Soil = { faults: ['stall', 'suspend'], seconds: 60 }

/** Connections break, and nothing else. */
export const DISCONNECTS: Soil = { faults: ['disconnect'], seconds: 60 }

/** Gossip between some goes deaf, and nothing else makes good for it. */
export const DEAF_GOSSIP: Soil = { faults: ['mute'], seconds: 30, options: UNREPAIRED }

export const DRIFTING_CLOCKS: Soil = { faults: ['drift'], seconds: 40 }

/**
 * Members that hold different entries find out when nobody writes for some seconds, whatever was wrong before. Here
 * others go on writing.
 */
const OTHERS_WRITE = writes('p03 p04', { fromMs: 1_000, toMs: 12_000, everyMs: 200 })

/** A batch is lost on all its ways, and another one follows at once. */
export const LOST_BATCH: Soil = {
  options: UNREPAIRED,
  script: [
    ...OTHERS_WRITE,
    ...at(5_000, { do: 'link', settings: { lossProbability: 1 } }),
    ...at(5_001, { do: 'set', at: 'p02', key: 'k1', value: 'v1' }),
    ...at(5_100, { do: 'link', settings: { lossProbability: 0 } }),
    ...at(5_150, { do: 'set', at: 'p02', key: 'k2', value: 'v2' }),
    ...at(9_000, { do: 'expectHeld', at: 'p01', key: 'k1', value: 'v1' }),
  ],
}

/** The first batch of a member that has come back is lost; in its earlier life it had published more. */
export const LOST_FIRST_BATCH: Soil = {
  options: UNREPAIRED,
  script: [
    ...OTHERS_WRITE,
    ...at(2_000, { do: 'set', at: 'p02', key: 'k1', value: 'v1' }),
    ...at(3_000, { do: 'set', at: 'p02', key: 'k1', value: 'v2' }),
    ...at(4_000, { do: 'crash', member: 'p02' }),
    ...at(4_500, { do: 'restart', member: 'p02' }),
    ...at(6_000, { do: 'link', settings: { lossProbability: 1 } }),
    ...at(6_001, { do: 'set', at: 'p02', key: 'k2', value: 'v3' }),
    ...at(6_100, { do: 'link', settings: { lossProbability: 0 } }),
    ...at(10_000, { do: 'expectHeld', at: 'p01', key: 'k2', value: 'v3' }),
  ],
}

/** A member comes back with a clock that is behind, and writes as soon as it may. */
export const BACK_WITH_OLD_CLOCK: Soil = {
  script: [
    ...at(2_950, { do: 'set', at: 'p02', key: 'k', value: 'v1' }),
    ...at(3_000, { do: 'crash', member: 'p02' }),
    ...at(3_100, { do: 'restart', member: 'p02', clockOffsetMs: -2_000 }),
    ...at(3_101, { do: 'set', at: 'p02', key: 'k', value: 'v2' }),
    ...at(5_000, { do: 'get', at: 'p02', key: 'k' }),
  ],
}

/** A member comes back so soon, with a clock so far behind, that it seems to come from before its first start. */
export const BACK_FROM_BEFORE: Soil = {
  script: [
    ...at(2_000, { do: 'crash', member: 'p02' }),
    ...at(2_500, { do: 'restart', member: 'p02', clockOffsetMs: -3_000 }),
    ...at(10_000, { do: 'expectSeen', at: 'p01', member: 'p02', state: 'alive' }),
  ],
}

/** A member's host is lost, and what it said goes on arriving for ten seconds, twice and in any order. */
export const VOICES_OF_THE_DEAD: Soil = {
  script: [
    ...at(5_000, {
      do: 'link',
      settings: { duplicateProbability: 1, reorderProbability: 0.8, reorderDelayMaxMs: 10_000 },
    }),
    ...at(20_000, { do: 'crash', member: 'p02', silent: true }),
    ...at(27_000, { do: 'expectSeen', at: 'p01', member: 'p02', state: 'dead' }),
  ],
}

/** A member writes more than goes into one batch, and leaves while the rest waits for company. */
export const LEAVES_AFTER_WRITING: Soil = {
  options: { batchEntriesMax: 4, flushIntervalMs: 500 },
  script: [
    ...at(5_000, { do: 'setMany', at: 'p02', entries: entries('k', 6) }),
    ...at(5_100, { do: 'leave', member: 'p02' }),
    ...at(6_000, { do: 'get', at: 'p01', key: 'k6' }),
  ],
}

/** A value that does not fit in a batch. */
const LARGE = 'large '.repeat(50_000)

export const LARGE_VALUE: Soil = {
  script: [
    ...OTHERS_WRITE,
    ...at(5_000, { do: 'set', at: 'p02', key: 'k', value: LARGE }),
    ...at(7_000, { do: 'expectHeld', at: 'p01', key: 'k', value: LARGE }),
  ],
}

/** A member joins after a clear, and then meets one that was cut off before, and has not heard of it either. */
export const JOINED_AFTER_CLEAR: Soil = {
  options: UNREPAIRED,
  script: [
    ...at(2_000, { do: 'set', at: 'p05', key: 'k', value: 'v' }),
    ...at(3_000, { do: 'cut', from: ['p05'], to: ['p01', 'p02', 'p03', 'p04', 'p06'] }),
    ...at(3_500, { do: 'clear', at: 'p01' }),
    ...at(4_000, { do: 'start', member: 'p06' }),
    ...at(20_000, { do: 'mend', from: ['p05'], to: ['p06'] }),
    ...at(40_000, { do: 'mend', from: ['p05'], to: ['p01', 'p02', 'p03', 'p04'] }),
  ],
}

/** A member joins when there is more than a page of state. */
export const MANY_PAGES: Soil = {
  options: UNREPAIRED,
  script: [
    ...OTHERS_WRITE,
    ...entries('k', 8).flatMap(([key, value]) =>
      at(3_000, { do: 'set', at: 'p02', key, value: value.padEnd(100_000) }),
    ),
    ...at(5_000, { do: 'start', member: 'p06' }),
  ],
}

/** One of five is cut off, and asks for what the others have acknowledged meanwhile. */
export const READ_IN_A_MINORITY: Soil = {
  script: [
    ...at(2_000, { do: 'cut', from: ['p01'], to: ['p02', 'p03', 'p04', 'p05'] }),
    ...at(2_100, { do: 'set', at: 'p02', key: 'k', value: 'v', ack: 'quorum' }),
    ...at(3_000, { do: 'get', at: 'p01', key: 'k', consistency: 'quorum' }),
  ],
}

/** The scenario of that name, of those of clocks, of data and of keys that have three owners. */
export function scenario(name: string): Soil {
  const found = [...CLOCKS, ...DATA, ...LINKS, ...OWNERS].find((one) => one.name === name)
  if (found === undefined) throw new Error(`no scenario is called ${name}`)
  return { scenario: found }
}

/** A run of five members, three of whom own the key `k`, and in which nobody passes on what others published. */
function owned(name: string, steps: readonly Step[]): Soil {
  const network = { forwardPeersMax: 0 }
  return {
    scenario: { name, proves: '', shows: [], options: { replicas: 3 }, network, steps },
  }
}

const [A, B, C, D, E] = inOrder('k')

/** All but one know of a joiner, and place keys by a ring with it; requests go to and fro between all that began. */
export const UNHEARD_JOINER: Soil = owned('unheard-joiner', [
  ...at(2_000, ...[B, C, D, E].map((from) => unheard(from, A)), {
    do: 'cut',
    from: [A],
    to: ['p06'],
  }),
  ...at(2_100, { do: 'start', member: 'p06' }),
  ...at(15_000, { do: 'expectSeen', at: B, member: 'p06', state: 'alive' }),
  ...at(15_000, { do: 'expectSeen', at: A, member: 'p06', state: undefined }),
  ...at(15_000, { do: 'set', at: A, key: 'k', value: 'by another ring', ack: 'quorum' }),
  ...at(15_500, { do: 'expectOutcome', at: A, of: 'set', outcome: 'pending' }),
  ...at(19_000, ...[B, C, D, E].map((from) => unheard(from, A, false)), {
    do: 'mend',
    from: [A],
    to: ['p06'],
  }),
])

/** A write is heard of, the next one is not, and a copy of the first is read all the time. */
export const NEWS_THEN_SILENCE: Soil = owned('news-then-silence', [
  ...at(2_000, { do: 'set', at: A, key: 'k', value: 'first' }),
  ...at(3_000, { do: 'get', at: E, key: 'k' }),
  ...at(6_000, { do: 'set', at: A, key: 'k', value: 'second' }),
  ...at(6_100, held(E, 'k', 'second'), unheard(A, E)),
  ...at(6_110, { do: 'set', at: A, key: 'k', value: 'third', ack: 'all' }),
  ...at(6_200, unheard(A, E, false)),
  ...at(8_100, read(E, 'k', 'third', 'local')),
])

/** The answer to a read takes longer than the news that it is out of date. */
export const NEWS_BEFORE_THE_ANSWER: Soil = owned('news-before-the-answer', [
  ...at(2_000, { do: 'set', at: A, key: 'k', value: 'first', ack: 'all' }),
  // By now there is a stream to the owner; and no near copy is kept of what is read like this.
  ...at(2_500, { do: 'get', at: E, key: 'k', consistency: 'one' }),
  ...[A, B, C].flatMap((from) =>
    at(2_900, { do: 'link', settings: { delayMs: { min: 100, max: 100 } }, from, to: E }),
  ),
  ...at(3_000, { do: 'get', at: E, key: 'k' }),
  ...at(3_010, { do: 'link', settings: { delayMs: { min: 1, max: 1 } }, from: A, to: E }),
  ...at(3_010, { do: 'set', at: A, key: 'k', value: 'second' }),
  ...at(3_500, read(E, 'k', 'second', 'local')),
])

/** One that owns no key of its own writes one, and reads it, while no owner can be reached. */
export const OWN_WRITE_KEPT: Soil = owned('own-write-kept', [
  ...at(2_000, { do: 'set', at: A, key: 'k', value: 'before', ack: 'all' }),
  ...at(2_500, { do: 'cut', from: [D], to: [A, B, C] }),
  ...at(2_600, { do: 'set', at: D, key: 'k', value: 'its own' }),
  ...at(2_700, { do: 'get', at: D, key: 'k' }),
  ...at(12_000, { do: 'mend', from: [D], to: [A, B, C] }),
])

/** The owner that is asked first has missed a write; one of the two that have it is killed, and somebody takes its place. */
export const FIRST_OWNER_BEHIND: Soil = owned('first-owner-behind', [
  ...writes(ALL, { fromMs: 1_000, toMs: 2_000, everyMs: 50, ack: 'quorum' }),
  ...at(2_500, unheard(C, A), { do: 'cut', from: [A], to: [B] }),
  ...at(2_600, { do: 'set', at: C, key: 'k', value: 'of two' }),
  ...at(2_650, { do: 'crash', member: C }),
  ...at(4_000, read(D, 'k', 'of two', 'one')),
])
