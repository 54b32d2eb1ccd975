/**
 * The five peers of the demo: their processes, their clients, and what they have said about each
 * other.
 */
import { join } from 'node:path'
import type { ReadyLine } from '../child-peer.js'
import { PeerClient } from '../client.js'
import type { EventLine } from '../events.js'
import { CommandFailure } from '../failure.js'
import { LocalMesh, type LocalMeshOptions, type LocalPeerOptions } from '../local-mesh.js'

/** An event line and who wrote it. */
interface Heard {
  readonly by: string
  readonly line: EventLine
}

export class DemoMesh {
  /** Names of all peers. */
  readonly names = ['peer-1', 'peer-2', 'peer-3', 'peer-4', 'peer-5']
  readonly #mesh: LocalMesh
  readonly #ready = new Map<string, ReadyLine>()
  readonly #heard: Heard[] = []
  readonly #folder: string

  /** @param folder where identities are kept, so that a restarted peer is the same one */
  constructor(options: LocalMeshOptions, folder: string) {
    this.#folder = folder
    this.#mesh = new LocalMesh(options, {
      onReady: (name, ready) => this.#ready.set(name, ready),
      onEvent: (by, line) => this.#heard.push({ by, line }),
      onLog: (name, level, message) => process.stderr.write(`${level} ${name}: ${message}\n`),
    })
  }

  async start(): Promise<void> {
    await this.#mesh.start(this.names, (name) => this.#own(name))
  }

  /** Starts a peer that was killed: the same identity, the same port, nothing remembered. */
  async restart(name: string): Promise<void> {
    const before = this.#line(name)
    const seed = this.names.find((other) => other !== name) ?? ''
    const listen = before.addresses[0]?.replace(/\/p2p\/.*$/, '') ?? ''
    const bootstrap = this.#line(seed).addresses[0] ?? ''
    await this.#mesh.startPeer(name, { ...this.#own(name), listen, bootstrap })
  }

  /**
   * Ends a peer as a crash does. Resolves, with the wall time of the kill, when its process is
   * gone.
   */
  async kill(name: string): Promise<number> {
    const child = this.#mesh.child(name)
    const at = Date.now()
    child?.kill('SIGKILL')
    await child?.exited
    return at
  }

  stop(): Promise<void> {
    return this.#mesh.stop()
  }

  client(name: string): PeerClient {
    return new PeerClient(this.#line(name).http)
  }

  pid(name: string): number {
    return this.#mesh.child(name)?.pid ?? 0
  }

  /** When `by` first said `event` of `subject`, at or after a time; undefined if it has not. */
  heardAt(by: string, event: string, subject: string, since: number): number | undefined {
    const { id } = this.#line(subject)
    return this.#linesOf(by, event, since).find((line) => line.id === id)?.at
  }

  /** Entries that `by` says it took over from others, at or after a time. */
  entriesTaken(by: string, since: number): number {
    return this.#linesOf(by, 'sync:end', since).reduce(
      (sum, line) => sum + Number(line.entries ?? 0),
      0,
    )
  }

  #linesOf(by: string, event: string, since: number): EventLine[] {
    return this.#heard.flatMap(({ by: who, line }) =>
      who === by && line.event === event && (line.at ?? 0) >= since ? [line] : [],
    )
  }

  #own(name: string): LocalPeerOptions {
    return { identity: join(this.#folder, `${name}.key`) }
  }

  #line(name: string): ReadyLine {
    const line = this.#ready.get(name)
    if (line === undefined) throw new CommandFailure('NOT_READY', `${name} has not been ready yet`)
    return line
  }
}
