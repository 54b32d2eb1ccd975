/**
 * The events of a simulation, in the order in which they run: a binary heap.
 */
import type { Timer } from '../../services/ports.js'
import type { SimulatedMember } from './member.js'

/** Something that will run at a simulated moment. */
export class SimulatedEvent implements Timer {
  /** When it is to run; later than `dueMs` when its member stood still at that time. */
  runAtMs: number
  /** `waiting` until it has run or was cancelled. */
  isWaiting = true

  constructor(
    readonly dueMs: number,
    readonly sequence: number,
    readonly owner: SimulatedMember | undefined,
    readonly task: () => void,
    readonly onCancel: (event: SimulatedEvent) => void,
  ) {
    this.runAtMs = dueMs
  }

  cancel(): void {
    if (!this.isWaiting) return
    this.isWaiting = false
    this.onCancel(this)
  }
}

/** A total order, so that a run can be repeated: when it runs, when it was due, who came first. */
function precedes(a: SimulatedEvent, b: SimulatedEvent): boolean {
  if (a.runAtMs !== b.runAtMs) return a.runAtMs < b.runAtMs
  if (a.dueMs !== b.dueMs) return a.dueMs < b.dueMs
  return a.sequence < b.sequence
}

/** Cancelled events stay in the heap until they come up, unless they are more than half of it. */
export class EventQueue {
  #heap: SimulatedEvent[] = []
  #cancelledCount = 0

  push(event: SimulatedEvent): void {
    this.#heap.push(event)
    this.#rise(this.#heap.length - 1)
  }

  /** Says that one of the events in here was cancelled. */
  noteCancelled(): void {
    this.#cancelledCount++
    if (this.#cancelledCount <= 64 || this.#cancelledCount * 2 < this.#heap.length) return
    // A sorted array is a heap.
    this.#heap = this.#heap.filter(({ isWaiting }) => isWaiting)
    this.#heap.sort((a, b) => (precedes(a, b) ? -1 : 1))
    this.#cancelledCount = 0
  }

  /** The next event, if it is to run by `untilMs`. */
  take(untilMs: number): SimulatedEvent | undefined {
    while (true) {
      const first = this.#heap[0]
      if (first === undefined) return undefined
      if (first.isWaiting && first.runAtMs > untilMs) return undefined
      this.#removeFirst()
      if (first.isWaiting) return first
      this.#cancelledCount--
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink(0)
  }

  #rise(from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#swapUnlessOrdered(parent, index)) return
      index = parent
    }
  }

  #sink(from: number): void {
    let index = from
    while (true) {
      const left = index * 2 + 1
      const leftEvent = this.#heap[left]
      if (leftEvent === undefined) return
      const rightEvent = this.#heap[left + 1]
      const child = rightEvent !== undefined && precedes(rightEvent, leftEvent) ? left + 1 : left
      if (!this.#swapUnlessOrdered(index, child)) return
      index = child
    }
  }

  #swapUnlessOrdered(parent: number, child: number): boolean {
    const above = this.#heap[parent] as SimulatedEvent
    const below = this.#heap[child] as SimulatedEvent
    if (!precedes(below, above)) return false
    this.#heap[parent] = below
    this.#heap[child] = above
    return true
  }
}
