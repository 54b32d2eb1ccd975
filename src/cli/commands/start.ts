/**
 * `hearsay start`: one peer, until it is told to stop. With `--json` its stdout is an interface:
 * scripts, `up` and `demo` read the lines that are written here.
 */
import type { Command } from 'commander'
import { Option } from 'commander'
import type { Peer } from '../../api.js'
import { AddressInUseError } from '../../errors.js'
import { describeEvent, type EventLine, PEER_EVENTS } from '../events.js'
import { CommandFailure } from '../failure.js'
import { counted, formatTime } from '../format.js'
import { createLogger, LOG_LEVELS } from '../log.js'
import { printJson, printLine } from '../output.js'
import { checkPeerOptions, inFlags, meshFlags, peerFlags, peerOptions } from '../peer-flags.js'
import { shellQuoted } from '../shell.js'
import { aborted, noteStopping, stopRequests } from '../stop.js'

const EXAMPLES = `
Examples:
  $ hearsay start
  $ hearsay start --http 127.0.0.1:7701 --bootstrap /ip4/127.0.0.1/tcp/4001
  $ hearsay start --mesh shop --max-bytes 512mb --json | tee peer.log

With --json, stdout has one JSON object a line: {"event":"ready",…} once the
peer serves, one for each event of the peer, and {"event":"stopped"} at the end.
SIGINT or SIGTERM makes the peer hand over what it has queued and leave; a
second one ends it at once.`

type Parsed = Record<string, unknown> & { json?: boolean; logLevel: string }

/** Adds the command to the program. */
export function registerStart(program: Command): void {
  const command = program
    .command('start')
    .summary('run one peer until it is stopped')
    .description('Run one peer of a mesh, with its HTTP gateway, until SIGINT or SIGTERM.')
  for (const flag of peerFlags()) command.addOption(flag)
  command
    .addOption(logLevelOption())
    .option('--json', 'one JSON object a line on stdout, JSON logs on stderr')
    .addHelpText('after', EXAMPLES)
    .action((parsed: Parsed) => start(parsed))
}

/** `--log-level`, which the commands that start peers share. */
export function logLevelOption(): Option {
  return new Option('--log-level <level>', 'what goes to stderr')
    .choices(LOG_LEVELS)
    .default('warn')
}

async function start(parsed: Parsed): Promise<void> {
  const options = peerOptions(parsed)
  checkPeerOptions(options)
  const stop = stopRequests()
  const json = parsed.json === true
  // Loaded late: the network library takes most of the time that a command needs to begin.
  const { createPeer } = await import('../../index.js')
  const logger = createLogger(parsed.logLevel, json)
  const peer = await createPeer({ ...options, logger }).catch((error: unknown) => {
    throw explained(error)
  })
  const announcer = json ? new JsonAnnouncer(peer) : new TextAnnouncer(peer, meshFlags(options))
  try {
    await Promise.race([peer.ready(), aborted(stop)])
    if (!stop.aborted) announcer.ready()
    await aborted(stop)
    noteStopping(peer.name)
  } finally {
    // An orphan's parent is gone, and its siblings are going: nobody is left to hand over to.
    await peer.stop({ drain: stop.reason !== 'orphaned' })
  }
  announcer.stopped()
}

/** An error of the start, with what to do about it. */
function explained(error: unknown): unknown {
  if (!(error instanceof AddressInUseError)) return inFlags(error)
  const hint = error.address.startsWith('/')
    ? 'name another with --listen'
    : 'name another with --http HOST:PORT, or switch HTTP off with --http off'
  return new CommandFailure(error.code, `${error.message}: ${hint}`, { cause: error })
}

/**
 * Tells what the peer does. Events from before it serves are kept until it does, so that `ready`
 * comes first.
 */
abstract class Announcer {
  #early: EventLine[] | undefined = []

  constructor(protected readonly peer: Peer) {
    for (const event of PEER_EVENTS) {
      peer.on(event, (detail) => this.#take({ event, at: Date.now(), ...detail }))
    }
  }

  #take(line: EventLine): void {
    if (this.#early === undefined) this.onEvent(line)
    else this.#early.push(line)
  }

  /** The peer serves. */
  ready(): void {
    this.onReady()
    const early = this.#early ?? []
    this.#early = undefined
    for (const line of early) this.onEvent(line)
  }

  abstract stopped(): void
  protected abstract onReady(): void
  protected abstract onEvent(line: EventLine): void
}

class JsonAnnouncer extends Announcer {
  protected onReady(): void {
    const { id, name, addresses, http } = this.peer
    printJson({ event: 'ready', id, name, addresses, http: http ?? null })
  }

  protected onEvent(line: EventLine): void {
    printJson(line)
  }

  stopped(): void {
    printJson({ event: 'stopped' })
  }
}

class TextAnnouncer extends Announcer {
  /** @param meshFlags what another peer of the mesh is started with */
  constructor(
    peer: Peer,
    private readonly meshFlags: readonly string[],
  ) {
    super(peer)
  }

  protected onReady(): void {
    const { id, name, mesh, addresses, http, members } = this.peer
    const others = members.filter((member) => !member.self && member.state === 'alive').length
    printLine(`${name} serves the mesh ${mesh}, with ${counted(others, 'other peer')}`)
    printLine(`  id       ${id}`)
    for (const address of addresses) printLine(`  address  ${address}`)
    printLine(`  http     ${http ?? 'off'}`)
    if (addresses[0] !== undefined) {
      const flags = ['--http', '127.0.0.1:0', '--bootstrap', addresses[0], ...this.meshFlags]
      printLine(`  another  hearsay start ${shellQuoted(flags)}`)
    }
  }

  protected onEvent(line: EventLine): void {
    printLine(`${formatTime(line.at ?? Date.now())} ${describeEvent(line)}`)
  }

  stopped(): void {
    printLine('stopped')
  }
}
