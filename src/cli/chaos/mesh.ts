/**
 * The mesh of a chaos run: so many places, in each of them one process after the other, and links
 * between all of them that the driver holds.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Ack } from '../../api.js'
import { CommandFailure } from '../failure.js'
import { vacantPort } from '../free-port.js'
import { Links, type Route } from './links.js'
import type { Look } from './messages.js'
import { ChaosProcess, Guard, type ProcessListener } from './process.js'

export interface ChaosMeshOptions {
  readonly peers: number
  readonly replicas: number
  readonly ack: Ack
  readonly seed: number
  readonly operationsPerSecond: number
}

/** How often a port that was found free may be taken by somebody else before the child listens. */
const PORT_TRIES_MAX = 5

/** Who does not say within this time how it is, in ms, does not count as settled. */
const LOOK_TIMEOUT_MS = 1_000

/** Members that a joiner is told of. */
const BOOTSTRAP_MAX = 3

/** What a member sees; undefined where it did not say so in time. */
export interface Looked {
  readonly child: ChaosProcess
  readonly look: Look | undefined
}

export class ChaosMesh {
  readonly links = new Links()
  readonly #options: ChaosMeshOptions
  readonly #listener: ProcessListener
  readonly #guard = new Guard()
  readonly #name = `chaos-${randomBytes(4).toString('hex')}`
  readonly #places: Array<ChaosProcess | undefined> = []
  /** All that have joined, those that have ended since included. */
  readonly #byId = new Map<string, ChaosProcess>()
  readonly #ports: number[] = []
  readonly #lives: number[] = []
  #spawned: Promise<unknown> = Promise.resolve()
  readonly #killAll = () => {
    for (const child of this.running()) child.kill()
  }
  #isStopping = false

  constructor(options: ChaosMeshOptions, listener: ProcessListener) {
    this.#options = options
    this.#listener = listener
    // Where nothing can wait any more, such as at a second Ctrl-C.
    process.once('exit', this.#killAll)
  }

  /** The process in a place that runs. */
  at(place: number): ChaosProcess | undefined {
    const child = this.#places[place]
    return child?.isRunning ? child : undefined
  }

  /** The process that has, or had, an id. */
  withId(id: string): ChaosProcess | undefined {
    return this.#byId.get(id)
  }

  /** All places, whoever is there. */
  get places(): number[] {
    return Array.from({ length: this.#options.peers }, (_, place) => place)
  }

  /** All processes that run, those that are starting included. */
  running(): ChaosProcess[] {
    return this.#places.filter((child): child is ChaosProcess => child?.isRunning === true)
  }

  /** Those of them that have started, and are at least about to join. */
  started(): ChaosProcess[] {
    return this.running().filter(({ startedAtMs }) => startedAtMs !== undefined)
  }

  /** Starts all members: the first alone, then the others. Resolves when all are ready. */
  async start(): Promise<void> {
    const [first = 0, ...others] = this.places
    await (await this.startAt(first)).ready()
    await Promise.all(others.map(async (place) => (await this.startAt(place)).ready()))
  }

  /** Starts a process in a place. Resolves when it is at work, though it may have yet to join. */
  async startAt(place: number): Promise<ChaosProcess> {
    const life = (this.#lives[place] ?? 0) + 1
    this.#lives[place] = life
    for (let tries = 1; ; tries++) {
      try {
        return await this.#tryStart(place, `peer-${place + 1}.${life}`)
      } catch (error) {
        const isTaken = error instanceof CommandFailure && error.code === 'ADDRESS_IN_USE'
        if (!isTaken || tries >= PORT_TRIES_MAX) throw error
      }
    }
  }

  async #tryStart(place: number, name: string): Promise<ChaosProcess> {
    // One after the other: each opens the links to all that were there before.
    const spawned = this.#spawned.then(() => this.#spawn(place, name))
    this.#spawned = spawned.catch(() => {})
    const { child, port } = await spawned
    const { replicas, ack, seed, operationsPerSecond } = this.#options
    const addresses = this.started().flatMap(({ addresses }) => addresses.slice(0, 1))
    const bootstrap = addresses.slice(0, BOOTSTRAP_MAX)
    try {
      const mesh = this.#name
      await child.start({ mesh, name, port, bootstrap, replicas, ack, seed, operationsPerSecond })
      this.#byId.set(child.id, child)
      return child
    } catch (error) {
      child.kill()
      throw error
    }
  }

  async #spawn(place: number, name: string): Promise<{ child: ChaosProcess; port: number }> {
    const port = await vacantPort()
    this.#ports[place] = port
    // Before it can be heard of: nobody is to dial it but through its proxies.
    const routes = await this.#open(place)
    if (this.#isStopping) throw new CommandFailure('STOPPED', 'stopped while starting')
    const child = new ChaosProcess(name, place, this.#guard, this.#listener)
    this.#places[place] = child
    this.#listener.onSpawn(child)
    void child.ask({ do: 'route', routes }).catch(() => {})
    return { child, port }
  }

  /** Opens the links of a place, both ways. Returns by which ports it is to dial the others. */
  async #open(place: number): Promise<Route[]> {
    const port = this.#ports[place] as number
    const routes: Route[] = []
    for (const [other, otherPort] of this.#ports.entries()) {
      if (other === place || otherPort === undefined) continue
      routes.push([otherPort, await this.links.openOne(place, other, otherPort)])
      const instead = await this.links.openOne(other, place, port)
      // One that stands still hears of it when it goes on, before it can dial.
      void this.at(other)
        ?.ask({ do: 'route', routes: [[port, instead]] })
        .catch(() => {})
    }
    return routes
  }

  /** Kills the process in a place. Resolves when it is gone, with what it was. */
  async kill(place: number): Promise<ChaosProcess | undefined> {
    const child = this.at(place)
    child?.kill()
    this.links.gone(place)
    await child?.exited
    return child
  }

  /** What every member sees; undefined of one that does not say so in time. */
  async look(): Promise<Looked[]> {
    return await Promise.all(
      this.running().map(async (child) => {
        const end = new AbortController()
        const late = delay(LOOK_TIMEOUT_MS, undefined, { signal: end.signal }).catch(() => {})
        const asked = child.ask<Look>({ do: 'look' }).catch(() => undefined)
        const look = (await Promise.race([asked, late])) ?? undefined
        end.abort()
        return { child, look }
      }),
    )
  }

  /** Ends all processes, whatever they do. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#killAll()
    await Promise.all(this.#places.map((child) => child?.exited))
    this.links.close()
    await this.#guard.stop()
    process.off('exit', this.#killAll)
  }
}

/** Why a mesh is not settled; nothing where all place keys by one ring and have all that they own. */
export function* unrestOf(looks: readonly Looked[]): Generator<string> {
  const ids = looks.map(({ child }) => child.id).sort()
  const all = ids.join(' ')
  for (const { child, look } of looks) {
    const { name } = child
    if (!child.isRunning || child.isKilled) yield `${name} has ended`
    else if (look === undefined) yield `${name} does not answer`
    else if (look.status !== 'serving') yield `${name} is ${look.status}`
    else if (look.alive.join(' ') !== all) {
      yield `${name} sees ${look.alive.length} of ${ids.length} members`
    } else if (look.suspect.length > 0) yield `${name} suspects ${look.suspect.length} members`
    else if (look.ring.join(' ') !== all) {
      yield `the ring of ${name} has ${look.ring.length} of ${ids.length} members`
    } else if (look.openPartitions > 0) {
      yield `${name} has yet to take over ${look.openPartitions} partitions`
    }
  }
}
