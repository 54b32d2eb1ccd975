/**
 * What is to be said of copies of a key once all is at rest: that each is what won, or something later; that all are
 * equal; and that nobody holds what nobody wrote. Of processes in a simulation and of those of a machine alike.
 */
import { nameOf, printRecord, type Record, wins } from './records.js'

/** Characters of a value that are shown. */
const SHOWN_MAX = 40

/** A key of a cache. */
export interface Place {
  readonly cache: string
  readonly key: string
}

/** What somebody holds of a key, as a cache tells it. */
export interface HeldEntry {
  readonly value: string
  readonly version: string
  readonly createdAt: number
  readonly expiresAt: number | undefined
}

/** What is wrong with a copy: it is not there, or it is below what has to be there. */
export interface CopyFault {
  readonly kind: 'lacks' | 'below'
  readonly message: string
}

/**
 * What is wrong with one copy, beside what has to be there at least.
 * @param mayBeGone whether something later may have taken the place of what is missing
 */
export function faultOf(
  holder: string,
  { cache, key }: Place,
  entry: HeldEntry | undefined,
  expected: Record | undefined,
  mayBeGone: (expected: Record) => boolean,
): CopyFault | undefined {
  if (expected === undefined) return undefined
  if (entry === undefined) {
    if (expected.deleted || mayBeGone(expected)) return undefined
    const message = `${holder} lacks ${cache}/${key}: ${printRecord(expected)}`
    return { kind: 'lacks', message }
  }
  const held = { cache, key, version: entry.version, deleted: false, value: entry.value }
  if (!wins(expected, held)) return undefined
  const what = `${printRecord(held)}, and the winner is ${printRecord(expected)}`
  return { kind: 'below', message: `${holder} holds ${cache}/${key} = ${what}` }
}

/** In what the copies of a key differ from the first of them; nothing where all are equal. */
export function differencesOf(
  copies: ReadonlyArray<{ readonly holder: string; readonly entry: HeldEntry | undefined }>,
  { cache, key }: Place,
): string[] {
  const [first, ...others] = copies.map(({ holder, entry }) => ({
    holder,
    text: entry === undefined ? undefined : printEntry(entry),
  }))
  return others.flatMap(({ holder, text }) => {
    if (text === first?.text) return []
    const what = `${first?.holder} holds ${first?.text ?? 'nothing'}, ${holder} ${text ?? 'nothing'}`
    return [`copies of ${cache}/${key} differ: ${what}`]
  })
}

/** Whether a value was written, and under the key of that name; see {@link nameOf}. */
export function isWritten(written: Place | undefined, name: string): boolean {
  return written !== undefined && nameOf(written.cache, written.key) === name
}

function printEntry({ value, version, createdAt, expiresAt }: HeldEntry): string {
  const what = `${value.slice(0, SHOWN_MAX)} @ ${version}`
  return `${what}, created ${createdAt}, expires ${expiresAt ?? 'never'}`
}
