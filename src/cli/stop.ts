/**
 * When a long-running command is to stop: at SIGINT or SIGTERM, when nobody reads its output any
 * more, or, for a child of `up` and `demo`, when its parent is gone, however that came to pass.
 */
import { printNote, whenOutputCloses } from './output.js'

/** Why a command stops. */
export type StopReason = 'signal' | 'orphaned' | 'output-closed'

/** How long an orphan may take to leave its mesh. */
const ORPHAN_DEADLINE_MS = 5_000

/**
 * Returns a signal that is aborted, with a {@link StopReason}, at the first request to stop. A
 * second signal ends the process at once with exit code 1, except in a child: its parent hurries it
 * with SIGKILL if need be, while Ctrl-C in a terminal reaches the child twice, by the terminal and
 * by the parent.
 */
export function stopRequests(): AbortSignal {
  const controller = new AbortController()
  const stop = (reason: StopReason) => controller.abort(reason)
  const isChild = process.send !== undefined
  const onSignal = () => {
    if (!controller.signal.aborted) return stop('signal')
    if (!isChild) process.exit(1)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  whenOutputCloses(() => stop('output-closed'))
  if (isChild) {
    const onOrphaned = () => {
      setTimeout(() => process.exit(1), ORPHAN_DEADLINE_MS).unref()
      stop('orphaned')
    }
    if (process.connected) process.once('disconnect', onOrphaned)
    else onOrphaned()
  }
  return controller.signal
}

/** Says, to a person at a terminal, that stopping has begun and how to hurry it. */
export function noteStopping(what: string): void {
  if (process.stderr.isTTY) printNote(`stopping ${what} (Ctrl-C again: at once)`)
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
