/** What a source file reaches for, read from its text: good enough for files that a formatter has been over. */
import path from 'node:path'

/** One import: `npm:<package>`, `node:<module>`, or the path of a file of this project, from its root. */
export interface Import {
  readonly file: string
  /** As it is written in the file. */
  readonly specifier: string
  readonly target: string
}

/** The target of an import whose specifier is not a plain string. */
export const COMPUTED = 'computed at run time'

const PATTERNS = [
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*(['"])(?<specifier>[^'"]+)\1/gm,
  /^\s*import\s*(['"])(?<specifier>[^'"]+)\1/gm,
  /\b(?:import|require)\s*\(\s*(?:(['"`])(?<specifier>[^'"`$]+)\1|[^)\s])/g,
]

/** The text without its comments; strings are left alone, whatever stands in them. */
export function withoutComments(source: string): string {
  const stringOrComment =
    /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/.*/g
  return source.replace(stringOrComment, (_, string) => string ?? '')
}

/** Every import of a file: static, re-exported, dynamic, and of types alone. */
export function importsOf(file: string, source: string): Import[] {
  const text = withoutComments(source)
  return PATTERNS.flatMap((pattern) =>
    [...text.matchAll(pattern)].map(({ groups }) => {
      const specifier = groups?.specifier ?? COMPUTED
      return { file, specifier, target: targetOf(file, specifier) }
    }),
  )
}

function targetOf(file: string, specifier: string): string {
  if (specifier === COMPUTED) return COMPUTED
  if (specifier.startsWith('.')) {
    return path.posix.join(path.posix.dirname(file), specifier).replace(/\.js$/, '.ts')
  }
  if (specifier.startsWith('node:')) return specifier
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  return name === 'hearsay' ? 'src/index.ts' : `npm:${name}`
}
