/** News of members: what is believed, what is refuted, and what changes nothing. */
import { describe, expect, it } from 'vitest'
import { membersNewsCodec } from '../../src/protocol/codec.js'
import type { MemberNews } from '../../src/protocol/messages.js'
import { topicsOf } from '../../src/services/topics.js'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()
const TOPICS = topicsOf('hearsay')

/** Lets a member say something on the members topic that it would never say itself. */
async function say({ transport }: Pick<MeshNode, 'transport'>, news: Partial<MemberNews>) {
  const item = {
    id: '',
    incarnation: 0,
    state: 'alive',
    refused: false,
    opsEpoch: 0,
    opsSequence: 0,
    ...news,
  } as MemberNews
  await transport.publish(TOPICS.members, membersNewsCodec.encode([item]))
}

function seen(observer: MeshNode, id: string) {
  const member = observer.peer.members.find((one) => one.id === id)
  return { state: member?.state, incarnation: member?.incarnation }
}

/** A mesh of three in its stride: the liar, the victim and the observer. */
async function three() {
  const mesh = await SimulatedMesh.of(3, seed)
  await mesh.advance(5_000)
  const [liar, victim, observer] = mesh.nodes as [MeshNode, MeshNode, MeshNode]
  const incarnation = victim.peer.members[0]?.incarnation as number
  for (const { told } of mesh.nodes) told.length = 0
  return { mesh, liar, victim, observer, incarnation }
}

describe(`membership, seed ${seed}`, () => {
  it.each(['suspect', 'dead', 'left'] as const)(
    'has a member refute that it is %s, with a higher incarnation',
    async (state) => {
      const { mesh, liar, victim, observer, incarnation } = await three()
      await say(liar, { id: victim.id, incarnation, state })
      await mesh.advance(1_000)
      for (const node of [liar, observer]) {
        expect(seen(node, victim.id)).toEqual({ state: 'alive', incarnation: incarnation + 1 })
      }
      expect(victim.peer.members[0]?.incarnation).toBe(incarnation + 1)
    },
  )

  it.each(['suspect', 'dead', 'left', 'forgotten'] as const)(
    'lets a stale rumour that a member is %s change nothing',
    async (state) => {
      const { mesh, liar, victim, incarnation } = await three()
      await say(liar, { id: victim.id, incarnation: incarnation - 1, state })
      await mesh.advance(2_000)
      expect(mesh.nodes.flatMap(({ told }) => told)).toEqual([])
      expect(mesh.isSettled()).toBe(true)
      expect(victim.peer.members[0]?.incarnation).toBe(incarnation)
    },
  )

  it('takes a leave from the member itself alone', async () => {
    const { mesh, liar, victim, observer, incarnation } = await three()
    await say(liar, { id: victim.id, incarnation, state: 'left' })
    await mesh.advance(2_000)
    expect(observer.told.filter(({ state }) => state === 'left')).toEqual([])
    expect(mesh.isSettled()).toBe(true)
    await mesh.stop(victim)
    await mesh.advance(10)
    expect(seen(observer, victim.id).state).toBe('left')
    expect(seen(liar, victim.id).state).toBe('left')
  })

  it('has one that was killed called dead, and not left', async () => {
    const { mesh, victim, observer } = await three()
    mesh.crash(victim)
    await mesh.advance(2_000)
    expect(observer.told.map(({ state }) => state)).toEqual(['suspect', 'dead'])
  })

  it('takes an identity back that restarts before it was missed', async () => {
    const { mesh, victim, liar, observer, incarnation } = await three()
    const port = Number(victim.peer.addresses[0]?.split('/')[4])
    mesh.crash(victim)
    const again = await mesh.start({ id: victim.id, port })
    await mesh.settle(5_000)
    for (const node of [liar, observer]) {
      expect(node.told.map(({ state }) => state)).not.toContain('dead')
      expect(seen(node, victim.id).incarnation).toBeGreaterThan(incarnation)
    }
    await mesh.settled(again.peer.cache('c').set('key', 1))
    await mesh.settled(again.peer.flush())
    expect(observer.peer.cache('c').peek('key')).toBe(1)
  })

  it('takes an identity back whose clock is behind that of its earlier run', async () => {
    const { mesh, victim, observer, incarnation } = await three()
    const port = Number(victim.peer.addresses[0]?.split('/')[4])
    mesh.crash(victim)
    await mesh.advance(3_000)
    const again = await mesh.start({ id: victim.id, port, clockOffsetMs: -3_600_000 })
    await mesh.settle(10_000)
    expect(seen(observer, again.id).incarnation).toBeGreaterThan(incarnation)
  })

  it('drops and counts what comes from somebody who is no member', async () => {
    const { mesh, victim, observer, incarnation } = await three()
    const { transport } = await mesh.stranger('stranger')
    await mesh.settled(transport.dial(observer.peer.addresses))
    await mesh.advance(100)
    const dropped = () => observer.peer.stats().droppedCount['unknown author'] ?? 0
    const droppedBefore = dropped()
    await say({ transport }, { id: victim.id, incarnation: incarnation + 5, state: 'dead' })
    await transport.publish(TOPICS.ops, new Uint8Array([1]))
    await mesh.advance(1_000)
    expect(dropped() - droppedBefore).toBe(2)
    expect(mesh.isSettled()).toBe(true)
    expect(victim.peer.members[0]?.incarnation).toBe(incarnation)
  })

  it('forgets a dead member everywhere when it is told to, and no live one', async () => {
    const { mesh, victim, observer, liar } = await three()
    await expect(liar.peer.forget(victim.id)).rejects.toMatchObject({ code: 'MEMBER_LIVE' })
    await expect(liar.peer.forget('nobody')).rejects.toMatchObject({ code: 'UNKNOWN_MEMBER' })
    mesh.crash(victim)
    await mesh.advance(2_000)
    await mesh.settled(liar.peer.forget(victim.id))
    await mesh.advance(100)
    expect(seen(liar, victim.id).state).toBeUndefined()
    expect(seen(observer, victim.id).state).toBeUndefined()
  })

  it('takes a hello that calls somebody dead who is heard well for a rumour', async () => {
    const mesh = await SimulatedMesh.of(3, seed, {}, { forwardPeersMax: 0 })
    const [witness, accuser, accused] = mesh.nodes as [MeshNode, MeshNode, MeshNode]
    // From nobody else either: one that is pinged in its stead would answer.
    mesh.network.split([accuser.id], [witness.id, accused.id])
    const isDead = ({ id, state }: { id: string; state: string }) =>
      id === accused.id && state === 'dead'
    await mesh.runUntil(() => accuser.told.some(isDead))
    mesh.network.heal(accuser.id, witness.id)
    await mesh.runUntil(() => witness.transport.gossipsWith(accuser.id))
    await mesh.advance(1_000)
    expect(witness.told.filter(isDead)).toEqual([])
  })

  it('lets a peer that left come again', async () => {
    const { mesh, victim, observer } = await three()
    await mesh.stop(victim)
    await mesh.advance(1_000)
    await mesh.start({ id: victim.id })
    await mesh.settle(10_000)
    expect(seen(observer, victim.id).state).toBe('alive')
  })

  it('agrees on one view when many come and go at once', async () => {
    const mesh = await SimulatedMesh.of(4, seed)
    const [a, b] = mesh.nodes as [MeshNode, MeshNode]
    const starting = Promise.all([mesh.start(), mesh.start(), mesh.start()])
    mesh.crash(b)
    const stopping = mesh.stop(mesh.node(2))
    await Promise.all([starting, stopping])
    await mesh.settle(10_000)
    const views = new Set(mesh.running().map(({ peer }) => peer.ring.members.join()))
    expect([...views]).toHaveLength(1)
    expect(a.peer.ring.members).toHaveLength(5)
  })

  it('takes one back that was started anew behind a broken link, on the word of others', async () => {
    const mesh = await SimulatedMesh.of(5, seed, { replicas: 3 })
    await mesh.advance(5_000)
    const [observer, victim] = [mesh.node(1), mesh.node(4)]
    const port = Number(victim.peer.addresses[0]?.split('/')[4])
    mesh.network.cut(observer.id, victim.id)
    await mesh.advance(2_000)
    mesh.crash(victim)
    await mesh.runUntil(() => seen(observer, victim.id).state === 'dead', 20_000)
    await mesh.advance(10_000)
    await mesh.start({ id: victim.id, port })
    await mesh.runUntil(() => observer.peer.ring.members.includes(victim.id), 20_000)
    await mesh.advance(5_000)
    // What was known of the clocks of its earlier life is of another one.
    expect(Math.abs(observer.peer.stats().clockSkewMs)).toBeLessThan(1_000)
    const cache = observer.peer.cache<number>('c')
    for (let i = 0; i < 20; i++) {
      await mesh.settled(cache.set(`key-${i}`, i, { ack: 'quorum' }))
      expect(await mesh.settled(cache.get(`key-${i}`, { consistency: 'quorum' }))).toBe(i)
    }
  })
})
