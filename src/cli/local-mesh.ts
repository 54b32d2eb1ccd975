/**
 * Several peers on this machine, one process each: what `up` and `demo` start, watch and clean up.
 */
import { availableParallelism } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { type ChildListener, ChildPeer, type Exit, type ReadyLine } from './child-peer.js'
import type { EventLine } from './events.js'
import { CommandFailure } from './failure.js'
import { FreePorts } from './free-port.js'

/** How the peers are started. */
export interface LocalMeshOptions {
  readonly mesh: string
  /**
   * First HTTP port; each peer takes the next that is free. @default each peer picks one at random
   */
  readonly httpFrom?: number
  readonly logLevel: string
}

/** Flags of one peer besides those that all share. */
export interface LocalPeerOptions {
  readonly bootstrap?: string
  readonly listen?: string
  readonly identity?: string
}

/** What happens in the mesh, by name of the peer that it happens to, or that says so. */
export interface LocalMeshListener {
  onSpawn?(name: string, pid: number): void
  onReady?(name: string, ready: ReadyLine): void
  onEvent?(name: string, line: EventLine): void
  onLog?(name: string, level: string, message: string): void
  onExit?(name: string, exit: Exit): void
}

/** How often a child may lose the race for a port before starting it is given up. */
const PORT_TRIES_MAX = 20

/**
 * Peers that start at a time. A second of work each, before which a peer cannot answer: too many at
 * once keep each other from meeting in time.
 */
const STARTING_MAX = Math.max(4, availableParallelism())

/** How long children have to leave the mesh before they are killed. */
const STOP_DEADLINE_MS = 5_000

/** The children of this process, by name. */
export class LocalMesh {
  readonly #options: LocalMeshOptions
  readonly #listener: LocalMeshListener
  readonly #ports: FreePorts | undefined
  readonly #children = new Map<string, ChildPeer>()
  #stopping = false

  constructor(options: LocalMeshOptions, listener: LocalMeshListener = {}) {
    this.#options = options
    this.#listener = listener
    this.#ports = options.httpFrom === undefined ? undefined : new FreePorts(options.httpFrom)
    // The last resort where nothing can wait any more, such as a second Ctrl-C.
    process.once('exit', () => this.kill('SIGKILL'))
  }

  /** Number of children that run. */
  get runningCount(): number {
    return [...this.#children.values()].filter((child) => child.exit === undefined).length
  }

  /** The process of a peer. */
  child(name: string): ChildPeer | undefined {
    return this.#children.get(name)
  }

  /**
   * Starts peers: the first alone, then the others side by side, with the first as bootstrap.
   * Resolves when all serve.
   * @param own flags of a peer by its name
   * @throws CommandFailure when one of them does not
   */
  async start(
    names: readonly string[],
    own: (name: string) => LocalPeerOptions = () => ({}),
  ): Promise<ReadyLine[]> {
    const [first = '', ...others] = names
    const seed = await this.startPeer(first, own(first))
    const bootstrap = seed.addresses[0] ?? ''
    const served = [seed]
    const startSome = async () => {
      for (let name = others.shift(); name !== undefined; name = others.shift()) {
        served.push(await this.startPeer(name, { ...own(name), bootstrap }))
      }
    }
    await Promise.all(Array.from({ length: STARTING_MAX }, startSome))
    return served
  }

  /** Starts one peer, on the next port if another process takes the one found free. */
  async startPeer(name: string, own: LocalPeerOptions): Promise<ReadyLine> {
    for (let tries = 1; ; tries++) {
      const port = (await this.#ports?.take()) ?? 0
      if (this.#stopping) throw new CommandFailure('STOPPED', 'stopped while starting')
      const child = this.#spawn(name, this.#flags(name, port, own))
      try {
        const ready = await child.ready
        this.#listener.onReady?.(name, ready)
        return ready
      } catch (error) {
        const lostRace = error instanceof CommandFailure && error.code === 'ADDRESS_IN_USE'
        if (!lostRace || port === 0 || tries >= PORT_TRIES_MAX) throw error
      }
    }
  }

  /** Sends a signal to all children that run. */
  kill(signal: NodeJS.Signals): void {
    for (const child of this.#children.values()) child.kill(signal)
  }

  /** Makes all children leave and end, with force if they take too long. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.kill('SIGTERM')
    const ended = Promise.all([...this.#children.values()].map((child) => child.exited))
    const deadline = new AbortController()
    const late = delay(STOP_DEADLINE_MS, undefined, { signal: deadline.signal }).then(
      () => this.kill('SIGKILL'),
      () => {},
    )
    await ended
    deadline.abort()
    await late
  }

  #flags(name: string, port: number, own: LocalPeerOptions): string[] {
    const { mesh, logLevel } = this.#options
    const common = { name, mesh, http: `127.0.0.1:${port}`, 'log-level': logLevel }
    return Object.entries({ ...common, ...own }).flatMap(([flag, value]) => [`--${flag}`, value])
  }

  #spawn(name: string, flags: readonly string[]): ChildPeer {
    const listener = this.#listener
    const child: ChildPeer = new ChildPeer(flags, {
      onEvent: (line) => listener.onEvent?.(name, line),
      onLog: (level, message) => listener.onLog?.(name, level, message),
      // One that never served is an error of the start.
      onExit: (exit) => child.hasServed && listener.onExit?.(name, exit),
    } satisfies ChildListener)
    this.#children.set(name, child)
    listener.onSpawn?.(name, child.pid)
    return child
  }
}
