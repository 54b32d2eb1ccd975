/**
 * What goes wrong in a seed's run. Each kind of fault is a named draw: how likely it is that a run has it, and what it
 * does then. Every fault brings its own end, or lasts until all is healed, so that it can be taken out of a script as a whole.
 */
import type { LinkSettings } from '../../src/adapters/memory/faults.js'
import type { Draw } from '../../src/testing/draw.js'
import type { Fault, Operation, Step } from './operations.js'

/** Where and when faults may happen. */
export interface FaultSpace {
  readonly draw: Draw
  /** The members that begin. Those that join later are named by `nextMember`. */
  readonly members: readonly string[]
  /** Those that join later, and when, in ms: known to all kinds but `join`. */
  readonly joiners?: ReadonlyMap<string, number>
  readonly nextMember: () => string
  readonly fromMs: number
  readonly toMs: number
}

/** A kind of fault: the chance that a run has it, how many at most, and how one comes about. */
export interface FaultKind {
  readonly probability: number
  readonly timesMax: number
  make(space: FaultSpace): Step[]
}

/** Stalls that members must survive, and stalls that they must come back from, in ms. */
const STALLS_MS = [500, 3_000, 5_000, 30_000]

/** A clock that is this much off is one that cannot be trusted, in ms. */
const CLOCK_STEP_MS = 600_000

/** How often what hits a joiner does so early, and how early, in ms: before it is ready. */
const JOINING_PROBABILITY = 0.5
const JOINING_MS = 1_000

/** Time between two flips of a link that flips, from whole to cut or back, in ms. */
const FLIP_INTERVAL_MS = 20_000

/** By name, as `--faults` takes them. */
export const FAULT_KINDS: Readonly<Record<string, FaultKind>> = {
  loss: overLinks({ probability: 0.4 }, (draw) => ({ lossProbability: draw.between(0.01, 0.3) })),
  'heavy-loss': overLinks({ probability: 0.1, lastsMs: [2_000, 15_000] }, () => ({
    lossProbability: 0.8,
    frameLossProbability: 0.3,
  })),
  duplicate: overLinks({ probability: 0.3 }, (draw) => ({
    duplicateProbability: draw.between(0.05, 0.5),
  })),
  reorder: overLinks({ probability: 0.3 }, (draw) => ({
    reorderProbability: draw.between(0.01, 0.2),
    reorderDelayMaxMs: draw.pick([20, 200, 2_000, 10_000]),
  })),
  delay: overLinks({ probability: 0.3 }, (draw) => {
    const min = draw.between(1, 100)
    return { delayMs: { min, max: min + draw.between(1, 200) } }
  }),
  partition: {
    probability: 0.3,
    timesMax: 2,
    make: (space) => cut(space, splitOf(space), false, [500, 20_000]),
  },
  'one-way': {
    probability: 0.25,
    timesMax: 2,
    make: (space) => cut(space, splitOf(space), true, [500, 20_000]),
  },
  flip: {
    probability: 0.1,
    timesMax: 1,
    make(space) {
      const [a, b] = space.draw.sample(space.members, 2) as [string, string]
      const steps: Step[] = []
      for (let atMs = space.fromMs; atMs < space.toMs; atMs += 2 * FLIP_INTERVAL_MS) {
        const endMs = Math.min(atMs + FLIP_INTERVAL_MS, space.toMs)
        steps.push(
          { atMs, do: 'cut', from: [a], to: [b] },
          { atMs: endMs, do: 'mend', from: [a], to: [b] },
        )
      }
      return steps
    },
  },
  mute: {
    probability: 0.1,
    timesMax: 2,
    make({ draw, members, fromMs, toMs }) {
      const [a, b] = draw.sample(members, 2) as [string, string]
      return [{ atMs: draw.whole(fromMs, toMs), do: 'mute', between: [a, b] }]
    },
  },
  stall: {
    probability: 0.35,
    timesMax: 3,
    make: (space) => [{ ...hit(space), do: 'stall', forMs: space.draw.pick(STALLS_MS) }],
  },
  disconnect: {
    probability: 0.25,
    timesMax: 3,
    make: (space) => [{ ...hit(space), do: 'disconnect' }],
  },
  suspend: {
    probability: 0.15,
    timesMax: 1,
    make: (space) => [{ ...hit(space), do: 'suspend', forMs: space.draw.whole(500, 20_000) }],
  },
  crash: {
    probability: 0.35,
    timesMax: 2,
    make(space) {
      const { draw } = space
      const { member, atMs } = hit(space)
      const crash: Step = { atMs, do: 'crash', member, silent: draw.happens(0.3) }
      if (draw.happens(0.3)) return [crash]
      const backMs = atMs + draw.whole(50, 15_000)
      const clockOffsetMs = draw.happens(0.3) ? draw.whole(-3_000, 3_000) : 0
      return [crash, { atMs: backMs, do: 'restart', member, clockOffsetMs }]
    },
  },
  join: {
    probability: 0.3,
    timesMax: 2,
    make: ({ draw, nextMember, fromMs, toMs }) => [
      { atMs: draw.whole(fromMs, toMs), do: 'start', member: nextMember() },
    ],
  },
  leave: {
    probability: 0.2,
    timesMax: 1,
    make(space) {
      const { draw } = space
      const { member, atMs } = hit(space)
      const leave: Step = { atMs, do: 'leave', member, drain: draw.happens(0.5) }
      if (draw.happens(0.5)) return [leave]
      return [leave, { atMs: atMs + draw.whole(1_000, 15_000), do: 'restart', member }]
    },
  },
  'clock-step': {
    probability: 0.15,
    timesMax: 1,
    make(space) {
      const { draw } = space
      const { member, atMs } = hit(space)
      const byMs = draw.pick([-CLOCK_STEP_MS, CLOCK_STEP_MS])
      const step: Step = { atMs, do: 'stepClock', member, byMs }
      return [step, { atMs: atMs + draw.whole(100, 20_000), do: 'stepClock', member, byMs: -byMs }]
    },
  },
  drift: {
    probability: 0.3,
    timesMax: 3,
    make: (space) => [{ ...hit(space), do: 'drift', share: space.draw.between(-0.02, 0.02) }],
  },
}

/** The faults of a run, of the kinds that are allowed. Joins come first: what else goes wrong may hit who joins. */
export function drawFaults(space: FaultSpace, kinds: readonly string[]): Fault[] {
  const joins = kinds.includes('join') ? drawKind(space, 'join') : []
  const starts = joins.flatMap(({ steps }) => steps.filter((step) => step.do === 'start'))
  const joiners = new Map(starts.map(({ member, atMs }) => [member, atMs]))
  const others = kinds.filter((kind) => kind !== 'join')
  return [...joins, ...others.flatMap((kind) => drawKind({ ...space, joiners }, kind))]
}

function drawKind(space: FaultSpace, kind: string): Fault[] {
  const { probability, timesMax, make } = FAULT_KINDS[kind] as FaultKind
  const draw = space.draw.fork(kind)
  if (!draw.happens(probability)) return []
  const times = draw.whole(1, timesMax)
  return Array.from({ length: times }, () => ({ kind, steps: make({ ...space, draw }) }))
}

/** Who is hit, and when: who joins later not before it starts, and often while it joins. */
function hit({ draw, members, joiners, fromMs, toMs }: FaultSpace): {
  member: string
  atMs: number
} {
  const member = draw.pick([...members, ...(joiners?.keys() ?? [])])
  const startsAtMs = joiners?.get(member)
  if (startsAtMs === undefined) return { member, atMs: draw.whole(fromMs, toMs) }
  const isEarly = draw.happens(JOINING_PROBABILITY)
  const lastMs = isEarly ? Math.min(startsAtMs + JOINING_MS, toMs) : toMs
  return { member, atMs: draw.whole(startsAtMs, lastMs) }
}

/** A fault of all links, or of one in one direction, for a while. */
function overLinks(
  { probability, lastsMs = [2_000, 30_000] }: { probability: number; lastsMs?: [number, number] },
  settingsOf: (draw: Draw) => Partial<LinkSettings>,
): FaultKind {
  return {
    probability,
    timesMax: 2,
    make(space) {
      const { draw, fromMs, toMs } = space
      const settings = settingsOf(draw)
      const atMs = draw.whole(fromMs, toMs)
      const endMs = Math.min(atMs + draw.whole(...lastsMs), toMs)
      const [from, to] = draw.sample(everybodyOf(space), 2) as [string, string]
      const where = draw.happens(0.5) ? { from, to } : {}
      return [
        { atMs, do: 'link', settings, ...where },
        { atMs: endMs, do: 'link', settings: wellOf(settings), ...where },
      ]
    },
  }
}

/** The same settings of a link that is well. */
function wellOf(settings: Partial<LinkSettings>): Partial<LinkSettings> {
  const well: Partial<LinkSettings> = {
    lossProbability: 0,
    frameLossProbability: 0,
    duplicateProbability: 0,
    reorderProbability: 0,
    delayMs: { min: 0.2, max: 1 },
  }
  const names = Object.keys(settings) as Array<keyof LinkSettings>
  return Object.fromEntries(names.filter((name) => name in well).map((name) => [name, well[name]]))
}

/** All who take part, be it from later on. */
function everybodyOf({ members, joiners }: FaultSpace): string[] {
  return [...members, ...(joiners?.keys() ?? [])]
}

/** Two groups: one member against the rest, or any division. */
function splitOf(space: FaultSpace): [string[], string[]] {
  const { draw } = space
  const everybody = everybodyOf(space)
  const size = draw.whole(1, everybody.length - 1)
  const group = draw.sample(everybody, size)
  return [group, everybody.filter((member) => !group.includes(member))]
}

function cut(
  { draw, fromMs, toMs }: FaultSpace,
  [from, to]: [string[], string[]],
  oneWay: boolean,
  lastsMs: [number, number],
): Step[] {
  const atMs = draw.whole(fromMs, toMs)
  const endMs = Math.min(atMs + draw.whole(...lastsMs), toMs)
  const mend: Operation = { do: 'mend', from, to }
  return [
    { atMs, do: 'cut', from, to, oneWay },
    { atMs: endMs, ...mend },
  ]
}
