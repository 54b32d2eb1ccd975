/** Whatever is bounded stays within its bound, and what runs keeps nothing scheduled once it has stopped. */
import type { ResolvedOptions } from '../../../src/options.js'
import type { SimulatedProcess } from '../../../src/testing/simulation.js'
import type { Violations } from './violations.js'

export type Limits = Pick<
  ResolvedOptions,
  'syncQueueMax' | 'maxItems' | 'maxBytes' | 'tombstonesMax' | 'nearBytesMax' | 'hintBytesMax'
>

/** Bytes by which hints may be over: the value that fills the room. More than callers write. */
const HINT_BYTES_OVER_MAX = 2 ** 19

/** Looks at one process now. */
export function checkBounds(
  { id, peer }: SimulatedProcess,
  limits: Limits,
  violations: Violations,
): void {
  const { occupancy } = peer
  const bounds: typeof occupancy = {
    syncQueueSize: limits.syncQueueMax,
    itemCount: limits.maxItems,
    memoryBytes: limits.maxBytes,
    tombstoneCount: limits.tombstonesMax,
    nearBytes: limits.nearBytesMax,
    // Whoever finds room adds one value, which need not fit: the next one waits.
    hintBytes: limits.hintBytesMax + HINT_BYTES_OVER_MAX,
  }
  for (const what of Object.keys(bounds) as Array<keyof typeof bounds>) {
    const value = occupancy[what]
    const limit = bounds[what]
    if (value > limit) violations.add('bounds', `${what} of ${id} is ${value}, over ${limit}`)
  }
}

/** Looks at all the numbers of one process: a counter that went below nothing counts something twice. */
export function checkStats({ id, peer }: SimulatedProcess, violations: Violations): void {
  const stats = peer.stats()
  for (const what of Object.keys(stats) as Array<keyof typeof stats>) {
    const value = stats[what]
    if (typeof value === 'number' && !(value >= 0) && what !== 'clockSkewMs') {
      violations.add('bounds', `${what} of ${id} is ${value}`)
    }
  }
}

/** Looks at one process's queue. */
export function checkQueue(
  { id, peer }: SimulatedProcess,
  { syncQueueMax }: Limits,
  violations: Violations,
): void {
  const { syncQueueSize } = peer.pending
  if (syncQueueSize <= syncQueueMax) return
  violations.add('bounds', `syncQueueSize of ${id} is ${syncQueueSize}, over ${syncQueueMax}`)
}

/** Looks at a process that has stopped. */
export function checkStopped({ id, time }: SimulatedProcess, violations: Violations): void {
  if (time.pending > 0) {
    violations.add('stop', `${id} has stopped, and ${time.pending} of its tasks are scheduled`)
  }
}
