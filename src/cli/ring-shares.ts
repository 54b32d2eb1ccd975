/**
 * How much of the ring each member has, as one peer sees it.
 */
import type { MemberInfo } from '../api.js'
import { formatShare } from './format.js'

/** The share of the ring of each member, as text; `-` while nobody is on it. */
export function ringShares(list: readonly MemberInfo[]): Map<string, string> {
  const total = list.reduce((sum, member) => sum + member.partitions, 0)
  return new Map(
    list.map(({ id, partitions }) => [id, total === 0 ? '-' : formatShare(partitions / total)]),
  )
}
