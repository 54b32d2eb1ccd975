/**
 * Whatever comes over the wire: a peer counts what it cannot use, drops it and lives on. Random bytes, and messages
 * that were valid before they were cut short or had a bit turned, on every topic and every stream protocol.
 */
import { describe, expect, it } from 'vitest'
import type { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { noPartitions } from '../../src/core/placement.js'
import { asksCodec } from '../../src/protocol/asks.js'
import { helloCodec, membersNewsCodec, stateRequestCodec } from '../../src/protocol/codec.js'
import { PROTOCOLS, topicsOf } from '../../src/services/topics.js'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()
const TOPICS = topicsOf('hearsay')

function randomBytes(random: SimulatedRandom): Uint8Array {
  const length = Math.floor(random.next() * 200)
  return Uint8Array.from({ length }, () => Math.floor(random.next() * 256))
}

/** A valid message, cut short or with one bit turned. */
function damaged(bytes: Uint8Array, random: SimulatedRandom): Uint8Array {
  const copy = new Uint8Array(bytes)
  if (random.next() < 0.5) return copy.subarray(0, Math.floor(random.next() * copy.length))
  const at = Math.floor(random.next() * copy.length)
  copy[at] = (copy[at] as number) ^ (1 << Math.floor(random.next() * 8))
  return copy
}

const droppedBy = ({ peer }: MeshNode) =>
  Object.values(peer.stats().droppedCount).reduce((sum, count) => sum + count, 0)

/** Three in their stride: one that talks nonsense, two that have to hear it. */
async function three() {
  const mesh = await SimulatedMesh.of(3, seed)
  await mesh.advance(3_000)
  const [target, source, other] = mesh.nodes as [MeshNode, MeshNode, MeshNode]
  return { mesh, target, source, other, random: mesh.random.fork('nonsense') }
}

/** The peers still take each other to be alive, and still share what is written. */
async function expectToLiveOn(mesh: SimulatedMesh): Promise<void> {
  await mesh.settle(30_000)
  for (const { peer, id } of mesh.nodes) {
    await mesh.settled(peer.cache('after').set(id, 'still here'))
    await mesh.settled(peer.flush())
  }
  expect(mesh.isConverged('after')).toBe(true)
  expect(mesh.cache(0, 'after').local.size).toBe(mesh.running().length)
}

describe(`nonsense, seed ${seed}`, () => {
  it.each(Object.entries(TOPICS))('on the topic %s is dropped and counted', async (_, topic) => {
    const { mesh, target, source, other, random } = await three()
    const before = droppedBy(target)
    for (let i = 0; i < 200; i++) {
      await source.transport.publish(topic, randomBytes(random))
      if (i % 10 === 0) await mesh.advance(5)
    }
    await mesh.advance(100)
    // Now and then random bytes mean something.
    expect(droppedBy(target) - before).toBeGreaterThan(190)
    expect(droppedBy(other) - before).toBeGreaterThan(190)
    await expectToLiveOn(mesh)
  })

  it.each(Object.entries(TOPICS))('made of valid messages on the topic %s', async (_, topic) => {
    const { mesh, target, source, random } = await three()
    const valid: Uint8Array[] = []
    const publish = source.transport.publish.bind(source.transport)
    source.transport.publish = async (name, bytes) => {
      if (name === topic) valid.push(bytes)
      await publish(name, bytes)
    }
    const cache = source.peer.cache('nonsense')
    for (let i = 0; i < 20; i++) {
      await mesh.settled(cache.set(`key ${i}`, { value: i }))
      await mesh.settled(cache.delete(`key ${i - 5}`))
      const news = {
        id: 'somebody',
        incarnation: i,
        state: 'dead',
        refused: true,
        opsEpoch: 0,
        opsSequence: 0,
      } as const
      if (topic === TOPICS.members) valid.push(membersNewsCodec.encode([news]))
      await mesh.advance(500)
    }
    expect(valid.length).toBeGreaterThan(5)
    const before = droppedBy(target)
    for (let i = 0; i < 500; i++) {
      const message = valid[Math.floor(random.next() * valid.length)] as Uint8Array
      await publish(topic, damaged(message, random))
      if (i % 10 === 0) await mesh.advance(5)
    }
    await mesh.advance(100)
    expect(droppedBy(target)).toBeGreaterThan(before)
    await expectToLiveOn(mesh)
  })

  it.each(Object.entries(PROTOCOLS))('in a %s stream is dropped', async (name, protocol) => {
    const { mesh, target, source, random } = await three()
    const hello = {
      mesh: 'hearsay',
      protocolMinor: 0,
      replicas: 'all',
      partitions: 4096,
      virtualNodes: 256,
      tombstoneGraceMs: 3_600_000,
      instance: 'instance2',
      clock: { wallMs: 1, counter: 0 },
      self: {
        id: source.id,
        name: 'x',
        incarnation: 1,
        status: 'serving',
        role: 'owner',
        addresses: [],
      },
      members: [],
      wallMs: 0,
      uptimeMs: 0,
      rings: [[source.id]],
    } as const
    const partitions = noPartitions().fill(1)
    const valid: Record<string, Uint8Array> = {
      hello: helloCodec.encode(hello),
      state: stateRequestCodec.encode({
        fromPartition: 4_000,
        partitions: undefined,
        ring: 0n,
        held: undefined,
      }),
      requests: asksCodec.encode({
        asks: [
          { id: 1, body: { kind: 'confirm', epoch: 1_000_000, sequence: 5 } },
          {
            id: 2,
            body: { kind: 'read', keys: [{ cache: 'c', key: 'key' }], ring: 0n, large: false },
          },
          {
            id: 3,
            body: { kind: 'scan', cache: 'c', partitions, fromPartition: 0, countOnly: false },
          },
        ],
        cancelled: [1],
      }),
    }
    const message = valid[name] ?? new Uint8Array([1])
    const before = droppedBy(target)
    for (let i = 0; i < 150; i++) {
      // A hello that cannot be read may end the connection.
      if (!source.transport.isConnected(target.id)) {
        await mesh.settled(source.transport.dial(target.peer.addresses, target.id))
      }
      const open = source.transport.open(target.id, protocol)
      const channel = await mesh.settled(open.catch(() => undefined))
      if (channel === undefined) continue
      const bytes = i % 2 === 0 ? randomBytes(random) : damaged(message, random)
      await channel.send(bytes).catch(() => {})
      if (i % 3 === 0) await channel.close()
      if (i % 3 === 1) channel.abort(new Error('enough'))
      await mesh.advance(2)
    }
    await mesh.advance(5_000)
    expect(droppedBy(target)).toBeGreaterThan(before + 20)
    await expectToLiveOn(mesh)
  })

  it('in answers about the state is counted, and the joiner goes to somebody else', async () => {
    const { mesh, source, random } = await three()
    for (let i = 0; i < 100; i++) await mesh.settled(mesh.cache(0).set(`key ${i}`, i))
    await mesh.settled(mesh.node(0).peer.flush())
    // One of three answers nonsense.
    const accept = source.transport.accept.bind(source.transport)
    source.transport.accept = (protocol, channel) => {
      if (protocol === PROTOCOLS.state) {
        const send = channel.send.bind(channel)
        channel.send = () => send(randomBytes(random))
      }
      return accept(protocol, channel)
    }
    for (let i = 0; i < 5; i++) {
      const joiner = await mesh.start()
      await mesh.settled(joiner.peer.ready())
      expect(joiner.peer.cache('c').local.size).toBe(100)
    }
    await expectToLiveOn(mesh)
  })

  it('of a thousand strangers is not remembered without bound', async () => {
    const { mesh, target } = await three()
    const { transport } = await mesh.stranger('stranger')
    await mesh.settled(transport.dial(target.peer.addresses))
    await mesh.advance(100)
    for (let i = 0; i < 1_000; i++) {
      const member = {
        id: `m${i}`,
        name: 'x',
        incarnation: 1,
        status: 'serving',
        role: 'owner',
        addresses: [],
      } as const
      const news = {
        id: member.id,
        incarnation: 1,
        state: 'alive',
        refused: false,
        opsEpoch: 0,
        opsSequence: 0,
        member,
      } as const
      await transport.publish(TOPICS.members, membersNewsCodec.encode([news]))
    }
    await mesh.advance(100)
    expect(target.peer.members).toHaveLength(3)
  })
})
