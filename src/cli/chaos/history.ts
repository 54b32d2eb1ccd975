/**
 * What all children did, as they told it: which values were written, which writes were acknowledged and
 * so have to be there in the end, and which may have taken their place.
 */
import { type HeldEntry, isWritten } from '../../testing/checker/copies.js'
import { Floors } from '../../testing/checker/floors.js'
import type { Losses } from '../../testing/checker/losses.js'
import { nameOf, type Record } from '../../testing/checker/records.js'
import type { OperationBegun, OperationEnded, ReadEnded } from './messages.js'
import {
  clearsOf,
  invalidationsOf,
  latestOf,
  listOf,
  mayBeLater,
  type Operation,
  recordOf,
} from './operations.js'
import type { ChaosProcess } from './process.js'

/** Operations of one key, or of one tag, that are remembered before the older half is forgotten. */
const OPERATIONS_PER_KEY_MAX = 4_000

/** Reads of values of which nobody has told yet that it writes them. */
const EARLY_READS_MAX = 10_000

/** Clocks may be this far ahead when they write, in ms: so late a dead child's last version may be. */
const CLOCK_AHEAD_MAX_MS = 10_000

/** Hex digits of the wall time in a version. */
const WALL_DIGITS = 12

/** What one child has under way, and its deletes of which nobody was told the version. */
interface Life {
  readonly underWay: Map<number, { readonly operation: Operation; readonly earlier: Operation[] }>
  unbounded: Operation[]
}

export class History {
  readonly #losses: Losses
  readonly #tolerance: number
  /** By what they write; see {@link listOf}. */
  readonly #operations = new Map<string, Operation[]>()
  readonly #written = new Map<string, Operation>()
  readonly #lives = new Map<string, Life>()
  readonly #earlyReads: Array<ReadEnded & { readonly by: string }> = []
  readonly refusedCount: { [code: string]: number } = {}
  readonly openCount: { [code: string]: number } = {}
  readonly failedReadCount: { [code: string]: number } = {}
  begunCount = 0
  acknowledgedCount = 0
  unansweredCount = 0
  readCount = 0
  heldBackCount = 0
  /** Operations that are not remembered any more, and reads that could not be judged for it. */
  forgottenCount = 0
  unjudgedReadCount = 0

  /** @param tolerance how many owners may be lost at a time, for what is acknowledged to be there still */
  constructor(losses: Losses, tolerance: number) {
    this.#losses = losses
    this.#tolerance = tolerance
  }

  begun(child: ChaosProcess, told: OperationBegun): void {
    this.begunCount++
    const operation: Operation = {
      ...told,
      id: child.id,
      risk: this.#losses.begin(),
      outcome: 'under way',
      version: undefined,
      before: undefined,
    }
    const life = this.#lifeOf(child)
    life.underWay.set(told.number, { operation, earlier: life.unbounded })
    life.unbounded = []
    if (told.value !== undefined) this.#written.set(told.value, operation)
    const name = listOf(told)
    const list = this.#operations.get(name) ?? []
    list.push(operation)
    this.#operations.set(name, list.length > OPERATIONS_PER_KEY_MAX ? this.#older(list) : list)
  }

  /** An operation has ended. Returns what is wrong with that, if anything. */
  ended(
    child: ChaosProcess,
    { number, outcome, version, code = '' }: OperationEnded,
  ): string | undefined {
    const life = this.#lifeOf(child)
    const begun = life.underWay.get(number)
    if (begun === undefined) return undefined
    life.underWay.delete(number)
    const { operation, earlier } = begun
    operation.outcome = outcome
    operation.version = version
    // What a child wrote before it began this has a lower version.
    if (version === undefined) life.unbounded.push(...earlier)
    else for (const one of earlier) one.before = version
    if (outcome !== 'refused' && version === undefined) life.unbounded.push(operation)
    if (outcome === 'refused') count(this.refusedCount, code)
    if (outcome === 'open') count(this.openCount, code)
    if (outcome !== 'acknowledged') {
      this.#losses.end(operation.risk)
      return undefined
    }
    this.acknowledgedCount++
    this.#losses.promise(operation.risk, this.#tolerance)
    // Of a delete the writer is told where there was something to delete, of a set always.
    if (version !== undefined || operation.kind !== 'set') return undefined
    const { cache, key, value } = operation
    return `${child.name} set ${cache}/${key} to ${value}, and the write never took effect there`
  }

  /** A child has ended: what it had under way stays open. */
  childEnded(child: ChaosProcess, now: number): void {
    const life = this.#lifeOf(child)
    this.#lives.delete(child.name)
    const limit = printClock(now + CLOCK_AHEAD_MAX_MS)
    for (const { operation, earlier } of life.underWay.values()) {
      operation.outcome = 'unanswered'
      operation.before = limit
      this.unansweredCount++
      this.#losses.end(operation.risk)
      for (const one of earlier) one.before = limit
    }
    for (const one of life.unbounded) one.before = limit
  }

  /** A child read a value. Returns what is wrong with that, if anything. */
  read(child: ChaosProcess, read: ReadEnded): string | undefined {
    this.readCount++
    if (read.code !== undefined) count(this.failedReadCount, read.code)
    if (read.value === undefined) return undefined
    const known = { ...read, by: child.name }
    if (this.#written.has(read.value)) return this.#judgeRead(known)
    // Its writer's word may be on its way.
    if (this.#earlyReads.length < EARLY_READS_MAX) this.#earlyReads.push(known)
    else this.unjudgedReadCount++
    return undefined
  }

  /** What is wrong with reads that came before their writer's word, once all has been told. */
  earlyReads(): string[] {
    return this.#earlyReads.splice(0).flatMap((read) => this.#judgeRead(read) ?? [])
  }

  #judgeRead({ by, cache, key, value = '', version }: ReadEnded & { readonly by: string }) {
    const written = this.#written.get(value)
    if (written === undefined && this.forgottenCount > 0) {
      this.unjudgedReadCount++
      return undefined
    }
    const what = `${by} read ${cache}/${key} = ${value} @ ${version}`
    return this.isKnown({ cache, key, value, version }) ? undefined : `${what}: nobody wrote it`
  }

  /** Whether a value was written under that key, and, as far as that is known, that version. */
  isKnown({
    cache,
    key,
    value,
    version,
  }: Pick<HeldEntry, 'value'> & {
    readonly cache: string
    readonly key: string
    readonly version: string | undefined
  }): boolean {
    const written = this.#written.get(value)
    if (!isWritten(written as Required<Operation> | undefined, nameOf(cache, key))) return false
    return written?.version === undefined || version === undefined || written.version === version
  }

  /** What was acknowledged, and has not lost more owners than that outlives, as what must be there at least. */
  promised(): Floors {
    const floors = new Floors((record) => this.#tagsOf(record))
    for (const operation of this.#all()) {
      if (operation.outcome !== 'acknowledged' || operation.risk.isVoid) continue
      const record = recordOf(operation)
      if (record !== undefined) floors.raise(record)
    }
    return floors
  }

  /** Acknowledged writes that are promised nothing any more: too many of their owners were lost. */
  get voidCount(): number {
    let voids = 0
    for (const { outcome, risk } of this.#all())
      if (outcome === 'acknowledged' && risk.isVoid) voids++
    return voids
  }

  /** Whether something later may have taken the place of a value. */
  mayBeGone(expected: Record): boolean {
    const { cache, key = '' } = expected
    if (this.#mayBeUndone(expected.cache, this.#tagsOf(expected), expected)) return true
    const others = [
      ...(this.#operations.get(nameOf(cache, key)) ?? []),
      ...(this.#operations.get(clearsOf(cache)) ?? []),
    ]
    return others.some((other) => {
      if (other.outcome === 'refused' || !mayBeLater(other, expected)) return false
      return other.kind !== 'set' || this.#mayBeUndone(cache, other.tags ?? [], expected)
    })
  }

  #mayBeUndone(cache: string, tags: readonly string[], record: Record): boolean {
    return tags
      .flatMap((tag) => this.#operations.get(invalidationsOf(cache, tag)) ?? [])
      .some((one) => one.outcome !== 'refused' && mayBeLater(one, record))
  }

  #tagsOf({ value }: Record): readonly string[] {
    return (value === undefined ? undefined : this.#written.get(value)?.tags) ?? []
  }

  *#all(): Generator<Operation> {
    for (const list of this.#operations.values()) yield* list
  }

  #lifeOf({ name }: ChaosProcess): Life {
    let life = this.#lives.get(name)
    if (life === undefined) {
      life = { underWay: new Map(), unbounded: [] }
      this.#lives.set(name, life)
    }
    return life
  }

  /** Forgets the older half of a list, but not the latest that was acknowledged. */
  #older(list: readonly Operation[]): Operation[] {
    const half = list.length >> 1
    const latest = latestOf(list)
    return list.filter((operation, index) => {
      if (index >= half || operation === latest || operation.outcome === 'under way') return true
      this.forgottenCount++
      this.#losses.end(operation.risk)
      if (operation.value !== undefined) this.#written.delete(operation.value)
      return false
    })
  }
}

function printClock(ms: number): string {
  return Math.floor(ms).toString(16).padStart(WALL_DIGITS, '0')
}

function count(counts: { [code: string]: number }, code: string): void {
  counts[code] = (counts[code] ?? 0) + 1
}
