/**
 * What an acknowledgement promises: that so many members have the write when the caller is told, and that a read at
 * quorum sees it, as long as no member has been started or lost since.
 */
import type { Ack } from '../../../src/api.js'
import type { SimulatedProcess, Simulation } from '../../../src/testing/simulation.js'
import { printRecord, type Record, wins } from './records.js'
import type { Sessions } from './sessions.js'
import type { Violations } from './violations.js'
import { nameOf, type WriteLog } from './write-log.js'

export interface AckComponents {
  readonly simulation: Simulation
  readonly sessions: Sessions
  readonly log: WriteLog
  readonly violations: Violations
  readonly mayEvict: boolean
}

/** A write whose caller waits: how many members its peer knew of when it began. */
export interface Promised {
  readonly process: SimulatedProcess
  readonly memberCount: number
  readonly beganOrder: number
}

/** A write that was acknowledged by a quorum, and how many lives had begun or ended by then. */
interface Acknowledged {
  readonly record: Record
  /** When its caller asked, and when it was told. */
  readonly beganOrder: number
  readonly order: number
  readonly lives: number
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
  begun(process: SimulatedProcess, ack: Ack | undefined): Promised {
    const memberCount = isOfMany(ack) ? countedMembers(process) : 0
    return { process, memberCount, beganOrder: ++this.#order }
  }

  /** A key is to be deleted, or a cache to be cleared when there is no key. */
  deletes(cache: string, key: string | undefined): void {
    this.#deletions.set(key === undefined ? cache : nameOf(cache, key), ++this.#order)
  }

  /** A caller was told that its values are acknowledged. */
  acknowledged(
    { process, memberCount, beganOrder }: Promised,
    ack: Ack | undefined,
    { cache, values }: { cache: string; values: ReadonlyArray<readonly [string, string]> },
  ): void {
    if (!isOfMany(ack)) return
    const { log, sessions, simulation, violations } = this.#components
    const wanted = Math.floor(Math.max(memberCount, countedMembers(process)) / 2) + 1
    // Of a key that a batch names more than once, the last value counts.
    for (const [key, value] of new Map(values)) {
      const version = log.versionOf(value)
      if (version === undefined) continue
      const record = { cache, key, version, deleted: false, value }
      const holders = simulation.processes.filter((holder) => {
        const floor = sessions.floors(holder).of(cache, key)
        return floor !== undefined && !wins(record, floor)
      })
      const ids = new Set(holders.map(({ id }) => id))
      // Who has something later has acknowledged it, too, and need not tell of it.
      const isLatest = !log.of(cache, key).some((other) => wins(other, record))
      if (ids.size < wanted && isLatest && !this.#mayBeGone(record)) {
        const what = `${process.id} was told ${ack} of ${printRecord(record)}`
        violations.add('ack', `${what}, which ${ids.size} have: ${[...ids].join(' ')}`)
      }
      // A member that has begun anew without meeting those that are there does not know of them, and is its own majority.
      if (countedMembers(process) < simulation.running().length) continue
      const order = ++this.#order
      const known = this.#acknowledged.get(nameOf(cache, key))
      if (known === undefined || wins(record, known.record)) {
        const lives = this.#lives
        this.#acknowledged.set(nameOf(cache, key), { record, beganOrder, order, lives })
      }
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
    const { log, violations } = this.#components
    const known = this.#acknowledged.get(nameOf(cache, key))
    if (known === undefined || known.order > began.order || known.lives !== this.#lives) return
    const { record } = known
    if (value === undefined) {
      // A delete may be known to a majority before it is published.
      const deletions = [this.#deletions.get(nameOf(cache, key)), this.#deletions.get(cache)]
      if (deletions.some((order) => order !== undefined && order > known.beganOrder)) return
      const later = log.of(cache, key).some((other) => wins(other, record))
      if (later || this.#mayBeGone(record)) return
    } else {
      const version = log.versionOf(value)
      if (version === undefined || !wins(record, { ...record, version, value })) return
    }
    const what = `${process.id} read ${cache}/${key} = ${value ?? 'nothing'} at quorum`
    violations.add('ack', `${what}, below the acknowledged ${printRecord(record)}`)
  }

  /** Whether a record may have expired or been evicted, so that its absence proves nothing. */
  #mayBeGone({ value }: Record): boolean {
    const { log, mayEvict } = this.#components
    return mayEvict || (value !== undefined && (log.written(value)?.ttlMs ?? 0) > 0)
  }
}

function isOfMany(ack: Ack | undefined): boolean {
  return ack === 'quorum' || ack === 'all'
}

/** Members that a majority is counted of, as a process sees them. */
function countedMembers({ peer }: SimulatedProcess): number {
  const gone = peer.members.filter(({ state }) => state === 'dead').length
  return peer.ring.members.length + gone
}
