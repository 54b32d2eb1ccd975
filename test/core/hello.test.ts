import { describe, expect, it } from 'vitest'
import { difference, type MeshParameters } from '../../src/core/hello.js'

const OURS: MeshParameters = {
  mesh: 'shop',
  replicas: 3,
  partitions: 4_096,
  virtualNodes: 256,
  tombstoneGraceMs: 3_600_000,
}

describe('difference', () => {
  it.each<[keyof MeshParameters, string | number]>([
    ['mesh', 'Shop'],
    ['replicas', 'all'],
    ['replicas', 2],
    ['partitions', 1_024],
    ['virtualNodes', 128],
    ['tombstoneGraceMs', 3_600_001],
  ])('names %s, and both values, when theirs is %s', (field, theirs) => {
    expect(difference(OURS, { ...OURS, [field]: theirs })).toEqual({
      field,
      ours: String(OURS[field]),
      theirs: String(theirs),
    })
  })

  it('names one thing, the mesh first, when several differ', () => {
    const theirs = { ...OURS, tombstoneGraceMs: 1, replicas: 1, mesh: 'other' }
    expect(difference(OURS, theirs)?.field).toBe('mesh')
  })

  it('finds none between equals', () => {
    expect(difference(OURS, { ...OURS })).toBeUndefined()
  })
})
