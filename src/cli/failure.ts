/**
 * What can go wrong on the command line, and the exit code and words that each failure becomes.
 */
import { CommanderError } from 'commander'
import { HearsayError } from '../errors.js'

/** Exit codes: scripts may rely on them. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const

/**
 * The command was called wrongly: exit code 2. The message names the flag, the value and the limit.
 */
export class UsageError extends Error {
  readonly code = 'BAD_USAGE'
}

/** The command was understood and could not be carried out: exit code 1. */
export class CommandFailure extends Error {
  constructor(
    /** Stable: safe to compare in a script. */
    readonly code: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}

/**
 * The failure has been told already, or is one that a script reads from the exit code: a miss, say.
 */
export class QuietFailure extends Error {}

/** What becomes of an error: the exit code, and what to write to stderr, if anything. */
export interface Verdict {
  readonly exitCode: number
  readonly message: string | undefined
}

/**
 * Judges an error that ended a command.
 * @param json whether the command was asked for JSON: then the message is one JSON object
 * @param debug whether to add the stack
 */
export function judge(error: unknown, { json = false, debug = false } = {}): Verdict {
  if (error instanceof QuietFailure) return { exitCode: EXIT.failed, message: undefined }
  if (error instanceof CommanderError) return judgeCommander(error, json)
  const { code, message } = named(error)
  const exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed
  if (json) return { exitCode, message: JSON.stringify({ error: { code, message } }) }
  return { exitCode, message: debug ? `error: ${stackOf(error)}` : `error: ${message}` }
}

/** commander has written its own message by now, except where JSON is asked for. */
function judgeCommander(error: CommanderError, json: boolean): Verdict {
  if (error.exitCode === 0) return { exitCode: EXIT.ok, message: undefined }
  const problem = { code: 'BAD_USAGE', message: error.message.replace(/^error: /, '') }
  return { exitCode: EXIT.usage, message: json ? JSON.stringify({ error: problem }) : undefined }
}

function named(error: unknown): { code: string; message: string } {
  if (
    error instanceof UsageError ||
    error instanceof CommandFailure ||
    error instanceof HearsayError
  ) {
    return { code: error.code, message: error.message }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'UNEXPECTED', message: `${message} (HEARSAY_DEBUG=1 shows where)` }
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}
