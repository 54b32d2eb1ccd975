/**
 * Runs the built bin as a user would: as a process, judged by its output and exit code. Build
 * before testing.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { execa, type Options, type ResultPromise } from 'execa'
import { afterAll, vi } from 'vitest'

const BIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** How long a process may take to come up where many tests run at once. */
export const PATIENCE_MS = 20_000

const running = new Map<number, { kill(signal: NodeJS.Signals): boolean }>()

afterAll(() => {
  for (const child of running.values()) child.kill('SIGKILL')
  running.clear()
})

/** One line of JSON that a command wrote. */
export type Line = Record<string, unknown> & { event?: string }

/** A started bin. Resolves when it has ended, whatever its exit code. */
export type Child = ResultPromise<{ reject: false }>

/** Starts the bin; it is killed when the tests of the file are done, if it still runs. */
export function spawnHearsay(args: readonly string[], options: Options = {}): Child {
  if (!existsSync(BIN)) throw new Error(`${BIN} is not there: build first`)
  const child = execa('node', [BIN, ...args], {
    reject: false,
    stripFinalNewline: false,
    ...('input' in options ? {} : { stdin: 'ignore' }),
    ...options,
    // Neither the peer that a developer works with, nor another language, may change what is
    // tested.
    env: { HEARSAY_PEER: '', HEARSAY_DEBUG: '', NO_COLOR: '1', ...options.env },
  }) as Child
  const { pid } = child
  if (pid !== undefined) {
    running.set(pid, child)
    void child.finally(() => running.delete(pid))
  }
  return child
}

/** Runs the bin to its end. */
export async function hearsay(args: readonly string[], options: Options = {}) {
  const { exitCode, stdout, stderr } = await spawnHearsay(args, options)
  return { exitCode, stdout: String(stdout), stderr: String(stderr) }
}

/** A process that writes JSON lines, and what it has written so far. */
export function spawnJson(args: readonly string[], options: Options = {}) {
  const child = spawnHearsay([...args, '--json'], options)
  const lines: Line[] = []
  let rest = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = `${rest}${chunk}`.split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts.map((part) => JSON.parse(part) as Line))
  })
  /** Waits for a line with an event and fields. */
  const line = (event: string, fields: Record<string, unknown> = {}): Promise<Line> =>
    vi.waitFor(
      () => {
        const found = lines.find((one) => matches(one, { event, ...fields }))
        if (found !== undefined) return found
        throw new Error(`no line ${event} ${JSON.stringify(fields)} in ${JSON.stringify(lines)}`)
      },
      { timeout: PATIENCE_MS, interval: 20 },
    )
  return { child, lines, line, pid: child.pid as number }
}

function matches(line: Line, fields: Record<string, unknown>): boolean {
  return Object.entries(fields).every(([name, value]) => line[name] === value)
}

let meshes = 0

/** A mesh name that no other test has. */
export function uniqueMesh(): string {
  return `test-${process.pid}-${Date.now().toString(36)}-${meshes++}`
}

/** Starts a peer on random ports and waits until it serves. */
export async function startPeer(args: readonly string[] = [], mesh = uniqueMesh()) {
  const peer = spawnJson(['start', '--mesh', mesh, '--http', '127.0.0.1:0', ...args])
  const ready = await peer.line('ready')
  const url = ready.http as string
  return { ...peer, ready, mesh, url, address: (ready.addresses as string[])[0] as string }
}

/** Whether a process exists. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
