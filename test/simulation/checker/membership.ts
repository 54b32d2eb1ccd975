/**
 * What members may say of each other: nobody is called dead who did not give cause, whoever is killed is called dead in time,
 * nobody is called alive again by old news, and after quiet all agree on who is there and on the ring.
 */
import type { MemberInfo } from '../../../src/api.js'
import type { Losses } from '../../../src/testing/checker/losses.js'
import type { SimulatedProcess, Simulation } from '../../../src/testing/simulation.js'
import type { Disturbances } from './disturbances.js'
import { isOwner } from './placement.js'
import type { Violations } from './violations.js'

export interface MembershipComponents {
  readonly simulation: Simulation
  readonly disturbances: Disturbances
  readonly violations: Violations
  readonly losses: Losses
}

/** How soon all to whom nothing happens call a member dead that is gone without a word, in ms. */
const DETECTION_MAX_MS = 10_000

/** A process that was killed, and who was there. */
interface Kill {
  readonly process: SimulatedProcess
  readonly atMs: number
  readonly survivors: readonly SimulatedProcess[]
}

export class MembershipRules {
  readonly #components: MembershipComponents
  /** For each process, the incarnation in which it last called a member gone. */
  readonly #gone = new Map<SimulatedProcess, Map<string, number>>()
  /** Whom each process has heard of. */
  readonly #known = new Map<SimulatedProcess, Set<string>>()
  /** Those that all may not have noticed yet. */
  readonly #kills = new Set<Kill>()

  constructor(components: MembershipComponents) {
    this.#components = components
  }

  /** A process told of a member. */
  told(by: SimulatedProcess, { id, state, incarnation }: MemberInfo): void {
    const { simulation, disturbances, violations } = this.#components
    const gone = this.#goneOf(by)
    const known = this.#known.get(by) ?? new Set()
    // Who hears of somebody first when that is over gives no verdict: it may have been so.
    const isVerdict = known.has(id)
    this.#known.set(by, known.add(id))
    if (state === 'dead' || state === 'left') gone.set(id, incarnation)
    if (state === 'dead') {
      const running = simulation.running().find((process) => process.id === id)
      const isOfThisLife = incarnation > this.#lastOfEarlierLives(id)
      const isFalse = isVerdict && isOfThisLife
      if (running !== undefined && isFalse && !disturbances.explainDeath(by, running)) {
        violations.add('false death', `${by.id} calls ${id} dead, which runs and gave no cause`)
      }
      if (running !== undefined && isOfThisLife) this.#components.losses.disagree()
      const last = simulation.processes.findLast((process) => process.id === id)
      const hasLeft = isVerdict && last !== undefined && !last.isRunning && !last.time.isKilled
      const isExplained = hasLeft && disturbances.explainMiss(by, last)
      if (hasLeft && !isExplained) {
        violations.add('false death', `${by.id} calls ${id} dead, which left`)
      }
    }
    if (state !== 'alive') return
    const goneIn = gone.get(id)
    if (goneIn !== undefined && incarnation <= goneIn) {
      const what = `${by.id} calls ${id} alive in incarnation ${incarnation}, gone in ${goneIn}`
      violations.add('revival', what)
    }
  }

  /** A process is killed. */
  killed(process: SimulatedProcess): void {
    const { simulation } = this.#components
    const survivors = simulation
      .running()
      .filter((other) => other !== process && this.#sees(other, process.id) === 'alive')
    this.#kills.add({ process, atMs: simulation.time.monotonicMs(), survivors })
  }

  /** Whoever was killed so long ago is called dead by all to whom nothing happened, unless it has come again. */
  look(): void {
    const { simulation, disturbances, violations } = this.#components
    const nowMs = simulation.time.monotonicMs()
    for (const kill of this.#kills) {
      const { process, atMs, survivors } = kill
      if (nowMs - atMs < DETECTION_MAX_MS) continue
      this.#kills.delete(kill)
      const { id, number } = process
      if (simulation.processes.some((other) => other.id === id && other.number > number)) continue
      for (const survivor of survivors) {
        const state = this.#sees(survivor, id)
        if (!survivor.isRunning || (state !== 'alive' && state !== 'suspect')) continue
        if (!disturbances.wasWell(survivor, atMs, id)) continue
        const what = `${survivor.id} takes ${id} to be ${state}, which was killed`
        violations.add('undetected', `${what} ${Math.round(nowMs - atMs)} ms ago`)
      }
    }
  }

  #sees({ peer }: SimulatedProcess, id: string): string | undefined {
    return peer.members.find((member) => member.id === id)?.state
  }

  /** After heal and quiet. */
  checkAgreement(): void {
    const { simulation, violations } = this.#components
    if (!simulation.isSettled()) {
      violations.add('membership', `not settled after quiet:\n${simulation.describe()}`)
      return
    }
    const running = simulation.running()
    const ids = running
      .filter(isOwner)
      .map(({ id }) => id)
      .sort()
      .join(' ')
    const incarnations = new Map(running.map(({ id, peer }) => [id, own(peer.members)]))
    for (const { id, peer } of running) {
      const ring = [...peer.ring.members].join(' ')
      if (ring !== ids) violations.add('membership', `the ring of ${id} is ${ring}, not ${ids}`)
      for (const member of peer.members) {
        const own = incarnations.get(member.id)
        if (own === undefined || own === member.incarnation) continue
        const what = `${id} has ${member.id} in incarnation ${member.incarnation}, it is in ${own}`
        violations.add('membership', what)
      }
    }
  }

  /** The highest incarnation of a member's processes that have ended. */
  #lastOfEarlierLives(id: string): number {
    const ended = this.#components.simulation.processes.filter(
      (process) => process.id === id && !process.isRunning,
    )
    return Math.max(0, ...ended.map(({ peer }) => own(peer.members) ?? 0))
  }

  #goneOf(process: SimulatedProcess): Map<string, number> {
    let gone = this.#gone.get(process)
    if (gone === undefined) {
      gone = new Map()
      this.#gone.set(process, gone)
    }
    return gone
  }
}

function own(members: readonly MemberInfo[]): number | undefined {
  return members.find(({ self }) => self)?.incarnation
}
