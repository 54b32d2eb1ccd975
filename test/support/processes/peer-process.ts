/**
 * A peer in a process of its own, driven over IPC by `peers.ts`. Times are those of the monotonic clock that all
 * processes of a host share, in ms.
 */
import {
  type Ack,
  type Cache,
  type Consistency,
  createPeer,
  type Peer,
  type PeerOptions,
} from 'hearsay'

/** What the driver asks for. */
export type Command =
  | { readonly do: 'start'; readonly options: PeerOptions }
  | { readonly do: 'set'; readonly key: string; readonly value: unknown }
  | { readonly do: 'get'; readonly key: string }
  | { readonly do: 'delete'; readonly key: string }
  | { readonly do: 'warm'; readonly count: number }
  | { readonly do: 'fill'; readonly count: number; readonly bytes: number }
  | { readonly do: 'time'; readonly what: Timed; readonly count: number; readonly inFlight: number }
  | { readonly do: 'flush' }
  | { readonly do: 'members' }
  | { readonly do: 'size' }
  | { readonly do: 'stats' }
  | { readonly do: 'stop' }

/** A call that is timed: a set with this acknowledgement, or a read that asks these. */
export type Timed = { readonly ack: Ack } | { readonly consistency: Consistency }

/** What happens here by itself. */
export type Report =
  | { readonly event: 'set'; readonly key: string; readonly atMs: number }
  | { readonly event: 'state'; readonly id: string; readonly state: string; readonly atMs: number }

/** Answer to a command, by its number. */
export interface Answer {
  readonly answer: number
  readonly result?: unknown
  readonly error?: string
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

const nowMs = () => Number(process.hrtime.bigint()) / 1e6

let peer: Peer
let cache: Cache

async function carryOut(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'start': {
      const startedAtMs = nowMs()
      peer = await createPeer({ logger: quiet, ...command.options })
      cache = peer.cache('bench')
      cache.on('set', ({ key }) => {
        if (key.startsWith('seen-')) report({ event: 'set', key, atMs: nowMs() })
      })
      for (const state of ['alive', 'suspect', 'dead', 'left'] as const) {
        peer.on(`member:${state}`, ({ id }) => report({ event: 'state', id, state, atMs: nowMs() }))
      }
      await peer.ready()
      const { id, addresses } = peer
      return { id, addresses, readyAtMs: nowMs(), tookMs: nowMs() - startedAtMs, alive: alive() }
    }
    case 'set': {
      const atMs = nowMs()
      await cache.set(command.key, command.value)
      return atMs
    }
    case 'get':
      return await cache.get(command.key)
    case 'delete':
      return await cache.delete(command.key)
    case 'warm':
      // One message each, as at a low rate.
      for (let i = 0; i < command.count; i++) {
        await cache.set(`warm-${i % 100}`, i)
        await new Promise((resolve) => setImmediate(resolve))
      }
      return await peer.flush()
    case 'fill': {
      const startedAtMs = nowMs()
      const value = 'x'.repeat(command.bytes)
      for (let i = 0; i < command.count; i++) await cache.set(`key-${i}`, value)
      await peer.flush()
      return nowMs() - startedAtMs
    }
    case 'time':
      return await time(command)
    case 'flush':
      await peer.flush()
      return undefined
    case 'members':
      return peer.members
    case 'size':
      return await cache.size()
    case 'stats':
      return peer.stats()
    case 'stop':
      await peer.stop()
      return undefined
  }
}

/** Latencies of calls of which so many are under way at any time, in ms. */
async function time({
  what,
  count,
  inFlight,
}: Extract<Command, { do: 'time' }>): Promise<number[]> {
  const latencies: number[] = []
  const value = 'x'.repeat(100)
  let left = count
  const caller = async (number: number) => {
    while (left-- > 0) {
      const key = `timed-${number}-${left % 100}`
      const startedAtMs = nowMs()
      if ('ack' in what) await cache.set(key, value, what)
      else await cache.get(key, what)
      latencies.push(nowMs() - startedAtMs)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, (_, number) => caller(number)))
  return latencies
}

function alive(): string[] {
  return peer.members.filter(({ state, self }) => state === 'alive' && !self).map(({ id }) => id)
}

function report(message: Report): void {
  process.send?.(message)
}

process.on('message', ({ number, command }: { number: number; command: Command }) => {
  carryOut(command).then(
    (result) => process.send?.({ answer: number, result } satisfies Answer),
    (error: Error) =>
      process.send?.({ answer: number, error: String(error.stack) } satisfies Answer),
  )
})
// A peer never outlives the benchmark.
process.on('disconnect', () => process.exit())
