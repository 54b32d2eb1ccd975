/**
 * After heal and quiet: all copies are equal, each holds for every key the winner of all writes that could not be
 * lost, or a later one, and nothing else.
 *
 * Where a key has some owners of many, it is their copies that are compared.
 */
import type { CacheEntry } from '../../../src/api.js'
import { differencesOf, faultOf, isWritten } from '../../../src/testing/checker/copies.js'
import { leftOf } from '../../../src/testing/checker/floors.js'
import {
  nameOf,
  parseVersion,
  type Record,
  winnerOf,
  wins,
} from '../../../src/testing/checker/records.js'
import { contents, type SimulatedProcess } from '../../../src/testing/simulation.js'
import { isOwner } from './placement.js'
import { CLOCK_TOLERANCE_MS, keeps, type Sessions } from './sessions.js'
import type { Violations } from './violations.js'
import type { WriteLog } from './write-log.js'

export interface ConvergenceComponents {
  readonly log: WriteLog
  readonly sessions: Sessions
  readonly violations: Violations
  readonly now: () => number
  readonly mayEvict: boolean
  readonly replicas: number | 'all'
}

/** What a process holds: by cache and key. */
type Copy = ReadonlyMap<string, CacheEntry<string>>

export class ConvergenceRules {
  readonly #components: ConvergenceComponents

  constructor(components: ConvergenceComponents) {
    this.#components = components
  }

  check(running: readonly SimulatedProcess[]): void {
    const copies = running.map((process) => ({ process, copy: copyOf(process) }))
    for (const { process, copy } of copies) this.#checkKnown(process, copy, copies)
    if (this.#components.replicas !== 'all') {
      this.#checkOwned(copies)
      return
    }
    for (const { cache, key } of this.#components.log.keys) {
      const winner = winnerOf(
        running.flatMap(
          (process) => this.#components.sessions.floors(process).of(cache, key) ?? [],
        ),
      )
      const expected = this.#unlessUndone(winner, running)
      for (const { process, copy } of copies)
        this.#checkHeld(process, copy, { cache, key }, expected)
      this.#checkEqual(copies, { cache, key })
    }
  }

  /** Whether all who own a key hold the same of it, whichever it is. */
  areEqual(running: readonly SimulatedProcess[]): boolean {
    const owners = running.filter(isOwner)
    if (this.#components.replicas === 'all') {
      return new Set(owners.map((process) => contents(process))).size <= 1
    }
    const copies = owners.map((process) => ({ process, copy: copyOf(process) }))
    return this.#components.log.keys.every(({ cache, key }) => {
      const held = copies
        .filter(({ process }) => keeps(process, cache, key))
        .map(({ copy }) => copy.get(nameOf(cache, key))?.version)
      return new Set(held).size <= 1
    })
  }

  #checkOwned(copies: ReadonlyArray<{ process: SimulatedProcess; copy: Copy }>): void {
    const { log, sessions } = this.#components
    for (const at of log.keys) {
      const owners = copies.filter(({ process }) => keeps(process, at.cache, at.key))
      const kept = owners.flatMap(
        ({ process }) => sessions.floorOf(process, at.cache, at.key) ?? [],
      )
      const processes = copies.map(({ process }) => process)
      const expected = this.#unlessUndone(winnerOf(kept), processes)
      for (const { process, copy } of owners) this.#checkHeld(process, copy, at, expected)
      this.#checkEqual(owners, at)
    }
  }

  /** A winner as it is once everybody has every invalidation. */
  #unlessUndone(winner: Record | undefined, running: readonly SimulatedProcess[]) {
    if (winner === undefined) return undefined
    const { sessions } = this.#components
    const isUndone = running.some((process) => sessions.floors(process).isUndone(winner))
    return isUndone ? leftOf(winner) : winner
  }

  /** A copy holds the winner of what survivors had, or a later write of the log. */
  #checkHeld(
    process: SimulatedProcess,
    copy: Copy,
    { cache, key }: { cache: string; key: string },
    expected: Record | undefined,
  ): void {
    const { log, sessions, violations, now, mayEvict } = this.#components
    // What was evicted by the only one that had it is gone; what others hold of the key is older.
    if (mayEvict) return
    const latestMs = now() + CLOCK_TOLERANCE_MS
    const mayBeGone = (record: Record) =>
      sessions.isOver(record, latestMs) ||
      sessions.mayHaveLapsed(record, latestMs) ||
      log.mayBeUndone(record) ||
      // Something later that nobody told of has taken its place.
      log
        .of(cache, key)
        .filter((other) => wins(other, record))
        .some(
          (other) => other.deleted || log.mayBeUndone(other) || sessions.isOver(other, latestMs),
        )
    const entry = copy.get(nameOf(cache, key))
    const fault = faultOf(process.id, { cache, key }, entry, expected, mayBeGone)
    if (fault !== undefined) violations.add('convergence', fault.message)
  }

  #checkEqual(
    copies: ReadonlyArray<{ process: SimulatedProcess; copy: Copy }>,
    { cache, key }: { cache: string; key: string },
  ): void {
    const { violations, mayEvict } = this.#components
    // Where members evict, what they hold is whatever their callers used.
    if (mayEvict) return
    const held = copies.map(({ process, copy }) => ({
      holder: process.id,
      entry: copy.get(nameOf(cache, key)),
    }))
    for (const message of differencesOf(held, { cache, key }))
      violations.add('convergence', message)
  }

  /** Nothing is held that nobody wrote, or that is yet to come. */
  #checkKnown(process: SimulatedProcess, copy: Copy, copies: ReadonlyArray<{ copy: Copy }>): void {
    const { log, now, violations } = this.#components
    for (const [name, { key, value, version }] of copy) {
      // Where all clocks were set back, all are ahead, and nothing is wrong with what they hold.
      const isOfOne = copies.filter(({ copy }) => copy.get(name)?.version === version).length === 1
      if (isOfOne && parseVersion(version).wallMs > now() + CLOCK_TOLERANCE_MS) {
        const what = `${process.id} holds ${key} = ${value} @ ${version}, which is yet to come`
        violations.add('clock', what)
      }
      const written = log.written(value)
      if (isWritten(written, name)) continue
      violations.add(
        'phantom',
        `${process.id} holds ${key} = ${value} @ ${version}: nobody wrote it`,
      )
    }
  }
}

function copyOf({ peer }: SimulatedProcess): Copy {
  const copy = new Map<string, CacheEntry<string>>()
  for (const cache of peer.caches()) {
    for (const entry of peer.cache<string>(cache).local.entries()) {
      copy.set(nameOf(cache, entry.key), entry)
    }
  }
  return copy
}
