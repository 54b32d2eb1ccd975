/**
 * The commands that ask a running peer: what they print, and what they say when there is no peer,
 * or none that they can use.
 */
import { open } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hearsay, PATIENCE_MS, spawnHearsay, spawnJson, startPeer } from './harness.js'

const COMMANDS = [
  'get demo key',
  'set demo key value',
  'delete demo key',
  'explain demo key',
  'members',
  'stats',
  'sync',
  'events',
  'join /ip4/127.0.0.1/tcp/4001',
  'forget 12D3KooWnobody',
]

async function serve(listener: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

describe('without a peer', () => {
  let url: string

  beforeAll(async () => {
    // A port that was free a moment ago, and that nobody listens on now.
    const { server, url: freed } = await serve(() => {})
    await new Promise((resolve) => server.close(resolve))
    url = freed
  })

  it.each(COMMANDS)('`hearsay %s` exits 1 and says how to get one', async (args) => {
    const { exitCode, stdout, stderr } = await hearsay([...args.split(' '), '--peer', url])
    expect(exitCode).toBe(1)
    expect(stdout).toBe('')
    const notes = stderr.split('\n').filter((line) => line.startsWith('error'))
    expect(notes).toEqual([
      `error: no peer answers at ${url}: start one with "hearsay start" or name it with --peer URL`,
    ])
    expect(stderr).not.toMatch(/^\s+at /m)
  })

  it('shows the stack where HEARSAY_DEBUG asks for it', async () => {
    const { stderr } = await hearsay(['stats', '--peer', url], { env: { HEARSAY_DEBUG: '1' } })
    expect(stderr).toMatch(/^\s+at /m)
    expect(stderr).toContain('ECONNREFUSED')
  })

  it('is found by HEARSAY_PEER, which --peer overrides', async () => {
    const named = await hearsay(['stats'], { env: { HEARSAY_PEER: url } })
    expect(named.stderr).toContain(url)
    const both = await hearsay(['stats', '--peer', url], {
      env: { HEARSAY_PEER: 'http://127.0.0.1:9' },
    })
    expect(both.stderr).toContain(url)
  })
})

describe('with something else than a peer', () => {
  let server: Server
  let url: string

  beforeAll(async () => {
    ;({ server, url } = await serve((_request, response) => {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not Found</h1>')
    }))
  })

  afterAll(() => server.close())

  it.each(COMMANDS)('`hearsay %s` does not take it for a peer', async (args) => {
    const { exitCode, stdout, stderr } = await hearsay([...args.split(' '), '--peer', url])
    expect(exitCode).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toContain(`what answers at ${url} is no peer: 404 Not Found`)
  })
})

describe('with a peer that makes no requests to some', () => {
  const member = { incarnation: 1, addresses: [], role: 'owner', partitions: 1 }
  const members = [
    { ...member, id: '1', name: 'ada', self: true, state: 'alive', breaker: 'closed' },
    { ...member, id: '2', name: 'bob', self: false, state: 'alive', breaker: 'open' },
    { ...member, id: '3', name: 'eve', self: false, state: 'suspect', breaker: 'half-open' },
  ]
  let server: Server
  let url: string

  beforeAll(async () => {
    ;({ server, url } = await serve((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(members))
    }))
  })

  afterAll(() => server.close())

  it('lists the breaker of a member where it is not closed', async () => {
    const { stdout } = await hearsay(['members', '--peer', url])
    expect(stdout).toMatch(/^ada \(asked\) +1 +alive +owner /m)
    expect(stdout).toMatch(/^bob +2 +alive \(breaker open\) +owner /m)
    expect(stdout).toMatch(/^eve +3 +suspect \(breaker half-open\) +owner /m)
  })
})

describe('with a peer', { timeout: PATIENCE_MS * 2 }, () => {
  let peer: Awaited<ReturnType<typeof startPeer>>

  beforeAll(async () => {
    peer = await startPeer(['--name', 'ada', '--join-timeout-ms', '100'])
  }, PATIENCE_MS)

  const ask = (args: readonly string[]) => hearsay([...args, '--peer', peer.url])

  it('keeps text, JSON and bytes as they are', async () => {
    expect(await said(['get', 'demo', 'missing'])).toEqual([1, ''])
    expect(await said(['set', 'demo', 'key', 'hello'])).toEqual([0, ''])
    expect(await said(['get', 'demo', 'key'])).toEqual([0, 'hello\n'])
    expect(await said(['set', 'demo', 'json', '{"a":[1,null]}', '--type', 'json'])).toEqual([0, ''])
    expect(await said(['get', 'demo', 'json'])).toEqual([0, '{"a":[1,null]}\n'])
    expect(await said(['set', 'demo', 'number', '-5', '--type', 'json'])).toEqual([0, ''])
    expect(await said(['get', 'demo', 'number'])).toEqual([0, '-5\n'])
    const bytes = Uint8Array.of(0, 255, 10, 128)
    await hearsay(['set', 'demo', 'bytes', '-', '--type', 'bytes', '--peer', peer.url], {
      input: bytes,
    })
    const { stdout } = await spawnHearsay(['get', 'demo', 'bytes', '--peer', peer.url], {
      encoding: 'buffer',
    })
    expect(new Uint8Array(stdout as unknown as Uint8Array)).toEqual(bytes)
  })

  it('takes keys of any characters', async () => {
    for (const key of ['a/b?c#d', 'ключ 🔑', '%2e', '-', '--json']) {
      const end = ['--peer', peer.url, '--', 'demo', key]
      expect((await hearsay(['set', ...end, `value of ${key}`])).exitCode).toBe(0)
      expect((await hearsay(['get', ...end])).stdout).toBe(`value of ${key}\n`)
    }
  })

  it('reads a value from stdin', async () => {
    await hearsay(['set', 'demo', 'key', '-', '--peer', peer.url], { input: 'two\nlines\n' })
    expect(await said(['get', 'demo', 'key'])).toEqual([0, 'two\nlines\n'])
    const bad = await hearsay(['set', 'demo', 'key', '-', '--peer', peer.url], {
      input: Uint8Array.of(255),
    })
    expect(bad.exitCode).toBe(2)
    expect(bad.stderr).toContain('--type bytes')
  })

  it('gives value and version as JSON, bytes as base64', async () => {
    await said(['set', 'demo', 'key', 'hello'])
    await said(['set', 'demo', 'bytes', 'hi', '--type', 'bytes'])
    expect(JSON.parse((await said(['get', 'demo', 'key', '--json']))[1])).toEqual({
      key: 'key',
      value: 'hello',
      version: expect.stringContaining(peer.ready.id as string),
    })
    expect(JSON.parse((await said(['get', 'demo', 'bytes', '--json']))[1])).toMatchObject({
      value: 'aGk=',
      encoding: 'base64',
    })
  })

  it('says of a miss that it is one, on stderr, and exits 1', async () => {
    const { exitCode, stdout, stderr } = await ask(['get', 'demo', 'nothing'])
    expect(exitCode).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^no value.*nothing/)
    const json = await ask(['get', 'demo', 'nothing', '--json'])
    expect([json.exitCode, json.stdout]).toEqual([1, ''])
    expect(JSON.parse(json.stderr)).toEqual({
      error: { code: 'KEY_NOT_FOUND', message: expect.stringContaining('no key nothing') },
    })
  })

  it('forgets a key whose time is over, and one that is deleted', async () => {
    await said(['set', 'demo', 'brief', 'x', '--ttl', '1'])
    expect((await said(['get', 'demo', 'brief']))[0]).toBe(1)
    await said(['set', 'demo', 'key', 'x'])
    expect(await said(['delete', 'demo', 'key'])).toEqual([0, ''])
    expect((await said(['get', 'demo', 'key']))[0]).toBe(1)
    expect(await said(['delete', 'demo', 'key'])).toEqual([0, ''])
  })

  it("passes on the peer's own refusal: 2 for a mistake in the call", async () => {
    const { exitCode, stderr } = await ask(['set', 'demo', 'k'.repeat(10_000), 'x'])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/^error: .* 10000 bytes long/)
    const unknown = await ask(['forget', '12D3KooWnobody'])
    expect(unknown.exitCode).toBe(1)
    expect(unknown.stderr).toContain('12D3KooWnobody')
    const self = await ask(['forget', String(peer.ready.id)])
    expect(self.exitCode).toBe(1)
    expect(self.stderr).toContain('alive')
  })

  it('lists members and figures, as text and as JSON', async () => {
    const [, table] = await said(['members'])
    expect(table).toMatch(/^name +id +state +role +incarnation +ring +addresses\n/)
    expect(table).toMatch(
      /\nada \(asked\) +….{8} +alive +owner +\d+ +100\.0 % +\/ip4\/127\.0\.0\.1\/tcp\/\d+\n$/,
    )
    const [, members] = await said(['members', '--json'])
    expect(JSON.parse(members)).toMatchObject([{ id: peer.ready.id, name: 'ada', self: true }])
    const [, stats] = await said(['stats'])
    expect(stats).toMatch(/^memoryBytes +[\d.]+ (B|KiB)$/m)
    expect(stats).toMatch(/^hitRate +\d+\.\d %$/m)
    const [, json] = await said(['stats', '--json'])
    expect(JSON.parse(json)).toMatchObject({ memberCount: 1, hitRate: expect.any(Number) })
  })

  it('says so when nothing answers at an address to join', async () => {
    const { exitCode, stderr } = await ask(['join', '/ip4/127.0.0.1/tcp/1'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('/ip4/127.0.0.1/tcp/1')
    const bad = await ask(['join', 'nowhere'])
    expect(bad.exitCode).toBe(2)
    expect(bad.stderr).toMatch(/^error: ADDR: "nowhere" is neither/)
  })

  it('ends quietly when nobody reads on', async () => {
    const child = spawnHearsay(['stats', '--peer', peer.url])
    child.stdout?.destroy()
    const { exitCode, stderr } = await child
    expect([exitCode, stderr]).toEqual([0, ''])
  })

  it('says so when its output cannot be written', async () => {
    const full = await open('/dev/full', 'w')
    const { exitCode, stderr } = await hearsay(['stats', '--peer', peer.url], {
      stdout: full.fd as never,
    })
    await full.close()
    expect(exitCode).toBe(1)
    expect(stderr).toContain('ENOSPC')
  })

  /** Exit code and stdout. */
  async function said(args: readonly string[]): Promise<[number | undefined, string]> {
    const { exitCode, stdout } = await hearsay([...args, '--peer', peer.url])
    return [exitCode, stdout]
  }
})

describe('with two peers', { timeout: PATIENCE_MS * 2 }, () => {
  it('waits for those that --ack names, and says who confirmed where it is in vain', async () => {
    const peer = await startPeer(['--name', 'one', '--sync-timeout-ms', '500'])
    const other = await startPeer(['--name', 'two', '--bootstrap', peer.address], peer.mesh)
    await peer.line('member:alive', { name: 'two' })
    const ask = (...command: string[]) => hearsay([...command, '--peer', peer.url])

    expect((await ask('set', 'demo', 'key', 'hello', '--ack', 'all')).exitCode).toBe(0)
    const there = await hearsay(['get', 'demo', 'key', '--peer', other.url])
    expect(there.stdout).toBe('hello\n')
    const latest = await ask('get', 'demo', 'key', '--consistency', 'quorum', '--json')
    expect(JSON.parse(latest.stdout)).toMatchObject({
      value: 'hello',
      version: expect.stringContaining(String(peer.ready.id)),
    })
    expect((await ask('delete', 'demo', 'key', '--ack', 'quorum')).exitCode).toBe(0)
    expect((await hearsay(['get', 'demo', 'key', '--peer', other.url])).exitCode).toBe(1)

    other.child.kill('SIGSTOP')
    expect(await ask('set', 'demo', 'key', 'x', '--ack', 'one')).toMatchObject({ exitCode: 0 })
    for (const command of ['set demo key open --ack quorum', 'delete demo key --ack all']) {
      const { exitCode, stdout, stderr } = await ask(...command.split(' '))
      expect([exitCode, stdout]).toEqual([1, ''])
      expect(stderr).toContain(`500 ms (syncTimeoutMs): ${peer.ready.id} did`)
      expect(stderr).toContain('the outcome is open')
    }
    const { exitCode, stderr } = await ask(...'get demo key --consistency quorum --json'.split(' '))
    expect(exitCode).toBe(1)
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string } }
    expect(error.code).toBe('NOT_CONFIRMED')
    expect(error.message).not.toContain('outcome')
    const stats = (await ask('stats')).stdout
    expect(stats).toMatch(/^requestErrorCount +[1-9]\d*$/m)
    expect(stats).toMatch(/^ackWaitCount +0$/m)
    expect(stats).toMatch(/^clockSkewMs +-?[\d.]+ ms$/m)
  })

  it('joins them, follows what happens, and forgets the one that left', async () => {
    const args = ['--join-timeout-ms', '100', '--name']
    const peer = await startPeer([...args, 'one'])
    const other = await startPeer([...args, 'two'], peer.mesh)
    const said = async (...command: string[]) =>
      (await hearsay([...command, '--peer', peer.url])).stdout
    const follower = spawnHearsay(['events', '--peer', peer.url])
    const jsonFollower = spawnJson(['events', '--peer', peer.url])
    let text = ''
    follower.stdout?.on('data', (chunk) => {
      text += chunk
    })
    await new Promise((resolve) => follower.stderr?.once('data', resolve))
    await jsonFollower.line('following', { url: peer.url })

    expect(await said('sync')).toBe('there is no other peer to compare with\n')
    expect(await said('join', other.address)).toBe('joined: 2 members alive\n')
    // The other one may have yet to catch up.
    await expect
      .poll(() => said('sync'), { timeout: PATIENCE_MS })
      .toBe('equal with 1 other peer\n')
    expect(JSON.parse(await said('sync', '--json'))).toMatchObject({ memberCount: 1 })
    await jsonFollower.line('member:alive', { name: 'two' })
    other.child.kill('SIGTERM')
    await other.child
    await jsonFollower.line('member:left', { name: 'two' })
    await expect.poll(() => text, { timeout: PATIENCE_MS }).toMatch(/two \(….{8}\) has left\n/)
    const ending = String(other.ready.id).slice(-8)
    expect(await said('forget', `…${ending}`)).toContain('forgotten: two')
    expect(await said('members')).not.toContain('two')

    jsonFollower.child.kill('SIGINT')
    expect((await jsonFollower.child).exitCode).toBe(0)
    peer.child.kill('SIGKILL')
    const { exitCode, stderr } = await follower
    expect(exitCode).toBe(1)
    expect(stderr).toContain('has ended the stream')
  })
})
