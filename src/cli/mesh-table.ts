/**
 * The live table of `up` as text: what there is to show and the width of the window in, lines out.
 */
import { describeExit } from './child-peer.js'
import { coloured } from './colour.js'
import { formatBytes, formatCount, formatMs, formatShare } from './format.js'
import type { PeerRow } from './mesh-view.js'
import { type Column, renderTable } from './table.js'

interface Field extends Column {
  readonly cell: (row: PeerRow) => string
}

const right = (head: string, cell: Field['cell']): Field => ({ head, align: 'right', cell })

const NAME: Field = { head: 'member', cell: (row) => row.name }
const PID = right('pid', (row) => (row.exit ? describeExit(row.exit) : String(row.pid)))
const HTTP: Field = { head: 'http', cell: (row) => row.http ?? '-' }
const STATE: Field = { head: 'state', cell: describeState }
const RING = right('ring', (row) => (row.exit ? '-' : row.ring))
const ITEMS = right('items', ({ stats }) => (stats ? formatCount(stats.itemCount) : '-'))
const MEMORY = right('memory', ({ stats }) => (stats ? formatBytes(stats.memoryBytes) : '-'))
const HIT_RATE = right('hit rate', describeHits)
const QUEUE = right('queue', ({ stats }) => (stats ? formatCount(stats.syncQueueSize) : '-'))
const SYNC = right('sync', ({ stats }) =>
  stats?.syncLatencyMs ? formatMs(stats.syncLatencyMs) : '-',
)

const WIDE: readonly Field[] = [
  NAME,
  PID,
  HTTP,
  STATE,
  { ...RING, head: 'ring share' },
  ITEMS,
  MEMORY,
  HIT_RATE,
  { ...QUEUE, head: 'sync queue' },
  { ...SYNC, head: 'latency' },
]

/** For 80 columns: ports for URLs, and figures without decimals. */
const NARROW: readonly Field[] = [
  NAME,
  PID,
  { ...HTTP, cell: (row) => row.http?.replace(/^.*(?=:)/, '') ?? '-' },
  STATE,
  { ...RING, cell: (row) => withoutDecimals(RING.cell(row)) },
  ITEMS,
  MEMORY,
  { ...HIT_RATE, head: 'hits', cell: (row) => withoutDecimals(HIT_RATE.cell(row)) },
  QUEUE,
  { ...SYNC, cell: (row) => SYNC.cell(row).replace(' ', '') },
]

/** The lines of the table, of which at most `rowsMax` are peers; none is wider than the window. */
export function renderMesh(rows: readonly PeerRow[], width: number, rowsMax: number): string[] {
  const shown = rows.slice(0, Math.max(1, rowsMax))
  const wide = renderFields(WIDE, shown)
  const fits = wide.every((line) => line.length < width)
  const [head = '', ...body] = fits ? wide : renderFields(NARROW, shown)
  // Whole lines are coloured, last of all: widths are reckoned from plain text.
  const lines = [
    coloured('bold', clip(head, width)),
    ...shown.map((row, index) => colouredByState(row, clip(body[index] ?? '', width))),
  ]
  const hidden = rows.length - shown.length
  return hidden === 0 ? lines : [...lines, `… and ${hidden} more: a taller window shows them`]
}

function renderFields(fields: readonly Field[], rows: readonly PeerRow[]): string[] {
  return renderTable(
    fields,
    rows.map((row) => fields.map((field) => field.cell(row))),
  )
}

/** `alive`, or `dead 3/4` while only three of four others say so. */
function describeState({ state, stateSayers, observers }: PeerRow): string {
  return stateSayers === observers ? state : `${state} ${stateSayers}/${observers}`
}

function describeHits({ stats }: PeerRow): string {
  if (stats === undefined || stats.hitCount + stats.missCount === 0) return '-'
  return formatShare(stats.hitRate)
}

function withoutDecimals(share: string): string {
  return share === '-' ? share : `${Math.round(Number.parseFloat(share))} %`
}

/** Cuts a line that would wrap. */
export function clip(line: string, width: number): string {
  return line.length < width ? line : `${line.slice(0, width - 2)}…`
}

function colouredByState(row: PeerRow, line: string): string {
  if (row.state === 'dead') return coloured('red', line)
  return row.state === 'alive' ? line : coloured('yellow', line)
}
