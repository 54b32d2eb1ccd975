/**
 * Ends the children of a chaos run when its driver is gone without having done so: a child that stands
 * still (SIGSTOP) does not see that it is an orphan. A process of its own, which nobody stops.
 */

/** What the driver tells: that a child runs, or has ended. */
export type GuardMessage =
  | { readonly does: 'run'; readonly pid: number }
  | { readonly does: 'end'; readonly pid: number }

const running = new Set<number>()

process.on('message', ({ does, pid }: GuardMessage) => {
  if (does === 'run') running.add(pid)
  else running.delete(pid)
})
process.on('disconnect', () => {
  for (const pid of running) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  process.exit()
})
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
