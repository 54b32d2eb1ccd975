/**
 * Links between processes that can be cut: every process is dialled through a proxy of its own for each that dials it, and
 * the driver says what passes. A cut link is a cable that was pulled: nothing is refused and nothing ends, bytes wait, and
 * whoever connects hears nothing.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

const HOST = '127.0.0.1'

/** One connection through a proxy: what comes from the dialler, and what goes back to it. */
interface Passage {
  readonly dialler: Socket
  /** Undefined until it has been let through. */
  target: Socket | undefined
}

/** What one process dials another by. */
class Detour {
  readonly #server: Server
  readonly #targetPort: number
  readonly #passages = new Set<Passage>()
  #isCut = false

  constructor(targetPort: number) {
    this.#targetPort = targetPort
    this.#server = createServer({ pauseOnConnect: true }, (dialler) => this.#accept(dialler))
  }

  async listen(): Promise<number> {
    this.#server.listen(0, HOST)
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  cut(): void {
    this.#isCut = true
    for (const { dialler, target } of this.#passages) {
      dialler.pause()
      target?.pause()
    }
  }

  mend(): void {
    this.#isCut = false
    for (const passage of this.#passages) this.#letThrough(passage)
  }

  close(): void {
    this.#server.close()
    for (const { dialler, target } of this.#passages) {
      dialler.destroy()
      target?.destroy()
    }
  }

  #accept(dialler: Socket): void {
    const passage: Passage = { dialler, target: undefined }
    this.#passages.add(passage)
    dialler.setNoDelay(true)
    // Half a connection that ends, or breaks, ends the other half; what is cut off does not even hear of that.
    dialler.on('error', () => {})
    dialler.once('close', () => {
      this.#passages.delete(passage)
      passage.target?.destroy()
    })
    if (!this.#isCut) this.#letThrough(passage)
  }

  #letThrough(passage: Passage): void {
    const { dialler } = passage
    if (passage.target !== undefined) {
      dialler.resume()
      passage.target.resume()
      return
    }
    const target = connect({ port: this.#targetPort, host: HOST, noDelay: true })
    passage.target = target
    target.on('error', () => {})
    target.once('close', () => dialler.destroy())
    relay(dialler, target)
    relay(target, dialler)
    dialler.resume()
  }
}

/** Passes on what comes, no faster than the other side takes it. */
function relay(from: Socket, to: Socket): void {
  from.on('data', (bytes) => {
    if (to.write(bytes)) return
    from.pause()
    to.once('drain', () => from.resume())
  })
  from.once('end', () => to.end())
}

export class Links {
  readonly #proxies = new Map<string, Detour>()

  /**
   * Opens a proxy for each pair of processes that listen on some ports.
   * @returns for each process, by which port it is to dial each of the others: `[listening, instead]`
   */
  async open(
    ports: readonly number[],
  ): Promise<Array<Array<[listening: number, instead: number]>>> {
    return await Promise.all(
      ports.map(async (_, from) => {
        const routes: Array<[number, number]> = []
        for (const [to, port] of ports.entries()) {
          if (to === from) continue
          const proxy = new Detour(port)
          this.#proxies.set(nameOf(from, to), proxy)
          routes.push([port, await proxy.listen()])
        }
        return routes
      }),
    )
  }

  /** Cuts all links between two groups of processes. */
  cut(some: readonly number[], others: readonly number[]): void {
    for (const proxy of this.#between(some, others)) proxy.cut()
  }

  mend(some: readonly number[], others: readonly number[]): void {
    for (const proxy of this.#between(some, others)) proxy.mend()
  }

  close(): void {
    for (const proxy of this.#proxies.values()) proxy.close()
  }

  *#between(some: readonly number[], others: readonly number[]): Generator<Detour> {
    for (const one of some) {
      for (const other of others) {
        for (const name of [nameOf(one, other), nameOf(other, one)]) {
          const proxy = this.#proxies.get(name)
          if (proxy !== undefined) yield proxy
        }
      }
    }
  }
}

function nameOf(from: number, to: number): string {
  return `${from} ${to}`
}
