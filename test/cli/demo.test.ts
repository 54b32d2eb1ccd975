/**
 * `hearsay demo`: the tour holds, and cleans up after itself however it ends.
 */
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { complaintsIn } from '../support/complaints.js'
import { isRunning, type Line, PATIENCE_MS, spawnHearsay, spawnJson } from './harness.js'

const leftFolders = async () =>
  (await readdir(tmpdir())).filter((name) => name.startsWith('hearsay-demo-')).sort()

describe('hearsay demo', { timeout: 90_000 }, () => {
  it('loses nothing to a crash, and says so in figures', async () => {
    const before = await leftFolders()
    const { child, lines } = spawnJson(['demo'])
    const { exitCode, stderr } = await child
    expect(complaintsIn(stderr)).toEqual([])
    expect(exitCode).toBe(0)
    const steps = lines.filter(({ event }) => event === 'step')
    expect(steps.filter((step) => step.ok !== true)).toEqual([])
    const step = (name: string) => steps.find((one) => one.step === name) as Line
    expect(step('write').keys).toBe(1_000)
    const survivors = step('kill').survivors as { deadMs: number }[]
    expect(survivors).toHaveLength(4)
    for (const { deadMs } of survivors) expect(deadMs).toBeGreaterThan(0)
    expect(step('survivors').lost).toBe(0)
    // Its share: three of the five own each key.
    expect(step('restart').count).toBeGreaterThan(300)
    expect(step('restart').count).toBeLessThan(900)
    expect(step('read-restarted').found).toBe(1_000)
    const summary = lines.at(-1) as Line
    expect(summary).toMatchObject({ event: 'summary', ok: true, lostCount: 0, failed: [] })
    expect(summary.tookMs).toBeLessThan(60_000)
    expect(await leftFolders()).toEqual(before)
  })

  it('cleans up when it is interrupted', async () => {
    const before = await leftFolders()
    const child = spawnHearsay(['demo'])
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
    })
    await expect.poll(() => text, { timeout: PATIENCE_MS }).toMatch(/peer-5 +pid \d+/)
    const pids = [...text.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid))
    expect(pids).toHaveLength(5)
    child.kill('SIGINT')
    const { exitCode, stderr } = await child
    expect(exitCode).toBe(1)
    expect(String(stderr)).toContain('stopped before its end')
    expect(pids.filter(isRunning)).toEqual([])
    expect(await leftFolders()).toEqual(before)
  })
})
