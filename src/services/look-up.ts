/**
 * Looking keys up at another member: asks as often as it takes until it has told all that it knows of them.
 *
 * What does not fit into one answer is announced there, by its version, and asked for again; a value that is too large to
 * go beside others, over the stream for large ones.
 */
import { isAnnouncement, type KeyName, nameOf, type Write } from '../core/entry.js'
import { FETCH_KEYS_MAX } from '../protocol/limits.js'
import type { Testimony } from './read-round.js'
import { RequestError, type RequestStreams } from './request-streams.js'

export interface LookUpOptions {
  /** Digest of the ring by which the keys are asked for. */
  readonly ring: bigint
  /** How long each answer may take, in ms. */
  readonly timeoutMs: number
  /** Of the announced values, those that are wanted; all, unless it says otherwise. */
  readonly wanted?: (announced: readonly Write[]) => readonly Write[]
}

/** What a member says of some keys, the digest of the ring that it says it by, and that of all markers that it knows of. */
export interface Told extends Testimony {
  readonly ring: bigint
  readonly markersDigest: number
}

/** What a member knows of some keys, answer by answer. @throws RequestError when it does not answer */
export async function* lookUp(
  requests: RequestStreams,
  id: string,
  keys: readonly KeyName[],
  { ring, timeoutMs, wanted = (announced) => announced }: LookUpOptions,
): AsyncGenerator<Told> {
  for (let start = 0; start < keys.length; start += FETCH_KEYS_MAX) {
    let left = keys.slice(start, start + FETCH_KEYS_MAX)
    let large = false
    while (left.length > 0) {
      const answer = await requests.ask(
        id,
        { kind: 'read', keys: left, ring, large },
        { timeoutMs },
      )
      const { writes, markers, stubs = [] } = answer.records
      const open = new Set<string>()
      for (const index of answer.open) {
        const key = left[index]
        if (key !== undefined) open.add(nameOf(key))
      }
      const { ring: byRing, markers: markersDigest = 0 } = answer
      yield { writes, markers, stubs, ring: byRing, open, markersDigest }
      const announced = wanted(writes.filter(isAnnouncement))
      if (announced.length >= left.length) {
        if (large) throw new RequestError(`${id} announces values and does not give them`)
        large = true
      }
      left = announced.map(({ cache, key }) => ({ cache, key }))
    }
  }
}
