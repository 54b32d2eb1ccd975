/** Who is called dead, how soon, and above all who is not. */
import { describe, expect, it, vi } from 'vitest'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { DialError } from '../../src/services/ports.js'
import { type MeshNode, SimulatedMesh } from '../support/mesh.js'
import { testSeed } from '../support/random.js'

const seed = testSeed()

/** Simulated runs with stalls: 1,000 is the long form. */
const STALL_RUNS = Number(process.env.HEARSAY_TEST_STALLS ?? 60)

/** Everything that anybody said about somebody, in words. */
function toldOf(mesh: SimulatedMesh, state: string): string[] {
  return mesh.nodes.flatMap(({ id, told }) =>
    told.filter((one) => one.state === state).map((one) => `${id} calls ${one.id} ${state}`),
  )
}

function stateOf(observer: MeshNode, id: string): string | undefined {
  return observer.peer.members.find((member) => member.id === id)?.state
}

/** Lets time pass until all others take somebody to be dead. Returns how long that took, in ms. */
async function timeToDeath(
  mesh: SimulatedMesh,
  victim: MeshNode,
  limitMs: number,
): Promise<number> {
  const startMs = mesh.time.monotonicMs()
  const observers = mesh.running()
  await mesh.runUntil(() => observers.every((one) => stateOf(one, victim.id) === 'dead'), limitMs)
  return mesh.time.monotonicMs() - startMs
}

describe(`failure detection, seed ${seed}`, () => {
  it(`calls nobody dead for a stall of up to 3 s of its own, or of any length of an observer, in ${STALL_RUNS} runs`, async () => {
    for (let i = 0; i < STALL_RUNS; i++) {
      // Now and then one in which each member is watched by a few.
      const mesh = await SimulatedMesh.of(i % 10 === 9 ? 16 : 5, seed + i)
      const random = new SimulatedRandom(seed + i)
      // From before the rhythm of heartbeats is known until long after.
      await mesh.advance(random.next() * 7_000)
      const observer = mesh.nodes.at(-1) as MeshNode
      const victim = mesh.node(Math.floor(random.next() * (mesh.nodes.length - 1)))
      const observerMs = 500 * 240 ** random.next()
      const whats = [
        () => mesh.stall(victim, 3_000 * (random.next() < 0.5 ? 1 : random.next())),
        () => mesh.stall(observer, observerMs),
      ]
      if (random.next() < 0.5) whats.reverse()
      for (const stall of whats) {
        stall()
        await mesh.advance(random.next() * 3_000)
      }
      await mesh.advance(observerMs + 8_000)
      const wrong = mesh.nodes.flatMap(({ id, told }) =>
        told
          .filter(({ state }) => state === 'dead')
          // One that stands still for long is dead to the others, and they to nobody.
          .filter((death) => id === observer.id || death.id !== observer.id || observerMs < 3_000)
          .map((death) => `${id} calls ${death.id} dead at ${death.atMs}`),
      )
      expect(wrong, `seed ${seed + i}, observer ${observerMs} ms`).toEqual([])
      await mesh.settle(30_000)
    }
  }, 600_000)

  it('never calls a member dead that stands still for 2 s again and again', async () => {
    const mesh = await SimulatedMesh.of(5, seed)
    for (let i = 0; i < 10; i++) {
      mesh.stall(mesh.node(2), 2_000)
      await mesh.advance(3_500)
    }
    expect(toldOf(mesh, 'dead')).toEqual([])
  })

  it.each([700, 3_000, 7_000, 20_000, 60_000])(
    'convicts nobody after the observer itself stood still for %i ms',
    async (stallMs) => {
      const mesh = await SimulatedMesh.of(5, seed)
      await mesh.advance(5_000)
      const observer = mesh.node(3)
      mesh.stall(observer, stallMs)
      await mesh.advance(stallMs + 100)
      const said = observer.log.filter((line) => line.includes('this process stood still'))
      expect(said).toHaveLength(1)
      await mesh.settle(30_000)
      await mesh.advance(10_000)
      expect(toldOf(mesh, 'dead').filter((text) => text.startsWith(observer.id))).toEqual([])
      expect(mesh.isSettled(), mesh.describe()).toBe(true)
    },
  )

  it('takes no death from hearsay while it hears the member itself', async () => {
    const mesh = await SimulatedMesh.of(4, seed)
    await mesh.advance(5_000)
    const [a, b] = [mesh.node(0), mesh.node(1)]
    // Only these two cannot reach each other; the others hear both.
    mesh.network.cut(a.id, b.id)
    await mesh.advance(30_000)
    expect(toldOf(mesh, 'dead')).toEqual([])
    mesh.network.heal()
    await mesh.settle()
  })

  it('calls a killed process dead well under a second, because its host refuses', async () => {
    const mesh = await SimulatedMesh.of(5, seed)
    await mesh.advance(5_000)
    const victim = mesh.node(2)
    mesh.crash(victim)
    expect(await timeToDeath(mesh, victim, 10_000)).toBeLessThan(800)
    await mesh.settle()
    await mesh.runUntil(() => !mesh.node(0).peer.ring.members.includes(victim.id), 200)
  })

  it('calls several that were killed at once dead as soon', async () => {
    const mesh = await SimulatedMesh.of(6, seed)
    await mesh.advance(5_000)
    const victims = [mesh.node(1), mesh.node(3), mesh.node(4)]
    for (const victim of victims) mesh.crash(victim)
    for (const victim of victims)
      expect(await timeToDeath(mesh, victim, 10_000)).toBeLessThan(1_000)
  })

  it('calls a member dead within 6 s that fell silent, at ten members', async () => {
    const mesh = await SimulatedMesh.of(10, seed)
    await mesh.advance(10_000)
    const victim = mesh.node(4)
    mesh.crash(victim, { silent: true })
    expect(await timeToDeath(mesh, victim, 20_000)).toBeLessThanOrEqual(6_000)
    expect(new Set(toldOf(mesh, 'dead').map((text) => text.split(' ')[2]))).toEqual(
      new Set([victim.id]),
    )
  })

  it('takes a member back that was dead and comes again, at the same address', async () => {
    const mesh = await SimulatedMesh.of(3, seed)
    const victim = mesh.node(1)
    const port = Number(victim.peer.addresses[0]?.split('/')[4])
    mesh.crash(victim, { silent: true })
    await timeToDeath(mesh, victim, 20_000)
    const again = await mesh.start({ id: victim.id, port })
    await mesh.settle()
    const known = mesh.node(0).peer.members.find(({ id }) => id === again.id)
    expect(known?.incarnation).toBe(again.peer.members[0]?.incarnation)
  })

  describe('with two members only', () => {
    it('calls the other dead when it was killed', async () => {
      const mesh = await SimulatedMesh.of(2, seed)
      await mesh.advance(5_000)
      mesh.crash(mesh.node(1))
      expect(await timeToDeath(mesh, mesh.node(1), 10_000)).toBeLessThan(800)
    })

    it('calls the other dead when it fell silent', async () => {
      const mesh = await SimulatedMesh.of(2, seed)
      await mesh.advance(5_000)
      mesh.crash(mesh.node(0), { silent: true })
      expect(await timeToDeath(mesh, mesh.node(0), 20_000)).toBeLessThan(8_000)
    })

    it('waits for the other when it stands still for 3 s', async () => {
      const mesh = await SimulatedMesh.of(2, seed)
      await mesh.advance(5_000)
      mesh.stall(mesh.node(0), 3_000)
      await mesh.advance(10_000)
      expect(toldOf(mesh, 'dead')).toEqual([])
      expect(mesh.isSettled(), mesh.describe()).toBe(true)
    })
  })
})

describe(`evidence that lies, seed ${seed}`, () => {
  it('calls nobody dead whose host refuses one member, and then two, behind a firewall', async () => {
    const mesh = await SimulatedMesh.of(6, seed)
    await mesh.advance(5_000)
    const victim = mesh.node(2)
    for (const observer of [mesh.node(0), mesh.node(4)]) {
      refuse(observer, victim)
      await observer.transport.hangUp(victim.id)
      await mesh.advance(20_000)
      expect(observer.transport.isConnected(victim.id)).toBe(false)
    }
    expect(toldOf(mesh, 'dead')).toEqual([])
    for (const { peer } of mesh.running()) expect(peer.ring.members).toContain(victim.id)
  })

  it.each([
    [4, 2],
    [5, 3],
    [6, 4],
  ])('calls nobody of %i dead whose host refuses %i at once', async (count, refused) => {
    const mesh = await SimulatedMesh.of(count, seed)
    await mesh.advance(5_000)
    const victim = mesh.node(0)
    const observers = mesh.nodes.slice(1, 1 + refused)
    for (const observer of observers) refuse(observer, victim)
    for (const observer of observers) await observer.transport.hangUp(victim.id)
    await mesh.advance(20_000)
    for (const { transport } of observers) expect(transport.isConnected(victim.id)).toBe(false)
    expect(toldOf(mesh, 'dead')).toEqual([])
    for (const { peer } of mesh.running()) expect(peer.ring.members).toContain(victim.id)
  })

  it('lets those whom a host refuses say so now and then, and not answer each other without end', async () => {
    let told = 0
    const mesh = await SimulatedMesh.of(
      6,
      seed,
      {},
      {
        observer: {
          published: (_, topic) => {
            if (topic.endsWith('/members')) told++
          },
        },
      },
    )
    await mesh.advance(5_000)
    const victim = mesh.node(0)
    const observers = mesh.nodes.slice(1, 5)
    for (const observer of observers) refuse(observer, victim)
    told = 0
    for (const observer of observers) await observer.transport.hangUp(victim.id)
    await mesh.advance(20_000)
    // Each once in 5 s, and the victim refutes it.
    expect(told).toBeLessThanOrEqual((20 / 5 + 1) * observers.length * 2)
  })

  it('calls a killed member dead within 6 s though another process has taken over its port', async () => {
    const mesh = await SimulatedMesh.of(5, seed)
    await mesh.advance(5_000)
    const victim = mesh.node(2)
    const port = Number(victim.peer.addresses[0]?.split('/')[4])
    mesh.crash(victim)
    const usurper = mesh.network.transport({ id: 'usurper', port })
    await usurper.start({ topics: [], protocols: [] }, silentHandlers)
    expect(await timeToDeath(mesh, victim, 20_000)).toBeLessThanOrEqual(6_000)
    expect(new Set(toldOf(mesh, 'dead').map((text) => text.split(' ')[2]))).toEqual(
      new Set([victim.id]),
    )
  })

  it.each([-600_000, 600_000])(
    'suspects nobody, and is suspected by nobody, when its wall clock steps by %i ms',
    async (byMs) => {
      const mesh = await SimulatedMesh.of(4, seed)
      await mesh.advance(5_000)
      for (const { told } of mesh.nodes) told.length = 0
      mesh.node(1).time.setOffset(byMs)
      await mesh.advance(20_000)
      expect(toldOf(mesh, 'suspect')).toEqual([])
      mesh.node(1).time.setOffset(0)
      await mesh.advance(20_000)
      expect(toldOf(mesh, 'suspect')).toEqual([])
    },
  )

  it('calls nobody dead whom it alone cannot hear, for others are asked to ask', async () => {
    const mesh = await SimulatedMesh.of(3, seed, {}, { forwardPeersMax: 0 })
    await mesh.advance(5_000)
    mesh.network.cut(mesh.node(0).id, mesh.node(2).id)
    await mesh.advance(60_000)
    expect(toldOf(mesh, 'dead')).toEqual([])
    mesh.network.heal()
    await mesh.settle()
  })

  it.each([2, 4])(
    'calls nobody of %i dead whose messages get lost, while it answers',
    async (count) => {
      const mesh = await SimulatedMesh.of(count, seed, {}, { forwardPeersMax: 0 })
      await mesh.advance(5_000)
      const mute = mesh.node(1)
      for (const { id } of mesh.nodes) {
        mesh.network.configureLink(mute.id, id, { lossProbability: 1 })
      }
      await mesh.advance(60_000)
      expect(toldOf(mesh, 'dead')).toEqual([])
    },
  )

  it('hears of a death from others though it stands still again and again itself', async () => {
    const mesh = await SimulatedMesh.of(5, seed)
    await mesh.advance(5_000)
    const [observer, victim] = [mesh.node(0), mesh.node(3)]
    mesh.crash(victim, { silent: true })
    for (let i = 0; i < 20 && stateOf(observer, victim.id) !== 'dead'; i++) {
      mesh.stall(observer, 600)
      await mesh.advance(1_300)
    }
    expect(stateOf(observer, victim.id)).toBe('dead')
    expect(observer.peer.stats().stallCount).toBeGreaterThan(3)
  })

  it('gives others more time while its own event loop is late again and again', async () => {
    const mesh = await SimulatedMesh.of(4, seed)
    await mesh.advance(5_000)
    const observer = mesh.node(0)
    const victim = mesh.node(3)
    mesh.crash(victim, { silent: true })
    for (let i = 0; i < 20 && stateOf(observer, victim.id) !== 'dead'; i++) {
      // Too short to be called a stall.
      mesh.stall(observer, 400)
      await mesh.advance(500)
    }
    const convictedByMs = (node: MeshNode) =>
      node.told.find(({ id, state }) => id === victim.id && state === 'dead')?.atMs ?? Number.NaN
    await mesh.runUntil(() => stateOf(observer, victim.id) === 'dead', 30_000)
    expect(observer.peer.stats().healthScore).toBeGreaterThan(0)
    // It heard it from the others, whose loops were in time.
    expect(convictedByMs(observer)).toBeGreaterThanOrEqual(convictedByMs(mesh.node(1)))
  })
})

/** Nothing listens at the other's addresses, in the eyes of one member. */
function refuse(observer: MeshNode, victim: MeshNode): void {
  const { transport } = observer
  const { dial, probe } = transport
  const isTheirs = (address: string) =>
    victim.peer.addresses.some((theirs) => address.startsWith(theirs.split('/p2p/')[0] as string))
  vi.spyOn(transport, 'probe').mockImplementation(async (address) =>
    isTheirs(address) ? 'refused' : await probe.call(transport, address),
  )
  vi.spyOn(transport, 'dial').mockImplementation(async (addresses, id) => {
    if (addresses.every(isTheirs)) throw new DialError('refused', 'refused by a firewall')
    return await dial.call(transport, addresses, id)
  })
  vi.spyOn(victim.transport, 'dial').mockImplementation(async () => {
    throw new DialError('unreachable', 'a firewall')
  })
}

const silentHandlers = {
  connected: () => {},
  connectedAgain: () => {},
  disconnected: () => {},
  message: () => {},
  channel: () => {},
  found: () => {},
}
