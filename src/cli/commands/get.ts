/**
 * `hearsay get`: the value of a key, on stdout and as it is, so that it can be piped.
 */
import { type Command, Option } from 'commander'
import { CONSISTENCIES, type Consistency } from '../../api.js'
import type { Body, Found } from '../client.js'
import { CommandFailure, QuietFailure } from '../failure.js'
import { printJson, printNote } from '../output.js'
import { clientOf, type RemoteOptions, remoteCommand } from '../remote.js'

interface GetOptions extends RemoteOptions {
  readonly consistency?: Consistency
}

/** Adds the command to the program. */
export function registerGet(program: Command): void {
  remoteCommand(program, 'get <cache> <key>', {
    summary: 'print the value of a key',
    description:
      'Print the value of a key: text and bytes as they are, anything else as JSON. Exits 1 when the key has no value.',
    examples: [
      'hearsay get demo greeting',
      'hearsay get users 42 | jq .name',
      'hearsay get demo greeting --json',
      'hearsay get orders 7 --consistency quorum',
    ],
  })
    .addOption(
      new Option(
        '--consistency <level>',
        "whom to ask; one is an owner of the key, quorum the majority of them, for the latest of what they know (default: the cache's own, or local)",
      ).choices(CONSISTENCIES),
    )
    .action(get)
}

async function get(cache: string, key: string, options: GetOptions): Promise<void> {
  const found = await clientOf(options).get(cache, key, options.consistency)
  if (found === undefined) {
    const message = `no value: cache ${cache} has no key ${key}`
    if (options.json) throw new CommandFailure('KEY_NOT_FOUND', message)
    printNote(message)
    throw new QuietFailure()
  }
  if (options.json) printJson({ key, ...jsonOf(found) })
  else process.stdout.write(printed(found.body))
}

/** JSON has no bytes: they are given as base64, and `encoding` says so. */
function jsonOf({ body, version }: Found): Record<string, unknown> {
  if (body.type !== 'bytes') return { value: body.value, version }
  return { value: Buffer.from(body.value).toString('base64'), encoding: 'base64', version }
}

/** Lines end with a newline; bytes are not lines. */
function printed(body: Body): string | Uint8Array {
  if (body.type === 'bytes') return body.value
  const text = body.type === 'text' ? body.value : JSON.stringify(body.value)
  return text.endsWith('\n') ? text : `${text}\n`
}
