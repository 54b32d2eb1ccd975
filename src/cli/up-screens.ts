/**
 * How `up` tells what it sees: a live table on a terminal, plain lines elsewhere, JSON lines for
 * scripts.
 */
import type { Canvas } from './canvas.js'
import { describeExit, type Exit, type ReadyLine } from './child-peer.js'
import { coloured } from './colour.js'
import { counted, formatMs, formatShare, formatTime } from './format.js'
import { clip, renderMesh } from './mesh-table.js'
import type { MeshView, PeerRow, Sighting } from './mesh-view.js'
import { printJson, printLine, printNote } from './output.js'
import { isDefaultPeer } from './remote.js'

/** What can be told. */
export interface Screen {
  peerReady(name: string, ready: ReadyLine, pid: number): void
  allReady(): void
  /** @param sinceExitMs time since the end of the subject's process, if it has ended */
  sighting(sighting: Sighting, sinceExitMs: number | undefined): void
  exited(name: string, exit: Exit): void
  log(name: string, level: string, message: string): void
  polled(): void
  stopping(): void
  stopped(): void
}

/** The next things to try, as commands to copy. */
export function suggestions(rows: readonly PeerRow[]): string[] {
  const running = rows.filter((row) => row.exit === undefined && row.http !== undefined)
  const [first, second = first] = running
  if (first === undefined || second === undefined) return []
  const victim = running.find((row) => row.name === 'peer-3') ?? running.at(-1)
  const commands = [
    `npx hearsay set demo greeting hello${peerFlag(first)}`,
    `npx hearsay get demo greeting${peerFlag(second)}`,
  ]
  return victim === first || victim === undefined
    ? commands
    : [...commands, `kill -9 ${victim.pid}  # ${victim.name}: watch the others notice`]
}

function peerFlag({ http }: PeerRow): string {
  return isDefaultPeer(http) ? '' : ` --peer ${http}`
}

/** `peer-3 is dead, says peer-1 after 320 ms`. */
export function describeSighting(
  { subject, observer, state }: Sighting,
  sinceExitMs: number | undefined,
): string {
  const verb = state === 'left' ? 'has left' : `is ${state}`
  // The end of a process is known here to a few ms.
  const after = sinceExitMs === undefined ? '' : ` after ${formatMs(Math.max(1, sinceExitMs))}`
  return `${subject} ${verb}, says ${observer}${after}`
}

/** JSON lines. */
export class JsonScreen implements Screen {
  constructor(private readonly view: MeshView) {}

  peerReady(_name: string, ready: ReadyLine, pid: number): void {
    const { id, name, addresses, http } = ready
    printJson({ event: 'peer:ready', id, name, pid, addresses, http })
  }

  allReady(): void {
    const peers = this.view.rows().map(({ name, pid, http }) => ({ name, pid, http }))
    printJson({ event: 'ready', peers })
  }

  sighting({ subject, observer, state, at }: Sighting, sinceExitMs: number | undefined): void {
    printJson({ event: `member:${state}`, name: subject, by: observer, at, sinceExitMs })
  }

  exited(name: string, { code, signal, at }: Exit): void {
    printJson({ event: 'peer:exit', name, code, signal, at })
  }

  log(name: string, level: string, msg: string): void {
    printNote(JSON.stringify({ level, name, msg }))
  }

  polled(): void {}

  stopping(): void {}

  stopped(): void {
    printJson({ event: 'stopped' })
  }
}

/** Plain lines: what happens, and a summary now and then when something has changed. */
export class PlainScreen implements Screen {
  #summary = ''
  #summaryAt = Number.POSITIVE_INFINITY

  constructor(
    private readonly view: MeshView,
    private readonly summaryIntervalMs = 10_000,
  ) {}

  peerReady(name: string, { http }: ReadyLine, pid: number): void {
    printLine(`${name} is ready: pid ${pid}, ${http}`)
  }

  allReady(): void {
    printLine(`${counted(this.view.rows().length, 'peer')} up. Try, in another terminal:`)
    for (const command of suggestions(this.view.rows())) printLine(`  ${command}`)
    this.#summaryAt = Date.now()
  }

  sighting(sighting: Sighting, sinceExitMs: number | undefined): void {
    printLine(describeSighting(sighting, sinceExitMs))
  }

  exited(name: string, exit: Exit): void {
    printLine(`${name} has died: ${describeExit(exit)}`)
  }

  log(name: string, level: string, message: string): void {
    printNote(`${level} ${name}: ${message}`)
  }

  polled(): void {
    const summary = summarize(this.view.rows())
    const now = Date.now()
    if (summary === this.#summary || now - this.#summaryAt < this.summaryIntervalMs) return
    this.#summary = summary
    this.#summaryAt = now
    printLine(summary)
  }

  stopping(): void {
    printLine('stopping')
  }

  stopped(): void {
    printLine('stopped')
  }
}

/** `4 of 5 peers run; items 12; hit rate 50.0 %; queue 0`. */
function summarize(rows: readonly PeerRow[]): string {
  const stats = rows.flatMap((row) => (row.stats === undefined ? [] : [row.stats]))
  const sum = (figure: (s: (typeof stats)[number]) => number) =>
    stats.reduce((total, each) => total + figure(each), 0)
  const reads = sum((s) => s.hitCount + s.missCount)
  const items = Math.max(0, ...stats.map((s) => s.itemCount))
  const hits = reads === 0 ? '' : `; hit rate ${formatShare(sum((s) => s.hitCount) / reads)}`
  const running = rows.filter((row) => row.exit === undefined).length
  return `${running} of ${counted(rows.length, 'peer')} run; ${counted(items, 'item')}${hits}; ${sum((s) => s.syncQueueSize)} writes queued`
}

/** How soon a change is drawn: many come at once. */
const DRAW_DELAY_MS = 50

/** Lines of news below the table: one death in a mesh of five makes nine. */
const NEWS_MAX = 9
const NEWS_MIN = 2

const RUNNING = 'Ctrl-C stops all'

/** The live table. */
export class LiveScreen implements Screen {
  readonly #news: string[] = []
  #drawing: NodeJS.Timeout | undefined
  #footer = 'starting'

  constructor(
    private readonly view: MeshView,
    private readonly canvas: Canvas,
    private readonly title: string,
  ) {
    this.polled()
  }

  peerReady(): void {
    this.polled()
  }

  allReady(): void {
    this.#footer = RUNNING
    this.polled()
  }

  sighting(sighting: Sighting, sinceExitMs: number | undefined): void {
    this.#tell(sighting.at, describeSighting(sighting, sinceExitMs))
  }

  exited(name: string, exit: Exit): void {
    this.#tell(exit.at, `${name} has died: ${describeExit(exit)}`)
  }

  log(name: string, level: string, message: string): void {
    this.#tell(Date.now(), `${level} ${name}: ${message}`)
  }

  #tell(at: number, text: string): void {
    this.#news.push(`${formatTime(at)} ${text}`)
    if (this.#news.length > NEWS_MAX) this.#news.shift()
    this.polled()
  }

  polled(): void {
    this.#drawing ??= setTimeout(() => {
      this.#drawing = undefined
      this.#draw()
    }, DRAW_DELAY_MS)
  }

  #draw(): void {
    const { columns = 80, rows: height = 24 } = process.stdout
    const rows = this.view.rows()
    const commands = this.#footer === RUNNING ? suggestions(rows) : []
    const tries = commands.map((command) => `  ${coloured('cyan', command)}`)
    const below = tries.length === 0 ? [] : ['', 'Try, in another terminal:', ...tries]
    // Title, blank, heading; blank before the news; blank, footer; and the cursor's.
    const room = height - below.length - 7
    // Peers come before news, but do not drive out all of it.
    const news = this.#news.slice(-Math.max(NEWS_MIN, Math.min(NEWS_MAX, room - rows.length)))
    // One more for the line that says how many peers are hidden.
    const rowsMax = rows.length <= room - news.length ? rows.length : room - news.length - 1
    this.canvas.draw([
      coloured('bold', this.title),
      '',
      ...renderMesh(rows, columns, rowsMax),
      ...below,
      ...(news.length === 0 ? [] : ['', ...news.map((line) => clip(line, columns))]),
      '',
      coloured('dim', this.#footer),
    ])
  }

  stopping(): void {
    this.#footer = 'stopping (Ctrl-C again: at once)'
    this.polled()
  }

  stopped(): void {
    clearTimeout(this.#drawing)
    this.#footer = 'stopped'
    this.#draw()
    this.canvas.done()
  }
}
