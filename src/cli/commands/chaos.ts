/**
 * `hearsay chaos`: chaos that anyone can run. Real processes and real TCP, a constant workload, faults
 * from a seed, and a checker that says whether any promise was broken.
 */
import { randomInt } from 'node:crypto'
import { type Command, Option } from 'commander'
import { ACKS, type Ack } from '../../api.js'
import { createCanvas } from '../canvas.js'
import { ChaosRun } from '../chaos/run.js'
import { FAULT_KINDS, type FaultKind } from '../chaos/schedule.js'
import {
  type ChaosScreen,
  JsonChaosScreen,
  LiveChaosScreen,
  PlainChaosScreen,
} from '../chaos/screens.js'
import { QuietFailure, UsageError } from '../failure.js'
import { noteStopping, stopRequests } from '../stop.js'
import { parseWhole } from '../values.js'

const SEED_MAX = 2 ** 32 - 1

const EXAMPLES = `
Examples:
  $ hearsay chaos
  $ hearsay chaos --peers 7 --for 60 --seed 3
  $ hearsay chaos --faults kill,partition --ack all
  $ hearsay chaos --json | tail -1 | jq .keys

Faults: kill (SIGKILL, then another process in its place), pause (SIGSTOP),
partition (links cut, both ways or one way), slow (links with a delay),
clock (a wall clock that is wrong by up to ten minutes).

Exits 0 only if nothing acknowledged was lost, nothing deleted came back, all
copies are equal at the end, and nobody was called dead without cause.`

interface ChaosFlags {
  readonly peers: number
  readonly for: number
  readonly seed?: number
  readonly faults: readonly FaultKind[]
  readonly ack: Ack
  readonly replicas: number
  readonly json?: boolean
}

/** Adds the command to the program. */
export function registerChaos(program: Command): void {
  program
    .command('chaos')
    .summary('break a mesh on this machine, and check what it promises')
    .description(
      'Start a mesh of processes on this machine, write to it without pause, kill, stop, cut off and slow down its members, and check that every promise is kept.',
    )
    .option('--peers <n>', 'number of peers, 3 to 20', whole('--peers', 3, 20), 5)
    .option('--for <seconds>', 'how long faults last, 5 to 3600', whole('--for', 5, 3_600), 30)
    .option(
      '--seed <n>',
      'where all faults come from (default: random)',
      whole('--seed', 0, SEED_MAX),
    )
    .addOption(
      new Option('--faults <list>', `of ${FAULT_KINDS.join(', ')}`)
        .argParser(parseFaults)
        .default(FAULT_KINDS, 'all'),
    )
    .addOption(
      new Option('--ack <level>', 'acknowledgements that writes wait for')
        .choices([...ACKS])
        .default('quorum'),
    )
    .option('--replicas <n>', 'owners of each key, 1 to 16', whole('--replicas', 1, 16), 3)
    .option('--json', 'one JSON object a line, the last one the report')
    .addHelpText('after', EXAMPLES)
    .action(chaos)
}

async function chaos(flags: ChaosFlags): Promise<void> {
  const { peers, faults, ack, replicas } = flags
  if (replicas > peers) {
    throw new UsageError(`--replicas: ${replicas} is more than --peers, ${peers}`)
  }
  const seed = flags.seed ?? randomInt(SEED_MAX)
  const stop = stopRequests()
  const title = `chaos: ${peers} peers, ${flags.for} s, seed ${seed}, ${faults.join(' ')}`
  const screen = await createScreen(flags, title)
  stop.addEventListener('abort', () => noteStopping('all peers'))
  const options = { peers, forMs: flags.for * 1_000, seed, kinds: faults, ack, replicas }
  const report = await new ChaosRun(options, screen).run(stop).catch((error: unknown) => {
    screen.end(undefined)
    throw error
  })
  screen.end(report)
  if (!report.ok) throw new QuietFailure()
}

async function createScreen({ json = false }: ChaosFlags, title: string): Promise<ChaosScreen> {
  if (json) return new JsonChaosScreen()
  if (process.stdout.isTTY) return new LiveChaosScreen(await createCanvas(), title)
  return new PlainChaosScreen(title)
}

/** Reads a list such as `kill,pause`; each once, in the order of the kinds. */
function parseFaults(text: string): readonly FaultKind[] {
  const names = text.split(/[\s,]+/).filter((name) => name !== '')
  const unknown = names.find((name) => !FAULT_KINDS.some((kind) => kind === name))
  const available = FAULT_KINDS.join(', ')
  if (unknown !== undefined || names.length === 0) {
    throw new UsageError(`--faults: ${JSON.stringify(unknown ?? text)} is not one of ${available}`)
  }
  return FAULT_KINDS.filter((kind) => names.includes(kind))
}

function whole(flag: string, min: number, max: number): (text: string) => number {
  return (text) => parseWhole(flag, text, min, max)
}
