/**
 * What each process may read: its own writes, never backwards, nothing below a tombstone that it applied, nothing that
 * nobody wrote, nothing whose time is over; and, once it has joined, nothing older than what all others had.
 */

import { Floors } from '../../../src/testing/checker/floors.js'
import {
  nameOf,
  parseVersion,
  printRecord,
  type Record,
  wins,
} from '../../../src/testing/checker/records.js'
import type { SimulatedProcess } from '../../../src/testing/simulation.js'
import type { Rule, Violations } from './violations.js'
import type { WriteLog, Written } from './write-log.js'

/** How wrong the clocks of members may be for their writes to be taken, in ms. */
export const CLOCK_TOLERANCE_MS = 5_000

/** Expired entries may be served this much longer, in ms, where all clocks are right: what others show comes late. */
const EXPIRY_SLACK_MS = 500

export interface SessionComponents {
  readonly log: WriteLog
  readonly violations: Violations
  /** The time that is right, in ms since the Unix epoch. */
  readonly now: () => number
  /** How far the clock of any process has been off so far, in ms. */
  readonly clockErrorMs: () => number
  /** Whether entries may be gone for want of room. */
  readonly mayEvict: boolean
  /**
   * Whether every member keeps every key. Where it does not, a read is answered by whichever owner is asked, and what
   * nobody acknowledged need not have come to all of them: then no process is held to what it read or had before.
   */
  readonly isFullCopy: boolean
}

export class Sessions {
  readonly #components: SessionComponents
  readonly #floors = new Map<SimulatedProcess, Floors>()
  /** Where a key has some owners of many: what each owner has of the keys that it owns, and by which ring. */
  readonly #kept = new Map<SimulatedProcess, { floors: Floors; ring: readonly string[] }>()
  /** Every version that has been seen anywhere, and the latest that each member issued, over all its lives. */
  readonly #seen = new Set<string>()
  readonly #issued = new Map<string, string>()

  constructor(components: SessionComponents) {
    this.#components = components
  }

  /** Those of some records that a process keeps for good: all, or what it owns and has taken over. */
  ownedOf(process: SimulatedProcess, records: readonly Record[]): readonly Record[] {
    if (this.#components.isFullCopy) return records
    if (process.peer.pending.openPartitions > 0) return []
    return records.filter(({ cache, key }) => key === undefined || keeps(process, cache, key))
  }

  get isFullCopy(): boolean {
    return this.#components.isFullCopy
  }

  floors(process: SimulatedProcess): Floors {
    let floors = this.#floors.get(process)
    if (floors === undefined) {
      floors = this.#newFloors()
      this.#floors.set(process, floors)
    }
    return floors
  }

  /**
   * What a process must not go below: what it has applied; where a key has some owners of many, since it owns the key.
   */
  floorOf(process: SimulatedProcess, cache: string, key: string): Record | undefined {
    if (this.#components.isFullCopy) return this.floors(process).of(cache, key)
    const kept = this.#keptBy(process)
    return keeps(process, cache, key) ? kept.of(cache, key) : undefined
  }

  /** Notes by which ring a process places keys: what it does not own by one, it may have given up, though it owns it by the next. */
  noteRing(process: SimulatedProcess): void {
    if (!this.#components.isFullCopy) this.#keptBy(process)
  }

  #keptBy(process: SimulatedProcess): Floors {
    const ring = process.peer.ring.members
    let known = this.#kept.get(process)
    if (known === undefined) {
      known = { floors: this.#newFloors(), ring }
      this.#kept.set(process, known)
    } else if (known.ring !== ring) {
      known.floors.prune((cache, key) => keeps(process, cache, key))
      known.ring = ring
    }
    return known.floors
  }

  /** A process ends, and with it the memory of what it alone owned: others that owned it before may have given that up. */
  ends({ id, peer }: SimulatedProcess): void {
    const isShared = (cache: string, key: string) => {
      const { owners } = peer.ring.locate(cache, key)
      return owners.length !== 1 || owners[0] !== id
    }
    for (const { floors } of this.#kept.values()) floors.prune(isShared)
  }

  #newFloors(): Floors {
    return new Floors((record) => this.#components.log.tagsOf(record))
  }

  #raise(process: SimulatedProcess, record: Record): void {
    // What a clock that is ahead has written, its own member gives up once it knows.
    if (this.isAhead(record)) return
    this.floors(process).raise(record)
    if (this.#components.isFullCopy) return
    const kept = this.#keptBy(process)
    if (record.key === undefined || keeps(process, record.cache, record.key)) kept.raise(record)
  }

  /** Whether a record lies in the future of all whose clocks are right. */
  isAhead({ version }: Record): boolean {
    return parseVersion(version).wallMs > this.#components.now() + CLOCK_TOLERANCE_MS
  }

  /** A process has taken a value into its store. */
  set(process: SimulatedProcess, cache: string, key: string, version: string): void {
    // What it keeps beside its store may be later, and is what it reads.
    const kept = process.peer.keptOf(cache, key)
    const isRead = kept === undefined || kept.version === version
    const value = isRead ? process.peer.cache<string>(cache).peek(key) : undefined
    if (value !== undefined) this.#components.log.seen(value, version)
    this.#applied(process, { cache, key, version, deleted: false, value })
  }

  /** A process has taken in a delete, or a clear when there is no key. */
  deleted(process: SimulatedProcess, cache: string, key: string | undefined, version: string) {
    // One that came when its tag had been invalidated took away what was there before.
    const isUndone = key !== undefined && this.#components.log.isSet(version)
    this.#applied(process, { cache, key, version, deleted: true, value: undefined, isUndone })
  }

  /** A process has taken in the invalidation of a tag. */
  invalidated(process: SimulatedProcess, cache: string, tag: string, version: string) {
    this.#applied(process, { cache, key: undefined, tag, version, deleted: true, value: undefined })
  }

  /** A process publishes a record: that it made it a while ago, and may have given it up since for a later one of others. */
  publishes(process: SimulatedProcess, record: Record): void {
    if (this.#components.isFullCopy || this.isAhead(record)) this.#raise(process, record)
    else this.floors(process).raise(record)
  }

  /** A process is known to have a record, whether or not it told of it. */
  holds(process: SimulatedProcess, record: Record): void {
    this.#raise(process, record)
  }

  /** A process has a record, or one that came after it. */
  holdsAtLeast(process: SimulatedProcess, record: Record): void {
    this.#raise(process, { ...record, orLater: true })
  }

  /** A process has promised, just now, to have some records, or what came after them. */
  mustHold(process: SimulatedProcess, records: readonly Record[], rule: Rule): void {
    if (!this.#components.isFullCopy && rule === 'joiner') return
    for (const record of records) this.holdsAtLeast(process, record)
    for (const { cache, key } of records) {
      if (key === undefined || (!this.#components.isFullCopy && !keeps(process, cache, key)))
        continue
      this.read(process, { cache, key }, process.peer.cache<string>(cache).peek(key), rule)
    }
  }

  /**
   * A process read a key.
   * @param rule what is broken when it reads something older than it had
   * @param tookMs how long it took: what was live when the caller asked is no mistake
   */
  read(
    process: SimulatedProcess,
    { cache, key }: { cache: string; key: string },
    value: string | undefined,
    rule: Rule = 'session',
    tookMs = 0,
    known: Record | null | undefined = this.floorOf(process, cache, key),
  ): void {
    const floor = known ?? undefined
    if (value === undefined) this.#readNothing(process, { cache, key }, floor, rule)
    else this.#readValue(process, { cache, key }, value, floor, rule, tookMs)
  }

  /**
   * A process read a key of which it kept something when it was asked: its own write, or a near copy. While that lives it does
   * not read anything older.
   */
  readKept(
    process: SimulatedProcess,
    { cache, key }: { cache: string; key: string },
    value: string | undefined,
    kept: { version: string; deleted: boolean } | undefined,
  ): void {
    const { log, mayEvict, now, violations } = this.#components
    const left = process.peer.keptOf(cache, key)
    if (kept === undefined || left === undefined || left.version < kept.version) return
    // Owners are held to more than that.
    if (keeps(process, cache, key)) return
    const written = { cache, key, ...kept, value: undefined }
    if (value === undefined) {
      const isLost = !kept.deleted && !mayEvict && !log.mayBeUndone(written)
      // Its own value may be over before anybody has seen it.
      const latestMs = Math.max(now() + CLOCK_TOLERANCE_MS, process.time.now())
      if (
        !isLost ||
        this.mayHaveLapsed(written, latestMs) ||
        log.of(cache, key).some((record) => wins(record, written))
      )
        return
      violations.add('session', `${process.id} has no ${cache}/${key}, and keeps ${kept.version}`)
    } else if ((log.versionOf(value) ?? kept.version) < kept.version) {
      const what = `${process.id} read ${cache}/${key} = ${value}, and keeps ${kept.version}`
      violations.add('session', what)
    }
  }

  /** A caller was told that its value is set. */
  acknowledged(process: SimulatedProcess, key: string, value: string): void {
    if (this.#components.log.versionOf(value) !== undefined) return
    const what = `${process.id} set ${key} to ${value} and the write never took effect there`
    this.#components.violations.add('session', what)
  }

  /** Whether a record's time is over, by a clock that shows `nowMs`. */
  isOver({ deleted, value, version }: Record, nowMs: number): boolean {
    if (deleted || value === undefined) return false
    return isOverBy(this.#components.log.written(value), version, nowMs)
  }

  /**
   * Whether a key's value was or may have been followed by one that did not live for ever, and is over by a clock that shows
   * `latestMs`; itself included. Such a one may have been published by nobody, and told of by nobody.
   */
  mayHaveLapsed(since: Record, latestMs: number): boolean {
    const { cache, key = '', version } = since
    return this.#components.log.briefOf(cache, key).some((brief) => {
      if (brief === undefined) return true
      return (brief.version === version || wins(brief, since)) && this.isOver(brief, latestMs)
    })
  }

  /** A member has published a record. */
  published({ version }: Record): void {
    this.#seen.add(version)
    this.#noteIssued(version)
  }

  #applied(process: SimulatedProcess, record: Record): void {
    this.#checkIssued(process, record)
    this.#raise(process, record)
  }

  /** A version that is seen for the first time was issued just now, and is above all that its member issued before. */
  #checkIssued({ id }: SimulatedProcess, record: Record): void {
    const { version } = record
    if (this.#seen.has(version)) return
    this.#seen.add(version)
    const { member } = parseVersion(version)
    const last = this.#issued.get(member)
    if (member !== id && !this.#mayComeUnseen(member, record)) {
      const what = `${id} applied ${version} before ${member} was seen to write it`
      this.#components.violations.add('phantom', what)
    } else if (member === id && last !== undefined && version < last) {
      this.#components.violations.add('clock', `${id} issued ${version} after ${last}`)
    }
    this.#noteIssued(version)
  }

  /**
   * Whether a record may show elsewhere first: a value that is over at its writer at once may still live where the clock
   * is behind, and a delete of what its writer does not hold is not told of there.
   */
  #mayComeUnseen(member: string, { cache, key, deleted, value }: Record): boolean {
    const { log } = this.#components
    if (!deleted) return value === undefined || log.written(value) !== undefined
    return key === undefined || log.expectsDelete(member, cache, key)
  }

  /** A member begins without having met anybody: what it issued in an earlier life is not known to it. */
  beginsAnew(member: string): void {
    this.#issued.delete(member)
  }

  #noteIssued(version: string): void {
    const { member } = parseVersion(version)
    const last = this.#issued.get(member)
    if (last === undefined || version > last) this.#issued.set(member, version)
  }

  #readNothing(
    process: SimulatedProcess,
    { cache, key }: { cache: string; key: string },
    floor: Record | undefined,
    rule: Rule,
  ): void {
    const { log, now, mayEvict, violations } = this.#components
    if (floor === undefined || floor.deleted || mayEvict) return
    // Who was asked may know of an invalidation that this process does not.
    if (log.mayBeUndone(floor)) return
    // A value that is as good as over may be gone on a clock that is a little fast.
    const latestMs = Math.max(now() + CLOCK_TOLERANCE_MS, process.time.now())
    if (this.isOver(floor, latestMs)) return
    // A later value may have come when its time was over, or its tag invalidated: it takes the place of the one before, and
    // is not told of.
    const later = log.of(cache, key).filter((record) => wins(record, floor))
    if (later.some((record) => log.mayBeUndone(record))) return
    if (this.mayHaveLapsed(floor, latestMs)) return
    if (floor.orLater && later.some(({ deleted }) => deleted)) return
    // A delete that waits for acknowledgements may be known before it is published.
    if (floor.orLater && log.awaitsDelete(cache, key)) return
    violations.add(rule, `${process.id} has no ${cache}/${key}, and had ${printRecord(floor)}`)
  }

  #readValue(
    process: SimulatedProcess,
    { cache, key }: { cache: string; key: string },
    value: string,
    floor: Record | undefined,
    rule: Rule,
    tookMs: number,
  ): void {
    const { log, now, clockErrorMs, violations } = this.#components
    const { written, version } = log.known(value) ?? {}
    if (written === undefined || version === undefined) {
      violations.add('phantom', `${process.id} read ${cache}/${key} = ${value}: nobody wrote it`)
      return
    }
    if (nameOf(written.cache, written.key) !== nameOf(cache, key)) {
      const where = `${written.cache}/${written.key}`
      violations.add('phantom', `${process.id} read ${cache}/${key} = ${value}, of ${where}`)
    }
    const record = { cache, key, version, deleted: false, value }
    if (floor !== undefined && wins(floor, record)) {
      const below = `${printRecord(record)}, below ${printRecord(floor)} that it had`
      violations.add(rule, `${process.id} read ${cache}/${key} = ${below}`)
    }
    // What came while others were asked need not show.
    if (tookMs === 0 && this.floors(process).isUndone(record)) {
      const what = `${process.id} read ${cache}/${key} = ${printRecord(record)}`
      violations.add(rule, `${what}, a tag of which it knows to be invalidated`)
    }
    const slackMs = EXPIRY_SLACK_MS + 2 * Math.min(clockErrorMs(), CLOCK_TOLERANCE_MS)
    if (isOverBy(written, version, now() - slackMs - tookMs)) {
      violations.add('session', `${process.id} read ${cache}/${key} = ${value}: its time is over`)
    }
    const isOfAll = this.#components.isFullCopy && version !== floor?.version
    if (isOfAll && !this.isAhead(record)) this.floors(process).raise(record)
  }
}

/** Whether the time of a value that was written under a version is over, by a clock that shows `nowMs`. */
function isOverBy(written: Written | undefined, version: string, nowMs: number): boolean {
  const ttlMs = written?.ttlMs ?? 0
  return ttlMs > 0 && parseVersion(version).wallMs + ttlMs <= nowMs
}

/** Whether a process owns a key, as far as it knows. */
export function keeps(
  { id, options, peer }: SimulatedProcess,
  cache: string,
  key: string,
): boolean {
  return options.role !== 'client' && peer.ring.locate(cache, key).owners.includes(id)
}
