/**
 * Watches a few members closely where the mesh is too large for everybody to hear everybody often: pings those that are this
 * member's to watch (see core/watchers.ts) as often as heartbeats would come in a small mesh. What comes of it, all others
 * hear as news.
 */
import { watchedBy } from '../core/watchers.js'
import type { Heartbeats } from './heartbeats.js'
import type { Membership } from './membership.js'
import type { Pings } from './pings.js'
import type { Runtime, Timer } from './ports.js'

/** From this multiple of the shortest interval on, a member's heartbeats alone would tell of its death too late. */
const STRETCH_MIN = 1.5

/** How long a ping may take, as a share of the interval. */
const TIMEOUT_SHARE = 0.5

export interface WatchComponents {
  readonly runtime: Runtime
  readonly membership: Membership
  readonly heartbeats: Heartbeats
  readonly pings: Pings
}

export class Watch {
  readonly #components: WatchComponents
  readonly #intervalMs: number
  #timer: Timer | undefined

  constructor(
    components: WatchComponents,
    { heartbeatIntervalMs }: { heartbeatIntervalMs: number },
  ) {
    this.#components = components
    this.#intervalMs = heartbeatIntervalMs
  }

  start(): void {
    const { random } = this.#components.runtime
    this.#schedule(random.next() * this.#intervalMs)
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#components.runtime.scheduler.after(delayMs, () => {
      this.#look()
      this.#schedule(this.#intervalMs)
    })
  }

  #look(): void {
    const { membership, heartbeats, pings } = this.#components
    const live = membership.list.live().map(({ id }) => id)
    const watched = watchedBy(membership.id, live).filter(
      (id) => heartbeats.announcedMs(id) >= STRETCH_MIN * this.#intervalMs,
    )
    heartbeats.watch(watched, this.#intervalMs)
    for (const id of watched) void pings.ping(id, this.#intervalMs * TIMEOUT_SHARE)
  }
}
