/** Makes up the run of a seed: how the peers are set up, what their callers do, and what goes wrong. */
import type { MemoryNetworkOptions } from '../../src/adapters/memory/network.js'
import type { PeerOptions } from '../../src/options.js'
import { Draw } from '../../src/testing/draw.js'
import { drawFaults, FAULT_KINDS } from './faults.js'
import { beginning, memberName, type Plan, type Step } from './operations.js'
import { drawWork, type WorkSpace } from './workload.js'

/** Options of {@link generatePlan}. */
export interface GenerateOptions {
  /** Kinds of faults that may happen. @default all */
  readonly faults?: readonly string[]
  /** Members that begin. @default 5; 5 to 7 where each key has a number of owners */
  readonly members?: number
  /** How many own each key. @default drawn: all, or a number */
  readonly replicas?: number | 'all'
  /** How long the run lasts at least, in simulated seconds. @default 60 */
  readonly seconds?: number
}

/** How many runs have values that do not fit in one message, or in one page of state. */
const LARGE_VALUES_PROBABILITY = 0.15

/** How many runs have the least room for bytes that there may be, and callers who fill it. */
const SMALL_BYTES_PROBABILITY = 0.05
const MAX_BYTES_LEAST = 2 ** 20

/** What fills it: so many keys, a few at a time, each with a value of so many characters. */
const FILLING_KEYS = Array.from({ length: 24 }, (_, index) => `f${index + 1}`)
const FILLING_CHARACTERS = 150_000
const FILLING_BATCH = 4
const FILLING_INTERVAL_MS = 4_000

/** How many own each key. */
const REPLICAS: ReadonlyArray<[replicas: number | 'all', weight: number]> = [
  ['all', 10],
  [3, 7],
  [2, 1],
  [5, 1],
  [1, 1],
]

/** Members that begin where each key has a number of owners; and how often one of them is a client. */
const OWNED_MEMBERS = { min: 5, max: 7 }
const CLIENT_PROBABILITY = 0.4

/** When callers begin, in ms: some find the mesh still coming together. */
const WORK_FROM_MS = 500

/** When the first fault may come, in ms. */
const FAULTS_FROM_MS = 3_000

/** Share of the run after which all is healed: the rest is for what heals by itself, and for quiet. */
const HEAL_SHARE = 0.8

export function generatePlan(seed: number, options: GenerateOptions = {}): Plan {
  const { faults = Object.keys(FAULT_KINDS), seconds = 60 } = options
  const draw = Draw.of(seed)
  const placement = drawPlacement(draw.fork('placement'), options)
  const { replicas, count } = placement
  const members = Array.from({ length: count }, (_, index) => memberName(index + 1))
  const endAtMs = seconds * 1_000
  const healAtMs = Math.round(endAtMs * HEAL_SHARE)
  let lastMember = count
  const nextMember = () => memberName(++lastMember)
  const faultSpace = {
    draw: draw.fork('faults'),
    members,
    nextMember,
    fromMs: FAULTS_FROM_MS,
    toMs: healAtMs,
  }
  const drawn = drawFaults(faultSpace, faults)
  const joiners = Array.from({ length: lastMember - count }, (_, i) => memberName(count + i + 1))
  const isShortOfBytes = draw.fork('bytes').happens(SMALL_BYTES_PROBABILITY)
  const callers = { members: [...members, ...joiners], fromMs: WORK_FROM_MS, toMs: healAtMs }
  return {
    options: { replicas, ...drawOptions(draw.fork('options'), isShortOfBytes) },
    network: drawNetwork(draw.fork('network')),
    work: [
      ...beginning(count, placement.clients),
      ...drawWork({
        ...callers,
        draw: draw.fork('work'),
        hasLargeValues: draw.fork('large').happens(LARGE_VALUES_PROBABILITY),
      }),
      ...(isShortOfBytes ? drawFilling({ ...callers, draw: draw.fork('filling') }) : []),
    ],
    faults: drawn,
    healAtMs,
    endAtMs,
  }
}

/** How many own each key, and who takes part: the first member is never a client, for somebody has to begin. */
function drawPlacement(draw: Draw, options: GenerateOptions) {
  const replicas = options.replicas ?? draw.weighted(REPLICAS)
  const drawnCount = draw.whole(OWNED_MEMBERS.min, OWNED_MEMBERS.max)
  const count = options.members ?? (replicas === 'all' ? 5 : drawnCount)
  const hasClient = draw.happens(CLIENT_PROBABILITY) && replicas !== 'all' && count > 2
  return { replicas, count, clients: hasClient ? [memberName(draw.whole(2, count))] : [] }
}

/**
 * Mostly the defaults; some runs are short of room in one place or another. Not in `tombstonesMax`: what is forgotten early
 * may come back, and that is no mistake.
 */
function drawOptions(draw: Draw, isShortOfBytes: boolean): PeerOptions {
  return {
    // By a finite `maxItems` the checker knows that entries may go.
    ...(isShortOfBytes && { maxBytes: MAX_BYTES_LEAST, maxItems: 1_000 }),
    ...(draw.happens(0.2) && { syncQueueMax: 16, batchEntriesMax: draw.pick([1, 4, 16]) }),
    ...(draw.happens(0.15) && { maxItems: draw.pick([8, 20]) }),
    ...(draw.happens(0.2) && { flushIntervalMs: draw.pick([0, 50, 500]) }),
    ...(draw.happens(0.2) && { sweepIntervalMs: draw.pick([50, 5_000]) }),
    ...(draw.happens(0.15) && { nearBytesMax: draw.pick([0, 1_000, 4_000]) }),
  }
}

/** Sets of long values, one batch after the other. */
function drawFilling(space: Omit<WorkSpace, 'hasLargeValues'>): Step[] {
  const { draw, members, fromMs, toMs } = space
  const steps: Step[] = []
  for (let atMs = fromMs; atMs < toMs; atMs += FILLING_INTERVAL_MS) {
    const entries = draw
      .sample(FILLING_KEYS, FILLING_BATCH)
      .map((key): [string, string] => [key, `${key} at ${atMs}`.padEnd(FILLING_CHARACTERS, '.')])
    steps.push({ atMs, do: 'setMany', at: draw.pick(members), entries })
  }
  return steps
}

/** How far messages are passed on: not at all, as in a mesh of direct links, or by a few. */
function drawNetwork(draw: Draw): MemoryNetworkOptions {
  return { forwardPeersMax: draw.pick([0, 1, 2]) }
}
