/**
 * The options of a peer: type, unit, default, bounds and trade-off in one place, and the relations between them.
 */
import { isIPv4, isIPv6 } from 'node:net'
import * as v from 'valibot'
import { InvalidOptionError } from './errors.js'

/** Where the peer writes what it has to say; `pino` and `console` fit. */
export interface Logger {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** Options of `createPeer`. All are optional. Where a bound may be `Infinity`, that is none. */
export interface PeerOptions {
  /**
   * Name of the mesh; only peers of one name share anything, and one of another name is refused. 1 to 64 letters, digits,
   * dots, dashes and underscores, a letter or digit first. @default 'hearsay'
   */
  mesh?: string
  /**
   * What this peer is called in tables and logs; need not be unique, and tells more than an id. Spelt like `mesh`.
   * @default 'peer-' and the id's last six characters
   */
  name?: string
  /**
   * Multiaddrs to listen on, one or more, for now of loopback only. Port 0 picks a free one; only a fixed one can stand in
   * the `bootstrap` of others beforehand. @default ['/ip4/127.0.0.1/tcp/0']
   */
  listen?: string[]
  /**
   * Multiaddrs to tell others instead of those listened on, for a peer behind a mapped port. Others dial these alone, right
   * or wrong. @default those listened on
   */
  announce?: string[]
  /**
   * Peers to begin with: multiaddrs (with or without `/p2p/<id>`), or `dns://host:port` for every address of a name,
   * such as a headless service. One that answers is enough; the others are learnt from it. More make it likelier that one
   * does; each is tried again as long as this peer runs. @default []
   */
  bootstrap?: string[]
  /**
   * Finds peers of the same local network by multicast DNS: no addresses to list, where the network lets multicast through.
   * @default false
   */
  mdns?: boolean
  /**
   * How many members own each key and keep its entry, from 1 to 16; `'all'`: every member, so that every read is local and
   * every write goes to all. Equal in a mesh. More outlive more failures, and cost as many times the memory. @default 3
   */
  replicas?: number | 'all'
  /**
   * `'owner'`: keeps a share of the entries. `'client'`: takes part, reads and writes everything, and owns nothing, as in
   * a short-lived process: nothing has to move when it comes or goes, and its reads are requests. @default 'owner'
   */
  role?: 'owner' | 'client'
  /**
   * File that holds the peer's private key; made, with mode 0600, when it is not there. With one, a peer that restarts is
   * the same member again; no two processes may use it at once. @default a new identity at each start
   */
  identity?: string
  /**
   * Entries this peer holds at most, at least 1, or `Infinity`; beyond it the least recently used go. For entries of about
   * one size; `maxBytes` holds as well. @default Infinity
   */
  maxItems?: number
  /**
   * Bytes of memory that this peer's entries take at most, keys, values and bookkeeping included, at least 1 MiB, or
   * `Infinity`; beyond it the least recently used go. More means fewer evictions; an entry that would take more by
   * itself is refused. @default 256 MiB
   */
  maxBytes?: number
  /**
   * Bytes of memory that copies of other peers' entries take at most (see `nearCache` of a cache), at least 0 (none), or
   * `Infinity`; beyond it the least recently used go. Not part of `maxBytes`. More answers more reads without a request.
   * @default 32 MiB
   */
  nearBytesMax?: number
  /**
   * Bytes of writes to keys of others that are kept while their owners cannot be reached, at least 1 MiB, or `Infinity`;
   * when so many are, the next writer to such a key waits. Not part of `maxBytes`. More lets writers go on for longer.
   * @default 64 MiB
   */
  hintBytesMax?: number
  /**
   * How long such a write is kept, in ms, from 1000 to 2147483647, and at most half of `tombstoneGraceMs`, for what comes
   * late must not bring back what was deleted; then it is given up, counted, and an alert raised. Longer outlasts longer
   * outages of the owners, and fills `hintBytesMax`. @default 600000, or half of `tombstoneGraceMs` where that is less
   */
  hintAgeMaxMs?: number
  /**
   * Address of the HTTP gateway, `host:port`, loopback only for now, port 0 picks a free one; false for none. Whoever can
   * reach it can do everything: it has no access control. @default false
   */
  http?: string | false
  /**
   * Longest time a queued write waits for others to share its message, in ms, from 0 to 10000. A write that finds the queue
   * idle goes out at the end of the event loop's turn. Longer means fewer, larger messages. @default 5
   */
  flushIntervalMs?: number
  /**
   * Writes in one message at most, from 1 to 10000, and at most `syncQueueMax`. More cost less each, and hold up
   * what comes behind them for longer.
   * @default 500, or `syncQueueMax` where that is less
   */
  batchEntriesMax?: number
  /**
   * Writes that may wait to be published, from 1 to 10000000; when so many do, the next writer waits. More take up longer
   * bursts, and are lost where the process dies. @default 10000
   */
  syncQueueMax?: number
  /**
   * How long a writer waits for room in the queue, and then for acknowledgements (`ack`); how long `flush`, `quorum` reads
   * and `stop({ drain: true })` wait for the others, in ms, from 1 to 2147483647. Longer outlasts longer stalls of others,
   * and tells later that it was in vain. @default 10000; over a `'wan'` 30000
   */
  syncTimeoutMs?: number
  /**
   * Which network the mesh runs on: what `heartbeatIntervalMs`, `suspicionMinMs`, `suspicionMaxMs`, `joinTimeoutMs` and
   * `syncTimeoutMs` are where they are not given. `'host'`: processes of one machine; a silent death is noticed in 2.5 to 3.5
   * s, and stalls of 2 s are forgiven. `'lan'`: one data centre; 3.5 to 5.5 s, and 3 s. `'wan'`: several, where answers take up to
   * half a second; 10 to 15 s, and 10 s. A killed process is noticed at once with each. Members need not have the same.
   * @default 'lan'
   */
  preset?: Preset
  /**
   * Shortest time between two heartbeats, in ms, from 20 to 60000. Shorter notices a silent death sooner; each heartbeat
   * costs every other member about a millisecond of CPU. @default 1000; on a `'host'` 500, over a `'wan'` 3000
   */
  heartbeatIntervalMs?: number
  /**
   * Bytes a second that heartbeats take of this peer's link each way, about, from 256, or `Infinity`. Beyond ten members or
   * so, the interval grows to keep to it, up to a minute; from then on each member is pinged by four others as often as
   * before, so that a silent death is noticed as soon. More keeps clocks and what was published better known in a large mesh.
   * @default 3072
   */
  heartbeatBytesPerSecond?: number
  /**
   * Suspicion level at which silence makes a member suspect, a number without unit from 1 to 300. Each 1 more makes a false
   * alarm ten times rarer, and waits longer. @default 8
   */
  suspicionPhi?: number
  /**
   * Time a suspect has to speak up before it is called dead where others confirm the suspicion, in ms, from 1 to
   * 2147483647, and at most `suspicionMaxMs`. Together with the time to suspicion (about 2.7 s at the default heartbeat) it
   * decides which stalls are survived: longer survives longer ones, and calls the dead so later.
   * @default 2000 (on a `'host'` 1500, over a `'wan'` 5000), or `suspicionMaxMs` where that is less
   */
  suspicionMinMs?: number
  /**
   * The same where nobody confirms the suspicion, in ms, from 1 to 2147483647, and at least `suspicionMinMs`. Longer gives
   * a member that only this one has lost more time, and calls one that is dead so later where no other can tell.
   * @default 3000 (on a `'host'` 2500, over a `'wan'` 10000), or `suspicionMinMs` where that is more
   */
  suspicionMaxMs?: number
  /**
   * How long a peer that reaches nobody waits before it serves alone, in ms, from 0 to 2147483647. It goes on trying.
   * Longer is for a mesh that is slow to answer; without one, `ready()` takes that much longer.
   * @default 5000; over a `'wan'` 15000
   */
  joinTimeoutMs?: number
  /**
   * How often expired entries are collected, in ms, from 10 to 2147483647. Reads never see one, collected or not. Shorter
   * frees their memory sooner, and costs more CPU. @default 1000
   */
  sweepIntervalMs?: number
  /**
   * Time between two rounds of repair, in ms, from 100 to 3600000, give or take a quarter: each compares what this peer
   * holds with one of those that own it as well, and makes the two equal. Shorter repairs sooner what no number tells is
   * missing; a round between equal peers costs about 100 bytes, and well under a millisecond of CPU. @default 3000
   */
  antiEntropyIntervalMs?: number
  /**
   * Bytes a second that this peer's rounds of repair take at most, from 1024, or `Infinity`. More makes peers equal sooner
   * after a long partition, and takes more of the link from reads and writes. @default 16 MiB
   */
  repairBytesPerSecond?: number
  /**
   * How long a delete is remembered, in ms, from 1000 to 2147483647, so that a late write cannot undo it; equal in a mesh.
   * Longer is safe from later ones, and takes memory for longer. @default 3600000
   */
  tombstoneGraceMs?: number
  /**
   * Deletes remembered at most, at least 1, or `Infinity`; beyond it the oldest is forgotten, which is counted and raises an
   * alert. More take more memory, which is not part of `maxBytes`. @default 1000000
   */
  tombstonesMax?: number
  /**
   * Clears, and tags that were invalidated, remembered at most for the same time, from 1 to 40000; beyond it the oldest is
   * forgotten, which is counted, raises an alert and shortens `tombstoneGraceMs` to its age. One that is made again takes
   * no more room. More take more memory on every peer, which is not part of `maxBytes`. @default 20000
   */
  markersMax?: number
  /** Receives what the peer has to say. @default warnings and errors go to the console */
  logger?: Logger
}

/** Options with every default filled in. */
export type ResolvedOptions = Required<Omit<PeerOptions, 'name' | 'identity' | 'announce'>> &
  Pick<PeerOptions, 'name' | 'identity' | 'announce'>

/** A wall clock that is further from those of its peers is worth a warning, in ms. */
export const CLOCK_SKEW_WARN_MS = 500

/**
 * A wall clock that is further from those of its peers writes nothing, and a version that is further ahead is refused,
 * in ms.
 */
export const CLOCK_SKEW_MAX_MS = 5_000

/** Timings that go together on one kind of network, see {@link PeerOptions.preset}. */
const PRESETS = {
  host: {
    heartbeatIntervalMs: 500,
    suspicionMinMs: 1_500,
    suspicionMaxMs: 2_500,
    joinTimeoutMs: 5_000,
    syncTimeoutMs: 10_000,
  },
  lan: {
    heartbeatIntervalMs: 1_000,
    suspicionMinMs: 2_000,
    suspicionMaxMs: 3_000,
    joinTimeoutMs: 5_000,
    syncTimeoutMs: 10_000,
  },
  wan: {
    heartbeatIntervalMs: 3_000,
    suspicionMinMs: 5_000,
    suspicionMaxMs: 10_000,
    joinTimeoutMs: 15_000,
    syncTimeoutMs: 30_000,
  },
} as const

/** A kind of network to set timings for. */
export type Preset = keyof typeof PRESETS

const PRESET_NAMES = Object.keys(PRESETS) as Preset[]

/** Longest time that any option in ms can name: what a timer can wait. */
const TIMER_MS_MAX = 2 ** 31 - 1

const MIB = 1024 * 1024

const durationMs = (minMs: number, maxMs = TIMER_MS_MAX) =>
  v.pipe(
    v.number('must be a number of ms'),
    v.minValue(minMs, `must be at least ${minMs} ms`),
    v.maxValue(maxMs, `must be at most ${maxMs} ms`),
  )

const count = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  v.pipe(
    v.number('must be a whole number'),
    v.check((n) => Number.isInteger(n) || n === Number.POSITIVE_INFINITY, 'must be a whole number'),
    v.check((n) => n >= min, `must be at least ${min}`),
    v.check((n) => n <= max || max === Number.MAX_SAFE_INTEGER, `must be at most ${max}`),
  )

const label = (bytesMax: number) =>
  v.pipe(
    v.string('must be text'),
    v.regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
      'must begin with a letter or digit and hold only letters, digits, dot, dash and underscore',
    ),
    v.maxLength(bytesMax, `must be at most ${bytesMax} characters`),
  )

const logger = v.custom<Logger>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    ['debug', 'info', 'warn', 'error'].every(
      (level) => typeof (value as Record<string, unknown>)[level] === 'function',
    ),
  'must have the functions debug, info, warn and error',
)

/** A list of addresses. `problem` is what is wrong with an item that is none. */
const addresses = (isAddress: (text: string) => boolean, problem: string, example: string) =>
  v.array(
    v.pipe(v.string(problem), v.check(isAddress, problem)),
    `must be a list of addresses, such as ['${example}']`,
  )

const loopbackOnly =
  'is not a loopback address such as /ip4/127.0.0.1/tcp/0: peers have no pre-shared key yet, so they listen on this machine only'

/** Owners of a key at most. */
const REPLICAS_MAX = 16

const isReplicas = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= REPLICAS_MAX

const replicasText = `must be a whole number from 1 to ${REPLICAS_MAX}, or 'all'`

const schema = v.strictObject({
  mesh: v.optional(label(64), 'hearsay'),
  name: v.optional(label(64)),
  listen: v.optional(
    v.pipe(
      addresses(isLoopback, loopbackOnly, '/ip4/127.0.0.1/tcp/0'),
      v.nonEmpty('must name an address'),
    ),
    () => ['/ip4/127.0.0.1/tcp/0'],
  ),
  announce: v.optional(
    addresses(
      isMultiaddr,
      'is not a multiaddr such as /ip4/10.0.0.1/tcp/4001',
      '/ip4/10.0.0.1/tcp/4001',
    ),
  ),
  bootstrap: v.optional(
    addresses(
      (address) => isMultiaddr(address) || isDnsUrl(address),
      'is neither a multiaddr such as /ip4/127.0.0.1/tcp/4001 nor dns://host:port',
      '/ip4/127.0.0.1/tcp/4001',
    ),
    () => [],
  ),
  mdns: v.optional(v.boolean('must be true or false'), false),
  replicas: v.optional(
    v.custom<number | 'all'>((value) => value === 'all' || isReplicas(value), replicasText),
    3,
  ),
  role: v.optional(v.picklist(['owner', 'client'], "must be 'owner' or 'client'"), 'owner'),
  nearBytesMax: v.optional(count(0), 32 * MIB),
  hintBytesMax: v.optional(count(MIB), 64 * MIB),
  hintAgeMaxMs: v.optional(durationMs(1_000)),
  identity: v.optional(v.pipe(v.string('must be a path'), v.nonEmpty('must be a path'))),
  maxItems: v.optional(count(1), Number.POSITIVE_INFINITY),
  maxBytes: v.optional(count(MIB), 256 * MIB),
  http: v.optional(
    v.custom<string | false>(
      (value) => value === false || (typeof value === 'string' && isLoopbackHost(value)),
      'is not a loopback address such as 127.0.0.1:7700: the gateway has no access control yet, so it serves this machine only',
    ),
    false,
  ),
  flushIntervalMs: v.optional(durationMs(0, 10_000), 5),
  batchEntriesMax: v.optional(count(1, 10_000)),
  syncQueueMax: v.optional(count(1, 10_000_000), 10_000),
  syncTimeoutMs: v.optional(durationMs(1)),
  preset: v.optional(
    v.picklist(
      PRESET_NAMES,
      `must be one of ${PRESET_NAMES.map((name) => `'${name}'`).join(', ')}`,
    ),
    'lan',
  ),
  heartbeatIntervalMs: v.optional(durationMs(20, 60_000)),
  heartbeatBytesPerSecond: v.optional(count(256), 3_072),
  suspicionPhi: v.optional(
    v.pipe(
      v.number('must be a number'),
      v.minValue(1, 'must be at least 1'),
      v.maxValue(300, 'must be at most 300'),
    ),
    8,
  ),
  suspicionMinMs: v.optional(durationMs(1)),
  suspicionMaxMs: v.optional(durationMs(1)),
  joinTimeoutMs: v.optional(durationMs(0)),
  sweepIntervalMs: v.optional(durationMs(10), 1_000),
  antiEntropyIntervalMs: v.optional(durationMs(100, 3_600_000), 3_000),
  repairBytesPerSecond: v.optional(count(1_024), 16 * MIB),
  tombstoneGraceMs: v.optional(durationMs(1_000), 3_600_000),
  tombstonesMax: v.optional(count(1), 1_000_000),
  markersMax: v.optional(count(1, 40_000), 20_000),
  logger: v.optional(logger, () => consoleLogger),
})

/** Warnings and errors to the console, nothing else. */
const consoleLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (message) => console.warn(`hearsay: ${message}`),
  error: (message) => console.error(`hearsay: ${message}`),
}

/**
 * Fills in the defaults and checks values and relations.
 * @throws InvalidOptionError for the first problem found, with the option's name
 */
export function resolveOptions(options: PeerOptions = {}): ResolvedOptions {
  const result = v.safeParse(schema, withoutUndefined(options))
  if (!result.success) throw toError(result.issues[0])
  const resolved = withRelatedDefaults(result.output)
  if (resolved.suspicionMinMs > resolved.suspicionMaxMs) {
    throw new InvalidOptionError(
      'suspicionMinMs',
      `${resolved.suspicionMinMs} is more than suspicionMaxMs, ${resolved.suspicionMaxMs}`,
    )
  }
  if (resolved.hintAgeMaxMs > resolved.tombstoneGraceMs / 2) {
    throw new InvalidOptionError(
      'hintAgeMaxMs',
      `${resolved.hintAgeMaxMs} is more than half of tombstoneGraceMs, ${resolved.tombstoneGraceMs}: what comes so late could bring back what was deleted`,
    )
  }
  if (resolved.batchEntriesMax > resolved.syncQueueMax) {
    throw new InvalidOptionError(
      'batchEntriesMax',
      `${resolved.batchEntriesMax} is more than syncQueueMax, ${resolved.syncQueueMax}`,
    )
  }
  return resolved
}

const BATCH_ENTRIES_MAX = 500
const HINT_AGE_MAX_MS = 600_000
/** Defaults that give way to the related option, where only that one is given. */
function withRelatedDefaults(options: v.InferOutput<typeof schema>): ResolvedOptions {
  const { syncQueueMax, suspicionMinMs, suspicionMaxMs, hintAgeMaxMs, tombstoneGraceMs } = options
  const preset = PRESETS[options.preset]
  return {
    ...options,
    heartbeatIntervalMs: options.heartbeatIntervalMs ?? preset.heartbeatIntervalMs,
    joinTimeoutMs: options.joinTimeoutMs ?? preset.joinTimeoutMs,
    syncTimeoutMs: options.syncTimeoutMs ?? preset.syncTimeoutMs,
    batchEntriesMax: options.batchEntriesMax ?? Math.min(BATCH_ENTRIES_MAX, syncQueueMax),
    hintAgeMaxMs: hintAgeMaxMs ?? Math.min(HINT_AGE_MAX_MS, tombstoneGraceMs / 2),
    suspicionMinMs:
      suspicionMinMs ?? Math.min(preset.suspicionMinMs, suspicionMaxMs ?? preset.suspicionMinMs),
    suspicionMaxMs:
      suspicionMaxMs ?? Math.max(preset.suspicionMaxMs, suspicionMinMs ?? preset.suspicionMaxMs),
  }
}

/** An option given as undefined is one not given. */
function withoutUndefined(options: PeerOptions): PeerOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidOptionError('options', `${printed(options)} is not an object`)
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function toError(issue: v.InferIssue<typeof schema>): InvalidOptionError {
  const [item] = issue.path ?? []
  const option = String(item?.key ?? 'options')
  if (issue.type === 'strict_object') return new InvalidOptionError(option, 'is not an option')
  return new InvalidOptionError(option, `${printed(issue.input)} ${issue.message}`)
}

function printed(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  return Array.isArray(value) ? `[${value.map(printed).join(', ')}]` : String(value)
}

/** Whether it looks like a multiaddr; the transport says whether it is one it can use. */
function isMultiaddr(address: string): boolean {
  const [, kind, host = '', port] =
    /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})(?:\/p2p\/[A-Za-z0-9]+)?$/.exec(address) ??
    []
  if (kind === 'ip4' && !isIPv4(host)) return false
  if (kind === 'ip6' && !isIPv6(host)) return false
  return kind !== undefined && isPort(port)
}

/** Whether it is an address of this machine alone that can be listened on, as it stands. */
function isLoopback(address: string): boolean {
  return isMultiaddr(address) && /^\/(ip4\/127\.|ip6\/::1\/)/.test(address)
}

/** Whether it is `dns://host:port`. */
function isDnsUrl(address: string): boolean {
  return isPort(/^dns:\/\/[^/:\s]+:(\d{1,5})$/.exec(address)?.[1])
}

function isLoopbackHost(address: string): boolean {
  const [, host = '', port] = /^(.+):(\d{1,5})$/.exec(address) ?? []
  const isLoopbackName = host === 'localhost' || host === '[::1]'
  return (isLoopbackName || (isIPv4(host) && host.startsWith('127.'))) && isPort(port)
}

function isPort(port: string | undefined): boolean {
  return port !== undefined && Number(port) <= 65_535
}
