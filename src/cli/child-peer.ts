/**
 * One peer in a process of its own: `hearsay start --json`, forked with a channel so that it cannot
 * outlive this process, and its output read line by line.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { EventLine } from './events.js'
import { CommandFailure } from './failure.js'

/** The first line of a peer that serves. */
export interface ReadyLine {
  readonly id: string
  readonly name: string
  readonly addresses: readonly string[]
  readonly http: string
}

/** How a process ended: one of the two is null. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Wall time, in ms. */
  readonly at: number
}

/** Who is told what the child says and does. */
export interface ChildListener {
  onEvent(line: EventLine): void
  onLog(level: string, message: string): void
  onExit(exit: Exit): void
}

/** Why a child did not get as far as serving. */
interface Failure {
  readonly code: string
  readonly message: string
}

const BIN = fileURLToPath(new URL('./main.js', import.meta.url))

/** `exit 1`, `SIGKILL`: how a process ended, in words. */
export function describeExit({ code, signal }: Exit): string {
  return signal ?? `exit ${code}`
}

/** A forked peer. It lives until it is killed, or this process is gone. */
export class ChildPeer {
  /**
   * Resolves when the peer serves. @throws CommandFailure with the peer's own code and message when
   * it does not
   */
  readonly ready: Promise<ReadyLine>
  /** Resolves when the process has ended. */
  readonly exited: Promise<Exit>
  readonly #process: ChildProcess
  readonly #listener: ChildListener
  #exit: Exit | undefined
  #failure: Failure | undefined
  #hasServed = false

  /** @param args flags of `hearsay start` */
  constructor(args: readonly string[], listener: ChildListener) {
    this.#listener = listener
    this.#process = fork(BIN, ['start', '--json', ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.exited = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve(this.#ended(code, signal)))
    })
    // Such as a signal that could not be sent; the exit, if that is what it comes to, is told
    // apart.
    this.#process.on('error', (error) => listener.onLog('error', error.message))
    readLines(this.#process.stderr, (line) => this.#takeError(line))
    this.ready = new Promise((resolve, reject) => {
      readLines(this.#process.stdout, (line) => this.#takeOutput(line, resolve))
      // Not before all output has been read: it says why the child failed.
      this.#process.once('close', () => reject(this.#whyNotReady()))
    })
    // Whoever waits for it sees the rejection; nobody waits for a child that was given up.
    this.ready.catch(() => {})
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** How the process ended; undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit
  }

  /** Whether it got as far as serving. */
  get hasServed(): boolean {
    return this.#hasServed
  }

  /** Sends a signal; no harm to a process that has ended. */
  kill(signal: NodeJS.Signals): void {
    if (this.#exit === undefined) this.#process.kill(signal)
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): Exit {
    this.#exit = { code, signal, at: Date.now() }
    this.#listener.onExit(this.#exit)
    return this.#exit
  }

  #takeOutput(line: Record<string, unknown>, onReady: (ready: ReadyLine) => void): void {
    if (line.event === 'ready') {
      this.#hasServed = true
      onReady(line as unknown as ReadyLine)
    } else if (typeof line.event === 'string') {
      this.#listener.onEvent(line as EventLine)
    }
  }

  #takeError(line: Record<string, unknown>): void {
    const failure = line.error as Failure | undefined
    if (failure === undefined) {
      this.#listener.onLog(String(line.level ?? 'error'), String(line.msg ?? ''))
    } else if (this.#hasServed) {
      this.#listener.onLog('error', failure.message)
    } else {
      // Whoever waits for it to be ready is told; they may know a way out.
      this.#failure = failure
    }
  }

  #whyNotReady(): CommandFailure {
    const { code, message } = this.#failure ?? {
      code: 'CHILD_FAILED',
      message: `a peer ended before it served: ${this.#exit ? describeExit(this.#exit) : ''}`,
    }
    return new CommandFailure(code, message)
  }
}

/**
 * Calls `take` with each line; one that is no JSON object, such as a warning of Node's, as a line
 * of the log.
 */
function readLines(stream: Readable | null, take: (line: Record<string, unknown>) => void): void {
  if (stream === null) return
  createInterface({ input: stream }).on('line', (text) => {
    take(parseObject(text) ?? { level: 'warn', msg: text })
  })
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
