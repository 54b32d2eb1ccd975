/** Whether anybody is called dead wrongly on a machine whose cores are all busy: `hearsay chaos`, beside processes that never rest. */
import { type ChildProcess, spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import type { Line } from './run.js'

const BIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const ARGS = 'chaos --peers 7 --for 60 --seed 1 --faults pause,slow --json'.split(' ')

/** What a run reports last. */
interface Report {
  readonly violationCount: number
  readonly deaths: { readonly told: number; readonly false: number }
}

export async function busy(): Promise<Line[]> {
  const restless: ChildProcess[] = []
  try {
    // One more than there are cores: none is left for the mesh alone.
    for (let i = 0; i <= availableParallelism(); i++) {
      restless.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }))
    }
    const { stdout } = await execa(process.execPath, [BIN, ...ARGS], { reject: false })
    const { deaths, violationCount } = JSON.parse(stdout.split('\n').at(-1) ?? '') as Report
    const beside = `beside ${restless.length} busy processes`
    return [
      {
        what: `a minute of stops and slow links ${beside}: members wrongly called dead`,
        figure: deaths.false,
        unit: '',
        wanted: 0,
      },
      { what: '… called dead with cause', figure: deaths.told - deaths.false, unit: '' },
      { what: '… promises broken', figure: violationCount, unit: '', wanted: 0 },
    ]
  } finally {
    for (const child of restless) child.kill('SIGKILL')
  }
}
