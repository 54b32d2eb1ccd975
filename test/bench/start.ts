/** How long a lone peer takes to be ready, and a mesh that starts at once until all are alive to each other. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { nowMs, PeerProcess, quantile, seesAlive, withMesh } from '../support/processes/peers.js'
import type { Line } from './run.js'

const RUNS = 5

export async function lonePeer(): Promise<Line[]> {
  const importsMs: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const script =
      "const t = performance.now(); await import('hearsay'); console.log(performance.now() - t)"
    const args = ['--input-type=module', '-e', script]
    importsMs.push(Number((await promisify(execFile)(process.execPath, args)).stdout))
  }
  const readyMs: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const peer = new PeerProcess()
    const { tookMs } = await peer.start({})
    readyMs.push(tookMs)
    await peer.end()
  }
  return [
    { what: "import('hearsay')", figure: quantile(importsMs, 0.5), unit: 'ms' },
    { what: 'a lone peer is ready', figure: quantile(readyMs, 0.5), unit: 'ms', wanted: 1_000 },
  ]
}

/** What `npm install hearsay` puts on the disk, packages included. */
export async function installSize(): Promise<Line[]> {
  const folder = await mkdtemp(join(tmpdir(), 'hearsay-size-'))
  try {
    const run = promisify(execFile)
    await run('npm', ['pack', '--pack-destination', folder])
    const [tarball] = await readdir(folder)
    await writeFile(join(folder, 'package.json'), '{}')
    const options = ['install', `./${tarball}`, '--no-audit', '--no-fund', '--omit=dev']
    await run('npm', options, { cwd: folder })
    const { stdout } = await run('du', ['-sk', join(folder, 'node_modules')])
    const megabytes = Number(stdout.split('\t')[0]) / 1024
    return [{ what: 'installed, with all packages', figure: megabytes, unit: 'MiB' }]
  } finally {
    await rm(folder, { recursive: true })
  }
}

export async function simultaneousStart(count: number, wantedMs: number): Promise<Line[]> {
  const startedAtMs = nowMs()
  return await withMesh(count, async (peers) => {
    const lastReadyMs = Math.max(...peers.map(({ started }) => started?.readyAtMs ?? 0))
    const allAliveMs = Math.max(...(await Promise.all(peers.map((peer) => seesAlive(peer, peers)))))
    return [
      {
        what: `${count} processes started at once, until the last is ready`,
        figure: lastReadyMs - startedAtMs,
        unit: 'ms',
      },
      {
        what: `${count} peers started at once: all alive to each other, after the last ready`,
        figure: Math.max(0, allAliveMs - lastReadyMs),
        unit: 'ms',
        wanted: wantedMs,
      },
    ]
  })
}
