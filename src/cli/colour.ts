/**
 * Colour where a person looks at a terminal, none elsewhere or where NO_COLOR is set.
 */
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Colours `text` if `stream` is a terminal. */
export function coloured(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout) {
  const wanted = stream.isTTY && (process.env.NO_COLOR ?? '') === ''
  return wanted ? styleText(style, text) : text
}
