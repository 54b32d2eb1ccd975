/**
 * `hearsay explain`: where a key belongs, what each of its owners holds, and which of it wins.
 */
import type { Command } from 'commander'
import type { Explanation, ReplicaExplanation } from '../../api.js'
import { CLOCK_SKEW_WARN_MS } from '../../options.js'
import { formatBytes, formatMs, shortId } from '../format.js'
import { printJson, printLine } from '../output.js'
import { clientOf, type RemoteOptions, remoteCommand } from '../remote.js'
import { type Column, renderTable } from '../table.js'

const COLUMNS: readonly Column[] = [
  { head: 'owner' },
  { head: 'id' },
  { head: 'state' },
  { head: 'role' },
  { head: 'holds' },
  { head: 'size', align: 'right' },
  { head: 'age', align: 'right' },
  { head: 'writer' },
  { head: 'version' },
]

/** Adds the command to the program. */
export function registerExplain(program: Command): void {
  remoteCommand(program, 'explain <cache> <key>', {
    summary: 'say where a key belongs and what its owners hold',
    description:
      'Ask every owner of a key what it holds: version, writer, age, and which of it wins and why.',
    examples: [
      'hearsay explain demo greeting',
      "hearsay explain users 42 --json | jq '.replicas[] | select(.latest | not)'",
    ],
  }).action(explain)
}

async function explain(cache: string, key: string, options: RemoteOptions): Promise<void> {
  const explanation = await clientOf(options).explain(cache, key)
  if (options.json) return printJson(explanation)
  for (const line of explanationLines(explanation)) printLine(line)
}

/** An explanation as it is printed, line by line. */
export function* explanationLines(explanation: Explanation): Generator<string> {
  const { cache, key, partition, changing, replicas, winner, hint, near } = explanation
  yield `${key} of cache ${cache}: partition ${partition}${changing ? ', the ring is changing' : ''}`
  yield ''
  if (replicas.length === 0) yield 'no member owns it: none serves'
  else yield* renderTable(COLUMNS, replicas.map(cells))
  yield ''
  if (hint !== undefined) yield 'the peer asked keeps its own write until the owners have it'
  if (near !== undefined) yield `the peer asked has a near copy: ${shortVersion(near.version)}`
  yield* clockLines(explanation)
  if (winner === undefined) {
    yield 'no owner that answered knows anything of the key'
    return
  }
  const what = winner.cleared ? 'the clear' : winner.deleted ? 'the delete' : 'the value'
  yield `${what} of ${formatMs(winner.ageMs)} ago by ${shortId(winner.writer)} wins: ${winner.why}`
}

/** A clock that is wrong explains what wins, or why this peer does not write. */
function* clockLines({ clockSkewMs }: Explanation): Generator<string> {
  if (Math.abs(clockSkewMs) <= CLOCK_SKEW_WARN_MS) return
  const where = clockSkewMs > 0 ? 'ahead of' : 'behind'
  yield `the clock of the peer asked is ${formatMs(Math.abs(clockSkewMs))} ${where} those of its peers`
}

function cells(replica: ReplicaExplanation): string[] {
  const { name, id, self, state, role, bytes, ageMs, writer, version } = replica
  return [
    self ? `${name} (asked)` : name,
    shortId(id),
    state,
    role,
    holding(replica),
    bytes === undefined ? '-' : formatBytes(bytes),
    ageMs === undefined ? '-' : formatMs(ageMs),
    writer === undefined ? '-' : shortId(writer),
    version === undefined ? '-' : shortVersion(version),
  ]
}

function holding({ holds, latest, inSync }: ReplicaExplanation): string {
  const notes = [
    ...(latest ? ['latest'] : []),
    ...(inSync || holds === 'unknown' ? [] : ['still taking over']),
  ]
  return notes.length === 0 ? holds : `${holds} (${notes.join(', ')})`
}

/** Without the writer, which has a column of its own. */
function shortVersion(version: string): string {
  return version.split('-').slice(0, 2).join('-')
}
