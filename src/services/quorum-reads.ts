/**
 * Reads that more than one owner answers: the latest of what a majority knows, and the copies that are behind brought
 * up to date (read repair; DeCandia et al., "Dynamo", 2007, section 4.5).
 */
import type { ClearMarker, Write } from '../core/entry.js'
import { ownersAmong, quorumOf, votersAmong } from '../core/quorum.js'
import type { Remembered } from '../core/remembered.js'
import type { Known, Store } from '../core/store.js'
import { supersedes } from '../core/version.js'
import { NotConfirmedError } from '../errors.js'
import { BATCH_BYTES_MAX } from '../protocol/limits.js'
import { recordBytes } from '../protocol/records.js'
import type { Membership } from './membership.js'
import type { Replication } from './replication.js'
import type { RequestStreams } from './request-streams.js'

export interface QuorumReadComponents {
  readonly membership: Membership
  readonly store: Store
  readonly replication: Replication
  readonly requests: RequestStreams
}

export interface QuorumReadOptions {
  /** How long one answer may take, in ms. */
  readonly timeoutMs: number
  /** Whether this member was told of others to look for. */
  readonly expectsOthers: boolean
}

export interface KeyName {
  readonly cache: string
  readonly key: string
}

export class QuorumReads {
  readonly #components: QuorumReadComponents
  readonly #options: QuorumReadOptions
  #repairCount = 0

  constructor(components: QuorumReadComponents, options: QuorumReadOptions) {
    this.#components = components
    this.#options = options
  }

  /** Copies that reads have brought up to date. */
  get repairCount(): number {
    return this.#repairCount
  }

  /**
   * What this member knows of some keys. Values beyond what fits into an answer are only announced, by their versions;
   * whoever lacks them asks again. The first is always there.
   */
  answer(keys: readonly KeyName[]): Known {
    const { writes, markers, stubs } = this.#components.store.known(keys)
    let bytes = 0
    const fitting = writes.map((write, index) => {
      bytes += recordBytes(write)
      return index === 0 || bytes <= BATCH_BYTES_MAX ? write : announcementOf(write)
    })
    return { writes: fitting, markers, stubs }
  }

  /**
   * Resolves when this member holds of some keys the latest that a majority of the members knows.
   * @throws NotConfirmedError when too few answer in time
   */
  async latest(keys: readonly KeyName[]): Promise<void> {
    const { membership } = this.#components
    const members = membership.list.all()
    const wanted = quorumOf(members, this.#options.expectsOthers)
    const own = membership.status === 'serving' ? [membership.id] : []
    const others = ownersAmong(members).filter((id) => id !== membership.id)
    const answers = new Map<string, Known>()
    let isOver = false
    const asked = others.map(async (id) => {
      const known = await this.#ask(id, keys)
      if (known === undefined) return
      answers.set(id, known)
      if (isOver) this.#settle(id, known, keys)
    })
    await new Promise<void>((resolve) => {
      const look = () => {
        if (own.length + answers.size >= wanted) resolve()
      }
      for (const one of asked) void one.then(look)
      void Promise.all(asked).then(() => resolve())
      look()
    })
    if (own.length + answers.size < wanted) {
      const confirmed = [...own, ...answers.keys()]
      const missing = votersAmong(members).filter((id) => !confirmed.includes(id))
      throw new NotConfirmedError(confirmed, missing, this.#options.timeoutMs)
    }
    // Only now: that one has no longer the value of a version must not keep out the value itself from the next.
    isOver = true
    for (const [id, known] of answers) this.#settle(id, known, keys)
  }

  /** Takes in what an answer says is gone, and tells its author what it did not know; that one may have answered late. */
  #settle(id: string, known: Known, keys: readonly KeyName[]): void {
    this.#components.replication.apply({ writes: [], markers: [], stubs: known.stubs })
    void this.#repair(id, known, keys)
  }

  /** What another member knows of some keys. Its writes and clears have been applied here, its stubs not yet. */
  async #ask(id: string, keys: readonly KeyName[]): Promise<Known | undefined> {
    const { requests, replication } = this.#components
    const { timeoutMs } = this.#options
    const writes: Write[] = []
    const markers: ClearMarker[] = []
    const stubs: Remembered[] = []
    let lacking = keys
    try {
      while (lacking.length > 0) {
        const body = { kind: 'read', keys: lacking } as const
        const { records } = await requests.ask(id, body, { timeoutMs })
        replication.apply({ writes: records.writes, markers: records.markers })
        writes.push(...records.writes)
        markers.push(...records.markers)
        stubs.push(...(records.stubs ?? []))
        const announced = this.#lacking(records.writes)
        if (announced.length >= lacking.length) return undefined
        lacking = announced
      }
    } catch {
      return undefined
    }
    return { writes, markers, stubs }
  }

  /** Those that are only announced, and newer than what is known here. */
  #lacking(writes: readonly Write[]): Write[] {
    const announced = writes.filter(({ deleted, payload }) => !deleted && payload === undefined)
    const known = byName(this.#components.store.known(announced))
    return announced.filter((write) => isNews(write, known))
  }

  /** Sends to one that answered what it did not know. Where that fails, the next read of the key tries again. */
  async #repair(id: string, theirs: Known, keys: readonly KeyName[]): Promise<void> {
    const { requests, store } = this.#components
    const { timeoutMs } = this.#options
    const ours = store.known(keys)
    const known = byName(theirs)
    const writes = ours.writes.filter((write) => isNews(write, known))
    const markers = ours.markers.filter((marker) =>
      theirs.markers.every(
        (theirMarker) => theirMarker.cache !== marker.cache || supersedes(marker, theirMarker),
      ),
    )
    try {
      for (const records of requestsOf(writes, markers)) {
        const { refused } = await requests.ask(id, { kind: 'replicate', records }, { timeoutMs })
        this.#repairCount += records.writes.length - Math.min(refused, records.writes.length)
      }
    } catch {
      // Nothing more to do here.
    }
  }
}

/** Records in as many requests as they need. Clears come first, so that nothing takes effect that they would undo. */
function* requestsOf(writes: readonly Write[], markers: readonly ClearMarker[]) {
  let part: Write[] = []
  let bytes = 0
  if (markers.length > 0) yield { writes: part, markers }
  for (const write of writes) {
    const more = recordBytes(write)
    if (part.length > 0 && bytes + more > BATCH_BYTES_MAX) {
      yield { writes: part, markers: [] }
      part = []
      bytes = 0
    }
    part.push(write)
    bytes += more
  }
  if (part.length > 0) yield { writes: part, markers: [] }
}

/** That there is a value, without it. */
function announcementOf({ cache, key, version, deleted, createdAt, expiresAt }: Write): Write {
  return { cache, key, version, deleted, createdAt, expiresAt, payload: undefined }
}

function byName({ writes, stubs }: Known): Map<string, Remembered> {
  return new Map([...writes, ...stubs].map((record) => [nameOf(record), record]))
}

function isNews(record: Remembered, known: ReadonlyMap<string, Remembered>): boolean {
  const other = known.get(nameOf(record))
  return other === undefined || supersedes(record, other)
}

function nameOf({ cache, key }: KeyName): string {
  return `${cache}\0${key}`
}
