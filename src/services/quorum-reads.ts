/**
 * Reads that more than one owner answers: the latest of what a quorum of them knows, and the copies that are behind
 * brought up to date (read repair; DeCandia et al., "Dynamo", 2007, section 4.5).
 *
 * While the ring changes, a quorum by each ring in force has to answer. An owner that is still taking over what it
 * gained counts for nothing, though what it knows is used.
 */
import { backoffMs } from '../core/backoff.js'
import { announcementOf, type KeyName, type Marker, nameOf, type Write } from '../core/entry.js'
import type { Hints } from '../core/hints.js'
import { type Electorate, isAcknowledged } from '../core/quorum.js'
import type { Remembered } from '../core/remembered.js'
import type { Store } from '../core/store.js'
import { supersedes } from '../core/version.js'
import { NotConfirmedError, PeerStoppedError } from '../errors.js'
import { BATCH_BYTES_MAX } from '../protocol/limits.js'
import type { Answer, Ask } from '../protocol/messages.js'
import { recordBytes } from '../protocol/records.js'
import { markersAsked, pages } from './exchange.js'
import { lookUp } from './look-up.js'
import type { Membership } from './membership.js'
import type { Ownership } from './ownership.js'
import { Pauses } from './pauses.js'
import type { Runtime } from './ports.js'
import { type AskedKey, byName, isNews, isWhole, ReadRound, type Testimony } from './read-round.js'
import type { Rebalance } from './rebalance.js'
import type { Replication } from './replication.js'
import type { RequestStreams } from './request-streams.js'

/** Pause before those that did not answer are asked again, in ms. */
const RETRY_BACKOFF = { minMs: 20, maxMs: 500 }

export interface QuorumReadComponents {
  readonly runtime: Runtime
  readonly membership: Membership
  readonly ownership: Ownership
  readonly rebalance: Rebalance
  readonly store: Store
  readonly hints: Hints
  readonly replication: Replication
  readonly requests: RequestStreams
}

export interface QuorumReadOptions {
  /** How long a quorum is waited for, in ms. */
  readonly timeoutMs: number
}

export class QuorumReads {
  readonly #components: QuorumReadComponents
  readonly #options: QuorumReadOptions
  readonly #pauses: Pauses
  #repairCount = 0
  #stopped = false

  constructor(components: QuorumReadComponents, options: QuorumReadOptions) {
    this.#components = components
    this.#options = options
    this.#pauses = new Pauses(components.runtime.scheduler)
  }

  stop(): void {
    this.#stopped = true
    this.#pauses.end()
  }

  /** Copies that reads have brought up to date. */
  get repairCount(): number {
    return this.#repairCount
  }

  /**
   * What this member knows of some keys. Values beyond what fits into an answer are only announced, by their versions;
   * whoever lacks them asks again. The first of `large` ones is always there.
   */
  answer({ keys, large }: Extract<Ask, { kind: 'read' }>): Extract<Answer, { kind: 'read' }> {
    const { ownership } = this.#components
    const asked = keys.map((key) => this.#asked(key))
    const { writes, markers, stubs, open } = this.#own(asked)
    let bytes = 0
    const fitting = writes.map((write, index) => {
      bytes += recordBytes(write)
      return (large && index === 0) || bytes <= BATCH_BYTES_MAX ? write : announcementOf(write)
    })
    return {
      kind: 'read',
      records: { writes: fitting, markers, stubs },
      ring: ownership.digest,
      open: [...asked.keys()].filter((index) => open.has(asked[index]?.name as string)),
      markers: this.#components.store.markers.digest,
    }
  }

  /**
   * The latest that a quorum of the owners knows of some keys, by name: nothing where it is gone. Where this member owns
   * a key, it holds that from then on.
   * @throws NotConfirmedError when too few answer in time
   */
  async latest(keys: readonly KeyName[]): Promise<Map<string, Write>> {
    const { runtime, membership } = this.#components
    const deadlineMs = runtime.clock.monotonicMs() + this.#options.timeoutMs
    const asked = keys.map((key) => this.#asked(key))
    const round: ReadRound = new ReadRound(asked, (from, testimony) =>
      this.#settle(from, testimony, round),
    )
    for (let attempt = 1; ; attempt++) {
      const enough = await this.#askAll(round, deadlineMs)
      if (enough && (await this.#learnMarkers(round, deadlineMs))) {
        // What was written here meanwhile may be later than what anybody has told.
        round.add(membership.id, this.#own(asked))
        return this.#believed(round.conclude())
      }
      const leftMs = deadlineMs - runtime.clock.monotonicMs()
      if (this.#stopped) throw new PeerStoppedError('read')
      if (leftMs <= 0 || !this.#mayBecomeEnough(asked)) throw this.#tooFew(round)
      const pauseMs = backoffMs(attempt, RETRY_BACKOFF, runtime.random.next())
      await this.#pauses.pause(Math.min(pauseMs, leftMs))
    }
  }

  /**
   * Those who answered may know of markers that this member has yet to hear of: a value with tags is held against them, too.
   * Resolves to whether they could be had.
   */
  async #learnMarkers(round: ReadRound, deadlineMs: number): Promise<boolean> {
    const { store, requests, replication, runtime } = this.#components
    const isTagged = ({ tags, deleted }: Remembered) => tags !== undefined && !deleted
    if (![...round.known().values()].some(isTagged)) return true
    const timeoutMs = Math.max(1, deadlineMs - runtime.clock.monotonicMs())
    const asked = [...round.markersDigests].map(async ([id, digest]) => {
      if (digest === store.markers.digest) return
      const answer = await requests.ask(id, markersAsked(store), { timeoutMs })
      replication.apply({ writes: [], markers: answer.records.markers })
    })
    const outcomes = await Promise.allSettled(asked)
    return outcomes.every(({ status }) => status === 'fulfilled')
  }

  /** Without what a marker has undone that those who answered have yet to hear of. */
  #believed(found: Map<string, Write>): Map<string, Write> {
    const { store } = this.#components
    for (const [name, write] of found) if (store.markers.undoing(write)) found.delete(name)
    return found
  }

  /** Asks all owners that have not answered. Resolves as soon as enough have, or none is left to wait for. */
  async #askAll(round: ReadRound, deadlineMs: number): Promise<boolean> {
    const { membership, runtime } = this.#components
    const isEnough = () => this.#isEnough(round)
    round.add(membership.id, this.#own(round.keys))
    if (isEnough()) return true
    const others = this.#owners(round.keys).filter((id) => !round.hasAnswered(id))
    const timeoutMs = Math.max(1, deadlineMs - runtime.clock.monotonicMs())
    const asked = others.map(async (id) => {
      const testimony = await this.#ask(id, round, timeoutMs)
      if (testimony !== undefined) round.add(id, testimony)
    })
    await new Promise<void>((resolve) => {
      for (const one of asked) void one.then(() => isEnough() && resolve())
      void Promise.all(asked).then(() => resolve())
    })
    return isEnough()
  }

  #isEnough(round: ReadRound): boolean {
    return round.keys.every((key) =>
      isAcknowledged('quorum', round.thoseWhoKnow(key), this.#electorateOf(key)),
    )
  }

  /** Whether asking again can help: not where too few owners are there at all, and the ring is not changing. */
  #mayBecomeEnough(keys: readonly AskedKey[]): boolean {
    if (!this.#components.ownership.isSettled) return true
    return keys.every((key) => {
      const electorate = this.#electorateOf(key)
      return isAcknowledged('quorum', new Set(electorate.owners), electorate)
    })
  }

  #owners(keys: readonly AskedKey[]): string[] {
    const owners = new Set(keys.flatMap((key) => this.#electorateOf(key).owners))
    owners.delete(this.#components.membership.id)
    return [...owners]
  }

  #asked({ cache, key }: KeyName): AskedKey {
    const name = nameOf({ cache, key })
    return { cache, key, name, partition: this.#components.ownership.partitionOf(cache, key) }
  }

  #electorateOf({ partition }: AskedKey): Electorate {
    return this.#components.ownership.electorateOf(partition)
  }

  #tooFew(round: ReadRound): NotConfirmedError {
    const lists = round.keys.flatMap((key) => this.#electorateOf(key).lists.flat())
    const confirmed = [...new Set(lists)].filter((id) => round.hasAnswered(id))
    const missing = [...new Set(lists)].filter((id) => !round.hasAnswered(id))
    return new NotConfirmedError(confirmed, missing, this.#options.timeoutMs)
  }

  /** What this member knows: of keys that it owns, and of those it wrote that are yet to be handed over. */
  #own(keys: readonly AskedKey[]): Testimony {
    const { store, hints, rebalance, membership } = this.#components
    const known = store.known(keys)
    const hinted =
      hints.size === 0 ? [] : keys.flatMap(({ cache, key }) => hints.get(cache, key) ?? [])
    const serves = membership.status === 'serving'
    const isOpen = ({ partition }: AskedKey) => !serves || !rebalance.isInSync(partition)
    return {
      ...known,
      writes: hinted.length === 0 ? known.writes : [...known.writes, ...hinted],
      open: new Set(keys.filter(isOpen).map(({ name }) => name)),
    }
  }

  /** Takes in what an answer says is gone, and tells its author what it did not know; that one may have answered late. */
  #settle(from: string, testimony: Testimony, round: ReadRound): void {
    const { replication, membership } = this.#components
    if (from === membership.id) return
    replication.apply({ writes: [], markers: [], stubs: testimony.stubs })
    void this.#repair(from, testimony, round)
  }

  /** What another member knows of some keys. Its writes and clears are applied here where they belong, its stubs not yet. */
  async #ask(id: string, round: ReadRound, timeoutMs: number): Promise<Testimony | undefined> {
    const { requests, replication, ownership } = this.#components
    const writes: Write[] = []
    const markers: Marker[] = []
    const stubs: Remembered[] = []
    const open = new Set<string>()
    const wanted = (announced: readonly Write[]) => this.#lacking(announced)
    try {
      const options = { ring: ownership.digest, timeoutMs, wanted }
      for await (const told of lookUp(requests, id, round.keys, options)) {
        if (!ownership.counts(told.ring)) return undefined
        replication.apply({ writes: told.writes, markers: told.markers })
        writes.push(...told.writes)
        markers.push(...told.markers)
        stubs.push(...told.stubs)
        for (const name of told.open) open.add(name)
        round.markersDigests.set(id, told.markersDigest)
      }
    } catch {
      return undefined
    }
    return { writes, markers, stubs, open }
  }

  /** Of what is only announced, that which is newer than what is known here. */
  #lacking(announced: readonly Write[]): readonly Write[] {
    if (announced.length === 0) return announced
    const known = byName([this.#components.store.known(announced)])
    return announced.filter((write) => isNews(write, known))
  }

  /** Sends to one that answered what it did not know. Where that fails, the next read of the key tries again. */
  async #repair(id: string, theirs: Testimony, round: ReadRound): Promise<void> {
    const { requests, ownership } = this.#components
    const { timeoutMs } = this.#options
    const known = byName([theirs])
    const writes = [...round.known().values()].filter(
      (record): record is Write =>
        isWhole(record) &&
        isNews(record, known) &&
        this.#electorateOf(this.#asked(record)).owners.includes(id),
    )
    const markers = round
      .markers()
      .filter((marker) =>
        theirs.markers.every((other) => other.cache !== marker.cache || supersedes(marker, other)),
      )
    try {
      for (const records of pages(writes, markers)) {
        const body = { kind: 'replicate', records, ring: ownership.digest } as const
        const { refused, foreign } = await requests.ask(id, body, { timeoutMs })
        const notTaken = Math.min(refused + foreign.length, records.writes.length)
        this.#repairCount += records.writes.length - notTaken
      }
    } catch {
      // Nothing more to do here.
    }
  }
}
