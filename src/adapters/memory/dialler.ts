/**
 * Opening connections in memory: one to the first address that answers, and none to a peer that is connected
 * already or is being dialled, as over libp2p.
 */
import { DialError, type DialFailure, type Probe, type Timer } from '../../services/ports.js'
import { ConnectionEnd } from './connection.js'
import type { MemoryNetwork } from './network.js'
import type { MemoryTransport } from './transport.js'

export class Dialler {
  readonly #network: MemoryNetwork
  readonly #transport: MemoryTransport
  /** Dials under way, by the id of who is meant. */
  readonly #dials = new Map<string, Promise<string>>()

  constructor(network: MemoryNetwork, transport: MemoryTransport) {
    this.#network = network
    this.#transport = transport
  }

  async dial(addresses: readonly string[], id?: string): Promise<string> {
    const wanted = id ?? idOf(addresses)
    if (wanted === undefined) return await this.#dialInTurn(addresses, id)
    if (wanted === this.#transport.id) throw new DialError('wrong peer', 'this is the peer itself')
    if (this.#transport.isConnected(wanted)) return wanted
    let dial = this.#dials.get(wanted)
    if (dial === undefined) {
      dial = this.#dialInTurn(addresses, id).finally(() => this.#dials.delete(wanted))
      this.#dials.set(wanted, dial)
    }
    return await dial
  }

  async probe(address: string): Promise<Probe> {
    return await new Promise((resolve) => {
      const { probeTimeoutMs } = this.#network.options
      const target = this.#network.at(address)
      if (!this.#isInReach(target)) {
        this.#transport.after(probeTimeoutMs, () => resolve('silent'))
        return
      }
      // The kernel answers, whatever the process is doing.
      this.#transport.after(this.#roundTripMs(target), () => {
        resolve(this.#network.at(address)?.isRunning ? 'open' : 'refused')
      })
    })
  }

  async #dialInTurn(addresses: readonly string[], id: string | undefined): Promise<string> {
    const failures: DialError[] = []
    for (const address of addresses) {
      try {
        return await this.#dialAddress(address, id)
      } catch (error) {
        failures.push(error as DialError)
      }
    }
    const isWrong = failures.some(({ reason }) => reason === 'wrong peer')
    const isRefused = failures.every(({ reason }) => reason === 'refused')
    throw new DialError(
      isWrong ? 'wrong peer' : isRefused ? 'refused' : 'unreachable',
      `${addresses.join(', ')}: ${failures.map(({ message }) => message).join('; ')}`,
    )
  }

  /** One address: its kernel answers first, then the process that listens there. */
  async #dialAddress(address: string, id: string | undefined): Promise<string> {
    const wanted = idOf([address]) ?? id
    return await new Promise<string>((resolve, reject) => {
      const attempt = new Attempt(resolve, reject)
      attempt.timer = this.#transport.after(this.#network.options.dialTimeoutMs, () =>
        attempt.fail('unreachable', 'nothing answers'),
      )
      const target = this.#network.at(address)
      if (!this.#isInReach(target)) return
      this.#transport.after(this.#roundTripMs(target), () => {
        const listener = this.#network.at(address)
        if (listener === undefined) {
          attempt.fail('refused', 'connection refused')
        } else if (listener.id === this.#transport.id) {
          attempt.fail('wrong peer', 'this is the peer itself')
        } else if (wanted !== undefined && listener.id !== wanted) {
          attempt.fail('wrong peer', `${listener.id} answered`)
        } else {
          this.#shakeHands(listener, attempt)
        }
      })
    })
  }

  /** The listener's process takes the connection when it gets round to it. */
  #shakeHands(listener: MemoryTransport, attempt: Attempt): void {
    const transport = this.#transport
    listener.after(this.#network.delayMs(transport.id, listener.id), () => {
      if (attempt.isOver || !transport.isRunning) return
      const [near, far] = ConnectionEnd.pair(this.#network, transport, listener)
      transport.connectionOpening(near)
      // Before anything that the listener sends over it.
      far.sendFrame(() => {
        if (attempt.isOver) {
          near.close()
        } else {
          transport.connectionOpened(near)
          attempt.succeed(listener.id)
        }
      })
      listener.connectionOpened(far)
    })
  }

  #isInReach(target: MemoryTransport | undefined): boolean {
    if (target === undefined) return true
    const cutSinceMs = this.#network.faults.cutSinceMs(this.#transport.id, target.id)
    return !target.isLost && !target.isAsleep && cutSinceMs === Number.POSITIVE_INFINITY
  }

  #roundTripMs(target: MemoryTransport | undefined): number {
    const { id } = this.#transport
    const other = target?.id ?? 'nobody'
    return this.#network.delayMs(id, other) + this.#network.delayMs(other, id)
  }
}

/** One try of one address. */
class Attempt {
  readonly #resolve: (id: string) => void
  readonly #reject: (error: DialError) => void
  timer: Timer | undefined
  isOver = false

  constructor(resolve: (id: string) => void, reject: (error: DialError) => void) {
    this.#resolve = resolve
    this.#reject = reject
  }

  succeed(id: string): void {
    this.#end()
    this.#resolve(id)
  }

  fail(reason: DialFailure, message: string): void {
    this.#end()
    this.#reject(new DialError(reason, message))
  }

  #end(): void {
    this.isOver = true
    this.timer?.cancel()
  }
}

/** The peer id that some address names. */
function idOf(addresses: readonly string[]): string | undefined {
  for (const address of addresses) {
    const [, id] = address.split('/p2p/')
    if (id !== undefined) return id
  }
  return undefined
}
