/**
 * What came of a chaos run: figures for scripts, and the same for people.
 */
import { coloured } from '../colour.js'
import { counted, formatCount, formatMs, quantile } from '../format.js'
import type { Finding, Rule } from './findings.js'
import type { ChaosOptions, ChaosRun } from './run.js'
import { FAULT_KINDS, type FaultKind } from './schedule.js'

/** A fault that was planned, and what became of it. Times are since the workload began. */
export interface FaultReport {
  readonly kind: FaultKind
  readonly target: string
  readonly what: string
  readonly plannedAtMs: number
  /** Undefined where it was left out. */
  readonly atMs: number | undefined
  readonly lastedMs: number | undefined
  readonly skipped: string | undefined
}

export interface ChaosReport {
  readonly ok: boolean
  readonly seed: number
  readonly peers: number
  readonly forSeconds: number
  readonly ack: string
  readonly replicas: number
  readonly faults: {
    readonly injected: Readonly<Record<string, number>>
    readonly skippedCount: number
    readonly schedule: readonly FaultReport[]
  }
  readonly operations: {
    readonly begun: number
    readonly acknowledged: number
    /** Failed without effect, and with an open outcome, by the error's code. */
    readonly refused: Readonly<Record<string, number>>
    readonly open: Readonly<Record<string, number>>
    /** Of members that were killed. */
    readonly unanswered: number
    readonly reads: number
    readonly failedReads: Readonly<Record<string, number>>
    /** That asked one owner alone, and got what is older than the same member's own acknowledged value. */
    readonly lateReads: number
    /** Due and not begun, for too many were under way. */
    readonly heldBack: number
    /** Acknowledged, and promised nothing any more: more owners were lost than that outlives. */
    readonly unpromised: number
    /** Of the longest runs: operations that are not remembered, and reads not judged for it. */
    readonly forgotten: number
    readonly unjudgedReads: number
  }
  readonly detection: {
    readonly kills: number
    /** Until a survivor called the killed dead. */
    readonly eachMedianMs: number | undefined
    /** Until every survivor did. */
    readonly medianMs: number | undefined
    readonly maxMs: number | undefined
    readonly missing: number
  }
  /** Members that ran and were called dead, how often, and how often without cause. */
  readonly deaths: { readonly told: number; readonly false: number }
  /** From the end of all faults until all members are equal; undefined where they are not within the limit. */
  readonly convergenceMs: number | undefined
  readonly keys: {
    readonly lost: number
    readonly resurrected: number
    readonly differing: number
    readonly phantom: number
  }
  /** Some of the late reads, in words. */
  readonly lateReads: readonly string[]
  readonly violationCount: number
  readonly violations: readonly Finding[]
  /** The command that does the same again. */
  readonly repeat: string
}

export function reportOf(
  run: ChaosRun,
  options: ChaosOptions,
  convergenceMs: number | undefined,
): ChaosReport {
  const { history, findings, deaths, injector, witness } = run
  const { ms, eachMs, missing } = deaths.detections()
  const schedule = injector.injections.map(
    ({ fault, target, what, atMs, endedAtMs, skipped }): FaultReport => ({
      kind: fault.kind,
      target,
      what,
      plannedAtMs: Math.round(fault.atMs),
      atMs: atMs && Math.round(atMs),
      lastedMs: atMs && endedAtMs && Math.round(endedAtMs - atMs),
      skipped,
    }),
  )
  const begun = schedule.filter(({ atMs }) => atMs !== undefined)
  const { peers, forMs, seed, ack, replicas } = options
  const keysOf = (rule: Rule) => findings.keyCount(rule)
  return {
    ok: findings.total === 0,
    seed,
    peers,
    forSeconds: forMs / 1_000,
    ack,
    replicas,
    faults: {
      injected: Object.fromEntries(
        options.kinds.map((kind) => [kind, begun.filter((fault) => fault.kind === kind).length]),
      ),
      skippedCount: schedule.length - begun.length,
      schedule,
    },
    operations: {
      begun: history.begunCount,
      acknowledged: history.acknowledgedCount,
      refused: history.refusedCount,
      open: history.openCount,
      unanswered: history.unansweredCount,
      reads: history.readCount,
      failedReads: history.failedReadCount,
      lateReads: witness.lateReadCount,
      heldBack: history.heldBackCount,
      unpromised: history.voidCount,
      forgotten: history.forgottenCount,
      unjudgedReads: history.unjudgedReadCount,
    },
    detection: {
      kills: begun.filter(({ kind }) => kind === 'kill').length,
      eachMedianMs: eachMs.length === 0 ? undefined : Math.round(quantile(eachMs, 0.5)),
      medianMs: ms.length === 0 ? undefined : Math.round(quantile(ms, 0.5)),
      maxMs: ms.length === 0 ? undefined : Math.round(Math.max(...ms)),
      missing: missing.length,
    },
    deaths: { told: deaths.parted, false: findings.count('false death') },
    convergenceMs: convergenceMs && Math.round(convergenceMs),
    keys: {
      lost: keysOf('lost'),
      resurrected: keysOf('resurrected'),
      differing: keysOf('differing'),
      phantom: keysOf('phantom'),
    },
    lateReads: witness.lateReads,
    violationCount: findings.total,
    violations: findings.kept,
    repeat: repeatOf(options),
  }
}

/** The command line that makes the same faults at the same moments. */
function repeatOf({ peers, forMs, seed, kinds, ack, replicas }: ChaosOptions): string {
  const given = [`--peers ${peers}`, `--for ${forMs / 1_000}`, `--seed ${seed}`]
  if (kinds.length < FAULT_KINDS.length) given.push(`--faults ${kinds.join(',')}`)
  if (ack !== 'quorum') given.push(`--ack ${ack}`)
  if (replicas !== 3) given.push(`--replicas ${replicas}`)
  return `hearsay chaos ${given.join(' ')}`
}

/** The report for people, line by line. */
export function printedReport(report: ChaosReport): string[] {
  const { operations, detection, deaths, keys, faults } = report
  const rows: Array<[what: string, figures: string]> = [
    ['faults', countsText(faults.injected, faults.skippedCount, 'left out')],
    [
      'writes',
      `${formatCount(operations.begun)}, ${formatCount(operations.acknowledged)} acknowledged`,
    ],
    ['  refused', countsText(operations.refused)],
    ['  open outcome', countsText(operations.open, operations.unanswered, 'of members that died')],
    ['reads', `${formatCount(operations.reads)}; failed: ${countsText(operations.failedReads)}`],
    ['detection', detectionText(detection)],
    [
      'false deaths',
      `${deaths.false}; ${deaths.told - deaths.false} with cause, such as a cut or a long pause`,
    ],
    [
      'convergence',
      report.convergenceMs === undefined ? 'not in time' : formatMs(report.convergenceMs),
    ],
    [
      'keys',
      `${keys.lost} lost, ${keys.resurrected} resurrected, ${keys.differing} differing, ${keys.phantom} phantom`,
    ],
  ]
  if (operations.lateReads > 0) {
    rows.push([
      'late reads',
      `${formatCount(operations.lateReads)} at one or local, below the reader's own write`,
    ])
  }
  if (operations.unpromised > 0) {
    rows.push([
      'unpromised',
      `${counted(operations.unpromised, 'write')}: more was lost than --ack ${report.ack} outlives`,
    ])
  }
  if (operations.heldBack > 0) {
    rows.push([
      'held back',
      `${counted(operations.heldBack, 'operation')}, for too many were under way`,
    ])
  }
  if (operations.forgotten + operations.unjudgedReads > 0) {
    rows.push([
      'forgotten',
      `${counted(operations.forgotten, 'old write')}; ${counted(operations.unjudgedReads, 'read')} not judged`,
    ])
  }
  return [
    '',
    'Schedule:',
    ...faults.schedule.map(scheduleLine),
    '',
    ...rows.map(([what, figures]) => `${what.padEnd(16)}${figures}`),
    '',
    ...report.violations.map(({ rule, message }) => `${coloured('red', '✗')} ${rule}: ${message}`),
    report.ok
      ? `${coloured('green', '✓')} Every promise was kept.`
      : `${coloured('red', '✗')} ${counted(report.violationCount, 'violation')}.`,
    `Again: ${report.repeat}`,
  ]
}

function scheduleLine({
  kind,
  target,
  what,
  plannedAtMs,
  atMs,
  lastedMs,
  skipped,
}: FaultReport): string {
  const at = `${((atMs ?? plannedAtMs) / 1_000).toFixed(1).padStart(7)} s`
  const came = skipped === undefined ? `for ${formatMs(lastedMs ?? 0)}` : `left out: ${skipped}`
  return `${at}  ${kind.padEnd(10)}${target.padEnd(16)}${what}, ${came}`
}

function detectionText({
  kills,
  eachMedianMs = 0,
  medianMs,
  maxMs,
  missing,
}: ChaosReport['detection']): string {
  if (kills === 0) return 'nobody was killed'
  const late = missing === 0 ? '' : `; ${missing} never`
  if (medianMs === undefined || maxMs === undefined) return `${counted(kills, 'kill')}${late}`
  const all = `all after ${formatMs(medianMs)} (median), ${formatMs(maxMs)} (max)`
  return `${counted(kills, 'kill')}; a survivor knew after ${formatMs(eachMedianMs)} (median), ${all}${late}`
}

function countsText(counts: Readonly<Record<string, number>>, more = 0, what = ''): string {
  const parts = Object.entries(counts).map(([name, count]) => `${formatCount(count)} ${name}`)
  if (more > 0) parts.push(`${formatCount(more)} ${what}`)
  return parts.length === 0 ? '0' : parts.join(', ')
}
