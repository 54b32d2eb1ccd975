/**
 * A mesh in one process: real peers over a network in memory, on simulated time. Everything that happens in it comes
 * from one seed, and happens the same way each time.
 *
 * What runs is what ships, from the cache down to the codec; only the adapters are simulated. Inside, a peer is a
 * process with a host of its own: it can be killed, stand still, and have its clock set wrong.
 */
import {
  MemoryNetwork,
  type MemoryNetworkOptions,
  type NetworkObserver,
} from '../adapters/memory/network.js'
import type { MemoryTransport } from '../adapters/memory/transport.js'
import type { SimulatedMember } from '../adapters/simulated/member.js'
import { SimulatedRandom } from '../adapters/simulated/random.js'
import { SimulatedTime } from '../adapters/simulated/time.js'
import { HistogramLatency } from '../adapters/system/latency.js'
import { type KeyName, nameOf } from '../core/entry.js'
import type { Hash64 } from '../core/ring.js'
import { formatVersion, type Payload } from '../core/version.js'
import { MeshPeer } from '../mesh-peer.js'
import { type PeerOptions, type ResolvedOptions, resolveOptions } from '../options.js'
import { FRAME_BYTES_MAX } from '../protocol/limits.js'

/** Simulated time after which a wait is given up, unless told otherwise, in ms. */
const LIMIT_MS = 60_000

/** Lines of log kept of each process; the oldest go first. */
const LOG_LINES_MAX = 10_000

/** Keys that a message of failure shows, of those that differ. */
const DIFFERENCES_SHOWN_MAX = 5

/** One process of the mesh. */
export interface SimulatedProcess {
  readonly id: string
  /** 1 for the first process ever started, 2 for the next …; a peer that comes back is a new process. */
  readonly number: number
  readonly peer: MeshPeer
  readonly transport: MemoryTransport
  /** Its own clock, and the means to stop and to kill it. */
  readonly time: SimulatedMember
  /** `<level> <message>`, in order; the last 10,000. */
  readonly log: string[]
  /** The options it was given, beside those of all. */
  readonly options: PeerOptions
  /** From its launch until it is crashed or has stopped, whoever stopped it. */
  isRunning: boolean
}

/** How a process is started. */
export interface ProcessOptions extends PeerOptions {
  /** @default `p01`, `p02` … */
  readonly id?: string
  /** A port to come back at. @default a free one */
  readonly port?: number
  /** How wrong its wall clock is, in ms. @default 0 */
  readonly clockOffsetMs?: number
  /** Options that users cannot set. */
  readonly resolved?: Partial<ResolvedOptions>
}

/** Options of a {@link Simulation}. */
export interface SimulationOptions {
  readonly seed: number
  readonly hash: Hash64
  /** Of every peer, unless it is given its own. */
  readonly peer?: PeerOptions
  readonly network?: MemoryNetworkOptions
  readonly observer?: NetworkObserver
}

export class Simulation {
  readonly seed: number
  readonly time = new SimulatedTime()
  readonly random: SimulatedRandom
  readonly network: MemoryNetwork
  /** Every process ever started, in order. */
  readonly processes: SimulatedProcess[] = []
  readonly #hash: Hash64
  readonly #options: PeerOptions

  constructor({ seed, hash, peer = {}, network = {}, observer }: SimulationOptions) {
    this.seed = seed
    this.#hash = hash
    this.#options = peer
    this.random = new SimulatedRandom(seed)
    this.network = new MemoryNetwork(
      { clock: this.time, scheduler: this.time, random: this.random.fork('network') },
      { frameBytesMax: FRAME_BYTES_MAX, ...network, ...(observer && { observer }) },
    )
  }

  /** Makes one more process, not started yet; it will look for the first of those that run, unless told otherwise. */
  process(options: ProcessOptions = {}): SimulatedProcess {
    const { id, port, clockOffsetMs = 0, resolved: overrides, ...peerOptions } = options
    const number = this.processes.length + 1
    const processId = id ?? `p${String(number).padStart(2, '0')}`
    const time = this.time.member()
    time.setOffset(clockOffsetMs)
    const transport = this.network.transport({
      id: processId,
      scheduler: time,
      ...(port !== undefined && { port }),
    })
    const log: string[] = []
    const logger = keepingLogger(log)
    const [first] = this.running()
    const bootstrap = first === undefined ? [] : [...first.peer.addresses]
    const resolved = resolveOptions({ bootstrap, logger, ...this.#options, ...peerOptions })
    const peer = new MeshPeer(
      {
        runtime: {
          clock: time,
          scheduler: time,
          random: this.random.fork(`${processId} ${number}`),
          log: resolved.logger,
        },
        transport,
        hash: this.#hash,
        loop: time,
        latency: new HistogramLatency(time),
      },
      { ...resolved, ...overrides },
      `instance${number}`,
    )
    let isRunning = false
    return {
      id: processId,
      number,
      peer,
      transport,
      time,
      log,
      options: peerOptions,
      // A test may stop a peer by the peer's own `stop`.
      get isRunning() {
        return isRunning && peer.status !== 'stopped'
      },
      set isRunning(value) {
        isRunning = value
      },
    }
  }

  /** Lets a process begin. */
  async launch(process: SimulatedProcess): Promise<void> {
    this.processes.push(process)
    process.isRunning = true
    try {
      await process.peer.start()
    } catch (error) {
      process.isRunning = false
      throw error
    }
  }

  running(): SimulatedProcess[] {
    return this.processes.filter(({ isRunning }) => isRunning)
  }

  /** Kills a process; `silent` takes its whole host away, so that nothing says that it is gone. */
  crash(process: SimulatedProcess, { silent = false }: { readonly silent?: boolean } = {}): void {
    process.isRunning = false
    process.transport.crash({ silent })
    process.time.kill()
  }

  /** Stops one process as its user would. */
  async stop(process: SimulatedProcess, options: { readonly drain?: boolean } = {}): Promise<void> {
    process.isRunning = false
    await this.time.settled(process.peer.stop(options))
  }

  async stopAll(options: { readonly drain?: boolean } = {}): Promise<void> {
    const stops = this.running().map((process) => {
      process.isRunning = false
      return process.peer.stop(options)
    })
    await this.time.settled(Promise.all(stops))
  }

  advance(ms: number): Promise<void> {
    return this.time.advance(ms)
  }

  runUntil(condition: () => boolean, limitMs = LIMIT_MS): Promise<void> {
    return this.time.runUntil(condition, limitMs)
  }

  settled<T>(promise: Promise<T>, limitMs = LIMIT_MS): Promise<T> {
    return this.time.settled(promise, limitMs)
  }

  /** Whether all that run serve, and take each other, and nobody else, to be alive. */
  isSettled(): boolean {
    const running = this.running()
    const ids = new Set(running.map(({ id }) => id))
    return running.every(({ peer }) => {
      if (peer.status !== 'serving') return false
      const live = peer.members.filter(({ state }) => state === 'alive' || state === 'suspect')
      return (
        live.length === ids.size &&
        live.every(
          ({ id, state, role, partitions }) =>
            ids.has(id) && state === 'alive' && (role === 'client' || partitions > 0),
        )
      )
    })
  }

  /** Whether the owners of each key hold the same, of one cache or of all; of those that run. */
  isConverged(cache?: string): boolean {
    return this.#differing(cache).next().done === true
  }

  /** Who sees what, and where what they hold differs, for messages of failures. */
  describe(): string {
    const seen = this.running().map(({ id, peer }) => {
      const members = peer.members.map((member) => `${member.id}:${member.state}`).join(' ')
      return `${id} ${peer.status}, sees ${members}`
    })
    return [...seen, ...this.#differences()].join('\n')
  }

  /** Keys of which not all owners hold the same, with who holds which: some of them. */
  #differences(): string[] {
    const differing = [...this.#differing()]
    const more = differing.length - DIFFERENCES_SHOWN_MAX
    const shown = differing.slice(0, DIFFERENCES_SHOWN_MAX)
    return more > 0 ? [...shown, `and ${more} more keys`] : shown
  }

  /** In words, each key of which not all owners hold the same. */
  *#differing(cache?: string): Generator<string> {
    const held = new Map<string, { name: KeyName; by: Map<string, string> }>()
    for (const { id, peer } of this.running()) {
      for (const { cache: name, key, version, payload } of peer.held(cache)) {
        const text = nameOf({ cache: name, key })
        const known = held.get(text) ?? { name: { cache: name, key }, by: new Map() }
        held.set(text, known)
        known.by.set(id, `${formatVersion(version)} ${asText(payload)}`)
      }
    }
    const running = this.running()
    for (const { name, by } of held.values()) {
      const owners = running.filter(({ id, peer }) =>
        peer.ring.locate(name.cache, name.key).owners.includes(id),
      )
      const holdings = owners.map(({ id }) => by.get(id))
      if (holdings.every((holding) => holding === holdings[0])) continue
      const shown = owners.map(({ id }) => `${id}:${by.get(id)?.split(' ')[0] ?? 'nothing'}`)
      yield `cache ${name.cache}, key ${name.key}: ${shown.join(' ')}`
    }
  }
}

/** What a process holds, of one cache or of all, as text that is equal exactly when the content is. */
export function contents({ peer }: SimulatedProcess, cache?: string): string {
  const lines = Array.from(peer.held(cache), ({ cache, key, version, payload }) =>
    [cache, key, formatVersion(version), asText(payload)].join(' '),
  )
  return lines.sort().join('\n')
}

function asText(payload: Payload): string {
  return typeof payload === 'string' ? payload : Buffer.from(payload).toString('base64')
}

function keepingLogger(log: string[]) {
  const note = (level: string) => (message: string) => {
    log.push(`${level} ${message}`)
    if (log.length > LOG_LINES_MAX) log.splice(0, LOG_LINES_MAX / 10)
  }
  return { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
}
