/** One write of a chaos run, as far as anybody knows of it, and what follows from that. */
import type { Risk } from '../../testing/checker/losses.js'
import { nameOf, type Record, wins } from '../../testing/checker/records.js'
import type { OperationBegun, OperationEnded } from './messages.js'

/** A write, and what is known of it. */
export interface Operation extends OperationBegun {
  readonly id: string
  readonly risk: Risk
  outcome: OperationEnded['outcome'] | 'under way' | 'unanswered'
  version: string | undefined
  /** Where the version is not known: a clock that it is below. */
  before: string | undefined
}

/** What an operation is listed by: its key; its tag, of an invalidation; its cache, of a clear. */
export function listOf({ cache, key, tag }: OperationBegun): string {
  if (key !== undefined) return nameOf(cache, key)
  return tag === undefined ? clearsOf(cache) : invalidationsOf(cache, tag)
}

export const clearsOf = (cache: string) => `clears ${cache}`
export const invalidationsOf = (cache: string, tag: string) => `invalidations ${cache} ${tag}`

/** The acknowledged write that wins over all others of a list. */
export function latestOf(list: readonly Operation[]): Operation | undefined {
  let latest: { operation: Operation; record: Record } | undefined
  for (const operation of list) {
    const record = operation.outcome === 'acknowledged' ? recordOf(operation) : undefined
    if (record === undefined || operation.risk.isVoid) continue
    if (latest === undefined || wins(record, latest.record)) latest = { operation, record }
  }
  return latest?.operation
}

/** What an acknowledged write is at least; undefined of a set whose version nobody was told. */
export function recordOf(operation: Operation): Record | undefined {
  const { kind, cache, key, tag, value, version, after, id } = operation
  const deleted = kind !== 'set'
  if (version === undefined && !deleted) return undefined
  // It came after all that its writer had heard of when it began.
  return { cache, key, tag, version: version ?? `${after}-${id}`, deleted, value }
}

/** Whether a write may win over a record, as far as its version is known. */
export function mayBeLater(
  { kind, version, before, cache, key, tag, value }: Operation,
  record: Record,
) {
  if (version === undefined) return before === undefined || before > record.version
  return wins({ cache, key, tag, version, deleted: kind !== 'set', value }, record)
}
