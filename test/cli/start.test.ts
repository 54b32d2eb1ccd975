/**
 * `hearsay start`: its lines, its signals, and that it never outlives the parent that started it
 * with a channel.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { complaintsIn } from '../support/complaints.js'
import {
  hearsay,
  isRunning,
  PATIENCE_MS,
  spawnHearsay,
  spawnJson,
  startPeer,
  uniqueMesh,
} from './harness.js'

describe('hearsay start', { timeout: PATIENCE_MS * 2 }, () => {
  it('says ready first, once it serves, and stopped last', async () => {
    const { child, lines, ready, mesh } = await startPeer(['--name', 'ada'])
    expect(lines[0]).toEqual({
      event: 'ready',
      id: expect.stringMatching(/^12D3Koo/),
      name: 'ada',
      addresses: [expect.stringMatching(/^\/ip4\/127\.0\.0\.1\/tcp\/[1-9]\d*\/p2p\/12D3Koo/)],
      http: expect.stringMatching(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/),
    })
    const response = await fetch(`${ready.http}/readyz`)
    expect(response.status).toBe(200)
    const peer = (await (await fetch(`${ready.http}/v1/peer`)).json()) as { mesh: string }
    expect(peer.mesh).toBe(mesh)
    child.kill('SIGTERM')
    const { exitCode, stderr } = await child
    expect(exitCode).toBe(0)
    expect(complaintsIn(stderr)).toEqual([])
    expect(lines.at(-1)).toEqual({ event: 'stopped' })
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'leaves the mesh at %s, and the others hear it',
    async (signal) => {
      const first = await startPeer(['--name', 'first'])
      const second = await startPeer(['--name', 'second', '--bootstrap', first.address], first.mesh)
      await first.line('member:alive', { name: 'second' })
      second.child.kill(signal)
      expect((await second.child).exitCode).toBe(0)
      expect(await first.line('member:left')).toMatchObject({
        id: second.ready.id,
        state: 'left',
        at: expect.any(Number),
      })
    },
  )

  it('writes lines for people without --json', async () => {
    const args = ['start', '--mesh', uniqueMesh(), '--name', 'ada', '--http', 'off']
    const child = spawnHearsay(args)
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
    })
    await expect.poll(() => text, { timeout: PATIENCE_MS }).toMatch(/http +off\n/)
    expect(text).toMatch(/^ada serves the mesh test-.*, with 0 other peers\n/)
    expect(text).toMatch(/--bootstrap \/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3/)
    child.kill('SIGINT')
    expect((await child).exitCode).toBe(0)
    expect(text).toMatch(/stopped\n$/)
  })

  it('says how another peer of the same mesh is started', async () => {
    const options = ['--replicas', '2', '--tombstone-grace-ms', '7200000']
    const args = ['start', '--mesh', uniqueMesh(), '--name', 'ada', '--http', '127.0.0.1:0']
    const child = spawnHearsay([...args, ...options, '--max-items', '10'])
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
    })
    const line = / {2}another {2}hearsay (start .*)\n/
    await expect.poll(() => text, { timeout: PATIENCE_MS }).toMatch(line)
    const [, command = ''] = line.exec(text) ?? []
    expect(command).not.toContain('--max-items')
    const other = spawnJson([...command.split(' '), '--name', 'bob'])
    await other.line('member:alive', { name: 'ada' })
    for (const one of [child, other.child]) one.kill('SIGTERM')
  })

  it('is the same peer again with the same identity, which nobody else may read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hearsay-test-'))
    try {
      const identity = join(folder, 'key')
      const once = await startPeer(['--identity', identity])
      once.child.kill('SIGTERM')
      await once.child
      expect((await stat(identity)).mode & 0o777).toBe(0o600)
      const again = await startPeer(['--identity', identity])
      expect(again.ready.id).toBe(once.ready.id)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('exits 1 when its HTTP port is taken, and says what to do', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const { exitCode, stdout, stderr } = await hearsay(['start', '--http', address])
    expect(exitCode).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toContain(address)
    expect(stderr).toContain('--http')
    const json = await hearsay(['start', '--http', address, '--json'])
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: 'ADDRESS_IN_USE' } })
    server.close()
  })

  it('exits 1 when its identity file is none', async () => {
    const { exitCode, stderr } = await hearsay([
      'start',
      '--http',
      'off',
      '--identity',
      '/dev/null',
    ])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('/dev/null')
  })

  it('serves alone when its bootstrap does not answer, and says so on stderr', async () => {
    const args = ['--bootstrap', '/ip4/127.0.0.1/tcp/1', '--join-timeout-ms', '200']
    const { child, lines } = await startPeer(args)
    child.kill('SIGTERM')
    const { stderr } = await child
    expect(lines.map((line) => line.event)).toContain('alert')
    for (const line of String(stderr).trim().split('\n')) {
      expect(JSON.parse(line)).toMatchObject({ level: 'warn', msg: expect.any(String) })
    }
  })

  it('ends at once, with 1, at a second signal', async () => {
    const first = await startPeer()
    const second = await startPeer(['--bootstrap', first.address], first.mesh)
    // A frozen member confirms nothing, so that draining takes its time.
    first.child.kill('SIGSTOP')
    await fetch(`${second.url}/v1/caches/demo/key`, { method: 'PUT', body: 'x' })
    second.child.kill('SIGTERM')
    await expect
      .poll(async () => (await fetch(`${second.url}/readyz`).catch(() => undefined))?.status)
      .not.toBe(200)
    second.child.kill('SIGTERM')
    const { exitCode, signal } = await second.child
    expect([exitCode, signal]).toEqual([1, undefined])
  })

  it('stops when nobody reads its lines any more', async () => {
    const first = await startPeer(['--name', 'first'])
    const second = await startPeer(['--name', 'second', '--bootstrap', first.address], first.mesh)
    await first.line('member:alive')
    first.child.stdout?.destroy()
    second.child.kill('SIGTERM')
    await second.child
    expect((await first.child).exitCode).toBe(0)
  })

  it('ends with the process that started it, even one that is killed', async () => {
    const bin = new URL('../../dist/cli/main.js', import.meta.url).pathname
    const script = `
      import { fork } from 'node:child_process'
      const args = ['start', '--json', '--http', '127.0.0.1:0', '--mesh', '${uniqueMesh()}']
      const stdio = ['ignore', 'pipe', 'inherit', 'ipc']
      const child = fork('${bin}', args, { stdio, execArgv: [] })
      child.stdout.once('data', () => console.log(JSON.stringify({ event: 'forked', pid: child.pid })))`
    const parent = execa('node', ['--input-type=module', '-e', script], { reject: false })
    const pid = await new Promise<number>((resolve) =>
      parent.stdout.once('data', (chunk) =>
        resolve((JSON.parse(String(chunk)) as { pid: number }).pid),
      ),
    )
    expect(isRunning(pid)).toBe(true)
    parent.kill('SIGKILL')
    await parent
    await expect.poll(() => isRunning(pid), { timeout: PATIENCE_MS }).toBe(false)
  })

  it('takes every repeated address', async () => {
    const args = ['--listen', '/ip4/127.0.0.1/tcp/0', '--listen', '/ip4/127.0.0.1/tcp/0']
    const { ready } = await startPeer(args)
    expect(ready.addresses).toHaveLength(2)
  })
})

describe('a signal before the peer serves', { timeout: PATIENCE_MS * 2 }, () => {
  it('stops it, without a word of ready', async () => {
    const args = ['start', '--mesh', uniqueMesh(), '--http', '127.0.0.1:0']
    const never = ['--bootstrap', '/ip4/127.0.0.1/tcp/1', '--join-timeout-ms', '600000']
    const { child, lines } = spawnJson([...args, ...never, '--log-level', 'debug'])
    // Early enough that it still looks for others, late enough that it heeds signals.
    await new Promise((resolve) => child.stderr?.once('data', resolve))
    child.kill('SIGTERM')
    expect((await child).exitCode).toBe(0)
    expect(lines).toEqual([{ event: 'stopped' }])
  })
})
