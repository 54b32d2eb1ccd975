/**
 * `hearsay join`: makes a running peer dial further peers.
 */
import type { Command } from 'commander'
import { counted } from '../format.js'
import { printJson, printLine } from '../output.js'
import { clientOf, type RemoteOptions, remoteCommand } from '../remote.js'

/** Adds the command to the program. */
export function registerJoin(program: Command): void {
  remoteCommand(program, 'join <addr...>', {
    summary: 'make a peer join others',
    description:
      'Make a running peer dial further peers of its mesh. One that answers is enough: the others are learnt from it.',
    examples: ['hearsay join /ip4/127.0.0.1/tcp/4001', 'hearsay join dns://cache:4001'],
  }).action(join)
}

async function join(addresses: string[], options: RemoteOptions): Promise<void> {
  const client = clientOf(options)
  await client.join(addresses)
  const members = await client.members()
  if (options.json) return printJson(members)
  const alive = members.filter((member) => member.state === 'alive').length
  printLine(`joined: ${counted(alive, 'member')} alive`)
}
