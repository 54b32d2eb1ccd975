/**
 * Links between processes that can be cut, one way or both, and slowed down: every process is dialled
 * through a proxy of its own for each that dials it, and the driver says what passes. A cut link is a
 * cable that was pulled: nothing is refused and nothing ends, bytes wait, and whoever connects hears
 * nothing. Where a process is gone, its proxies refuse, as its own port would.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Flow, type FlowSettings } from './flow.js'

const HOST = '127.0.0.1'

const WHOLE: FlowSettings = { isCut: false, delayMs: 0 }

/** By which port a process is to dial another one. */
export type Route = readonly [listening: number, instead: number]

/** One connection through a proxy: what comes from the dialler, and what goes back to it. */
interface Passage {
  readonly dialler: Socket
  /** Undefined until it has been let through. */
  target: Socket | undefined
  there: Flow | undefined
  back: Flow | undefined
}

/** What one process dials another by. */
class Detour {
  readonly #server: Server
  readonly #targetPort: number
  readonly #passages = new Set<Passage>()
  #there: FlowSettings
  #back: FlowSettings
  #isTargetGone = false

  constructor(targetPort: number, there: FlowSettings, back: FlowSettings) {
    this.#targetPort = targetPort
    this.#there = there
    this.#back = back
    this.#server = createServer({ pauseOnConnect: true }, (dialler) => this.#accept(dialler))
  }

  async listen(): Promise<number> {
    this.#server.listen(0, HOST)
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** How what the dialler sends, and what comes back, behaves from now on. */
  set(there: FlowSettings, back: FlowSettings): void {
    this.#there = there
    this.#back = back
    this.#changed()
  }

  /** The process that is dialled is gone, for good. */
  targetIsGone(): void {
    this.#isTargetGone = true
    this.#changed()
  }

  close(): void {
    this.#server.close()
    for (const { dialler, target } of this.#passages) {
      dialler.destroy()
      target?.destroy()
    }
  }

  /** A new connection takes both directions. */
  get #isOpen(): boolean {
    return !this.#there.isCut && !this.#back.isCut
  }

  #changed(): void {
    // Who is cut off does not even hear that a process is gone.
    if (this.#isTargetGone && this.#isOpen) {
      this.close()
      return
    }
    for (const passage of this.#passages) {
      passage.there?.set(this.#there)
      passage.back?.set(this.#back)
      if (passage.target === undefined && this.#isOpen) this.#letThrough(passage)
    }
  }

  #accept(dialler: Socket): void {
    const passage: Passage = { dialler, target: undefined, there: undefined, back: undefined }
    this.#passages.add(passage)
    dialler.setNoDelay(true)
    // Half a connection that ends, or breaks, ends the other half; what is cut off does not even hear
    // of that.
    dialler.on('error', () => {})
    dialler.once('close', () => {
      this.#passages.delete(passage)
      passage.target?.destroy()
    })
    if (this.#isOpen) this.#letThrough(passage)
  }

  #letThrough(passage: Passage): void {
    const { dialler } = passage
    const target = connect({ port: this.#targetPort, host: HOST, noDelay: true })
    passage.target = target
    target.on('error', () => {})
    target.once('close', () => dialler.destroy())
    passage.there = new Flow(dialler, target, this.#there)
    passage.back = new Flow(target, dialler, this.#back)
  }
}

/** The links of a mesh of processes, which are named by their places. */
export class Links {
  readonly #proxies = new Map<string, Detour>()
  /** How what one process sends to another behaves, where it is not as it should be. */
  readonly #settings = new Map<string, FlowSettings>()

  /**
   * Opens a proxy for each pair of processes that listen on some ports.
   * @returns for each process, by which port it is to dial each of the others
   */
  async open(ports: readonly number[]): Promise<Route[][]> {
    return await Promise.all(
      ports.map(async (_, from) => {
        const routes: Route[] = []
        for (const [to, port] of ports.entries()) {
          if (to !== from) routes.push([port, await this.openOne(from, to, port)])
        }
        return routes
      }),
    )
  }

  /** Opens the proxy by which `from` is to dial `to`, in place of an earlier one. Returns its port. */
  async openOne(from: number, to: number, port: number): Promise<number> {
    const proxy = new Detour(port, this.#settingsOf(from, to), this.#settingsOf(to, from))
    const instead = await proxy.listen()
    this.#proxies.get(nameOf(from, to))?.close()
    this.#proxies.set(nameOf(from, to), proxy)
    return instead
  }

  /** Cuts all links between two groups of processes. */
  cut(some: readonly number[], others: readonly number[]): void {
    this.cutOneWay(some, others)
    this.cutOneWay(others, some)
  }

  /** From now on what some send to others waits; what those send arrives. */
  cutOneWay(from: readonly number[], to: readonly number[]): void {
    this.#set(from, to, { isCut: true })
  }

  /** Mends all links between two groups of processes, whichever way they were cut. */
  mend(some: readonly number[], others: readonly number[]): void {
    this.#set(some, others, { isCut: false })
    this.#set(others, some, { isCut: false })
  }

  /** From now on what some send to others takes so much longer; 0 for no longer. */
  delay(from: readonly number[], to: readonly number[], delayMs: number): void {
    this.#set(from, to, { delayMs })
  }

  /** A process is gone: it is refused from now on, and connections to it end. */
  gone(process: number): void {
    for (const [name, proxy] of this.#proxies) {
      if (name.endsWith(` ${process}`)) proxy.targetIsGone()
    }
  }

  close(): void {
    for (const proxy of this.#proxies.values()) proxy.close()
  }

  #set(from: readonly number[], to: readonly number[], change: Partial<FlowSettings>): void {
    for (const one of from) {
      for (const other of to) {
        this.#settings.set(nameOf(one, other), { ...this.#settingsOf(one, other), ...change })
        // Whoever dialled whom, this is one direction of the link.
        this.#apply(one, other)
        this.#apply(other, one)
      }
    }
  }

  #apply(from: number, to: number): void {
    const proxy = this.#proxies.get(nameOf(from, to))
    proxy?.set(this.#settingsOf(from, to), this.#settingsOf(to, from))
  }

  #settingsOf(from: number, to: number): FlowSettings {
    return this.#settings.get(nameOf(from, to)) ?? WHOLE
  }
}

function nameOf(from: number, to: number): string {
  return `${from} ${to}`
}
