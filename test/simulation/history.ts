/**
 * What happened in a run, line by line. Kept for a run that is to be read or compared, and not built at all for one of
 * thousands.
 */
import { printMoment } from './operations.js'

export class History {
  readonly lines: string[] = []
  readonly #nowMs: () => number

  constructor(
    nowMs: () => number,
    /** Whether lines are kept. */
    readonly isKept: boolean,
    /** Whether what goes over the network is noted, too. */
    readonly keepsWire = false,
  ) {
    this.#nowMs = nowMs
  }

  /** Notes a line; `text` is asked only when it is kept. */
  note(text: () => string): void {
    if (this.isKept) this.lines.push(`${printMoment(this.#nowMs())} ${text()}`)
  }
}

/** FNV-1a over bytes: enough to tell two messages apart in a history. */
export function digest(bytes: Uint8Array): string {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
