/**
 * The exchange of records between two that have found where they differ: what each takes in of the other's, and tells of
 * what is outdated what outdates it. So also a record that one side alone counts, because the other knows that it has been
 * superseded, makes the two differ once and not for ever.
 */
import { announcementOf, type Marker, tombstone, type Write } from '../core/entry.js'
import type { Remembered } from '../core/remembered.js'
import type { Known, Store } from '../core/store.js'
import { supersedes } from '../core/version.js'
import { BATCH_BYTES_MAX } from '../protocol/limits.js'
import type { Ask, Records } from '../protocol/messages.js'
import { recordBytes } from '../protocol/records.js'
import type { Replication } from './replication.js'

export interface ExchangeComponents {
  readonly store: Store
  readonly replication: Replication
}

/** What became of records that were taken in. */
export interface Taken {
  /** How many took effect. */
  readonly applied: number
  /** What outdates the others. */
  readonly outranking: Known
}

/** Takes in records, and says what is known that outdates some of them. */
export function takeIn({ store, replication }: ExchangeComponents, records: Records): Taken {
  const { writes, stubs = [], markers } = records
  const outdated = [...writes, ...stubs].filter((record) => store.outranks(record))
  const known = store.known(outdated)
  const later = markers.flatMap((marker) => {
    const ours = store.markers.outranking(marker)
    return ours !== undefined && supersedes(ours, marker) ? [ours] : []
  })
  const { applied } = replication.apply(records)
  return { applied, outranking: { ...known, markers: [...new Set([...known.markers, ...later])] } }
}

/** Asks for those markers of another one that are not known here, or differ. */
export function markersAsked({ markers }: Store): Extract<Ask, { kind: 'exchange' }> {
  const records = { writes: [], markers: [] }
  return { kind: 'exchange', records, markers: markers.slices, agreedMs: 0 }
}

/**
 * Deletes what another one has deleted, and has forgotten since. Like any delete it leaves a tombstone, of the version that it
 * deletes, so that this member tells others in its turn.
 */
export function forget(store: Store, { cache, key, version }: Remembered): void {
  store.apply(tombstone(cache, key, version))
}

/** Gathers records for one message: a value that does not fit is only announced. */
export class RecordsBuilder {
  readonly #writes: Write[] = []
  readonly #stubs: Remembered[] = []
  #bytes = 0

  get isFull(): boolean {
    return this.#bytes >= BATCH_BYTES_MAX
  }

  /** Bytes of all that has been added, about. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether there is room for a record beside the others. */
  fits(record: Remembered): boolean {
    return this.#bytes + recordBytes(record) <= BATCH_BYTES_MAX
  }

  /** Adds an entry, a tombstone or a stub, but no announcement: it would be taken for one. @param isWhole also a value that does not fit */
  add(record: Remembered, isWhole = false): void {
    if (!record.deleted && record.payload === undefined) this.#stubs.push(record)
    // A tombstone has no value that could be left out.
    else if (isWhole || record.deleted || this.fits(record)) this.#writes.push(record as Write)
    else this.#writes.push(announcementOf(record as Write))
    this.#bytes += recordBytes(record)
  }

  /** All that has been added. */
  take(markers: readonly Marker[] = []): Records {
    return { writes: this.#writes, stubs: this.#stubs, markers }
  }
}

/** Records in as many messages as they need, each value whole. Clears come first: nothing takes effect that they undo. */
export function* pages(
  records: readonly Remembered[],
  markers: readonly Marker[],
): Generator<Records> {
  if (markers.length > 0) yield { writes: [], markers }
  let builder = new RecordsBuilder()
  for (const record of records) {
    if (builder.bytes > 0 && !builder.fits(record)) {
      yield builder.take()
      builder = new RecordsBuilder()
    }
    builder.add(record, true)
  }
  if (builder.bytes > 0) yield builder.take()
}
