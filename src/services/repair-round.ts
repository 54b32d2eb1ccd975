/**
 * One round of anti-entropy: this member compares what it holds with what another one does, and both take in what they
 * lack; see core/comparison.ts for the digests that they tell each other.
 *
 * 1. `compare`: the roots. Where they are equal, that is all: some hundred bytes. Where not, the digests of the nodes come back.
 * 2. `narrow`: of the nodes that differ, the digests of the partitions; back come the partitions that differ, by bucket.
 * 3. `list`: of the buckets that differ, what this member holds; back comes what it lacks, and what the other lacks.
 * 4. `exchange`: that is sent, and back comes what outranks it.
 *
 * A round that ends well means that either side has what the other had when it began, but for what was under way then. There is
 * no lock and no snapshot: what is written meanwhile is exchanged or not, and records decide for themselves which is later.
 */
import {
  bucketAt,
  bucketsOf,
  type Held,
  idOf,
  NODE_WIDTH,
  nodesOf,
  partitionOfBucket,
  partitionsOf,
  rootOf,
} from '../core/comparison.js'
import type { Horizon } from '../core/counted.js'
import { isAnnouncement, nameOfMarker } from '../core/entry.js'
import { both, noPartitions } from '../core/placement.js'
import type { Position } from '../core/positions.js'
import type { Remembered } from '../core/remembered.js'
import type { Known } from '../core/store.js'
import type { Answer, Ask, BucketIds, PartitionMoment, Records } from '../protocol/messages.js'
import { recordsBytes } from '../protocol/records.js'
import { forget, markersAsked, pages, takeIn } from './exchange.js'
import { lookUp } from './look-up.js'
import type { Runtime } from './ports.js'
import {
  HeldBuckets,
  isDeletedBy,
  type RepairComponents,
  recordOf,
  UNDER_WAY_MS,
} from './repair-answers.js'
import { RequestError, type RequestStreams } from './request-streams.js'

/** How long an answer may take, in ms. */
const ANSWER_TIMEOUT_MS = 5_000

/** Ids in one list, about, and buckets. */
const LIST_IDS = 8_192
const LIST_BUCKETS = 4_096

/** Tries to agree on a horizon, and on the markers. */
const COMPARES_MAX = 4

/** Bytes of a digest and an id on the wire, about: what the pace is reckoned with. */
const DIGEST_BYTES = 4

export interface RoundComponents extends RepairComponents {
  readonly runtime: Runtime
  readonly requests: RequestStreams
  /** Waits as long as so many bytes are to take. */
  readonly pace: (bytes: number) => Promise<void>
  /** Whether a record may be on its way to whoever lacks it. */
  readonly isUnderWay: (record: Held) => boolean
  /** The other side holds something else. */
  readonly differs: () => void
}

export interface RoundOptions {
  /** Also partitions that are being written to are looked into: they differ each time, by what is under way. */
  readonly isThorough: boolean
  /** Also what may be under way is exchanged. */
  readonly isUrgent: boolean
  /** As of when to compare. */
  readonly horizon: Horizon
  /** Partitions that are given up to the other side, each as a 1 at its place; where there are none, what both own is compared. */
  readonly givenUp?: Uint8Array
}

export interface RoundOutcome {
  /** Records that were sent here and took effect, and those that were sent. */
  readonly pulledCount: number
  readonly pushedCount: number
  /** How far the other side had come when it began. */
  readonly positions: readonly Position[]
}

const NO_PARTITIONS = noPartitions()

type CompareAnswer = Extract<Answer, { kind: 'compare' }>

export class RepairRound {
  readonly #components: RoundComponents
  readonly #member: string
  readonly #options: RoundOptions
  readonly #seed: number
  /** The ring by which this round compares. */
  readonly #ring: bigint
  /** What is compared, each partition a 1 at its place. */
  #partitions: Uint8Array = NO_PARTITIONS
  /** Something that may differ was not looked into. */
  #hasLeftOut = false
  /** As of when both sides hold the same once the round is over. */
  #agreedMs = 0
  /** Records that were sent here and took effect, and those that were sent. */
  pulledCount = 0
  pushedCount = 0

  constructor(components: RoundComponents, member: string, options: RoundOptions) {
    this.#components = components
    this.#member = member
    this.#options = options
    this.#seed = Math.floor(components.runtime.random.next() * 2 ** 32) | 0
    this.#ring = components.compared.ring
  }

  /**
   * Resolves to how it went; undefined where the two could not agree on what to compare.
   * @throws RequestError when the other side does not answer, or has nothing to compare
   */
  async run(): Promise<RoundOutcome | undefined> {
    const answer = await this.#compare()
    if (answer === undefined) return undefined
    if (answer.equal) this.#agree()
    else await this.#repair(answer)
    const { pulledCount, pushedCount } = this
    return { pulledCount, pushedCount, positions: answer.positions }
  }

  /** Exchanges what differs. */
  async #repair(answer: CompareAnswer): Promise<void> {
    const nodes = answer.nodes === undefined ? [] : this.#differingNodes(answer.nodes)
    const isToldAnew = answer.excluded !== undefined || this.#excluded() !== undefined
    if (nodes.length === 0 && !isToldAnew) return
    const buckets = await this.#narrow(nodes)
    if (buckets.length > 0) this.#components.differs()
    await this.#level(buckets)
    if (buckets.length > 0) this.#agree()
  }

  /** Both sides hold the same of what has been compared. */
  #agree(): void {
    if (this.#options.givenUp !== undefined || this.#hasLeftOut) return
    this.#components.agreements.agreed(this.#member, this.#partitions, this.#agreedMs)
  }

  /** Compares the roots, by the same horizon and with the same markers. Undefined where that cannot be had. */
  async #compare(): Promise<CompareAnswer | undefined> {
    const { store, compared, agreements } = this.#components
    store.advance(this.#options.horizon)
    for (let tries = 0; tries < COMPARES_MAX; tries++) {
      this.#agreedMs = agreements.nextMs()
      if (!compared.isReady || !store.areDigestsSettled) return undefined
      const { horizon } = store
      const markers = store.markers.digest
      const partitions = this.#compared()
      this.#partitions = partitions
      const root = rootOf(store.digests, { partitions, ring: this.#ring, markers })
      const answer = await this.#ask({
        kind: 'compare',
        root,
        horizon,
        positions: this.#options.isUrgent,
        givenUp: this.#options.givenUp,
      })
      if (answer.equal) return answer
      if (answer.ring !== this.#ring || compared.ring !== this.#ring) return undefined
      compared.heard(this.#member, answer.excluded)
      this.#partitions = both(partitions, this.#compared())
      if (!isEqual(answer.horizon, store.horizon)) {
        if (!store.advance(answer.horizon) && isEqual(store.horizon, horizon)) return undefined
      } else if (answer.markers !== store.markers.digest) await this.#levelMarkers()
      else return answer
    }
    return undefined
  }

  /** Exchanges the markers of those slices that differ. */
  async #levelMarkers(): Promise<void> {
    const { store, pace } = this.#components
    const { markers, records } = await this.#ask(markersAsked(store))
    const ours = store.markers.differing(markers ?? [])
    await pace(recordsBytes(records))
    const { applied, outranking } = takeIn(this.#components, records)
    this.pulledCount += applied
    // Those of which the other side has told are known there, or outranked by what outranks its own.
    const told = new Set(records.markers.map(nameOfMarker))
    const lacking = ours.filter((marker) => !told.has(nameOfMarker(marker)))
    const left = [...new Set([...outranking.markers, ...lacking])]
    if (left.length > 0) await this.#exchange({ writes: [], markers: left })
  }

  /** What is compared. */
  #compared(): Uint8Array {
    return this.#options.givenUp ?? this.#components.compared.partitionsWith(this.#member)
  }

  #excluded(): Uint8Array | undefined {
    if (this.#options.givenUp !== undefined) return undefined
    return this.#components.compared.excluded()
  }

  #differingNodes(theirs: Int32Array): number[] {
    const ours = nodesOf(this.#components.store.digests, this.#compared())
    return [...ours.keys()].filter((node) => ours[node] !== theirs[node])
  }

  /** Of some partitions, those that are looked into. */
  #atRest(partitions: Uint8Array): Uint8Array {
    const { store, meshClock } = this.#components
    if (this.#options.isThorough) return partitions
    const sinceMs = meshClock.now() - UNDER_WAY_MS
    return partitions.map((isIn, partition) => {
      if (isIn === 0 || store.digests.isQuiet(partition, sinceMs)) return isIn
      this.#hasLeftOut = true
      return 0
    })
  }

  /** The buckets that differ, of one partition after the other. */
  async #narrow(nodes: readonly number[]): Promise<number[]> {
    const { store, pace } = this.#components
    const differing: number[] = []
    const atRest = this.#atRest(this.#compared())
    const looked = nodes.filter((node) =>
      atRest.subarray(node * NODE_WIDTH, (node + 1) * NODE_WIDTH).includes(1),
    )
    for (let next = 0; ; ) {
      const partitions = both(atRest, this.#compared())
      const digests = looked.slice(next).map((node) => ({
        node,
        partitions: partitionsOf(store.digests, partitions, node, this.#seed),
      }))
      const answer = await this.#ask({
        kind: 'narrow',
        ring: this.#ring,
        seed: this.#seed,
        excluded: this.#excluded(),
        nodes: digests,
        givenUp: this.#options.givenUp,
      })
      for (const { partition, buckets: theirs } of answer.partitions) {
        const ours = bucketsOf(store.counted(partition), this.#seed)
        for (const [place, digest] of ours.entries()) {
          if (digest !== theirs[place]) differing.push(bucketAt(partition, place))
        }
      }
      next += Math.max(1, answer.done)
      await pace((digests.length + answer.partitions.length) * 16 * DIGEST_BYTES)
      if (next >= looked.length) return differing
    }
  }

  /** Exchanges what differs in some buckets. */
  async #level(buckets: readonly number[]): Promise<void> {
    const { store, pace } = this.#components
    const held = new HeldBuckets(store, buckets)
    for (let next = 0; next < buckets.length; ) {
      const listed: Held[] = []
      const lists: BucketIds[] = []
      for (const bucket of buckets.slice(next, next + LIST_BUCKETS)) {
        if (listed.length >= LIST_IDS) break
        const records = held.of(bucket)
        listed.push(...records)
        lists.push({ bucket, ids: records.map((record) => idOf(record, this.#seed)) })
      }
      const answer = await this.#ask({
        kind: 'list',
        ring: this.#ring,
        seed: this.#seed,
        buckets: lists,
        isUrgent: this.#options.isUrgent,
        moments: this.#momentsOf(lists),
        givesOnly: this.#options.givenUp !== undefined,
      })
      await pace((lists.length + listed.length + answer.wanted.length) * DIGEST_BYTES)
      if (answer.done === 0) throw new RequestError(`${this.#member} looks at no bucket`)
      next += answer.done
      const ids = lists.flatMap((list) => list.ids)
      const moments = new Map(answer.moments.map(({ partition, atMs }) => [partition, atMs]))
      const outranking = await this.#take(answer.records)
      const wanted = answer.wanted.flatMap((place) => {
        const record = listed[place]
        // It may have been overwritten, by what has just come or by somebody else.
        if (record === undefined || idOf(record, this.#seed) !== ids[place]) return []
        if (!isDeletedBy(record, moments)) return [record]
        forget(store, recordOf(record))
        return []
      })
      await this.#give(wanted, outranking, next >= buckets.length)
    }
  }

  /** Of the partitions of some buckets, those that were not agreed on within the grace, and when they last were. */
  #momentsOf(lists: readonly BucketIds[]): PartitionMoment[] {
    const partitions = new Set(lists.map(({ bucket }) => partitionOfBucket(bucket)))
    return [...partitions].flatMap((partition) => {
      const atMs = this.#components.agreements.staleMs(this.#member, partition)
      if (atMs === undefined) return []
      const { agreements } = this.#components
      const toldMs = agreements.toldMs(partition, atMs)
      return [{ partition, atMs: toldMs, lostMs: agreements.lostMs(partition) }]
    })
  }

  /**
   * Sends what the other side lacks, unless it is on its way anyway, and what outranks what it sent.
   * @param isLast with that all has been exchanged
   */
  async #give(
    wanted: readonly Held[],
    { writes, stubs, markers }: Known,
    isLast = false,
  ): Promise<void> {
    const { store, isUnderWay } = this.#components
    const { isUrgent } = this.#options
    const lacking = wanted
      .filter((held) => isUrgent || !isUnderWay(held))
      .map(recordOf)
      .filter((record) => !store.outranks(record))
    const records = new Set<Remembered>([...lacking, ...writes, ...stubs])
    const messages = [...pages([...records], markers)]
    if (isLast && messages.length === 0) messages.push({ writes: [], markers: [] })
    for (const [index, message] of messages.entries()) {
      const isEnd = isLast && index === messages.length - 1
      const agrees = isEnd && this.#options.givenUp === undefined && !this.#hasLeftOut
      const agreedMs = agrees ? this.#agreedMs : 0
      await this.#exchange(message, { agreedMs })
    }
  }

  /** Sends records, and takes in what comes back. */
  async #exchange(records: Records, { agreedMs = 0 } = {}): Promise<void> {
    this.pushedCount += countOf(records)
    const answer = await this.#ask({
      kind: 'exchange',
      records,
      markers: undefined,
      agreedMs,
    })
    await this.#components.pace(recordsBytes(records))
    await this.#give([], await this.#take(answer.records))
  }

  /** Takes in what came. Resolves to what outranks it. */
  async #take(records: Records): Promise<Known> {
    const { requests, pace } = this.#components
    await pace(recordsBytes(records))
    const { applied, outranking } = takeIn(this.#components, records)
    this.pulledCount += applied
    const announced = records.writes.filter(isAnnouncement)
    if (announced.length > 0) {
      const options = { ring: this.#ring, timeoutMs: ANSWER_TIMEOUT_MS }
      for await (const told of lookUp(requests, this.#member, announced, options)) {
        await pace(recordsBytes(told))
        this.pulledCount += takeIn(this.#components, told).applied
      }
    }
    return outranking
  }

  #ask<Body extends Ask>(body: Body) {
    return this.#components.requests.ask(this.#member, body, { timeoutMs: ANSWER_TIMEOUT_MS })
  }
}

function countOf({ writes, stubs = [], markers }: Records): number {
  return writes.length + stubs.length + markers.length
}

function isEqual(one: Horizon, other: Horizon): boolean {
  return one.valuesMs === other.valuesMs && one.tombstonesMs === other.tombstonesMs
}
