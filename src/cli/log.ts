/**
 * The log of a peer started from the command line: on stderr, as JSON lines, or as lines for
 * people.
 */
import { type DestinationStream, type Logger as Pino, pino } from 'pino'
import type { Logger } from '../options.js'
import { coloured } from './colour.js'
import { formatTime } from './format.js'

/** What `--log-level` takes. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

const STYLES = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const

/** A logger for `createPeer`. */
export function createLogger(level: string, json: boolean): Logger {
  const options = {
    level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  const log: Pino = pino(options, json ? pino.destination({ fd: 2, sync: true }) : readable())
  return {
    debug: (message) => log.debug(message),
    info: (message) => log.info(message),
    warn: (message) => log.warn(message),
    error: (message) => log.error(message),
  }
}

/** Turns pino's lines into `level message`, with time and colour on a terminal. */
function readable(): DestinationStream {
  return {
    write(line) {
      const { level, msg, time } = JSON.parse(line) as {
        level: keyof typeof STYLES
        msg: string
        time: number
      }
      const label = coloured(STYLES[level], level, process.stderr)
      const when = process.stderr.isTTY ? `${formatTime(time)} ` : ''
      process.stderr.write(`${when}${label} ${msg}\n`)
    },
  }
}
