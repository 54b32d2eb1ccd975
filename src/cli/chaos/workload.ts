/**
 * The workload of one child: a constant rate of sets, deletes, batches, clears, invalidations and
 * reads, over keys that all children write, and every value unique. Each operation is told to the
 * driver before it begins and when it has ended.
 */
import { type Cache, CONSISTENCIES, type Peer } from '../../api.js'
import { HearsayError } from '../../errors.js'
import { Floors } from '../../testing/checker/floors.js'
import { printRecord, type Record, wins } from '../../testing/checker/records.js'
import { Draw } from '../../testing/draw.js'
import {
  CACHES,
  type ChildPlan,
  KEYS,
  type OperationBegun,
  type OperationEnded,
  type Report,
} from './messages.js'
import { nameOfDelete, nameOfMarker, nameOfSet, type OwnWrite, OwnWrites } from './own-writes.js'

/** Operations under way at once. What is due beyond is not begun, and counted. */
const UNDER_WAY_MAX = 256

/** How often what was not begun is told, in ms. */
const TELL_INTERVAL_MS = 1_000

/** How often it looks what is due, and how late it may be and still be begun, in ms. */
const PACE_INTERVAL_MS = 10
const MADE_UP_MAX_MS = 500

const TAGS = ['red', 'green', 'blue']
const TAGGED_PROBABILITY = 0.2

const BATCH_KEYS_MAX = 8

/** What a workload consists of, by weight. */
const MIX = [
  ['set', 500],
  ['delete', 120],
  ['setMany', 30],
  ['invalidate', 4],
  ['clear', 2],
  ['read', 344],
] as const

/** Errors of writes that had no effect. */
const REFUSALS = ['CLOCK_SKEW', 'SYNC_QUEUE_FULL', 'HINTS_FULL']

export class Workload {
  readonly #peer: Peer
  readonly #plan: ChildPlan
  readonly #report: (message: Report) => Promise<void>
  readonly #draw: Draw
  readonly #caches: ReadonlyMap<string, Cache<string>>
  readonly #own: OwnWrites
  /** What this child was acknowledged: it must never read below it. */
  readonly #floors = new Floors(() => [])
  readonly #acknowledgedAtMs = new Map<string, number>()
  readonly #underWay = new Set<Promise<void>>()
  /** When the last operation was due. */
  #pacedAtMs = 0
  #number = 0
  #heldBackCount = 0
  #timer: NodeJS.Timeout | undefined
  #teller: NodeJS.Timeout | undefined

  constructor(peer: Peer, plan: ChildPlan, report: (message: Report) => Promise<void>) {
    this.#peer = peer
    this.#plan = plan
    this.#report = report
    this.#draw = Draw.of(plan.seed).fork(plan.name)
    this.#caches = new Map(CACHES.map((name) => [name, peer.cache<string>(name)]))
    this.#own = new OwnWrites(peer.id, [...this.#caches.values()])
  }

  start(): void {
    this.#pacedAtMs = performance.now()
    this.#timer = setInterval(() => this.#pace(), PACE_INTERVAL_MS)
    this.#teller = setInterval(() => this.#tellHeldBack(), TELL_INTERVAL_MS)
  }

  /** Resolves when all that is under way has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    clearInterval(this.#teller)
    await Promise.all(this.#underWay)
    this.#tellHeldBack()
  }

  /** This peer has given up what it had issued in the future, and goes on from the present. */
  clockFellBack(): void {
    this.#own.clockFellBack()
  }

  /** Begins what is due. What was missed in a long pause is not made up for. */
  #pace(): void {
    const intervalMs = 1_000 / this.#plan.operationsPerSecond
    const nowMs = performance.now()
    this.#pacedAtMs = Math.max(this.#pacedAtMs, nowMs - MADE_UP_MAX_MS)
    for (; this.#pacedAtMs + intervalMs <= nowMs; this.#pacedAtMs += intervalMs) this.#next()
  }

  #next(): void {
    if (this.#underWay.size >= UNDER_WAY_MAX) {
      this.#heldBackCount++
      return
    }
    const operation = this.#operation()
    this.#underWay.add(operation)
    void operation.finally(() => this.#underWay.delete(operation))
  }

  #tellHeldBack(): void {
    if (this.#heldBackCount === 0) return
    this.#report({ event: 'held-back', count: this.#heldBackCount })
    this.#heldBackCount = 0
  }

  async #operation(): Promise<void> {
    const kind = this.#draw.weighted(MIX)
    const cache = kind === 'clear' ? 'cleared' : this.#draw.pick(CACHES)
    const { ack } = this.#plan
    const source = this.#cache(cache)
    switch (kind) {
      case 'read':
        return await this.#read(cache, this.#draw.pick(KEYS))
      case 'set':
        return await this.#set(cache, [this.#draw.pick(KEYS)])
      case 'setMany':
        return await this.#set(cache, this.#draw.sample(KEYS, this.#draw.whole(2, BATCH_KEYS_MAX)))
      case 'delete': {
        const key = this.#draw.pick(KEYS)
        const name = nameOfDelete(cache, key)
        if (this.#isBusy(cache, key)) return this.#holdBack()
        return await this.#write([{ kind, cache, key, name }], async () => {
          await source.delete(key, { ack })
        })
      }
      case 'clear': {
        const name = nameOfMarker(cache, '')
        if (this.#own.has(name)) return this.#holdBack()
        return await this.#write([{ kind, cache, name }], () => source.clear({ ack }))
      }
      case 'invalidate': {
        const tag = this.#draw.pick(TAGS)
        const name = nameOfMarker(cache, tag)
        if (this.#own.has(name)) return this.#holdBack()
        return await this.#write([{ kind, cache, tag, name }], () =>
          source.invalidateTags(tag, { ack }),
        )
      }
    }
  }

  async #set(cache: string, keys: readonly string[]): Promise<void> {
    const tags = this.#draw.happens(TAGGED_PROBABILITY) ? [this.#draw.pick(TAGS)] : []
    const free = keys.filter((key) => !this.#isBusy(cache, key))
    if (free.length === 0) return this.#holdBack()
    const writes = free.map((key) => {
      const value = `${this.#plan.name}-${this.#number++}`
      return { kind: 'set' as const, cache, key, value, tags, name: nameOfSet(cache, key) }
    })
    const { ack } = this.#plan
    const source = this.#cache(cache)
    const [first] = writes
    await this.#write(writes, () =>
      writes.length === 1 && first !== undefined
        ? source.set(first.key, first.value, { ack, tags })
        : source.setMany(
            writes.map(({ key, value }) => [key, value] as const),
            { ack, tags },
          ),
    )
  }

  /** Makes some writes in one call, and tells of them before and after. */
  async #write(
    writes: ReadonlyArray<Omit<OperationBegun, 'event' | 'number' | 'after'> & { name: string }>,
    call: () => Promise<void>,
  ): Promise<void> {
    const begun = writes.map(({ name, ...what }) => {
      const own = this.#own.begin(name, this.#number++)
      return { name, own, what, after: this.#own.latestClock }
    })
    try {
      // Not before the driver is sure to hear of them: a child that is killed cannot tell any more.
      await Promise.all(
        begun.map(({ own: { number }, what, after }) =>
          this.#report({ event: 'begun', number, ...what, after }),
        ),
      )
      const code = await codeOf(call())
      for (const { own, what, after } of begun) {
        const outcome = outcomeOf(code, own)
        if (outcome === 'acknowledged') this.#raise({ ...what, ...own, after })
        const { number, version } = own
        this.#report({ event: 'ended', number, outcome, version, code } satisfies OperationEnded)
      }
    } finally {
      for (const { name } of begun) this.#own.end(name)
    }
  }

  async #read(cache: string, key: string): Promise<void> {
    const consistency = this.#draw.pick(CONSISTENCIES)
    const floor = this.#floors.of(cache, key)
    const acknowledgedAtMs = this.#acknowledgedAtMs.get(`${cache} ${key}`) ?? 0
    let code: string | undefined
    const entry = await this.#cache(cache)
      .entry(key, { consistency })
      .catch((error: unknown) => {
        code = codeOfError(error)
        return undefined
      })
    const { value, version } = entry ?? {}
    this.#report({ event: 'read', cache, key, consistency, value, version, code })
    if (floor === undefined || value === undefined || version === undefined) return
    const read: Record = { cache, key, version, deleted: false, value }
    if (!wins(floor, read)) return
    const who = `${this.#plan.name} read ${cache}/${key} at ${consistency}`
    const what = `${who} = ${printRecord(read)}, below its own acknowledged ${printRecord(floor)}`
    const acknowledgedAgoMs = performance.now() - acknowledgedAtMs
    const message = `${what}, ${Math.round(acknowledgedAgoMs)} ms before; ${await this.#holders(cache, key)}`
    this.#report({ event: 'stale', consistency, message, acknowledgedAgoMs })
  }

  /** What the owners of a key say that they have of it. */
  async #holders(cache: string, key: string): Promise<string> {
    try {
      const { replicas, changing } = await this.#peer.explain(cache, key)
      const told = replicas.map(
        ({ name, role, holds, version = 'nothing', inSync }) =>
          `${name} (${role}${inSync ? '' : ', has yet to take over'}) ${holds} @ ${version}`,
      )
      return `then ${changing ? 'the ring changes' : 'the ring is at rest'}: ${told.join('; ')}`
    } catch (error) {
      return `its owners were not asked: ${codeOfError(error)}`
    }
  }

  /** A write of a key was acknowledged. Markers are left to the end: a quorum of them is not one of each key's owners. */
  #raise({
    cache,
    key,
    kind,
    value,
    version,
    after,
  }: Omit<OperationBegun, 'event'> & { readonly version: string | undefined }): void {
    // What fewer acknowledged, a quorum may have yet to hear of.
    if (key === undefined || !['quorum', 'all'].includes(this.#plan.ack)) return
    const atLeast = version ?? `${after}-${this.#peer.id}`
    if (kind === 'set' && version === undefined) return
    this.#floors.raise({ cache, key, version: atLeast, deleted: kind === 'delete', value })
    this.#acknowledgedAtMs.set(`${cache} ${key}`, performance.now())
  }

  /** Whether a write of a key is under way here. */
  #isBusy(cache: string, key: string): boolean {
    return this.#own.has(nameOfSet(cache, key)) || this.#own.has(nameOfDelete(cache, key))
  }

  #holdBack(): void {
    this.#heldBackCount++
  }

  #cache(name: string): Cache<string> {
    return this.#caches.get(name) as Cache<string>
  }
}

function outcomeOf(code: string | undefined, { version }: OwnWrite): OperationEnded['outcome'] {
  if (code === undefined) return 'acknowledged'
  // Of a batch, those before the one that was refused have taken effect.
  return version === undefined && REFUSALS.includes(code) ? 'refused' : 'open'
}

async function codeOf(call: Promise<void>): Promise<string | undefined> {
  try {
    await call
    return undefined
  } catch (error) {
    return codeOfError(error)
  }
}

function codeOfError(error: unknown): string {
  return error instanceof HearsayError ? error.code : `UNEXPECTED: ${String(error)}`
}
