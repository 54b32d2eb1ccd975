/**
 * A peer over any adapters, real or simulated: the public face of a member of a mesh.
 */
import type {
  Alert,
  Cache,
  CacheOptions,
  Explanation,
  MemberInfo,
  Peer,
  PeerEvents,
  PeerStats,
  RingView,
  SyncResult,
} from './api.js'
import { MeshCache, NEAR_CACHE_MS } from './cache.js'
import { checkKey } from './cache-checks.js'
import type { Horizon } from './core/counted.js'
import type { Member, MemberState } from './core/members.js'
import type { Hash64 } from './core/ring.js'
import type { StoredEntry } from './core/stored-entry.js'
import { formatVersion } from './core/version.js'
import { Emitter } from './emitter.js'
import {
  CacheOptionsConflictError,
  InvalidOptionError,
  MemberLiveError,
  PeerStoppedError,
  UnknownMemberError,
} from './errors.js'
import { describeExplained } from './explanation.js'
import { type ResolvedOptions, resolveOptions } from './options.js'
import { CACHE_NAME_BYTES_MAX } from './protocol/limits.js'
import { MeshMember, type MeshMemberListener } from './services/mesh-member.js'
import type { LatencyRecorder, LoopMonitor, Runtime, Transport } from './services/ports.js'

/** Caches that a peer has open at most: a bound for names that come from outside. */
const CACHES_MAX = 65_536

/** The options of a cache that is given none. */
const CACHE_DEFAULTS: Required<CacheOptions> = {
  ttl: 0,
  ack: 'none',
  consistency: 'local',
  nearCache: NEAR_CACHE_MS,
}

/** The ports that a peer stands on. */
export interface PeerComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly hash: Hash64
  readonly latency: LatencyRecorder
  readonly loop: LoopMonitor
  /** Opens the HTTP gateway, if the peer is to have one. */
  readonly openGateway?: ((peer: Peer) => Promise<Gateway>) | undefined
}

/** Another way into a peer. */
export interface Gateway {
  readonly url: string
  close(): Promise<void>
}

/** A peer over any adapters, real or simulated. */
export class MeshPeer implements Peer {
  readonly id: string
  readonly name: string
  readonly mesh: string
  readonly ring: RingView
  readonly #components: PeerComponents
  readonly #options: ResolvedOptions
  readonly #member: MeshMember
  readonly #events: Emitter<PeerEvents>
  readonly #caches = new Map<
    string,
    { readonly cache: MeshCache<unknown>; readonly options: CacheOptions }
  >()
  readonly #counts = { hitCount: 0, missCount: 0, setCount: 0, deleteCount: 0 }
  readonly #startedAtMs: number
  #gateway: Gateway | undefined
  #stopping: Promise<void> | undefined
  #hasStopped = false
  /** Codes of alerts that are given once. */
  readonly #alerted = new Set<string>()
  /** Events from before `start` resolved, when nobody could listen yet; `undefined` from then on. */
  #early: Array<() => void> | undefined = []

  /** @param instance random: tells this process apart from another one with the same identity */
  constructor(components: PeerComponents, options: ResolvedOptions, instance: string) {
    const { runtime, transport, hash, loop } = components
    this.#components = components
    this.#options = options
    this.id = transport.id
    this.name = options.name ?? `peer-${transport.id.slice(-6)}`
    this.mesh = options.mesh
    this.#startedAtMs = runtime.clock.monotonicMs()
    this.#events = new Emitter((error) => this.#listenerFailed(error))
    this.#member = new MeshMember(
      { runtime, transport, hash, loop },
      { ...options, name: this.name, instance },
      this.#memberListener(),
    )
    const member = this.#member
    this.ring = {
      get members() {
        return member.ring.members
      },
      locate(cache, key) {
        const partition = member.ownership.partitionOf(cache, key)
        return { partition, owners: member.ring.preferenceList(partition) }
      },
    }
  }

  /**
   * Starts everything; when something cannot be started, stops the rest. What happens meanwhile is told when the
   * event loop turns next, so that a listener added as soon as this resolves misses nothing.
   */
  async start(): Promise<void> {
    await this.#member.start()
    try {
      this.#gateway = await this.#components.openGateway?.(this)
    } catch (error) {
      await this.#member.stop({ drain: false })
      throw error
    }
    this.#components.runtime.scheduler.defer(() => this.#tellEarly())
  }

  get addresses(): readonly string[] {
    return this.#components.transport.addresses
  }

  get http(): string | undefined {
    return this.#gateway?.url
  }

  get status(): Peer['status'] {
    if (this.#hasStopped) return 'stopped'
    const { membership, catchUp } = this.#member
    const { status } = membership
    return status === 'serving' && !catchUp.isReady ? 'joining' : status
  }

  get members(): readonly MemberInfo[] {
    const counts = this.#member.ring.partitionCounts()
    const all = this.#member.membership.list.all()
    // Itself first, the others in the order in which they became known.
    all.sort((a, b) => Number(b.id === this.id) - Number(a.id === this.id))
    return all.map((member) => this.#info(member, counts))
  }

  on<Name extends keyof PeerEvents>(name: Name, listener: (event: PeerEvents[Name]) => void) {
    return this.#events.on(name, listener)
  }

  once<Name extends keyof PeerEvents>(name: Name, listener: (event: PeerEvents[Name]) => void) {
    return this.#events.once(name, listener)
  }

  off<Name extends keyof PeerEvents>(name: Name, listener: (event: PeerEvents[Name]) => void) {
    this.#events.off(name, listener)
  }

  cache<T = unknown>(name: string, options: CacheOptions = {}): Cache<T> {
    if (typeof options !== 'object' || options === null) {
      throw new InvalidOptionError('options', `${String(options)} is not an object`)
    }
    const unknown = Object.keys(options).find((option) => !Object.hasOwn(CACHE_DEFAULTS, option))
    if (unknown !== undefined) throw new InvalidOptionError(unknown, 'is not an option of a cache')
    checkCacheName(name)
    const opened = this.#caches.get(name)
    if (opened !== undefined) {
      assertSameOptions(name, opened.options, options)
      return opened.cache as Cache<unknown> as Cache<T>
    }
    if (this.#caches.size >= CACHES_MAX) {
      throw new InvalidOptionError(
        'cache name',
        `${name}: ${CACHES_MAX} caches are open, the limit`,
      )
    }
    const { runtime, latency } = this.#components
    const cache = new MeshCache<unknown>(
      name,
      {
        member: this.#member,
        clock: runtime.clock,
        latency,
        counts: this.#counts,
        maxBytes: this.#options.maxBytes,
        assertRunning: (operation) => this.#assertRunning(operation),
        onListenerError: (error) => this.#listenerFailed(error),
      },
      options,
    )
    this.#caches.set(name, { cache, options: { ...options } })
    return cache as Cache<unknown> as Cache<T>
  }

  caches(): string[] {
    return [...new Set([...this.#caches.keys(), ...this.#member.store.caches()])]
  }

  /**
   * What is held here, of one cache or of all, as it is stored. Opens no cache, as `cache(name)` would.
   * @internal for simulations
   */
  *held(cache?: string): Generator<StoredEntry> {
    const { store } = this.#member
    for (const name of cache === undefined ? store.caches() : [cache]) yield* store.entries(name)
  }

  /**
   * Whether keys are placed by one ring alone, and all who own any by it have taken over what they gained.
   * @internal for simulations
   */
  get isPlacementSettled(): boolean {
    return this.#member.ownership.isSettled
  }

  /**
   * Whether what this peer no longer owns is on its way to those who do.
   * @internal for simulations
   */
  get isGivingUp(): boolean {
    return this.#member.givingUp.isUnderWay
  }

  /**
   * What is under way yet, of {@link PeerStats}: for those who ask often.
   * @internal for simulations
   */
  get pending(): Pick<PeerStats, 'syncQueueSize' | 'hintCount' | 'openPartitions'> {
    const { replication, handoff, rebalance } = this.#member
    return {
      syncQueueSize: replication.stats().syncQueueSize,
      hintCount: handoff.hints.size,
      openPartitions: rebalance.openCount,
    }
  }

  /**
   * What has a bound, of {@link PeerStats}: for those who ask often.
   * @internal for simulations
   */
  get occupancy(): Pick<
    PeerStats,
    'syncQueueSize' | 'itemCount' | 'memoryBytes' | 'tombstoneCount' | 'nearBytes' | 'hintBytes'
  > {
    const { replication, handoff, near, store } = this.#member
    const { itemCount, memoryBytes, tombstoneCount } = store.stats()
    return {
      syncQueueSize: replication.stats().syncQueueSize,
      itemCount,
      memoryBytes,
      tombstoneCount,
      nearBytes: near.bytes,
      hintBytes: handoff.hints.bytes,
    }
  }

  /**
   * What is kept of a key for reads here, by a peer that need not own it: its own write, until an owner is known to have it, or a
   * near copy that is no older than they may be.
   * @internal for simulations
   */
  keptOf(cache: string, key: string): { version: string; deleted: boolean } | undefined {
    const { handoff, near, store } = this.#member
    const sinceMs = this.#components.runtime.clock.monotonicMs() - NEAR_CACHE_MS
    const copy = near.peek(cache, key)
    const isFresh = copy !== undefined && copy.asOfMs >= sinceMs
    const kept = [handoff.hints.latest(cache, key), isFresh ? copy.write : undefined].find(
      (write) => write !== undefined && !store.outranks(write),
    )
    return kept && { version: formatVersion(kept.version), deleted: kept.deleted }
  }

  /**
   * What this peer, for its part, compares with another one.
   * @internal for simulations
   */
  comparedWith(id: string): Uint8Array {
    return this.#member.antiEntropy.comparedWith(id)
  }

  /**
   * Tells what is known here of some partitions, as of a horizon, from anything else.
   * @internal for simulations
   */
  rootOver(partitions: Uint8Array, horizon: Horizon): bigint | undefined {
    return this.#member.antiEntropy.rootOver(partitions, horizon)
  }

  /**
   * What that is.
   * @internal for simulations
   */
  countedIn(partitions: Uint8Array): string {
    return this.#member.antiEntropy.countedIn(partitions)
  }

  /**
   * As of when its digests are.
   * @internal for simulations
   */
  get horizon(): Horizon {
    return this.#member.store.horizon
  }

  async ready(): Promise<void> {
    this.#assertRunning('ready')
    await this.#member.catchUp.ready
    this.#assertRunning('ready')
  }

  async join(addresses: string | readonly string[]): Promise<void> {
    this.#assertRunning('join')
    const list = typeof addresses === 'string' ? [addresses] : addresses
    if (!Array.isArray(list)) {
      throw new InvalidOptionError('addresses', `${String(addresses)} is not a list of addresses`)
    }
    if (list.length === 0) throw new InvalidOptionError('addresses', 'must name an address')
    checkAddresses(list)
    await this.#member.discovery.join(list)
  }

  async forget(id: string): Promise<void> {
    this.#assertRunning('forget')
    const member = this.#member.membership.list.get(id)
    if (member === undefined) throw new UnknownMemberError(id)
    if (!this.#member.membership.forget(id)) throw new MemberLiveError(id, member.state)
  }

  async flush(): Promise<void> {
    this.#assertRunning('flush')
    await this.#member.flush()
  }

  async sync(): Promise<SyncResult> {
    this.#assertRunning('sync')
    return await this.#member.antiEntropy.sync()
  }

  stats(): PeerStats {
    const { hitCount, missCount } = this.#counts
    const { errorCount: _, ...replication } = this.#member.replication.stats()
    const latency = this.#components.latency.summary()
    return {
      ...this.#counts,
      hitRate: hitCount + missCount === 0 ? 0 : hitCount / (hitCount + missCount),
      ...this.#member.store.stats(),
      avgLatencyMs: latency.avgMs,
      p95LatencyMs: latency.p95Ms,
      p99LatencyMs: latency.p99Ms,
      ...replication,
      syncErrorCount: this.#member.errorCount,
      droppedCount: this.#member.drops.all(),
      ...this.#member.requests.stats(),
      ackWaitCount: this.#member.delivery.waitingCount,
      ...this.#member.antiEntropy.stats(),
      ...this.#member.transferStats(),
      readRepairCount: this.#member.quorumReads.repairCount,
      ...this.#member.reads.stats(),
      nearCount: this.#member.near.size,
      nearBytes: this.#member.near.bytes,
      hintCount: this.#member.handoff.hints.size,
      hintBytes: this.#member.handoff.hints.bytes,
      hintWaitCount: this.#member.handoff.waitCount,
      hintExpiredCount: this.#member.handoff.hints.expiredCount,
      recalledCount: this.#member.recall.count,
      ...this.#member.detector.stats(),
      dampedCount: this.#member.flapWatch.count,
      ownedPartitions: this.#member.ownership.placement.ownedCount,
      openPartitions: this.#member.rebalance.openCount,
      otherRingCount: this.#member.ownership.otherRingCount,
      clockSkewMs: Math.round(this.#member.clock.skewMs),
      memberCount: this.#member.membership.list.live().length,
      uptimeMs: this.#components.runtime.clock.monotonicMs() - this.#startedAtMs,
    }
  }

  async explain(cache: string, key: string): Promise<Explanation> {
    this.#assertRunning('explain')
    checkCacheName(cache)
    const name = { cache, key: checkKey(key) }
    const { explain, handoff, near, clock, membership } = this.#member
    return describeExplained(name, await explain.explain(name), {
      self: this.id,
      nowMs: clock.strictNow(),
      clockSkewMs: Math.round(clock.skewMs),
      memberOf: (id) => membership.list.get(id),
      hint: handoff.hints.get(cache, key),
      near: near.peek(cache, key)?.write,
    })
  }

  stop(options: { drain?: boolean } = {}): Promise<void> {
    this.#stopping ??= this.#stop(options.drain ?? false)
    return this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ drain: true })
  }

  async #stop(drain: boolean): Promise<void> {
    try {
      await this.#member.stop({ drain })
    } finally {
      this.#hasStopped = true
      await this.#gateway?.close()
    }
  }

  #assertRunning(operation: string): void {
    if (this.#stopping !== undefined) throw new PeerStoppedError(operation)
  }

  #listenerFailed(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#options.logger.error(`a listener threw: ${text}`)
  }

  #info(member: Member, partitionCounts: ReadonlyMap<string, number>): MemberInfo {
    return {
      id: member.id,
      name: member.name,
      state: member.state,
      incarnation: member.incarnation,
      addresses: member.addresses,
      self: member.id === this.id,
      role: member.role,
      breaker: this.#member.requests.breakerOf(member.id),
      partitions: partitionCounts.get(member.id) ?? 0,
    }
  }

  #memberListener(): MeshMemberListener {
    const emitter = (cache: string) => this.#caches.get(cache)?.cache.events
    return {
      set: ({ cache, key, version }) => {
        const events = emitter(cache)
        if (events?.hears('set')) events.emit('set', { key, version: formatVersion(version) })
      },
      delete: (cache, key, version) =>
        emitter(cache)?.emit('delete', { key, version: formatVersion(version) }),
      expire: ({ cache, key, version }) =>
        emitter(cache)?.emit('expire', { key, version: formatVersion(version) }),
      evict: ({ cache, key, version }) =>
        emitter(cache)?.emit('evict', { key, version: formatVersion(version) }),
      clear: (cache, version) => emitter(cache)?.emit('clear', { version: formatVersion(version) }),
      invalidate: (cache, tag, version) =>
        emitter(cache)?.emit('invalidate', { tag, version: formatVersion(version) }),
      tombstonesFull: () =>
        this.#full(
          'tombstones-full',
          `${this.#options.tombstonesMax} deletes (tombstonesMax)`,
          'and a write that comes late could undo one',
        ),
      markersFull: () =>
        this.#full(
          'markers-full',
          `${this.#options.markersMax} clears and invalidated tags (markersMax)`,
          'and deletes as old as they are',
        ),
      memberChanged: ({ member, from }) => {
        if (member.state === from) return
        const name = `member:${member.state}` as `member:${MemberState}`
        this.#options.logger.info(`${member.name} (${member.id}) is ${member.state}`)
        this.#tell(name, this.#info(member, this.#member.ring.partitionCounts()))
      },
      transferStarted: (member, reason) => this.#tell('sync:start', { member, reason }),
      transferEnded: (member, entries, ok) => this.#tell('sync:end', { member, entries, ok }),
      rebalanceStarted: (partitions) => this.#tell('rebalance:start', { partitions }),
      rebalanceEnded: (entries) => this.#tell('rebalance:end', { entries }),
      heardOf: ({ cache, key, version, deleted }) => {
        const name = deleted ? 'delete' : 'set'
        const events = emitter(cache)
        if (events?.hears(name)) events.emit(name, { key, version: formatVersion(version) })
      },
      alert: (code, message) => this.#alert({ code, message }),
    }
  }

  /** Something is forgotten for want of room. Said once: from then on counters of `stats()` tell. */
  #full(code: string, what: string, then: string): void {
    if (this.#alerted.has(code)) return
    this.#alerted.add(code)
    const message = `more than ${what} within ${this.#options.tombstoneGraceMs} ms: the oldest are forgotten early, ${then}`
    this.#alert({ code, message })
  }

  #alert(alert: Alert): void {
    this.#options.logger.warn(alert.message)
    this.#tell('alert', alert)
  }

  #tell<Name extends keyof PeerEvents>(name: Name, event: PeerEvents[Name]): void {
    if (this.#early === undefined) this.#events.emit(name, event)
    else this.#early.push(() => this.#events.emit(name, event))
  }

  #tellEarly(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const tell of early) tell()
  }
}

/** A cache that is open keeps the options it was opened with. @throws CacheOptionsConflictError */
function assertSameOptions(name: string, opened: CacheOptions, wanted: CacheOptions): void {
  for (const option of Object.keys(CACHE_DEFAULTS) as Array<keyof CacheOptions>) {
    const was = opened[option]
    const is = wanted[option]
    if (is === undefined || is === (was ?? CACHE_DEFAULTS[option])) continue
    throw new CacheOptionsConflictError(
      `cache ${name} is open with ${option} ${was ?? 'unset'}, it cannot be opened with ${option} ${is}`,
    )
  }
}

/** Addresses to join through are those that `bootstrap` takes. @throws InvalidOptionError */
function checkAddresses(addresses: readonly string[]): void {
  try {
    resolveOptions({ bootstrap: [...addresses] })
  } catch (error) {
    throw error instanceof InvalidOptionError
      ? new InvalidOptionError('addresses', error.problem)
      : error
  }
}

/** @throws InvalidOptionError */
function checkCacheName(name: unknown): void {
  if (
    typeof name !== 'string' ||
    name.length === 0 ||
    name.includes('\0') ||
    !name.isWellFormed()
  ) {
    throw new InvalidOptionError('cache name', `${JSON.stringify(name)} is not a name`)
  }
  const bytes = Buffer.byteLength(name)
  if (bytes > CACHE_NAME_BYTES_MAX) {
    throw new InvalidOptionError(
      'cache name',
      `is ${bytes} bytes long, the limit is ${CACHE_NAME_BYTES_MAX}`,
    )
  }
}
