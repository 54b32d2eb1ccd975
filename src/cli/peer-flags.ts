/**
 * The flags of `hearsay start`, from one table: an option of the library, how it is typed, and its
 * help. The flag's name follows from the option's, the default shown is the library's own, and the
 * library checks the values, so that neither can drift from it.
 */
import { Option } from 'commander'
import { InvalidOptionError } from '../errors.js'
import { type PeerOptions, resolveOptions } from '../options.js'
import { UsageError } from './failure.js'
import { formatBytes } from './format.js'
import { parseBytes, parseNumber } from './values.js'

/** An option that can be given on the command line. */
type Name = Exclude<keyof PeerOptions, 'logger'>

interface Flag {
  /** Heading in the help text. */
  readonly group: string
  /** What follows the flag: `<ms>`, `<addr...>`; absent for a switch. */
  readonly argument?: string
  readonly help: string
  /**
   * The default in words, where the library's own value would not read well, or another one holds
   * here.
   */
  readonly fallback?: string
  /** Turns what was typed into what the library takes. @default as typed */
  readonly parse?: (flag: string, text: string) => unknown
  /** Whether it has to be equal in a mesh. */
  readonly meshWide?: true
}

/**
 * Where `hearsay start` serves HTTP unless told otherwise: what the other commands ask by default.
 */
export const DEFAULT_HTTP = '127.0.0.1:7700'

const MESH = 'Mesh:'
const SHARE = 'This peer:'
const TUNING = 'Timings and bounds:'

const ms = (help: string): Flag => ({ group: TUNING, argument: '<ms>', help, parse: parseNumber })
const count = (help: string): Flag => ({ group: TUNING, argument: '<n>', help, parse: parseNumber })

const FLAGS: Readonly<Record<Name, Flag>> = {
  mesh: {
    group: MESH,
    argument: '<name>',
    help: 'name of the mesh to take part in',
    meshWide: true,
  },
  bootstrap: {
    group: MESH,
    argument: '<addr...>',
    help: 'multiaddrs of peers to begin with, or dns://host:port for every address of a name',
    fallback: 'none',
  },
  mdns: { group: MESH, help: 'find peers of the same local network by multicast DNS' },
  replicas: {
    group: MESH,
    argument: '<N|all>',
    help: 'how many members keep each entry; equal in a mesh',
    // What is no number is for the library to refuse: it knows what else there is.
    parse: (_flag, text) => (/^\d+$/.test(text) ? Number(text) : text),
    meshWide: true,
  },
  role: {
    group: SHARE,
    argument: '<owner|client>',
    help: 'a client takes part, and keeps none of the entries',
  },
  name: {
    group: SHARE,
    argument: '<name>',
    help: 'what this peer is called in tables and logs',
    fallback: '"peer-" and the end of its id',
  },
  listen: {
    group: SHARE,
    argument: '<addr...>',
    help: 'multiaddrs to listen on; port 0 picks one',
  },
  announce: {
    group: SHARE,
    argument: '<addr...>',
    help: 'multiaddrs to tell others',
    fallback: 'those listened on',
  },
  identity: {
    group: SHARE,
    argument: '<file>',
    help: "file of this peer's private key, made if it is not there",
    fallback: 'a new identity at each start',
  },
  http: {
    group: SHARE,
    argument: '<host:port|off>',
    help: 'where to serve HTTP; port 0 picks one',
    fallback: DEFAULT_HTTP,
    parse: (_flag, text) => (text === 'off' ? false : text),
  },
  maxBytes: {
    group: SHARE,
    argument: '<size>',
    help: 'memory that the entries may take: 512mb, 1gib or a number of bytes',
    fallback: formatBytes(resolveOptions().maxBytes),
    parse: parseBytes,
  },
  maxItems: {
    group: SHARE,
    argument: '<n>',
    help: 'entries to hold at most',
    fallback: 'unlimited',
    parse: parseNumber,
  },
  nearBytesMax: {
    group: SHARE,
    argument: '<size>',
    help: "memory that copies of others' entries may take",
    fallback: formatBytes(resolveOptions().nearBytesMax),
    parse: parseBytes,
  },
  hintBytesMax: {
    group: SHARE,
    argument: '<size>',
    help: 'memory that writes may take which their owners have yet to take',
    fallback: formatBytes(resolveOptions().hintBytesMax),
    parse: parseBytes,
  },
  hintAgeMaxMs: ms('how long such a write is kept'),
  preset: {
    group: TUNING,
    argument: '<host|lan|wan>',
    help: 'timings for one machine, one data centre, or several',
  },
  heartbeatIntervalMs: ms('shortest time between two heartbeats'),
  heartbeatBytesPerSecond: {
    group: TUNING,
    argument: '<size>',
    help: 'bytes a second that heartbeats may take; in a large mesh they become rarer',
    fallback: formatBytes(resolveOptions().heartbeatBytesPerSecond),
    parse: parseBytes,
  },
  joinTimeoutMs: ms('how long to look for others before serving alone'),
  suspicionPhi: count('suspicion level at which silence makes a member suspect'),
  suspicionMinMs: ms('time a suspect has to speak up when others confirm the suspicion'),
  suspicionMaxMs: ms('the same when nobody confirms it'),
  flushIntervalMs: ms('longest time a write waits for others to share its message'),
  batchEntriesMax: count('writes in one message at most'),
  syncQueueMax: count('writes that may wait to be published'),
  syncTimeoutMs: ms('how long to wait for room in that queue, and for confirmations'),
  sweepIntervalMs: ms('how often expired entries are collected'),
  antiEntropyIntervalMs: ms('time between two rounds of repair'),
  repairBytesPerSecond: {
    group: TUNING,
    argument: '<size>',
    help: 'bytes a second that repair may take',
    fallback: formatBytes(resolveOptions().repairBytesPerSecond),
    parse: parseBytes,
  },
  tombstoneGraceMs: {
    ...ms('how long a delete is remembered; equal in a mesh'),
    meshWide: true,
  },
  tombstonesMax: count('deletes remembered at most'),
  markersMax: count('clears and invalidated tags remembered at most'),
}

const NAMES = Object.keys(FLAGS) as Name[]

/** `maxBytes` → `--max-bytes`. */
export function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/** The flags as commander takes them; an option not given stays undefined. */
export function peerFlags(): Option[] {
  const defaults: Partial<Record<Name, unknown>> = resolveOptions()
  return NAMES.map((name) => {
    const { argument, help, group, parse, fallback = shown(defaults[name]) } = FLAGS[name]
    const flag = flagOf(name)
    const about = fallback === undefined ? help : `${help} (default: ${fallback})`
    const option = new Option(argument === undefined ? flag : `${flag} ${argument}`, about)
    if (parse !== undefined) option.argParser((text: string) => parse(flag, text))
    return option.helpGroup(group)
  })
}

function shown(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join(' ')
  return value === undefined || value === false ? undefined : String(value)
}

/** The peer's options among what commander parsed. Their values are for the library to check. */
export function peerOptions(parsed: Readonly<Record<string, unknown>>): PeerOptions {
  const given = NAMES.filter((name) => parsed[name] !== undefined)
  const options: PeerOptions = Object.fromEntries(given.map((name) => [name, parsed[name]]))
  return { http: DEFAULT_HTTP, ...options }
}

/** The flags that make another peer one of the same mesh: what has to be equal, and is not the default. */
export function meshFlags(options: PeerOptions): string[] {
  const defaults = resolveOptions()
  const resolved = resolveOptions(options)
  return NAMES.filter((name) => FLAGS[name].meshWide && resolved[name] !== defaults[name]).flatMap(
    (name) => [flagOf(name), String(resolved[name])],
  )
}

/**
 * An error of the library in the words of the command line: options become flags. Others stay as
 * they are.
 */
export function inFlags(error: unknown): unknown {
  if (!(error instanceof InvalidOptionError)) return error
  const problem = error.message.replace(`option ${error.option}: `, '')
  const [option = ''] = error.option.split('.')
  const words = problem.replace(/\b[a-z]+[A-Z]\w*\b/g, (word) =>
    (NAMES as string[]).includes(word) ? flagOf(word) : word,
  )
  return new UsageError(`${flagOf(option)}: ${words}`)
}

/**
 * Checks options as the library does, in the words of the command line.
 * @throws UsageError
 */
export function checkPeerOptions(options: PeerOptions): void {
  try {
    resolveOptions(options)
  } catch (error) {
    throw inFlags(error)
  }
}
