/**
 * Rebalance: takes over the partitions that this member owns since the ring changed.
 *
 * A gained partition is pulled from so many of those that owned it by each earlier ring in force that one of them is among
 * any quorum of them (and so holds whatever was acknowledged), or from all of them that are there. They give it out only when
 * they place keys by the same ring: from then on they confirm nothing more by an earlier one, so that no write can be
 * acknowledged behind the back of who pulls. Until then the partition is open: that this member has nothing there means
 * nothing.
 *
 * It goes in waves: in each, every open partition is asked of one of them, so that the next has to give only what differs from
 * what the one before gave; several are asked side by side, each for other partitions. One that sends nothing for a while is
 * not waited for: the next wave begins beside it (a hedged request; Dean and Barroso, "The Tail at Scale", 2013).
 *
 * What this member no longer owns it keeps, and goes on taking in, until every owner has taken over what it gained; then it
 * gives that up (see giving-up.ts).
 */
import { type Backoff, backoffMs } from '../core/backoff.js'
import { noPartitions } from '../core/placement.js'
import { lowest, type Position, type Positions } from '../core/positions.js'
import { readQuorum } from '../core/quorum.js'
import { PARTITIONS } from '../core/ring.js'
import type { Store } from '../core/store.js'
import { GIVEN, LACKING, nextWave, type Source, type Standing } from '../core/waves.js'
import type { Agreements } from './agreements.js'
import type { Membership } from './membership.js'
import type { Ownership } from './ownership.js'
import type { Runtime, Timer, Transport } from './ports.js'
import { newTransfer, type StateTransfer, type Transfer } from './state-transfer.js'

/** Pauses before who gave nothing is asked again, in ms. */
const RETRY: Backoff = { minMs: 100, maxMs: 1_000 }

/** How often it is looked at least, while something is to be had, what can be had now, in ms; and how often at most. */
const LOOK_MAX_MS = 1_000
const LOOK_MIN_MS = 10

/** Who has not sent a page for so long, in ms, is slow: it is not waited for. */
const SLOW_MS = 1_000

/** Members pulled from at once, besides those that are not waited for. */
const PULLS_MAX = 3

const NO_PARTITIONS = noPartitions()

/** A transfer that is under way. */
interface Pull {
  readonly transfer: Transfer
  /** Whether what it gives counts no more: the ring has changed since, or writes have been missed. */
  isVoid: boolean
}

/** How often in a row a member gave nothing, and until when it is not asked again, by the monotonic clock. */
interface Setback {
  readonly count: number
  readonly untilMs: number
}

export interface RebalanceComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly membership: Membership
  readonly ownership: Ownership
  readonly transfers: StateTransfer
  readonly store: Store
  readonly positions: Positions
  readonly agreements: Agreements
}

export interface RebalanceListener {
  /** Partitions are to be taken over. */
  started(partitions: number): void
  /** All have been. */
  ended(entries: number): void
  /** This member has taken over all that it owns, or no longer has: the others should know. */
  settledChanged(): void
}

export class Rebalance {
  readonly #components: RebalanceComponents
  readonly #listener: RebalanceListener
  /** Partitions that this member owns and has not taken over, each as a 1 at its place. */
  #open = noPartitions()
  #openCount = 0
  /** Those it owned by the ring before. */
  #owned = noPartitions()
  /** Those it has taken over, and has taken in all writes to since; some belong to it by an earlier ring alone. */
  readonly #complete = noPartitions()
  /** Partitions of which this member held nothing before it owned them, each as a 1 at its place. */
  readonly #isNew = noPartitions()
  /** What each member has given, of partitions that are open. */
  readonly #given = new Map<string, Uint8Array>()
  /** What is being pulled from whom. */
  readonly #pulls = new Map<string, Pull>()
  /** What is yet to be pulled in this wave, from whom. */
  #wave = new Map<string, Uint8Array>()
  /** Those from whom the last pull broke off, or who place keys by another ring than this member does: others are asked first. */
  readonly #setbacks = new Map<string, Setback>()
  #lookTimer: Timer | undefined
  #isTelling = false
  #appliedCount = 0
  #failureCount = 0
  #stopped = false
  /** Members of which all that they hold is owed; see {@link CatchUp.returned}. */
  #owesOthers: () => boolean = () => false
  #settledAt = 0n
  /** How far all who gave something had come in what others published. */
  #givenPositions: readonly Position[] | undefined
  #hasSettled = false
  #resolveSettled: () => void = () => {}
  /** Resolves when this member has taken over all that it owns for the first time, or has been stopped. */
  readonly settled: Promise<void>

  constructor(components: RebalanceComponents, listener: RebalanceListener) {
    this.#components = components
    this.#listener = listener
    this.settled = new Promise((resolve) => {
      this.#resolveSettled = resolve
    })
  }

  stop(): void {
    this.#stopped = true
    this.#lookTimer?.cancel()
    this.#resolveSettled()
  }

  /** Lets somebody else say that there is state to be had yet before this member has all. */
  waitFor(owesOthers: () => boolean): void {
    this.#owesOthers = owesOthers
  }

  /** Whether this member has ever had all that it owns. */
  get hasSettled(): boolean {
    return this.#hasSettled
  }

  /** Partitions that are to be taken over. */
  get openCount(): number {
    return this.#openCount
  }

  /** Pulls that broke off. */
  get failureCount(): number {
    return this.#failureCount
  }

  /** Whether what this member holds of a partition is all that there is: that it has nothing means that there is nothing. */
  isInSync(partition: number): boolean {
    const { ownership } = this.#components
    if (ownership.isFullCopy) return ownership.isOwner
    return this.#complete[partition] === 1
  }

  /** Of some partitions, those that this member does not hold in full: it takes them over, or had no room for some; undefined for none. */
  lacking(partitions: Uint8Array | undefined): Uint8Array | undefined {
    const { ownership, store } = this.#components
    if (ownership.isFullCopy) return undefined
    const { lossy } = store
    const complete = this.#complete
    let lacking: Uint8Array | undefined
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (partitions?.[partition] === 0) continue
      if (complete[partition] === 1 && lossy[partition] === 0) continue
      lacking ??= noPartitions()
      lacking[partition] = 1
    }
    return lacking
  }

  /** Digest of the ring of which this member has taken over all that it owns; 0 when it has not. */
  get settledRing(): bigint {
    return this.#settledAt
  }

  /**
   * The ring has changed, or another one counts as well.
   * @param hasMissed this member has missed what was written for a while: all that it owns is to be taken over anew
   */
  ringChanged(hasMissed: boolean): void {
    const { placement, ring, isFullCopy } = this.#components.ownership
    if (isFullCopy) return
    for (const pull of this.#pulls.values()) {
      if (hasMissed || pull.transfer.ring !== ring.digest) pull.isVoid = true
    }
    if (hasMissed) {
      this.#complete.fill(0)
      this.#given.clear()
    }
    const open = noPartitions()
    this.#openCount = 0
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (!placement.holds(partition)) this.#complete[partition] = 0
      if (!placement.owns(partition)) continue
      if (this.#owned[partition] === 0) {
        this.#isNew[partition] = 1
        // What was given before it was owned by others alone may have changed there.
        for (const given of this.#given.values()) given[partition] = 0
      }
      if (!hasMissed && this.#owned[partition] === 1 && this.#open[partition] === 0) continue
      this.#complete[partition] = 0
      open[partition] = 1
      this.#openCount++
    }
    this.#owned = placement.owned
    this.#open = open
    // Who was still taking over may have done so by now.
    for (const given of this.#given.values()) replace(given, LACKING, 0)
    this.#setbacks.clear()
    this.#wave.clear()
    this.look()
  }

  /** Every owner has taken over what it gained: what this member no longer owns is not its to complete. */
  ringSettled(): void {
    const { placement } = this.#components.ownership
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (!placement.holds(partition)) this.#complete[partition] = 0
    }
  }

  /** Looks what can be pulled, and whether all has been. */
  look(): void {
    if (this.#stopped || this.#components.ownership.isFullCopy) return
    const nowMs = this.#components.runtime.clock.monotonicMs()
    if (this.#wave.size === 0 && this.#awaitedCount(nowMs) === 0) this.#wave = this.#nextWave(nowMs)
    for (const [source, partitions] of this.#wave) {
      if (this.#awaitedCount(nowMs) >= PULLS_MAX) break
      this.#wave.delete(source)
      void this.#pull(source, partitions)
    }
    this.#lookLater(nowMs)
    this.#tell()
  }

  /** Closes what needs no more, and says what is to be pulled next from whom. */
  #nextWave(nowMs: number): Map<string, Uint8Array> {
    const { placement, quorum } = this.#components.ownership
    const earlier = placement.previous.map((ring) => ({
      ring,
      neededCount: readQuorum(ring.listLength, quorum),
    }))
    const { wanted, finished } = nextWave(this.#open, earlier, this.#sources(nowMs))
    for (const partition of finished) {
      this.#open[partition] = 0
      this.#complete[partition] = 1
      this.#isNew[partition] = 0
    }
    this.#openCount -= finished.length
    if (this.#openCount === 0) {
      this.#given.clear()
      this.#setbacks.clear()
    }
    return wanted
  }

  /** Everybody who is there to be pulled from, or has been pulled from. */
  #sources(nowMs: number): ReadonlyMap<string, Source> {
    const sources = new Map<string, Source>()
    for (const [id, given] of this.#given) sources.set(id, { given, standing: 'gone' })
    for (const { id } of this.#components.membership.others()) {
      sources.set(id, { given: this.#given.get(id), standing: this.#standingOf(id, nowMs) })
    }
    return sources
  }

  #standingOf(id: string, nowMs: number): Standing {
    if (!this.#components.transport.isConnected(id) || this.#pulls.has(id)) return 'busy'
    const setback = this.#setbacks.get(id)
    if (setback === undefined) return 'free'
    return nowMs < setback.untilMs ? 'busy' : 'failing'
  }

  /** Transfers that are waited for: those that count, and are not slow. */
  #awaitedCount(nowMs: number): number {
    let count = 0
    for (const { transfer, isVoid } of this.#pulls.values()) {
      if (!isVoid && !isSlow(transfer, nowMs)) count++
    }
    return count
  }

  async #pull(source: string, partitions: Uint8Array): Promise<void> {
    const { transfers, runtime, ownership, agreements } = this.#components
    const transfer = newTransfer(partitions, ownership.ring.digest)
    const pull = { transfer, isVoid: false }
    const beganAtMs = agreements.nextMs()
    this.#pulls.set(source, pull)
    const outcome = await transfers.pull(source, transfer).catch((error: Error) => error)
    this.#pulls.delete(source)
    if (this.#stopped) return
    if (outcome instanceof Error) {
      this.#failureCount++
      runtime.log.info(`taking over partitions from ${source} broke off: ${outcome.message}`)
    }
    if (outcome === true) this.#setbacks.delete(source)
    else if (outcome instanceof Error || !pull.isVoid) this.#setBack(source)
    // What came before it broke off counts as well: who is asked next need not give it again.
    if (!pull.isVoid) this.#took(source, transfer, beganAtMs)
    this.look()
  }

  /** A member has given what it holds of some partitions. */
  #took(source: string, transfer: Transfer, beganAtMs: number): void {
    this.#appliedCount += transfer.appliedCount
    const { partitions = NO_PARTITIONS, lacking = NO_PARTITIONS, nextPartition } = transfer
    if (nextPartition === 0) return
    this.#note(transfer.positions ?? [])
    const given = this.#given.get(source) ?? noPartitions()
    const whole = noPartitions()
    this.#given.set(source, given)
    const isNew = this.#isNew
    for (let partition = 0; partition < nextPartition; partition++) {
      if (partitions[partition] !== 1) continue
      given[partition] = lacking[partition] === 1 ? LACKING : GIVEN
      if (lacking[partition] !== 1) whole[partition] = isNew[partition] as number
    }
    const { agreements } = this.#components
    agreements.tookOver(source, whole, beganAtMs)
    agreements.inherit(transfer.moments, whole)
  }

  /** A member is left alone for a while. */
  #setBack(source: string): void {
    const { clock, random } = this.#components.runtime
    const count = (this.#setbacks.get(source)?.count ?? 0) + 1
    const untilMs = clock.monotonicMs() + backoffMs(count, RETRY, random.next())
    this.#setbacks.set(source, { count, untilMs })
  }

  /** Looks again when somebody has become slow, or can be asked again. */
  #lookLater(nowMs: number): void {
    this.#lookTimer?.cancel()
    if (this.#openCount === 0) return
    let atMs = nowMs + LOOK_MAX_MS
    for (const { transfer } of this.#pulls.values()) {
      if (!isSlow(transfer, nowMs)) atMs = Math.min(atMs, transfer.progressedAtMs + SLOW_MS)
    }
    for (const { untilMs } of this.#setbacks.values()) {
      if (untilMs > nowMs) atMs = Math.min(atMs, untilMs)
    }
    const delayMs = Math.max(LOOK_MIN_MS, atMs - nowMs)
    this.#lookTimer = this.#components.runtime.scheduler.after(delayMs, () => this.look())
  }

  /** A member can be asked again, or for the first time. */
  reached(member: string): void {
    this.#setbacks.delete(member)
    if (this.#openCount > 0) this.look()
  }

  #tell(): void {
    const { ownership } = this.#components
    const isSettled = this.#openCount === 0 && !this.#owesOthers()
    if (this.#openCount > 0 && !this.#isTelling) {
      this.#isTelling = true
      this.#appliedCount = 0
      this.#listener.started(this.#openCount)
    }
    if (this.#openCount === 0 && this.#isTelling) {
      this.#isTelling = false
      this.#listener.ended(this.#appliedCount)
    }
    const settledAt = isSettled ? ownership.ring.digest : 0n
    if (settledAt === this.#settledAt) return
    this.#settledAt = settledAt
    this.#listener.settledChanged()
    if (isSettled && ownership.ring.members.includes(ownership.placement.self)) this.#firstSettled()
  }

  #note(positions: readonly Position[]): void {
    if (this.#hasSettled) return
    this.#givenPositions =
      this.#givenPositions === undefined ? positions : lowest(this.#givenPositions, positions)
  }

  /** A joiner has all that it owns, as far as those had come that it had it from. */
  #firstSettled(): void {
    if (this.#hasSettled) return
    this.#hasSettled = true
    const { positions, ownership } = this.#components
    for (const position of this.#givenPositions ?? []) {
      if (position.member !== ownership.placement.self) positions.adopt(position)
    }
    this.#givenPositions = undefined
    this.#resolveSettled()
  }
}

/** Whether nothing has come of a transfer for a while. */
function isSlow({ progressedAtMs }: Transfer, nowMs: number): boolean {
  return nowMs - progressedAtMs >= SLOW_MS
}

function replace(flags: Uint8Array, from: number, to: number): void {
  for (let at = 0; at < flags.length; at++) if (flags[at] === from) flags[at] = to
}
