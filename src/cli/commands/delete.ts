/**
 * `hearsay delete`: deletes a key on all members, whether it has a value or not.
 */
import type { Command } from 'commander'
import { printJson } from '../output.js'
import { ackOption, clientOf, remoteCommand, type WriteOptions, written } from '../remote.js'

/** Adds the command to the program. */
export function registerDelete(program: Command): void {
  remoteCommand(program, 'delete <cache> <key>', {
    summary: 'delete a key',
    description: 'Delete a key on all members. It is no error when it has no value.',
    examples: ['hearsay delete demo greeting', 'hearsay delete demo greeting --ack quorum'],
  })
    .addOption(ackOption())
    .action(remove)
}

async function remove(cache: string, key: string, options: WriteOptions): Promise<void> {
  await written(clientOf(options).delete(cache, key, options.ack))
  if (options.json) printJson({ cache, key })
}
