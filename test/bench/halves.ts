/**
 * How soon two halves of a mesh are equal after a split, in the simulator: the production code and wire format on simulated
 * time, where CPU costs nothing and a network takes 0.2 to 1 ms.
 */
import { type SimulatedMesh, simulateMesh } from '../../src/testing/index.js'
import type { Line } from './run.js'

const PEERS = 10
const ENTRIES = 100_000
/** On each side. */
const DIFFERENT = 500
const BATCH = 5_000

/** Split for less than members take to be suspected. */
export async function shortSplit(): Promise<Line[]> {
  return [await split('1.5 s', 1_500, 2_000)]
}

/** Split until each half has taken over what the other had. */
export async function longSplit(): Promise<Line[]> {
  return [await split('2 min', 120_000, 15_000)]
}

async function split(what: string, splitMs: number, wanted: number): Promise<Line> {
  await using mesh = await simulateMesh({ peers: PEERS, seed: 1, options: { replicas: 3 } })
  await fill(mesh)
  const [left, right] = [mesh.peers.slice(0, PEERS / 2), mesh.peers.slice(PEERS / 2)]
  mesh.partition(left, right)
  await mesh.advance(100)
  const written = [...(await overwrite(mesh, 0, 'left')), ...(await overwrite(mesh, 9, 'right'))]
  await mesh.advance(splitMs - 100)
  mesh.heal()
  const startMs = mesh.now()
  await mesh.until(() => written.every(([key, value]) => isEqual(mesh, key, value)), {
    limitMs: 120_000,
  })
  return {
    what: `halves of ${PEERS / 2} cut for ${what}, ${2 * DIFFERENT} of ${ENTRIES} keys differ: all owners equal (simulated time)`,
    figure: mesh.now() - startMs,
    unit: 'ms',
    wanted,
  }
}

async function fill(mesh: SimulatedMesh): Promise<void> {
  const cache = mesh.peer(0).cache('c')
  for (let from = 0; from < ENTRIES; from += BATCH) {
    const entries = Array.from({ length: BATCH }, (_, i) => [`key ${from + i}`, 'before'] as const)
    await mesh.run(cache.setMany(entries))
    console.error(`   ${from + BATCH} of ${ENTRIES} entries`)
  }
  await mesh.advance(10_000)
}

async function overwrite(mesh: SimulatedMesh, writer: number, value: string) {
  const entries = Array.from(
    { length: DIFFERENT },
    (_, i) => [`key ${(i * 2 + (writer === 0 ? 0 : 1)) * 97}`, value] as const,
  )
  await mesh.run(mesh.peer(writer).cache('c').setMany(entries))
  return entries
}

/** Whether every owner of a key, in everybody's eyes, holds a value. */
function isEqual(mesh: SimulatedMesh, key: string, value: string): boolean {
  const byId = new Map(mesh.peers.map((peer) => [peer.id, peer]))
  return mesh.peers.every((peer) => {
    const { owners } = peer.ring.locate('c', key)
    return owners.length === 3 && owners.every((id) => byId.get(id)?.cache('c').peek(key) === value)
  })
}
