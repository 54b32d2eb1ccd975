/**
 * Explanation: what every owner of a key holds, asked of each of them, and which of it wins and why.
 */
import { type KeyName, type Marker, payloadBytes } from '../core/entry.js'
import type { Hints } from '../core/hints.js'
import type { Remembered } from '../core/remembered.js'
import { decidedBy, type Grounds, supersedes, type Versioned } from '../core/version.js'
import type { Answer } from '../protocol/messages.js'
import type { Membership } from './membership.js'
import type { Ownership } from './ownership.js'
import type { QuorumReads } from './quorum-reads.js'
import type { RequestStreams } from './request-streams.js'

/** How long one owner may take to answer, in ms. */
const ANSWER_TIMEOUT_MS = 2_000

export interface ExplainComponents {
  readonly membership: Membership
  readonly ownership: Ownership
  readonly quorumReads: QuorumReads
  readonly hints: Hints
  readonly requests: RequestStreams
}

/** What one member said. */
export interface Testified {
  readonly id: string
  /** Whether it owns the key by the current ring, or only by an earlier one that still counts. */
  readonly isOwner: boolean
  /** Undefined when it has not answered. */
  readonly answer: Extract<Answer, { kind: 'read' }> | undefined
  /** What it knows of the key; undefined when it knows nothing. */
  readonly record: Remembered | undefined
  readonly isInSync: boolean
}

export interface Explained {
  readonly partition: number
  readonly owners: readonly string[]
  readonly isChanging: boolean
  readonly replicas: readonly Testified[]
  /** What wins, over the strongest that differs from it, and on what grounds; undefined when nobody knows anything. */
  readonly winner: Versioned | undefined
  readonly grounds: Grounds | undefined
  readonly marker: Marker | undefined
}

export class Explain {
  readonly #components: ExplainComponents

  constructor(components: ExplainComponents) {
    this.#components = components
  }

  async explain(key: KeyName): Promise<Explained> {
    const { ownership } = this.#components
    const partition = ownership.partitionOf(key.cache, key.key)
    const lists = ownership.placement.listsOf(partition)
    const owners = ownership.ring.preferenceList(partition)
    const replicas = await Promise.all(
      [...new Set(lists.flat())].map((id) => this.#ask(id, key, owners.includes(id))),
    )
    const hint = this.#components.hints.get(key.cache, key.key)
    const markers = replicas.flatMap(({ answer }) => answer?.records.markers ?? [])
    const marker = strongest(markers)
    const records: Versioned[] = replicas.flatMap(({ record }) => record ?? [])
    if (hint !== undefined) records.push(hint)
    if (marker !== undefined) records.push(marker)
    const winner = strongest(records)
    const others = records.filter((record) => winner !== undefined && supersedes(winner, record))
    const second = strongest(others)
    return {
      partition,
      owners,
      isChanging: ownership.placement.previous.length > 0,
      replicas,
      winner,
      grounds: winner && second && decidedBy(winner, second),
      marker,
    }
  }

  async #ask(id: string, key: KeyName, isOwner: boolean): Promise<Testified> {
    const answer = await this.#answerOf(id, key)
    const { writes = [], stubs = [] } = answer?.records ?? {}
    return {
      id,
      isOwner,
      answer,
      record: strongest<Remembered>([...writes, ...stubs]),
      isInSync: answer !== undefined && answer.open.length === 0,
    }
  }

  async #answerOf(id: string, key: KeyName): Promise<Testified['answer']> {
    const { membership, quorumReads, requests, ownership } = this.#components
    const body = { kind: 'read', keys: [key], ring: ownership.digest, large: true } as const
    if (id === membership.id) return quorumReads.answer(body)
    try {
      return await requests.ask(id, body, { timeoutMs: ANSWER_TIMEOUT_MS })
    } catch {
      return undefined
    }
  }
}

/** Bytes of a value; undefined where there is none. */
export function bytesOf({ payload }: Versioned): number | undefined {
  return payload === undefined ? undefined : payloadBytes(payload)
}

function strongest<Record extends Versioned>(records: readonly Record[]): Record | undefined {
  let best: Record | undefined
  for (const record of records) {
    if (best === undefined || supersedes(record, best)) best = record
  }
  return best
}
