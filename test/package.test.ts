/**
 * The package as users get it: packed, installed in an empty folder, imported, compiled against, and run from the
 * command line. Build before testing; one install, which takes a while, serves all tests.
 */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { importsOf } from './support/imports.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const MANIFEST = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'))

/** What people copy first: by the file in which it stands, and the text after which its code block comes. */
const FIRST_EXAMPLES = [
  { file: 'README.md', after: '\n## First example\n' },
  { file: 'src/index.ts', after: ' * @example\n' },
  { file: 'docs/testing.md', after: '\n## First example\n' },
]

/** An example's code. In a doc comment it stands behind ` * `. */
async function codeOf({ file, after }: (typeof FIRST_EXAMPLES)[number]): Promise<string> {
  const text = await readFile(join(ROOT, file), 'utf8')
  const start = text.indexOf(after)
  const [, code] = /^(?: \* )?```(?:ts|js)\n(.*?)^(?: \* )?```$/ms.exec(text.slice(start)) ?? []
  if (start < 0 || code === undefined) throw new Error(`${file} has no example after ${after}`)
  return code.replace(/^ \* ?/gm, '')
}

/** What an example's comments say that it prints, one pattern a line; `…` stands for anything. */
function promisedBy(code: string): RegExp {
  const lines = [...code.matchAll(/^console\.log\(.*\) \/\/ (.*)$/gm)].map(([, line = '']) =>
    line.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll('…', '.*'),
  )
  return new RegExp(`^${lines.join('\n')}$`)
}

let folder: string
let app: string
let packed: string[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearsay-package-'))
  app = join(folder, 'app')
  await mkdir(app)
  // Without scripts: `prepare` would build once more, under the feet of tests that run what is built.
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const [tarball] = JSON.parse((await execa('npm', pack, { cwd: ROOT })).stdout)
  packed = tarball.files.map(({ path }: { path: string }) => path)
  await execa('npm', ['init', '-y'], { cwd: app })
  const install = ['install', join(folder, tarball.filename), '--no-audit', '--no-fund']
  await execa('npm', install, { cwd: app })
  const { stdout } = await execa('du', ['-sh', 'node_modules'], { cwd: app, reject: false })
  console.log(`installed size: ${stdout}`)
}, 300_000)

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the packed files', () => {
  it('are what is built, the guides, the examples, the README and the licence', () => {
    for (const folder of ['dist', 'dist/testing']) {
      expect(packed).toContain(`${folder}/index.js`)
      expect(packed).toContain(`${folder}/index.d.ts`)
    }
    expect(packed).toContain('dist/cli/main.js')
    expect(packed).toContain('README.md')
    expect(packed).toContain('LICENSE')
    expect(packed.filter((file) => /^docs\/.*\.md$/.test(file))).not.toEqual([])
    expect(packed.filter((file) => /^examples\/.*\.ts$/.test(file))).not.toEqual([])
  })

  it('are nothing else: no tests, no sources, no settings', () => {
    const expected =
      /^(dist\/.*\.(js|d\.ts)|docs\/.*|examples\/[^/]*\.(md|ts)|README\.md|LICENSE|package\.json)$/
    expect(packed.filter((file) => !expected.test(file))).toEqual([])
    expect(packed.filter((file) => file.includes('.test.'))).toEqual([])
  })

  it('link to each other alone', async () => {
    for (const file of packed.filter((file) => file.endsWith('.md'))) {
      const text = await readFile(join(ROOT, file), 'utf8')
      for (const [, link = ''] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
        expect(packed, `${file} links to ${link}`).toContain(join(dirname(file), link))
      }
    }
  })

  it('have examples that import this package and Node.js alone', async () => {
    for (const file of packed.filter((file) => /^examples\/.*\.ts$/.test(file))) {
      for (const { target } of importsOf(file, await readFile(join(ROOT, file), 'utf8'))) {
        expect(target).toMatch(/^(node:|src\/index\.ts$)/)
      }
    }
  })
})

describe.each(FIRST_EXAMPLES)('the first example of $file', (example) => {
  it('runs as it stands, prints what it says and ends', async () => {
    const code = await codeOf(example)
    expect(code).toContain('console.log(')
    await writeFile(join(app, 'first.mjs'), code)
    const { stdout, stderr } = await execa(process.execPath, ['first.mjs'], { cwd: app })
    expect(stdout).toMatch(promisedBy(code))
    expect(stderr).toBe('')
  })

  it('compiles under strict, libraries checked, without the types of Node.js', async () => {
    await writeFile(join(app, 'first.mts'), await codeOf(example))
    await withTypesOfNode(false)
    expect(await compile('first.mts')).toBe('')
  })

  it('compiles with the types of Node.js as well', async () => {
    await writeFile(join(app, 'first.mts'), await codeOf(example))
    await withTypesOfNode(true)
    expect(await compile('first.mts', '--types', 'node')).toBe('')
  })
})

describe('hearsay/testing', () => {
  it('can be imported, and gives simulateMesh', async () => {
    const code = `console.log(Object.keys(await import('hearsay/testing')))`
    const args = ['--input-type=module', '--eval', code]
    const { stdout } = await execa(process.execPath, args, { cwd: app })
    expect(stdout).toBe("[ 'simulateMesh' ]")
  })

  it('names its types, which fit those of hearsay, libraries checked', async () => {
    const code = `
      import type { Peer } from 'hearsay'
      import { type SimulatedLink, type SimulatedMesh, type SimulatedMeshOptions, simulateMesh } from 'hearsay/testing'

      const link: Partial<SimulatedLink> = { lossProbability: 0.1, delayMs: { min: 1, max: 2 } }
      const options: SimulatedMeshOptions = { peers: 2, seed: 7, network: link, options: { maxItems: 10 } }
      const mesh: SimulatedMesh = await simulateMesh(options)
      const peer: Peer = mesh.peer(0)
      const written: void = await mesh.run(() => peer.cache<number>('c').set('key', 1))
      await mesh.settle({ limitMs: 1_000 })
      await mesh[Symbol.asyncDispose]()
    `
    await writeFile(join(app, 'testing.mts'), code)
    await withTypesOfNode(false)
    expect(await compile('testing.mts')).toBe('')
  })
})

describe('the command line', () => {
  it('runs by its name and tells its version', async () => {
    const args = ['--no-install', 'hearsay', '--version']
    const { stdout } = await execa('npx', args, { cwd: app })
    expect(stdout).toBe(MANIFEST.version)
  })
})

/** Sees to it that `@types/node` is there or not, whatever a dependency has brought along. */
async function withTypesOfNode(wanted: boolean): Promise<void> {
  const types = join(app, 'node_modules', '@types')
  await rm(types, { recursive: true, force: true })
  if (!wanted) return
  await mkdir(types)
  await symlink(join(ROOT, 'node_modules', '@types', 'node'), join(types, 'node'), 'junction')
}

/** What the compiler has to say about a file. */
async function compile(file: string, ...flags: string[]): Promise<string> {
  const target = ['--strict', '--noEmit', '--module', 'NodeNext', '--target', 'ES2022']
  const { stdout } = await execa('tsc', [...target, ...flags, file], {
    cwd: app,
    preferLocal: true,
    localDir: ROOT,
    reject: false,
  })
  return stdout
}
