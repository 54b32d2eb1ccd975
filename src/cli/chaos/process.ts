/**
 * A child of a chaos run as its driver sees it: a process with a channel, which is asked, stopped, and
 * killed, and which says what it does.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { CommandFailure } from '../failure.js'
import type { GuardMessage } from './guard.js'
import type { Answer, ChildPlan, Command, Report } from './messages.js'

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url))
const GUARD = fileURLToPath(new URL('./guard.js', import.meta.url))

/** Characters of what a child wrote to stderr that are kept: the end. */
const STDERR_MAX = 4_000

/** What a child says by itself, and that it runs, and has ended. */
export interface ProcessListener {
  onSpawn(child: ChaosProcess): void
  onReport(child: ChaosProcess, report: Report): void
  /** All that it said has been heard. */
  onExit(child: ChaosProcess): void
}

/** Watches over all children of this process. */
export class Guard {
  readonly #process = fork(GUARD, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], detached: true })

  constructor() {
    // Without it nothing is lost but the last resort.
    this.#process.on('error', () => {})
  }

  tell(message: GuardMessage): void {
    if (this.#process.connected) this.#process.send(message, () => {})
  }

  async stop(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#process
    if (pid === undefined || exitCode !== null || signalCode !== null) return
    const ended = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.disconnect()
    await ended
  }
}

/** One life of a member: the next one in its place is another process, with another id. */
export class ChaosProcess {
  id = ''
  addresses: readonly string[] = []
  /** When it was started, was ready, and ended, by the monotonic clock; undefined before. */
  startedAtMs: number | undefined
  readyAtMs: number | undefined
  endedAtMs: number | undefined
  /** Set when the driver ends it. */
  isKilled = false
  isPaused = false
  /** Whether it joined a mesh that was at work. */
  isLate = false
  stderr = ''
  /** Resolves when the process has ended, and all that it said has been heard. */
  readonly exited: Promise<void>
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #number = 0

  /** @param place which member it is, from 0 */
  constructor(
    readonly name: string,
    readonly place: number,
    guard: Guard,
    listener: ProcessListener,
  ) {
    // Detached: a kernel may hang up a whole group of processes for one that is stopped.
    this.#process = fork(CHILD, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], detached: true })
    const { pid } = this.#process
    if (pid !== undefined) guard.tell({ does: 'run', pid })
    this.#process.on('message', (message: Answer | Report) => {
      if ('event' in message) return listener.onReport(this, message)
      this.#waiting.get(message.answer)?.(message)
      this.#waiting.delete(message.answer)
    })
    this.#process.on('error', (error) => this.#keep(`${error.message}\n`))
    this.#process.stderr?.on('data', (chunk) => this.#keep(String(chunk)))
    // One that could not be started has an error, and neither an exit nor anything to say.
    const ends = pid === undefined ? ['error'] : ['exit', 'disconnect']
    if (pid !== undefined) this.#process.once('exit', () => guard.tell({ does: 'end', pid }))
    this.#process.once(ends[0] as 'exit', () => {
      this.endedAtMs = performance.now()
    })
    // What it said last may still be on its way when it has ended.
    const all = ends.map((end) => new Promise<void>((resolve) => this.#process.once(end, resolve)))
    this.exited = Promise.all(all).then(() => {
      const error =
        pid === undefined ? `could not be started: ${this.stderr.trim()}` : 'the process has ended'
      for (const [answer, settle] of this.#waiting) settle({ answer, error })
      this.#waiting.clear()
      listener.onExit(this)
    })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  get isRunning(): boolean {
    return this.endedAtMs === undefined
  }

  /** How it ended, in words. */
  get ending(): string {
    return this.#process.signalCode ?? `exit ${this.#process.exitCode}`
  }

  /** @throws CommandFailure with the code and message of the child's error, or when it ends first */
  async ask<T>(command: Command): Promise<T> {
    const number = ++this.#number
    return await new Promise<T>((resolve, reject) => {
      this.#waiting.set(number, ({ error, code, result }) => {
        if (error === undefined) resolve(result as T)
        else reject(new CommandFailure(code ?? 'CHILD_FAILED', `${this.name}: ${error}`))
      })
      // One that has ended answers all that waits; see `exited`.
      if (this.isRunning && this.#process.connected)
        this.#process.send({ number, command }, () => {})
      else this.#waiting.get(number)?.({ answer: number, error: 'the process has ended' })
    })
  }

  async start(plan: ChildPlan): Promise<void> {
    const { id, addresses } = await this.ask<{ id: string; addresses: string[] }>({
      do: 'start',
      plan,
    })
    this.id = id
    this.addresses = addresses
    this.startedAtMs = performance.now()
  }

  /** Resolves when it has taken over all that it owns. */
  async ready(): Promise<void> {
    await this.ask({ do: 'ready' })
    this.readyAtMs = performance.now()
  }

  kill(): void {
    this.isKilled = true
    if (this.isRunning) this.#process.kill('SIGKILL')
  }

  pause(): void {
    this.isPaused = true
    if (this.isRunning) this.#process.kill('SIGSTOP')
  }

  resume(): void {
    this.isPaused = false
    if (this.isRunning) this.#process.kill('SIGCONT')
  }

  #keep(text: string): void {
    this.stderr = `${this.stderr}${text}`.slice(-STDERR_MAX)
  }
}
