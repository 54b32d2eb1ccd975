/**
 * Scans: the keys of a cache over the whole mesh, or their number, partition by partition, each from one of its owners.
 *
 * A scan is no snapshot: what is written meanwhile is seen or not. Each key is named once, for its partition is asked of
 * one owner only.
 */
import { noPartitions } from '../core/placement.js'
import { PARTITIONS } from '../core/ring.js'
import type { Store } from '../core/store.js'
import { NotConfirmedError } from '../errors.js'
import { SCAN_KEYS } from '../protocol/limits.js'
import type { Answer, Ask } from '../protocol/messages.js'
import type { Membership } from './membership.js'
import type { Ownership } from './ownership.js'
import type { Rebalance } from './rebalance.js'
import type { RequestStreams } from './request-streams.js'

/** How long one page may take, in ms. */
const PAGE_TIMEOUT_MS = 5_000

/** Entries looked at in one turn of the event loop. */
const SLICE = 5_000

export interface ScanComponents {
  readonly membership: Membership
  readonly ownership: Ownership
  readonly rebalance: Rebalance
  readonly store: Store
  readonly requests: RequestStreams
  /** Lets others have their turn of the event loop. */
  readonly breathe: () => Promise<void>
}

type ScanAsk = Extract<Ask, { kind: 'scan' }>
type ScanAnswer = Extract<Answer, { kind: 'scan' }>

export class Scan {
  readonly #components: ScanComponents

  constructor(components: ScanComponents) {
    this.#components = components
  }

  /** Answers a page of a scan from what this member holds. */
  async answer({ cache, partitions, fromPartition, countOnly }: ScanAsk): Promise<ScanAnswer> {
    const { store, rebalance, breathe } = this.#components
    const lacking = rebalance.lacking(partitions)
    const keys: string[] = []
    let count = 0
    let looked = 0
    let partition = fromPartition
    for (; partition < PARTITIONS && keys.length < SCAN_KEYS; partition++) {
      if (partitions[partition] !== 1 || lacking?.[partition] === 1) continue
      for (const entry of store.live(partition)) {
        looked++
        if (entry.cache !== cache) continue
        count++
        if (!countOnly) keys.push(entry.key)
      }
      if (looked < SLICE) continue
      looked = 0
      await breathe()
    }
    return { kind: 'scan', keys, count, nextPartition: partition, lacking }
  }

  /** How many entries a cache has. @throws NotConfirmedError when some partition has no owner that answers */
  async size(cache: string): Promise<number> {
    const { store, ownership, rebalance } = this.#components
    if (ownership.holdsAll && rebalance.openCount === 0) return store.size(cache)
    let size = 0
    for await (const { count } of this.#pages(cache, true)) size += count
    return size
  }

  /** The keys of a cache, a page at a time. @throws NotConfirmedError when some partition has no owner that answers */
  async *keys(cache: string): AsyncGenerator<readonly string[]> {
    for await (const { keys } of this.#pages(cache, false)) if (keys.length > 0) yield keys
  }

  async *#pages(cache: string, countOnly: boolean): AsyncGenerator<ScanAnswer> {
    const left = noPartitions().fill(1)
    const useless = new Map<string, Set<number>>()
    for (;;) {
      const byOwner = this.#assign(left, useless)
      if (byOwner.size === 0) return
      for (const [owner, partitions] of byOwner) {
        for (let from = 0; from < PARTITIONS; ) {
          const ask: ScanAsk = { kind: 'scan', cache, partitions, fromPartition: from, countOnly }
          const page = await this.#ask(owner, ask)
          const next = page === undefined ? PARTITIONS : Math.max(page.nextPartition, from + 1)
          for (let partition = from; partition < Math.min(next, PARTITIONS); partition++) {
            if (partitions[partition] !== 1) continue
            if (page !== undefined && page.lacking?.[partition] !== 1) left[partition] = 0
            else note(useless, owner, partition)
          }
          if (page !== undefined) yield page
          from = next
        }
      }
    }
  }

  /** Whom to ask for what is left: the first owner of each partition that has not turned out to be of no use. */
  #assign(
    left: Uint8Array,
    useless: ReadonlyMap<string, ReadonlySet<number>>,
  ): Map<string, Uint8Array> {
    const { ownership } = this.#components
    const byOwner = new Map<string, Uint8Array>()
    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (left[partition] === 0) continue
      const owners = this.#owners(partition)
      const owner = owners.find((id) => useless.get(id)?.has(partition) !== true)
      if (owner === undefined) {
        // Where there is no owner at all, there is nothing.
        if (ownership.ring.members.length === 0) return new Map()
        throw new NotConfirmedError([], owners, PAGE_TIMEOUT_MS)
      }
      const partitions = byOwner.get(owner) ?? noPartitions()
      byOwner.set(owner, partitions)
      partitions[partition] = 1
    }
    return byOwner
  }

  /** Owners of a partition, this member first, where it is one. */
  #owners(partition: number): string[] {
    const { ownership, membership, requests } = this.#components
    if (ownership.isFullCopy && ownership.isOwner) return [membership.id]
    const owners = [...new Set(ownership.placement.listsOf(partition).flat())]
    const rank = (id: string) => (id === membership.id ? 0 : requests.isReachable(id) ? 1 : 2)
    return owners.sort((a, b) => rank(a) - rank(b))
  }

  async #ask(owner: string, ask: ScanAsk): Promise<ScanAnswer | undefined> {
    const { membership, requests } = this.#components
    if (owner === membership.id) return this.answer(ask)
    try {
      return await requests.ask(owner, ask, { timeoutMs: PAGE_TIMEOUT_MS })
    } catch {
      return undefined
    }
  }
}

function note(useless: Map<string, Set<number>>, owner: string, partition: number): void {
  const partitions = useless.get(owner) ?? new Set()
  useless.set(owner, partitions)
  partitions.add(partition)
}
