/**
 * The mesh that apps use in their own tests. What is judged here is the tool: that each fault is what it says, that
 * waits end or tell why not, and that a seed repeats a run. What peers make of faults is judged by their own tests.
 */
import { setImmediate as turnOfEventLoop } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { MemberInfo, Peer } from '../../src/api.js'
import { InvalidOptionError, UnreachableError } from '../../src/errors.js'
import {
  type SimulatedMesh,
  type SimulatedMeshOptions,
  simulateMesh,
} from '../../src/testing/index.js'

const EPOCH_MS = Date.UTC(2026, 0, 1)

/** Simulated time after which any silence has been noticed: connections break, and suspects are called dead. */
const NOTICED_MS = 12_000

const meshes: SimulatedMesh[] = []

afterEach(async () => {
  for (const mesh of meshes.splice(0)) await mesh.stop()
})

/** A mesh that is stopped when the test is over. */
async function simulated(options: SimulatedMeshOptions = {}): Promise<SimulatedMesh> {
  const mesh = await simulateMesh({ seed: 7, ...options })
  meshes.push(mesh)
  return mesh
}

/** A mesh of three, and its peers; each keeps everything, unless the options say otherwise. */
async function three(
  options: SimulatedMeshOptions = {},
): Promise<{ mesh: SimulatedMesh; ada: Peer; bob: Peer; cyd: Peer }> {
  const peerOptions = { replicas: 'all', ...options.options } as const
  const mesh = await simulated({ ...options, options: peerOptions, peers: 3 })
  return { mesh, ada: mesh.peer(0), bob: mesh.peer(1), cyd: mesh.peer(2) }
}

/** What each of some peers holds of one key. */
function peeked(peers: readonly Peer[], key: string): unknown[] {
  return peers.map((peer) => peer.cache('c').peek(key))
}

/** How many entries each of some peers holds. */
function sizes(peers: readonly Peer[]): number[] {
  return peers.map((peer) => peer.cache('c').local.size)
}

/** As what one peer takes another. */
function stateOf(peer: Peer, seenBy: Peer): string | undefined {
  return seenBy.members.find(({ id }) => id === peer.id)?.state
}

/** Notes every change of a member's state that a peer tells of, with the simulated time. */
function notesOf(mesh: SimulatedMesh, peer: Peer): string[] {
  const notes: string[] = []
  const note = ({ id, state }: MemberInfo) => {
    notes.push(`${mesh.now() - EPOCH_MS} ${peer.id}: ${id} ${state}`)
  }
  for (const state of ['alive', 'suspect', 'dead', 'left'] as const) {
    peer.on(`member:${state}`, note)
  }
  return notes
}

async function setMany(peer: Peer, count: number): Promise<void> {
  const entries = Array.from({ length: count }, (_, i) => [`key-${i}`, i] as const)
  await peer.cache<number>('c').setMany(entries)
}

describe('simulateMesh refuses', () => {
  it.each([0, -1, 1.5, 1_001, Number.NaN])(
    '%s peers, and says how many there may be',
    async (peers) => {
      await expect(simulateMesh({ peers })).rejects.toThrow(
        new RangeError(`peers is ${peers}, it must be a whole number from 1 to 1000`),
      )
    },
  )

  it.each([0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('the seed %s', async (seed) => {
    await expect(simulateMesh({ seed })).rejects.toThrow(
      new RangeError(`seed is ${seed}, not a whole number`),
    )
  })

  it('an option that peers do not have, by name', async () => {
    const options = { maxItem: 5 } as object
    const error = await simulateMesh({ options }).catch((error) => error)
    expect(error).toBeInstanceOf(InvalidOptionError)
    expect(error).toMatchObject({ option: 'maxItem' })
  })

  it('an option out of range, by name', async () => {
    const error = await simulateMesh({ options: { maxItems: 0 } }).catch((error) => error)
    expect(error).toBeInstanceOf(InvalidOptionError)
    expect(error).toMatchObject({ option: 'maxItems' })
  })

  it('an option of its own that there is not, by name', async () => {
    const error = await simulateMesh({ peer: 5 } as object).catch((error) => error)
    expect(error).toBeInstanceOf(InvalidOptionError)
    expect(error).toMatchObject({ option: 'peer' })
  })

  it.each<object>([
    { lossProbability: 2 },
    { duplicateProbability: Number.NaN },
    { delayMs: { min: 5 } },
    { delayMs: { min: 5, max: 4 } },
    { reorderDelayMaxMs: -1 },
    { lossProbabilty: 0.5 },
  ])('the network %j, and degrade does', async (network) => {
    await expect(simulateMesh({ network })).rejects.toThrow(InvalidOptionError)
    const mesh = await simulated({ peers: 1 })
    expect(() => mesh.degrade(network)).toThrow(InvalidOptionError)
  })

  it('a network on which peers cannot find each other, and tells who sees whom', async () => {
    const error = await simulateMesh({ peers: 2, network: { lossProbability: 1 } }).catch(String)
    expect(error).toMatch(/^Error: not settled after 60000 simulated ms, seed 1:\n/)
    // Pings go through; what is published does not.
    expect(error).toMatch(/^p02 joining, sees p02:alive p01:alive$/m)
  })
})

describe('a mistake in a test fails at once', () => {
  it('the restart of a peer that runs', async () => {
    const { mesh, ada } = await three()
    await expect(mesh.restart(ada)).rejects.toThrow(/p01 is running/)
    expect(mesh.peers).toHaveLength(3)
  })

  it('the restart of a peer that was restarted already', async () => {
    const { mesh, ada } = await three()
    mesh.crash(ada)
    await mesh.restart(ada)
    await expect(mesh.restart(ada)).rejects.toThrow(/p01 is running/)
    await mesh.settle()
    expect(mesh.peers).toHaveLength(3)
  })

  it.each<[string, (mesh: SimulatedMesh, peers: Record<'ada' | 'bob', Peer>) => void]>([
    ['of one group', (mesh, { ada }) => mesh.partition([ada])],
    ['of no group', (mesh) => mesh.partition()],
    [
      'of peers that are no groups',
      (mesh, { ada, bob }) => mesh.partition(ada as never, bob as never),
    ],
    ['with a peer in two groups', (mesh, { ada, bob }) => mesh.partition([ada], [bob, ada])],
    ['with an empty group', (mesh, { ada }) => mesh.partition([ada], [])],
  ])('a partition %s', async (_, cut) => {
    const { mesh, ada, bob } = await three()
    expect(() => cut(mesh, { ada, bob })).toThrow(RangeError)
  })

  it('a partition with an empty group: says which', async () => {
    const { mesh, ada, bob } = await three()
    const message = 'partition: group 2 of 3 is empty'
    expect(() => mesh.partition([ada], [], [bob])).toThrow(new RangeError(message))
  })

  it.each<[string, string, (mesh: SimulatedMesh, peers: Record<'ada' | 'bob', Peer>) => unknown]>([
    [
      'partition',
      'oneway',
      (mesh, { ada, bob }) => mesh.partition([ada], [bob], { oneway: true } as never),
    ],
    ['crash', 'quiet', (mesh, { ada }) => mesh.crash(ada, { quiet: true } as never)],
    ['run', 'limit', (mesh) => mesh.run(Promise.resolve(), { limit: 5 } as never)],
    ['until', 'limit', (mesh) => mesh.until(() => true, { limit: 5 } as never)],
    ['settle', 'limit', (mesh) => mesh.settle({ limit: 5 } as never)],
  ])('an option that %s does not have, by its name, %s', async (_, option, call) => {
    const { mesh, ada, bob } = await three()
    const error = await (async () => call(mesh, { ada, bob }))().catch((error) => error)
    expect(error).toBeInstanceOf(InvalidOptionError)
    expect(error).toMatchObject({ option })
    expect(mesh.peers).toHaveLength(3)
    await mesh.settle()
  })

  it.each([undefined, null, 'p01', {}])('what is no peer, such as %j', async (stranger) => {
    const { mesh, ada } = await three()
    const none = stranger as never
    const what = /is no peer$/
    expect(() => mesh.crash(none)).toThrow(TypeError)
    expect(() => mesh.crash(none)).toThrow(what)
    expect(() => mesh.stall(none, 1_000)).toThrow(what)
    expect(() => mesh.stepClock(none, 1_000)).toThrow(what)
    expect(() => mesh.logs(none)).toThrow(what)
    expect(() => mesh.partition([ada], [none])).toThrow(what)
    await expect(mesh.restart(none)).rejects.toThrow(what)
  })

  it.each<[string, (mesh: SimulatedMesh, peer: Peer) => void]>([
    ['the crash', (mesh, peer) => mesh.crash(peer)],
    ['a stall', (mesh, peer) => mesh.stall(peer, 1_000)],
    ['a step of the clock', (mesh, peer) => mesh.stepClock(peer, 1_000)],
  ])('%s of a peer that was crashed or stopped', async (_, hit) => {
    const { mesh, ada, bob } = await three()
    mesh.crash(ada)
    expect(() => hit(mesh, ada)).toThrow(/p01 is not running/)
    await mesh.stop()
    expect(() => hit(mesh, bob)).toThrow(/p02 is not running/)
  })

  it('what is done to the object of a process that has been replaced', async () => {
    const { mesh, ada } = await three()
    mesh.crash(ada)
    const back = await mesh.restart(ada)
    expect(() => mesh.crash(ada)).toThrow(/p01 is not running/)
    mesh.crash(back)
  })

  it.each<[string, (mesh: SimulatedMesh, peer: Peer) => unknown]>([
    ['crash', (mesh, peer) => mesh.crash(peer)],
    ['restart', (mesh, peer) => mesh.restart(peer)],
    ['stall', (mesh, peer) => mesh.stall(peer, 1_000)],
    ['stepClock', (mesh, peer) => mesh.stepClock(peer, 1_000)],
    ['logs', (mesh, peer) => mesh.logs(peer)],
    ['partition', (mesh, peer) => mesh.partition([mesh.peer(0)], [peer])],
  ])('%s of a peer of another mesh, though it has the id of one of this', async (_, hit) => {
    const mesh = await simulated({ peers: 1 })
    const stranger = (await simulated({ peers: 1 })).peer(0)
    expect(stranger.id).toBe(mesh.peer(0).id)
    await expect((async () => hit(mesh, stranger))()).rejects.toThrow(/no peer of this mesh/)
  })

  it('a peer asked for by a number that there is not', async () => {
    const { mesh, cyd } = await three()
    expect(() => mesh.peer(3)).toThrow(new RangeError('peer(3): 3 peers run, counted from 0'))
    expect(() => mesh.peer(-1)).toThrow(RangeError)
    mesh.crash(cyd)
    expect(() => mesh.peer(2)).toThrow(RangeError)
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '10', null])(
    'time that advances by %j, stalls of so much, and waits of at most so much',
    async (given) => {
      const { mesh, ada } = await three()
      const ms = given as number
      const before = mesh.now()
      const wrong = /is no finite number of ms from 0 on$/
      await expect(mesh.advance(ms)).rejects.toThrow(RangeError)
      await expect(mesh.advance(ms)).rejects.toThrow(wrong)
      expect(() => mesh.stall(ada, ms)).toThrow(RangeError)
      const options = { limitMs: ms }
      await expect(mesh.settle(options)).rejects.toThrow(RangeError)
      await expect(mesh.until(() => false, options)).rejects.toThrow(RangeError)
      await expect(mesh.run(new Promise(() => {}), options)).rejects.toThrow(wrong)
      expect(mesh.now()).toBe(before)
    },
  )

  it('a text for a number, which is told from one', async () => {
    const { mesh } = await three()
    await expect(mesh.advance('10' as never)).rejects.toThrow('advance: "10" is no')
    const limit = mesh.until(() => true, { limitMs: Number.NaN })
    await expect(limit).rejects.toThrow('limitMs of until: NaN is no')
  })

  it('a clock that steps by what is no number', async () => {
    const { mesh, ada } = await three()
    expect(() => mesh.stepClock(ada, Number.NaN)).toThrow(RangeError)
  })

  it('time that is let pass twice at once', async () => {
    const { mesh } = await three()
    const first = mesh.advance(1_000)
    await expect(mesh.advance(1_000)).rejects.toThrow(/already being advanced/)
    await first
  })

  it('a peer started with a wrong option, and the mesh goes on without it', async () => {
    const { mesh } = await three()
    await expect(mesh.start({ maxItems: -1 })).rejects.toThrow(InvalidOptionError)
    await mesh.settle()
    expect(mesh.peers).toHaveLength(3)
  })
})

describe('a wait that cannot end', () => {
  it('settle: says who sees what, and names the seed', async () => {
    const { mesh, ada, bob, cyd } = await three({ seed: 4_711 })
    mesh.partition([ada], [bob, cyd])
    await mesh.advance(NOTICED_MS)
    const error = await mesh.settle({ limitMs: 1_000 }).catch(String)
    expect(error).toMatch(/^Error: not settled after 1000 simulated ms, seed 4711:\n/)
    expect(error).toMatch(/^p01 serving, sees p01:alive p0[23]:dead p0[23]:dead$/m)
    expect(error).toMatch(/^p02 serving, sees p02:alive (p01:dead p03:alive|p03:alive p01:dead)$/m)
  })

  it('settle: when all see each other, but what they hold differs', async () => {
    const { mesh, ada } = await three()
    for (let i = 0; i < 7; i++) await ada.cache('c').set(`key-${i}`, 'not sent yet')
    const error = await mesh.settle({ limitMs: 0 }).catch(String)
    expect(error).toMatch(/^Error: not settled after 0 simulated ms, seed 7:\n/)
    expect(error).toMatch(/^cache c, key key-0: p01:\S+-p01 p02:nothing p03:nothing$/m)
    expect(error).toMatch(/\nand 2 more keys$/)
  })

  it('settle: while a peer stands still, and says which', async () => {
    const { mesh, bob } = await three()
    mesh.stall(bob, 2_000)
    const error = await mesh.settle({ limitMs: 1_000 }).catch(String)
    expect(error).toMatch(/\np02 stands still$/)
  })

  it('run: work that never ends, or not within the limit', async () => {
    const { mesh } = await three()
    const before = mesh.now()
    await expect(mesh.run(new Promise(() => {}))).rejects.toThrow(
      /60000 simulated ms, seed 7:\np01 serving, sees /,
    )
    expect(mesh.now() - before).toBeLessThanOrEqual(60_000)
    const never = () => new Promise(() => {})
    await expect(mesh.run(never, { limitMs: 500 })).rejects.toThrow(/500 simulated ms/)
  })

  it('until: a condition that never holds, which is shown', async () => {
    const { mesh } = await three()
    const condition = () => mesh.peers.length > 3
    const error = await mesh.until(condition, { limitMs: 500 }).catch(String)
    expect(error).toMatch(/500 simulated ms.*seed 7:\np01 serving, sees /)
    expect(error).toContain('mesh.peers.length > 3')
  })

  it('until: a condition that throws', async () => {
    const { mesh } = await three()
    const condition = () => {
      throw new Error('no such thing')
    }
    await expect(mesh.until(condition)).rejects.toThrow('no such thing')
  })

  it('and after each of them the mesh is still of use', async () => {
    const { mesh, ada, bob } = await three()
    await mesh.run(new Promise(() => {}), { limitMs: 100 }).catch(() => {})
    await mesh.until(() => false, { limitMs: 100 }).catch(() => {})
    await ada.cache('c').set('key', 'value')
    await mesh.settle()
    expect(bob.cache('c').peek('key')).toBe('value')
  })
})

describe('a partition', () => {
  it('keeps news away; heal and settle bring it', async () => {
    const { mesh, ada, bob, cyd } = await three()
    mesh.partition([ada], [bob, cyd])
    await ada.cache('c').set('from-ada', 1)
    await bob.cache('c').set('from-bob', 2)
    await mesh.advance(1_000)
    expect(peeked([ada, bob, cyd], 'from-ada')).toEqual([1, undefined, undefined])
    expect(peeked([ada, bob, cyd], 'from-bob')).toEqual([undefined, 2, 2])
    mesh.heal()
    await mesh.settle()
    expect(peeked([ada, bob, cyd], 'from-ada')).toEqual([1, 1, 1])
    expect(peeked([ada, bob, cyd], 'from-bob')).toEqual([2, 2, 2])
  })

  it('that lasts has each side call the other dead; then too, heal and settle bring all', async () => {
    const { mesh, ada, bob, cyd } = await three()
    mesh.partition([ada], [bob, cyd])
    await mesh.advance(NOTICED_MS)
    expect(stateOf(bob, ada)).toBe('dead')
    expect(stateOf(ada, bob)).toBe('dead')
    expect(stateOf(cyd, bob)).toBe('alive')
    await ada.cache('c').set('key', 'first')
    await mesh.advance(1)
    await bob.cache('c').set('key', 'later')
    mesh.heal()
    await mesh.settle()
    expect(peeked([ada, bob, cyd], 'key')).toEqual(['later', 'later', 'later'])
  })

  it('of three groups cuts each from the two others', async () => {
    const { mesh, ada, bob, cyd } = await three()
    mesh.partition([ada], [bob], [cyd])
    for (const peer of mesh.peers) await peer.cache('c').set(peer.id, true)
    await mesh.advance(1_000)
    for (const peer of mesh.peers) expect([...peer.cache('c').local.keys()]).toEqual([peer.id])
    mesh.heal()
    await mesh.settle()
    expect(sizes(mesh.peers)).toEqual([3, 3, 3])
  })

  it('one way: lets news through the other way only', async () => {
    const { mesh, ada, bob, cyd } = await three()
    mesh.partition([ada], [bob, cyd], { oneWay: true })
    await ada.cache('c').set('from-ada', 1)
    await bob.cache('c').set('from-bob', 2)
    await mesh.advance(1_000)
    expect(peeked([ada, bob, cyd], 'from-ada')).toEqual([1, undefined, undefined])
    expect(peeked([ada, bob, cyd], 'from-bob')).toEqual([2, 2, 2])
    mesh.heal()
    await mesh.settle()
    expect(peeked([ada, bob, cyd], 'from-ada')).toEqual([1, 1, 1])
  })

  it('leaves a peer in no group its links, so that news goes round by it', async () => {
    const { mesh, ada, bob } = await three()
    mesh.partition([ada], [bob])
    await ada.cache('c').set('key', 'value')
    await mesh.advance(1_000)
    expect(bob.cache('c').peek('key')).toBe('value')
  })

  it('adds to those before it', async () => {
    const { mesh, ada, bob, cyd } = await three()
    mesh.partition([ada], [bob])
    mesh.partition([ada], [cyd])
    await ada.cache('c').set('key', 'value')
    await mesh.advance(1_000)
    expect(peeked([bob, cyd], 'key')).toEqual([undefined, undefined])
  })
})

describe('a crash', () => {
  it('is noticed by all within a fraction of a second, and nothing that others heard is lost', async () => {
    const { mesh, ada, bob, cyd } = await three()
    await setMany(ada, 100)
    await mesh.settle()
    const before = mesh.now()
    mesh.crash(ada)
    await mesh.settle()
    expect(mesh.now() - before).toBeLessThan(1_000)
    expect([stateOf(ada, bob), stateOf(ada, cyd)]).toEqual(['dead', 'dead'])
    expect(sizes([bob, cyd])).toEqual([100, 100])
    expect(mesh.peers).toEqual([bob, cyd])
  })

  it('takes along what nobody else had heard', async () => {
    const { mesh, ada, bob, cyd } = await three()
    await ada.cache('c').set('key', 'value')
    mesh.crash(ada)
    await mesh.settle()
    expect(peeked([bob, cyd], 'key')).toEqual([undefined, undefined])
  })

  it('that is silent is noticed as well, but seconds later', async () => {
    const { mesh, ada, bob, cyd } = await three()
    await setMany(ada, 100)
    await mesh.settle()
    const before = mesh.now()
    mesh.crash(ada, { silent: true })
    await mesh.advance(1_000)
    expect(stateOf(ada, bob)).toBe('alive')
    await mesh.settle()
    expect(mesh.now() - before).toBeGreaterThan(2_000)
    expect([stateOf(ada, bob), stateOf(ada, cyd)]).toEqual(['dead', 'dead'])
    expect(sizes([bob, cyd])).toEqual([100, 100])
  })

  it.each([false, true])(
    'is over with a restart: same id, same address, all back (silent: %s)',
    async (silent) => {
      const { mesh, ada, bob, cyd } = await three()
      await setMany(ada, 100)
      await mesh.settle()
      mesh.crash(ada, { silent })
      await mesh.settle()
      await bob.cache('c').set('meanwhile', true)
      const back = await mesh.restart(ada)
      expect(back.id).toBe(ada.id)
      expect(back.addresses).toEqual(ada.addresses)
      expect(back.cache('c').local.size).toBe(0)
      await mesh.settle()
      expect(mesh.peers).toEqual([bob, cyd, back])
      expect(stateOf(back, bob)).toBe('alive')
      expect(sizes(mesh.peers)).toEqual([101, 101, 101])
    },
  )

  it('of all, and a restart: nothing is left, for there is no disk', async () => {
    const { mesh, ada, bob, cyd } = await three()
    await setMany(ada, 10)
    await mesh.settle()
    for (const peer of [ada, bob, cyd]) mesh.crash(peer)
    for (const peer of [ada, bob, cyd]) await mesh.restart(peer)
    await mesh.settle()
    expect(sizes(mesh.peers)).toEqual([0, 0, 0])
  })
})

describe('a stall', () => {
  it.each([1_000, 2_000, 3_000])('of %d ms does not get a peer called dead', async (durationMs) => {
    const { mesh, ada, bob, cyd } = await three()
    const notes = [...mesh.peers].map((peer) => notesOf(mesh, peer))
    mesh.stall(ada, durationMs)
    await bob.cache('c').set('key', 'value')
    await mesh.advance(durationMs - 1)
    expect(peeked([ada, bob, cyd], 'key')).toEqual([undefined, 'value', 'value'])
    await mesh.advance(NOTICED_MS)
    expect(notes.flat().filter((note) => / (dead|left)$/.test(note))).toEqual([])
    await mesh.settle()
    expect(ada.cache('c').peek('key')).toBe('value')
  })

  it('that is too long does; afterwards the peer is back as it was, with all it held', async () => {
    const { mesh, ada, bob } = await three()
    await ada.cache('c').set('before', 'value')
    await mesh.settle()
    mesh.stall(ada, 10_000)
    await mesh.advance(9_000)
    expect(stateOf(ada, bob)).toBe('dead')
    await bob.cache('c').set('meanwhile', 'value')
    await mesh.advance(2_000)
    await mesh.settle()
    expect(mesh.peers).toContain(ada)
    expect(stateOf(ada, bob)).toBe('alive')
    expect([...ada.cache('c').local.keys()].sort()).toEqual(['before', 'meanwhile'])
  })
})

describe('stepClock', () => {
  it('shows where a peer explains a key, and in its figures', async () => {
    const { mesh, ada, bob } = await three()
    await ada.cache('c').set('key', 'value')
    mesh.stepClock(bob, -2_000)
    await mesh.advance(3_000)
    const skewOf = async (peer: Peer) => (await mesh.run(peer.explain('c', 'key'))).clockSkewMs
    expect(await skewOf(ada)).toBeCloseTo(0, -2)
    expect(await skewOf(bob)).toBeCloseTo(-2_000, -2)
    expect(bob.stats().clockSkewMs).toBeCloseTo(-2_000, -2)
  })

  it('changes what one peer takes for the time, and nobody else', async () => {
    const { mesh, ada, bob } = await three()
    const before = mesh.now()
    mesh.stepClock(ada, 3_000)
    await ada.cache('c').set('from-ada', 1)
    await bob.cache('c').set('from-bob', 1)
    expect((await ada.cache('c').entry('from-ada'))?.updatedAt).toBe(before + 3_000)
    expect((await bob.cache('c').entry('from-bob'))?.updatedAt).toBe(before)
    expect(mesh.now()).toBe(before)
    await mesh.settle()
    expect(sizes(mesh.peers)).toEqual([2, 2, 2])
  })

  it('back: the later write of that peer wins all the same', async () => {
    const { mesh, ada } = await three()
    await ada.cache('c').set('key', 'first')
    await mesh.settle()
    mesh.stepClock(ada, -3_000)
    await ada.cache('c').set('key', 'second')
    await mesh.settle()
    expect(peeked(mesh.peers, 'key')).toEqual(['second', 'second', 'second'])
  })

  it('steps add up', async () => {
    const { mesh, ada } = await three()
    const before = mesh.now()
    mesh.stepClock(ada, 3_000)
    mesh.stepClock(ada, -1_000)
    await ada.cache('c').set('key', 1)
    expect((await ada.cache('c').entry('key'))?.updatedAt).toBe(before + 2_000)
  })

  it('far ahead: nobody takes over what that peer writes', async () => {
    const { mesh, ada, bob, cyd } = await three()
    mesh.stepClock(ada, 60_000)
    const write = ada.cache('c').set('key', 'from the future')
    await write.catch(() => {})
    await mesh.advance(1_000)
    expect(peeked([bob, cyd], 'key')).toEqual([undefined, undefined])
  })
})

describe('degrade', () => {
  it('loses messages; after heal they are made up for', async () => {
    const { mesh, ada, bob, cyd } = await three()
    mesh.degrade({ lossProbability: 0.5 })
    for (let i = 0; i < 100; i++) {
      await ada.cache('c').set(`key-${i}`, i)
      await mesh.advance(1)
    }
    expect(Math.max(...sizes([bob, cyd]))).toBeLessThan(100)
    mesh.heal()
    await mesh.settle()
    expect(sizes([bob, cyd])).toEqual([100, 100])
    expect(bob.stats().opsGapCount).toBeGreaterThan(0)
  })

  it('makes links slow until heal, which makes them as they were at the start', async () => {
    const delayMs = { min: 50, max: 50 }
    const { mesh, ada, bob } = await three({ network: { delayMs } })
    const latencyMs = async (key: string) => {
      const before = mesh.now()
      await ada.cache('c').set(key, true)
      await mesh.until(() => bob.cache('c').peek(key) === true)
      return mesh.now() - before
    }
    expect(await latencyMs('at the start')).toBe(50)
    mesh.degrade({ delayMs: { min: 400, max: 400 } })
    expect(await latencyMs('degraded')).toBe(400)
    mesh.heal()
    expect(await latencyMs('healed')).toBe(50)
  })

  it('changes only what is given', async () => {
    const { mesh, ada, bob } = await three()
    mesh.degrade({ delayMs: { min: 400, max: 400 } })
    mesh.degrade({ duplicateProbability: 1 })
    await ada.cache('c').set('key', true)
    await mesh.advance(399)
    expect(bob.cache('c').peek('key')).toBe(undefined)
    await mesh.advance(1)
    expect(bob.cache('c').peek('key')).toBe(true)
  })
})

describe('settle', () => {
  it('waits until news, deletes and clears are with all', async () => {
    const { mesh, ada, bob } = await three()
    await setMany(ada, 1_000)
    await mesh.settle()
    expect(sizes(mesh.peers)).toEqual([1_000, 1_000, 1_000])
    await bob.cache('c').delete('key-7')
    await mesh.settle()
    expect(sizes(mesh.peers)).toEqual([999, 999, 999])
    await ada.cache('c').clear()
    await mesh.settle()
    expect(sizes(mesh.peers)).toEqual([0, 0, 0])
  })

  it('waits until three of five hold each key, and for a peer that joins to have its share', async () => {
    const mesh = await simulated({ peers: 5 })
    await setMany(mesh.peer(0), 1_000)
    await mesh.settle()
    const total = () => sizes(mesh.peers).reduce((sum, size) => sum + size, 0)
    expect(total()).toBe(3_000)
    const late = await mesh.start()
    await mesh.settle()
    expect(total()).toBe(3_000)
    expect(late.stats()).toMatchObject({ openPartitions: 0 })
    for (const peer of mesh.peers) {
      for (const key of peer.cache('c').local.keys()) {
        expect(peer.ring.locate('c', key).owners).toContain(peer.id)
      }
    }
  })

  it('waits for a client, which holds nothing and reads everything', async () => {
    const mesh = await simulated({ peers: 3 })
    const client = await mesh.start({ role: 'client' })
    await mesh.settle()
    await mesh.run(client.cache('c').set('key', 1))
    await mesh.settle()
    expect(sizes(mesh.peers)).toEqual([1, 1, 1, 0])
    expect(await mesh.run(client.cache('c').get('key'))).toBe(1)
    expect(mesh.peer(0).members.find(({ id }) => id === client.id)).toMatchObject({
      role: 'client',
      partitions: 0,
    })
  })

  it('does not wait for what a peer has evicted', async () => {
    const { mesh, ada, bob } = await three()
    const small = await mesh.start({ maxItems: 5 })
    await mesh.settle()
    await setMany(ada, 100)
    await mesh.settle()
    expect(small.stats().evictionCount).toBe(95)
    expect(sizes([ada, bob, small])).toEqual([100, 100, 5])
  })

  it('opens no cache: each peer may still open it with its time to live', async () => {
    const { mesh, ada, bob } = await three()
    await ada.cache('c', { ttl: 60_000 }).set('key', 1)
    await mesh.settle()
    expect(bob.cache('c', { ttl: 60_000 }).peek('key')).toBe(1)
  })

  it.each<[string, unknown]>([
    ['a bigint', 1n],
    ['a Map', new Map([[1, 2]])],
    [
      'something circular',
      (() => {
        const value: Record<string, unknown> = {}
        value.itself = value
        return value
      })(),
    ],
  ])('takes %s for a value as any other', async (_, value) => {
    const { mesh, ada, bob } = await three()
    await ada.cache('c').set('key', value)
    await mesh.settle()
    expect(bob.cache('c').peek('key')).toEqual(value)
  })

  it('waits for a peer that stands still, though all see each other and nobody has written', async () => {
    const { mesh, ada, bob } = await three()
    const before = mesh.now()
    mesh.stall(ada, 2_000)
    await mesh.settle()
    expect(mesh.now() - before).toBeGreaterThanOrEqual(2_000)
    await bob.cache('c').set('key', 1)
    mesh.stall(ada, 1_000)
    await mesh.settle()
    expect(ada.cache('c').peek('key')).toBe(1)
  })

  it('lets no time pass when all is at rest', async () => {
    const { mesh } = await three()
    const before = mesh.now()
    await mesh.settle()
    expect(mesh.now()).toBe(before)
  })

  it('is enough for a mesh of one', async () => {
    const mesh = await simulated({ peers: 1 })
    await mesh.peer(0).cache('c').set('key', 1)
    await mesh.settle()
    expect(mesh.peer(0).members).toHaveLength(1)
  })
})

describe('time', () => {
  it('begins with the year 2026 and stands still unless it is let pass', async () => {
    const { mesh, ada, bob } = await three()
    const before = mesh.now()
    expect(before).toBeGreaterThan(EPOCH_MS)
    expect(before).toBeLessThan(EPOCH_MS + 60_000)
    await ada.cache('c').set('key', 1)
    for (let i = 0; i < 10; i++) await turnOfEventLoop()
    expect(mesh.now()).toBe(before)
    expect(bob.cache('c').peek('key')).toBe(undefined)
    await mesh.advance(1_234)
    expect(mesh.now()).toBe(before + 1_234)
  })

  it('goes on though a test has put fake timers in place', async () => {
    const { mesh, ada, bob } = await three()
    vi.useFakeTimers()
    try {
      await ada.cache('c').set('key', 1)
      await mesh.settle()
    } finally {
      vi.useRealTimers()
    }
    expect(bob.cache('c').peek('key')).toBe(1)
  })

  it('is what entries expire by', async () => {
    const { mesh, ada, bob } = await three()
    await ada.cache('c').set('key', 'value', { ttl: 60_000 })
    await mesh.advance(59_999)
    expect(peeked([ada, bob], 'key')).toEqual(['value', 'value'])
    await mesh.advance(1)
    expect(peeked([ada, bob], 'key')).toEqual([undefined, undefined])
  })
})

describe('run', () => {
  it('lets time pass until work is done, and gives its result', async () => {
    const { mesh, ada, bob, cyd } = await three()
    await ada.cache('c').set('key', 'value')
    await mesh.run(ada.flush())
    expect(peeked([bob, cyd], 'key')).toEqual(['value', 'value'])
    const read = async () => {
      await ada.cache('c').set('key', 'other')
      await ada.flush()
      return await bob.cache('c').get('key')
    }
    expect(await mesh.run(read)).toBe('other')
  })

  it('fails as the work does', async () => {
    const { mesh, ada } = await three()
    const join = () => ada.join('/ip4/127.0.0.1/tcp/9')
    await expect(mesh.run(join)).rejects.toThrow(UnreachableError)
  })
})

describe('start', () => {
  it('adds a peer, which has everything once the mesh has settled', async () => {
    const { mesh, ada } = await three()
    await setMany(ada, 100)
    const dan = await mesh.start({ name: 'dan' })
    expect(dan).toMatchObject({ name: 'dan', status: 'joining' })
    expect(mesh.peer(3)).toBe(dan)
    await mesh.settle()
    expect(dan.status).toBe('serving')
    expect(sizes(mesh.peers)).toEqual([100, 100, 100, 100])
  })

  it('takes the options of all peers, and its own before them', async () => {
    const options = { maxItems: 10, mesh: 'shop' }
    const { mesh, ada } = await three({ options })
    const dan = await mesh.start({ maxItems: 20 })
    await mesh.settle()
    await setMany(ada, 100)
    await mesh.settle()
    expect(sizes(mesh.peers)).toEqual([10, 10, 10, 20])
    expect(dan.mesh).toBe('shop')
  })
})

describe('a peer that is stopped by its own hand', () => {
  it('has left, is one of the peers no more, and may be restarted', async () => {
    const { mesh, ada, bob, cyd } = await three()
    await mesh.run(ada.stop())
    expect(mesh.peers).toEqual([bob, cyd])
    await mesh.settle()
    expect(stateOf(ada, bob)).toBe('left')
    expect(() => mesh.crash(ada)).toThrow(/p01 is not running/)
    const back = await mesh.restart(ada)
    await mesh.settle()
    expect(mesh.peers).toEqual([bob, cyd, back])
  })
})

describe('restart', () => {
  it('gives a peer the options that it was started with, unless told otherwise', async () => {
    const { mesh, ada } = await three()
    const dan = await mesh.start({ maxItems: 5, name: 'dan' })
    await mesh.settle()
    mesh.crash(dan)
    const back = await mesh.restart(dan, { maxItems: 6 })
    expect(back.name).toBe('dan')
    await setMany(ada, 10)
    await mesh.settle()
    expect(back.cache('c').local.size).toBe(6)
  })
})

describe('logs', () => {
  it('tell what a peer had to say, after its end too; a process that comes back begins anew', async () => {
    const { mesh, ada, bob } = await three()
    mesh.crash(bob)
    await mesh.settle()
    expect(mesh.logs(ada)).toContain('info peer-p02 (p02) is dead')
    expect(mesh.logs(bob)).toContain('info peer-p01 (p01) is alive')
    const back = await mesh.restart(bob)
    expect(mesh.logs(back)).toEqual([])
  })
})

describe('the seed', () => {
  /** Faults of all kinds, and all that can be seen of what came of them. */
  async function runOf(seed: number): Promise<object> {
    const mesh = await simulated({ peers: 4, seed, network: { lossProbability: 0.05 } })
    const [ada, bob, cyd, dan] = mesh.peers as [Peer, Peer, Peer, Peer]
    const notes = mesh.peers.map((peer) => notesOf(mesh, peer))
    const sets: string[] = []
    dan.cache('c').on('set', ({ key, version }) => sets.push(`${mesh.now()} ${key} ${version}`))
    mesh.degrade({ lossProbability: 0.2, duplicateProbability: 0.1, reorderProbability: 0.1 })
    for (let i = 0; i < 50; i++) {
      const writer = mesh.peer(i % 4)
      await writer.cache('c').set(`key-${i % 20}`, i)
      await mesh.advance(7)
    }
    mesh.partition([ada, bob], [cyd, dan])
    mesh.stepClock(cyd, 2_000)
    mesh.stall(ada, 1_500)
    await bob.cache('c').delete('key-3')
    await cyd.cache('c').set('key-3', 'again')
    await mesh.advance(10_000)
    mesh.crash(bob)
    mesh.heal()
    const back = await mesh.restart(bob)
    await mesh.settle()
    return {
      notes,
      sets,
      logs: [...mesh.peers, bob].map((peer) => mesh.logs(peer)),
      entries: [...back.cache('c').local.entries()],
      stats: mesh.peers.map((peer) => peer.stats()),
      endedAtMs: mesh.now(),
    }
  }

  it('makes the run: the same one, the same events, versions, logs, counters and times', async () => {
    const first = await runOf(20)
    // Of twenty keys it owns as many.
    expect(first).toMatchObject({ entries: { length: 17 } })
    expect(await runOf(20)).toEqual(first)
  })

  it('makes the run, whatever else goes on in the process', async () => {
    const alone = await runOf(21)
    const [first, , second] = await Promise.all([runOf(21), runOf(22), runOf(21)])
    expect(first).toEqual(alone)
    expect(second).toEqual(alone)
  })

  it('that is another makes another run', async () => {
    expect(await runOf(24)).not.toEqual(await runOf(23))
  })

  it('can be asked for, to be printed with what failed', async () => {
    expect((await simulated({ seed: 99 })).seed).toBe(99)
    expect((await simulateMesh({ peers: 1 })).seed).toBe(1)
  })
})

describe('two meshes side by side', () => {
  it('do not meet, though their peers have the same ids, addresses and mesh name', async () => {
    const [one, other] = await Promise.all([simulated(), simulated()])
    expect(one.peer(0).addresses).toEqual(other.peer(0).addresses)
    await one.peer(0).cache('c').set('key', 'one')
    await Promise.all([one.advance(5_000), other.advance(5_000)])
    expect(peeked(one.peers, 'key')).toEqual(['one', 'one', 'one'])
    expect(peeked(other.peers, 'key')).toEqual([undefined, undefined, undefined])
    one.crash(one.peer(0))
    await Promise.all([one.settle(), other.settle()])
    expect(one.peer(0).stats().memberCount).toBe(2)
    expect(other.peer(0).stats().memberCount).toBe(3)
  })
})

describe('stop', () => {
  it('stops all peers, and may be called twice', async () => {
    const { mesh, ada, bob, cyd } = await three()
    await mesh.stop()
    await mesh.stop()
    expect([ada, bob, cyd].map(({ status }) => status)).toEqual(['stopped', 'stopped', 'stopped'])
    expect(mesh.peers).toEqual([])
  })

  it('is done in the midst of a partition, a stall and a crash', async () => {
    const { mesh, ada, bob, cyd } = await three()
    mesh.partition([ada], [bob, cyd])
    mesh.stall(ada, 1_000)
    mesh.crash(bob)
    await mesh.stop()
    expect([ada.status, cyd.status]).toEqual(['stopped', 'stopped'])
  })

  it('comes by itself at the end of a block, with await using', async () => {
    let peers: readonly Peer[]
    {
      await using mesh = await simulateMesh({ peers: 2 })
      peers = mesh.peers
      expect(peers.map(({ status }) => status)).toEqual(['serving', 'serving'])
    }
    expect(peers.map(({ status }) => status)).toEqual(['stopped', 'stopped'])
  })
})
