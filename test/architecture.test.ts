/**
 * Which part may import which. Core is pure, services see the world through ports, the network library stays in
 * one folder, and the ways in use the public API alone: a part that keeps to its row can be tested, simulated
 * and replaced without the others.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { importsOf, withoutComments } from './support/imports.js'

const ROOT = path.resolve(import.meta.dirname, '..')

/** Modules that import no other part, so that anyone may import them; core does without. */
const LEAVES = ['src/errors.ts', 'src/options.ts', 'src/emitter.ts']

const PUBLIC_API = ['src/index.ts', 'src/api.ts', ...LEAVES]

const ANY_LIBRARY = ['npm:', 'node:']

/**
 * A file keeps to the first row whose `of` it begins with. An entry that ends in `/` or `:` allows all that begins
 * with it, any other just itself.
 */
const RULES: ReadonlyArray<{ of: string; allows: readonly string[] }> = [
  { of: 'src/core/', allows: ['src/core/'] },
  {
    of: 'src/protocol/',
    allows: [
      'src/core/',
      'src/protocol/',
      ...LEAVES,
      'npm:protons-runtime',
      'npm:uint8arraylist',
      'npm:cbor-x',
      'npm:xxhash-wasm',
    ],
  },
  { of: 'src/services/', allows: ['src/core/', 'src/protocol/', 'src/services/', ...LEAVES] },
  {
    of: 'src/adapters/',
    allows: [
      'src/core/',
      'src/protocol/',
      'src/services/ports.ts',
      'src/services/ports/',
      'src/adapters/',
      ...LEAVES,
      ...ANY_LIBRARY,
    ],
  },
  { of: 'src/gateways/', allows: ['src/gateways/', ...PUBLIC_API, ...ANY_LIBRARY] },
  // Chaos judges by the same rules, and draws by the same chance, as the simulation.
  {
    of: 'src/cli/chaos/',
    allows: [
      'src/cli/',
      'src/testing/checker/',
      'src/testing/draw.ts',
      ...PUBLIC_API,
      ...ANY_LIBRARY,
    ],
  },
  { of: 'src/cli/', allows: ['src/cli/', ...PUBLIC_API, ...ANY_LIBRARY] },
  { of: 'examples/', allows: ['examples/', ...PUBLIC_API, ...ANY_LIBRARY] },
  // What judges knows nothing of what is judged.
  { of: 'src/testing/checker/', allows: ['src/testing/checker/'] },
  { of: 'src/testing/', allows: ['src/', ...ANY_LIBRARY] },
  { of: 'src/peer.ts', allows: ['src/', ...ANY_LIBRARY] },
  {
    of: 'src/mesh-peer.ts',
    allows: [
      'src/cache.ts',
      'src/cache-checks.ts',
      'src/explanation.ts',
      'src/core/',
      'src/protocol/',
      'src/services/',
      ...PUBLIC_API,
    ],
  },
  {
    of: 'src/cache.ts',
    allows: ['src/cache-checks.ts', 'src/core/', 'src/protocol/', 'src/services/', ...PUBLIC_API],
  },
  { of: 'src/index.ts', allows: ['src/peer.ts', ...PUBLIC_API] },
  // What acknowledgements there are is a matter of core, and a word of the contract.
  { of: 'src/api.ts', allows: [...LEAVES, 'src/core/quorum.ts'] },
  { of: 'src/errors.ts', allows: [] },
  { of: 'src/emitter.ts', allows: [] },
  { of: 'src/options.ts', allows: ['src/errors.ts', 'npm:valibot', 'node:net'] },
  // What else stands beside peer.ts helps it over services, and leaves adapters to it.
  { of: 'src/', allows: ['src/core/', 'src/protocol/', 'src/services/', ...PUBLIC_API] },
]

/** Packages that only `src/adapters/libp2p/` may import. */
const NETWORK = /^npm:(libp2p$|@libp2p\/|@chainsafe\/|@multiformats\/|it-)/

/** Time, timers and chance, which these folders take from their ports. */
const PURE = ['src/core/', 'src/services/']
const AMBIENT = [
  /\bDate\.now\b/,
  /\bnew Date\(\)/,
  /\bperformance\.now\b/,
  /\bprocess\.hrtime\b/,
  // As a global; a scheduler that comes in through the constructor may have methods of these names.
  /(?:(?<![\w$#.])|\bglobalThis\.)set(?:Timeout|Interval|Immediate)\b/,
  /\bMath\.random\b/,
  /\b(?:randomUUID|getRandomValues|randomBytes)\b/,
]

/** Everything wrong with one file, in words that name the file and what it does. */
function violations(file: string, source: string): string[] {
  const rule = RULES.find(({ of }) => file.startsWith(of))
  const imports = importsOf(file, source).flatMap(({ specifier, target }) => {
    const isNetwork = NETWORK.test(target)
    if (isNetwork && file.startsWith('src/adapters/libp2p/')) return []
    const isAllowed = rule?.allows.some((allowed) => covers(allowed, target)) && !isNetwork
    return isAllowed ? [] : [`${file} may not import '${specifier}'`]
  })
  if (!PURE.some((folder) => file.startsWith(folder))) return imports
  const text = withoutComments(source)
  return imports.concat(
    AMBIENT.flatMap((pattern) => {
      const used = pattern.exec(text)?.[0]
      return used === undefined ? [] : [`${file} may not use ${used}`]
    }),
  )
}

/** Whether an entry of the table stands for a target: a whole file or package, or all that begins with it. */
function covers(allowed: string, target: string): boolean {
  return /[/:]$/.test(allowed) ? target.startsWith(allowed) : target === allowed
}

/** Every source of a folder, by its path from the root; none when the folder is not there. */
function sourcesOf(folder: string): string[] {
  if (!existsSync(path.join(ROOT, folder))) return []
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name.split(path.sep).join('/')))
    .filter((name) => /\.[cm]?[jt]s$/.test(name) && !name.includes('node_modules/'))
    .sort()
}

describe('the check of imports', () => {
  it.each([
    [
      'src/core/ring.ts',
      "import { Heartbeat } from '../services/heartbeat.js'",
      '../services/heartbeat.js',
    ],
    [
      'src/core/ring.ts',
      "import type { Codec } from '../protocol/codec.js'",
      '../protocol/codec.js',
    ],
    ['src/core/ring.ts', "import { HearsayError } from '../errors.js'", '../errors.js'],
    ['src/core/ring.ts', "import xxhash from 'xxhash-wasm'", 'xxhash-wasm'],
    ['src/core/ring.ts', "import 'node:fs'", 'node:fs'],
    ['src/core/ring.ts', "import {\n  a,\n  b,\n} from 'node:os'", 'node:os'],
    ['src/core/ring.ts', "export * from '../services/ports.js'", '../services/ports.js'],
    ['src/core/ring.ts', "const fs = await import('node:fs')", 'node:fs'],
    ['src/core/ring.ts', "let x: import('../peer.js').Peer", '../peer.js'],
    ['src/core/ring.ts', "const fs = require('node:fs')", 'node:fs'],
    ['src/protocol/codec.ts', "import { x } from '../services/ports.js'", '../services/ports.js'],
    ['src/protocol/codec.ts', "import fastify from 'fastify'", 'fastify'],
    ['src/services/reads.ts', "import { x } from '../adapters/time/x.js'", '../adapters/time/x.js'],
    ['src/services/reads.ts', "import type { Peer } from '../api.js'", '../api.js'],
    [
      'src/adapters/time/x.ts',
      "import { Reads } from '../../services/reads.js'",
      '../../services/reads.js',
    ],
    ['src/adapters/memory/x.ts', "import { x } from '@libp2p/interface'", '@libp2p/interface'],
    ['src/gateways/http/x.ts', "import { x } from '../../core/ring.js'", '../../core/ring.js'],
    ['src/cli/main.ts', "const { x } = await import('../peer.js')", '../peer.js'],
    ['src/cli/main.ts', 'const x = await import(name)', 'computed at run time'],
    ['src/cache.ts', "import { x } from './adapters/time/x.js'", './adapters/time/x.js'],
    ['src/peer.ts', "import type { Libp2p } from 'libp2p'", 'libp2p'],
    ['src/peer.ts', "import { pipe } from 'it-pipe'", 'it-pipe'],
    ['examples/a.ts', "import { x } from '../src/peer.js'", '../src/peer.js'],
  ])('catches, in %s: %s', (file, source, specifier) => {
    expect(violations(file, `/** Doc. */\n${source}\n`)).toEqual([
      `${file} may not import '${specifier}'`,
    ])
  })

  it.each([
    ['src/core/ring.ts', "import { x } from './hlc.js'"],
    ['src/core/ring.ts', "// const fs = await import('node:fs')"],
    ['src/core/ring.ts', "/**\n * import { createPeer } from 'hearsay'\n */"],
    [
      'src/services/reads.ts',
      "import { x } from '../core/ring.js'\nimport { y } from '../errors.js'",
    ],
    ['src/adapters/libp2p/x.ts', "import { createLibp2p } from 'libp2p'\nimport 'it-pipe'"],
    ['src/adapters/time/x.ts', "import type { Scheduler } from '../../services/ports.js'"],
    ['src/peer.ts', "import { x } from './adapters/libp2p/x.js'\nimport { y } from './cache.js'"],
    ['src/cli/main.ts', "import { createPeer } from '../index.js'\nimport 'commander'"],
    ['examples/a.ts', "import { createPeer } from 'hearsay'"],
  ])('lets pass, in %s: %s', (file, source) => {
    expect(violations(file, source)).toEqual([])
  })

  it.each([
    ['const now = Date.now()', 'Date.now'],
    ['options.now ?? performance.now', 'performance.now'],
    ['setTimeout(retry, 5)', 'setTimeout'],
    ['globalThis.setInterval(beat, 5)', 'globalThis.setInterval'],
    ['const jitter = Math.random()', 'Math.random'],
  ])('catches what reaches for time or chance: %s', (source, used) => {
    for (const file of ['src/core/hlc.ts', 'src/services/reads.ts']) {
      expect(violations(file, source)).toEqual([`${file} may not use ${used}`])
    }
    expect(violations('src/adapters/time/x.ts', source)).toEqual([])
  })

  it('takes no comment and no port for the clock', () => {
    const source = '// unlike Date.now()\nthis.#scheduler.setTimeout(retry, 5)'
    expect(violations('src/core/hlc.ts', source)).toEqual([])
  })
})

describe('a file imports only what its folder may', () => {
  const files = [...sourcesOf('src'), ...sourcesOf('examples')]

  it('finds files to check', () => {
    expect(files).toContain('src/core/version.ts')
  })

  it.each(files)('%s', (file) => {
    expect(violations(file, readFileSync(path.join(ROOT, file), 'utf8'))).toEqual([])
  })
})
