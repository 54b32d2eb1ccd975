/**
 * Commands to be pasted into a shell.
 */

/** Words as a POSIX shell reads them back: quoted where it would take them for something else. */
export function shellQuoted(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w%+,./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}
