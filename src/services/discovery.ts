/**
 * Discovery: whom to connect to, and when.
 *
 * Everybody is to be connected to everybody. Addresses come from the bootstrap list, from multicast, and from what
 * members say of themselves and of each other. Of two members the one with the lower id dials, the other only when
 * that does not happen: two connections to one peer are worse than one (see watchdog.ts).
 *
 * Nothing is given up for good: live members are retried at short intervals, gone ones and bootstrap addresses at
 * long ones, so that a mesh that was cut in two finds itself again.
 */
import { backoffMs } from '../core/backoff.js'
import { isLive, type Member } from '../core/members.js'
import { HelloRefusedError, UnreachableError } from '../errors.js'
import type { Handshake } from './handshake.js'
import type { Membership } from './membership.js'
import { DialError, type Runtime, type Timer, type Transport } from './ports.js'

/** Back-off of dials to live members and to gone ones, in ms. */
const LIVE_BACKOFF = { minMs: 100, maxMs: 2_000 }
const GONE_BACKOFF = { minMs: 500, maxMs: 30_000 }

/** Back-off of dials to bootstrap addresses, in ms: short while this peer is alone, for somebody may just be starting. */
const BOOTSTRAP_BACKOFF = { minMs: 100, maxMs: 15_000 }
const ALONE_BACKOFF = { minMs: 100, maxMs: 2_000 }

/**
 * Back-off of dials to a peer that refuses this one, in ms: what differs will not change by itself, and each try of a
 * second process with a member's identity gets in the way of the first.
 */
const REFUSED_BACKOFF = { minMs: 30_000, maxMs: 120_000 }

/** How long the member with the higher id waits to be dialled before it dials itself, in ms. */
const PASSIVE_DELAY_MS = 2_000

/** Spread of the first dial, in ms. */
const FIRST_DIAL_SPREAD_MS = 20

/** How often members that nobody is dialling are looked for, in ms. */
const REVIEW_INTERVAL_MS = 1_000

/** Peers heard of that are no members yet: how many are remembered. More are ignored until some have joined. */
const STRANGERS_MAX = 256

export interface DiscoveryComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly membership: Membership
  readonly handshake: Handshake
}

export interface DiscoveryOptions {
  readonly bootstrap: readonly string[]
}

/** Something to connect to, tried again until it is reached. */
interface Target {
  /** Connects and says hello. Throws when that fails. */
  readonly reach: () => Promise<unknown>
  /** Whether there is nothing to do now. */
  readonly isReached: () => boolean
  /** Whether to go on after it was reached, or when it has no address any more. */
  readonly isWanted: () => boolean
  readonly backoff: () => { readonly minMs: number; readonly maxMs: number }
  readonly complain: (attempts: number, error: Error) => void
  attempts: number
  refused: boolean
  timer: Timer | undefined
}

export class Discovery {
  readonly #components: DiscoveryComponents
  readonly #options: DiscoveryOptions
  /** By peer id, or by bootstrap address. */
  readonly #targets = new Map<string, Target>()
  readonly #strangers = new Map<string, readonly string[]>()
  /** Hellos under way, so that a connection is greeted once. */
  readonly #greetings = new Map<string, Promise<unknown>>()
  #reviewTimer: Timer | undefined
  #stopped = false

  constructor(components: DiscoveryComponents, options: DiscoveryOptions) {
    this.#components = components
    this.#options = options
  }

  start(): void {
    for (const address of this.#options.bootstrap) this.#pursueAddress(address)
    this.#review()
  }

  stop(): void {
    this.#stopped = true
    this.#reviewTimer?.cancel()
    for (const { timer } of this.#targets.values()) timer?.cancel()
  }

  /**
   * Connects through further addresses, now; one that answers is enough.
   * @throws HelloRefusedError, UnreachableError
   */
  async join(addresses: readonly string[]): Promise<void> {
    const failures: Error[] = []
    for (const address of addresses) {
      try {
        if (await this.#reachAddress(address, new Set())) return
        failures.push(new Error(`${address} is this peer itself`))
      } catch (error) {
        failures.push(error as Error)
      }
    }
    const refusal = failures.find((failure) => failure instanceof HelloRefusedError)
    if (refusal !== undefined) throw refusal
    const reasons = failures.map(({ message }) => message).join('; ')
    throw new UnreachableError(reasons, { cause: failures[0] })
  }

  /** Somebody was heard who is no member yet. */
  heardOf(id: string, addresses: readonly string[]): void {
    const { membership, transport } = this.#components
    if (id === membership.id || this.#stopped || transport.isConnected(id)) return
    if (this.#strangers.size >= STRANGERS_MAX && !this.#strangers.has(id)) return
    this.#strangers.set(id, addresses)
    if (!this.#targets.has(id)) this.#pursuePeer(id)
  }

  /** Multicast found a peer. */
  found(addresses: readonly string[]): void {
    const id = addresses[0]?.split('/p2p/')[1]
    if (id !== undefined) this.heardOf(id, addresses)
  }

  /** A member is new, came back, or is gone. */
  changed(member: Member): void {
    const { membership, transport } = this.#components
    if (member.id === membership.id || this.#stopped) return
    this.#strangers.delete(member.id)
    if (!transport.isConnected(member.id)) this.#pursuePeer(member.id)
  }

  /** A connection opened. The side that dialled says hello. */
  connected(id: string, dialled: boolean): void {
    if (dialled) void this.#greet(id).catch(() => {})
  }

  /** The last connection to a peer closed. */
  disconnected(id: string): void {
    // A dead one, too: its connection may well close after it was called dead.
    if (this.#addressesOf(id).length > 0) this.#pursuePeer(id)
  }

  #pursuePeer(id: string): void {
    const { membership, runtime, handshake } = this.#components
    const reach = async () => {
      await this.#components.transport.dial(this.#addressesOf(id), id)
      if (!handshake.isAccepted(id)) await this.#greet(id)
    }
    const isLiveMember = () => {
      const member = membership.list.get(id)
      return member !== undefined && isLive(member)
    }
    const firstDelayMs =
      membership.id < id ? runtime.random.next() * FIRST_DIAL_SPREAD_MS : PASSIVE_DELAY_MS
    this.#pursue(id, firstDelayMs, {
      reach,
      isReached: () => handshake.isAccepted(id),
      isWanted: () => !handshake.isAccepted(id) && this.#addressesOf(id).length > 0,
      backoff: () => (isLiveMember() ? LIVE_BACKOFF : GONE_BACKOFF),
      complain: (_, { message }) => runtime.log.debug(`${id} was not reached: ${message}`),
    })
  }

  #pursueAddress(address: string): void {
    const { membership, runtime, handshake } = this.#components
    const answered = new Set<string>()
    this.#pursue(address, runtime.random.next() * FIRST_DIAL_SPREAD_MS, {
      reach: () => this.#reachAddress(address, answered),
      isReached: () => [...answered].some((id) => handshake.isAccepted(id)),
      // As long as this peer runs: who answers there may be the only way to the other half of a mesh.
      isWanted: () => true,
      backoff: () => (membership.others().length === 0 ? ALONE_BACKOFF : BOOTSTRAP_BACKOFF),
      complain: (attempts, { message }) => {
        // Said once, and then at growing intervals.
        const isSaid = attempts === 1 || (attempts >= 8 && (attempts & (attempts - 1)) === 0)
        const text = `bootstrap ${address} was not reached (try ${attempts}), trying on: ${message}`
        if (isSaid) runtime.log.warn(text)
        else runtime.log.debug(text)
      },
    })
  }

  /** Tries to reach something, now and again; in place of an earlier pursuit of the same. */
  #pursue(
    key: string,
    firstDelayMs: number,
    how: Omit<Target, 'attempts' | 'refused' | 'timer'>,
  ): void {
    this.#targets.get(key)?.timer?.cancel()
    const target: Target = { ...how, attempts: 0, refused: false, timer: undefined }
    this.#targets.set(key, target)
    this.#schedule(key, target, firstDelayMs)
  }

  #schedule(key: string, target: Target, delayMs: number): void {
    if (this.#stopped || this.#targets.get(key) !== target) return
    target.timer = this.#components.runtime.scheduler.after(delayMs, () => {
      void this.#attempt(key, target)
    })
  }

  async #attempt(key: string, target: Target): Promise<void> {
    if (!target.isReached()) {
      target.attempts++
      try {
        await target.reach()
        target.attempts = 0
      } catch (error) {
        target.refused = error instanceof HelloRefusedError
        target.complain(target.attempts, error as Error)
      }
    } else {
      target.attempts = 0
    }
    if (!target.isWanted()) {
      if (this.#targets.get(key) === target) this.#targets.delete(key)
      return
    }
    const backoff = target.refused ? REFUSED_BACKOFF : target.backoff()
    const { random } = this.#components.runtime
    const delayMs =
      target.attempts === 0 ? backoff.maxMs : backoffMs(target.attempts, backoff, random.next())
    this.#schedule(key, target, delayMs)
  }

  /**
   * Connects to all that an address stands for, unless we are already. Notes who `answered`.
   * @returns whether anybody but this peer itself was there @throws when nobody was
   */
  async #reachAddress(address: string, answered: Set<string>): Promise<boolean> {
    const failures: unknown[] = []
    for (const resolved of await this.#components.transport.resolve(address)) {
      try {
        const id = await this.#reachEndpoint(resolved)
        if (id !== undefined) answered.add(id)
      } catch (error) {
        failures.push(error)
      }
    }
    if (answered.size === 0 && failures.length > 0) throw failures[0]
    return answered.size > 0
  }

  /** Who is at an address, once its hello is accepted; undefined when it is this peer itself. */
  async #reachEndpoint(address: string): Promise<string | undefined> {
    const { transport, membership, handshake } = this.#components
    if (transport.addresses.some((own) => sameEndpoint(own, address))) return undefined
    const known = membership
      .others()
      .find((member) => member.addresses.some((theirs) => sameEndpoint(theirs, address)))
    if (known !== undefined && handshake.isAccepted(known.id)) return known.id
    const id = await this.#dial(address)
    if (id === membership.id) return undefined
    if (!handshake.isAccepted(id)) await this.#greet(id)
    return id
  }

  /** Connects to whoever is at an address. @throws HelloRefusedError when it is a second process of this member's identity */
  async #dial(address: string): Promise<string> {
    const { transport, handshake } = this.#components
    try {
      return await transport.dial([address])
    } catch (error) {
      if (!(error instanceof DialError) || error.reason !== 'twin') throw error
      throw handshake.metTwin(endpointOf(address))
    }
  }

  async #greet(id: string): Promise<void> {
    let greeting = this.#greetings.get(id)
    if (greeting === undefined) {
      greeting = this.#components.handshake.greet(id).finally(() => this.#greetings.delete(id))
      this.#greetings.set(id, greeting)
    }
    await greeting
  }

  #addressesOf(id: string): readonly string[] {
    const member = this.#components.membership.list.get(id)
    if (member?.state === 'left') return []
    return member?.addresses ?? this.#strangers.get(id) ?? []
  }

  /** Finds members, live or dead, that are neither connected nor being dialled. */
  #review(): void {
    const { membership, transport, runtime } = this.#components
    for (const { id, state } of membership.list.all()) {
      if (id === membership.id || state === 'left' || this.#targets.has(id)) continue
      if (!transport.isConnected(id)) this.#pursuePeer(id)
    }
    this.#reviewTimer = runtime.scheduler.after(REVIEW_INTERVAL_MS, () => this.#review())
  }
}

/** Whether two multiaddrs name one host and port, whatever peer id they carry. */
function sameEndpoint(a: string, b: string): boolean {
  return endpointOf(a) === endpointOf(b)
}

/** A multiaddr without the peer id that it may carry. */
function endpointOf(address: string): string {
  return address.split('/p2p/')[0] as string
}
