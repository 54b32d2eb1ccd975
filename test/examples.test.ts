/** The examples do what they say, judged from outside: each runs as a process of its own. */
import { fileURLToPath } from 'node:url'
import { execa, type ResultPromise } from 'execa'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isRunning, PATIENCE_MS } from './cli/harness.js'
import { complaintsIn } from './support/complaints.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const OPTIONS = { cwd: ROOT, reject: false, stdin: 'ignore' } as const

/** An example that runs, and what it has written so far. */
interface Example {
  readonly child: ResultPromise<typeof OPTIONS>
  readonly output: { stdout: string; stderr: string }
}

const started: Example[] = []

afterEach(async () => {
  for (const { child } of started) child.kill('SIGKILL')
  await Promise.all(started.splice(0).map(({ child }) => child))
})

function start(
  name: string,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Example {
  const child = execa(process.execPath, ['--import', 'tsx', `examples/${name}.ts`, ...args], {
    ...OPTIONS,
    env,
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => {
    output.stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.stderr += chunk
  })
  const example = { child, output }
  started.push(example)
  return example
}

/** What an example has written, once it fits. */
async function written({ output }: Example, pattern: RegExp): Promise<RegExpExecArray> {
  return await vi.waitFor(
    () => {
      const found = pattern.exec(output.stdout)
      if (found === null) throw new Error(`no ${pattern} in ${JSON.stringify(output)}`)
      return found
    },
    { timeout: PATIENCE_MS, interval: 20 },
  )
}

/** Runs an example to its end; returns the lines that it wrote. */
async function linesOf(name: string, env: Record<string, string> = {}): Promise<string[]> {
  const { child, output } = start(name, [], env)
  const { exitCode } = await child
  expect(exitCode, output.stdout + output.stderr).toBe(0)
  expect(complaintsIn(output.stderr)).toEqual([])
  return output.stdout.trimEnd().split('\n')
}

describe('three-peers.ts', { timeout: 30_000 }, () => {
  it('sets on one peer, reads and deletes on the others, and ends by itself', async () => {
    const lines = await linesOf('three-peers')
    const [members, ...others] = lines
    // Who of the others became known first is chance.
    expect(members).toMatch(/^members: alice alive, (bob alive, carol|carol alive, bob) alive$/)
    expect(others).toEqual([
      'carol hears that somebody set Ada',
      'bob reads 1815',
      'carol reads 1815',
      'carol hears that somebody deleted Ada',
      'alice reads undefined',
      'alice: 1 sets, 0 deletes, 0 hits, 1 misses',
      'bob: 0 sets, 1 deletes, 1 hits, 0 misses',
      'carol: 0 sets, 0 deletes, 1 hits, 0 misses',
      'alice hears that carol left',
    ])
  })
})

describe('app-test.ts', { timeout: 30_000 }, () => {
  it.each(['1', '7'])(
    'tests an app on a simulated mesh with the seed %s, and tells what holds',
    async (SEED) => {
      const lines = await linesOf('app-test', { SEED })
      // Which of its formats node:test writes depends on the version of Node.js.
      const passed = lines.flatMap(
        (line) => /^(?:ok \d+ -|✔) (.*?)(?: \([\d.]+ms\))?$/.exec(line)?.[1] ?? [],
      )
      expect(passed).toEqual([
        'a session is known everywhere, and the database is not asked',
        'an instance that is cut off serves a session from the database',
        'a session closed elsewhere goes on where that is not heard of, until the partition heals',
        'a session outlives the instance that opened it',
        'a session that has expired in the cache is loaded again',
      ])
      expect(lines).toContainEqual(expect.stringMatching(/^. fail 0$/))
    },
  )
})

describe('killed-peer.ts', { timeout: 60_000 }, () => {
  const PIDS = /with the pids (\d+), (\d+), (\d+)\n/

  it('shows that the others notice, lose nothing, and leave no process behind', async () => {
    const lines = await linesOf('killed-peer')
    const text = `${lines.join('\n')}\n`
    for (const survivor of ['alice', 'bob']) {
      expect(text).toMatch(new RegExp(`^${survivor} noticed after \\d+ ms: carol is dead$`, 'm'))
      expect(text).toMatch(new RegExp(`^${survivor} has 1000 of 1000 keys$`, 'm'))
    }
    expect(lines.at(-1)).toBe('nothing was lost')
    const pids = PIDS.exec(text)?.slice(1).map(Number) ?? []
    expect(pids).toHaveLength(3)
    expect(pids.filter(isRunning)).toEqual([])
  })

  it('leaves no process behind when it is killed itself', async () => {
    const example = start('killed-peer')
    const pids = (await written(example, PIDS)).slice(1).map(Number)
    example.child.kill('SIGKILL')
    await example.child
    await expect.poll(() => pids.filter(isRunning), { timeout: PATIENCE_MS }).toEqual([])
  })
})

describe('web-app.ts', { timeout: 60_000 }, () => {
  interface Stats {
    itemCount: number
    memberCount: number
    databaseReadCount: number
  }

  class Instance {
    constructor(
      readonly example: Example,
      readonly url: string,
      readonly address: string,
    ) {}

    async get(id: string) {
      const response = await fetch(`${this.url}/users/${id}`)
      return {
        status: response.status,
        cache: response.headers.get('x-cache'),
        user: await response.json(),
      }
    }

    async put(id: string, body: string): Promise<number> {
      return (await fetch(`${this.url}/users/${id}`, { method: 'PUT', body })).status
    }

    async delete(id: string): Promise<number> {
      return (await fetch(`${this.url}/users/${id}`, { method: 'DELETE' })).status
    }

    async stats(): Promise<Stats> {
      return (await (await fetch(`${this.url}/stats`)).json()) as Stats
    }

    /** Waits until the statistics are these. */
    async shows(stats: Partial<Stats>): Promise<void> {
      await expect.poll(() => this.stats(), { timeout: PATIENCE_MS }).toMatchObject(stats)
    }

    async ended() {
      const { exitCode } = await this.example.child
      return { exitCode, stderr: this.example.output.stderr }
    }
  }

  async function startInstance(
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Instance> {
    const example = start('web-app', args, env)
    const [, url, address] = await written(example, /^(http\S+) shares its cache at (\S+)\n$/)
    return new Instance(example, url as string, address as string)
  }

  /** Two instances that know each other: one told by arguments, the other by its environment. */
  async function startTwo(): Promise<[Instance, Instance]> {
    const first = await startInstance(['0'])
    const second = await startInstance([], { PORT: '0', BOOTSTRAP: first.address })
    await Promise.all([first.shows({ memberCount: 2 }), second.shows({ memberCount: 2 })])
    return [first, second]
  }

  it('serves what the other instance has loaded without touching its own database', async () => {
    const [first, second] = await startTwo()
    const user = { id: '42', name: 'User 42' }
    expect(await first.get('42')).toEqual({ status: 200, cache: 'miss', user })
    await second.shows({ itemCount: 1 })
    expect(await second.get('42')).toEqual({ status: 200, cache: 'hit', user })
    expect(await first.get('42')).toEqual({ status: 200, cache: 'hit', user })
    await first.shows({ databaseReadCount: 1 })
    await second.shows({ databaseReadCount: 0 })
  })

  it('updates and invalidates for both', async () => {
    const [first, second] = await startTwo()
    await first.get('42')
    await second.shows({ itemCount: 1 })
    const user = { id: '42', name: 'Ada' }
    expect(await second.put('42', JSON.stringify(user))).toBe(200)
    await expect
      .poll(() => first.get('42'), { timeout: PATIENCE_MS })
      .toEqual({ status: 200, cache: 'hit', user })
    expect(await first.delete('42')).toBe(204)
    await second.shows({ itemCount: 0 })
    expect(await second.get('42')).toEqual({ status: 200, cache: 'miss', user })
    await second.shows({ databaseReadCount: 1 })
  })

  it('refuses what is not a user, and goes on', async () => {
    const instance = await startInstance(['0'])
    for (const body of ['', '{"name":', 'null', '{"name":7}']) {
      expect(await instance.put('42', body)).toBe(400)
    }
    expect((await fetch(`${instance.url}/elsewhere`)).status).toBe(404)
    expect((await fetch(`${instance.url}/users/42`, { method: 'PATCH' })).status).toBe(405)
    expect(await instance.get('42')).toMatchObject({ status: 200, cache: 'miss' })
  })

  it('stops cleanly: it answers what is under way, and hands it over', async () => {
    const [first, second] = await startTwo()
    const underWay = first.get('7')
    await first.shows({ databaseReadCount: 1 })
    first.example.child.kill('SIGTERM')
    expect(await underWay).toMatchObject({ status: 200, cache: 'miss' })
    expect(await first.ended()).toEqual({ exitCode: 0, stderr: '' })
    expect(await second.get('7')).toMatchObject({ status: 200, cache: 'hit' })
    await second.shows({ memberCount: 1, databaseReadCount: 0 })
    second.example.child.kill('SIGINT')
    expect(await second.ended()).toEqual({ exitCode: 0, stderr: '' })
  })
})
