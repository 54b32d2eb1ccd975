/**
 * `hearsay members`: the mesh as one peer sees it.
 */
import type { Command } from 'commander'
import type { MemberInfo } from '../../api.js'
import { shortId } from '../format.js'
import { printJson, printLine } from '../output.js'
import { clientOf, type RemoteOptions, remoteCommand } from '../remote.js'
import { ringShares } from '../ring-shares.js'
import { type Column, renderTable } from '../table.js'

const COLUMNS: readonly Column[] = [
  { head: 'name' },
  { head: 'id' },
  { head: 'state' },
  { head: 'role' },
  { head: 'incarnation', align: 'right' },
  { head: 'ring', align: 'right' },
  { head: 'addresses' },
]

/** Adds the command to the program. */
export function registerMembers(program: Command): void {
  remoteCommand(program, 'members', {
    summary: 'list the members of the mesh',
    description:
      'List the members of the mesh as the peer sees them: state, share of the ring, addresses.',
    examples: [
      'hearsay members',
      'hearsay members --json | jq -r \'.[] | select(.state == "dead") | .id\'',
    ],
  }).action(members)
}

async function members(options: RemoteOptions): Promise<void> {
  const list = await clientOf(options).members()
  if (options.json) return printJson(list)
  const shares = ringShares(list)
  const rows = list.map((member) => [
    member.self ? `${member.name} (asked)` : member.name,
    shortId(member.id),
    stateOf(member),
    member.role,
    String(member.incarnation),
    shares.get(member.id) ?? '-',
    member.addresses.map(withoutId).join(' '),
  ])
  for (const line of renderTable(COLUMNS, rows)) printLine(line)
}

/** What it is taken to be; and whether requests to it are given up for a while, because it has not answered. */
function stateOf({ state, breaker }: MemberInfo): string {
  return breaker === 'closed' ? state : `${state} (breaker ${breaker})`
}

/** The id has a column of its own. */
function withoutId(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '')
}
