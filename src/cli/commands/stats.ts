/**
 * `hearsay stats`: the counters and gauges of a peer.
 */
import type { Command } from 'commander'
import { formatBytes, formatCount, formatMs, formatShare } from '../format.js'
import { printJson, printLine } from '../output.js'
import { clientOf, type RemoteOptions, remoteCommand } from '../remote.js'

/** Adds the command to the program. */
export function registerStats(program: Command): void {
  remoteCommand(program, 'stats', {
    summary: "print a peer's counters and gauges",
    description: "Print a peer's counters since its start and its gauges as of now.",
    examples: ['hearsay stats', 'hearsay stats --json | jq .hitRate'],
  }).action(stats)
}

async function stats(options: RemoteOptions): Promise<void> {
  const answer = await clientOf(options).stats()
  if (options.json) return printJson(answer)
  const figures = flattened(answer as unknown as Record<string, unknown>)
  const width = Math.max(...figures.map(([name]) => name.length))
  for (const [name, value] of figures) {
    printLine(`${name.padEnd(width)}  ${formatFigure(name, value)}`)
  }
}

/**
 * Names as they are in the library, so that they can be looked up; records are listed by name and
 * reason.
 */
function flattened(record: Record<string, unknown>): [name: string, value: unknown][] {
  return Object.entries(record).flatMap(([name, value]): [string, unknown][] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([reason, count]) => [`${name}.${reason}`, count])
      : [[name, value]],
  )
}

/** The unit of a figure is the end of its name. */
function formatFigure(name: string, value: unknown): string {
  if (typeof value !== 'number') return String(value)
  if (name.endsWith('Ms')) return formatMs(value)
  if (name.endsWith('Bytes')) return formatBytes(value)
  if (name.endsWith('Rate')) return formatShare(value)
  return formatCount(value)
}
