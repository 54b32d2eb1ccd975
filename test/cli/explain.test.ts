/** How an explanation is printed. */
import { describe, expect, it } from 'vitest'
import type { Explanation } from '../../src/api.js'
import { explanationLines } from '../../src/cli/commands/explain.js'

const NOBODY: Explanation = {
  cache: 'c',
  key: 'k',
  partition: 7,
  owners: [],
  changing: false,
  replicas: [],
  winner: undefined,
  hint: undefined,
  near: undefined,
  clockSkewMs: 0,
}

function printed(explanation: Partial<Explanation>): string[] {
  return [...explanationLines({ ...NOBODY, ...explanation })]
}

describe('an explanation', () => {
  it.each([
    [2_000, 'the clock of the peer asked is 2.0 s ahead of those of its peers'],
    [-7_500, 'the clock of the peer asked is 7.5 s behind those of its peers'],
  ])('says that the clock is %i ms wrong', (clockSkewMs, line) => {
    expect(printed({ clockSkewMs })).toContain(line)
  })

  it.each([0, 500, -500])('says nothing of a clock that is %i ms off', (clockSkewMs) => {
    expect(printed({ clockSkewMs }).join()).not.toContain('clock')
  })

  it('says what is kept by the peer that was asked, and that nobody else knows the key', () => {
    const version = '019b76daaa33-0000-p02'
    expect(printed({ hint: { version }, near: { version } })).toEqual([
      'k of cache c: partition 7',
      '',
      'no member owns it: none serves',
      '',
      'the peer asked keeps its own write until the owners have it',
      'the peer asked has a near copy: 019b76daaa33-0000',
      'no owner that answered knows anything of the key',
    ])
  })
})
