/**
 * Recall: a member that was alone while its clock was ahead has written what lies in the future of all others. They refuse
 * it; and it must not wait here until its time comes, for by then it would win over all that was written meanwhile. Once the
 * member knows what time it is, it gives that up, and goes on from the time of the others.
 *
 * Where all clocks of a mesh have been set back, all its members are ahead, and nothing is wrong with what they hold. So it
 * matters how far the timestamps of the others have come, which they tell in their heartbeats: one that has ever come as
 * far, though it has been started again since or is gone, has taken what this member wrote, or written as much itself.
 */
import type { HybridLogicalClock } from '../core/hlc.js'
import type { MeshClock } from '../core/mesh-clock.js'
import type { Store } from '../core/store.js'
import { CLOCK_SKEW_MAX_MS } from '../options.js'
import type { Agreements } from './agreements.js'
import type { Handoff } from './handoff.js'

export interface RecallComponents {
  readonly meshClock: MeshClock
  readonly hlc: HybridLogicalClock
  readonly store: Store
  readonly handoff: Handoff
  readonly agreements: Agreements
}

export class Recall {
  readonly #components: RecallComponents
  readonly #alert: (message: string) => void
  /** The latest timestamp that any other member has told, in ms of wall time. */
  #toldMs = 0
  #count = 0

  constructor(components: RecallComponents, alert: (message: string) => void) {
    this.#components = components
    this.#alert = alert
  }

  /** Entries, deletes and markers that were given up. */
  get count(): number {
    return this.#count
  }

  /** A member told its latest timestamp, in ms of wall time; 0 when it does not say. Looks whether ours is too far ahead. */
  heard(timestampMs: number): void {
    this.#toldMs = Math.max(this.#toldMs, timestampMs)
    const { meshClock, hlc, store, agreements } = this.#components
    const limitMs = meshClock.strictNow() + CLOCK_SKEW_MAX_MS
    const isAloneAhead = timestampMs > 0 && this.#toldMs <= limitMs
    if (hlc.last.wallMs > limitMs && isAloneAhead) this.#giveUp(limitMs)
    // It moves with the clock, and others would not follow: whatever is held, it begins anew.
    else if (store.horizon.valuesMs > limitMs) {
      store.recall(Number.POSITIVE_INFINITY)
      agreements.recall(limitMs)
    }
  }

  #giveUp(limitMs: number): void {
    const { meshClock, hlc, store, handoff, agreements } = this.#components
    const byMs = Math.round(hlc.last.wallMs - meshClock.strictNow())
    const recalled = [store.recall(limitMs), handoff.recall(limitMs)]
    agreements.recall(limitMs)
    hlc.setBack(Math.max(meshClock.strictNow(), ...recalled.map(({ latestMs }) => latestMs)))
    const count = recalled.reduce((sum, one) => sum + one.count, 0)
    this.#count += count
    if (count === 0) return
    const what = `${count} writes, deletes and markers were made by a clock that was up to ${byMs} ms ahead of those of all others`
    this.#alert(`${what}, who refuse them: they are given up here as well`)
  }
}
