/**
 * What goes wrong in a chaos run, and when: drawn from the seed, before the run begins.
 */
import { Draw } from '../../testing/draw.js'

/** Kinds of faults, as `--faults` takes them. */
export const FAULT_KINDS = ['kill', 'pause', 'partition', 'slow', 'clock'] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

/** A fault as planned. Members are named by their places, from 0. */
export type PlannedFault = {
  /** Since the workload began, and how long it lasts. */
  readonly atMs: number
  readonly forMs: number
} & (
  | { readonly kind: 'kill'; readonly place: number }
  | { readonly kind: 'pause'; readonly place: number }
  | { readonly kind: 'partition'; readonly group: readonly number[]; readonly way: CutWay }
  | { readonly kind: 'slow'; readonly place: number; readonly delayMs: number }
  | { readonly kind: 'clock'; readonly place: number; readonly offsetMs: number }
)

/** What does not pass: either way, what the group sends, or what is sent to it. */
export type CutWay = 'both' | 'out' | 'in'

export interface ScheduleSpace {
  readonly seed: number
  readonly peers: number
  readonly forMs: number
  readonly kinds: readonly FaultKind[]
}

/** Time between the end of one fault and the next of its kind, and how long one lasts, in ms. */
interface Rhythm {
  readonly gapMs: readonly [min: number, max: number]
  readonly lastsMs: readonly [min: number, max: number]
}

const RHYTHMS: Readonly<Record<FaultKind, Rhythm>> = {
  // How long nobody is in its place.
  kill: { gapMs: [5_000, 12_000], lastsMs: [1_000, 6_000] },
  pause: { gapMs: [1_500, 6_000], lastsMs: [300, 10_000] },
  partition: { gapMs: [5_000, 12_000], lastsMs: [1_000, 20_000] },
  slow: { gapMs: [2_000, 8_000], lastsMs: [2_000, 12_000] },
  clock: { gapMs: [2_000, 8_000], lastsMs: [2_000, 12_000] },
}

/**
 * A pause that a member must survive, in ms; half of all pauses are of this kind. A little less than is
 * promised, for a signal takes its time.
 */
const SHORT_PAUSE_MAX_MS = 2_800

const LONG_PAUSE_MIN_MS = 3_200

/** A clock that is further off than this is not believed, in ms; half of all steps are smaller. */
const CLOCK_TRUSTED_MS = 5_000
const CLOCK_STEP_MIN_MS = 1_000
const CLOCK_STEP_MAX_MS = 600_000

const DELAY_MS = [20, 300] as const

/** What is left of a partition or a long pause lasts at least so long, in ms. */
const TEARING_MIN_MS = 300

/** The quiet before the first fault, and the end of the run that is left to the workload alone. */
const LEAD_SHARE = 0.03
const TAIL_SHARE = 0.05

/** A fault takes at most so much of the run. */
const LASTS_SHARE_MAX = 0.25

/**
 * Before a kill nothing tears the membership apart for so long, in ms, or for so much of the run: a kill
 * waits for a mesh that is settled.
 */
const CALM_MS = 6_000
const CALM_SHARE = 0.15

/** Draws all faults of a run, in the order in which they begin. */
export function drawSchedule(space: ScheduleSpace): PlannedFault[] {
  const draw = Draw.of(space.seed)
  const faults = space.kinds.flatMap((kind) => drawKind(space, kind, draw.fork(kind)))
  const calmMs = Math.min(CALM_MS, Math.round(space.forMs * CALM_SHARE))
  const kills = faults.filter(({ kind }) => kind === 'kill')
  return faults
    .flatMap((fault) => (isTearing(fault) ? calmed(fault, kills, calmMs) : [fault]))
    .sort((a, b) => a.atMs - b.atMs)
}

/** Whether members may be called dead for it. */
function isTearing({ kind, forMs }: PlannedFault): boolean {
  return kind === 'partition' || (kind === 'pause' && forMs > SHORT_PAUSE_MAX_MS)
}

/** A fault that leaves the calm before each kill: it ends before, or, where too little is left, there is none. */
function calmed(
  fault: PlannedFault,
  kills: readonly PlannedFault[],
  calmMs: number,
): PlannedFault[] {
  let { atMs, forMs } = fault
  for (const kill of kills) {
    const fromMs = kill.atMs - calmMs
    if (atMs >= kill.atMs || atMs + forMs <= fromMs) continue
    if (fromMs - atMs >= TEARING_MIN_MS) forMs = fromMs - atMs
    else {
      // What began in the calm begins after the kill, when what that cost is not made up for yet.
      forMs = atMs + forMs - kill.atMs
      atMs = kill.atMs
    }
  }
  return forMs < TEARING_MIN_MS ? [] : [{ ...fault, atMs, forMs }]
}

function drawKind({ peers, forMs }: ScheduleSpace, kind: FaultKind, draw: Draw): PlannedFault[] {
  const { gapMs, lastsMs } = RHYTHMS[kind]
  const fromMs = Math.round(forMs * LEAD_SHARE)
  const toMs = Math.round(forMs * (1 - TAIL_SHARE))
  const faults: PlannedFault[] = []
  // Each kind has its turn, also in a short run.
  let atMs = fromMs + draw.whole(0, Math.min(gapMs[1], (toMs - fromMs) / 2))
  while (atMs < toMs) {
    const drawnMs = durationOf(kind, draw, lastsMs)
    const lasts = Math.min(drawnMs, Math.round(forMs * LASTS_SHARE_MAX), toMs - atMs)
    faults.push({ atMs, forMs: lasts, ...detailsOf(kind, draw, peers) })
    atMs += lasts + draw.whole(...gapMs)
  }
  return faults
}

function durationOf(kind: FaultKind, draw: Draw, [min, max]: Rhythm['lastsMs']): number {
  if (kind !== 'pause') return draw.whole(min, max)
  return draw.happens(0.5)
    ? draw.whole(min, SHORT_PAUSE_MAX_MS)
    : draw.whole(LONG_PAUSE_MIN_MS, max)
}

type Details<Fault> = Fault extends unknown ? Omit<Fault, 'atMs' | 'forMs'> : never

function detailsOf(kind: FaultKind, draw: Draw, peers: number): Details<PlannedFault> {
  const places = Array.from({ length: peers }, (_, place) => place)
  const place = draw.pick(places)
  switch (kind) {
    case 'kill':
    case 'pause':
      return { kind, place }
    case 'slow':
      return { kind, place, delayMs: draw.whole(...DELAY_MS) }
    case 'clock': {
      const size = draw.happens(0.5)
        ? draw.whole(CLOCK_STEP_MIN_MS, CLOCK_TRUSTED_MS - 500)
        : draw.whole(CLOCK_TRUSTED_MS + 500, CLOCK_STEP_MAX_MS)
      return { kind, place, offsetMs: draw.happens(0.5) ? size : -size }
    }
    case 'partition': {
      const group = draw.sample(places, draw.whole(1, Math.max(1, Math.floor((peers - 1) / 2))))
      const way = draw.happens(0.6) ? 'both' : draw.pick(['out', 'in'] as const)
      return { kind, group: group.sort((a, b) => a - b), way }
    }
  }
}

/** `peer-2`, of a place. */
export function placeName(place: number): string {
  return `peer-${place + 1}`
}

/** Whom a fault hits. */
export function targetOf(fault: PlannedFault): string {
  return fault.kind === 'partition' ? fault.group.map(placeName).join(' ') : placeName(fault.place)
}
