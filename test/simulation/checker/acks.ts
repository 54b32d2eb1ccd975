/**
 * What an acknowledgement promises: that so many members have the write when the caller is told, and that a read at
 * quorum sees it.
 *
 * Where every member keeps every key, that holds as long as no member has been started or lost since. Where a key has
 * some owners of many, it holds while members come and go, as long as no more memories are lost at a time than the
 * acknowledgement is to outlive (see losses.ts), and nobody takes a running member to be dead; and once all is healed, it
 * holds again, for every member, whoever was taken for dead meanwhile.
 */
import type { Ack } from '../../../src/api.js'
import { formatVersion } from '../../../src/core/version.js'
import type { Losses, Risk } from '../../../src/testing/checker/losses.js'
import { nameOf, printRecord, type Record, wins } from '../../../src/testing/checker/records.js'
import type { SimulatedProcess, Simulation } from '../../../src/testing/simulation.js'
import { isOwner } from './placement.js'
import type { Sessions } from './sessions.js'
import type { Violations } from './violations.js'
import type { WriteLog } from './write-log.js'

export interface AckComponents {
  readonly simulation: Simulation
  readonly sessions: Sessions
  readonly log: WriteLog
  readonly violations: Violations
  readonly mayEvict: boolean
  readonly replicas: number | 'all'
  readonly losses: Losses
}

/** A write whose caller waits: how many members its peer knew of when it began. */
export interface Promised {
  readonly process: SimulatedProcess
  readonly memberCount: number
  readonly beganOrder: number
  readonly risk: Risk
  /** What all members shared when it began; see {@link Losses.view}. */
  readonly view: number | undefined
  /** What the process had of keys that it is to delete: the delete is later than that. */
  readonly below: readonly Record[]
}

/** A write that was acknowledged by a quorum, and how many lives had begun or ended by then. */
interface Acknowledged {
  readonly record: Record
  /** When its caller asked, and when it was told. */
  readonly beganOrder: number
  readonly order: number
  readonly lives: number
  readonly risk: Risk
  readonly view: number | undefined
}

export class AckRules {
  readonly #components: AckComponents
  readonly #acknowledged = new Map<string, Acknowledged>()
  /** When a key was last asked to be deleted, or a cache to be cleared. */
  readonly #deletions = new Map<string, number>()
  /** Acknowledgements and reads, in the order in which they end and begin. */
  #order = 0
  /** Lives that have begun or ended. */
  #lives = 0

  constructor(components: AckComponents) {
    this.#components = components
  }

  /** A process starts, crashes, leaves: memory comes or goes. */
  lifeChanges(): void {
    this.#lives++
  }

  /** A caller writes, and will wait for this. */
  begun(
    process: SimulatedProcess,
    ack: Ack | undefined,
    deleted: { cache: string; keys: readonly string[] } = { cache: '', keys: [] },
  ): Promised {
    const memberCount = isOfMany(ack) ? countedMembers(process) : 0
    const { losses, sessions } = this.#components
    const { view } = losses
    const { cache, keys } = deleted
    const floors = sessions.floors(process)
    const below = keys.flatMap((key) => {
      const known = floors.of(cache, key)
      return known === undefined ? [] : [{ ...known, key, deleted: true, value: undefined }]
    })
    return { process, memberCount, beganOrder: ++this.#order, risk: losses.begin(), view, below }
  }

  /** A key is to be deleted, or a cache to be cleared when there is no key. */
  deletes(cache: string, key: string | undefined): void {
    this.#deletions.set(key === undefined ? cache : nameOf(cache, key), ++this.#order)
  }

  /** A caller was told that its values are acknowledged. */
  acknowledged(
    { process, memberCount, beganOrder, risk, view }: Promised,
    ack: Ack | undefined,
    { cache, values }: { cache: string; values: ReadonlyArray<readonly [string, string]> },
  ): void {
    const { log, simulation, violations, replicas, losses, sessions } = this.#components
    if (!isOfMany(ack)) {
      losses.end(risk)
      return
    }
    losses.promise(risk, this.#tolerance(process, ack === 'all'))
    const wanted =
      replicas === 'all'
        ? Math.floor(Math.max(memberCount, countedMembers(process)) / 2) + 1
        : quorumOf(replicas)
    // Of a key that a batch names more than once, the last value counts.
    for (const [key, value] of new Map(values)) {
      const version = log.versionOf(value)
      if (version === undefined) continue
      const record = { cache, key, version, deleted: false, value }
      // What a clock that is ahead has written holds among those whose clocks are as wrong.
      if (sessions.isAhead(record)) continue
      const holders = simulation.processes.filter((holder) => this.#holds(holder, record))
      const ids = new Set(holders.map(({ id }) => id))
      // Who has something later has acknowledged it, too, and need not tell of it.
      const isMissing = ids.size < wanted && !this.#mayBeSuperseded(record, beganOrder)
      if (isMissing && !this.#mayBeGone(record)) {
        const what = `${process.id} was told ${ack} of ${printRecord(record)}`
        violations.add('ack', `${what}, which ${ids.size} have: ${[...ids].join(' ')}`)
      }
      // A member that has begun anew without meeting those that are there does not know of them, and is its own majority.
      if (replicas === 'all' && countedMembers(process) < simulation.running().length) continue
      const order = ++this.#order
      const known = this.#acknowledged.get(nameOf(cache, key))
      if (known === undefined || wins(record, known.record)) {
        const lives = this.#lives
        const acknowledged = { record, beganOrder, order, lives, risk, view }
        this.#acknowledged.set(nameOf(cache, key), acknowledged)
      }
    }
  }

  /** A caller was told that its delete is acknowledged: what it deleted is read at quorum no more. */
  acknowledgedDelete(promised: Promised, ack: Ack | undefined): void {
    const { process, beganOrder, risk, view, below } = promised
    const { losses, replicas, simulation } = this.#components
    if (!isOfMany(ack)) {
      losses.end(risk)
      return
    }
    losses.promise(risk, this.#tolerance(process, ack === 'all'))
    if (replicas === 'all' && countedMembers(process) < simulation.running().length) return
    for (const record of below) {
      const { cache, key = '' } = record
      const name = nameOf(cache, key)
      const known = this.#acknowledged.get(name)
      if (known !== undefined && !wins(record, known.record)) continue
      const order = ++this.#order
      this.#acknowledged.set(name, { record, beganOrder, order, lives: this.#lives, risk, view })
    }
  }

  /** A read begins: what is acknowledged by now it must see. */
  readBegins(): { readonly order: number } {
    return { order: this.#order }
  }

  /** A read at quorum was answered. */
  readAtQuorum(
    process: SimulatedProcess,
    { cache, key }: { cache: string; key: string },
    value: string | undefined,
    began: { readonly order: number },
  ): void {
    const known = this.#acknowledged.get(nameOf(cache, key))
    if (known === undefined || known.order > began.order || !this.#isBinding(known)) return
    this.#check(process, { cache, key }, value, known)
  }

  /** After heal and quiet, a process has read all keys of a cache at quorum: it sees what was acknowledged. */
  readAtRest(process: SimulatedProcess, cache: string, values: ReadonlyMap<string, string>): void {
    // Where all keep everything, what one that was alone acknowledged is lost with it.
    if (this.#components.replicas === 'all') return
    for (const known of this.#acknowledged.values()) {
      const { key } = known.record
      if (known.record.cache !== cache || known.risk.isVoid || key === undefined) continue
      this.#check(process, { cache, key }, values.get(key), known)
    }
  }

  /** Whether a read has to see it, whatever has happened since. */
  #isBinding({ lives, risk, view }: Acknowledged): boolean {
    const { replicas, losses } = this.#components
    if (replicas === 'all') return lives === this.#lives
    return !risk.isVoid && view !== undefined && view === losses.view
  }

  #check(
    process: SimulatedProcess,
    { cache, key }: { cache: string; key: string },
    value: string | undefined,
    known: Acknowledged,
  ): void {
    const { log, violations } = this.#components
    const { record } = known
    if (value === undefined) {
      if (record.deleted) return
      if (this.#mayBeUndone(record, known.beganOrder) || this.#mayBeGone(record)) return
    } else {
      const version = log.versionOf(value)
      if (version === undefined || !wins(record, { ...record, version, deleted: false, value }))
        return
    }
    const what = `${process.id} read ${cache}/${key} = ${value ?? 'nothing'} at quorum`
    violations.add('ack', `${what}, below the acknowledged ${printRecord(record)}`)
  }

  /** How many memories may be lost before what was just acknowledged may be. */
  #tolerance({ peer }: SimulatedProcess, byAll: boolean): number {
    const { replicas, simulation } = this.#components
    if (replicas === 'all') return 0
    const owners = simulation.running().filter(isOwner).length
    // Those that were taken to be dead have not confirmed it.
    const isComplete = owners >= replicas && peer.ring.members.length === owners
    return byAll && isComplete ? replicas - 1 : quorumOf(replicas) - 1
  }

  /** Whether a process has, or had when it ended, a record or what came after it. */
  #holds(process: SimulatedProcess, record: Record): boolean {
    const { sessions, replicas } = this.#components
    const { cache, key = '' } = record
    if (replicas === 'all') {
      const floor = sessions.floors(process).of(cache, key)
      return floor !== undefined && !wins(record, floor)
    }
    for (const entry of process.peer.held(cache)) {
      if (entry.key === key)
        return !wins(record, { ...record, version: formatVersion(entry.version) })
    }
    return false
  }

  /** Whether something later may have taken a record's place; it may be known to a majority before it is published. */
  #mayBeSuperseded(record: Record, beganOrder: number): boolean {
    return this.#mayBeUndone(record, beganOrder) || this.#later(record).next().done === false
  }

  /** Whether something later may have left nothing of a record's key. */
  #mayBeUndone(record: Record, beganOrder: number): boolean {
    const { log } = this.#components
    const { cache, key = '' } = record
    const deletions = [this.#deletions.get(nameOf(cache, key)), this.#deletions.get(cache)]
    if (deletions.some((order) => order !== undefined && order > beganOrder)) return true
    // Where clocks differ, one that was asked for before may be later.
    if (log.awaitsDelete(cache, key) || log.mayBeUndone(record)) return true
    for (const later of this.#later(record)) {
      if (later === undefined || later.deleted || log.mayBeUndone(later)) return true
      if (this.#mayBeGone(later)) return true
    }
    return false
  }

  /** Records that take the place of one; undefined for one of which the version is not known. */
  *#later(record: Record): Generator<Record | undefined> {
    const { log } = this.#components
    const { cache, key = '' } = record
    for (const other of [...log.of(cache, key), ...log.briefOf(cache, key)]) {
      if (other === undefined || wins(other, record)) yield other
    }
  }

  /** Whether a record may have expired or been evicted, so that its absence proves nothing. */
  #mayBeGone({ value }: Record): boolean {
    const { log, mayEvict } = this.#components
    return mayEvict || (value !== undefined && (log.written(value)?.ttlMs ?? 0) > 0)
  }
}

function quorumOf(replicas: number): number {
  return Math.floor(replicas / 2) + 1
}

function isOfMany(ack: Ack | undefined): boolean {
  return ack === 'quorum' || ack === 'all'
}

/** Members that a majority is counted of, as a process sees them. The ring follows a little later. */
export function countedMembers({ peer }: SimulatedProcess): number {
  const onRing = new Set(peer.ring.members)
  const counted = peer.members.filter(
    ({ id, role, state }) =>
      role === 'owner' && (state === 'dead' || (state !== 'left' && onRing.has(id))),
  )
  return counted.length
}
