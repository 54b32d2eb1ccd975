/**
 * Finds ports for children to listen on. Between the probe and the child's own attempt another
 * process may take the port: whoever starts the child copes with that by asking for the next one.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { CommandFailure } from './failure.js'

const PORT_MAX = 65_535

/** Gives out free loopback ports from a first one upwards, each once. */
export class FreePorts {
  #next: number

  constructor(private readonly first: number) {
    this.#next = first
  }

  /** The next free port. @throws CommandFailure when there is none */
  async take(): Promise<number> {
    while (this.#next <= PORT_MAX) {
      // Counted on before the probe, for several callers ask at once.
      const port = this.#next++
      if (await isFree(port)) return port
    }
    throw new CommandFailure('NO_FREE_PORT', `no port is free from ${this.first} upwards`)
  }
}

/** Any loopback port that was free a moment ago. */
export async function vacantPort(): Promise<number> {
  return await tryOut(0)
}

async function isFree(port: number): Promise<boolean> {
  return await tryOut(port).then(
    () => true,
    () => false,
  )
}

/** Listens on a port for a moment, on any for 0. Returns on which. */
async function tryOut(port: number): Promise<number> {
  const server = createServer()
  server.listen({ port, host: '127.0.0.1', exclusive: true })
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return address.port
}
