/** A copy of the source with other constants, in a folder of its own, to see what they are worth. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const CHILD = 'test/bench/mesh'

/** Puts a text in the place of another, which has to be there once. */
export interface Change {
  readonly file: string
  readonly from: RegExp
  readonly to: string
}

/** Runs `work` with the program of a child (see `child.ts`) whose `hearsay` is the source with these changes. */
export async function withVariant<T>(
  changes: readonly Change[],
  work: (program: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'hearsay-variant-'))
  try {
    await cp(join(ROOT, 'src'), join(folder, 'src'), { recursive: true })
    await mkdir(join(folder, CHILD), { recursive: true })
    await cp(join(ROOT, CHILD), join(folder, CHILD), { recursive: true })
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    const manifest = { name: 'hearsay', type: 'module', exports: './src/index.ts' }
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
    for (const change of changes) await apply(folder, change)
    return await work(join(folder, CHILD, 'child.ts'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function apply(folder: string, { file, from, to }: Change): Promise<void> {
  const path = join(folder, file)
  const text = await readFile(path, 'utf8')
  const places = text.match(new RegExp(from, 'g'))?.length ?? 0
  if (places !== 1) throw new Error(`${from} is in ${file} ${places} times, not once`)
  await writeFile(path, text.replace(from, to))
}
