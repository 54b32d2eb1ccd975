/**
 * The same for the agents of Serf (SWIM with the extensions of Lifeguard), where they are installed (`apt-get install serf`):
 * as many on one host, with the profile for a LAN, and one killed.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { vacantPort } from '../../src/cli/free-port.js'
import { nowMs } from '../support/processes/peers.js'

/** How long an agent may take to say something, in ms. */
const PATIENCE_MS = 60_000

/** The version of Serf that is installed; undefined where there is none. */
export function serfVersion(): string | undefined {
  try {
    const [version] = /\d+\.\d+\S*/.exec(String(execFileSync('serf', ['version']))) ?? []
    return version
  } catch {
    return undefined
  }
}

/** Kills one of some agents. Resolves to how long until all others have said that it failed, in ms. */
export async function killSerfAgent(count: number): Promise<number> {
  const agents: Agent[] = []
  try {
    for (let number = 0; number < count; number++) {
      const agent = new Agent(`agent-${number}`, await vacantPort(), await vacantPort())
      agents.push(agent)
      await agent.start(agents[0]?.port)
    }
    // Each has heard of all others.
    await Promise.all(
      agents.flatMap((agent) =>
        agents.map(({ name }) => name !== agent.name && agent.said(`EventMemberJoin: ${name} `)),
      ),
    )
    await sleep(2_000)
    const [victim, ...survivors] = agents.toReversed() as [Agent, ...Agent[]]
    const killedAtMs = nowMs()
    victim.process.kill('SIGKILL')
    const seen = await Promise.all(
      survivors.map((agent) => agent.said(`EventMemberFailed: ${victim.name} `)),
    )
    return Math.max(...seen) - killedAtMs
  } finally {
    await Promise.all(agents.map((agent) => agent.end()))
  }
}

class Agent {
  readonly name: string
  readonly port: number
  readonly #rpcPort: number
  readonly #lines: Array<{ readonly text: string; readonly atMs: number }> = []
  readonly #watchers = new Set<() => void>()
  #process: ChildProcess | undefined

  constructor(name: string, port: number, rpcPort: number) {
    this.name = name
    this.port = port
    this.#rpcPort = rpcPort
  }

  get process(): ChildProcess {
    if (this.#process === undefined) throw new Error(`${this.name} has not been started`)
    return this.#process
  }

  async start(joinPort: number | undefined): Promise<void> {
    const args = [
      'agent',
      `-node=${this.name}`,
      `-bind=127.0.0.1:${this.port}`,
      `-rpc-addr=127.0.0.1:${this.#rpcPort}`,
      '-profile=lan',
      ...(joinPort === undefined || joinPort === this.port ? [] : [`-join=127.0.0.1:${joinPort}`]),
    ]
    this.#process = spawn('serf', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const output of [this.#process.stdout, this.#process.stderr]) {
      if (output === null) continue
      createInterface({ input: output }).on('line', (text) => {
        this.#lines.push({ text, atMs: nowMs() })
        for (const check of this.#watchers) check()
      })
    }
    await this.said(`EventMemberJoin: ${this.name} `)
  }

  /** Resolves to when it first said something, in ms of the shared clock. */
  async said(text: string): Promise<number> {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(check)
        const last = this.#lines.slice(-5).map((line) => line.text)
        reject(new Error(`${this.name} did not say ${text}; it said ${last.join('\n')}`))
      }, PATIENCE_MS)
      const check = () => {
        const line = this.#lines.find((line) => `${line.text} `.includes(text))
        if (line === undefined) return
        clearTimeout(timer)
        this.#watchers.delete(check)
        resolve(line.atMs)
      }
      this.#watchers.add(check)
      check()
    })
  }

  async end(): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
}
