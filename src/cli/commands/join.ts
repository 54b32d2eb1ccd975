/**
 * `hearsay join`: makes a running peer dial further peers.
 */
import type { Command } from 'commander'
import { InvalidOptionError } from '../../errors.js'
import { resolveOptions } from '../../options.js'
import { UsageError } from '../failure.js'
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
  checkAddresses(addresses)
  const client = clientOf(options)
  await client.join(addresses)
  const members = await client.members()
  if (options.json) return printJson(members)
  const alive = members.filter((member) => member.state === 'alive').length
  printLine(`joined: ${counted(alive, 'member')} alive`)
}

/** Checks addresses as the library does. @throws UsageError */
function checkAddresses(addresses: string[]): void {
  try {
    resolveOptions({ bootstrap: addresses })
  } catch (error) {
    throw error instanceof InvalidOptionError ? new UsageError(`ADDR: ${error.problem}`) : error
  }
}
