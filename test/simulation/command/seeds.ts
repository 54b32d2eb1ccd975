/** Runs many seeds, in this process or in several at once. The results come in the order of the seeds, either way. */
import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CommandFailure } from '../../../src/cli/failure.js'
import { type GenerateOptions, generatePlan } from '../generate.js'
import { type Report, runPlan } from '../run.js'

/** What came of a seed. */
export type Outcome = Omit<Report, 'history'>

export interface SeedsOptions {
  readonly fromSeed: number
  readonly runs: number
  /** Processes that share the work; 1: this one alone. */
  readonly jobs: number
  readonly generate: GenerateOptions
  /** Ends the work early. */
  readonly signal?: AbortSignal
}

/** Runs one seed. @throws CommandFailure when the simulator itself breaks down */
export async function runSeed(seed: number, options: GenerateOptions): Promise<Outcome> {
  try {
    const { history: _, ...outcome } = await runPlan(generatePlan(seed, options), { seed })
    return outcome
  } catch (error) {
    const text = (error as Error).stack ?? String(error)
    throw new CommandFailure('RUN_FAILED', `seed ${seed} could not be run: ${text}`)
  }
}

/** Runs seed after seed. Whoever stops to listen stops the work. */
export function runSeeds(options: SeedsOptions): AsyncGenerator<Outcome> {
  return options.jobs === 1 ? runHere(options) : runInWorkers(options)
}

async function* runHere({ fromSeed, runs, generate, signal }: SeedsOptions) {
  for (let seed = fromSeed; seed < fromSeed + runs; seed++) {
    if (signal?.aborted) return
    yield await runSeed(seed, generate)
  }
}

async function* runInWorkers(options: SeedsOptions): AsyncGenerator<Outcome> {
  const { fromSeed, runs, jobs, generate, signal } = options
  const workers = Array.from({ length: Math.min(jobs, runs) }, () => new Worker(generate))
  const stopped = signal && whenAborted(signal)
  const busy = new Map<Worker, Promise<Worker>>()
  const outcomes = new Map<number, Outcome>()
  const endSeed = fromSeed + runs
  let nextSeed = fromSeed
  const giveOut = (worker: Worker) => {
    const done = worker.run(nextSeed++).then((outcome) => {
      outcomes.set(outcome.seed, outcome)
      return worker
    })
    // Those that nobody waits for any more may fail unheard.
    done.catch(() => {})
    busy.set(worker, done)
  }
  try {
    for (let dueSeed = fromSeed; dueSeed < endSeed; ) {
      for (const worker of workers) if (!busy.has(worker) && nextSeed < endSeed) giveOut(worker)
      const idle = await Promise.race([...busy.values(), ...(stopped ? [stopped] : [])])
      if (idle === undefined) return
      busy.delete(idle)
      for (let due = outcomes.get(dueSeed); due !== undefined; due = outcomes.get(++dueSeed)) {
        outcomes.delete(dueSeed)
        yield due
      }
    }
  } finally {
    for (const worker of workers) worker.end()
  }
}

function whenAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

/** A process that runs one seed at a time. */
class Worker {
  readonly #process: ChildProcess
  /** Rejects when the process has ended. */
  readonly #ended: Promise<never>
  #seed: number | undefined

  constructor(options: GenerateOptions) {
    // Beside this file, be that TypeScript or what it was compiled to.
    const file = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url))
    // This process's own flags go with it: where it runs TypeScript, they are what makes Node do so.
    this.#process = fork(file, [JSON.stringify(options)])
    this.#ended = new Promise((_, reject) => {
      this.#process.once('exit', (code, signal) => {
        const how = signal ?? `exit code ${code}`
        const what = `the process that ran seed ${this.#seed ?? '(none yet)'} ended: ${how}`
        reject(new CommandFailure('WORKER_ENDED', what))
      })
    })
    this.#ended.catch(() => {})
  }

  /** @throws CommandFailure when the process ends before its time */
  run(seed: number): Promise<Outcome> {
    this.#seed = seed
    const outcome = new Promise<Outcome>((resolve) => this.#process.once('message', resolve))
    // Whether it can be sent is told by whether the process lives.
    this.#process.send({ seed }, () => {})
    return Promise.race([outcome, this.#ended])
  }

  end(): void {
    // It has nothing to lose.
    this.#process.kill('SIGKILL')
  }
}
