/**
 * The steps of the demo, in their order. Each asks the peers as any client could, over HTTP.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { CommandFailure } from '../failure.js'
import { counted, formatCount, formatMs, quantile } from '../format.js'
import { isVisible, KEYS_COUNT, lostKeys, writeKeys } from './keys.js'
import type { DemoMesh } from './mesh.js'
import type { DemoReport, StepResult } from './report.js'

const WRITER = 'peer-1'
const READER = 'peer-2'
const VICTIM = 'peer-3'

/**
 * How long the mesh may take for what it does by itself: meeting, noticing a death, catching up.
 */
const PATIENCE_MS = 15_000

const POLL_INTERVAL_MS = 5

const VISIBILITY_SETS = 50

/** Takes the tour. Says no more once `end` is aborted. */
export async function tour(mesh: DemoMesh, report: DemoReport, end: AbortSignal): Promise<void> {
  report.say(`${mesh.names.length} peers, ${formatCount(KEYS_COUNT)} keys, one crash\n`)
  const steps: Record<string, () => Promise<StepResult>> = {
    start: () => start(mesh),
    write: () => write(mesh),
    read: () => readThrough(mesh, READER),
    visibility: () => measureVisibility(mesh),
    kill: () => kill(mesh),
    survivors: () => readThroughSurvivors(mesh),
    restart: () => restart(mesh),
    'read-restarted': () => readThrough(mesh, VICTIM),
  }
  for (const [name, carryOut] of Object.entries(steps)) {
    const result = await carryOut().catch((error: unknown) => failed(name, error))
    if (end.aborted) return
    report.tell(name, result)
    if (result.isLast) return
  }
}

/** A step that came to nothing: what follows builds on it. */
function failed(name: string, error: unknown): StepResult {
  const message = error instanceof Error ? error.message : String(error)
  return { ok: false, isLast: true, text: `${name}: ${message}`, figures: { error: message } }
}

async function start(mesh: DemoMesh): Promise<StepResult> {
  const begin = performance.now()
  await mesh.start()
  await until('every peer sees all others', async () => {
    const views = await Promise.all(mesh.names.map((name) => mesh.client(name).members()))
    const complete = views.filter(
      (members) => members.filter((m) => m.state === 'alive').length === mesh.names.length,
    )
    return complete.length === mesh.names.length
  })
  const tookMs = since(begin)
  const text = `started ${mesh.names.length} peers, each a process; all see each other after ${formatMs(tookMs)}`
  const details = mesh.names.map(
    (name) => `${name}  pid ${mesh.pid(name)}  ${mesh.client(name).url}`,
  )
  return { ok: true, text, details, figures: { peers: mesh.names.length, tookMs } }
}

async function write(mesh: DemoMesh): Promise<StepResult> {
  const client = mesh.client(WRITER)
  const begin = performance.now()
  await writeKeys(client)
  const writtenMs = since(begin)
  await client.flush()
  const confirmedMs = since(begin)
  const text = `wrote ${counted(KEYS_COUNT, 'key')} through ${WRITER} in ${formatMs(writtenMs)}; confirmed by all after ${formatMs(confirmedMs)}`
  return { ok: true, text, figures: { keys: KEYS_COUNT, through: WRITER, writtenMs, confirmedMs } }
}

async function readThrough(mesh: DemoMesh, name: string): Promise<StepResult> {
  const begin = performance.now()
  const lost = await lostKeys(mesh.client(name))
  const tookMs = since(begin)
  const found = KEYS_COUNT - lost.length
  const text = `read ${formatCount(found)} of ${counted(KEYS_COUNT, 'key')} through ${name} in ${formatMs(tookMs)}`
  const figures = { through: name, found, lost: lost.length, tookMs }
  return { ok: lost.length === 0, text, lostCount: lost.length, figures }
}

/** How soon a set on one peer can be read on all: as a client of each sees it, HTTP included. */
async function measureVisibility(mesh: DemoMesh): Promise<StepResult> {
  const tookMs: number[] = []
  for (let index = 0; index < VISIBILITY_SETS; index++) {
    const begin = performance.now()
    const body = { type: 'text', value: `${index}` } as const
    await mesh.client(WRITER).set('demo-visibility', 'key', body)
    const others = mesh.names.filter((name) => name !== WRITER)
    const reads = others.map((name) => isVisible(mesh.client(name), body.value, PATIENCE_MS))
    if ((await Promise.all(reads)).includes(false)) {
      throw new CommandFailure('NOT_VISIBLE', `a set was not seen by all after ${PATIENCE_MS} ms`)
    }
    tookMs.push(since(begin))
  }
  const [p50, p99] = [quantile(tookMs, 0.5), quantile(tookMs, 0.99)]
  const text = `a set on ${WRITER} can be read on all ${mesh.names.length}: p50 ${formatMs(p50)}, p99 ${formatMs(p99)} (${VISIBILITY_SETS} sets, HTTP included)`
  return { ok: true, text, figures: { sets: VISIBILITY_SETS, p50Ms: p50, p99Ms: p99 } }
}

async function kill(mesh: DemoMesh): Promise<StepResult> {
  const pid = mesh.pid(VICTIM)
  const killedAt = await mesh.kill(VICTIM)
  const notices = await Promise.all(
    survivors(mesh).map(async (by) => {
      const saidAt = (event: string) => mesh.heardAt(by, event, VICTIM, killedAt)
      const noticed = await waitFor(() => saidAt('member:dead') !== undefined)
      const [suspectAt, deadAt] = [saidAt('member:suspect'), saidAt('member:dead')]
      return {
        by,
        noticed,
        suspectMs: suspectAt && suspectAt - killedAt,
        deadMs: deadAt && deadAt - killedAt,
      }
    }),
  )
  const ok = notices.every(({ noticed }) => noticed)
  const slowest = Math.max(...notices.map(({ deadMs = PATIENCE_MS }) => deadMs))
  const text = ok
    ? `killed ${VICTIM} (kill -9 ${pid}); all survivors call it dead after ${formatMs(slowest)}`
    : `killed ${VICTIM} (kill -9 ${pid}); not all survivors have noticed after ${formatMs(PATIENCE_MS)}`
  const details = notices.map(({ by, suspectMs, deadMs }) => {
    const suspected = suspectMs === undefined ? '' : `suspects it after ${formatMs(suspectMs)}, `
    const dead = deadMs === undefined ? 'has not noticed' : `says dead after ${formatMs(deadMs)}`
    return `${by}  ${suspected}${dead}`
  })
  const figures = {
    killed: VICTIM,
    survivors: notices.map(({ by, suspectMs, deadMs }) => ({ name: by, suspectMs, deadMs })),
  }
  return { ok, text, details, figures }
}

async function readThroughSurvivors(mesh: DemoMesh): Promise<StepResult> {
  const names = survivors(mesh)
  const lost = await Promise.all(names.map((name) => lostKeys(mesh.client(name))))
  const lostCount = new Set(lost.flat()).size
  const details = names.map(
    (name, index) => `${name}  ${formatCount(KEYS_COUNT - (lost[index]?.length ?? 0))} keys`,
  )
  const text = `read all keys again through each of the ${names.length} survivors: ${counted(lostCount, 'key')} lost`
  return { ok: lostCount === 0, text, details, lostCount, figures: { lost: lostCount } }
}

async function restart(mesh: DemoMesh): Promise<StepResult> {
  const restartedAt = Date.now()
  const begin = performance.now()
  await mesh.restart(VICTIM)
  const readyMs = since(begin)
  const client = mesh.client(VICTIM)
  // Its share: what it owns of the keys, and all partitions of it taken over.
  const caughtUp = await waitFor(async () => {
    const { ownedPartitions, openPartitions, itemCount } = await client.stats()
    return ownedPartitions > 0 && openPartitions === 0 && itemCount > 0
  })
  const caughtUpMs = since(begin)
  const count = (await client.localSizes()).get('demo') ?? 0
  const taken = mesh.entriesTaken(VICTIM, restartedAt)
  const text = `restarted ${VICTIM}: it serves after ${formatMs(readyMs)} and owns and holds ${formatCount(count)} of ${counted(KEYS_COUNT, 'key')} after ${formatMs(caughtUpMs)}`
  return { ok: caughtUp, text, figures: { readyMs, caughtUpMs, count, entriesTaken: taken } }
}

function survivors(mesh: DemoMesh): string[] {
  return mesh.names.filter((name) => name !== VICTIM)
}

/** Waits until something holds. Returns whether it came to that. */
async function waitFor(holds: () => boolean | Promise<boolean>): Promise<boolean> {
  const begin = performance.now()
  while (since(begin) < PATIENCE_MS) {
    if (await holds()) return true
    await delay(POLL_INTERVAL_MS)
  }
  return false
}

/** The same, for what the rest of the tour cannot do without. @throws CommandFailure */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  if (await waitFor(holds)) return
  throw new CommandFailure('TOO_SLOW', `waited ${PATIENCE_MS} ms in vain until ${what}`)
}

function since(begin: number): number {
  return Math.round((performance.now() - begin) * 100) / 100
}
