/**
 * `hearsay delete`: deletes a key on all members, whether it has a value or not.
 */
import type { Command } from 'commander'
import { printJson } from '../output.js'
import { clientOf, type RemoteOptions, remoteCommand } from '../remote.js'

/** Adds the command to the program. */
export function registerDelete(program: Command): void {
  remoteCommand(program, 'delete <cache> <key>', {
    summary: 'delete a key',
    description: 'Delete a key on all members. It is no error when it has no value.',
    examples: ['hearsay delete demo greeting'],
  }).action(remove)
}

async function remove(cache: string, key: string, options: RemoteOptions): Promise<void> {
  await clientOf(options).delete(cache, key)
  if (options.json) printJson({ cache, key })
}
