/**
 * Who is called dead by whom: how soon after a kill, and whether one that runs gave cause. Judged when
 * all is over, for what explains a death may be told after it.
 */
import type { ChaosProcess } from './process.js'

/** A pause that members must survive, in ms. */
const PAUSE_TOLERATED_MS = 3_000

/** Time for the consequences of a fault to come out, in ms, as in the simulation. */
const AFTERMATH_MS = 20_000

/** Pauses that are closer to each other than this count as one, in ms. */
const PAUSE_APART_MS = 3_000

/** How long before a first sighting members may have gone separate ways, in ms. */
const PARTING_NOTICE_MS = 2_000

/** A kill, and when each survivor first called the member dead. */
interface Kill {
  readonly child: ChaosProcess
  readonly atMs: number
  /** Those that had joined, and have not ended since. */
  readonly survivors: Set<ChaosProcess>
  readonly heardAtMs: Map<ChaosProcess, number>
}

interface Sighting {
  readonly by: ChaosProcess
  readonly of: ChaosProcess
  readonly atMs: number
}

/** A stretch of time, by the monotonic clock, in ms; the last one may not have ended. */
interface Stretch {
  readonly fromMs: number
  untilMs: number
}
type Stretches = Stretch[]

/** Links cut between the members in some places and all others. */
interface Cut extends Stretch {
  readonly places: readonly number[]
}

/** How long it took until survivors called the killed dead. */
export interface Detections {
  /** Of each kill: until the last of them did. */
  readonly ms: readonly number[]
  /** Of each survivor of each kill. */
  readonly eachMs: readonly number[]
  /** `<survivor> of <killed>`: those that never did. */
  readonly missing: readonly string[]
}

export class Deaths {
  readonly #kills: Kill[] = []
  readonly #sightings: Sighting[] = []
  readonly #stalls = new Map<ChaosProcess, Stretches>()
  /** When the driver stood still, and with it all links. */
  readonly #ownStalls: Stretches = []
  readonly #cuts: Cut[] = []
  /** When some member that ran was called dead, until all were settled again. */
  readonly #partings: Stretches = []

  killed(child: ChaosProcess, survivors: readonly ChaosProcess[]): void {
    const atMs = performance.now()
    this.#kills.push({ child, atMs, survivors: new Set(survivors), heardAtMs: new Map() })
  }

  /** A process has ended: it is no survivor of a kill that it has not told of. */
  ended(child: ChaosProcess): void {
    for (const { survivors, heardAtMs } of this.#kills) {
      if (!heardAtMs.has(child)) survivors.delete(child)
    }
  }

  /** A member is called dead. Returns how long after it was killed, in ms, where a survivor of that says so first. */
  told(by: ChaosProcess, of: ChaosProcess): number | undefined {
    const atMs = performance.now()
    const kill = this.#kills.find(({ child }) => child === of)
    if (kill !== undefined) {
      // Who joined since is told of it, and has nothing to detect.
      if (!kill.survivors.has(by) || kill.heardAtMs.has(by)) return undefined
      kill.heardAtMs.set(by, atMs)
      return atMs - kill.atMs
    }
    this.#sightings.push({ by, of, atMs })
    if ((this.#partings.at(-1)?.untilMs ?? 0) < atMs) {
      this.#partings.push({ fromMs: atMs - PARTING_NOTICE_MS, untilMs: Number.POSITIVE_INFINITY })
    }
    return undefined
  }

  /** A process did not run for so long, until now. Without one: the driver. */
  stalled(child: ChaosProcess | undefined, forMs: number): void {
    const untilMs = performance.now()
    const stretch = { fromMs: untilMs - forMs, untilMs }
    const known = child === undefined ? this.#ownStalls : (this.#stalls.get(child) ?? [])
    known.push(stretch)
    if (child !== undefined) this.#stalls.set(child, known)
  }

  /** Those in some places cannot reach all others, or not be reached by them. */
  linksCut(places: readonly number[]): void {
    this.#cuts.push({ places, fromMs: performance.now(), untilMs: Number.POSITIVE_INFINITY })
  }

  linksMended(): void {
    const last = this.#cuts.at(-1)
    if (last !== undefined) last.untilMs = performance.now()
  }

  /** All members agree on who is there. */
  settled(): void {
    const last = this.#partings.at(-1)
    if (last !== undefined && last.untilMs > performance.now()) last.untilMs = performance.now()
  }

  /** Whether all members had one view from a moment to another. */
  haveAgreed(fromMs: number, toMs: number): boolean {
    return !this.#partings.some((parting) => parting.fromMs < toMs && parting.untilMs > fromMs)
  }

  detections(): Detections {
    const ms: number[] = []
    const eachMs: number[] = []
    const missing: string[] = []
    for (const { child, atMs, survivors, heardAtMs } of this.#kills) {
      const late = [...survivors].filter((survivor) => !heardAtMs.has(survivor))
      missing.push(...late.map(({ name }) => `${name} of ${child.name}`))
      for (const heardMs of heardAtMs.values()) eachMs.push(heardMs - atMs)
      if (late.length === 0) ms.push(Math.max(0, ...heardAtMs.values()) - atMs)
    }
    return { ms, eachMs, missing }
  }

  /** Sightings of members that ran and gave no cause. */
  falseDeaths(): string[] {
    return this.#sightings.flatMap((sighting) => {
      if (this.#isExplained(sighting)) return []
      return [`${sighting.by.name} called ${sighting.of.name} dead, which ran and gave no cause`]
    })
  }

  /** Members that ran and were called dead, with cause or without. */
  get parted(): number {
    return this.#sightings.length
  }

  #isExplained({ by, of, atMs }: Sighting): boolean {
    const overlaps = ({ fromMs, untilMs }: Stretch) =>
      fromMs <= atMs && untilMs + AFTERMATH_MS > atMs
    const isBetween = ({ places }: Cut) => places.includes(by.place) !== places.includes(of.place)
    // One that joins has connections to make, and much to take over.
    if (of.isLate && (of.readyAtMs ?? atMs) + AFTERMATH_MS > atMs) return true
    if (this.#cuts.some((cut) => isBetween(cut) && overlaps(cut))) return true
    // One that stood still and has not told of it yet stands still.
    const stalls = [...(this.#stalls.get(of) ?? []), ...this.#ownStalls]
    return longOnes(stalls).some(overlaps)
  }
}

/** Stretches that are longer than must be survived, those that follow each other closely taken for one. */
function longOnes(stretches: Stretches): Stretches {
  const merged: Array<{ fromMs: number; untilMs: number; ms: number }> = []
  for (const { fromMs, untilMs } of [...stretches].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1)
    if (last !== undefined && fromMs - last.untilMs < PAUSE_APART_MS) {
      last.ms += untilMs - Math.max(fromMs, last.untilMs)
      last.untilMs = Math.max(last.untilMs, untilMs)
    } else merged.push({ fromMs, untilMs, ms: untilMs - fromMs })
  }
  return merged.filter(({ ms }) => ms > PAUSE_TOLERATED_MS)
}
