/**
 * A part of the terminal that is written over again and again.
 */

/** Draws a frame in place of the one before. */
export interface Canvas {
  draw(lines: readonly string[]): void
  /** Leaves the last frame where it is. */
  done(): void
}

/** The canvas on stdout. Loaded late: nothing else needs what it takes to draw. */
export async function createCanvas(): Promise<Canvas> {
  const { default: logUpdate } = await import('log-update')
  let height = 0
  return {
    draw(lines) {
      // log-update 7.2 leaves the end of the old frame standing when the new one is taller or
      // lower.
      if (lines.length !== height) logUpdate.clear()
      height = lines.length
      logUpdate(lines.join('\n'))
    },
    done: () => logUpdate.done(),
  }
}
