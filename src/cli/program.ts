/**
 * The command line as a whole: its commands, its help, and what an error becomes.
 */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { registerChaos } from './commands/chaos.js'
import { registerDelete } from './commands/delete.js'
import { registerDemo } from './commands/demo.js'
import { registerEvents } from './commands/events.js'
import { registerExplain } from './commands/explain.js'
import { registerForget } from './commands/forget.js'
import { registerGet } from './commands/get.js'
import { registerJoin } from './commands/join.js'
import { registerMembers } from './commands/members.js'
import { registerSet } from './commands/set.js'
import { registerStart } from './commands/start.js'
import { registerStats } from './commands/stats.js'
import { registerSync } from './commands/sync.js'
import { registerUp } from './commands/up.js'
import { EXIT, judge } from './failure.js'
import { printNote } from './output.js'

const ABOUT = `A peer-to-peer cache mesh with no coordinator.

Peers find each other, split the keys among them, and go on when one of them is lost.`

const EXAMPLES = `
Examples:
  $ hearsay demo                           the tour: five peers, a crash, nothing lost
  $ hearsay up                             five peers to play with, and a live table
  $ hearsay set demo greeting hello        set a key at the peer on port 7700
  $ hearsay get demo greeting --peer http://127.0.0.1:7701

Exit codes: 0 ok, 1 failed, 2 bad usage.`

/**
 * Whether errors are to be told as JSON: asked of the raw arguments, for parsing them may be what
 * fails.
 */
let json = false

/**
 * Runs a command line, without the names of node and script. Returns the exit code; never throws.
 */
export async function run(args: readonly string[]): Promise<number> {
  const flagsEnd = args.indexOf('--')
  json = args.slice(0, flagsEnd < 0 ? args.length : flagsEnd).includes('--json')
  try {
    await createProgram().parseAsync([...args], { from: 'user' })
    return EXIT.ok
  } catch (error) {
    return told(error)
  }
}

/** Tells of an error that nothing caught. Returns the exit code. */
export function failedUnexpectedly(error: unknown): number {
  return Math.max(told(error), EXIT.failed)
}

function told(error: unknown): number {
  const debug = (process.env.HEARSAY_DEBUG ?? '') !== ''
  const { exitCode, message } = judge(error, { json, debug })
  if (message !== undefined) printNote(message)
  return exitCode
}

function createProgram(): Command {
  const program = new Command('hearsay')
    .description(ABOUT)
    .version(readVersion(), '-V, --version')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .showHelpAfterError('Add --help to see what is possible.')
    .configureOutput({ writeErr: (text) => json || process.stderr.write(text) })
  program.commandsGroup('Run peers:')
  registerStart(program)
  registerUp(program)
  registerDemo(program)
  registerChaos(program)
  program.commandsGroup('Ask a running peer:')
  registerGet(program)
  registerSet(program)
  registerDelete(program)
  registerMembers(program)
  registerStats(program)
  registerExplain(program)
  registerEvents(program)
  registerJoin(program)
  registerForget(program)
  registerSync(program)
  program.commandsGroup('Help:').helpCommand('help [command]', 'say more about a command')
  return program
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
