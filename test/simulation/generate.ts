/** Makes up the run of a seed: how the peers are set up, what their callers do, and what goes wrong. */
import type { MemoryNetworkOptions } from '../../src/adapters/memory/network.js'
import type { PeerOptions } from '../../src/options.js'
import { Draw } from './draw.js'
import { drawFaults, FAULT_KINDS } from './faults.js'
import { beginning, memberName, type Plan } from './operations.js'
import { drawWork } from './workload.js'

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
    everybody: [...members, memberName(count + 1), memberName(count + 2)],
    nextMember,
    fromMs: FAULTS_FROM_MS,
    toMs: healAtMs,
  }
  const drawn = drawFaults(faultSpace, faults)
  const joiners = Array.from({ length: lastMember - count }, (_, i) => memberName(count + i + 1))
  return {
    options: { replicas, ...drawOptions(draw.fork('options')) },
    network: drawNetwork(draw.fork('network')),
    work: [
      ...beginning(count, placement.clients),
      ...drawWork({
        draw: draw.fork('work'),
        members: [...members, ...joiners],
        hasLargeValues: draw.fork('large').happens(LARGE_VALUES_PROBABILITY),
        fromMs: WORK_FROM_MS,
        toMs: healAtMs,
      }),
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

/** Mostly the defaults; some runs are short of room in one place or another. */
function drawOptions(draw: Draw): PeerOptions {
  return {
    ...(draw.happens(0.2) && { syncQueueMax: 16, batchEntriesMax: draw.pick([1, 4, 16]) }),
    ...(draw.happens(0.15) && { maxItems: draw.pick([8, 20]) }),
    ...(draw.happens(0.2) && { flushIntervalMs: draw.pick([0, 50, 500]) }),
    ...(draw.happens(0.2) && { sweepIntervalMs: draw.pick([50, 5_000]) }),
  }
}

/** How far messages are passed on: not at all, as in a mesh of direct links, or by a few. */
function drawNetwork(draw: Draw): MemoryNetworkOptions {
  return { forwardPeersMax: draw.pick([0, 1, 2]) }
}
