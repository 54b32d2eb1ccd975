/**
 * Kills one of three peers with SIGKILL: who notices, after how long, and is anything lost?
 *
 *   npx tsx examples/killed-peer.ts
 *
 * Each peer is a process of its own, started by this script from this same file. Exits with 1 when
 * something was lost.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { on } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createPeer } from 'hearsay'

const KEY_COUNT = 1_000
/** All of it takes a few seconds; when it takes this long, something is wrong. */
const deadline = AbortSignal.timeout(30_000)

const [, , role, name, ...bootstrap] = process.argv
if (role === 'peer') await runPeer()
else await runParent()

/** A child: a peer that does what its parent says, and tells what it sees. */
async function runPeer(): Promise<void> {
  const peer = await createPeer({ mesh: 'killed-peer', name, bootstrap })
  const numbers = peer.cache<number>('numbers')
  const tell = (what: string, detail?: unknown) => process.send?.([what, detail])

  peer.on('member:dead', (member) => tell('dead', member.name))
  process.on('message', async (order) => {
    if (order === 'write') {
      for (let i = 0; i < KEY_COUNT; i++) await numbers.set(`key-${i}`, i)
      await peer.flush() // every live member has all of them now
      tell('written')
    } else if (order === 'read') {
      let found = 0
      for (let i = 0; i < KEY_COUNT; i++) if ((await numbers.get(`key-${i}`)) === i) found++
      tell('found', found)
    } else if (order === 'stop') {
      await peer.stop()
      process.disconnect()
    }
  })
  // A child does not outlive its parent.
  process.once('disconnect', () => process.exit())

  await peer.ready()
  tell('ready', peer.addresses[0])
}

/** The parent: starts the peers, kills one, and asks the others. */
async function runParent(): Promise<void> {
  const [alice, address] = await startPeer('alice')
  const [[bob], [carol]] = await Promise.all([
    startPeer('bob', address),
    startPeer('carol', address),
  ])
  const pids = [alice, bob, carol].map(({ pid }) => pid).join(', ')
  console.log(`alice, bob and carol are up, with the pids ${pids}`)

  const written = hear(carol, 'written')
  carol.send('write')
  await written
  console.log(`carol has written ${KEY_COUNT} keys`)

  const survivors = [
    { name: 'alice', child: alice },
    { name: 'bob', child: bob },
  ]
  const startMs = performance.now()
  const noticed = survivors.map(async ({ name, child }) => {
    const dead = await hear(child, 'dead')
    console.log(
      `${name} noticed after ${Math.round(performance.now() - startMs)} ms: ${dead} is dead`,
    )
  })
  carol.kill('SIGKILL')
  console.log('carol was killed')
  await Promise.all(noticed)

  let lostCount = 0
  for (const { name, child } of survivors) {
    const answer = hear(child, 'found')
    child.send('read')
    const found = (await answer) as number
    console.log(`${name} has ${found} of ${KEY_COUNT} keys`)
    lostCount += KEY_COUNT - found
    child.send('stop')
  }
  console.log(lostCount === 0 ? 'nothing was lost' : `${lostCount} keys were lost`)
  process.exitCode = lostCount === 0 ? 0 : 1
}

async function startPeer(name: string, ...bootstrap: string[]): Promise<[ChildProcess, string]> {
  const child = fork(fileURLToPath(import.meta.url), ['peer', name, ...bootstrap])
  return [child, (await hear(child, 'ready')) as string]
}

/** What a child tells next, under that name. Listens from the moment of the call. */
async function hear(child: ChildProcess, what: string): Promise<unknown> {
  for await (const [[told, detail]] of on(child, 'message', { signal: deadline })) {
    if (told === what) return detail
  }
  return undefined
}
