/**
 * What callers do in a seed's run: sets, deletes, clears, invalidations by tag, times to live, batches and reads, at many members, in quiet
 * and in busy spells; and now and then two of them write the same key in the same millisecond.
 */
import type { Ack, Consistency } from '../../src/api.js'
import type { Draw } from '../../src/testing/draw.js'
import { DEFAULT_CACHE, type Step, type Work } from './operations.js'

/** A second cache: small, and cleared more often. */
const OTHER_CACHE = 'd'

const KEYS = numbered('k', 24)
const OTHER_KEYS = numbered('o', 8)

/** Ms that an entry lives: some are gone at once, some last to the end. */
const TTLS_MS = [1, 200, 2_000, 10_000, 600_000]

/** Keys in a batch at most. */
const BATCH_MAX = 100

/** Quiet, steady and busy spells: calls a second, and how often they come. */
const CALLS_PER_SECOND: ReadonlyArray<[calls: number, weight: number]> = [
  [0.5, 4],
  [6, 4],
  [40, 0.7],
]

/** Where there are long values, how many are, and how long: some fill a page of state, some are only announced. */
const LARGE_PROBABILITY = 0.05
const LARGE_CHARACTERS = [100_000, 300_000]

const SPELL_MS = { min: 1_000, max: 6_000 }

/** Tags: few, so that each is of many keys. */
const TAGS = ['t1', 't2', 't3']

const TAGGED_PROBABILITY = 0.3

/** How often a tag is invalidated in place of whatever else would have been done. */
const INVALIDATION_PROBABILITY = 0.03

const KINDS = [
  ['set', 40],
  ['delete', 14],
  ['get', 26],
  ['getMany', 3],
  ['setMany', 4],
  ['deleteMany', 3],
  ['clear', 1.5],
  ['flush', 1.5],
  ['duel', 7],
] as const

const ACK_WEIGHTS: ReadonlyArray<[ack: Ack, weight: number]> = [
  ['none', 24],
  ['one', 1],
  ['quorum', 4],
  ['all', 1],
]

const QUORUM_READ_PROBABILITY = 0.15

export interface WorkSpace {
  readonly draw: Draw
  /** All that may be asked, whether or not they run at that moment. */
  readonly members: readonly string[]
  /** Whether some values are long. */
  readonly hasLargeValues: boolean
  readonly fromMs: number
  readonly toMs: number
}

export function drawWork(space: WorkSpace): Step[] {
  const { draw, fromMs, toMs } = space
  const callers = new Callers(space)
  const steps: Step[] = []
  let atMs = fromMs
  while (atMs < toMs) {
    const callsPerSecond = draw.weighted(CALLS_PER_SECOND)
    const endMs = Math.min(toMs, atMs + draw.whole(SPELL_MS.min, SPELL_MS.max))
    while (atMs < endMs) {
      for (const work of callers.next()) steps.push({ ...work, atMs })
      // Exponential intervals: bunches and pauses come by themselves.
      atMs += Math.ceil((-Math.log(1 - draw.between(0, 1)) * 1_000) / callsPerSecond)
    }
    atMs = Math.max(atMs, endMs)
  }
  return steps.filter((step) => step.atMs < toMs)
}

class Callers {
  readonly #draw: Draw
  readonly #members: readonly string[]
  readonly #largeDraw: Draw | undefined
  readonly #waitDraw: Draw
  readonly #tagDraw: Draw
  #valueCount = 0

  constructor({ draw, members, hasLargeValues }: WorkSpace) {
    this.#draw = draw
    this.#members = members
    this.#waitDraw = draw.fork('wait')
    this.#tagDraw = draw.fork('tag')
    this.#largeDraw = hasLargeValues ? draw.fork('large') : undefined
  }

  /** What happens next, all in one moment. */
  next(): Work[] {
    const works = this.#next()
    const [{ at, cache = DEFAULT_CACHE }] = works as [Work & { cache?: string }]
    const isInvalidation = this.#tagDraw.happens(INVALIDATION_PROBABILITY)
    return isInvalidation ? [{ do: 'invalidate', at, cache, ...this.#someTags() }] : works
  }

  #next(): Work[] {
    const draw = this.#draw
    const at = draw.pick(this.#members)
    const isOther = draw.happens(0.25)
    const cache = isOther ? OTHER_CACHE : DEFAULT_CACHE
    const keys = isOther ? OTHER_KEYS : KEYS
    const key = draw.pick(keys)
    switch (draw.weighted(KINDS)) {
      case 'set':
        return [{ ...this.#set(at, cache, key), ...this.#ack() }]
      case 'delete':
        return [{ do: 'delete', at, cache, key, ...this.#ack() }]
      case 'get':
        return [{ do: 'get', at, cache, key, ...this.#consistency() }]
      case 'getMany': {
        const some = draw.sample(keys, draw.whole(1, keys.length))
        return [{ do: 'getMany', at, cache, keys: some, ...this.#consistency() }]
      }
      case 'setMany':
        return [
          {
            do: 'setMany',
            at,
            cache,
            entries: this.#entries(keys),
            ...this.#tags(),
            ...this.#ack(),
          },
        ]
      case 'deleteMany': {
        const some = draw.sample(keys, draw.whole(1, 6))
        return [{ do: 'deleteMany', at, cache, keys: some, ...this.#ack() }]
      }
      case 'clear': {
        const cleared = draw.happens(0.8) ? OTHER_CACHE : cache
        return [{ do: 'clear', at, cache: cleared, ...this.#ack() }]
      }
      case 'flush':
        return [{ do: 'flush', at }]
      case 'duel':
        return this.#duel(cache, key)
    }
  }

  /** Two members write one key in one millisecond. */
  #duel(cache: string, key: string): Work[] {
    return this.#draw
      .sample(this.#members, 2)
      .map((at) =>
        this.#draw.happens(0.6) ? this.#set(at, cache, key) : { do: 'delete', at, cache, key },
      )
  }

  /** Some writes wait for acknowledgements. */
  #ack(): { ack?: Ack } {
    const ack = this.#waitDraw.weighted(ACK_WEIGHTS)
    return ack === 'none' ? {} : { ack }
  }

  /** Some reads ask the others. */
  #consistency(): { consistency?: Consistency } {
    return this.#waitDraw.happens(QUORUM_READ_PROBABILITY) ? { consistency: 'quorum' } : {}
  }

  #set(at: string, cache: string, key: string): Work {
    const value = this.#value()
    const tags = this.#tags()
    if (!this.#draw.happens(0.2)) return { do: 'set', at, cache, key, value, ...tags }
    return { do: 'set', at, cache, key, value, ...tags, ttlMs: this.#draw.pick(TTLS_MS) }
  }

  /** Some values bear tags. */
  #tags(): { tags?: string[] } {
    return this.#tagDraw.happens(TAGGED_PROBABILITY) ? this.#someTags() : {}
  }

  #someTags(): { tags: string[] } {
    return { tags: this.#tagDraw.sample(TAGS, this.#tagDraw.whole(1, 2)) }
  }

  /** A batch; now and then a long one, which names keys again and again. */
  #entries(keys: readonly string[]): Array<[string, string]> {
    const count = this.#draw.happens(0.3) ? BATCH_MAX : this.#draw.whole(1, 10)
    return Array.from({ length: count }, () => [this.#draw.pick(keys), this.#value()])
  }

  #value(): string {
    const value = `v${++this.#valueCount}`
    const isLarge = this.#largeDraw?.happens(LARGE_PROBABILITY) ?? false
    return isLarge ? value + '.'.repeat(this.#largeDraw?.pick(LARGE_CHARACTERS) ?? 0) : value
  }
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)
}
