/** When two members last held the same, as a third one tells of it. */
import { describe, expect, it } from 'vitest'
import { common, LastEqual, type Moments } from '../../src/core/last-equal.js'
import { noPartitions } from '../../src/core/placement.js'

function moments(...of: Array<[member: string, atS: number, instance?: string]>): Moments[] {
  const known = new LastEqual()
  const partitions = noPartitions()
  partitions[7] = 1
  for (const [member, atS, instance = 'run'] of of) {
    known.note(member, instance, partitions, atS * 1_000)
  }
  return [...known.values()]
}

describe('two members that agreed with a third one', () => {
  it('have agreed when both had', () => {
    const agreed = common(moments(['c', 50]), moments(['c', 30]))
    expect([agreed[7], agreed[8]]).toEqual([30, 0])
  })

  it('have agreed as of the latest of several', () => {
    expect(common(moments(['b', 10], ['c', 30]), moments(['b', 20], ['c', 40]))[7]).toBe(30)
  })

  it('have not agreed through another run of it', () => {
    expect(common(moments(['c', 50, 'one']), moments(['c', 50, 'other']))[7]).toBe(0)
  })

  it('have not agreed by what is too late to count, but by what was before', () => {
    expect(common(moments(['b', 10], ['c', 50]), moments(['b', 20], ['c', 60]), 40)[7]).toBe(10)
  })
})
