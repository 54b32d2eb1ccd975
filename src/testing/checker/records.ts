/**
 * What the checker knows of a write, and its own idea of which of two wins: written from what is promised, not taken
 * from the code under test.
 */

/** Characters of a value that are shown. */
const SHOWN_MAX = 40

/** A write, as one copy or message shows it. */
export interface Record {
  readonly cache: string
  /** Undefined for a marker: a clear, or the invalidation of a tag. */
  readonly key: string | undefined
  /** Of an invalidation. */
  readonly tag?: string | undefined
  /** As printed: `<ms, hex>-<counter, hex>-<member>`. */
  readonly version: string
  readonly deleted: boolean
  /** Undefined when deleted, and where only the version is known. */
  readonly value: string | undefined
  /** Set when the process has this or something later, and what that is was not seen. */
  readonly orLater?: boolean
  /** What is left of a value that a tag undid: no delete of its own, and above its own write alone. */
  readonly isUndone?: boolean
}

/** 12 hex digits of ms, a dash, 4 of counter; then come a dash and the member. */
const CLOCK_LENGTH = 17

/** The parts of a printed version. */
export function parseVersion(version: string): { wallMs: number; member: string } {
  return {
    wallMs: Number.parseInt(version.slice(0, 12), 16),
    member: version.slice(CLOCK_LENGTH + 1),
  }
}

/** Whether `a` wins over `b`: by clock, then delete over set, then member id, then value, which is below what is left of it. */
export function wins(a: Record, b: Record): boolean {
  if (a.version !== b.version) {
    if (isDelete(a) !== isDelete(b) && isSameClock(a.version, b.version)) return isDelete(a)
    // The clock comes first in what is printed, and then the member.
    return a.version > b.version
  }
  if (a.deleted !== b.deleted) return a.deleted
  return a.value !== undefined && b.value !== undefined && a.value > b.value
}

function isSameClock(a: string, b: string): boolean {
  for (let at = 0; at < CLOCK_LENGTH; at++) {
    if (a.charCodeAt(at) !== b.charCodeAt(at)) return false
  }
  return true
}

function isDelete({ deleted, isUndone = false }: Record): boolean {
  return deleted && !isUndone
}

/** The one of some records that wins over all others. */
export function winnerOf(records: Iterable<Record>): Record | undefined {
  let winner: Record | undefined
  for (const record of records) {
    if (winner === undefined || wins(record, winner)) winner = record
  }
  return winner
}

/** Names that are kept at most. */
const NAMES_MAX = 10_000

/** Names that were asked for, by cache and key: looking one up costs less than making it, and then hashing it, anew. */
const names = new Map<string, Map<string, string>>()
let nameCount = 0

/** One name for a key of a cache. */
export function nameOf(cache: string, key: string): string {
  let ofCache = names.get(cache)
  if (ofCache === undefined) {
    ofCache = new Map()
    names.set(cache, ofCache)
  }
  let name = ofCache.get(key)
  if (name === undefined) {
    name = `${cache}\0${key}`
    if (++nameCount > NAMES_MAX) {
      names.clear()
      nameCount = 0
    } else ofCache.set(key, name)
  }
  return name
}

export function printRecord({ key, tag, version, deleted, value }: Record): string {
  const what = deleted
    ? key === undefined
      ? tag === undefined
        ? 'clear'
        : `invalidation of ${tag}`
      : 'delete'
    : `value ${value?.slice(0, SHOWN_MAX) ?? '?'}`
  return `${what} @ ${version}`
}
