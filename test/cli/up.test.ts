/**
 * `hearsay up`: several peers as children, watched, and none of them left behind.
 */
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import {
  hearsay,
  isRunning,
  type Line,
  PATIENCE_MS,
  spawnHearsay,
  spawnJson,
  uniqueMesh,
} from './harness.js'

interface Child {
  readonly name: string
  readonly pid: number
  readonly http: string
}

/** A port with some room above it, where nothing else is likely to listen. */
function randomPort(): number {
  return 20_000 + Math.floor(Math.random() * 10_000)
}

async function up(count: number, httpFrom = randomPort()) {
  const args = ['up', String(count), '--mesh', uniqueMesh(), '--http-from', String(httpFrom)]
  const process = spawnJson(args)
  const ready = await process.line('ready')
  return { ...process, peers: ready.peers as Child[], httpFrom }
}

const portOf = ({ http }: Child) => Number(new URL(http).port)

describe('hearsay up', { timeout: PATIENCE_MS * 3 }, () => {
  it('starts peers that share everything, on ports that count up, and stops them all', async () => {
    const { child, peers, lines } = await up(3)
    expect(peers.map(({ name }) => name)).toEqual(['peer-1', 'peer-2', 'peer-3'])
    const [one, two, three] = peers as [Child, Child, Child]
    expect(new Set(peers.map(portOf)).size).toBe(3)
    expect(portOf(one)).toBeLessThan(Math.min(portOf(two), portOf(three)))
    expect((await hearsay(['set', 'demo', 'key', 'hello', '--peer', one.http])).exitCode).toBe(0)
    const read = async () => (await hearsay(['get', 'demo', 'key', '--peer', three.http])).stdout
    await expect.poll(read, { timeout: PATIENCE_MS }).toBe('hello\n')
    child.kill('SIGTERM')
    expect((await child).exitCode).toBe(0)
    expect(lines.at(-1)).toEqual({ event: 'stopped' })
    expect(peers.filter(({ pid }) => isRunning(pid))).toEqual([])
    // They were told to leave: none was taken for dead, and that each says so of each other is no
    // news.
    const gone = ['member:dead', 'member:left']
    expect(lines.filter(({ event = '' }) => gone.includes(event))).toEqual([])
  })

  it('takes the next free HTTP port where one is taken', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { peers } = await up(1, port)
    server.close()
    expect(peers.map(portOf)[0]).toBeGreaterThan(port)
  })

  it('shows a child that dies, and who notices, and does not start it again', async () => {
    const { child, peers, line, lines } = await up(3)
    const [one, two, three] = peers as [Child, Child, Child]
    process.kill(three.pid, 'SIGKILL')
    expect(await line('peer:exit')).toMatchObject({ name: 'peer-3', code: null, signal: 'SIGKILL' })
    for (const by of ['peer-1', 'peer-2']) {
      const news = await line('member:dead', { name: 'peer-3', by })
      expect(news.sinceExitMs).toEqual(expect.any(Number))
    }
    process.kill(one.pid, 'SIGKILL')
    process.kill(two.pid, 'SIGKILL')
    const { exitCode, stderr } = await child
    expect(exitCode).toBe(1)
    expect(JSON.parse(String(stderr).trim().split('\n').at(-1) ?? '')).toEqual({
      error: { code: 'NO_PEER_LEFT', message: 'no peer is left' },
    })
    expect(lines.filter(({ event }) => event === 'peer:ready')).toHaveLength(3)
  })

  it('leaves no child behind when it is killed itself', async () => {
    const { child, peers, pid } = await up(3)
    process.kill(pid, 'SIGKILL')
    await child
    const left = () => peers.filter((peer) => isRunning(peer.pid))
    await expect.poll(left, { timeout: PATIENCE_MS }).toEqual([])
  })

  it('kills a child that does not leave in time', async () => {
    const { child, peers } = await up(2)
    const frozen = peers[1] as Child
    process.kill(frozen.pid, 'SIGSTOP')
    child.kill('SIGINT')
    expect((await child).exitCode).toBe(0)
    expect(peers.filter(({ pid }) => isRunning(pid))).toEqual([])
  })

  it('kills all children at a second signal, and exits 1', async () => {
    const { child, peers } = await up(2)
    process.kill((peers[1] as Child).pid, 'SIGSTOP')
    child.kill('SIGINT')
    await expect.poll(() => isRunning((peers[0] as Child).pid), { timeout: 4_000 }).toBe(false)
    child.kill('SIGINT')
    expect((await child).exitCode).toBe(1)
    const left = () => peers.filter((peer) => isRunning(peer.pid))
    await expect.poll(left, { timeout: PATIENCE_MS }).toEqual([])
  })

  it('can be stopped while it starts', async () => {
    const args = ['up', '3', '--mesh', uniqueMesh(), '--http-from', String(randomPort())]
    const { child, line, lines } = spawnJson(args)
    await line('peer:ready', { name: 'peer-1' })
    child.kill('SIGTERM')
    expect((await child).exitCode).toBe(0)
    expect(lines.map(({ event }: Line) => event)).not.toContain('ready')
  })

  it('writes plain lines where there is no terminal', async () => {
    const args = ['up', '2', '--mesh', uniqueMesh(), '--http-from', String(randomPort())]
    const child = spawnHearsay(args)
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
    })
    await expect.poll(() => text, { timeout: PATIENCE_MS }).toMatch(/kill -9 \d+ {2}# peer-2/)
    expect(text).toMatch(/^peer-1 is ready: pid \d+, http:\/\/127\.0\.0\.1:\d+\npeer-2 is ready/)
    expect(text).toMatch(/npx hearsay set demo greeting hello --peer http:\/\/127\.0\.0\.1:\d+\n/)
    process.kill(Number(/kill -9 (\d+)/.exec(text)?.[1]), 'SIGKILL')
    await expect
      .poll(() => text, { timeout: PATIENCE_MS })
      .toMatch(/peer-2 has died: SIGKILL\n(.*\n)*peer-2 is dead, says peer-1 after \d/)
    child.kill('SIGINT')
    expect((await child).exitCode).toBe(0)
    expect(text).toMatch(/stopped\n$/)
    expect(text).not.toContain('\u001B')
  })
})
