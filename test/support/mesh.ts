/**
 * A mesh of real peers over a network in memory, on simulated time: everything from one seed, and the same each time.
 */

import { MemoryNetwork, type MemoryNetworkOptions } from '../../src/adapters/memory/network.js'
import type { MemoryTransport } from '../../src/adapters/memory/transport.js'
import type { SimulatedMember } from '../../src/adapters/simulated/member.js'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { SimulatedTime } from '../../src/adapters/simulated/time.js'
import { loadHash64 } from '../../src/adapters/system/hash.js'
import { HistogramLatency } from '../../src/adapters/system/latency.js'
import type { Alert, Cache, MemberInfo } from '../../src/api.js'
import { MeshPeer } from '../../src/mesh-peer.js'
import { type PeerOptions, type ResolvedOptions, resolveOptions } from '../../src/options.js'
import { FRAME_BYTES_MAX } from '../../src/protocol/limits.js'
import type { Channel } from '../../src/services/ports.js'
import { PROTOCOLS, topicsOf } from '../../src/services/topics.js'

const hash = await loadHash64()

/** A change of state that one peer told of. */
export interface Told {
  readonly atMs: number
  readonly state: string
  readonly id: string
}

/** One process of the mesh. */
export interface MeshNode {
  readonly id: string
  readonly peer: MeshPeer
  readonly transport: MemoryTransport
  /** Its own clock, and the means to stop and to kill it. */
  readonly time: SimulatedMember
  /** `<level> <message>`, in order. */
  readonly log: string[]
  readonly told: Told[]
  readonly alerts: Alert[]
  isRunning: boolean
}

export interface NodeOptions extends PeerOptions {
  /** @default `p01`, `p02` … */
  readonly id?: string
  /** A port to come back at. @default a free one */
  readonly port?: number
  /** How wrong its wall clock is, in ms. @default 0 */
  readonly clockOffsetMs?: number
  /** Options that users cannot set yet. */
  readonly resolved?: Partial<ResolvedOptions>
}

/** Something on the network that is no peer of ours, and says what a test tells it to. */
export interface Stranger {
  readonly transport: MemoryTransport
  /** What others opened to it. */
  readonly channels: Array<{ readonly protocol: string; readonly channel: Channel }>
  /** Who is connected to it. */
  readonly connected: Set<string>
}

export class SimulatedMesh {
  readonly seed: number
  readonly time = new SimulatedTime()
  readonly random: SimulatedRandom
  readonly network: MemoryNetwork
  /** Every process ever made, in order. */
  readonly nodes: MeshNode[] = []
  readonly #options: PeerOptions

  /** @param options of every peer, unless it is given its own */
  constructor(seed: number, options: PeerOptions = {}, network: MemoryNetworkOptions = {}) {
    this.seed = seed
    this.#options = options
    this.random = new SimulatedRandom(seed)
    this.network = new MemoryNetwork(
      { clock: this.time, scheduler: this.time, random: this.random.fork('network') },
      { frameBytesMax: FRAME_BYTES_MAX, ...network },
    )
  }

  /** A mesh of so many peers that all know each other and serve. */
  static async of(
    count: number,
    seed: number,
    options: PeerOptions = {},
    network: MemoryNetworkOptions = {},
  ): Promise<SimulatedMesh> {
    const mesh = new SimulatedMesh(seed, options, network)
    for (let i = 0; i < count; i++) await mesh.start()
    await mesh.settle()
    return mesh
  }

  /** Starts one more process; it looks for the first of those that run, unless told otherwise. */
  async start(nodeOptions: NodeOptions = {}): Promise<MeshNode> {
    const { id, port, clockOffsetMs = 0, resolved: overrides, ...options } = nodeOptions
    const number = this.nodes.length + 1
    const nodeId = id ?? `p${String(number).padStart(2, '0')}`
    const time = this.time.member()
    time.setOffset(clockOffsetMs)
    const transport = this.network.transport({ id: nodeId, scheduler: time, ...(port && { port }) })
    const log: string[] = []
    const note = (level: string) => (message: string) => void log.push(`${level} ${message}`)
    const logger = {
      debug: note('debug'),
      info: note('info'),
      warn: note('warn'),
      error: note('error'),
    }
    const [first] = this.running()
    const bootstrap = first === undefined ? [] : [...first.peer.addresses]
    const resolved = resolveOptions({ bootstrap, logger, ...this.#options, ...options })
    const random = this.random.fork(`${nodeId} ${number}`)
    const peer = new MeshPeer(
      {
        runtime: { clock: time, scheduler: time, random, log: logger },
        transport,
        hash,
        latency: new HistogramLatency(time),
      },
      { ...resolved, ...overrides },
      `instance${number}`,
    )
    const node = { id: nodeId, peer, transport, time, log, told: [], alerts: [], isRunning: true }
    this.#listen(node)
    this.nodes.push(node)
    await peer.start()
    return node
  }

  #listen({ peer, told, alerts }: { peer: MeshPeer; told: Told[]; alerts: Alert[] }): void {
    const tell = ({ id, state }: MemberInfo) =>
      void told.push({ atMs: this.time.monotonicMs(), state, id })
    peer.on('member:alive', tell)
    peer.on('member:suspect', tell)
    peer.on('member:dead', tell)
    peer.on('member:left', tell)
    peer.on('alert', (alert) => alerts.push(alert))
  }

  /** Starts something that listens, subscribes to all topics of the mesh, and never says hello by itself. */
  async stranger(id: string, mesh = 'hearsay'): Promise<Stranger> {
    const transport = this.network.transport({ id })
    const channels: Stranger['channels'] = []
    const connected = new Set<string>()
    await transport.start(
      { topics: Object.values(topicsOf(mesh)), protocols: Object.values(PROTOCOLS) },
      {
        connected: (other) => connected.add(other),
        connectedAgain: () => {},
        disconnected: (other) => connected.delete(other),
        message: () => {},
        channel: (protocol, channel) => channels.push({ protocol, channel }),
        found: () => {},
      },
    )
    return { transport, channels, connected }
  }

  running(): MeshNode[] {
    return this.nodes.filter(({ isRunning }) => isRunning)
  }

  /** Of all that run. */
  addresses(): string[] {
    return this.running().flatMap(({ peer }) => peer.addresses)
  }

  node(index: number): MeshNode {
    const node = this.nodes[index]
    if (node === undefined) throw new Error(`there is no node ${index}`)
    return node
  }

  cache<T = unknown>(index: number, name = 'c'): Cache<T> {
    return this.node(index).peer.cache<T>(name)
  }

  advance(ms: number): Promise<void> {
    return this.time.advance(ms)
  }

  runUntil(condition: () => boolean, limitMs?: number): Promise<void> {
    return this.time.runUntil(condition, limitMs)
  }

  settled<T>(promise: Promise<T>, limitMs?: number): Promise<T> {
    return this.time.settled(promise, limitMs)
  }

  /** Lets time pass until all that run serve, and take each other, and nobody else, to be alive. */
  async settle(limitMs = 60_000): Promise<void> {
    try {
      await this.time.runUntil(() => this.isSettled(), limitMs)
    } catch (cause) {
      throw new Error(`not settled after ${limitMs} simulated ms:\n${this.describe()}`, { cause })
    }
  }

  /** Lets time pass until all that run hold the same. */
  async converge(limitMs = 60_000, cache = 'c'): Promise<void> {
    try {
      await this.time.runUntil(() => this.isConverged(cache), limitMs)
    } catch (cause) {
      const held = this.running().map((node) => `${node.id} holds:\n${this.contents(node, cache)}`)
      const what = `not converged after ${limitMs} simulated ms, seed ${this.seed}`
      throw new Error(`${what}:\n${held.join('\n')}`, { cause })
    }
  }

  isSettled(): boolean {
    const nodes = this.running()
    const ids = nodes.map(({ id }) => id).sort()
    return nodes.every(({ peer }) => {
      if (peer.status !== 'serving') return false
      const live = peer.members.filter(({ state }) => state === 'alive' || state === 'suspect')
      return (
        live.length === ids.length &&
        live.every(
          ({ id, state, partitions }) => ids.includes(id) && state === 'alive' && partitions > 0,
        )
      )
    })
  }

  /** Who sees what, for messages of failures. */
  describe(): string {
    return this.running()
      .map(({ id, peer }) => {
        const members = peer.members.map((member) => `${member.id}:${member.state}`).join(' ')
        return `${id} ${peer.status}, sees ${members}`
      })
      .join('\n')
  }

  /** Kills a process, or takes its whole host away. */
  crash(node: MeshNode, options: { readonly silent?: boolean } = {}): void {
    node.isRunning = false
    node.transport.crash({ silent: options.silent ?? false })
    node.time.kill()
  }

  /** Lets a process stand still for a while. */
  stall(node: MeshNode, durationMs: number): void {
    node.time.stall(durationMs)
  }

  /** Stops one process as its user would. */
  async stop(node: MeshNode, options: { readonly drain?: boolean } = {}): Promise<void> {
    node.isRunning = false
    await this.time.settled(node.peer.stop(options))
  }

  async stopAll(): Promise<void> {
    const stops = this.running().map((node) => {
      node.isRunning = false
      return node.peer.stop()
    })
    await this.time.settled(Promise.all(stops))
  }

  /** What a peer holds of a cache, as text that is equal exactly when the content is. */
  contents(node: MeshNode, cache = 'c'): string {
    const entries = [...node.peer.cache(cache).local.entries()]
    return entries
      .map(({ key, version, value }) => `${key} ${version} ${JSON.stringify(value)}`)
      .sort()
      .join('\n')
  }

  /** Whether all that run hold the same. */
  isConverged(cache = 'c'): boolean {
    const [first, ...others] = this.running().map((node) => this.contents(node, cache))
    return others.every((contents) => contents === first)
  }
}
