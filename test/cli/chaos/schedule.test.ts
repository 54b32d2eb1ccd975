/** The schedule of a chaos run: the same from the same seed, and within what can be survived. */
import { describe, expect, it } from 'vitest'
import { drawSchedule, FAULT_KINDS } from '../../../src/cli/chaos/schedule.js'

const SPACE = { seed: 1, peers: 5, forMs: 60_000, kinds: FAULT_KINDS }
const SEEDS = Array.from({ length: 50 }, (_, seed) => seed)

describe('the schedule of a chaos run', () => {
  it('is the same from the same seed, and another from another', () => {
    expect(drawSchedule(SPACE)).toEqual(drawSchedule(SPACE))
    expect(drawSchedule({ ...SPACE, seed: 2 })).not.toEqual(drawSchedule(SPACE))
  })

  it('has the same faults of a kind whatever other kinds there are, where nobody is killed', () => {
    const others = FAULT_KINDS.filter((kind) => kind !== 'kill')
    const pauses = drawSchedule({ ...SPACE, kinds: others }).filter(({ kind }) => kind === 'pause')
    expect(drawSchedule({ ...SPACE, kinds: ['pause'] })).toEqual(pauses)
  })

  it.each([5_000, 15_000, 60_000])('kills in each run of %d ms, and ends in it', (forMs) => {
    const seen = new Set<string>()
    for (const seed of SEEDS) {
      const faults = drawSchedule({ ...SPACE, seed, forMs })
      expect(faults.map(({ kind }) => kind)).toContain('kill')
      for (const fault of faults) {
        seen.add(fault.kind)
        expect(fault.atMs).toBeGreaterThan(0)
        expect(fault.forMs).toBeGreaterThanOrEqual(0)
        expect(fault.atMs + fault.forMs).toBeLessThan(forMs)
      }
    }
    expect(seen).toEqual(new Set(FAULT_KINDS))
  })

  it('leaves the mesh whole before each kill, so that it can happen', () => {
    for (const seed of SEEDS) {
      const faults = drawSchedule({ ...SPACE, seed })
      const tears = faults.filter(
        ({ kind, forMs }) => kind === 'partition' || (kind === 'pause' && forMs > 3_000),
      )
      for (const kill of faults.filter(({ kind }) => kind === 'kill')) {
        for (const { atMs, forMs } of tears) {
          const isClear = atMs >= kill.atMs || atMs + forMs <= kill.atMs - 6_000
          expect(isClear, `seed ${seed}, kill at ${kill.atMs}`).toBe(true)
        }
      }
    }
  })

  it.each([3, 4, 7, 20])('cuts off a minority of %d, one at a time', (peers) => {
    for (const seed of SEEDS) {
      const cuts = drawSchedule({ ...SPACE, seed, peers }).flatMap((fault) =>
        fault.kind === 'partition' ? [fault] : [],
      )
      for (const [index, { group, atMs }] of cuts.entries()) {
        expect(group.length).toBeGreaterThan(0)
        expect(group.length * 2).toBeLessThan(peers)
        const before = cuts[index - 1]
        if (before !== undefined) expect(before.atMs + before.forMs).toBeLessThan(atMs)
      }
    }
  })
})
