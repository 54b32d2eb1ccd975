/**
 * Guards against this: a member writes, only some of the others hear it, and it dies. Nobody hears of its numbers any
 * more, so that those who missed the writes never learn that there was something to miss.
 */
import { describe, expect, it } from 'vitest'
import { SimulatedMesh } from '../support/mesh.js'

describe('what a member wrote right before its death', () => {
  it.each([
    ['by a crash', false],
    ['with its whole host', true],
  ])('reaches all others when one of them heard it: it goes %s', async (_, silent) => {
    // Nobody forwards, as over libp2p in a full mesh.
    const mesh = await SimulatedMesh.of(4, 7, {}, { forwardPeersMax: 0 })
    await mesh.settled(mesh.cache(0).set('before', 1))
    await mesh.settled(mesh.node(0).peer.flush())
    for (const other of ['p03', 'p04']) {
      mesh.network.configureLink('p01', other, { lossProbability: 1 })
    }
    await mesh.settled(mesh.cache(0).set('last', 'words'))
    await mesh.advance(100)
    expect([1, 2, 3].map((i) => mesh.cache(i).peek('last'))).toEqual([
      'words',
      undefined,
      undefined,
    ])
    mesh.crash(mesh.node(0), { silent })
    const all = () => [1, 2, 3].every((i) => mesh.cache(i).peek('last') === 'words')
    await mesh.runUntil(all, 20_000)
    expect(all()).toBe(true)
  })
})

describe('what each of two members missed of a dead one', () => {
  it('they get from each other', async () => {
    const mesh = await SimulatedMesh.of(3, 11, {}, { forwardPeersMax: 0 })
    const lose = (to: string, lossProbability: number) =>
      mesh.network.configureLink('p01', to, { lossProbability })
    await mesh.settled(mesh.cache(0).set('before', 1))
    await mesh.settled(mesh.node(0).peer.flush())
    lose('p02', 1)
    await mesh.settled(mesh.cache(0).set('first', 1))
    await mesh.advance(50)
    lose('p02', 0)
    lose('p03', 1)
    await mesh.settled(mesh.cache(0).set('second', 2))
    await mesh.advance(50)
    mesh.crash(mesh.node(0))
    const all = () =>
      [1, 2].every((i) => mesh.cache(i).peek('first') === 1 && mesh.cache(i).peek('second') === 2)
    await mesh.runUntil(all, 20_000)
    expect(all()).toBe(true)
  })
})

describe('flush', () => {
  it('waits for a member that has just become ready, and for one that is still joining', async () => {
    const mesh = await SimulatedMesh.of(2, 3)
    const joiner = await mesh.start()
    await mesh.runUntil(() => mesh.node(0).peer.members.length === 3, 10_000)
    await mesh.settled(mesh.cache(0).set('k', 'v'))
    await mesh.settled(mesh.node(0).peer.flush())
    expect(joiner.peer.cache('c').peek('k')).toBe('v')
  })
})
