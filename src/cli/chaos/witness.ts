/**
 * Hears what the children of a chaos run say, and notes it where it belongs: what was done, who was called
 * dead, what is wrong already.
 */
import type { Losses } from '../../testing/checker/losses.js'
import type { Deaths } from './deaths.js'
import type { Findings } from './findings.js'
import type { History } from './history.js'
import type { Report, StaleRead } from './messages.js'
import type { ChaosProcess } from './process.js'
import type { ChaosScreen } from './screens.js'

/** Late reads that are kept with their words. */
const LATE_READS_MAX = 20

/** Stale reads that are kept to be judged in the end. */
const STALE_READS_MAX = 10_000

export interface WitnessComponents {
  readonly history: History
  readonly deaths: Deaths
  readonly findings: Findings
  readonly losses: Losses
  readonly screen: ChaosScreen
  /** The process that has, or had, an id. */
  readonly withId: (id: string) => ChaosProcess | undefined
}

export class Witness {
  /** Reads that asked one owner alone, which may have yet to hear of what others acknowledged: allowed, and counted. */
  readonly lateReads: string[] = []
  lateReadCount = 0
  readonly #components: WitnessComponents
  readonly #staleReads: Array<{ message: string; fromMs: number; atMs: number }> = []
  #isOver = false

  constructor(components: WitnessComponents) {
    this.#components = components
  }

  /** From now on processes end because they are told to. */
  end(): void {
    this.#isOver = true
  }

  heard(child: ChaosProcess, report: Report): void {
    const { history, deaths, findings, screen } = this.#components
    switch (report.event) {
      case 'begun':
        history.begun(child, report)
        break
      case 'ended': {
        const problem = history.ended(child, report)
        if (problem !== undefined) findings.add('session', problem)
        break
      }
      case 'read': {
        const problem = history.read(child, report)
        if (problem !== undefined) findings.add('phantom', problem)
        break
      }
      case 'stale':
        this.#readBelow(report)
        break
      case 'member':
        if (report.state === 'dead') this.#calledDead(child, report.id)
        break
      case 'stall':
        deaths.stalled(child, report.forMs)
        break
      case 'held-back':
        history.heldBackCount += report.count
        break
      case 'log':
        screen.log(child.name, report.level, report.message)
    }
  }

  /** All that a process said has been heard. */
  ended(child: ChaosProcess): void {
    const { history, deaths, findings, losses } = this.#components
    history.childEnded(child, Date.now())
    deaths.ended(child)
    if (this.#isOver || child.isKilled) return
    losses.loses()
    const stderr = child.stderr.trim()
    const what = `${child.name} ended by itself: ${child.ending}`
    findings.add('crash', stderr === '' ? what : `${what}: ${stderr}`)
  }

  /** Judges what could not be judged before all was told. */
  judge(): void {
    const { history, deaths, findings } = this.#components
    for (const message of history.earlyReads()) findings.add('phantom', message)
    for (const { message, fromMs, atMs } of this.#staleReads) {
      // Where members had gone separate ways, each side had a quorum of its own.
      if (deaths.haveAgreed(fromMs, atMs)) findings.add('session', message)
    }
    for (const message of deaths.falseDeaths()) findings.add('false death', message)
    const { missing } = deaths.detections()
    for (const what of missing) findings.add('undetected', `never called dead: ${what}`)
  }

  #readBelow({ message, acknowledgedAgoMs, consistency }: StaleRead): void {
    const atMs = performance.now()
    if (consistency !== 'quorum') {
      this.lateReadCount++
      if (this.lateReads.length >= LATE_READS_MAX) return
      this.lateReads.push(message)
      this.#components.screen.log('late read', 'info', message)
    } else if (this.#staleReads.length < STALE_READS_MAX) {
      this.#staleReads.push({ message, fromMs: atMs - acknowledgedAgoMs, atMs })
    } else this.#components.history.unjudgedReadCount++
  }

  #calledDead(by: ChaosProcess, id: string): void {
    const { deaths, losses, screen, withId } = this.#components
    const of = withId(id)
    if (of === undefined || this.#isOver) return
    const afterKillMs = deaths.told(by, of)
    if (!of.isKilled && of.isRunning) losses.disagree()
    else if (afterKillMs === undefined) return
    screen.death(by, of, afterKillMs)
  }
}
