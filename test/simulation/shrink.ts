/**
 * Makes a plan that fails smaller: delta debugging (Zeller, Hildebrandt, 2002), over whole faults first, then over what
 * callers do, as long as the result still fails. Equal input, equal result: what bounds it is a number of runs, not time.
 */
import type { Plan, Step } from './operations.js'

export interface ShrinkOptions {
  /** How often `fails` may be asked. */
  readonly runsMax: number
  /** When the failure showed: what comes later cannot have caused it. */
  readonly violatedAtMs?: number | undefined
  /** Called after each run. */
  readonly onRun?: (runCount: number) => void
  /** Ends the search early. */
  readonly signal?: AbortSignal
}

export interface Shrunk {
  readonly plan: Plan
  readonly runCount: number
  /** Whether no fault and no call can be taken out any more; else the runs were used up. */
  readonly isMinimal: boolean
}

/** Whether a plan fails, in the same way as the first one did. */
export type Fails = (plan: Plan) => Promise<boolean>

/** @param plan one that fails; members that begin in its `work` stay in it */
export async function shrink(plan: Plan, fails: Fails, options: ShrinkOptions): Promise<Shrunk> {
  const search = new Search(plan, fails, options)
  await search.cutAfter(options.violatedAtMs)
  do search.hasProgressed = false
  while (await search.reduceAll())
  await search.simplify()
  return { plan: search.plan, runCount: search.runCount, isMinimal: search.hasRunsLeft }
}

class Search {
  /** The smallest plan so far that fails. */
  plan: Plan
  runCount = 0
  hasProgressed = false
  readonly #fails: Fails
  readonly #options: ShrinkOptions
  /** Plans that were asked about, so that none is run twice. */
  readonly #tried = new Set<string>()

  constructor(plan: Plan, fails: Fails, options: ShrinkOptions) {
    this.plan = plan
    this.#fails = fails
    this.#options = options
    this.#tried.add(JSON.stringify(plan))
  }

  get hasRunsLeft(): boolean {
    const { runsMax, signal } = this.#options
    return this.runCount < runsMax && !signal?.aborted
  }

  /** Drops what happens after the failure showed. */
  async cutAfter(violatedAtMs = Number.POSITIVE_INFINITY): Promise<void> {
    const { work, faults, healAtMs } = this.plan
    if (violatedAtMs >= healAtMs) return
    const before = (steps: readonly Step[]) => steps.filter(({ atMs }) => atMs <= violatedAtMs)
    const endAtMs = Math.floor(violatedAtMs) + 1
    await this.#adopts({
      ...this.plan,
      work: before(work),
      faults: faults
        .map(({ kind, steps }) => ({ kind, steps: before(steps) }))
        .filter(({ steps }) => steps.length > 0),
      healAtMs: endAtMs,
      endAtMs,
    })
  }

  /** Takes out all that is not needed. Resolves to whether it should be done again. */
  async reduceAll(): Promise<boolean> {
    await this.#reduce(this.plan.faults, (faults) => ({ ...this.plan, faults }))
    const beginning = this.plan.work.filter(isStart)
    const calls = this.plan.work.filter((step) => !isStart(step))
    await this.#reduce(calls, (kept) => ({ ...this.plan, work: [...beginning, ...kept] }))
    return this.hasProgressed && this.hasRunsLeft
  }

  /** Uses the defaults, where they do, and ends the run soon after its last step. */
  async simplify(): Promise<void> {
    const { options, ...ofDefaultOptions } = this.plan
    // How many keep a key is no detail: it stays what it was.
    const replicas = options?.replicas
    await this.#adopts(
      replicas === undefined ? ofDefaultOptions : { ...this.plan, options: { replicas } },
    )
    const { network: __, ...ofDefaultNetwork } = this.plan
    await this.#adopts(ofDefaultNetwork)
    const steps = [...this.plan.work, ...this.plan.faults.flatMap((fault) => fault.steps)]
    const endAtMs = Math.max(0, ...steps.map(({ atMs }) => atMs)) + 1
    if (endAtMs >= this.plan.endAtMs) return
    await this.#adopts({
      ...this.plan,
      healAtMs: Math.min(endAtMs, this.plan.healAtMs),
      endAtMs,
    })
  }

  /** Takes out chunk after chunk, all at once first, then ever smaller ones. */
  async #reduce<T>(items: readonly T[], planOf: (kept: readonly T[]) => Plan): Promise<void> {
    let kept = items
    for (let size = items.length; size >= 1; size = Math.floor(size / 2)) {
      for (let from = 0; from < kept.length; ) {
        const without = [...kept.slice(0, from), ...kept.slice(from + size)]
        if (await this.#adopts(planOf(without))) kept = without
        else from += size
        if (!this.hasRunsLeft) return
      }
    }
  }

  /** Tries a smaller plan, and goes on from it when it fails as well. */
  async #adopts(smaller: Plan): Promise<boolean> {
    const text = JSON.stringify(smaller)
    if (!this.hasRunsLeft || this.#tried.has(text)) return false
    this.#tried.add(text)
    this.runCount++
    const does = await this.#fails(smaller)
    this.#options.onRun?.(this.runCount)
    if (!does) return false
    this.plan = smaller
    this.hasProgressed = true
    return true
  }
}

function isStart({ do: what }: Step): boolean {
  return what === 'start'
}
