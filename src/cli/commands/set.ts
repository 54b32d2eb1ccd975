/**
 * `hearsay set`: sets a key, to an argument or to what comes on stdin.
 */
import { buffer } from 'node:stream/consumers'
import { type Command, Option } from 'commander'
import { type Body, decodeText } from '../client.js'
import { UsageError } from '../failure.js'
import { printJson } from '../output.js'
import { ackOption, clientOf, remoteCommand, type WriteOptions, written } from '../remote.js'
import { parseWhole } from '../values.js'

interface SetOptions extends WriteOptions {
  readonly ttl?: number
  readonly tag?: string[]
  readonly type: Body['type']
}

/** Adds the command to the program. */
export function registerSet(program: Command): void {
  remoteCommand(program, 'set <cache> <key> <value>', {
    summary: 'set a key',
    description: 'Set a key on all members. A value of - is read from stdin.',
    examples: [
      'hearsay set demo greeting hello',
      'hearsay set users 42 \'{"name":"Ada"}\' --type json --ttl 60000',
      'hearsay set images logo - --type bytes < logo.png',
      'hearsay set orders 7 paid --ack quorum',
      'hearsay set pages /shoes/42 - --tag product:42 --tag shoes < page.html',
    ],
  })
    .option('--ttl <ms>', 'time to live; 0 means never ends (default: 0)', (text) =>
      parseWhole('--ttl', text, 0, Number.MAX_SAFE_INTEGER),
    )
    .option('--tag <tag>', 'to invalidate it by, with others; may be repeated', repeated)
    .addOption(
      new Option('--type <type>', 'what the value is')
        .choices(['text', 'json', 'bytes'])
        .default('text'),
    )
    .addOption(ackOption())
    .action(set)
}

function repeated(tag: string, tags: readonly string[] = []): readonly string[] {
  return [...tags, tag]
}

async function set(cache: string, key: string, value: string, options: SetOptions): Promise<void> {
  const bytes = value === '-' ? await buffer(process.stdin) : Buffer.from(value)
  const { type, ttl: ttlMs, tag: tags, ack } = options
  await written(clientOf(options).set(cache, key, bodyOf(bytes, type), { ttlMs, tags, ack }))
  if (options.json) printJson({ cache, key })
}

function bodyOf(bytes: Buffer, type: Body['type']): Body {
  if (type === 'bytes') return { type, value: bytes }
  const text = textOf(bytes, type)
  if (type === 'text') return { type, value: text }
  try {
    return { type, value: JSON.parse(text) }
  } catch (error) {
    const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text
    throw new UsageError(`--type json: ${shown} is not JSON: ${(error as Error).message}`)
  }
}

function textOf(bytes: Buffer, type: Body['type']): string {
  try {
    return decodeText(bytes)
  } catch {
    throw new UsageError(`--type ${type}: the value is not valid UTF-8; --type bytes takes it`)
  }
}
