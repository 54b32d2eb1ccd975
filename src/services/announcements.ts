/**
 * Announcements: batches of which some values have yet to come.
 *
 * A value that is too large to ride along, or that its writer hands straight to its owners, is only announced on the ops
 * topic. An owner that has not got it soon after it heard of it asks for it. A batch counts as received when all is here.
 */
import { nameOf, type Write } from '../core/entry.js'
import { supersedes } from '../core/version.js'
import type { Runtime, Timer } from './ports.js'

/**
 * How long values that are on their way are waited for, in ms; and how long at most, while others of the same writer keep
 * coming: a busy mesh is late, and asking for what is late makes it later.
 */
const PULL_DELAY_MS = 50
const PULL_DELAY_MAX_MS = 1_000

/** Batches that wait at most; one more counts as lost, and is asked for as such. */
const BATCHES_MAX = 4_096

export interface AnnouncementsListener {
  /** Fetches values that a member announced. Resolves to whether they were had. */
  fetch(member: string, writes: readonly Write[]): Promise<boolean>
}

/** Some values of one batch. */
interface Awaited {
  readonly author: string
  readonly sinceMs: number
  readonly missing: Map<string, Write>
  timer: Timer | undefined
  readonly resolve: (complete: boolean) => void
}

export class Announcements {
  readonly #runtime: Runtime
  readonly #listener: AnnouncementsListener
  readonly #awaited = new Set<Awaited>()
  /** Those that wait for a key, by its name. */
  readonly #byName = new Map<string, Set<Awaited>>()
  /** When a value of a writer last came, and whose values are being asked for. */
  readonly #cameAtMs = new Map<string, number>()
  readonly #pulling = new Set<string>()

  constructor(runtime: Runtime, listener: AnnouncementsListener) {
    this.#runtime = runtime
    this.#listener = listener
  }

  stop(): void {
    for (const awaited of [...this.#awaited]) this.#end(awaited, false)
  }

  /**
   * Waits for values that a member announced, and asks for those that do not come.
   * @param comeByThemselves whether their writer hands them to this member; otherwise they are asked for at once
   * @returns whether all are here
   */
  async complete(
    author: string,
    writes: readonly Write[],
    comeByThemselves: boolean,
  ): Promise<boolean> {
    if (!comeByThemselves) return this.#listener.fetch(author, writes)
    if (this.#awaited.size >= BATCHES_MAX) return false
    return new Promise<boolean>((resolve) => {
      const missing = new Map(writes.map((write) => [nameOf(write), write]))
      const sinceMs = this.#runtime.clock.monotonicMs()
      const awaited: Awaited = { author, sinceMs, missing, timer: undefined, resolve }
      this.#awaited.add(awaited)
      for (const name of missing.keys()) {
        const waiting = this.#byName.get(name) ?? new Set()
        this.#byName.set(name, waiting)
        waiting.add(awaited)
      }
      this.#look(awaited)
    })
  }

  /** A write has come by another way. */
  came(write: Write): void {
    if (this.#byName.size === 0) return
    const name = nameOf(write)
    for (const awaited of this.#byName.get(name) ?? []) {
      const announced = awaited.missing.get(name)
      if (announced === undefined || supersedes(announced, write)) continue
      this.#cameAtMs.set(awaited.author, this.#runtime.clock.monotonicMs())
      this.#forget(awaited, name)
      if (awaited.missing.size === 0) this.#end(awaited, true)
    }
  }

  #look(awaited: Awaited): void {
    awaited.timer = this.#runtime.scheduler.after(PULL_DELAY_MS, () => {
      awaited.timer = undefined
      if (this.#mayCome(awaited)) this.#look(awaited)
      else void this.#pull(awaited.author)
    })
  }

  /** Whether values of the same writer have come of late, so that these may be on their way. */
  #mayCome({ author, sinceMs }: Awaited): boolean {
    const nowMs = this.#runtime.clock.monotonicMs()
    if (this.#pulling.has(author)) return true
    const cameAtMs = this.#cameAtMs.get(author) ?? Number.NEGATIVE_INFINITY
    return nowMs - cameAtMs < PULL_DELAY_MS && nowMs - sinceMs < PULL_DELAY_MAX_MS
  }

  /** Asks a writer for all of its values that have been waited for long enough, one request after the other. */
  async #pull(author: string): Promise<void> {
    this.#pulling.add(author)
    const due = [...this.#awaited].filter((awaited) => this.#isDue(awaited, author))
    const writes = new Map(due.flatMap(({ missing }) => [...missing]))
    const fetched = await this.#listener.fetch(author, [...writes.values()])
    this.#pulling.delete(author)
    for (const awaited of due) if (this.#awaited.has(awaited)) this.#end(awaited, fetched)
  }

  #isDue(awaited: Awaited, author: string): boolean {
    const ageMs = this.#runtime.clock.monotonicMs() - awaited.sinceMs
    return awaited.author === author && ageMs >= PULL_DELAY_MS
  }

  #end(awaited: Awaited, complete: boolean): void {
    awaited.timer?.cancel()
    this.#awaited.delete(awaited)
    if (this.#awaited.size === 0) this.#cameAtMs.clear()
    for (const name of awaited.missing.keys()) this.#forget(awaited, name)
    awaited.resolve(complete)
  }

  #forget(awaited: Awaited, name: string): void {
    awaited.missing.delete(name)
    const waiting = this.#byName.get(name)
    waiting?.delete(awaited)
    if (waiting?.size === 0) this.#byName.delete(name)
  }
}
