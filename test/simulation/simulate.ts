/**
 * The simulator as a command: `npm run simulate -- --help`.
 *
 * One seed, with all that happens in it; or as many as wanted, until one breaks a promise: that one is then told with
 * the shortest script found that still breaks it.
 */
import { EXIT, judge } from '../../src/cli/failure.js'
import { counted, formatMs } from '../../src/cli/format.js'
import {
  exitAfterOutput,
  printJson,
  printLine,
  printNote,
  tolerateClosedPipes,
} from '../../src/cli/output.js'
import { type Flags, generateOptions, parseFlags, replayCommand } from './command/flags.js'
import { printHistory, printSummary, printViolations } from './command/print.js'
import { createProgress, NO_PROGRESS, Tally } from './command/progress.js'
import { type Outcome, runSeeds } from './command/seeds.js'
import { shorten } from './command/shorten.js'
import { generatePlan } from './generate.js'
import { runPlan } from './run.js'

/** Runs the command. Returns the exit code; never throws. */
async function main(args: readonly string[]): Promise<number> {
  const json = args.includes('--json')
  try {
    const flags = parseFlags(args, { isQuiet: json })
    return flags.runs === undefined ? await showOne(flags) : await runMany(flags, flags.runs)
  } catch (error) {
    const { exitCode, message } = judge(error, { json })
    if (message !== undefined) printNote(message)
    return exitCode
  }
}

/** One seed, with its history. */
async function showOne(flags: Flags): Promise<number> {
  const { seed, wire, json } = flags
  const startedAtMs = performance.now()
  const plan = generatePlan(seed, generateOptions(flags))
  const report = await runPlan(plan, { seed, history: wire ? 'wire' : true })
  const elapsedMs = performance.now() - startedAtMs
  const { history, ...outcome } = report
  if (json) {
    for (const line of history) printJson({ event: 'history', line })
    const { options, network, faults } = plan
    printJson({
      event: 'report',
      ...outcome,
      elapsedMs: Math.round(elapsedMs),
      options,
      network,
      faults,
    })
  } else {
    printHistory(report, plan)
    printSummary(report, plan, elapsedMs)
  }
  return report.violations.length === 0 ? EXIT.ok : EXIT.failed
}

/** Seed after seed, up to the first that fails or, if so wanted, to the end. */
async function runMany(flags: Flags, runs: number): Promise<number> {
  const { seed: fromSeed, jobs, json, keepGoing } = flags
  const progress = json ? NO_PROGRESS : createProgress()
  const stop = stopRequests()
  const tally = new Tally()
  const generate = generateOptions(flags)
  let first: Outcome | undefined
  for await (const outcome of runSeeds({ fromSeed, runs, jobs, generate, signal: stop })) {
    tally.add(outcome)
    if (outcome.violations.length > 0) {
      first ??= outcome
      progress.clear()
      tellFailure(outcome, flags)
      if (!keepGoing) break
    }
    progress.show(() => tally.describe(runs))
  }
  progress.clear()
  if (first !== undefined && flags.shrink > 0 && !stop.aborted) {
    await shorten(first, flags, progress, stop)
  }
  tellEnd(tally, flags, runs)
  return tally.violationCount === 0 && !stop.aborted ? EXIT.ok : EXIT.failed
}

function tellFailure(outcome: Outcome, flags: Flags): void {
  const { seed, violations } = outcome
  const replay = replayCommand(seed, generateOptions(flags))
  if (flags.json) {
    printJson({ event: 'failure', seed, violations, replay })
  } else {
    printViolations(outcome)
    printLine(`to see it happen: ${replay}`)
    printLine('')
  }
}

/** The last lines. */
function tellEnd(tally: Tally, { seed: fromSeed, json }: Flags, runs: number): void {
  const { doneCount, failedSeeds, violationCount, simulatedMs, workCount, recordCount } = tally
  const elapsedMs = Math.round(tally.elapsedMs)
  if (json) {
    const counts = { doneCount, failedSeeds, violationCount, simulatedMs, workCount, recordCount }
    printJson({ event: 'report', fromSeed, runs, ...counts, elapsedMs })
  } else {
    printLine(tally.describe(runs))
    const work = `${counted(workCount, 'call')}, ${counted(recordCount, 'record')} published`
    printLine(`${work}, in ${formatMs(elapsedMs)}`)
  }
}

/** Aborted at the first request to stop; the second ends the process at once. */
function stopRequests(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT.failed)
      controller.abort()
    })
  }
  return controller.signal
}

tolerateClosedPipes()
exitAfterOutput(await main(process.argv.slice(2)))
