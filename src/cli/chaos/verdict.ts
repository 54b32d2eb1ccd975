/**
 * What is to be said of the copies once all faults are over: by the rules that the simulation's checker
 * has, see `src/testing/checker`.
 */
import { differencesOf, faultOf, type HeldEntry, type Place } from '../../testing/checker/copies.js'
import { nameOf } from '../../testing/checker/records.js'
import type { Findings } from './findings.js'
import type { History } from './history.js'
import { CACHES, type Contents, KEYS, type Readings } from './messages.js'

/** What one member holds. */
export interface Copy {
  readonly holder: string
  readonly contents: Contents
}

/** What the owners of a key have of it. */
interface Owned extends Place {
  readonly copies: ReadonlyArray<{ readonly holder: string; readonly entry: HeldEntry | undefined }>
}

const PLACES: readonly Place[] = CACHES.flatMap((cache) => KEYS.map((key) => ({ cache, key })))

/** Whether all owners of each key hold the same of it. */
export function areEqual(copies: readonly Copy[]): boolean {
  return ownedOf(copies).every((owned) => differencesOf(owned.copies, owned).length === 0)
}

/** Judges what is held, and by whom. */
export function judgeCopies(
  copies: readonly Copy[],
  history: History,
  findings: Findings,
  owners: number,
): void {
  const promised = history.promised()
  for (const owned of ownedOf(copies)) {
    const { cache, key } = owned
    const name = nameOf(cache, key)
    const where = `${cache}/${key}`
    if (owned.copies.length !== owners) {
      const message = `${owned.copies.length} members own ${where}, not ${owners}`
      findings.add('convergence', message, name)
    }
    for (const message of differencesOf(owned.copies, owned)) {
      findings.add('differing', message, name)
    }
    const expected = promised.of(cache, key)
    for (const { holder, entry } of owned.copies) {
      const fault = faultOf(holder, owned, entry, expected, (record) => history.mayBeGone(record))
      if (fault !== undefined) {
        findings.add(expected?.deleted ? 'resurrected' : 'lost', fault.message, name)
      }
      if (entry === undefined) continue
      const { value, version } = entry
      const what = `${holder} holds ${where} = ${value} @ ${version}`
      if (!history.isKnown({ cache, key, value, version })) {
        findings.add('phantom', `${what}: nobody wrote it`, name)
      }
      if (
        fault === undefined &&
        promised.isUndone({ cache, key, version, value, deleted: false })
      ) {
        findings.add('resurrected', `${what}, a tag of which was invalidated later`, name)
      }
    }
  }
}

/** Judges what members read of every key at quorum, beside what its owners hold. */
export function judgeReadings(
  holder: string,
  readings: Readings,
  copies: readonly Copy[],
  findings: Findings,
): void {
  const held = new Map(
    ownedOf(copies).map(({ cache, key, copies: [first] }) => [nameOf(cache, key), first?.entry]),
  )
  for (const [cache, key, value] of readings) {
    const entry = held.get(nameOf(cache, key))
    // JSON has no undefined.
    if ((value ?? undefined) === entry?.value) continue
    const what = `${holder} reads ${cache}/${key} = ${value ?? 'nothing'} at quorum`
    const message = `${what}, its owners hold ${entry?.value ?? 'nothing'}`
    findings.add('differing', message, nameOf(cache, key))
  }
}

function ownedOf(copies: readonly Copy[]): Owned[] {
  const byHolder = copies.map(({ holder, contents }) => ({
    holder,
    owned: new Set(contents.owned.map(([cache, key]) => nameOf(cache, key))),
    held: new Map(contents.held.map((entry) => [nameOf(entry.cache, entry.key), entry])),
  }))
  return PLACES.map(({ cache, key }) => {
    const name = nameOf(cache, key)
    const owners = byHolder.filter(({ owned }) => owned.has(name))
    const copies = owners.map(({ holder, held }) => ({ holder, entry: held.get(name) }))
    return { cache, key, copies }
  })
}
