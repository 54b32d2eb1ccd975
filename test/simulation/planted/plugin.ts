/**
 * Plants a bug: a Vite plugin by which a module imported with `?planted=<name>` runs on the code under test with that
 * bug in it. The source that has the bug, and all that import it, are copies of their own, beside the ones without
 * bugs; what ships knows nothing of it.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Plugin } from 'vitest/config'
import { PLANTED_BUGS, type PlantedBug } from './bugs.js'

const ROOT = path.resolve(import.meta.dirname, '../../..')

/** The code under test, and what runs and judges it: that imports some of it, and gets it with the bug. */
const FOLDERS = ['src', 'test/simulation']

/** All sources as copies, and no bug in any. */
export const NO_BUG = 'none'

const QUERY = /[?&]planted=([\w-]+)/

/** Imports of which something is left when types are taken out. */
const IMPORT = /^(?:import|export)\b(?!\s+type\b)[^'"`;]*?\bfrom\s*'(\.[^']+)'/gm

export function plantedBugs(): Plugin {
  /** The sources that are copies, by bug. */
  const planted = new Map<string, ReadonlySet<string>>()
  return {
    name: 'planted-bugs',
    // Before types are taken out: bugs are changes to the text of the sources.
    enforce: 'pre',
    async resolveId(source, importer) {
      const [query, name] = QUERY.exec(source) ?? QUERY.exec(importer ?? '') ?? []
      if (query === undefined || name === undefined) return null
      if (QUERY.test(source)) planted.set(name, sourcesWith(name))
      const resolved = await this.resolve(withoutQuery(source), importer && withoutQuery(importer))
      return resolved && planted.get(name)?.has(resolved.id)
        ? `${resolved.id}?planted=${name}`
        : resolved
    },
    transform(code, id) {
      const [, name] = QUERY.exec(id) ?? []
      const bug = PLANTED_BUGS.find((planted) => planted.name === name)
      const isItsFile = bug !== undefined && withoutQuery(id) === path.join(ROOT, bug.file)
      return isItsFile ? { code: plant(bug, code), map: null } : null
    },
  }
}

/** A source with the bug in it. @throws when the text to replace is not there, or more than once */
function plant(bug: PlantedBug, source: string): string {
  const parts = source.split(bug.find)
  if (parts.length === 2) return parts.join(bug.replace)
  throw outOfDate(bug, `its text is there ${parts.length - 1} times, and has to be there once`)
}

function outOfDate({ name, file }: PlantedBug, problem: string): Error {
  return new Error(`bring the planted bug ${name} up to date with ${file}: ${problem}`)
}

/** The source that a bug is in, and all that import it, by whatever way. */
function sourcesWith(name: string): ReadonlySet<string> {
  const imports = new Map(allSources().map((file) => [file, importsOf(file)]))
  if (name === NO_BUG) return new Set(imports.keys())
  const bug = PLANTED_BUGS.find((planted) => planted.name === name)
  if (bug === undefined) throw new Error(`no planted bug is called ${name}`)
  const file = path.join(ROOT, bug.file)
  if (!imports.has(file)) throw outOfDate(bug, 'there is no such file')
  const found = new Set([file])
  // Those found are gone through, too: a set is walked in the order in which it was filled.
  for (const source of found) {
    for (const [importer, imported] of imports) if (imported.includes(source)) found.add(importer)
  }
  return found
}

function allSources(): string[] {
  return FOLDERS.flatMap((folder) => {
    const names = readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    return names.filter((file) => file.endsWith('.ts')).map((file) => path.join(ROOT, folder, file))
  })
}

function importsOf(file: string): string[] {
  const imports = readFileSync(file, 'utf8').matchAll(IMPORT)
  return Array.from(imports, ([, source = '']) =>
    path.join(path.dirname(file), source.replace(/\.js$/, '.ts')),
  )
}

function withoutQuery(id: string): string {
  return id.replace(/\?.*$/, '')
}
