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
  /** Wall clocks differ this much, in ms, and nobody minds. */
  readonly skewWarnMs: number
  /** A wall clock further than this from the peers' is not used, in ms. */
  readonly skewMaxMs: number
}

/** Two clocks, each as wall time less our monotonic time. */
type Span = readonly [low: number, high: number]

const ANYWHERE: Span = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]

/** Clocks of gone peers that are remembered. */
const GONE_MAX = 64

/** How fast two monotonic clocks may drift apart: what was heard of a peer long ago counts less by this share. */
const DRIFT_MAX = 0.01

/** What is known of a peer's clocks. */
interface Peer {
  /** Its wall time at its uptime 0. */
  readonly startedAt: number
  /** Its uptime, less our monotonic time, as far as messages that took no time would show; and when that was noted. */
  readonly upBeforeMs: number
  readonly notedAtMs: number
  readonly isGone: boolean
}

export class MeshClock implements Clocks {
  readonly #clocks: Clocks
  readonly #options: MeshClockOptions
  readonly #peers = new Map<string, Peer>()
  /**
   * The middle of the peers' clocks, each as wall time less our monotonic time; and between which two of them the middle
   * lies when our own clock is counted, too.
   */
  #peersMiddle: Span = ANYWHERE
  #middle: Span = ANYWHERE

  constructor(clocks: Clocks, options: MeshClockOptions) {
    this.#clocks = clocks
    this.#options = options
  }

  /** Mesh time, in ms since the Unix epoch. */
  now(): number {
    return this.#corrected(this.#options.skewMaxMs)
  }

  monotonicMs(): number {
    return this.#clocks.monotonicMs()
  }

  /**
   * The same, but the peers' time as soon as this member's own differs more than clocks do: what others are judged by,
   * and what expires.
   */
  strictNow(): number {
    return this.#corrected(this.#options.skewWarnMs)
  }

  /**
   * How far this member's wall clock is ahead of the median of its peers', in ms; negative when it is behind, 0 when it
   * is alone. Where two peers are in the middle, it is 0 anywhere between them.
   */
  get skewMs(): number {
    return this.#beyond(this.#peersMiddle, this.#clocks.now())
  }

  /** Whether this member's wall clock is near enough to its peers' for what it writes. */
  get isTrusted(): boolean {
    return Math.abs(this.skewMs) <= this.#options.skewMaxMs
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
      isGone: false,
    })
    this.#findMiddle()
  }

  /**
   * A peer is gone. Its clock still counts while fewer than two others are there: a member that is cut off with a wrong
   * clock goes on knowing that it is wrong.
   */
  gone(id: string): void {
    const known = this.#peers.get(id)
    if (known === undefined) return
    this.#peers.delete(id)
    this.#peers.set(id, { ...known, isGone: true })
    this.#forgetSome()
    this.#findMiddle()
  }

  /** Forgets those that have been gone the longest, if they are too many. */
  #forgetSome(): void {
    let surplus = -GONE_MAX
    for (const { isGone } of this.#peers.values()) if (isGone) surplus++
    for (const [id, { isGone }] of this.#peers) {
      if (surplus <= 0) return
      if (isGone && this.#peers.delete(id)) surplus--
    }
  }

  /**
   * The wall clock, or the middle of all clocks when it is further from that than some ms. Its own clock counts: where two
   * disagree, neither is put right by the other.
   */
  #corrected(toleranceMs: number): number {
    const wallMs = this.#clocks.now()
    const skewMs = this.#beyond(this.#middle, wallMs)
    return Math.abs(skewMs) > toleranceMs ? Math.floor(wallMs - skewMs) : wallMs
  }

  /** How far a wall time of ours is beyond a span. */
  #beyond([low, high]: Span, wallMs: number): number {
    const own = wallMs - this.#clocks.monotonicMs()
    return own < low ? own - low : own > high ? own - high : 0
  }

  #findMiddle(): void {
    const peers = [...this.#peers.values()]
    const there = peers.filter(({ isGone }) => !isGone)
    const counted = there.length < 2 ? peers : there
    const offsets = Float64Array.from(
      counted,
      ({ startedAt, upBeforeMs }) => startedAt + upBeforeMs,
    )
    offsets.sort()
    const high = offsets.length >> 1
    const low = offsets.length - 1 - high
    this.#peersMiddle = [offsets[low] as number, offsets[high] as number]
    // With one more, an odd number becomes even: two are in the middle, and ours may be one of them.
    const isOdd = low === high
    this.#middle = isOdd
      ? [offsets[low - 1] ?? ANYWHERE[0], offsets[high + 1] ?? ANYWHERE[1]]
      : this.#peersMiddle
  }
}
