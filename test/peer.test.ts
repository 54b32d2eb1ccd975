/** createPeer(): real peers over TCP on loopback, from start to stop. */
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterEach, describe, expect, it } from 'vitest'
import { vacantPort } from '../src/cli/free-port.js'
import {
  AddressInUseError,
  type Alert,
  createPeer,
  HelloRefusedError,
  IdentityError,
  InvalidOptionError,
  type MemberInfo,
  MemberLiveError,
  type Peer,
  type PeerOptions,
  PeerStoppedError,
  UnknownMemberError,
  UnreachableError,
} from '../src/index.js'
import { isListening, takenPort } from './support/ports.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const peers: Peer[] = []
const servers: Server[] = []
const folders: string[] = []

afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.stop()))
  await Promise.all(servers.splice(0).map((server) => once(server.close(), 'close')))
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })))
})

/** A peer that is stopped after the test, and what it had to say: `<level> <message>`. */
async function start(options: PeerOptions = {}): Promise<{ peer: Peer; log: string[] }> {
  const log: string[] = []
  const note = (level: string) => (message: string) => void log.push(`${level} ${message}`)
  const logger = {
    debug: () => {},
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
  }
  const peer = await createPeer({ logger, ...options })
  peers.push(peer)
  return { peer, log }
}

/** Why a peer does not start. */
async function startFailure(options: unknown): Promise<Error> {
  return await failure(async () => void peers.push(await createPeer(options as PeerOptions)))
}

async function failure(call: () => Promise<unknown>): Promise<Error> {
  try {
    await call()
  } catch (error) {
    return error as Error
  }
  throw new Error('did not fail')
}

/** A port on which something else listens until the test is over. */
async function occupiedPort(): Promise<number> {
  const { port, server } = await takenPort()
  servers.push(server)
  return port
}

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'hearsay-peer-'))
  folders.push(made)
  return made
}

const tcp = (port: number) => `/ip4/127.0.0.1/tcp/${port}`

/** The port of a peer's first address. */
function portOf(peer: Peer): number {
  return Number(/\/tcp\/(\d+)\//.exec(peer.addresses[0] ?? '')?.[1])
}

describe('createPeer() fails', () => {
  it.each([
    ['replicas', { replicas: 17 }, '17 must be a whole number from 1 to 16'],
    ['role', { role: 'observer' }, '"observer"'],
    ['replica', { replica: 'all' }, 'not an option'],
    ['mesh', { mesh: 'a mesh' }, '"a mesh"'],
    ['listen', { listen: ['/ip4/0.0.0.0/tcp/0'] }, '0.0.0.0'],
    ['listen', { listen: [] }, 'address'],
    ['bootstrap', { bootstrap: ['localhost:1'] }, 'localhost:1'],
    ['maxBytes', { maxBytes: 5 }, '5 must be at least 1048576'],
    ['http', { http: '0.0.0.0:0' }, '0.0.0.0:0'],
    ['batchEntriesMax', { batchEntriesMax: 9, syncQueueMax: 8 }, '8'],
    ['options', null, 'null'],
  ])('for a bad option, %s, by its name and value', async (option, options, printed) => {
    const error = await startFailure(options)
    expect(error).toBeInstanceOf(InvalidOptionError)
    expect(error).toMatchObject({ code: 'INVALID_OPTION', option })
    expect(error.message).toContain(option)
    expect(error.message).toContain(printed)
  })

  it('when its port is taken, and names the address', async () => {
    const free = await vacantPort()
    const taken = tcp(await occupiedPort())
    const error = await startFailure({ listen: [tcp(free), taken] })
    expect(error).toBeInstanceOf(AddressInUseError)
    expect(error).toMatchObject({ code: 'ADDRESS_IN_USE', address: taken })
    expect(error.message).toContain(taken)
    // The other address, which was free, is so again.
    expect(await isListening(free)).toBe(false)
  })

  it('when its HTTP port is taken, names the address, and leaves nothing that listens', async () => {
    const address = `127.0.0.1:${await occupiedPort()}`
    const port = await vacantPort()
    const error = await startFailure({ listen: [tcp(port)], http: address })
    expect(error).toBeInstanceOf(AddressInUseError)
    expect(error).toMatchObject({ address })
    expect(error.message).toContain(address)
    expect(await isListening(port)).toBe(false)
    // The same port is good for the next try.
    const { peer } = await start({ listen: [tcp(port)], http: '127.0.0.1:0' })
    expect(portOf(peer)).toBe(port)
  })

  it('when its identity file is none, or cannot be had, and leaves it as it is', async () => {
    const file = join(await folder(), 'identity')
    await writeFile(file, 'garbage')
    const elsewhere = join(file, 'below a file')
    for (const identity of [file, elsewhere, await folder()]) {
      const error = await startFailure({ identity })
      expect(error).toBeInstanceOf(IdentityError)
      expect(error).toMatchObject({ code: 'INVALID_IDENTITY' })
      expect(error.message).toContain(identity)
    }
    expect(await readFile(file, 'utf8')).toBe('garbage')
    await writeFile(file, '')
    expect(await startFailure({ identity: file })).toBeInstanceOf(IdentityError)
  })
})

describe('an identity file', () => {
  it('is made for its owner alone, and gives the same id at the next start', async () => {
    const identity = join(await folder(), 'identity')
    const first = (await start({ identity })).peer
    expect((await stat(identity)).mode & 0o777).toBe(0o600)
    const { id } = first
    await first.stop()
    await chmod(identity, 0o400)
    const second = (await start({ identity })).peer
    expect(second.id).toBe(id)
    const { peer: another } = await start()
    expect(another.id).not.toBe(id)
  })
})

describe('a peer that reaches nobody', () => {
  it('serves alone after joinTimeoutMs, says so once, and goes on', async () => {
    const port = await vacantPort()
    const startedAtMs = performance.now()
    const { peer, log } = await start({ bootstrap: [tcp(port)], joinTimeoutMs: 300 })
    const alerts: Alert[] = []
    peer.on('alert', (alert) => alerts.push(alert))
    expect(peer.status).toBe('joining')
    const writing = peer.cache('c').set('key', 'written while joining')
    await peer.ready()
    expect(performance.now() - startedAtMs).toBeGreaterThan(295)
    expect(peer.status).toBe('serving')
    expect(alerts).toEqual([
      { code: 'serving-alone', message: expect.stringMatching(/within 300 ms.*alone/) },
    ])
    const warnings = log.filter((line) => line.startsWith('warn'))
    expect(warnings.filter((line) => line.includes('alone'))).toHaveLength(1)
    expect(warnings.filter((line) => line.includes(tcp(port)))).toHaveLength(1)
    expect(warnings).toHaveLength(2)
    await writing
    await peer.flush()
    expect(await peer.cache('c').get('key')).toBe('written while joining')

    // Whoever comes later is found.
    const { peer: late } = await start({ listen: [tcp(port)] })
    await expect.poll(() => peer.members.length, { timeout: 10_000 }).toBe(2)
    await expect.poll(() => late.cache('c').get('key')).toBe('written while joining')
  })
})

describe('a lone peer', () => {
  it('is ready at once, without an alert, and describes itself', async () => {
    const { peer, log } = await start({ mesh: 'lone', name: 'somebody' })
    await peer.ready()
    expect(peer).toMatchObject({ mesh: 'lone', name: 'somebody', status: 'serving' })
    expect(peer.http).toBe(undefined)
    expect(peer.addresses).toHaveLength(1)
    expect(peer.addresses[0]).toMatch(new RegExp(`^/ip4/127.0.0.1/tcp/\\d+/p2p/${peer.id}$`))
    expect(portOf(peer)).toBeGreaterThan(0)
    expect(peer.members).toEqual([
      {
        id: peer.id,
        name: 'somebody',
        state: 'alive',
        incarnation: expect.any(Number),
        addresses: peer.addresses,
        self: true,
        role: 'owner',
        breaker: 'closed',
        partitions: 4_096,
      },
    ])
    expect(peer.ring.members).toEqual([peer.id])
    const { partition, owners } = peer.ring.locate('c', 'key')
    expect(owners).toEqual([peer.id])
    expect(partition).toBeGreaterThanOrEqual(0)
    expect(partition).toBeLessThan(4_096)
    await peer.flush()
    expect(log.filter((line) => !line.startsWith('info'))).toEqual([])
  })

  it('that is stopped twice, at once or later, is stopped', async () => {
    const { peer } = await start({ http: '127.0.0.1:0' })
    const ports = [portOf(peer), Number(new URL(peer.http ?? '').port)]
    for (const port of ports) expect(await isListening(port)).toBe(true)
    await Promise.all([peer.stop(), peer.stop({ drain: true })])
    await peer.stop()
    expect(peer.status).toBe('stopped')
    for (const port of ports) expect(await isListening(port)).toBe(false)
    expect(await failure(() => peer.ready())).toBeInstanceOf(PeerStoppedError)
  })
})

describe('two peers', () => {
  it('meet by dns://, share what they hold, and part when one is disposed of', async () => {
    const { peer: first } = await start({ mesh: 'pair' })
    await first.cache('c').set('before', [1])
    const bootstrap = [`dns://localhost:${portOf(first)}`]
    const { peer: second, log } = await start({ mesh: 'pair', bootstrap })
    await second.ready()
    expect(await second.cache('c').get('before')).toEqual([1])
    await second.cache('c').set('after', new Map([[2n, 3]]))
    await second.flush()
    expect(await first.cache('c').get('after')).toEqual(new Map([[2n, 3]]))
    // Of all that `localhost` stands for, one answered: nothing to complain of.
    expect(log.filter((line) => !line.startsWith('info'))).toEqual([])

    const unknown = await failure(() => first.forget('nobody'))
    expect(unknown).toBeInstanceOf(UnknownMemberError)
    expect(unknown).toMatchObject({ code: 'UNKNOWN_MEMBER', id: 'nobody' })
    expect(unknown.message).toContain('nobody')
    for (const { id } of [second, first]) {
      const live = await failure(() => first.forget(id))
      expect(live).toBeInstanceOf(MemberLiveError)
      expect(live).toMatchObject({ code: 'MEMBER_LIVE', id, state: 'alive' })
      expect(live.message).toContain(id)
    }
    expect(first.members).toHaveLength(2)

    const left = new Promise<MemberInfo>((resolve) => first.once('member:left', resolve))
    await second.cache('c').set('last', 'words')
    // What `await using` does at the end of a block.
    await second[Symbol.asyncDispose]()
    expect(second.status).toBe('stopped')
    expect(await left).toMatchObject({ id: second.id, state: 'left' })
    expect(await first.cache('c').get('last')).toBe('words')
    await first.forget(second.id)
    expect(first.members.map(({ id }) => id)).toEqual([first.id])
  })
})

describe('join()', () => {
  it('of what is no address fails, and names it', async () => {
    const { peer } = await start()
    for (const addresses of ['127.0.0.1:4001', [tcp(1), 'nonsense'], '', [], ['dns://host']]) {
      const error = await failure(() => peer.join(addresses))
      expect(error).toBeInstanceOf(InvalidOptionError)
      expect(error).toMatchObject({ option: 'addresses' })
    }
    const { message } = await failure(() => peer.join([tcp(1), 'nonsense']))
    expect(message).toContain('"nonsense"')
  })

  it('of an address at which nobody is, or only this peer itself, fails, and names it', async () => {
    const { peer } = await start()
    await peer.ready()
    const port = await vacantPort()
    const vain = [tcp(port), `${tcp(port)}/p2p/${peer.id}`, 'dns://no.such.host.invalid:1']
    for (const address of [...vain, ...peer.addresses]) {
      const error = await failure(() => peer.join(address))
      expect(error).toBeInstanceOf(UnreachableError)
      expect(error).toMatchObject({ code: 'UNREACHABLE' })
      expect(error.message).toContain(address.replace('dns://', '').replace(':1', ''))
    }
    const { message } = await failure(() => peer.join([tcp(port), ...peer.addresses]))
    expect(message).toContain(tcp(port))
    expect(message).toContain(peer.addresses[0])
    expect(peer.status).toBe('serving')
  })

  it('of a peer of another mesh fails, and names what differs; then of the own one works', async () => {
    const { peer } = await start({ mesh: 'ours', tombstoneGraceMs: 5_000 })
    const { peer: stranger } = await start({ mesh: 'theirs' })
    const { peer: differing } = await start({ mesh: 'ours', tombstoneGraceMs: 7_000 })
    const alerts: Alert[] = []
    stranger.on('alert', (alert) => alerts.push(alert))
    const refusal = await failure(() => peer.join(stranger.addresses))
    expect(refusal).toBeInstanceOf(HelloRefusedError)
    expect(refusal).toMatchObject({
      code: 'HELLO_REFUSED',
      field: 'mesh',
      ours: 'ours',
      theirs: 'theirs',
      peer: stranger.id,
    })
    for (const part of ['mesh', 'ours', 'theirs', stranger.id]) {
      expect(refusal.message).toContain(part)
    }
    await expect.poll(() => alerts).toMatchObject([{ code: 'hello-refused' }])
    expect(alerts[0]?.message).toContain(peer.id)
    expect(await failure(() => peer.join(differing.addresses))).toMatchObject({
      field: 'tombstoneGraceMs',
      ours: '5000',
      theirs: '7000',
    })
    expect(peer.members).toHaveLength(1)

    const { peer: right } = await start({ mesh: 'ours', tombstoneGraceMs: 5_000 })
    await peer.join([tcp(await vacantPort()), ...right.addresses])
    expect(peer.members.map(({ id, state }) => [id, state])).toEqual([
      [peer.id, 'alive'],
      [right.id, 'alive'],
    ])
  })
})

describe('a process', () => {
  /** What may still be waited for in libp2p once a peer is stopped takes a second. */
  const LINGER_MS_MAX = 3_000

  /** Runs a script against what was built, and gives what it prints. It has to end by itself. */
  async function run(script: string): Promise<string> {
    const args = ['--input-type=module', '--eval', script]
    const { stdout } = await execa(process.execPath, args, { cwd: ROOT, timeout: 15_000 })
    return stdout
  }

  it('ends by itself once its peers are stopped', async () => {
    const output = await run(`
      import { createPeer } from 'hearsay'
      const first = await createPeer({ http: '127.0.0.1:0' })
      const second = await createPeer({ bootstrap: [...first.addresses] })
      await second.ready()
      await second.cache('c').set('key', 'value', { ttl: 60_000 })
      await second.flush()
      await first.cache('c').delete('key')
      await Promise.all([first.stop(), second.stop({ drain: true })])
      const stoppedAtMs = performance.now()
      process.on('exit', () => console.log(performance.now() - stoppedAtMs))
    `)
    expect(Number(output)).toBeLessThan(LINGER_MS_MAX)
  })

  it('ends by itself once a peer that was still looking for others is stopped', async () => {
    const output = await run(`
      import { createPeer } from 'hearsay'
      const logger = { debug() {}, info() {}, warn() {}, error() {} }
      const peer = await createPeer({ bootstrap: ['${tcp(await vacantPort())}'], logger })
      await new Promise((resolve) => setImmediate(resolve))
      await peer.stop()
      const stoppedAtMs = performance.now()
      process.on('exit', () => console.log(performance.now() - stoppedAtMs))
    `)
    expect(Number(output)).toBeLessThan(LINGER_MS_MAX)
  })
})
