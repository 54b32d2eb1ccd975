/**
 * A peer in a process of its own, driven over IPC by `children.ts`: it makes load, checks what it reads, counts the bytes
 * of its sockets and profiles itself.
 */
import { subscribe } from 'node:diagnostics_channel'
import net, { type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Ack,
  type Cache,
  type Consistency,
  createPeer,
  type Peer,
  type PeerOptions,
} from 'hearsay'
import type { Route } from '../../../src/cli/chaos/links.js'
import { Profile } from './profile.js'

/** What the driver asks for. */
export type Command =
  | { readonly do: 'start'; readonly options: PeerOptions }
  /** Writes `count` values in batches, or one by one with `batch` 0. */
  | { readonly do: 'write'; readonly keys: Keys; readonly bytes: number; readonly batch: number }
  /** Latencies of calls of which `inFlight` are under way at any time, in ms. */
  | {
      readonly do: 'time'
      readonly what: { readonly ack: Ack } | { readonly consistency: Consistency }
      readonly keys: Keys
      readonly calls: number
      readonly inFlight: number
    }
  | { readonly do: 'set'; readonly key: string; readonly value: unknown; readonly ack: Ack }
  | { readonly do: 'get'; readonly key: string; readonly consistency: Consistency }
  | { readonly do: 'delete'; readonly key: string; readonly ack: Ack }
  /** Sets key after key until told to stop, and reports each one that is acknowledged. */
  | { readonly do: 'load'; readonly prefix: string; readonly ack: Ack; readonly inFlight: number }
  | { readonly do: 'unload' }
  /** Keys of which a read does not find the value that belongs to it. */
  | {
      readonly do: 'check'
      readonly keys: readonly string[]
      readonly consistency: Consistency
    }
  | { readonly do: 'clear' }
  /** Dials other ports than it is told: those of links that can be cut. */
  | { readonly do: 'route'; readonly ports: readonly Route[] }
  | {
      readonly do: 'setMany'
      readonly entries: ReadonlyArray<[key: string, value: string]>
      readonly tags?: readonly string[]
    }
  | { readonly do: 'deleteMany'; readonly keys: readonly string[] }
  | { readonly do: 'invalidate'; readonly tags: readonly string[] }
  /** What is held here, by key. */
  | { readonly do: 'contents' }
  /** Of some entries, how many keys it owns, and of how many of those it holds the value. */
  | { readonly do: 'held'; readonly entries: ReadonlyArray<[key: string, value: string]> }
  | { readonly do: 'size' }
  | { readonly do: 'flush' }
  | { readonly do: 'sync' }
  | { readonly do: 'stats' }
  | { readonly do: 'members' }
  | { readonly do: 'ring' }
  | { readonly do: 'sockets' }
  | { readonly do: 'profile' }
  | { readonly do: 'profiled' }

/** Keys by number, all or those that this peer does not own. */
export interface Keys {
  readonly prefix: string
  readonly count: number
  readonly ofOthers?: boolean
}

/** What happens here by itself. */
export type Report =
  | { readonly event: 'state'; readonly id: string; readonly state: string }
  | { readonly event: 'rebalanced'; readonly entries: number }
  /** Messages that were lost here on purpose. */
  | { readonly event: 'lost'; readonly count: number }
  | { readonly event: 'acknowledged'; readonly keys: readonly string[] }

/** Answer to a command, by its number. */
export interface Answer {
  readonly answer: number
  readonly result?: unknown
  readonly error?: string
  /** Of an error of hearsay. */
  readonly code?: string
}

/** Bytes that have gone through this process's sockets so far. */
export interface SocketBytes {
  readonly sent: number
  readonly received: number
}

/** The value under a key of the load: whoever knows the key knows what has to be read. */
const expectedAt = (key: string) => `value of ${key}`

/** Reads under way at once in a check. */
const CHECKS_AT_ONCE = 16

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

const sockets: Socket[] = []
for (const channel of ['net.client.socket', 'net.server.socket']) {
  subscribe(channel, (message) => {
    sockets.push((message as { socket: Socket }).socket)
  })
}

let peer: Peer
let cache: Cache
let profile: Profile | undefined
let load: { stopped: boolean; readonly ended: Promise<string[]> } | undefined

async function carryOut(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'start': {
      peer = await createPeer({ logger: quiet, ...command.options })
      cache = peer.cache('bench')
      for (const state of ['alive', 'suspect', 'dead', 'left'] as const) {
        peer.on(`member:${state}`, ({ id }) => report({ event: 'state', id, state }))
      }
      peer.on('rebalance:end', ({ entries }) => report({ event: 'rebalanced', entries }))
      await peer.ready()
      return { id: peer.id, addresses: peer.addresses }
    }
    case 'write':
      return await write(command)
    case 'time':
      return await time(command)
    case 'set':
      return await cache.set(command.key, command.value, { ack: command.ack })
    case 'get':
      return await cache.get(command.key, { consistency: command.consistency })
    case 'delete':
      return await cache.delete(command.key, { ack: command.ack })
    case 'load':
      load = { stopped: false, ended: Promise.resolve([]) }
      load = Object.assign(load, { ended: keepWriting(load, command) })
      return undefined
    case 'unload':
      if (load !== undefined) load.stopped = true
      return await load?.ended
    case 'check':
      return await check(command)
    case 'clear':
      return await cache.clear()
    case 'route':
      return dialInstead(new Map(command.ports))
    case 'setMany':
      return await cache.setMany(command.entries, { tags: command.tags ?? [] })
    case 'deleteMany':
      return await cache.deleteMany(command.keys)
    case 'invalidate':
      return await cache.invalidateTags(command.tags)
    case 'contents':
      return Object.fromEntries(Array.from(cache.local.entries(), ({ key, value }) => [key, value]))
    case 'held':
      return held(command.entries)
    case 'size':
      return await cache.size()
    case 'flush':
      return await peer.flush()
    case 'sync':
      return await peer.sync()
    case 'stats':
      return peer.stats()
    case 'members':
      return peer.members
    case 'ring':
      return peer.ring.members
    case 'sockets':
      return {
        sent: sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0),
        received: sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
      } satisfies SocketBytes
    case 'profile':
      profile = await Profile.begin()
      return undefined
    case 'profiled':
      return await profile?.end()
  }
}

/** From now on whoever dials one of some ports in this process dials another one. */
function dialInstead(ports: ReadonlyMap<number, number>): void {
  const dial = net.connect
  net.connect = ((options: net.TcpNetConnectOpts, ...rest: []) =>
    dial({ ...options, port: ports.get(options.port) ?? options.port }, ...rest)) as typeof dial
}

function held(entries: ReadonlyArray<[string, string]>) {
  const owned = entries.filter(([key]) => peer.ring.locate('bench', key).owners.includes(peer.id))
  const right = owned.filter(([key, value]) => cache.peek(key) === value)
  return { owned: owned.length, right: right.length, members: peer.ring.members.length }
}

function keysOf({ prefix, count, ofOthers = false }: Keys): string[] {
  const keys: string[] = []
  for (let i = 0; keys.length < count; i++) {
    const key = `${prefix}-${i}`
    const isOwned = ofOthers && peer.ring.locate('bench', key).owners.includes(peer.id)
    if (!isOwned) keys.push(key)
  }
  return keys
}

/** Returns the bytes of the keys and values. */
async function write({ keys, bytes, batch }: Extract<Command, { do: 'write' }>): Promise<number> {
  const value = 'x'.repeat(bytes)
  const names = keysOf(keys)
  if (batch === 0) for (const key of names) await cache.set(key, value)
  for (let start = 0; batch > 0 && start < names.length; start += batch) {
    await cache.setMany(names.slice(start, start + batch).map((key) => [key, value] as const))
  }
  return names.reduce((sum, { length }) => sum + length + bytes, 0)
}

async function time(command: Extract<Command, { do: 'time' }>): Promise<number[]> {
  const { what, keys, calls, inFlight } = command
  const names = keysOf(keys)
  const latencies: number[] = []
  const value = 'x'.repeat(100)
  let begun = 0
  const caller = async () => {
    while (begun < calls) {
      const key = names[begun++ % names.length] as string
      const startedAtMs = performance.now()
      if ('ack' in what) await cache.set(key, value, what)
      else if ((await cache.get(key, what)) === undefined) throw new Error(`${key} is not there`)
      latencies.push(performance.now() - startedAtMs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, caller))
  return latencies
}

/** Returns why writes were not acknowledged. */
async function keepWriting(
  state: { readonly stopped: boolean },
  { prefix, ack, inFlight }: Extract<Command, { do: 'load' }>,
): Promise<string[]> {
  let number = 0
  const failures: string[] = []
  const writer = async () => {
    while (!state.stopped) {
      const key = `${prefix}-${number++}`
      try {
        await cache.set(key, expectedAt(key), { ack })
        report({ event: 'acknowledged', keys: [key] })
      } catch (error) {
        failures.push(`${key}: ${(error as Error).message}`)
      }
      // Room for whatever else this process has to do.
      await sleep(1)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, writer))
  return failures
}

async function check({ keys, consistency }: Extract<Command, { do: 'check' }>): Promise<string[]> {
  const wrong: string[] = []
  let next = 0
  const reader = async () => {
    while (next < keys.length) {
      const key = keys[next++] as string
      const value = await cache.get(key, { consistency })
      if (value !== expectedAt(key)) wrong.push(`${key} is ${String(value)}`)
    }
  }
  await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, reader))
  return wrong
}

function report(message: Report): void {
  process.send?.(message)
}

process.on('message', ({ number, command }: { number: number; command: Command }) => {
  carryOut(command).then(
    (result) => process.send?.({ answer: number, result } satisfies Answer),
    (error: Error & { code?: string }) => {
      const { stack, code } = error
      process.send?.({ answer: number, error: String(stack), code } satisfies Answer)
    },
  )
})
// A peer never outlives its driver.
process.on('disconnect', () => process.exit())
