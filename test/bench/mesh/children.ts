/**
 * Meshes of processes under load: real processes, real TCP on loopback, random ports.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { PeerOptions, PeerStats } from 'hearsay'
import type { Answer, Command, Report } from './child.js'

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))

/** An error of a child, with the code that it had there. */
export class ChildError extends Error {
  constructor(
    message: string,
    readonly code: string | undefined,
  ) {
    super(message)
  }
}

export class Child {
  readonly process: ChildProcess
  readonly reports: Report[] = []
  /** Keys of the load that this peer said were acknowledged, also if it has died since. */
  readonly acknowledged: string[] = []
  id = ''
  addresses: readonly string[] = []
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #number = 0

  /** @param program what to run, a copy of `child.ts` */
  constructor(program = CHILD) {
    this.process = fork(program, { execArgv: ['--import', 'tsx'] })
    this.process.on('message', (message: Answer | Report) => {
      if ('answer' in message) {
        this.#waiting.get(message.answer)?.(message)
        this.#waiting.delete(message.answer)
      } else if (message.event === 'acknowledged') this.acknowledged.push(...message.keys)
      else this.reports.push(message)
    })
    this.process.on('exit', () => {
      const error = 'the process has ended'
      for (const [answer, settle] of this.#waiting) settle({ answer, error })
      this.#waiting.clear()
    })
  }

  async start(options: PeerOptions): Promise<this> {
    const { id, addresses } = await this.ask<{ id: string; addresses: string[] }>({
      do: 'start',
      options,
    })
    this.id = id
    this.addresses = addresses
    return this
  }

  async ask<T>(command: Command): Promise<T> {
    const number = ++this.#number
    return await new Promise<T>((resolve, reject) => {
      this.#waiting.set(number, ({ error, code, result }) =>
        error === undefined ? resolve(result as T) : reject(new ChildError(error, code)),
      )
      this.process.send({ number, command })
    })
  }

  async stats(): Promise<PeerStats> {
    return await this.ask<PeerStats>({ do: 'stats' })
  }

  /** Kills the process; resolves when it is gone. */
  async end(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const ended = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.kill('SIGKILL')
    await ended
  }
}

/** Waits until `check` is true, and says what is there when it never is. */
export async function until(
  what: string,
  check: () => Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  const deadlineMs = performance.now() + limitMs
  while (!(await check())) {
    if (performance.now() > deadlineMs) throw new Error(`not so within ${limitMs} ms: ${what}`)
    await sleep(20)
  }
}

/** Waits until all place keys by one ring of so many members, and none has anything left to take over. */
export async function untilSettled(
  children: readonly Child[],
  owners = children.length,
): Promise<void> {
  await until(`a ring of ${owners}, nothing left to take over`, async () => {
    const states = await Promise.all(
      children.map(async (child) => ({
        ring: await child.ask<string[]>({ do: 'ring' }),
        open: (await child.stats()).openPartitions,
      })),
    )
    return states.every(({ ring, open }) => ring.length === owners && open === 0)
  })
}

export interface MeshOptions extends PeerOptions {
  /** What the processes run, a copy of `child.ts`. */
  program?: string
}

/**
 * Runs `work` with `count` owners of one mesh, once each has taken over what it owns, and ends them whatever happens.
 */
export async function withChildren<T>(
  count: number,
  work: (children: Child[], mesh: PeerOptions) => Promise<T>,
  { program, ...options }: MeshOptions = {},
): Promise<T> {
  const children = Array.from({ length: count }, () => new Child(program))
  const mesh = `mesh-${process.pid}-${Math.random().toString(36).slice(2)}`
  try {
    const [first, ...others] = children as [Child, ...Child[]]
    await first.start({ mesh, replicas: 3, ...options })
    const joining = { mesh, replicas: 3, ...options, bootstrap: [...first.addresses] }
    await Promise.all(others.map((child) => child.start(joining)))
    await untilSettled(children)
    return await work(children, joining)
  } finally {
    await Promise.all(children.map((child) => child.end()))
  }
}
