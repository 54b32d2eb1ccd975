/**
 * The simulated mesh that apps use in their own tests: peers, the faults that happen to them, and time that passes
 * when the test says so.
 */
import type { LinkSettings } from '../adapters/memory/faults.js'
import { OutOfTimeError } from '../adapters/simulated/time.js'
import { loadHash64 } from '../adapters/system/hash.js'
import type { Peer } from '../api.js'
import { InvalidOptionError } from '../errors.js'
import type { PeerOptions } from '../options.js'
import { type SimulatedProcess, Simulation } from './simulation.js'

/** Largest mesh that is simulated: beyond it a mistake is likelier than a wish. */
const PEERS_MAX = 1_000

/** Simulated time after which a wait is given up, unless told otherwise, in ms. */
const LIMIT_MS = 60_000

/**
 * How the network of a simulated mesh behaves, each way of each link alike.
 * Probabilities are 0 … 1, times are in simulated ms.
 */
export type SimulatedLink = LinkSettings

/** Options of {@link simulateMesh}. */
export interface SimulatedMeshOptions {
  /** How many peers to start with, 1 … 1,000. @default 3 */
  readonly peers?: number
  /** Where all chance comes from: the same seed, the same run. A whole number; its lower 32 bits count. @default 1 */
  readonly seed?: number
  /**
   * Options of every peer. `listen`, `announce`, `mdns`, `identity` and `http` have no meaning here: there is no host
   * and no real network.
   */
  readonly options?: PeerOptions
  /** How the network behaves from the start. @default a local network: 0.2 to 1 ms one way, nothing lost */
  readonly network?: Partial<SimulatedLink>
}

/** The settings of a link that are probabilities. */
const LINK_PROBABILITIES = new Set<string>([
  'lossProbability',
  'frameLossProbability',
  'duplicateProbability',
  'reorderProbability',
] satisfies Array<keyof SimulatedLink>)

/** How often {@link SimulatedMesh.settle} looks, in simulated ms. */
const LOOK_INTERVAL_MS = 20

/** How to wait. */
export interface WaitOptions {
  /** Simulated time after which the wait is given up with an error, in ms. @default 60000 */
  readonly limitMs?: number
}

/**
 * Starts a mesh of simulated peers, and lets time pass until all of them serve and know each other.
 *
 * The peers are real ones (the production cache, services and wire format) on a simulated clock, scheduler and
 * network. Time stands still unless one of the mesh's methods lets it pass. Nothing touches a socket or a disk, and
 * timers of the app itself (`setTimeout`, `Date.now`) are not simulated.
 *
 * @throws RangeError when `peers` or `seed` is out of range; InvalidOptionError for an option of a peer
 * @example
 * ```ts
 * import { simulateMesh } from 'hearsay/testing'
 *
 * const mesh = await simulateMesh({ peers: 3, seed: 7 })
 * const [ada, bob, cyd] = mesh.peers
 * mesh.partition([ada], [bob, cyd])
 * await ada.cache('users').set('42', 'Ada')
 * await mesh.advance(1_000)
 * bob.cache('users').peek('42') // undefined: the news cannot reach it
 * mesh.heal()
 * await mesh.settle()
 * bob.cache('users').peek('42') // 'Ada'
 * await mesh.stop()
 * ```
 */
export async function simulateMesh(options: SimulatedMeshOptions = {}): Promise<SimulatedMesh> {
  const { peers = 3, seed = 1, options: peer = {}, network = {}, ...unknown } = options
  const [wrong] = Object.keys(unknown)
  if (wrong !== undefined) throw new InvalidOptionError(wrong, 'is not an option of simulateMesh')
  checkLink(network)
  if (!Number.isSafeInteger(peers) || peers < 1 || peers > PEERS_MAX) {
    throw new RangeError(`peers is ${peers}, it must be a whole number from 1 to ${PEERS_MAX}`)
  }
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed is ${seed}, not a whole number`)
  const hash = await loadHash64()
  const mesh = new SimulatedMesh(new Simulation({ seed, hash, peer, network }))
  for (let i = 0; i < peers; i++) await mesh.start()
  await mesh.settle()
  return mesh
}

/** A mesh of simulated peers; see {@link simulateMesh}. */
export class SimulatedMesh {
  readonly #simulation: Simulation

  /** @internal use {@link simulateMesh} */
  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  /** The seed of this run: print it when a test fails, to have the same run again. */
  get seed(): number {
    return this.#simulation.seed
  }

  /** The peers that run, in the order in which they were started. */
  get peers(): readonly Peer[] {
    return this.#simulation.running().map(({ peer }) => peer)
  }

  /** One of the peers that run: 0 is the first of {@link peers}. @throws RangeError when there is none */
  peer(index: number): Peer {
    const peer = this.peers[index]
    if (peer === undefined) {
      throw new RangeError(`peer(${index}): ${this.peers.length} peers run, counted from 0`)
    }
    return peer
  }

  /** Simulated wall time, in ms since the Unix epoch. A run begins at 2026-01-01T00:00:00Z. */
  now(): number {
    return this.#simulation.time.now()
  }

  /** Starts one more peer. It is there at once, and joins as time passes. @param options added to those of all peers */
  async start(options: PeerOptions = {}): Promise<Peer> {
    const process = this.#simulation.process(options)
    await this.#simulation.launch(process)
    return process.peer
  }

  /**
   * Starts a crashed or stopped peer again: a new process with the same id at the same address, and nothing in memory.
   * @param options added to those that it was started with
   * @throws Error when a process of that peer runs
   */
  async restart(peer: Peer, options: PeerOptions = {}): Promise<Peer> {
    const { id, transport, time, options: own } = this.#process(peer)
    if (this.#simulation.running().some((process) => process.id === id))
      throw new Error(`${id} is running: crash or stop it before it is restarted`)
    const port = Number(/\/tcp\/(\d+)/.exec(transport.addresses[0] ?? '')?.[1])
    const process = this.#simulation.process({
      id,
      port,
      clockOffsetMs: time.offsetMs,
      ...own,
      ...options,
    })
    await this.#simulation.launch(process)
    return process.peer
  }

  /**
   * Kills a peer: no goodbye, and all that only it held is lost. The others' connections to it break soon, as when a
   * process is killed; with `silent` its whole host is gone, and they hear nothing any more.
   */
  crash(peer: Peer, options: { readonly silent?: boolean } = {}): void {
    checkNames(options, ['silent'], 'crash')
    this.#simulation.crash(this.#running(peer), options)
  }

  /** Lets a peer stand still for some simulated time, as in a long garbage collection. */
  stall(peer: Peer, durationMs: number): void {
    checkDuration(durationMs, 'stall')
    this.#running(peer).time.stall(durationMs)
  }

  /** Sets a peer's wall clock forward or, with a negative number, back. */
  stepClock(peer: Peer, ms: number): void {
    if (!Number.isFinite(ms)) throw new RangeError(`stepClock: ${ms} is no number of ms`)
    const { time } = this.#running(peer)
    time.setOffset(time.offsetMs + ms)
  }

  /**
   * Cuts all links between peers of different groups; a peer in no group keeps its links. With `oneWay` only what goes
   * from a group to the groups after it is cut. Cuts add up until {@link heal}.
   * @throws RangeError for fewer than two groups, an empty one, or a peer in two of them; InvalidOptionError for an option
   * that there is not; Error for a peer of another mesh
   */
  partition(...groups: ReadonlyArray<readonly Peer[]>): void
  partition(from: readonly Peer[], to: readonly Peer[], options: { readonly oneWay: boolean }): void
  partition(...args: ReadonlyArray<readonly Peer[] | { readonly oneWay: boolean }>): void {
    const groups = args.filter((arg) => Array.isArray(arg)) as Array<readonly Peer[]>
    const options = args.filter((arg) => !Array.isArray(arg)) as Array<{ oneWay?: boolean }>
    if (groups.length < 2) throw new RangeError('partition takes two groups of peers, or more')
    for (const some of options) checkNames(some, ['oneWay'], 'partition')
    const oneWay = options.some((some) => some?.oneWay)
    const empty = groups.findIndex(({ length }) => length === 0)
    if (empty >= 0)
      throw new RangeError(`partition: group ${empty + 1} of ${groups.length} is empty`)
    const ids = groups.map((group) => [...new Set(group.map((peer) => this.#process(peer).id))])
    const twice = ids.flat().find((id, index, all) => all.indexOf(id) < index)
    if (twice !== undefined) throw new RangeError(`partition: ${twice} is in two groups`)
    for (const [index, group] of ids.entries()) {
      for (const other of ids.slice(index + 1).flat()) {
        for (const id of group) this.#simulation.network.cut(id, other, { oneWay })
      }
    }
  }

  /** Mends all links, and makes the network as it was at the start. */
  heal(): void {
    this.#simulation.network.reset()
  }

  /** Changes how all links behave from now on, until {@link heal}. */
  degrade(link: Partial<SimulatedLink>): void {
    checkLink(link)
    this.#simulation.network.configure(link)
  }

  /** Lets simulated time pass. @param ms 0 or more */
  async advance(ms: number): Promise<void> {
    checkDuration(ms, 'advance')
    await this.#simulation.advance(ms)
  }

  /**
   * Lets time pass until a promise settles, and settles like it: for calls that need the others, such as
   * `peer.flush()`.
   * @throws Error when it has not settled within `limitMs`, saying who sees what
   */
  async run<T>(work: Promise<T> | (() => Promise<T>), options: WaitOptions = {}): Promise<T> {
    const limitMs = limitOf(options, 'run')
    const promise = typeof work === 'function' ? work() : work
    return await this.#explained(this.#simulation.settled(promise, limitMs))
  }

  /** Lets time pass until a condition holds. @throws Error when it does not within `limitMs` */
  async until(condition: () => boolean, options: WaitOptions = {}): Promise<void> {
    const limitMs = limitOf(options, 'until')
    await this.#explained(this.#simulation.runUntil(condition, limitMs))
  }

  /**
   * Lets time pass until the mesh is at rest: no peer stands still, all that run serve and take exactly each other to be
   * alive, nothing is queued, nothing is on the move from one owner to another, and the owners of each key
   * hold the same (unless some have evicted entries: then what they hold may differ).
   * @throws Error when that is not so within `limitMs`, saying who sees what
   */
  async settle(options: WaitOptions = {}): Promise<void> {
    const limitMs = limitOf(options, 'settle')
    for (let waitedMs = 0; !this.#isAtRest(); waitedMs += LOOK_INTERVAL_MS) {
      if (waitedMs >= limitMs) {
        const seen = this.#describe()
        throw new Error(`not settled after ${limitMs} simulated ms, seed ${this.seed}:\n${seen}`)
      }
      await this.#simulation.advance(LOOK_INTERVAL_MS)
    }
  }

  /** What this process of a peer has logged, as `<level> <message>`: its last 10,000 lines. */
  logs(peer: Peer): readonly string[] {
    return this.#process(peer).log
  }

  /** Stops all peers that run. */
  async stop(): Promise<void> {
    await this.#simulation.stopAll()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #isAtRest(): boolean {
    if (!this.#simulation.isSettled() || this.#stalled().length > 0) return false
    const peers = this.#simulation.running().map(({ peer }) => peer)
    const isMoving = peers.some((peer) => !peer.isPlacementSettled || peer.isGivingUp)
    const isBusy = peers.some(({ pending }) => Object.values(pending).some((count) => count > 0))
    if (isMoving || isBusy) return false
    const isEvicting = peers.some((peer) => peer.stats().evictionCount > 0)
    return isEvicting || this.#simulation.isConverged()
  }

  /** Adds the seed, and who sees what, to the error of a wait that was given up. */
  async #explained<T>(wait: Promise<T>): Promise<T> {
    try {
      return await wait
    } catch (error) {
      if (!(error instanceof OutOfTimeError)) throw error
      const seen = this.#describe()
      throw new Error(`${error.message}, seed ${this.seed}:\n${seen}`, { cause: error })
    }
  }

  /** Those that stand still, and will hear late of all that has come meanwhile. */
  #stalled(): SimulatedProcess[] {
    return this.#simulation.running().filter(({ time }) => time.isStalled)
  }

  #describe(): string {
    const stalled = this.#stalled().map(({ id }) => `${id} stands still`)
    return [this.#simulation.describe(), ...stalled].join('\n')
  }

  /** @throws TypeError for what is no peer at all; Error for a peer of another mesh */
  #process(peer: Peer): SimulatedProcess {
    if (typeof (peer as Peer | null | undefined)?.id !== 'string') {
      throw new TypeError(`${printed(peer)} is no peer`)
    }
    const process = this.#simulation.processes.findLast((known) => known.peer === peer)
    if (process === undefined) throw new Error(`${peer.id} is no peer of this mesh`)
    return process
  }

  #running(peer: Peer): SimulatedProcess {
    const process = this.#process(peer)
    if (!process.isRunning) throw new Error(`${peer.id} is not running`)
    return process
  }
}

/** A setting that is no number would make time stand still, or go on for ever. @throws InvalidOptionError */
function checkLink({ delayMs, reorderDelayMaxMs, ...probabilities }: Partial<SimulatedLink>): void {
  for (const [name, value] of Object.entries(probabilities)) {
    if (!LINK_PROBABILITIES.has(name)) throw new InvalidOptionError(name, 'is no setting of a link')
    if (value === undefined || (value >= 0 && value <= 1)) continue
    throw new InvalidOptionError(name, `${value} is no probability from 0 to 1`)
  }
  if (reorderDelayMaxMs !== undefined && !isDuration(reorderDelayMaxMs)) {
    throw new InvalidOptionError('reorderDelayMaxMs', `${reorderDelayMaxMs} is no number of ms`)
  }
  if (delayMs === undefined) return
  const { min, max } = delayMs
  if (isDuration(min) && isDuration(max) && min <= max) return
  throw new InvalidOptionError('delayMs', `${min} … ${max} is no range of ms`)
}

/** An option that is misspelt would be one not given. @throws InvalidOptionError */
function checkNames(options: object | undefined, known: readonly string[], method: string): void {
  const wrong = Object.keys(options ?? {}).find((name) => !known.includes(name))
  if (wrong === undefined) return
  throw new InvalidOptionError(wrong, `is not an option of ${method}`)
}

/** How long a wait may take, in ms. @throws RangeError, InvalidOptionError */
function limitOf(options: WaitOptions, method: string): number {
  checkNames(options, ['limitMs'], method)
  const { limitMs = LIMIT_MS } = options
  checkDuration(limitMs, `limitMs of ${method}`)
  return limitMs
}

/** @throws RangeError for what would corrupt the clock, let it go back, or never end */
function checkDuration(ms: number, what: string): void {
  if (!isDuration(ms))
    throw new RangeError(`${what}: ${printed(ms)} is no finite number of ms from 0 on`)
}

/** A text with its quotes, so that it does not pass for a number. */
function printed(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

function isDuration(ms: number): boolean {
  return Number.isFinite(ms) && ms >= 0
}
