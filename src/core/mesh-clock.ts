/**
 * Mesh time: this member's wall clock as long as it agrees with those of its peers, theirs when it does not.
 *
 * Versions and expiry rest on wall time, so one clock that is set wrong by minutes could win over all others, or let
 * everything expire. Each member therefore compares its wall clock with the median of its peers' (the median, because
 * a minority of wrong clocks must not move it; Lamport and Melliar-Smith, "Synchronizing Clocks in the Presence of
 * Faults", 1985). Peers say their wall time and their uptime with every heartbeat. A message only ever comes late, so
 * of all that was heard of a peer the one that took least fixes its uptime on our own monotonic clock; a step of
 * either wall clock then shows at once, and is not mistaken for a slow network.
 */

/** A member's two clocks, in ms. */
export interface Clocks {
  /** Wall time since the Unix epoch. May step either way. */
  now(): number
  /** Monotonic time since some fixed moment. */
  monotonicMs(): number
}

/** Options of {@link MeshClock}. */
export interface MeshClockOptions {
  /** A wall clock further than this from the peers' is not used, in ms. */
  readonly skewMaxMs: number
}

/** How fast two monotonic clocks may drift apart: what was heard of a peer long ago counts less by this share. */
const DRIFT_MAX = 0.01

/** What is known of a peer's clocks. */
interface Peer {
  /** Its wall time at its uptime 0. */
  startedAt: number
  /** Its uptime, less our monotonic time, as far as messages that took no time would show; and when that was noted. */
  upBeforeMs: number
  notedAtMs: number
}

export class MeshClock implements Clocks {
  readonly #clocks: Clocks
  readonly #skewMaxMs: number
  readonly #peers = new Map<string, Peer>()
  /** The peers' wall time, less our monotonic time: the two middle ones of all peers. */
  #middle: readonly [low: number, high: number] | undefined

  constructor(clocks: Clocks, { skewMaxMs }: MeshClockOptions) {
    this.#clocks = clocks
    this.#skewMaxMs = skewMaxMs
  }

  /** Mesh time, in ms since the Unix epoch. */
  now(): number {
    const skewMs = this.skewMs
    const wallMs = this.#clocks.now()
    return Math.abs(skewMs) > this.#skewMaxMs ? Math.floor(wallMs - skewMs) : wallMs
  }

  monotonicMs(): number {
    return this.#clocks.monotonicMs()
  }

  /**
   * How far this member's wall clock is ahead of the median of its peers', in ms; negative when it is behind, 0 when it
   * is alone. Where two peers are in the middle, it is 0 anywhere between them.
   */
  get skewMs(): number {
    if (this.#middle === undefined) return 0
    const [low, high] = this.#middle
    const own = this.#clocks.now() - this.#clocks.monotonicMs()
    return own < low ? own - low : own > high ? own - high : 0
  }

  /** Whether this member's wall clock is near enough to its peers' for what it writes. */
  get isTrusted(): boolean {
    return Math.abs(this.skewMs) <= this.#skewMaxMs
  }

  /** A peer told its clocks when it said hello: what was known of an earlier run of it is forgotten. */
  met(id: string, wallMs: number, uptimeMs: number): void {
    this.#peers.delete(id)
    this.heard(id, wallMs, uptimeMs)
  }

  /** A peer told its clocks. */
  heard(id: string, wallMs: number, uptimeMs: number): void {
    const nowMs = this.#clocks.monotonicMs()
    const upBeforeMs = uptimeMs - nowMs
    const known = this.#peers.get(id)
    const faded =
      known === undefined
        ? Number.NEGATIVE_INFINITY
        : known.upBeforeMs - (nowMs - known.notedAtMs) * DRIFT_MAX
    this.#peers.set(id, {
      startedAt: wallMs - uptimeMs,
      upBeforeMs: Math.max(upBeforeMs, faded),
      notedAtMs: nowMs,
    })
    this.#findMiddle()
  }

  /** A peer is gone. The last one's clock still counts, until another is heard. */
  gone(id: string): void {
    if (this.#peers.delete(id) && this.#peers.size > 0) this.#findMiddle()
  }

  #findMiddle(): void {
    const offsets = Array.from(this.#peers.values(), (peer) => peer.startedAt + peer.upBeforeMs)
    offsets.sort((a, b) => a - b)
    const high = offsets.length >> 1
    const low = (offsets.length - 1) >> 1
    this.#middle = [offsets[low] as number, offsets[high] as number]
  }
}
