/**
 * What the services need from the world. Adapters implement these: libp2p and real time in production, a network
 * in memory and simulated time in tests. Services keep time, chance and bytes on the wire behind them, so that a
 * run can be repeated exactly.
 */

/** Tells the time. */
export interface Clock {
  /** Wall time, in ms since the Unix epoch. May step either way. */
  now(): number
  /** Monotonic time, in ms since some fixed moment. Fractions are kept. */
  monotonicMs(): number
}

/** A task that was scheduled. */
export interface Timer {
  /** The task will not run, if it has not yet. */
  cancel(): void
}

/** Runs tasks later. */
export interface Scheduler {
  /** Runs `task` once, `delayMs` from now or a little later. */
  after(delayMs: number, task: () => void): Timer
  /** Runs `task` at the end of the event loop's turn. */
  defer(task: () => void): Timer
}

/** The source of chance. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
}

/** Watches this process's own event loop. */
export interface LoopMonitor {
  start(): void
  stop(): void
  /** How late the loop has been at most since this was last asked, in ms. */
  takeWorstMs(): number
}

/** Where the services write what operators should know. */
export interface Log {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** Time, chance and words: what nearly every service needs. */
export interface Runtime {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly log: Log
}

/** A stream of frames to one peer, over a connection that is already there. */
export interface Channel {
  /** Id of the peer at the other end. */
  readonly remote: string
  /** Frames from the other end; ends when it closes, throws when the channel breaks. */
  readonly frames: AsyncIterable<Uint8Array>
  /** Sends a frame. Resolves when there is room for another. */
  send(frame: Uint8Array): Promise<void>
  /** Says that no more frames follow. */
  close(): Promise<void>
  /** Breaks the channel off. */
  abort(reason: Error): void
  /** Closes the connection that carries the channel, and only that one. */
  hangUp(): Promise<void>
}

/**
 * Why a dial failed. `refused`: every address answered, and nobody listens there. `twin`: another process that has this
 * peer's id answered; where it cannot be told from this peer itself, that is a `wrong peer`.
 */
export type DialFailure = 'refused' | 'unreachable' | 'wrong peer' | 'twin'

/** What an address answers to a connection attempt that goes no further. */
export type Probe = 'open' | 'refused' | 'silent'

/** A dial that failed. */
export class DialError extends Error {
  override readonly name = 'DialError'
  constructor(
    readonly reason: DialFailure,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}

/** What a transport tells its owner. None of these may throw. */
export interface TransportHandlers {
  /** The first connection to a peer opened. `dialled`: by us. */
  connected(id: string, dialled: boolean): void
  /** A connection to an already connected peer opened. */
  connectedAgain(id: string, dialled: boolean): void
  /** The last connection to a peer closed. */
  disconnected(id: string): void
  /** A message on a topic, from its author, who need not be who passed it on. */
  message(topic: string, author: string, bytes: Uint8Array): void
  /** Another peer opened a channel. */
  channel(protocol: string, channel: Channel): void
  /** Peers found by multicast, if that is on. */
  found(addresses: readonly string[]): void
}

/** What a transport is to take part in. */
export interface TransportPlan {
  readonly topics: readonly string[]
  readonly protocols: readonly string[]
}

/** Connections, published messages and channels. */
export interface Transport {
  /** This peer's id. */
  readonly id: string
  /** Multiaddrs that others can dial, with this peer's id; known once started. */
  readonly addresses: readonly string[]
  start(plan: TransportPlan, handlers: TransportHandlers): Promise<void>
  stop(): Promise<void>
  /**
   * Opens a connection to the first address that answers. With `id`, only to that peer.
   * @returns the id of who answered @throws DialError
   */
  dial(addresses: readonly string[], id?: string): Promise<string>
  /** Every multiaddr that an address stands for: itself, or all of `dns://host:port`. @throws DialError */
  resolve(address: string): Promise<readonly string[]>
  /** Whether anybody listens at an address, without becoming connected. */
  probe(address: string): Promise<Probe>
  /** Closes every connection to a peer. */
  hangUp(id: string): Promise<void>
  isConnected(id: string): boolean
  /** Whether published messages can flow both ways between this peer and that one. */
  gossipsWith(id: string): boolean
  /**
   * Publishes on a topic to everybody else. Resolves when there is room for more; delivery is not promised.
   * @throws when the message could not be handed on at all
   */
  publish(topic: string, bytes: Uint8Array): Promise<void>
  /** Opens a channel over a connection that is there. @throws when there is none */
  open(id: string, protocol: string): Promise<Channel>
}

/** Latencies of late, in ms. */
export interface LatencySummary {
  readonly avgMs: number
  readonly p95Ms: number
  readonly p99Ms: number
}

/** Keeps latencies for percentiles. */
export interface LatencyRecorder {
  record(latencyMs: number): void
  summary(): LatencySummary
}
