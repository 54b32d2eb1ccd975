/**
 * `hearsay chaos`: the short form keeps every promise; a mesh with a bug does not, and is found out; and
 * no process is left behind however it ends.
 */
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FAULT_KINDS } from '../../src/cli/chaos/schedule.js'
import { isRunning, type Line, PATIENCE_MS, spawnHearsay, spawnJson } from './harness.js'

const PLANTED = pathToFileURL(`${import.meta.dirname}/chaos/planted.mjs`).href

/** The processes of all members. */
function pidsIn(lines: readonly Line[]): number[] {
  return lines.flatMap(({ event, pid }) => (event === 'peer:start' ? [pid as number] : []))
}

/** Runs a mesh that has a bug, undisturbed. */
async function runWithBug(
  bug: string,
  forSeconds = 5,
): Promise<{ report: Line; exitCode: number | undefined }> {
  const args = `chaos --peers 3 --for ${forSeconds} --seed 1 --faults slow`.split(' ')
  const env = { HEARSAY_TEST_BUG: bug, NODE_OPTIONS: `--import ${PLANTED}` }
  const { child, lines } = spawnJson(args, { env })
  const { exitCode } = await child
  return { report: lines.at(-1) as Line, exitCode }
}

describe('hearsay chaos', { timeout: 180_000 }, () => {
  it('keeps every promise in its short form', async () => {
    const { child, lines } = spawnJson('chaos --peers 5 --for 30 --seed 1'.split(' '))
    const { exitCode, stderr } = await child
    expect(String(stderr)).toBe('')
    const report = lines.at(-1) as Line
    expect(report).toMatchObject({ event: 'report', violations: [], violationCount: 0, ok: true })
    expect(exitCode).toBe(0)
    expect(report).toMatchObject({
      keys: { lost: 0, resurrected: 0, differing: 0, phantom: 0 },
      deaths: { false: 0 },
      seed: 1,
      repeat: 'hearsay chaos --peers 5 --for 30 --seed 1',
    })
    const { acknowledged, reads } = report.operations as Record<string, number>
    expect(acknowledged).toBeGreaterThan(100)
    expect(reads).toBeGreaterThan(50)
    const { schedule } = report.faults as { schedule: Array<{ kind: string }> }
    expect(new Set(schedule.map(({ kind }) => kind))).toEqual(new Set(FAULT_KINDS))
    expect(lines.filter(({ event }) => event === 'fault:start').length).toBeGreaterThan(2)
    expect(lines.filter(({ event }) => event === 'progress').length).toBeGreaterThan(2)
  })

  it('finds out a mesh that brings back what was deleted', async () => {
    const { report, exitCode } = await runWithBug('keeps-deleted')
    expect(exitCode).toBe(1)
    expect(report.ok).toBe(false)
    const { lost, resurrected } = report.keys as Record<string, number>
    expect(resurrected).toBeGreaterThan(0)
    expect(lost).toBe(0)
    const violations = report.violations as Array<{ rule: string; message: string }>
    expect(violations.find(({ rule }) => rule === 'resurrected')?.message).toMatch(
      /and the winner is delete/,
    )
  })

  it('finds out a mesh that loses what it acknowledged', async () => {
    const { report, exitCode } = await runWithBug('drops-values')
    expect(exitCode).toBe(1)
    const { lost, resurrected } = report.keys as Record<string, number>
    expect(lost).toBeGreaterThan(0)
    expect(resurrected).toBe(0)
  })

  it('finds out a mesh in which members that run are called dead', async () => {
    const { report, exitCode } = await runWithBug('paranoia', 15)
    expect(exitCode).toBe(1)
    expect((report.deaths as { false: number }).false).toBeGreaterThan(0)
    const rules = (report.violations as Array<{ rule: string }>).map(({ rule }) => rule)
    expect(rules).toContain('false death')
  })

  it('tells people the schedule, the figures and how to run it again, in plain lines', async () => {
    const args = 'chaos --peers 3 --for 5 --seed 2 --faults pause,slow'.split(' ')
    const { exitCode, stdout } = await spawnHearsay(args)
    const text = String(stdout)
    expect(exitCode, text).toBe(0)
    expect(text).toMatch(
      /^chaos: 3 peers, 5 s, seed 2, pause slow\nstarting 3 peers\npeer-1.1 is process \d+\n/,
    )
    expect(text).toMatch(/: pause peer-\d: SIGSTOP for /)
    expect(text).toMatch(/Schedule:\n +\d/)
    expect(text).toMatch(/convergence +\d/)
    expect(text).toMatch(/keys +0 lost, 0 resurrected, 0 differing, 0 phantom\n/)
    expect(text).toMatch(
      /✓ Every promise was kept.\nAgain: hearsay chaos --peers 3 --for 5 --seed 2 --faults pause,slow\n$/,
    )
    expect(text).not.toContain('\u001B')
  })

  it('ends all processes when it is interrupted, those that stand still as well', async () => {
    const { child, line, lines } = spawnJson('chaos --peers 3 --for 60 --faults pause'.split(' '))
    await line('phase', { phase: 'working' })
    const children = pidsIn(lines)
    expect(children).toHaveLength(3)
    process.kill(children.at(-1) as number, 'SIGSTOP')
    child.kill('SIGINT')
    const { exitCode, stderr } = await child
    expect(exitCode).toBe(1)
    expect(String(stderr)).toContain('STOPPED')
    expect(children.filter(isRunning)).toEqual([])
  })

  it('leaves no process behind when it is killed itself, not even one that stands still', async () => {
    const args = 'chaos --peers 3 --for 60 --faults slow'.split(' ')
    const { child, pid, line, lines } = spawnJson(args)
    await line('phase', { phase: 'working' })
    const children = pidsIn(lines)
    process.kill(children.at(-1) as number, 'SIGSTOP')
    process.kill(pid, 'SIGKILL')
    await child
    const left = () => children.filter(isRunning)
    await expect.poll(left, { timeout: PATIENCE_MS }).toEqual([])
  })
})
