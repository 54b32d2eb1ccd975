/** What `simulate` tells people: the history of a run, what was drawn for it, and what went wrong. */
import { coloured } from '../../../src/cli/colour.js'
import { counted, formatMs } from '../../../src/cli/format.js'
import { printLine } from '../../../src/cli/output.js'
import type { Violation } from '../checker/violations.js'
import { FAULT_KINDS } from '../faults.js'
import { type Plan, printMoment, printStep } from '../operations.js'
import type { Report } from '../run.js'
import type { Outcome } from './seeds.js'

/** Columns that a moment and the space after it take. */
const MOMENT_WIDTH = printMoment(0).length + 1

/** What stands before the further lines of a violation. */
const PAD = ' '.repeat(MOMENT_WIDTH + 2)

/** What happened, with the violations where they showed. */
export function printHistory({ history, violations }: Report, plan: Plan): void {
  const faults = new Set(plan.faults.flatMap(({ steps }) => steps.map(printStep)))
  const left = [...violations]
  for (const line of history) {
    while (left[0] !== undefined && left[0].atMs < Number.parseFloat(line) * 1_000) {
      printViolation(left.shift() as Violation)
    }
    printLine(faults.has(line) ? coloured('yellow', line) : shaded(line))
  }
  left.forEach(printViolation)
}

/** What goes over the network stands furthest in, and back. */
function shaded(line: string): string {
  return line.startsWith('      ', MOMENT_WIDTH) ? coloured('dim', line) : line
}

/** The end of a single run. */
export function printSummary(report: Outcome, plan: Plan, elapsedMs: number): void {
  const { seed, simulatedMs, workCount, recordCount, violations } = report
  const work = `${counted(workCount, 'call')}, ${counted(recordCount, 'record')} published`
  printLine('')
  printLine(`seed ${seed}: ${formatMs(simulatedMs)} simulated in ${formatMs(elapsedMs)}, ${work}`)
  printLine(`options: ${printSettings({ ...plan.options, ...plan.network })}`)
  printFaults(plan)
  if (violations.length === 0) printLine(coloured('green', 'no promise was broken'))
  else printViolations(report)
}

function printSettings(settings: object): string {
  const set = Object.entries(settings).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return set.length === 0 ? 'defaults' : set.join(' ')
}

function printFaults({ faults }: Plan): void {
  printLine(`faults: ${faults.length === 0 ? 'none' : faults.length}`)
  const width = Math.max(...Object.keys(FAULT_KINDS).map(({ length }) => length))
  for (const { kind, steps } of faults) {
    const [first, ...others] = steps.map(printStep)
    printLine(`  ${kind.padEnd(width)} ${first ?? ''}`)
    for (const line of others) printLine(`  ${' '.repeat(width)} ${line}`)
  }
}

/** A seed that failed, and how; what showed again and again is told once. */
export function printViolations({ seed, violations }: Outcome): void {
  const headline = `seed ${seed} failed: ${counted(violations.length, 'violation')}`
  printLine(coloured('red', headline))
  for (const [first, ...others] of alike(violations)) {
    printViolation(first)
    const last = others.at(-1)
    if (last === undefined) continue
    const times = counted(others.length, 'time')
    printLine(`${PAD}… and ${times} more, up to ${printMoment(last.atMs).trim()}`)
  }
}

/** Those that say the same, together, in the order of the first of each. */
function alike(violations: readonly Violation[]): Iterable<[Violation, ...Violation[]]> {
  const groups = new Map<string, [Violation, ...Violation[]]>()
  for (const violation of violations) {
    const name = `${violation.rule} ${violation.message}`
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [violation])
    else group.push(violation)
  }
  return groups.values()
}

/** As a line of the history; further lines of the message stand below its first. */
export function printViolation({ atMs, rule, message }: Violation): void {
  const [first, ...others] = message.split('\n')
  printLine(coloured('red', `${printMoment(atMs)} ! ${rule}: ${first}`))
  for (const line of others) printLine(PAD + line)
}
