/**
 * How old a copy that is read may be, where a key has some owners of many: once all its owners have a write, nobody reads
 * an older one for longer than near copies are kept and a request may take.
 *
 * What a member wrote itself and still keeps for owners that it cannot reach it may go on reading: no bound is promised
 * for that yet.
 */

import {
  nameOf,
  parseVersion,
  printRecord,
  type Record,
  wins,
} from '../../../src/testing/checker/records.js'
import type { SimulatedProcess, Simulation } from '../../../src/testing/simulation.js'
import { isOwner } from './placement.js'
import type { Violations } from './violations.js'
import type { WriteLog } from './write-log.js'

/** How long near copies are kept, and how long the request that brings one may take, in ms. */
const NEAR_MAX_MS = 5_000
const REQUEST_MAX_MS = 2_000

export interface StalenessComponents {
  readonly simulation: Simulation
  readonly log: WriteLog
  readonly violations: Violations
}

/** A write that all owners of its key had at a moment. */
interface Known {
  readonly record: Record
  readonly sinceMs: number
}

export class StalenessRules {
  readonly #components: StalenessComponents
  /** By cache and key, the latest first. */
  readonly #known = new Map<string, Known[]>()

  constructor(components: StalenessComponents) {
    this.#components = components
  }

  /** Members may disagree on who owns what, or an owner is gone with all it had. */
  forget(): void {
    this.#known.clear()
  }

  /** All agree: looks what all owners of each key have. */
  look(): void {
    const { simulation, log } = this.#components
    const nowMs = simulation.time.monotonicMs()
    const owners = simulation.running().filter(isOwner)
    const copies = new Map(owners.map(({ id, peer }) => [id, versionsOf(peer)]))
    const ring = owners[0]?.peer.ring
    for (const { cache, key } of log.keys) {
      const name = nameOf(cache, key)
      const ids = ring?.locate(cache, key).owners ?? []
      const versions = new Set(ids.map((id) => copies.get(id)?.get(name)))
      const [version] = versions
      if (versions.size !== 1 || version === undefined) continue
      const known = this.#known.get(name) ?? []
      this.#known.set(name, known)
      if (known[0]?.record.version === version) continue
      const record = { cache, key, version, deleted: false, value: undefined }
      known.unshift({ record, sinceMs: nowMs })
    }
  }

  /** A process was answered with a value, having asked at a moment. */
  read(
    { id, peer }: SimulatedProcess,
    { cache, key }: { cache: string; key: string },
    value: string | undefined,
    askedAtMs: number,
  ): void {
    const { log, violations } = this.#components
    if (value === undefined) return
    const dueMs = askedAtMs - NEAR_MAX_MS - REQUEST_MAX_MS
    const due = this.#known.get(nameOf(cache, key))?.find(({ sinceMs }) => sinceMs < dueMs)
    if (due === undefined) return
    const version = log.versionOf(value)
    if (version === undefined) return
    const record = { cache, key, version, deleted: false, value }
    if (!wins(due.record, record)) return
    if (parseVersion(version).member === id && peer.pending.hintCount > 0) return
    const since = `which all owners have had since ${(due.sinceMs / 1_000).toFixed(3)}`
    const what = `${id} read ${cache}/${key} = ${printRecord(record)}`
    violations.add('stale', `${what}, older than ${due.record.version}, ${since}`)
  }
}

/** The version of what is held of each key. */
function versionsOf(peer: SimulatedProcess['peer']): Map<string, string> {
  const versions = new Map<string, string>()
  for (const cache of peer.caches()) {
    for (const { key, version } of peer.cache(cache).local.entries()) {
      versions.set(nameOf(cache, key), version)
    }
  }
  return versions
}
