/**
 * Watches this member's wall clock beside those of its peers: says when it comes to be wrong, when it is too wrong to
 * write, and when it is right again. Each is said once.
 */
import type { MeshClock } from '../core/mesh-clock.js'
import { CLOCK_SKEW_MAX_MS, CLOCK_SKEW_WARN_MS } from '../options.js'
import type { Log } from './ports.js'

export class ClockWatch {
  readonly #clock: MeshClock
  readonly #log: Log
  readonly #alert: (message: string) => void
  #said: 'right' | 'wrong' | 'too wrong' = 'right'

  constructor(clock: MeshClock, log: Log, alert: (message: string) => void) {
    this.#clock = clock
    this.#log = log
    this.#alert = alert
  }

  /** Looks at the clock now: whenever a peer has told its own. */
  look(): void {
    const { skewMs } = this.#clock
    const byMs = Math.abs(Math.round(skewMs))
    const before = this.#said
    this.#said =
      byMs > CLOCK_SKEW_MAX_MS ? 'too wrong' : byMs > CLOCK_SKEW_WARN_MS ? 'wrong' : 'right'
    if (this.#said === before) return
    const how = `the clock of this peer is ${byMs} ms ${skewMs > 0 ? 'ahead of' : 'behind'} those of its peers`
    if (this.#said === 'too wrong') {
      this.#alert(
        `${how}, the limit is ${CLOCK_SKEW_MAX_MS} ms: it writes nothing until that is mended`,
      )
    } else if (this.#said === 'wrong' && before === 'right') {
      this.#alert(`${how}: beyond ${CLOCK_SKEW_MAX_MS} ms it will not write`)
    } else if (this.#said === 'right') {
      this.#log.info('the clock of this peer agrees with those of its peers again')
    }
  }
}
