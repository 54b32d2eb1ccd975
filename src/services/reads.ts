/**
 * Reads: the nearest copy of a key, and, where there is none here, an owner's.
 *
 * What is here is looked at first: what this member owns, or has written and not yet handed to its owners, or has read a
 * short while ago. Where that does not settle it, an owner is asked; if it does not answer soon, the next one as well
 * (a hedged request; Dean and Barroso, "The Tail at Scale", 2013). An owner answers from what it holds and asks nobody, so
 * no request ever goes in a circle; and that it has nothing counts only where it has taken over all that it owns.
 */
import { isAnnouncement, type KeyName, nameOf, type Write } from '../core/entry.js'
import type { Hints } from '../core/hints.js'
import type { MeshClock } from '../core/mesh-clock.js'
import type { Fill, NearCache } from '../core/near-cache.js'
import type { Store } from '../core/store.js'
import { type Payload, supersedes } from '../core/version.js'
import { NotConfirmedError } from '../errors.js'
import { FETCH_KEYS_MAX } from '../protocol/limits.js'
import { lookUp } from './look-up.js'
import type { Membership } from './membership.js'
import type { Ownership } from './ownership.js'
import type { Runtime, Timer } from './ports.js'
import type { Testimony } from './read-round.js'
import type { Rebalance } from './rebalance.js'
import type { Replication } from './replication.js'
import type { RequestStreams } from './request-streams.js'

/** How long one owner is waited for before another is asked as well, in ms; and how long at all. */
const HEDGE_DELAY_MS = 20
const ANSWER_TIMEOUT_MS = 2_000

/** An entry, wherever it was found. */
export interface Found extends Write {
  readonly payload: Payload
}

/** What is here of a key, where that settles it: an entry, or that there is none. */
export interface Nearest {
  readonly entry: Found | undefined
}

const NOTHING: Nearest = { entry: undefined }

export interface ReadComponents {
  readonly runtime: Runtime
  readonly membership: Membership
  readonly ownership: Ownership
  readonly rebalance: Rebalance
  readonly meshClock: MeshClock
  readonly store: Store
  readonly hints: Hints
  readonly near: NearCache
  readonly replication: Replication
  readonly requests: RequestStreams
}

export interface ReadKeysOptions {
  /** How old a near copy may be, in ms; 0 for none. What is read is kept as one. */
  readonly nearMaxMs: number
  /** Whether it is an error when no owner answers; otherwise nothing is found. */
  readonly mustAnswer: boolean
}

export class Reads {
  readonly #components: ReadComponents
  #nearHitCount = 0
  #remoteCount = 0
  #hedgeCount = 0
  #unansweredCount = 0

  constructor(components: ReadComponents) {
    this.#components = components
  }

  stats() {
    return {
      nearHitCount: this.#nearHitCount,
      remoteReadCount: this.#remoteCount,
      hedgedReadCount: this.#hedgeCount,
      unansweredReadCount: this.#unansweredCount,
    }
  }

  /**
   * What is here of a key; undefined when that settles nothing, and an owner has to be asked. Counts as use.
   * @param nearMaxMs how old a near copy may be; 0 for none
   */
  nearest(cache: string, key: string, nearMaxMs: number): Nearest | undefined {
    const { store, ownership, rebalance } = this.#components
    const held = store.get(cache, key)
    if (ownership.isFullCopy && ownership.isOwner) return held ? { entry: held } : NOTHING
    // Who has come to own the key may hold less of it than it has read, or written, before.
    const kept = this.#kept(cache, key, nearMaxMs)
    if (kept !== undefined) return kept
    if (held !== undefined && ownership.holds(held.partition)) return { entry: held }
    return rebalance.isInSync(ownership.partitionOf(cache, key)) ? NOTHING : undefined
  }

  /** What is kept of a key beside the store, unless the store knows something later: what was written here, or a near copy. */
  #kept(cache: string, key: string, nearMaxMs: number): Nearest | undefined {
    const { store, hints } = this.#components
    const hint = hints.latest(cache, key)
    if (hint !== undefined && !store.outranks(hint)) return { entry: this.live(hint) }
    const near = nearMaxMs > 0 ? this.#near(cache, key, nearMaxMs) : undefined
    return near && { entry: near }
  }

  /** A near copy that is no older than so many ms. */
  #near(cache: string, key: string, nearMaxMs: number): Found | undefined {
    const { near, store, runtime } = this.#components
    if (near.size === 0) return undefined
    const copy = near.get(cache, key, runtime.clock.monotonicMs() - nearMaxMs)
    const live = copy === undefined || store.outranks(copy) ? undefined : this.live(copy)
    if (live !== undefined) this.#nearHitCount++
    return live
  }

  /**
   * What owners hold of some keys, by key: undefined where there is nothing. One request for each owner that is asked.
   * @throws NotConfirmedError when nobody answers, if `mustAnswer`
   */
  async ask(
    keys: readonly KeyName[],
    options: ReadKeysOptions,
  ): Promise<Map<KeyName, Found | undefined>> {
    const found = new Map<KeyName, Found | undefined>()
    this.#remoteCount += keys.length
    await new Promise<void>((resolve) => {
      let left = keys.length
      if (left === 0) resolve()
      const searches = keys.map((key) => {
        const done = (write: Write | undefined, answered: boolean) => {
          if (!answered) this.#unansweredCount++
          if (answered || !options.mustAnswer) found.set(key, write && this.#believed(write))
          if (--left === 0) resolve()
        }
        return this.#search(key, options.nearMaxMs > 0, done)
      })
      this.#advance(searches)
    })
    if (found.size < keys.length) {
      const unanswered = keys.find((key) => !found.has(key)) as KeyName
      throw new NotConfirmedError([], this.#candidates(unanswered), ANSWER_TIMEOUT_MS)
    }
    return found
  }

  /**
   * What an owner told, unless more is known here: that it was deleted, by a member that has yet to take the key over; or that
   * this member has overwritten it by what a tag has undone since.
   */
  #believed(write: Write): Found | undefined {
    const { store, hints } = this.#components
    const hint = hints.size === 0 ? undefined : hints.get(write.cache, write.key)
    if (hint !== undefined && supersedes(hint, write) && store.outranks(hint)) return undefined
    return store.outranks(write) ? undefined : this.live(write)
  }

  #search(
    key: KeyName,
    keeps: boolean,
    done: (write: Write | undefined, answered: boolean) => void,
  ): Search {
    const { near, runtime } = this.#components
    const fill = keeps ? near.begin(key.cache, key.key, runtime.clock.monotonicMs()) : undefined
    return new Search(key, this.#candidates(key), (write, answered) => {
      if (fill !== undefined) this.#keep(fill, write)
      done(write, answered)
    })
  }

  #keep(fill: Fill, write: Write | undefined): void {
    const { near, ownership } = this.#components
    near.end(fill, ownership.holdsKey(fill.cache, fill.key) ? undefined : write)
  }

  /** Owners of a key other than this member, in the order in which they are asked. */
  #candidates({ cache, key }: KeyName): string[] {
    const { ownership, membership, requests } = this.#components
    const lists = ownership.placement.listsOf(ownership.partitionOf(cache, key))
    const ids = [...new Set(lists.flat())].filter((id) => id !== membership.id)
    const isWell = (id: string) => requests.isReachable(id)
    return [...ids.filter(isWell), ...ids.filter((id) => !isWell(id))]
  }

  /** Asks the next owner of each, those of the same one together. */
  #advance(searches: readonly Search[]): void {
    const byOwner = new Map<string, Search[]>()
    for (const search of searches) {
      const owner = search.next()
      if (owner === undefined) continue
      const group = byOwner.get(owner) ?? []
      byOwner.set(owner, group)
      group.push(search)
    }
    for (const [owner, group] of byOwner) {
      for (let start = 0; start < group.length; start += FETCH_KEYS_MAX) {
        void this.#askOne(owner, group.slice(start, start + FETCH_KEYS_MAX))
      }
    }
  }

  async #askOne(owner: string, searches: readonly Search[]): Promise<void> {
    const { runtime, requests, ownership } = this.#components
    const hedge: Timer = runtime.scheduler.after(HEDGE_DELAY_MS, () => {
      const waiting = searches.filter((search) => search.isOpen)
      this.#hedgeCount += waiting.length
      this.#advance(waiting)
    })
    const byName = new Map(searches.map((search) => [nameOf(search.key), search]))
    const keys = searches.map(({ key }) => key)
    const options = { ring: ownership.digest, timeoutMs: ANSWER_TIMEOUT_MS }
    try {
      for await (const told of lookUp(requests, owner, keys, options)) this.#settle(byName, told)
    } catch {
      // Another one is asked.
    }
    hedge.cancel()
    for (const search of searches) search.returned()
    this.#advance(searches.filter((search) => search.isOpen))
    for (const search of searches) search.endIfNobodyIsLeft()
  }

  /** Ends the searches, by name, that an answer settles: takes them out. Values that it only announces come later. */
  #settle(searches: Map<string, Search>, { writes, markers, open }: Testimony): void {
    const { replication } = this.#components
    replication.apply({ writes: [], markers })
    const byName = new Map(writes.map((write) => [nameOf(write), write]))
    for (const [name, search] of searches) {
      const write = byName.get(name)
      if (write !== undefined && isAnnouncement(write)) continue
      searches.delete(name)
      if (!open.has(name) || (write !== undefined && !write.deleted)) search.end(write, true)
      else search.saw(write)
    }
  }

  /** A write as a reader finds it: nothing when it is a delete, or its time is over. */
  live(write: Write): Found | undefined {
    const { payload, expiresAt } = write
    if (payload === undefined) return undefined
    const hasExpired = expiresAt !== 0 && expiresAt <= this.#components.meshClock.strictNow()
    return hasExpired ? undefined : (write as Found)
  }
}

/** The search for one key among its owners. */
class Search {
  readonly key: KeyName
  readonly #candidates: readonly string[]
  readonly #done: (write: Write | undefined, answered: boolean) => void
  #next = 0
  #asking = 0
  #isOver = false
  #hasAnswer = false
  /** What owners knew that need not have the latest. */
  #best: Write | undefined

  constructor(
    key: KeyName,
    candidates: readonly string[],
    done: (write: Write | undefined, answered: boolean) => void,
  ) {
    this.key = key
    this.#candidates = candidates
    this.#done = done
  }

  get isOpen(): boolean {
    return !this.#isOver
  }

  /** The owner to ask next; undefined when none is left. */
  next(): string | undefined {
    if (this.#isOver) return undefined
    const owner = this.#candidates[this.#next]
    if (owner === undefined) {
      this.endIfNobodyIsLeft()
      return undefined
    }
    this.#next++
    this.#asking++
    return owner
  }

  /** An owner has answered, or will not. */
  returned(): void {
    this.#asking--
  }

  /** An owner that need not have the latest knows this. */
  saw(write: Write | undefined): void {
    this.#hasAnswer = true
    if (write !== undefined && (this.#best === undefined || supersedes(write, this.#best))) {
      this.#best = write
    }
  }

  end(write: Write | undefined, answered: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#done(write, answered)
  }

  endIfNobodyIsLeft(): void {
    if (this.#asking === 0 && this.#next >= this.#candidates.length) {
      this.end(this.#best, this.#hasAnswer)
    }
  }
}
