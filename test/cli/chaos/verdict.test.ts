/** The test of the tester: a history that breaks a promise is found, and one that keeps all is not. */
import { describe, expect, it } from 'vitest'
import { type Finding, Findings } from '../../../src/cli/chaos/findings.js'
import { History } from '../../../src/cli/chaos/history.js'
import type { OperationBegun, OperationEnded } from '../../../src/cli/chaos/messages.js'
import type { ChaosProcess } from '../../../src/cli/chaos/process.js'
import { areEqual, type Copy, judgeCopies } from '../../../src/cli/chaos/verdict.js'
import { Losses } from '../../../src/testing/checker/losses.js'

const WRITER = { id: 'w', name: 'writer' } as ChaosProcess
const OTHER = { id: 'x', name: 'other' } as ChaosProcess

/** A version of so many ms. */
const at = (ms: number, member = 'w') => `${ms.toString(16).padStart(12, '0')}-0000-${member}`
const clockAt = (ms: number) => at(ms).slice(0, 17)

/** A history that is told, and what is held in the end by the owners of one key. */
class Run {
  readonly losses = new Losses()
  readonly history = new History(this.losses, 1)
  #number = 0

  begin(what: Partial<OperationBegun>, by = WRITER): number {
    const number = this.#number++
    const key = what.kind === 'clear' || what.kind === 'invalidate' ? undefined : 'key-1'
    const begun = { event: 'begun', number, kind: 'set', cache: 'cleared', key, after: '' } as const
    this.history.begun(by, { ...begun, ...what })
    return number
  }

  end(number: number, ended: Partial<OperationEnded>, by = WRITER): void {
    this.history.ended(by, { event: 'ended', number, outcome: 'acknowledged', ...ended })
  }

  did(what: Partial<OperationBegun>, ended: Partial<OperationEnded> = {}, by = WRITER): void {
    this.end(this.begin(what, by), ended, by)
  }

  /** What is found when each of some owners holds what is given: a value and its version, or nothing. */
  judge(...held: Array<readonly [value: string, version: string] | undefined>): Finding[] {
    const findings = new Findings(() => {})
    judgeCopies(copiesOf(held), this.history, findings, held.length)
    // Nobody is told to own the other keys.
    return findings.kept.filter(({ message }) => !message.includes('members own'))
  }

  rules(...held: Parameters<Run['judge']>): string[] {
    return this.judge(...held).map(({ rule }) => rule)
  }
}

function copiesOf(held: Parameters<Run['judge']>): Copy[] {
  return held.map((one, index) => ({
    holder: `owner-${index}`,
    contents: {
      owned: [['cleared', 'key-1']],
      held: one === undefined ? [] : [entryOf(...one)],
    },
  }))
}

function entryOf(value: string, version: string) {
  return { cache: 'cleared', key: 'key-1', value, version, createdAt: 0, expiresAt: undefined }
}

const A = ['a', at(100)] as const
const B = ['b', at(200)] as const

describe('the verdict of a chaos run', () => {
  it('finds nothing where all owners hold what was acknowledged last', () => {
    const run = new Run()
    run.did({ value: 'a' }, { version: at(100) })
    run.did({ value: 'b' }, { version: at(200) })
    expect(run.judge(B, B, B)).toEqual([])
  })

  it('finds an acknowledged value that is lost, whether it is gone or older', () => {
    const run = new Run()
    run.did({ value: 'a' }, { version: at(100) })
    run.did({ value: 'b' }, { version: at(200) })
    expect(run.rules(undefined, undefined)).toEqual(['lost', 'lost'])
    expect(run.judge(A, A)[0]).toEqual({
      rule: 'lost',
      message: `owner-0 holds cleared/key-1 = value a @ ${at(100)}, and the winner is value b @ ${at(200)}`,
    })
  })

  it('finds a deleted value that is back', () => {
    const run = new Run()
    run.did({ value: 'a' }, { version: at(100) })
    run.did({ kind: 'delete' }, { version: at(150) })
    expect(run.judge(undefined, undefined)).toEqual([])
    expect(run.rules(A, A)).toEqual(['resurrected', 'resurrected'])
  })

  it('finds a value that is back from below a delete of which the writer was not told the version', () => {
    const run = new Run()
    run.did({ value: 'a' }, { version: at(100) })
    run.did({ kind: 'delete', after: clockAt(100) })
    expect(run.judge(undefined)).toEqual([])
    expect(run.rules(A)).toEqual(['resurrected'])
  })

  it('takes such a delete for no excuse once its writer has written later', () => {
    const run = new Run()
    run.did({ kind: 'delete', after: clockAt(50) })
    run.did({ value: 'a', key: 'key-2' }, { version: at(60) })
    run.did({ value: 'b' }, { version: at(200) })
    expect(run.rules(undefined)).toEqual(['lost'])
  })

  it('finds what a clear, or the invalidation of a tag, has undone', () => {
    const run = new Run()
    run.did({ value: 'a', tags: ['red'] }, { version: at(100) })
    run.did({ kind: 'invalidate', tag: 'blue' }, { version: at(110) })
    expect(run.judge(A)).toEqual([])
    run.did({ kind: 'invalidate', tag: 'red' }, { version: at(120) })
    expect(run.rules(A)).toEqual(['resurrected'])
    const cleared = new Run()
    cleared.did({ value: 'a' }, { version: at(100) })
    cleared.did({ kind: 'clear' }, { version: at(120) })
    expect(cleared.rules(A)).toEqual(['resurrected'])
  })

  it('judges by versions, and not by which was acknowledged last', () => {
    const run = new Run()
    run.did({ value: 'b' }, { version: at(200) })
    run.did({ kind: 'delete' }, { version: at(150) })
    expect(run.judge(B)).toEqual([])
  })

  it('leaves open what failed, and what its writer died of', () => {
    for (const hasDied of [false, true]) {
      const run = new Run()
      run.did({ value: 'a' }, { version: at(100) })
      const open = run.begin({ value: 'b' }, OTHER)
      const deleted = run.begin({ kind: 'delete' }, OTHER)
      if (hasDied) run.history.childEnded(OTHER, 1_000)
      else {
        run.end(open, { outcome: 'open', version: at(200), code: 'NOT_CONFIRMED' }, OTHER)
        run.end(deleted, { outcome: 'open', version: at(300), code: 'NOT_CONFIRMED' }, OTHER)
      }
      expect(run.judge(A)).toEqual([])
      expect(run.judge(B)).toEqual([])
      expect(run.judge(undefined)).toEqual([])
    }
  })

  it('takes what was refused for no excuse', () => {
    const run = new Run()
    run.did({ value: 'a' }, { version: at(100) })
    run.did({ kind: 'delete' }, { outcome: 'refused', code: 'CLOCK_SKEW' })
    expect(run.rules(undefined)).toEqual(['lost'])
  })

  it('promises nothing where more owners were lost than that outlives', () => {
    const run = new Run()
    run.did({ value: 'a' }, { version: at(100) })
    run.losses.loses()
    run.losses.settled()
    run.losses.loses()
    expect(run.rules(undefined)).toEqual(['lost'])
    run.losses.loses()
    expect(run.judge(undefined)).toEqual([])
    expect(run.history.voidCount).toBe(1)
  })

  it('finds what nobody wrote, there or under that version', () => {
    const run = new Run()
    run.did({ value: 'a', key: 'key-2' }, { version: at(100) })
    run.did({ value: 'b' }, { version: at(200) })
    expect(run.rules(['c', at(300)])).toEqual(['phantom'])
    expect(run.rules(['a', at(300)])).toEqual(['phantom'])
    expect(run.rules(['b', at(300)])).toEqual(['phantom'])
  })

  it('finds copies that differ', () => {
    const run = new Run()
    run.did({ value: 'a' }, { version: at(100) })
    run.did({ value: 'b' }, { outcome: 'open', version: at(200) })
    expect(run.rules(A, B)).toEqual(['differing'])
    expect(areEqual(copiesOf([A, B]))).toBe(false)
    expect(areEqual(copiesOf([B, B]))).toBe(true)
  })

  it('finds a value that is read before anybody wrote it, and not one whose writer is heard later', () => {
    const { history } = new Run()
    const read = { event: 'read', cache: 'cleared', key: 'key-1', consistency: 'local' } as const
    expect(history.read(OTHER, { ...read, value: 'a', version: at(100) })).toBeUndefined()
    expect(history.read(OTHER, { ...read, value: 'c', version: at(100) })).toBeUndefined()
    history.begun(WRITER, {
      ...{ event: 'begun', number: 0, kind: 'set', cache: 'cleared', key: 'key-1' },
      ...{ value: 'a', after: '' },
    })
    expect(history.earlyReads()).toEqual([
      `other read cleared/key-1 = c @ ${at(100)}: nobody wrote it`,
    ])
  })
})
