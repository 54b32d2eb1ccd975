/** What processes say on stderr that is worth a failure. */

/** A peer says when it stood still. On a busy machine it does, and tells the truth. */
const STOOD_STILL = 'this process stood still for'

/** The lines of an output but those that tell of a stall of the process itself. */
export function complaintsIn(stderr: unknown): string[] {
  const lines = String(stderr).split('\n')
  return lines.filter((line) => line !== '' && !line.includes(STOOD_STILL))
}
