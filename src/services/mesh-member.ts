/**
 * A member of a mesh: all services, wired to each other and to the ports. Everything above (caches, peers, gateways)
 * goes through here, and everything below is an adapter, real or simulated.
 */

import type { Write } from '../core/entry.js'
import { HybridLogicalClock } from '../core/hlc.js'
import { isLive, type Member, type Transition } from '../core/members.js'
import { MeshClock } from '../core/mesh-clock.js'
import { NearCache } from '../core/near-cache.js'
import { Positions } from '../core/positions.js'
import { type Hash64, keyHashOf, type Ring } from '../core/ring.js'
import { Store, type StoreListener } from '../core/store.js'
import { type HelloRefusedError, PeerStoppedError } from '../errors.js'
import { CLOCK_SKEW_MAX_MS, CLOCK_SKEW_WARN_MS, type ResolvedOptions } from '../options.js'
import type { Answer, Ask } from '../protocol/messages.js'
import { Admission } from './admission.js'
import { Agreements } from './agreements.js'
import { AntiEntropy, HORIZON_LAG_MAX_MS, type RepairReason } from './anti-entropy.js'
import { CatchUp, type TransferReason } from './catch-up.js'
import { ClockWatch } from './clock-watch.js'
import { Compared } from './compared.js'
import { Confirmation } from './confirmation.js'
import { Counters, type DropReason } from './counters.js'
import { Delivery } from './delivery.js'
import { Discovery } from './discovery.js'
import { Explain } from './explain.js'
import { FailureDetector } from './failure-detector.js'
import { FlapWatch } from './flap-watch.js'
import { GivingUp } from './giving-up.js'
import { Handoff } from './handoff.js'
import { Handshake } from './handshake.js'
import { Heartbeats } from './heartbeats.js'
import { Membership } from './membership.js'
import { Ownership } from './ownership.js'
import { Pings } from './pings.js'
import type { Channel, LoopMonitor, Runtime, Transport, TransportHandlers } from './ports.js'
import { QuorumReads } from './quorum-reads.js'
import { PING_SHARE } from './reach.js'
import { Reads } from './reads.js'
import { Rebalance } from './rebalance.js'
import { Recall } from './recall.js'
import { Replication } from './replication.js'
import { RequestStreams } from './request-streams.js'
import { withDeadline } from './requests.js'
import { Scan } from './scan.js'
import { StateTransfer } from './state-transfer.js'
import { Sweeper } from './sweeper.js'
import { PROTOCOLS, topicsOf } from './topics.js'
import { Watch } from './watch.js'
import { Watchdog } from './watchdog.js'

/** Versions of expired and evicted keys that are remembered at most. */
const STUBS_MAX = 100_000

/** How long one that leaves waits until all can hear that, in ms. */
const LEAVE_PATIENCE_MS = 500

/** Refusals remembered, so that each is said once; beyond it, they are said again. */
const REFUSALS_MAX = 256

export interface MeshMemberComponents {
  readonly runtime: Runtime
  readonly transport: Transport
  readonly hash: Hash64
  readonly loop: LoopMonitor
}

/** What a member tells the peer it serves. */
export interface MeshMemberListener extends StoreListener {
  memberChanged(transition: Transition): void
  transferStarted(member: string, reason: TransferReason | RepairReason): void
  transferEnded(member: string, entries: number, ok: boolean): void
  rebalanceStarted(partitions: number): void
  rebalanceEnded(entries: number): void
  /** A write to a key that this member does not own. */
  heardOf(write: Write): void
  alert(code: string, message: string): void
}

export class MeshMember implements TransportHandlers {
  readonly store: Store
  readonly clock: MeshClock
  readonly membership: Membership
  readonly admission: Admission
  readonly replication: Replication
  readonly catchUp: CatchUp
  readonly discovery: Discovery
  readonly requests: RequestStreams
  readonly ownership: Ownership
  readonly rebalance: Rebalance
  readonly givingUp: GivingUp
  readonly recall: Recall
  readonly flapWatch: FlapWatch
  readonly delivery: Delivery
  readonly handoff: Handoff
  readonly near: NearCache
  readonly reads: Reads
  readonly quorumReads: QuorumReads
  readonly scan: Scan
  readonly explain: Explain
  readonly drops = new Counters<DropReason>()
  readonly #components: MeshMemberComponents
  readonly #options: ResolvedOptions
  readonly #listener: MeshMemberListener
  readonly #heartbeats: Heartbeats
  readonly detector: FailureDetector
  readonly #pings: Pings
  readonly #watch: Watch
  readonly #handshake: Handshake
  readonly #watchdog: Watchdog
  readonly #confirmation: Confirmation
  readonly antiEntropy: AntiEntropy
  readonly #agreements: Agreements
  readonly #transfers: StateTransfer
  readonly #positions: Positions
  readonly #sweeper: Sweeper
  readonly #topics
  #confirmationErrorCount = 0
  #hasToldOfHints = false
  /** What was said of refused peers. */
  readonly #refusals = new Set<string>()

  constructor(
    components: MeshMemberComponents,
    options: ResolvedOptions & { readonly name: string; readonly instance: string },
    listener: MeshMemberListener,
  ) {
    const { runtime, transport, hash, loop } = components
    const { drops } = this
    this.#components = components
    this.#options = options
    this.#listener = listener
    this.#topics = topicsOf(options.mesh)
    const topics = this.#topics
    const meshClock = new MeshClock(runtime.clock, {
      skewWarnMs: CLOCK_SKEW_WARN_MS,
      skewMaxMs: CLOCK_SKEW_MAX_MS,
    })
    const clockWatch = new ClockWatch(meshClock, runtime.log, (message) =>
      listener.alert('clock-skew', message),
    )
    const hlc = new HybridLogicalClock({
      now: () => meshClock.now(),
      judgeBy: () => meshClock.strictNow(),
      aheadMaxMs: CLOCK_SKEW_MAX_MS,
    })
    const positions = new Positions()
    const store = new Store({
      clock: { now: () => meshClock.strictNow(), monotonicMs: () => meshClock.monotonicMs() },
      keyHashOf: (cache, key) => keyHashOf(hash, cache, key),
      itemsMax: options.maxItems,
      bytesMax: options.maxBytes,
      // What no longer counts with anybody is not kept for its digest.
      tombstoneGraceMs: options.tombstoneGraceMs + HORIZON_LAG_MAX_MS,
      tombstonesMax: options.tombstonesMax,
      markersMax: options.markersMax,
      agreedMs: () => this.#agreements.allMs(),
      dispensable: () => this.#agreements.dispensable(),
      // As long as a delete is remembered: a part of the mesh that was cut off so long may hold what is older.
      stubGraceMs: options.tombstoneGraceMs,
      stubsMax: STUBS_MAX,
      listener,
    })
    const membership = new Membership(
      { runtime, transport, drops },
      { name: options.name, topic: topics.members, role: options.role },
    )
    const expectsOthers = options.bootstrap.length > 0 || options.mdns
    const ownership = new Ownership(
      { runtime, membership, hash },
      { id: transport.id, replicas: options.replicas, role: options.role, expectsOthers },
    )
    const near = new NearCache(options.nearBytesMax)
    const handoff = new Handoff(runtime, options, {
      takeIn: (write, partition) => {
        if (ownership.holds(partition)) store.apply(write)
      },
      send: (record, partition) =>
        void this.delivery.send({ record, partition, ack: 'none', goesToAll: true }),
      expired: (count) => this.#hintsExpired(count),
    })
    const requests = new RequestStreams({ runtime, transport, membership, drops }, (from, ask) =>
      this.#answer(from, ask),
    )
    const waiting = { timeoutMs: options.syncTimeoutMs }
    const delivery = new Delivery({ runtime, membership, ownership, requests }, waiting, {
      takeIn: (write) => store.apply(write),
      delivered: (write) => handoff.delivered(write),
      roomFreed: () => replication.roomFreed(),
    })
    const replication: Replication = new Replication(
      {
        runtime,
        transport,
        membership,
        store,
        hlc,
        meshClock,
        positions,
        ownership,
        near,
        drops,
      },
      { ...options, topic: topics.ops },
      {
        gap: (member) => this.catchUp.gap(member),
        fetch: (member, writes) => this.catchUp.fetch(member, writes),
        advanced: (member) => this.#confirmation.advanced(member),
        send: (parcel) => delivery.send(parcel),
        sending: () => delivery.size,
        hinted: (write, partition) => handoff.add(write, partition),
        cleared: (marker) => handoff.clear(marker),
        heardOf: (write) => {
          handoff.hints.heard(write)
          listener.heardOf(write)
        },
      },
    )
    const published = () => replication.published
    const settledRing = () => this.rebalance.settledRing
    const latestTimestampMs = () => hlc.last.wallMs
    const heartbeats = new Heartbeats(
      {
        runtime,
        transport,
        membership,
        meshClock,
        drops,
        published,
        settledRing,
        latestTimestampMs,
      },
      {
        topic: topics.heartbeat,
        intervalMs: options.heartbeatIntervalMs,
        bytesPerSecond: options.heartbeatBytesPerSecond,
        instance: options.instance,
      },
      {
        alive: (id, { opsEpoch, opsSequence, status, settledRing, timestampMs }) => {
          clockWatch.look()
          this.recall.heard(status === 'joining' ? 0 : timestampMs)
          replication.heard(id, opsEpoch, opsSequence)
          ownership.heardSettled(id, status === 'serving' ? settledRing : 0n)
          if (status !== 'serving') return
          this.catchUp.heard(id)
        },
        stranger: (id, addresses) => this.discovery.heardOf(id, addresses),
      },
    )
    const pings = new Pings(
      { membership, heartbeats, requests },
      { timeoutMs: options.heartbeatIntervalMs * PING_SHARE },
    )
    const detector = new FailureDetector(
      { runtime, loop, transport, membership, heartbeats, pings },
      options,
      () => {
        for (const { id } of membership.others()) this.antiEntropy.reached(id)
      },
    )
    const handshake = new Handshake(
      { runtime, transport, membership, heartbeats, hlc, meshClock, drops },
      { ...options, rings: () => ownership.rings() },
      {
        accepted: (id, wasLive, rings) => this.#accepted(id, wasLive, rings),
        refused: (_, error) => this.#refused(error),
      },
    )
    const agreements = new Agreements(
      { membership, ownership, meshClock, store, instanceOf: (id) => heartbeats.instanceOf(id) },
      {
        instance: options.instance,
        tombstonesKeptMs: options.tombstoneGraceMs + HORIZON_LAG_MAX_MS,
      },
    )
    const recall = new Recall({ meshClock, hlc, store, handoff, agreements }, (message) =>
      listener.alert('clock-ahead', message),
    )
    const transfers = new StateTransfer({
      runtime,
      transport,
      membership,
      store,
      hlc,
      positions,
      replication,
      requests,
      drops,
      published,
      ownership,
      hints: handoff.hints,
      agreements,
      lacking: (partitions) => this.rebalance.lacking(partitions),
      horizon: () => this.antiEntropy.horizon(),
    })
    const rebalance = new Rebalance(
      { runtime, transport, membership, ownership, transfers, store, positions, agreements },
      {
        started: (partitions) => listener.rebalanceStarted(partitions),
        ended: (entries) => listener.rebalanceEnded(entries),
        settledChanged: () => {
          ownership.heardSettled(transport.id, this.rebalance.settledRing)
          void heartbeats.beat()
        },
      },
    )
    rebalance.waitFor(() => this.catchUp.owes)
    membership.countPositionsBy((id) =>
      id === transport.id ? replication.published : positions.of(id),
    )
    this.store = store
    this.clock = meshClock
    this.membership = membership
    this.replication = replication
    this.#heartbeats = heartbeats
    this.detector = detector
    this.flapWatch = new FlapWatch(
      { runtime, membership },
      {
        ownersMin: options.replicas === 'all' ? Number.POSITIVE_INFINITY : options.replicas,
        role: options.role,
      },
      (message) => listener.alert('flapping', message),
    )
    this.#pings = pings
    this.#watch = new Watch({ runtime, membership, heartbeats, pings }, options)
    this.#handshake = handshake
    this.#transfers = transfers
    this.#positions = positions
    this.discovery = new Discovery({ runtime, transport, membership, handshake }, options)
    this.#watchdog = new Watchdog({ runtime, transport, handshake })
    this.ownership = ownership
    this.rebalance = rebalance
    this.givingUp = new GivingUp(
      { runtime, membership, ownership, store, agreements },
      (member, partitions) => this.antiEntropy.giveUp(member, partitions),
    )
    this.recall = recall
    this.near = near
    this.handoff = handoff
    this.requests = requests
    this.delivery = delivery
    const { hints } = handoff
    this.quorumReads = new QuorumReads(
      { runtime, membership, ownership, rebalance, store, hints, replication, requests },
      waiting,
    )
    this.reads = new Reads({
      runtime,
      membership,
      ownership,
      rebalance,
      meshClock,
      store,
      hints,
      near,
      replication,
      requests,
    })
    this.explain = new Explain({
      membership,
      ownership,
      quorumReads: this.quorumReads,
      hints,
      requests,
    })
    this.scan = new Scan({
      membership,
      ownership,
      rebalance,
      store,
      requests,
      breathe: () => new Promise((resolve) => void runtime.scheduler.defer(resolve)),
    })
    this.#confirmation = new Confirmation({
      runtime,
      membership,
      positions,
      replication,
      requests,
      drops,
    })
    const compared = new Compared({
      membership,
      ownership,
      store,
      isInSync: (partition) => rebalance.isInSync(partition),
      isSettled: () => rebalance.openCount === 0,
    })
    this.#agreements = agreements
    this.antiEntropy = new AntiEntropy(
      {
        runtime,
        requests,
        store,
        replication,
        meshClock,
        compared,
        agreements,
        positions: () => [...positions.list(), { member: transport.id, ...published() }],
      },
      options,
      {
        started: (member, reason) => listener.transferStarted(member, reason),
        ended: (member, entries, ok) => listener.transferEnded(member, entries, ok),
      },
    )
    this.#sweeper = new Sweeper(runtime, store, {
      intervalMs: options.sweepIntervalMs,
      horizon: () => this.antiEntropy.horizon(),
    })
    this.catchUp = new CatchUp(
      {
        runtime,
        membership,
        handshake,
        transfers,
        positions,
        antiEntropy: this.antiEntropy,
        agreements,
      },
      {
        joinTimeoutMs: options.joinTimeoutMs,
        expectsOthers,
        role: options.role,
        keepsAll: ownership.isFullCopy && ownership.isOwner,
        partitions: () => (ownership.isFullCopy ? undefined : ownership.placement.held),
        hasSettled: () => ownership.isFullCopy || rebalance.hasSettled,
        settled: () =>
          ownership.isFullCopy || !ownership.isOwner ? Promise.resolve() : rebalance.settled,
      },
      {
        started: (member, reason) => listener.transferStarted(member, reason),
        ended: (member, entries, ok) => listener.transferEnded(member, entries, ok),
        alone: () =>
          listener.alert(
            'serving-alone',
            `no other peer was reached within ${options.joinTimeoutMs} ms: serving alone, and trying on`,
          ),
        paid: () => rebalance.look(),
      },
    )
    this.admission = new Admission({ catchUp: this.catchUp, ownership, handoff, replication })
    membership.addListener({
      changed: (transition) => this.#memberChanged(transition),
      viewChanged: () => {
        ownership.viewChanged()
        this.flapWatch.viewChanged()
      },
      calledDead: () => ownership.missed(),
      selfChanged: () => void heartbeats.beat(),
      positionReported: (id, epoch, sequence) => this.#positionReported(id, epoch, sequence),
      suspicionReported: () => {},
      endReported: () => {},
      deathOfSelfReported: (incarnation, reporter) =>
        this.flapWatch.calledDead(incarnation, reporter),
      refuted: () => {},
      refusalReported: () => {},
    })
    ownership.addListener({
      ringChanged: (hasMissed) => {
        rebalance.ringChanged(hasMissed)
        handoff.ownersChanged()
      },
      electorateChanged: () => delivery.electorateChanged(),
      settled: () => {
        rebalance.ringSettled()
        this.givingUp.ringSettled()
      },
    })
  }

  /** The ring by which keys are placed, as this member sees it. */
  get ring(): Ring {
    return this.ownership.ring
  }

  transferStats() {
    return this.#transfers.stats()
  }

  /** Publications, transfers and confirmations that failed. */
  get errorCount(): number {
    const { errorCount } = this.replication.stats()
    const { failureCount } = this.catchUp
    return (
      errorCount +
      failureCount +
      this.rebalance.failureCount +
      this.antiEntropy.failureCount +
      this.#confirmationErrorCount
    )
  }

  /** Starts the transport and everything on it. @throws what the transport throws, when it cannot listen */
  async start(): Promise<void> {
    await this.#components.transport.start(
      { topics: Object.values(this.#topics), protocols: Object.values(PROTOCOLS) },
      this,
    )
    this.membership.start()
    this.#heartbeats.start()
    this.detector.start()
    this.#watch.start()
    this.#watchdog.start()
    this.#sweeper.start()
    this.antiEntropy.start()
    this.discovery.start()
    this.catchUp.start()
  }

  /** Resolves when all that was written before has been applied by every other serving member. @throws NotConfirmedError */
  async flush(): Promise<void> {
    await this.replication.drained()
    const { epoch, sequence } = this.replication.published
    try {
      await this.#confirmation.confirmed(epoch, sequence, this.#options.syncTimeoutMs)
    } catch (error) {
      this.#confirmationErrorCount++
      throw error
    }
  }

  /** Publishes what is queued, takes leave and stops. */
  async stop({ drain }: { readonly drain: boolean }): Promise<void> {
    this.catchUp.stop()
    this.replication.close(new PeerStoppedError('write'))
    this.handoff.close(new PeerStoppedError('write'))
    this.flapWatch.stop()
    this.membership.setStatus('draining')
    await this.replication.drained()
    if (drain) await this.#handOver()
    this.discovery.stop()
    this.detector.stop()
    this.#watch.stop()
    // Who came a moment ago may not be heard yet.
    await this.#watchdog.flowing(LEAVE_PATIENCE_MS)
    this.#watchdog.stop()
    this.#heartbeats.stop()
    await this.membership.leave()
    this.membership.stop()
    this.#sweeper.stop()
    this.antiEntropy.stop()
    this.#confirmation.stop()
    this.ownership.stop()
    this.rebalance.stop()
    this.givingUp.stop()
    this.handoff.stop()
    this.delivery.stop()
    this.quorumReads.stop()
    this.requests.stop()
    this.replication.stop()
    await this.#components.transport.stop()
  }

  /** Waits until others have what only this member may have: its last writes, and what it owned. */
  async #handOver(): Promise<void> {
    const { log, clock } = this.#components.runtime
    const { syncTimeoutMs } = this.#options
    const deadlineMs = clock.monotonicMs() + syncTimeoutMs
    await this.flush().catch((error: Error) => log.warn(error.message))
    const { itemCount, tombstoneCount } = this.store.stats()
    if (this.ownership.isFullCopy || itemCount + tombstoneCount === 0) return
    const leftMs = () => Math.max(0, deadlineMs - clock.monotonicMs())
    const { scheduler } = this.#components.runtime
    if (await this.ownership.settled(leftMs())) {
      const givenUp = this.givingUp.done().then(() => true)
      if (await withDeadline(scheduler, leftMs(), givenUp).catch(() => false)) return
    }
    log.warn(
      `stopped before all ${itemCount} entries of this peer were taken over: the others have not done so within ${syncTimeoutMs} ms (syncTimeoutMs), and ${this.store.stats().itemCount} are left`,
    )
  }

  connected(id: string, dialled: boolean): void {
    this.#watchdog.connected(id)
    this.discovery.connected(id, dialled)
  }

  connectedAgain(id: string, dialled: boolean): void {
    this.discovery.connected(id, dialled)
  }

  disconnected(id: string): void {
    this.#handshake.disconnected(id)
    this.#watchdog.disconnected(id)
    this.detector.disconnected(id)
    this.requests.disconnected(id)
    this.discovery.disconnected(id)
  }

  found(addresses: readonly string[]): void {
    this.discovery.found(addresses)
  }

  message(topic: string, author: string, bytes: Uint8Array): void {
    if (author === this.membership.id) return
    if (topic === this.#topics.heartbeat) this.#heartbeats.receive(author, bytes)
    else if (topic === this.#topics.members) this.membership.receive(author, bytes)
    else if (topic === this.#topics.ops) this.replication.receive(author, bytes)
  }

  channel(protocol: string, channel: Channel): void {
    if (protocol === PROTOCOLS.hello) void this.#handshake.answer(channel)
    else if (protocol === PROTOCOLS.state) void this.#transfers.serveState(channel)
    else if (protocol === PROTOCOLS.requests) void this.requests.serve(channel)
  }

  /** What another member asks over its stream of requests. */
  async #answer(from: string, ask: Ask): Promise<Answer> {
    switch (ask.kind) {
      case 'confirm':
        return { kind: 'confirm', applied: await this.#confirmation.answer(from, ask) }
      case 'replicate':
        return {
          kind: 'replicate',
          ring: this.ownership.digest,
          ...this.replication.accept(ask.records),
        }
      case 'read':
        return this.quorumReads.answer(ask)
      case 'scan':
        return this.scan.answer(ask)
      case 'ping':
        return await this.#pings.answer(ask)
      default:
        return this.antiEntropy.answer(from, ask)
    }
  }

  #accepted(id: string, wasLive: boolean, rings: ReadonlyArray<readonly string[]>): void {
    this.ownership.learn(rings)
    const member = this.membership.list.get(id)
    if (member !== undefined) this.catchUp.accepted(member, wasLive)
    this.rebalance.reached(id)
    this.antiEntropy.reached(id)
  }

  /** Of what a gone member published, another one has this much: ask for it, or say that we have more. */
  #positionReported(id: string, epoch: number, sequence: number): void {
    const ours = this.#positions.of(id)
    if (ours.epoch > epoch || (ours.epoch === epoch && ours.sequence > sequence)) {
      this.membership.remind(id)
    } else {
      this.replication.heard(id, epoch, sequence)
    }
  }

  /** Said once for each peer and reason; a peer that is refused keeps trying. */
  #refused(error: HelloRefusedError): void {
    this.drops.add('refused hello')
    if (this.#refusals.has(error.message)) return
    if (this.#refusals.size >= REFUSALS_MAX) this.#refusals.clear()
    this.#refusals.add(error.message)
    const code = error.field === 'identity' ? 'identity-in-use' : 'hello-refused'
    this.#listener.alert(code, error.message)
  }

  /** Said once; from then on `hintExpiredCount` tells. */
  #hintsExpired(count: number): void {
    if (this.#hasToldOfHints) return
    this.#hasToldOfHints = true
    this.#listener.alert(
      'hints-expired',
      `${count} writes to keys of others were given up: no owner has taken them within ${this.#options.hintAgeMaxMs} ms (hintAgeMaxMs)`,
    )
  }

  #memberChanged(transition: Transition): void {
    const { member } = transition
    if (member.id === this.membership.id) return
    this.flapWatch.changed(transition)
    if (!isLive(member)) {
      this.clock.gone(member.id)
      this.antiEntropy.gone(member.id)
      this.catchUp.gone(member.id)
      this.ownership.gone(member.id)
      this.rebalance.look()
    } else if (transition.from === 'dead' || transition.from === 'left') {
      this.catchUp.returned(member)
    }
    this.ownership.electorateChanged()
    this.discovery.changed(member as Member)
    this.#listener.memberChanged(transition)
  }
}
