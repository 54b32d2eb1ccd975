/**
 * The hello: the first thing two peers say over a connection. Each says who it is, what must be equal in a mesh,
 * how late it is by the highest clock it knows, and whom it knows. Only a peer whose hello was accepted counts as
 * connected; another is told by name what differs, and is cut off.
 */
import { difference } from '../core/hello.js'
import type { HybridLogicalClock } from '../core/hlc.js'
import { isLive } from '../core/members.js'
import type { MeshClock } from '../core/mesh-clock.js'
import { PARTITIONS, VIRTUAL_NODES } from '../core/ring.js'
import { HelloRefusedError } from '../errors.js'
import { ProtocolError } from '../protocol/checks.js'
import { helloCodec, helloReplyCodec } from '../protocol/codec.js'
import { PROTOCOL_MAJOR, PROTOCOL_MINOR } from '../protocol/limits.js'
import type { Hello, HelloReply, Refusal } from '../protocol/messages.js'
import type { Counters, DropReason } from './counters.js'
import type { Heartbeats } from './heartbeats.js'
import type { Membership } from './membership.js'
import type { Channel, Runtime, Transport } from './ports.js'
import { ask, readFrame, withDeadline } from './requests.js'
import { PROTOCOLS } from './topics.js'

/** How long a hello may take, in ms. */
const HELLO_TIMEOUT_MS = 10_000

export interface HandshakeComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly membership: Membership
  readonly heartbeats: Heartbeats
  readonly hlc: HybridLogicalClock
  readonly meshClock: MeshClock
  readonly drops: Counters<DropReason>
}

export interface HandshakeOptions {
  readonly mesh: string
  readonly replicas: number | 'all'
  readonly tombstoneGraceMs: number
  /** Random at each start. */
  readonly instance: string
  /** By which this member places keys; see {@link Ownership.rings}. */
  readonly rings: () => ReadonlyArray<readonly string[]>
}

export interface HandshakeListener {
  /**
   * A peer is of this mesh, and now a member.
   * @param wasLive it was already taken to be running
   * @param rings by which it places keys
   */
  accepted(id: string, wasLive: boolean, rings: ReadonlyArray<readonly string[]>): void
  /** A peer is not of this mesh, or takes this one not to be of its own. */
  refused(id: string, error: HelloRefusedError): void
}

export class Handshake {
  readonly #components: HandshakeComponents
  readonly #options: HandshakeOptions
  readonly #listener: HandshakeListener
  /** Peers whose hello was accepted and whose connection has not closed since. */
  readonly #accepted = new Set<string>()

  constructor(
    components: HandshakeComponents,
    options: HandshakeOptions,
    listener: HandshakeListener,
  ) {
    this.#components = components
    this.#options = options
    this.#listener = listener
  }

  /** Whether a peer is connected, and its hello was accepted. */
  isAccepted(id: string): boolean {
    return this.#accepted.has(id) && this.#components.transport.isConnected(id)
  }

  disconnected(id: string): void {
    this.#accepted.delete(id)
  }

  /**
   * Says hello to a connected peer.
   * @throws HelloRefusedError when one of the two will not share a mesh with the other; then the connection is closed
   */
  async greet(id: string): Promise<Hello> {
    const { transport, runtime, drops } = this.#components
    let reply: HelloReply
    try {
      reply = await ask(
        { transport, scheduler: runtime.scheduler },
        { id, protocol: PROTOCOLS.hello, timeoutMs: HELLO_TIMEOUT_MS },
        { request: helloCodec, reply: helloReplyCodec },
        this.#hello(),
      )
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      drops.add(error.reason)
      if (error.reason !== 'version') throw error
      throw await this.#refuse(id, refusedFor(id, versionRefusal(error)))
    }
    const refusal =
      'refusal' in reply ? turnedRound(reply.refusal) : this.#compare(id, reply.welcome)
    if (refusal !== undefined) throw await this.#refuse(id, refusedFor(id, refusal))
    const { welcome } = reply as { welcome: Hello }
    this.#accept(id, welcome)
    return welcome
  }

  /** Another process answers with this member's id at an address. Tells of it. @returns what to throw */
  metTwin(address: string): HelloRefusedError {
    const { id } = this.#components.membership
    const error = refusedFor(id, { field: 'identity', ours: id, theirs: address })
    this.#listener.refused(id, error)
    return error
  }

  /** Answers a hello that came over a channel. */
  async answer(channel: Channel): Promise<void> {
    const { runtime } = this.#components
    const id = channel.remote
    try {
      const request = readFrame(channel.frames)
      const frame = await withDeadline(runtime.scheduler, HELLO_TIMEOUT_MS, request)
      const judged = this.#judge(id, frame)
      if ('refusal' in judged) {
        await channel.send(helloReplyCodec.encode(judged))
        await channel.close()
        this.#listener.refused(id, refusedFor(id, judged.refusal))
        await channel.hangUp()
        return
      }
      this.#welcome(id, judged.welcome)
      await channel.send(helloReplyCodec.encode({ welcome: this.#hello() }))
      await channel.close()
    } catch (error) {
      runtime.log.debug(`a hello of ${id} failed: ${(error as Error).message}`)
      channel.abort(error as Error)
      if (error instanceof ProtocolError) await channel.hangUp().catch(() => {})
    }
  }

  /** Reads a hello: one to welcome, or why it is refused. @throws ProtocolError when it is neither */
  #judge(id: string, frame: Uint8Array): HelloReply {
    try {
      const hello = helloCodec.decode(frame)
      const refusal = this.#compare(id, hello)
      return refusal === undefined ? { welcome: hello } : { refusal }
    } catch (error) {
      const { reason } = error as ProtocolError
      this.#components.drops.add(reason)
      if (reason === 'version') return { refusal: versionRefusal(error as ProtocolError) }
      throw error
    }
  }

  /** Accepts a peer that came to us, and introduces it: others may not have heard of it. */
  #welcome(id: string, hello: Hello): void {
    const { membership } = this.#components
    const before = membership.list.get(id)?.incarnation
    this.#accept(id, hello)
    if (before !== hello.self.incarnation) membership.introduce(id)
  }

  #hello(): Hello {
    const { membership, hlc, heartbeats, runtime } = this.#components
    const { mesh, replicas, tombstoneGraceMs, instance, rings } = this.#options
    return {
      mesh,
      replicas,
      tombstoneGraceMs,
      instance,
      protocolMinor: PROTOCOL_MINOR,
      partitions: PARTITIONS,
      virtualNodes: VIRTUAL_NODES,
      clock: hlc.last,
      self: membership.self(),
      members: membership.reports(),
      wallMs: runtime.clock.now(),
      uptimeMs: heartbeats.uptimeMs,
      rings: rings(),
    }
  }

  #compare(id: string, theirs: Hello): Refusal | undefined {
    if (theirs.self.id !== id) return { field: 'id', ours: id, theirs: theirs.self.id }
    return difference(this.#hello(), theirs) ?? this.#duplicate(id, theirs)
  }

  /** Two processes with one identity: the one that is connected and heard keeps it. */
  #duplicate(id: string, { instance }: Hello): Refusal | undefined {
    const { heartbeats, membership } = this.#components
    const known = heartbeats.instanceOf(id)
    const member = membership.list.get(id)
    const isThere = member !== undefined && isLive(member) && this.#accepted.has(id)
    const running = isThere && heartbeats.isOnTime(id)
    if (known === undefined || known === instance || !running) return undefined
    return { field: 'identity', ours: `instance ${known}`, theirs: id }
  }

  #accept(id: string, hello: Hello): void {
    const { membership, heartbeats, hlc, meshClock, drops } = this.#components
    this.#accepted.add(id)
    if (hello.wallMs > 0) {
      // Of a run that is known, the best that was heard of its clock stands: a hello may be late.
      const isKnownRun = heartbeats.instanceOf(id) === hello.instance
      if (isKnownRun) meshClock.heard(id, hello.wallMs, hello.uptimeMs)
      else meshClock.met(id, hello.wallMs, hello.uptimeMs)
    }
    if (!hlc.observe(hello.clock)) drops.add('clock')
    heartbeats.met(id, hello.instance)
    const known = membership.list.get(id)
    const wasLive = known !== undefined && isLive(known)
    membership.welcome(hello.self, hello.members)
    // Who says hello lives, whatever it was suspected of.
    membership.vindicate(id)
    this.#listener.accepted(id, wasLive, hello.rings)
  }

  async #refuse(id: string, error: HelloRefusedError): Promise<HelloRefusedError> {
    this.#listener.refused(id, error)
    // A second process of a member's identity has the same id: only the members themselves may tell them apart.
    if (error.field !== 'identity') await this.#components.transport.hangUp(id).catch(() => {})
    return error
  }
}

function refusedFor(peer: string, { field, ours, theirs }: Refusal): HelloRefusedError {
  return new HelloRefusedError(field, ours, theirs, peer)
}

/** A refusal as the other side sees it. */
function turnedRound({ field, ours, theirs }: Refusal): Refusal {
  return { field, ours: theirs, theirs: ours }
}

function versionRefusal(error: ProtocolError): Refusal {
  const [, theirs = 'unknown'] = /version (\w+)/.exec(error.message) ?? []
  return { field: 'protocol', ours: String(PROTOCOL_MAJOR), theirs }
}
