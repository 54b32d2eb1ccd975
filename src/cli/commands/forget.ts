/**
 * `hearsay forget`: takes a dead or left member off the list for good.
 */
import type { Command } from 'commander'
import type { MemberInfo } from '../../api.js'
import { CommandFailure } from '../failure.js'
import { shortId } from '../format.js'
import { printJson, printLine } from '../output.js'
import { clientOf, type RemoteOptions, remoteCommand } from '../remote.js'

/** Adds the command to the program. */
export function registerForget(program: Command): void {
  remoteCommand(program, 'forget <id>', {
    summary: 'forget a dead or left member',
    description:
      'Forget a dead or left member on all members, and stop looking for it. The end of an id, as "hearsay members" prints it, will do.',
    examples: ['hearsay forget …Q3nV8xYz', 'hearsay forget 12D3KooWQ3nV8xYzExample'],
  }).action(forget)
}

async function forget(given: string, options: RemoteOptions): Promise<void> {
  const client = clientOf(options)
  const member = findMember(await client.members(), given)
  // An id that nobody has is for the peer to refuse, in its own words.
  const id = member?.id ?? given
  await client.forget(id)
  if (options.json) printJson({ id })
  else printLine(`forgotten: ${member?.name ?? ''} (${shortId(id)})`)
}

/** The member with the id, or the only one whose id ends as given. */
function findMember(members: readonly MemberInfo[], given: string): MemberInfo | undefined {
  const ending = given.replace(/^…/, '')
  const matches = members.filter(({ id }) => id === given || id.endsWith(ending))
  if (matches.length > 1) {
    const ids = matches.map(({ id }) => id).join(', ')
    throw new CommandFailure('AMBIGUOUS_ID', `${given} fits ${matches.length} members: ${ids}`)
  }
  return matches[0]
}
