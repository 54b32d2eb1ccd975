/**
 * What this member answers to one that compares itself with it; see {@link RepairRound} for the other side.
 */
import {
  bucketsOf,
  byBucket,
  type Held,
  idOf,
  nodesOf,
  partitionOfBucket,
  partitionsOf,
  rootOf,
} from '../core/comparison.js'
import type { MeshClock } from '../core/mesh-clock.js'
import { both } from '../core/placement.js'
import type { Position } from '../core/positions.js'
import { GoneKey, type Remembered } from '../core/remembered.js'
import type { Store } from '../core/store.js'
import type { Answer, Ask, BucketDigests, PartitionMoment } from '../protocol/messages.js'
import type { Agreements, Judged } from './agreements.js'
import type { Compared } from './compared.js'
import { forget, RecordsBuilder, takeIn } from './exchange.js'
import type { Replication } from './replication.js'
import { RequestError } from './request-streams.js'

/** Records that are looked at for one answer; the asker asks again for what is left. */
const LOOKED_AT_MAX = 50_000

/** How long a write may be under way, in ms: what is younger is left to those that bring it. */
export const UNDER_WAY_MS = 1_000

export interface RepairComponents {
  readonly store: Store
  readonly replication: Replication
  readonly meshClock: MeshClock
  readonly compared: Compared
  readonly agreements: Agreements
  /** How far this member has come in what members published, itself included. */
  readonly positions: () => readonly Position[]
}

type AskOf<Kind> = Extract<Ask, { kind: Kind }>
type AnswerOf<Kind> = Extract<Answer, { kind: Kind }>

export class RepairAnswers {
  readonly #components: RepairComponents
  /** What is being compared in rounds that others have begun, each partition a 1 at its place. */
  readonly #comparing = new Map<string, Uint8Array>()

  constructor(components: RepairComponents) {
    this.#components = components
  }

  /** A member is gone. */
  gone(member: string): void {
    this.#comparing.delete(member)
  }

  /** Forgets the rounds of all but some. */
  tidy(isThere: (member: string) => boolean): void {
    for (const member of this.#comparing.keys()) {
      if (!isThere(member)) this.#comparing.delete(member)
    }
  }

  /** @throws RequestError when this member has nothing to compare at the moment */
  compare(from: string, ask: AskOf<'compare'>): AnswerOf<'compare'> {
    const { root, horizon, positions, givenUp } = ask
    const { store, compared } = this.#components
    if (!compared.isReady) throw new RequestError('compares nothing: it does not serve')
    if (!store.areDigestsSettled)
      throw new RequestError('compares nothing: what a clear left is being swept')
    const told = {
      kind: 'compare',
      positions: positions ? this.#components.positions() : [],
    } as const
    const agreedMs = this.#components.agreements.nextMs()
    const isSameHorizon = store.advance(horizon)
    const markers = store.markers.digest
    const partitions = this.#partitions(from, givenUp)
    const context = { partitions, ring: compared.ring, markers }
    const equal = isSameHorizon && rootOf(store.digests, context) === root
    if (givenUp !== undefined) this.#comparing.delete(from)
    else if (equal) this.#components.agreements.agreed(from, partitions, agreedMs)
    else this.#comparing.set(from, partitions)
    const nodes = isSameHorizon && !equal ? nodesOf(store.digests, partitions) : undefined
    const excluded = equal ? undefined : compared.excluded()
    return { ...told, equal, horizon: store.horizon, ring: compared.ring, markers, excluded, nodes }
  }

  /** @throws RequestError when this member places keys by another ring */
  narrow(from: string, ask: AskOf<'narrow'>): AnswerOf<'narrow'> {
    const { ring, seed, excluded, nodes, givenUp } = ask
    const { store, compared } = this.#components
    this.#assertRing(ring)
    if (givenUp === undefined) compared.heard(from, excluded)
    const partitions = this.#partitions(from, givenUp)
    const differing: BucketDigests[] = []
    let lookedAt = 0
    let done = 0
    for (const { node, partitions: theirs } of nodes) {
      if (lookedAt > LOOKED_AT_MAX) break
      done++
      const ours = partitionsOf(store.digests, partitions, node, seed)
      for (const [place, digest] of ours.entries()) {
        const partition = node * ours.length + place
        // 0 stands for one that the asker leaves out.
        if (partitions[partition] !== 1 || theirs[place] === 0 || digest === theirs[place]) continue
        lookedAt += store.digests.count(partition)
        differing.push({ partition, buckets: bucketsOf(store.counted(partition), seed) })
      }
    }
    return { kind: 'narrow', partitions: differing, done }
  }

  /** @throws RequestError when this member places keys by another ring */
  list(from: string, ask: AskOf<'list'>): AnswerOf<'list'> {
    const { ring, seed, buckets, isUrgent, givesOnly } = ask
    const { store } = this.#components
    this.#assertRing(ring)
    const judged = this.#judged(from, ask.moments)
    const deletedByThem = new Map([...judged].map(([at, { theirsMs }]) => [at, theirsMs]))
    const held = new HeldBuckets(
      this.#components.store,
      buckets.map(({ bucket }) => bucket),
    )
    const builder = new RecordsBuilder()
    const wanted: number[] = []
    let first = 0
    let done = 0
    for (const { bucket, ids } of buckets) {
      if (builder.isFull || held.lookedAt > LOOKED_AT_MAX) break
      done++
      const theirs = new Set(ids)
      const ours = new Set<number>()
      for (const record of held.of(bucket)) {
        const id = idOf(record, seed)
        ours.add(id)
        if (theirs.has(id) || givesOnly) continue
        if (isDeletedBy(record, deletedByThem)) forget(store, recordOf(record))
        else if (isUrgent || !this.isUnderWay(record)) builder.add(recordOf(record))
      }
      for (const [place, id] of ids.entries()) if (!ours.has(id)) wanted.push(first + place)
      first += ids.length
    }
    const moments = [...judged].map(([partition, { oursMs }]) => {
      return { partition, atMs: oursMs, lostMs: 0 }
    })
    return { kind: 'list', records: builder.take(), wanted, done, moments }
  }

  /** Of partitions that were not agreed on within the grace, when they last were, as far as either side knows. */
  #judged(from: string, theirs: readonly PartitionMoment[]): Map<number, Judged> {
    const judged = new Map<number, Judged>()
    for (const moment of theirs) {
      const both = this.#components.agreements.judge(from, moment)
      if (both !== undefined) judged.set(moment.partition, both)
    }
    return judged
  }

  /** Takes in what the asker holds, and tells what outranks it. */
  exchange(from: string, ask: AskOf<'exchange'>): AnswerOf<'exchange'> {
    const { records, markers, agreedMs } = ask
    const { agreements, compared } = this.#components
    const { outranking } = takeIn(this.#components, records)
    const comparing = this.#comparing.get(from)
    if (agreedMs > 0 && comparing !== undefined) {
      agreements.agreed(from, both(comparing, compared.partitionsWith(from)), agreedMs)
      this.#comparing.delete(from)
    }
    const builder = new RecordsBuilder()
    for (const record of [...outranking.writes, ...outranking.stubs]) builder.add(record)
    if (markers === undefined) {
      return { kind: 'exchange', records: builder.take(outranking.markers), markers }
    }
    const ours = this.#components.store.markers
    const told = [...new Set([...outranking.markers, ...ours.differing(markers)])]
    return { kind: 'exchange', records: builder.take(told), markers: ours.slices }
  }

  /** Whether a record may be on its way to whoever lacks it. */
  isUnderWay({ version }: Held): boolean {
    return version.wallMs > this.#components.meshClock.now() - UNDER_WAY_MS
  }

  #partitions(from: string, givenUp: Uint8Array | undefined): Uint8Array {
    const { compared } = this.#components
    if (givenUp === undefined) return compared.partitionsWith(from)
    if (!compared.holdsAll(givenUp)) throw new RequestError('has yet to take over what is given up')
    return givenUp
  }

  #assertRing(ring: bigint): void {
    if (ring !== this.#components.compared.ring)
      throw new RequestError('places keys by another ring')
  }
}

/** What is held of some buckets, each partition looked through once: buckets of one follow each other. */
export class HeldBuckets {
  readonly #store: Store
  readonly #wanted = new Map<number, Set<number>>()
  #partition = -1
  #held = new Map<number, Held[]>()
  #lookedAt = 0

  constructor(store: Store, buckets: readonly number[]) {
    this.#store = store
    for (const bucket of buckets) {
      const partition = partitionOfBucket(bucket)
      const others = this.#wanted.get(partition)
      if (others === undefined) this.#wanted.set(partition, new Set([bucket]))
      else others.add(bucket)
    }
  }

  /** How many records have been looked at. */
  get lookedAt(): number {
    return this.#lookedAt
  }

  of(bucket: number): readonly Held[] {
    const partition = partitionOfBucket(bucket)
    if (partition !== this.#partition) {
      this.#partition = partition
      this.#lookedAt += this.#store.digests.count(partition)
      const wanted = this.#wanted.get(partition) ?? new Set([bucket])
      this.#held = byBucket(this.#store.counted(partition), wanted)
    }
    return this.#held.get(bucket) ?? []
  }
}

/**
 * Whether a record that the other side does not hold has been deleted there.
 * @param moments as of when both held the same, by partition, where that is longer ago than the grace; 0 for never
 */
export function isDeletedBy(held: Held, moments: ReadonlyMap<number, number>): boolean {
  return !recordOf(held).deleted && held.version.wallMs < (moments.get(held.partition) ?? 0)
}

/** A record as it is told to others. */
export function recordOf(held: Held): Remembered {
  return held instanceof GoneKey ? held.record : held
}
