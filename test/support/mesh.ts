/**
 * A simulated mesh as our own tests use it: with the means to look inside, and to put something on the network that is
 * no peer.
 */
import type { MemoryNetworkOptions } from '../../src/adapters/memory/network.js'
import type { MemoryTransport } from '../../src/adapters/memory/transport.js'
import { loadHash64 } from '../../src/adapters/system/hash.js'
import type { Alert, Cache, MemberInfo } from '../../src/api.js'
import type { MeshPeer } from '../../src/mesh-peer.js'
import type { PeerOptions } from '../../src/options.js'
import type { Channel } from '../../src/services/ports.js'
import { PROTOCOLS, topicsOf } from '../../src/services/topics.js'
import {
  contents,
  type ProcessOptions,
  type SimulatedProcess,
  Simulation,
} from '../../src/testing/simulation.js'

const hash = await loadHash64()

/** A change of state that one peer told of. */
export interface Told {
  readonly atMs: number
  readonly state: string
  readonly id: string
}

/** One process of the mesh, and what it told. */
export interface MeshNode extends SimulatedProcess {
  readonly told: Told[]
  readonly alerts: Alert[]
}

/** Something on the network that is no peer of ours, and says what a test tells it to. */
export interface Stranger {
  readonly transport: MemoryTransport
  /** What others opened to it. */
  readonly channels: Array<{ readonly protocol: string; readonly channel: Channel }>
  /** Who is connected to it. */
  readonly connected: Set<string>
}

export class SimulatedMesh extends Simulation {
  /** Every process ever made, in order. */
  readonly nodes: MeshNode[] = []

  /** @param peer options of every peer, unless it is given its own; every member keeps every key unless they say otherwise */
  constructor(seed: number, peer: PeerOptions = {}, network: MemoryNetworkOptions = {}) {
    super({ seed, hash, peer: { replicas: 'all', ...peer }, network })
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
  async start(options: ProcessOptions = {}): Promise<MeshNode> {
    const node: MeshNode = Object.assign(this.process(options), { told: [], alerts: [] })
    this.#listen(node)
    this.nodes.push(node)
    await this.launch(node)
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

  override running(): MeshNode[] {
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

  /** Lets time pass until all that run serve, and take each other, and nobody else, to be alive. */
  async settle(limitMs = 60_000): Promise<void> {
    try {
      await this.time.runUntil(() => this.isSettled(), limitMs)
    } catch (cause) {
      throw new Error(`not settled after ${limitMs} simulated ms:\n${this.describe()}`, { cause })
    }
  }

  /** Lets time pass until all that run hold the same. */
  async converge(limitMs = 60_000): Promise<void> {
    try {
      await this.time.runUntil(() => this.isConverged(), limitMs)
    } catch (cause) {
      const held = this.running().map((node) => `${node.id} holds:\n${contents(node)}`)
      const what = `not converged after ${limitMs} simulated ms, seed ${this.seed}`
      throw new Error(`${what}:\n${held.join('\n')}`, { cause })
    }
  }

  /** Lets a process stand still for a while. */
  stall(node: MeshNode, durationMs: number): void {
    node.time.stall(durationMs)
  }

  /** What a peer holds of a cache, as text that is equal exactly when the content is. */
  contents(node: SimulatedProcess, cache = 'c'): string {
    return contents(node, cache)
  }
}
