/**
 * Peers as child processes, for integration tests and benchmarks: real processes, real TCP on loopback, random ports.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { PeerOptions } from 'hearsay'
import type { Answer, Command, Report } from './peer-process.js'

const PEER_PROCESS = fileURLToPath(new URL('./peer-process.ts', import.meta.url))

/** Time of the clock that all processes of this host share, in ms. */
export const nowMs = () => Number(process.hrtime.bigint()) / 1e6

/** What a peer says when it is ready. */
export interface Started {
  readonly id: string
  readonly addresses: string[]
  readonly readyAtMs: number
  readonly tookMs: number
  readonly alive: string[]
}

export class PeerProcess {
  readonly child: ChildProcess
  readonly reports: Report[] = []
  started: Started | undefined
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  readonly #watchers = new Set<() => void>()
  #number = 0

  constructor() {
    this.child = fork(PEER_PROCESS, { execArgv: ['--import', 'tsx'] })
    this.child.on('message', (message: Answer | Report) => {
      if ('answer' in message) {
        this.#waiting.get(message.answer)?.(message)
        this.#waiting.delete(message.answer)
      } else {
        this.reports.push(message)
        for (const check of this.#watchers) check()
      }
    })
  }

  get id(): string {
    return this.started?.id ?? ''
  }

  async start(options: PeerOptions): Promise<Started> {
    this.started = (await this.ask({ do: 'start', options })) as Started
    return this.started
  }

  async ask(command: Command): Promise<unknown> {
    const number = ++this.#number
    return await new Promise((resolve, reject) => {
      this.#waiting.set(number, ({ error, result }) =>
        error === undefined ? resolve(result) : reject(new Error(error)),
      )
      this.child.send({ number, command })
    })
  }

  /** The first report that fits, past or to come. */
  async saw(fits: (report: Report) => boolean, limitMs = 60_000): Promise<Report> {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(check)
        reject(new Error(`nothing of the kind within ${limitMs} ms`))
      }, limitMs)
      const check = () => {
        const found = this.reports.find(fits)
        if (found === undefined) return
        clearTimeout(timer)
        this.#watchers.delete(check)
        resolve(found)
      }
      this.#watchers.add(check)
      check()
    })
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGKILL')
    await ended
  }
}

/** Runs `work` with `count` peers of one mesh, all started at once from the first, and ends them whatever happens. */
export async function withMesh<T>(
  count: number,
  work: (peers: PeerProcess[]) => Promise<T>,
  options: PeerOptions = {},
): Promise<T> {
  const peers = Array.from({ length: count }, () => new PeerProcess())
  const mesh = `mesh-${process.pid}-${Math.random().toString(36).slice(2)}`
  try {
    const [first, ...others] = peers as [PeerProcess, ...PeerProcess[]]
    const { addresses } = await first.start({ mesh, ...options })
    await Promise.all(
      others.map((peer) => peer.start({ mesh, ...options, bootstrap: [...addresses] })),
    )
    await Promise.all(peers.map((peer) => seesAlive(peer, peers)))
    return await work(peers)
  } finally {
    await Promise.all(peers.map((peer) => peer.end()))
  }
}

/** When `peer` took every other one to be alive, in ms of the shared clock. */
export async function seesAlive(peer: PeerProcess, peers: readonly PeerProcess[]): Promise<number> {
  const times = peers
    .filter((other) => other !== peer)
    .map(async ({ id }) => {
      if (peer.started?.alive.includes(id)) return peer.started.readyAtMs
      const { atMs } = await peer.saw(
        (report) => report.event === 'state' && report.id === id && report.state === 'alive',
      )
      return atMs
    })
  return Math.max(...(await Promise.all(times)))
}

/** The q-quantile of some numbers, 0 ≤ q ≤ 1. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}
