/**
 * How a chaos run tells what happens: a few lines that are drawn anew on a terminal, plain lines
 * elsewhere, JSON lines for scripts.
 */
import type { Canvas } from '../canvas.js'
import { coloured } from '../colour.js'
import { counted, formatCount, formatMs } from '../format.js'
import { clip } from '../mesh-table.js'
import { printJson, printLine } from '../output.js'
import type { Finding } from './findings.js'
import type { Injection } from './injector.js'
import type { ChaosProcess } from './process.js'
import { type ChaosReport, printedReport } from './report.js'
import type { ChaosRun } from './run.js'

export type Phase = 'starting' | 'working' | 'mending' | 'checking'

/** What can be told. */
export interface ChaosScreen {
  phase(phase: Phase, what: string): void
  /** A member's process runs. */
  spawned(name: string, pid: number): void
  faultBegins(injection: Injection): void
  faultEnds(injection: Injection): void
  /** @param afterKillMs undefined where the member was not killed */
  death(by: ChaosProcess, of: ChaosProcess, afterKillMs: number | undefined): void
  finding(finding: Finding): void
  log(name: string, level: string, message: string): void
  /** The mesh is not at rest yet, and why. */
  waiting(why: string): void
  progress(run: ChaosRun): void
  /** Nothing else comes but the report, if there is one. */
  end(report: ChaosReport | undefined): void
}

/** JSON lines; the last one is the report. */
export class JsonChaosScreen implements ChaosScreen {
  phase(phase: Phase): void {
    printJson({ event: 'phase', phase })
  }

  spawned(name: string, pid: number): void {
    printJson({ event: 'peer:start', name, pid })
  }

  faultBegins({ fault, target, atMs }: Injection): void {
    const { kind, atMs: plannedAtMs, forMs, ...details } = fault
    printJson({
      event: 'fault:start',
      kind,
      target,
      atMs: round(atMs),
      plannedAtMs,
      forMs,
      ...details,
    })
  }

  faultEnds({ fault, target, endedAtMs, skipped }: Injection): void {
    printJson({ event: 'fault:end', kind: fault.kind, target, atMs: round(endedAtMs), skipped })
  }

  death(by: ChaosProcess, of: ChaosProcess, afterKillMs: number | undefined): void {
    printJson({ event: 'member:dead', name: of.name, by: by.name, afterKillMs: round(afterKillMs) })
  }

  finding({ rule, message }: Finding): void {
    printJson({ event: 'violation', rule, message })
  }

  log(name: string, level: string, message: string): void {
    printJson({ event: 'log', level, name, message })
  }

  waiting(why: string): void {
    printJson({ event: 'waiting', why })
  }

  progress({ elapsedMs, history, injector, findings, unrest }: ChaosRun): void {
    const { begunCount, acknowledgedCount, readCount } = history
    const faults = injector.active.map(({ fault, target }) => `${fault.kind} ${target}`)
    const atMs = round(elapsedMs)
    const violationCount = findings.total
    printJson({
      event: 'progress',
      atMs,
      begunCount,
      acknowledgedCount,
      readCount,
      faults,
      unrest,
      violationCount,
    })
  }

  end(report: ChaosReport | undefined): void {
    if (report !== undefined) printJson({ event: 'report', ...report })
  }
}

/** How often plain lines say how far it is, in ms. */
const SUMMARY_INTERVAL_MS = 5_000

/** Plain lines. */
export class PlainChaosScreen implements ChaosScreen {
  #saidAtMs = 0
  #why = ''

  constructor(title: string) {
    printLine(title)
  }

  phase(_phase: Phase, what: string): void {
    printLine(what)
  }

  spawned(name: string, pid: number): void {
    printLine(`${name} is process ${pid}`)
  }

  faultBegins(injection: Injection): void {
    printLine(beginText(injection))
  }

  faultEnds(injection: Injection): void {
    printLine(endText(injection))
  }

  death(by: ChaosProcess, of: ChaosProcess, afterKillMs: number | undefined): void {
    printLine(deathText(by, of, afterKillMs))
  }

  finding({ rule, message }: Finding): void {
    printLine(`VIOLATION ${rule}: ${message}`)
  }

  log(name: string, level: string, message: string): void {
    if (level !== 'info') printLine(`${name}: ${message}`)
  }

  waiting(why: string): void {
    if (why === this.#why) return
    this.#why = why
    printLine(`waiting: ${why}`)
  }

  progress(run: ChaosRun): void {
    const { elapsedMs } = run
    if (elapsedMs === 0 || elapsedMs - this.#saidAtMs < SUMMARY_INTERVAL_MS) return
    this.#saidAtMs = elapsedMs
    printLine(summaryOf(run))
  }

  end(report: ChaosReport | undefined): void {
    if (report !== undefined) for (const line of printedReport(report)) printLine(line)
  }
}

/** Lines of news that are shown. */
const NEWS_MAX = 8

/** Lines that are drawn anew. */
export class LiveChaosScreen implements ChaosScreen {
  readonly #news: string[] = []
  #phase = ''
  #why = ''
  #summary = ''
  #active: readonly Injection[] = []

  constructor(
    private readonly canvas: Canvas,
    private readonly title: string,
  ) {}

  phase(_phase: Phase, what: string): void {
    this.#phase = what
    this.#draw()
  }

  // Which process it is matters to who looks for it in a log.
  spawned(): void {}

  faultBegins(injection: Injection): void {
    this.#tell(beginText(injection))
  }

  faultEnds(injection: Injection): void {
    this.#tell(endText(injection))
  }

  death(by: ChaosProcess, of: ChaosProcess, afterKillMs: number | undefined): void {
    this.#tell(deathText(by, of, afterKillMs))
  }

  finding({ rule, message }: Finding): void {
    this.#tell(coloured('red', `✗ ${rule}: ${message}`))
  }

  // What peers warn of is what is done to them; with plain lines or JSON it is there to be read.
  log(): void {}

  waiting(why: string): void {
    this.#why = why
    this.#draw()
  }

  progress(run: ChaosRun): void {
    this.#summary = summaryOf(run)
    this.#active = run.injector.active
    this.#draw()
  }

  end(report: ChaosReport | undefined): void {
    this.#draw()
    this.canvas.done()
    // Not on the canvas: it shows no more than fits the terminal.
    if (report !== undefined) for (const line of printedReport(report)) printLine(line)
  }

  #tell(text: string): void {
    this.#news.push(text)
    if (this.#news.length > NEWS_MAX) this.#news.shift()
    this.#draw()
  }

  #draw(): void {
    const { columns = 80 } = process.stdout
    const going = this.#active.map(({ target, what }) => `  ${target}: ${what}`)
    const why = this.#why === '' ? '' : `: ${this.#why}`
    this.canvas.draw([
      coloured('bold', clip(this.title, columns)),
      clip(`${this.#phase}${why}`, columns),
      clip(this.#summary, columns),
      '',
      ...going.map((line) => clip(coloured('yellow', line), columns)),
      ...this.#news.map((line) => clip(line, columns)),
      '',
      coloured('dim', 'Ctrl-C stops all'),
    ])
  }
}

function summaryOf({ elapsedMs, history, findings }: ChaosRun): string {
  const { acknowledgedCount, begunCount, readCount } = history
  const writes = `${formatCount(begunCount)} writes, ${formatCount(acknowledgedCount)} acknowledged`
  const bad = counted(findings.total, 'violation')
  return `${formatMs(elapsedMs)}: ${writes}, ${formatCount(readCount)} reads, ${bad}`
}

function beginText({ fault, target, what, atMs = 0 }: Injection): string {
  return `${formatMs(atMs)}: ${fault.kind} ${target}: ${what} for ${formatMs(fault.forMs)}`
}

function endText({ fault, target, atMs = 0, endedAtMs = 0, skipped }: Injection): string {
  if (skipped !== undefined) return `${fault.kind} ${target} is left out: ${skipped}`
  return `${formatMs(endedAtMs)}: ${fault.kind} ${target} is over, after ${formatMs(endedAtMs - atMs)}`
}

function deathText(by: ChaosProcess, of: ChaosProcess, afterKillMs: number | undefined): string {
  const after = afterKillMs === undefined ? ', which runs' : ` after ${formatMs(afterKillMs)}`
  return `${by.name} says ${of.name} is dead${after}`
}

function round(ms: number | undefined): number | undefined {
  return ms && Math.round(ms)
}
