/**
 * `hearsay sync`: a round of repair with everybody, now.
 */
import type { Command } from 'commander'
import { printJson, printLine } from '../output.js'
import { clientOf, type RemoteOptions, remoteCommand } from '../remote.js'

/** Adds the command to the program. */
export function registerSync(program: Command): void {
  remoteCommand(program, 'sync', {
    summary: 'make the peer and the others hold the same, now',
    description:
      'Compare what the peer holds with everybody who owns it as well, and make them equal. Peers do so by themselves every few seconds, with one of the others at a time.',
    examples: ['hearsay sync', 'hearsay sync --peer http://127.0.0.1:7701 --json'],
  }).action(sync)
}

async function sync(options: RemoteOptions): Promise<void> {
  const result = await clientOf(options).sync()
  if (options.json) return printJson(result)
  const { memberCount, pulledCount, pushedCount } = result
  const others = memberCount === 1 ? '1 other peer' : `${memberCount} other peers`
  if (memberCount === 0) printLine('there is no other peer to compare with')
  else if (pulledCount + pushedCount === 0) printLine(`equal with ${others}`)
  else printLine(`equal with ${others} now: ${pulledCount} records taken in, ${pushedCount} sent`)
}
