/**
 * `hearsay demo`: the tour, unattended. Five peers, a thousand keys, a crash and a return, with
 * figures; exit 0 only if nothing was lost.
 */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { DemoMesh } from '../demo/mesh.js'
import { DemoReport } from '../demo/report.js'
import { tour } from '../demo/tour.js'
import { CommandFailure, QuietFailure } from '../failure.js'
import { formatMs } from '../format.js'
import { aborted, stopRequests } from '../stop.js'
import { logLevelOption } from './start.js'

/** The tour takes some ten seconds; past this it hangs. */
const DEADLINE_MS = 55_000

const EXAMPLES = `
Examples:
  $ hearsay demo
  $ hearsay demo --json | tail -1 | jq .

Exits 0 only if every step held and no key was lost.`

interface DemoOptions {
  readonly logLevel: string
  readonly json?: boolean
}

/** Adds the command to the program. */
export function registerDemo(program: Command): void {
  program
    .command('demo')
    .summary('take the tour: five peers, a crash, nothing lost')
    .description(
      'Take the tour, unattended and in under a minute: start five peers on this machine, write 1,000 keys, kill a peer, see who notices, restart it, see it catch up.',
    )
    .addOption(logLevelOption().default('error'))
    .option('--json', 'one JSON object for each step, and a summary')
    .addHelpText('after', EXAMPLES)
    .action(demo)
}

async function demo({ logLevel, json = false }: DemoOptions): Promise<void> {
  const stop = stopRequests()
  const end = new AbortController()
  stop.addEventListener('abort', () => end.abort())
  const deadline = setTimeout(() => end.abort(), DEADLINE_MS)
  const report = new DemoReport(json)
  const folder = await mkdtemp(join(tmpdir(), 'hearsay-demo-'))
  // A name of its own, so that it meets no other mesh.
  const name = `demo-${randomBytes(4).toString('hex')}`
  const mesh = new DemoMesh({ mesh: name, logLevel }, folder)
  try {
    await Promise.race([tour(mesh, report, end.signal), aborted(end.signal)])
  } finally {
    clearTimeout(deadline)
    await mesh.stop()
    await rm(folder, { recursive: true, force: true })
  }
  if (stop.aborted) throw new CommandFailure('STOPPED', 'the demo was stopped before its end')
  if (end.signal.aborted) {
    throw new CommandFailure('TIMED_OUT', `the demo was not done after ${formatMs(DEADLINE_MS)}`)
  }
  if (!report.summarize()) throw new QuietFailure()
}
