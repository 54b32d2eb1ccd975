/**
 * The signs of life of one member, in the eyes of one observer.
 *
 * Whether a heartbeat is new is judged by what its sender says of itself: incarnation, sequence, and uptime by a clock that
 * never goes back. Whether it is a sign of life *now* is judged by its age. No two clocks are compared for that: uptime and
 * the observer's time run at one pace, so the difference between the two is the same for all heartbeats but for what each
 * took on its way, and one that took longer than others of late by more than an interval is old news. A peer that passes on
 * a dead one's last words does not bring it back.
 */
import { PhiAccrual } from './phi.js'

/** Intervals remembered. */
const WINDOW_SIZE = 100

/** Floor of the deviation, as a share of the interval. */
const DEVIATION_MIN_SHARE = 0.3

/** Heartbeats by whose fastest the others' lateness is judged: few, for clocks drift, and a host that slept is behind. */
const OFFSETS_MAX = 8

/** What a heartbeat says of its sender's life. */
export interface SignOfLife {
  readonly incarnation: number
  /** Rises with each heartbeat. */
  readonly sequence: number
  /** By the sender's monotonic clock. */
  readonly uptimeMs: number
  /** The next one follows within this, in ms; 0 when it does not say. */
  readonly intervalMs: number
}

export class Pulse {
  readonly #phi: PhiAccrual
  readonly #ownIntervalMs: number
  /** Of the latest heartbeats, the observer's time less the sender's uptime. */
  #offsets: number[] = []
  #incarnation = -1
  #sequence = -1
  #uptimeMs = -1
  #announcedMs: number
  /** When the member was last known to live, whatever the observer has excused since; undefined before it was. */
  #heardAtMs: number | undefined
  #pingedMs = Number.POSITIVE_INFINITY

  /** @param intervalMs at which heartbeats are expected where their sender does not say; also what is late by more is old */
  constructor(intervalMs: number) {
    this.#ownIntervalMs = intervalMs
    this.#announcedMs = intervalMs
    this.#phi = new PhiAccrual({
      windowSize: WINDOW_SIZE,
      expectedIntervalMs: intervalMs,
      deviationMinMs: intervalMs * DEVIATION_MIN_SHARE,
    })
  }

  /** A heartbeat has come. Says whether it tells anything new, and whether it is a sign of life now. */
  heard(sign: SignOfLife, nowMs: number): { readonly isNew: boolean; readonly isLate: boolean } {
    const isNew =
      sign.incarnation >= this.#incarnation &&
      sign.sequence > this.#sequence &&
      sign.uptimeMs >= this.#uptimeMs
    if (!isNew) return { isNew, isLate: false }
    this.#incarnation = sign.incarnation
    this.#sequence = sign.sequence
    this.#uptimeMs = sign.uptimeMs
    this.#announce(sign.intervalMs)
    this.#offsets.push(nowMs - sign.uptimeMs)
    if (this.#offsets.length > OFFSETS_MAX) this.#offsets.shift()
    const saidAtMs = sign.uptimeMs + Math.min(...this.#offsets)
    const isLate = nowMs - saidAtMs > this.#ownIntervalMs
    if (isLate) this.#phi.spoke(saidAtMs)
    else this.#phi.arrived(nowMs)
    this.#livedAt(isLate ? saidAtMs : nowMs)
    return { isNew, isLate }
  }

  /** The member has just answered, and said how long it has run: nothing tells its clock's offset better. */
  answered({ uptimeMs, intervalMs }: Pick<SignOfLife, 'uptimeMs' | 'intervalMs'>, nowMs: number) {
    this.#announce(intervalMs)
    this.#offsets = [nowMs - uptimeMs]
    if (this.#pingedMs === Number.POSITIVE_INFINITY) this.#phi.excuse(nowMs)
    else this.#phi.arrived(nowMs)
    this.#livedAt(nowMs)
  }

  /** It lives, by some other token. */
  met(nowMs: number): void {
    this.#phi.excuse(nowMs)
    this.#livedAt(nowMs)
  }

  /** Nobody listened: its silence begins now, though it may have lasted for long. */
  excuse(nowMs: number): void {
    this.#phi.excuse(nowMs)
  }

  /** From now on the member is pinged at such intervals, or no more: it is to be heard as often. */
  pingedEvery(intervalMs = Number.POSITIVE_INFINITY): void {
    this.#pingedMs = intervalMs
    this.#expect()
  }

  /** How suspicious the silence is. */
  phi(nowMs: number): number {
    return this.#phi.phi(nowMs)
  }

  /** When the member was last known to live, by the observer's clock; undefined before it was. */
  get heardAtMs(): number | undefined {
    return this.#heardAtMs
  }

  /** Within what it has said that its next heartbeat follows, in ms. */
  get announcedMs(): number {
    return this.#announcedMs
  }

  /** At which interval it is to be heard, in ms. */
  get expectedIntervalMs(): number {
    return Math.min(this.#announcedMs, this.#pingedMs)
  }

  #livedAt(atMs: number): void {
    this.#heardAtMs = Math.max(this.#heardAtMs ?? atMs, atMs)
  }

  #announce(intervalMs: number): void {
    this.#announcedMs = intervalMs || this.#ownIntervalMs
    this.#expect()
  }

  #expect(): void {
    this.#phi.expect(this.expectedIntervalMs)
  }
}
