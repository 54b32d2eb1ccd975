/** The flags of `simulate`: what they may be, and what makes a run come out the same. */
import { Command } from 'commander'
import { UsageError } from '../../../src/cli/failure.js'
import { parseWhole } from '../../../src/cli/values.js'
import { FAULT_KINDS } from '../faults.js'
import type { GenerateOptions } from '../generate.js'

/** Seeds are numbers of 32 bits. */
const SEED_MAX = 2 ** 32 - 1

const RUNS_MAX = 100_000_000

/** With less than two there is no mesh. */
const MEMBERS = { min: 2, max: 100 }

const REPLICAS_MAX = 16

/** With less there is no time for faults. */
const SECONDS = { min: 5, max: 100_000 }

const JOBS_MAX = 256

const SHRINK_RUNS_MAX = 100_000

const EXAMPLES = `
Examples:
  $ npm run simulate -- --seed 7                       what happens in seed 7, line by line
  $ npm run simulate -- --seed 7 --wire                the same, with every message and frame
  $ npm run simulate -- --runs 10000 --jobs 4          seeds 1 to 10000, up to the first that fails
  $ npm run simulate -- --runs 500 --faults loss,crash only what these faults do
  $ npm run simulate -- --runs 500 --keep-going --json | tail -1 | jq .failedSeeds

The same seed with the same --faults, --members, --replicas and --seconds is the same run, on any machine.
Kinds of faults: ${Object.keys(FAULT_KINDS).join(', ')}.

Exit codes: 0 no promise was broken, 1 one was, 2 bad usage.`

/** What was asked for. */
export interface Flags {
  readonly seed: number
  /** Undefined: one run, with its history. */
  readonly runs?: number
  readonly faults?: readonly string[]
  readonly members?: number
  readonly replicas?: number | 'all'
  readonly seconds?: number
  readonly jobs: number
  readonly keepGoing?: boolean
  /** Runs to spend on shortening the script of a failure. */
  readonly shrink: number
  readonly wire?: boolean
  readonly json?: boolean
}

/** @throws UsageError, or a CommanderError that has been told already */
export function parseFlags(args: readonly string[], { isQuiet }: { isQuiet: boolean }): Flags {
  const whole = (flag: string, min: number, max: number) => (text: string) =>
    parseWhole(flag, text, min, max)
  const command = new Command('npm run simulate --')
    .usage('[options]')
    .description(
      'Run meshes of real peers on simulated time, with faults made up from a seed, and check that every promise holds.',
    )
    .option('--seed <n>', 'the seed to begin with', whole('--seed', 0, SEED_MAX), 1)
    .option(
      '--runs <n>',
      'run so many seeds (default: one, with its history)',
      whole('--runs', 1, RUNS_MAX),
    )
    .option('--faults <list>', 'kinds of faults, with commas; none (default: all)', parseFaults)
    .option(
      '--members <n>',
      'members that begin (default: 5, or 5 to 7 where keys have so many owners)',
      whole('--members', MEMBERS.min, MEMBERS.max),
    )
    .option(
      '--replicas <n>',
      'owners of each key, 1 to 16, or all (default: drawn)',
      (text: string) => (text === 'all' ? text : whole('--replicas', 1, REPLICAS_MAX)(text)),
    )
    .option(
      '--seconds <n>',
      'simulated time of a run at least (default: 60)',
      whole('--seconds', SECONDS.min, SECONDS.max),
    )
    .option('--jobs <n>', 'processes that share the seeds', whole('--jobs', 1, JOBS_MAX), 1)
    .option('--keep-going', 'do not stop at the first seed that fails')
    .option(
      '--shrink <n>',
      'runs to spend on shortening the script of a failure; 0: none',
      whole('--shrink', 0, SHRINK_RUNS_MAX),
      200,
    )
    .option('--wire', 'show every message and frame of a single run')
    .option('--json', 'one JSON object a line, the report last')
    .addHelpText('after', EXAMPLES)
    .allowExcessArguments(false)
    .exitOverride()
    .showHelpAfterError('Add --help to see what is possible.')
    .configureOutput({ writeErr: (text) => isQuiet || process.stderr.write(text) })
    .parse([...args], { from: 'user' })
  return checked(command.opts<Flags>())
}

function checked(flags: Flags): Flags {
  const { seed, runs, wire } = flags
  if (runs !== undefined && wire) {
    throw new UsageError('--wire: shows the messages of a single run, so not with --runs')
  }
  if (runs !== undefined && seed + runs - 1 > SEED_MAX) {
    throw new UsageError(`--runs: ${runs} seeds from ${seed} end beyond the last, ${SEED_MAX}`)
  }
  return flags
}

/** Reads `loss,crash`, in the order in which they are drawn. */
function parseFaults(text: string): string[] {
  if (text === 'none') return []
  const kinds = Object.keys(FAULT_KINDS)
  const names = text.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !kinds.includes(name))
  if (unknown !== undefined) {
    const known = kinds.join(', ')
    throw new UsageError(
      `--faults: ${JSON.stringify(unknown)} is no kind of fault; there are ${known}; or none`,
    )
  }
  return kinds.filter((kind) => names.includes(kind))
}

/** What runs are made up from, beside the seed. */
export function generateOptions(flags: Flags): GenerateOptions {
  const { faults, members, replicas, seconds } = flags
  return {
    ...(faults !== undefined && { faults }),
    ...(replicas !== undefined && { replicas }),
    ...(members !== undefined && { members }),
    ...(seconds !== undefined && { seconds }),
  }
}

/** The command that has one seed happen again. */
export function replayCommand(seed: number, options: GenerateOptions = {}) {
  const { faults, members, replicas, seconds } = options
  const flags = [
    `--seed ${seed}`,
    faults && `--faults ${faults.join(',') || 'none'}`,
    members && `--members ${members}`,
    replicas && `--replicas ${replicas}`,
    seconds && `--seconds ${seconds}`,
  ]
  return `npm run simulate -- ${flags.filter(Boolean).join(' ')}`
}
