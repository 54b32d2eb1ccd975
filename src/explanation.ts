/**
 * Explanations as users read them: ids as names, times as ages, the grounds of a decision in words.
 */
import type { Explanation, ReplicaExplanation } from './api.js'
import type { KeyName } from './core/entry.js'
import type { Member } from './core/members.js'
import { formatVersion, type Versioned } from './core/version.js'
import { bytesOf, type Explained, type Testified } from './services/explain.js'

/** What an explanation is put into words with. */
export interface Viewpoint {
  readonly self: string
  /** The mesh's time, in ms since the epoch. */
  readonly nowMs: number
  readonly clockSkewMs: number
  readonly memberOf: (id: string) => Member | undefined
  readonly hint: Versioned | undefined
  readonly near: Versioned | undefined
}

export function describeExplained(
  { cache, key }: KeyName,
  explained: Explained,
  view: Viewpoint,
): Explanation {
  const { partition, owners, isChanging, winner } = explained
  return {
    cache,
    key,
    partition,
    owners,
    changing: isChanging,
    replicas: explained.replicas.map((replica) => describeReplica(replica, explained, view)),
    winner: winner && {
      version: formatVersion(winner.version),
      writer: winner.version.member,
      deleted: winner.deleted,
      cleared: winner === explained.marker,
      ageMs: ageOf(winner, view),
      why: reasonOf(explained),
    },
    hint: view.hint && { version: formatVersion(view.hint.version) },
    near: view.near && { version: formatVersion(view.near.version) },
    clockSkewMs: view.clockSkewMs,
  }
}

function describeReplica(
  { id, isOwner, answer, record, isInSync }: Testified,
  { owners, winner }: Explained,
  view: Viewpoint,
): ReplicaExplanation {
  const member = view.memberOf(id)
  const version = record && formatVersion(record.version)
  return {
    id,
    name: member?.name ?? id,
    self: id === view.self,
    state: member?.state ?? 'left',
    role: isOwner ? (owners[0] === id ? 'primary' : 'owner') : 'earlier',
    holds: answer === undefined ? 'unknown' : holdingOf(record),
    inSync: isInSync,
    latest: winner !== undefined && version === formatVersion(winner.version),
    version,
    writer: record?.version.member,
    writtenAt: record?.version.wallMs,
    ageMs: record && ageOf(record, view),
    expiresAt: (record as { expiresAt?: number } | undefined)?.expiresAt || undefined,
    bytes: record && bytesOf(record),
  }
}

function holdingOf(record: Versioned | undefined): ReplicaExplanation['holds'] {
  if (record === undefined) return 'nothing'
  if (record.deleted) return 'deleted'
  return record.payload === undefined ? 'gone' : 'value'
}

function ageOf({ version }: Versioned, { nowMs }: Viewpoint): number {
  return Math.max(0, nowMs - version.wallMs)
}

function reasonOf({ grounds, winner, marker }: Explained): string {
  const what = winner === marker ? 'the clear of the cache' : 'it'
  switch (grounds) {
    case 'clock':
      return `${what} was written last`
    case 'delete':
      return `${what} is a delete: of two writes at one time, a delete wins`
    case 'member':
      return 'of two writes at one time, the one of the member with the higher id wins'
    case 'value':
      return 'two values were written under one version, by two processes of one identity: the greater wins'
    case undefined:
      return 'all who know anything of the key know this'
  }
}
