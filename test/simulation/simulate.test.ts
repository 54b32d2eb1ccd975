/** The command `npm run simulate`, judged as its users would: by its output, its exit code, and what it leaves behind. */
import { describe, expect, it } from 'vitest'
import { FAULT_KINDS } from './faults.js'
import { simulate } from './support/simulate.js'

const TIMEOUT_MS = 120_000

/** Short runs of a small mesh in which hardly anything goes wrong: how right the mesh is, is not the question here. */
const SHORT = ['--members', '3', '--seconds', '10', '--faults', 'duplicate,drift']

/** It takes no fault to make the mistake show, and some time. */
const MISTAKEN = ['--members', '3', '--seconds', '20', '--faults', 'none']

type Line = Record<string, unknown>

function parseLines(stdout: unknown): Line[] {
  return String(stdout)
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

/** The last line of JSON, without what differs from run to run. */
function reportOf(stdout: unknown): Line {
  const { elapsedMs, ...report } = parseLines(stdout).at(-1) as Line
  expect(elapsedMs).toBeTypeOf('number')
  return report
}

/** The lines that say what was found, and not how fast. */
function findingsOf(stdout: unknown): string[] {
  const isOfSpeed = (line: string) => /seeds\/s|^shortening|published, in/.test(line)
  return String(stdout)
    .split('\n')
    .filter((line) => !isOfSpeed(line))
}

describe('simulate', { timeout: TIMEOUT_MS }, () => {
  it('says what it takes', async () => {
    const { stdout, exitCode } = await simulate(['--help'])
    expect(exitCode).toBe(0)
    for (const flag of ['seed', 'runs', 'faults', 'members', 'seconds', 'jobs', 'wire', 'json']) {
      expect(stdout).toContain(`--${flag}`)
    }
    expect(stdout).toContain('npm run simulate -- --runs')
    expect(stdout).toContain(Object.keys(FAULT_KINDS).join(', '))
  })

  it.each([
    ['--seed -1', '--seed: -1 is not a whole number from 0 to 4294967295'],
    ['--seed 1.5', '--seed: 1.5 is not a whole number'],
    ['--runs 0', '--runs: 0 is not a whole number from 1 to '],
    ['--seed 4294967295 --runs 2', '--runs: 2 seeds from 4294967295 end beyond the last'],
    ['--members 1', '--members: 1 is not a whole number from 2 to 100'],
    ['--seconds 4', '--seconds: 4 is not a whole number from 5 to '],
    ['--jobs 0', '--jobs: 0 is not a whole number from 1 to '],
    ['--shrink x', '--shrink: x is not a whole number from 0 to '],
    ['--faults loss,los', '--faults: "los" is no kind of fault; there are loss, heavy-loss,'],
    ['--runs 2 --wire', '--wire: shows the messages of a single run'],
    ['--bogus', "unknown option '--bogus'"],
    ['7', 'too many arguments'],
  ])('refuses %s', async (args, message) => {
    const { stdout, stderr, exitCode } = await simulate(args.split(' '))
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toContain(message)
  })

  it('shows what happens in one seed, and what was drawn for it', async () => {
    const { stdout, stderr, exitCode } = await simulate(['--seed', '7', ...SHORT])
    expect([exitCode, stderr]).toEqual([0, ''])
    const [history = '', summary = ''] = String(stdout).split('\n\n')
    for (const line of history.split('\n')) expect(line).toMatch(/^ *\d+\.\d{3} {1,5}\S/)
    expect(history).toMatch(/^ {3}0\.000 start member=p01\n/)
    expect(history).toContain('tells member:alive p02')
    expect(history).not.toContain(' channel ')
    expect(summary).toMatch(/^seed 7: .* simulated in .*, \d+ calls, .* published\n/)
    expect(summary).toMatch(/\noptions: \S/)
    expect(summary).toMatch(/\nfaults: (none|\d+)\n/)
    expect(summary).toMatch(/no promise was broken$/)
  })

  it('shows every message and frame when asked to', async () => {
    const { stdout } = await simulate(['--seed', '7', '--wire', ...SHORT])
    expect(stdout).toMatch(/ {6}sends p01 hearsay\/hearsay\/heartbeat \d+ B [0-9a-f]{8}\n/)
    expect(stdout).toMatch(/ {6}to p02 from p01 channel \d+ B [0-9a-f]{8}\n/)
  })

  it('draws only the faults that it is told to', async () => {
    const kindsOf = async (faults: string) => {
      const { stdout } = await simulate(['--seed', '1', '--json', ...SHORT, '--faults', faults])
      const { faults: drawn } = reportOf(stdout) as { faults: Array<{ kind: string }> }
      return new Set(drawn.map(({ kind }) => kind))
    }
    const some = Object.keys(FAULT_KINDS).slice(0, 10)
    const drawn = await kindsOf(some.join(','))
    expect(drawn.size).toBeGreaterThan(0)
    expect(some).toEqual(expect.arrayContaining([...drawn]))
    expect(await kindsOf('none')).toEqual(new Set())
  })

  it('counts many seeds, in one process as in several', async () => {
    const many = ['--seed', '11', '--runs', '9', ...SHORT]
    const text = await simulate(many)
    expect(text.exitCode).toBe(0)
    expect(text.stdout).toMatch(
      /^9 seeds, [\d.]+ seeds\/s, [\d,]+ simulated s\/s, no violation\n.*$/m,
    )
    const [one, three] = await Promise.all([
      simulate([...many, '--json']),
      simulate([...many, '--json', '--jobs', '3']),
    ])
    const report = reportOf(one.stdout)
    expect(report).toMatchObject({ event: 'report', fromSeed: 11, doneCount: 9, failedSeeds: [] })
    expect(reportOf(three.stdout)).toEqual(report)
  })

  it('tells of the first seed that fails, with a shorter script and how to see it', async () => {
    const many = ['--runs', '50', ...MISTAKEN]
    const [one, three] = await Promise.all([
      simulate(many, { hasMistake: true }),
      simulate([...many, '--jobs', '3'], { hasMistake: true }),
    ])
    const stdout = String(one.stdout)
    expect(one.exitCode).toBe(1)
    const [, seed] = /^seed (\d+) failed: \d+ violations?\n.* ! session: /m.exec(stdout) ?? []
    const replay = `--seed ${seed} --faults none --members 3 --seconds 20`
    expect(stdout).toContain(`to see it happen: npm run simulate -- ${replay}\n`)
    expect(stdout).toMatch(/a shorter script, found in \d+ runs .*:\n {3}0\.000 start member=p01\n/)
    expect(stdout).toContain(`  name: 'seed-${seed}',`)
    expect(stdout).toMatch(
      /\n {4}\{ atMs: \d+, do: 'delete', at: 'p0\d', cache: '[cd]', key: '\w+' \},\n/,
    )
    expect(findingsOf(three.stdout)).toEqual(findingsOf(stdout))

    const again = await simulate(replay.split(' '), { hasMistake: true })
    expect(again.exitCode).toBe(1)
    expect(again.stdout).toContain(`seed ${seed} failed: `)
    // In the history, too.
    expect(String(again.stdout).split('\n\n')[0]).toContain(' ! session: ')
  })

  it('goes on to the end when told to, and lists all that failed', async () => {
    const many = ['--runs', '12', ...MISTAKEN, '--keep-going', '--shrink', '0', '--json']
    const { stdout, exitCode } = await simulate([...many, '--jobs', '2'], { hasMistake: true })
    expect(exitCode).toBe(1)
    const lines = parseLines(stdout)
    const failures = lines.filter(({ event }) => event === 'failure')
    expect(failures.length).toBeGreaterThan(1)
    expect(failures[0]).toMatchObject({
      violations: expect.arrayContaining([
        { atMs: expect.any(Number), rule: 'session', message: expect.any(String) },
      ]),
      replay: expect.stringContaining('npm run simulate -- --seed '),
    })
    const seeds = failures.map(({ seed }) => seed)
    expect(lines.at(-1)).toMatchObject({ doneCount: 12, failedSeeds: seeds })
    expect(seeds).toEqual(seeds.toSorted((a, b) => Number(a) - Number(b)))
  })

  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'ends with its workers at %s',
    async (signal) => {
      const child = simulate(['--runs', '100000', '--jobs', '2', '--keep-going', '--seconds', '60'])
      // Plain lines come at intervals: by the first, all is up.
      await new Promise((resolve) => child.stdout.once('data', resolve))
      child.kill(signal)
      // It resolves once nobody has its output open any more, and the workers have.
      const { exitCode, signal: endedBy, stdout } = await child
      if (signal === 'SIGKILL') return expect(endedBy).toBe('SIGKILL')
      expect(exitCode).toBe(1)
      expect(stdout).toMatch(/ of 100,000 seeds, .*\n.* in .*s$/)
    },
  )
})
