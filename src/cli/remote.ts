/**
 * What the commands that ask a running peer have in common: `--peer`, `--json`, and an example in
 * their help.
 */
import { type Command, Option } from 'commander'
import { ACKS, type Ack } from '../api.js'
import { PeerClient } from './client.js'
import { CommandFailure } from './failure.js'
import { DEFAULT_HTTP } from './peer-flags.js'
import { parsePeerUrl } from './values.js'

/** Where a peer is looked for when nothing says otherwise. */
const DEFAULT_PEER_URL = `http://${DEFAULT_HTTP}`

/** Options of every such command, as parsed. */
export interface RemoteOptions {
  readonly peer?: string
  readonly json?: boolean
}

/** Options of those that write. */
export interface WriteOptions extends RemoteOptions {
  readonly ack?: Ack
}

/** What a command is about. */
export interface About {
  readonly summary: string
  readonly description: string
  readonly examples: readonly string[]
}

/**
 * Adds a command with the common options to the program; the caller adds its own and its action.
 */
export function remoteCommand(program: Command, usage: string, about: About): Command {
  const examples = about.examples.map((example) => `  $ ${example}`)
  return program
    .command(usage)
    .summary(about.summary)
    .description(about.description)
    .addOption(
      new Option(
        '--peer <url>',
        `HTTP address of the peer to ask (default: HEARSAY_PEER, or ${DEFAULT_PEER_URL})`,
      ).argParser((text: string) => parsePeerUrl('--peer', text)),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExamples:\n${examples.join('\n')}`)
}

/** `--ack`, which the commands that write share. */
export function ackOption(): Option {
  return new Option(
    '--ack <level>',
    "acknowledgements to wait for; quorum is the majority of the key's owners, all every live one (default: the cache's own, or none)",
  ).choices(ACKS)
}

/** Waits for a write. @throws CommandFailure that says what is open, where too few have acknowledged it */
export async function written(write: Promise<void>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!(error instanceof CommandFailure && error.code === 'NOT_CONFIRMED')) throw error
    const message = `${error.message}; the outcome is open: the write has taken effect at the peer asked, and may reach the others yet or be lost`
    throw new CommandFailure(error.code, message, { cause: error })
  }
}

/** A client of the peer that the options name. @throws UsageError when HEARSAY_PEER names none */
export function clientOf(options: RemoteOptions): PeerClient {
  return new PeerClient(options.peer ?? defaultPeerUrl())
}

/** Whether it is this peer that is asked when no flag says which. */
export function isDefaultPeer(url: string | undefined): boolean {
  return url === (variable() ?? DEFAULT_PEER_URL)
}

/** Read no sooner than it is used: a bad one must not spoil a help text. */
function defaultPeerUrl(): string {
  const url = variable()
  return url === undefined ? DEFAULT_PEER_URL : parsePeerUrl('HEARSAY_PEER', url)
}

/** An empty variable is one that is not set. */
function variable(): string | undefined {
  const url = process.env.HEARSAY_PEER
  return url === '' ? undefined : url
}
