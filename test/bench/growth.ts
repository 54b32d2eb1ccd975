/**
 * How what a member costs and how soon it is noticed grow with the mesh, in the simulator: idle bytes, and the time until all
 * know of a join and of a crash. Bytes are those of the production codec, with what libp2p adds to each reckoned in; the
 * names of messages that gossipsub offers to others are reckoned in as well. `idle` measures the real thing.
 */
import Table from 'cli-table3'
import type { NetworkObserver } from '../../src/adapters/memory/network.js'
import { loadHash64 } from '../../src/adapters/system/hash.js'
import { type SimulatedProcess, Simulation } from '../../src/testing/simulation.js'
import type { Line } from './run.js'

const SIZES = [10, 50, 100, 300]

const IDLE_MS = 60_000

/** How exactly times are measured, and how long anything may take, in simulated ms. */
const LOOK_MS = 5
const LIMIT_MS = 600_000

/** Members that start together. */
const TOGETHER = 25

/** The default interval of heartbeats, by which rounds are counted, in ms. */
const ROUND_MS = 1_000

/** What Yamux, Noise and the length prefixes add to a frame; and gossipsub's envelope to a message besides, in bytes. */
const FRAME_BYTES = 34
const ENVELOPE_BYTES = 190

/** A message is offered by name to so many others, twice, by each that has it. */
const OFFERS = 2 * 2
const NAME_BYTES = 18

/** What a mesh of one size does. */
interface Figures {
  readonly members: number
  readonly idleBytesPerSecond: number
  readonly joinMs: number
  readonly crashMs: number
  readonly silentMs: number
}

/** Counts the bytes that members send; while it is on. */
class Meter implements NetworkObserver {
  bytes = 0

  delivered(_to: string, _author: string, _topic: string, bytes: Uint8Array): void {
    this.bytes += bytes.length + ENVELOPE_BYTES + FRAME_BYTES + OFFERS * NAME_BYTES
  }

  framed(_from: string, _to: string, bytes: Uint8Array): void {
    this.bytes += bytes.length + FRAME_BYTES
  }
}

export async function growth(): Promise<Line[]> {
  const table = new Table({
    head: ['members', 'idle bytes/s', 'join', 'crash', 'rounds', 'silent death', 'rounds'],
    style: { head: [], border: [] },
    colAligns: ['right', 'right', 'right', 'right', 'right', 'right', 'right'],
  })
  const all: Figures[] = []
  for (const members of SIZES) {
    const figures = await measure(members)
    all.push(figures)
    table.push(rowOf(figures))
    console.error(rowOf(figures).join('  '))
  }
  console.log(table.toString())
  const hundred = all.find(({ members }) => members === 100)
  const [first, last] = [all[0] as Figures, all.at(-1) as Figures]
  return [
    {
      what: 'idle bytes a second of a member of 100, sent and received',
      figure: hundred?.idleBytesPerSecond ?? 0,
      unit: 'B/s',
      wanted: 10_240,
    },
    {
      what: `… and how it grows: slope of its logarithm over that of the members, ${first.members} to ${last.members}`,
      figure: slope(first, last, ({ idleBytesPerSecond }) => idleBytesPerSecond),
      unit: '',
    },
    {
      what: '… of the time until all know of a crash',
      figure: slope(first, last, ({ crashMs }) => crashMs),
      unit: '',
    },
    {
      what: '… of the time until all know of a silent death',
      figure: slope(first, last, ({ silentMs }) => silentMs),
      unit: '',
    },
    ...(await together()),
  ]
}

function rowOf({ members, idleBytesPerSecond, joinMs, crashMs, silentMs }: Figures): string[] {
  const rounds = (ms: number) => (ms / ROUND_MS).toFixed(1)
  const time = (ms: number) => `${Math.round(ms)} ms`
  const bytes = String(Math.round(idleBytesPerSecond))
  return [
    String(members),
    bytes,
    time(joinMs),
    time(crashMs),
    rounds(crashMs),
    time(silentMs),
    rounds(silentMs),
  ]
}

function slope(first: Figures, last: Figures, of: (figures: Figures) => number): number {
  return Math.log(of(last) / of(first)) / Math.log(last.members / first.members)
}

async function measure(members: number): Promise<Figures> {
  const meter = new Meter()
  const mesh = await started(members, meter)
  await mesh.advance(30_000)
  meter.bytes = 0
  await mesh.advance(IDLE_MS)
  // What one sends another receives: both count.
  const idleBytesPerSecond = (2 * meter.bytes * 1_000) / IDLE_MS / members
  const joinMs = await timed(mesh, async () => {
    await mesh.launch(mesh.process())
    await until(mesh, () => isAtRest(mesh))
  })
  await mesh.advance(10_000)
  const crashMs = await death(mesh, { silent: false })
  await mesh.advance(10_000)
  const silentMs = await death(mesh, { silent: true })
  return { members, idleBytesPerSecond, joinMs, crashMs, silentMs }
}

/** Ten of fifty die in the same moment, as when a rack goes. */
async function together(): Promise<Line[]> {
  const lines: Line[] = []
  for (const silent of [false, true]) {
    const mesh = await started(50, {})
    await mesh.advance(20_000)
    const victims = mesh.running().filter((_, index) => index % 5 === 2)
    const survivors = mesh.running().filter((process) => !victims.includes(process))
    let rebalanceCount = 0
    for (const { peer } of survivors) peer.on('rebalance:start', () => rebalanceCount++)
    const tookMs = await timed(mesh, async () => {
      for (const victim of victims) mesh.crash(victim, { silent })
      await until(mesh, () => isAtRest(mesh))
    })
    await mesh.advance(30_000)
    const how = silent ? 'fall silent' : 'are killed'
    lines.push(
      { what: `10 of 50 ${how}: one table on all after`, figure: tookMs, unit: 'ms' },
      {
        what: '… rebalances of each survivor',
        figure: rebalanceCount / survivors.length,
        unit: '',
        wanted: 1,
      },
    )
  }
  return lines
}

async function started(members: number, observer: NetworkObserver): Promise<Simulation> {
  const mesh = new Simulation({
    seed: members,
    hash: await loadHash64(),
    network: { forwardPeersMax: 0 },
    observer,
  })
  await mesh.launch(mesh.process())
  while (mesh.running().length < members) {
    // Some at a time: each change of the ring has all say that they have followed.
    const left = members - mesh.running().length
    const some = Array.from({ length: Math.min(TOGETHER, left) }, () => mesh.launch(mesh.process()))
    await Promise.all(some)
    await until(mesh, () => isAtRest(mesh))
    console.error(`growth: ${mesh.running().length} of ${members} members`)
  }
  return mesh
}

async function death(mesh: Simulation, how: { readonly silent: boolean }): Promise<number> {
  const victim = mesh.running().at(-2) as SimulatedProcess
  return await timed(mesh, async () => {
    mesh.crash(victim, how)
    await until(mesh, () =>
      mesh
        .running()
        .every(({ peer }) => peer.members.find(({ id }) => id === victim.id)?.state === 'dead'),
    )
  })
}

/** Lets time pass until something is so, to the next look: looking costs more than all else in a large mesh. */
async function until(mesh: Simulation, condition: () => boolean): Promise<void> {
  const limitMs = mesh.time.monotonicMs() + LIMIT_MS
  while (!condition()) {
    if (mesh.time.monotonicMs() > limitMs) throw new Error(`not so within ${LIMIT_MS} simulated ms`)
    await mesh.advance(LOOK_MS)
  }
}

function isAtRest(mesh: Simulation): boolean {
  return mesh.isSettled() && haveOneRing(mesh)
}

/** Whether all that run place keys by the ring of all that run. */
function haveOneRing(mesh: Simulation): boolean {
  const running = mesh.running()
  const ring = running
    .map(({ id }) => id)
    .sort()
    .join()
  return running.every(({ peer }) => [...peer.ring.members].sort().join() === ring)
}

async function timed(mesh: Simulation, work: () => Promise<unknown>): Promise<number> {
  const fromMs = mesh.time.monotonicMs()
  await work()
  return mesh.time.monotonicMs() - fromMs
}
