/**
 * What goes to stdout: text for people, one JSON object a line for scripts. A reader that closes
 * the pipe (`hearsay members | head -1`) is no error.
 */

/** Writes one line to stdout. */
export function printLine(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Writes one line of JSON to stdout. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value))
}

/** Writes one line to stderr: for what is not the answer. */
export function printNote(text: string): void {
  process.stderr.write(`${text}\n`)
}

let onClosed: () => void = () => process.exit(0)

/** Calls `listener`, instead of ending the process, when nobody reads stdout any more. */
export function whenOutputCloses(listener: () => void): void {
  onClosed = listener
}

/** Makes a closed pipe end the command quietly. Called once, by the bin. */
export function tolerateClosedPipes(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return onClosed()
    // Such as a full disk: what was asked for has not been delivered.
    printNote(`error: cannot write the output: ${error.message}`)
    process.exit(1)
  })
  // Nobody is left to be told.
  process.stderr.on('error', () => {})
}

/** Ends the process once what was written to stdout has gone out. */
export function exitAfterOutput(code: number): void {
  // One turn later, for an error of the last write is told in between.
  process.stdout.write('', () => setImmediate(() => process.exit(code)))
}
