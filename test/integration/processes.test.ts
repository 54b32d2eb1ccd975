/**
 * Peers in processes of their own, over real TCP on loopback: what people run.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MemberInfo, PeerStats } from 'hearsay'
import { describe, expect, it } from 'vitest'
import { PeerProcess, seesAlive, withMesh } from '../support/processes/peers.js'

/** Waits until `check` is true, and says what is there when it never is. */
async function until(check: () => Promise<boolean>, limitMs = 20_000): Promise<void> {
  const deadlineMs = performance.now() + limitMs
  while (!(await check())) {
    if (performance.now() > deadlineMs) throw new Error(`not so within ${limitMs} ms: ${check}`)
    await sleep(20)
  }
}

async function membersOf(peer: PeerProcess): Promise<MemberInfo[]> {
  return (await peer.ask({ do: 'members' })) as MemberInfo[]
}

const value = (peer: PeerProcess, key: string) => peer.ask({ do: 'get', key })

describe('peers that start at once', () => {
  it.each([3, 5, 15])(
    '%i find each other and share what each of them sets',
    async (count) => {
      await withMesh(count, async (peers) => {
        await Promise.all(peers.map((peer, i) => peer.ask({ do: 'set', key: `k${i}`, value: i })))
        await Promise.all(peers.map((peer) => peer.ask({ do: 'flush' })))
        for (const peer of peers) {
          const values = await Promise.all(peers.map((_, i) => value(peer, `k${i}`)))
          expect(values).toEqual(peers.map((_, i) => i))
        }
      })
    },
    120_000,
  )
})

describe('a peer that is killed', () => {
  it('is called dead by all others, who keep what it wrote and forget none of their own', async () => {
    await withMesh(5, async (peers) => {
      const [victim, ...survivors] = peers as [PeerProcess, ...PeerProcess[]]
      await victim.ask({ do: 'fill', count: 500, bytes: 50 })
      await survivors[0]?.ask({ do: 'delete', key: 'key-7' })
      await survivors[0]?.ask({ do: 'flush' })
      victim.child.kill('SIGKILL')
      await Promise.all(
        survivors.map((peer) =>
          peer.saw(
            (seen) => seen.event === 'state' && seen.id === victim.id && seen.state === 'dead',
          ),
        ),
      )
      for (const peer of survivors) {
        expect(await peer.ask({ do: 'size' })).toBe(499)
        const states = (await membersOf(peer)).map(({ state }) => state)
        expect(states.toSorted()).toEqual(['alive', 'alive', 'alive', 'alive', 'dead'])
      }
      await survivors[1]?.ask({ do: 'set', key: 'after', value: 'still here' })
      await survivors[1]?.ask({ do: 'flush' })
      expect(await Promise.all(survivors.map((peer) => value(peer, 'after')))).toEqual(
        survivors.map(() => 'still here'),
      )
    })
  }, 60_000)

  it('comes back on its port with its identity before it was missed, and has all again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hearsay-'))
    const restarted = new PeerProcess()
    try {
      await withMesh(
        3,
        async ([first, second]) => {
          const bootstrap = [...(first?.started?.addresses ?? [])]
          const mesh = 'restart'
          const identity = join(folder, 'identity')
          const before = new PeerProcess()
          const { id, addresses } = await before.start({ mesh, bootstrap, identity })
          await before.ask({ do: 'fill', count: 1_000, bytes: 50 })
          // The same port again: what it is told to listen on is where it was.
          const listen = [addresses[0]?.split('/p2p/')[0] as string]
          before.child.kill('SIGKILL')
          await restarted.start({ mesh, bootstrap, identity, listen })
          expect(restarted.id).toBe(id)
          expect(await restarted.ask({ do: 'size' })).toBe(1_000)
          for (const peer of [first, second] as PeerProcess[]) {
            await until(async () =>
              (await membersOf(peer)).some(
                (member) => member.id === id && member.state === 'alive',
              ),
            )
          }
          await restarted.ask({ do: 'set', key: 'anew', value: 1 })
          await restarted.ask({ do: 'flush' })
          expect(await value(first as PeerProcess, 'anew')).toBe(1)
          await before.end()
        },
        { mesh: 'restart' },
      )
    } finally {
      await restarted.end()
      await rm(folder, { recursive: true })
    }
  }, 60_000)
})

describe('a peer that is stopped for a while', () => {
  it('is never called dead for three seconds of silence, and misses nothing', async () => {
    await withMesh(4, async (peers) => {
      const [stopped, ...others] = peers as [PeerProcess, ...PeerProcess[]]
      stopped.child.kill('SIGSTOP')
      await others[0]?.ask({ do: 'set', key: 'meanwhile', value: 'written' })
      await sleep(3_000)
      stopped.child.kill('SIGCONT')
      await others[0]?.ask({ do: 'flush' })
      expect(await value(stopped, 'meanwhile')).toBe('written')
      await Promise.all(
        others.map((peer) =>
          until(async () => (await membersOf(peer)).every(({ state }) => state === 'alive')),
        ),
      )
      const convictions = peers.flatMap(({ reports }) =>
        reports.filter((seen) => seen.event === 'state' && seen.state === 'dead'),
      )
      expect(convictions).toEqual([])
    })
  }, 60_000)
})

describe('two processes with one identity', () => {
  it('the first keeps its place, and the mesh goes on', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'hearsay-'))
    const identity = join(folder, 'identity')
    const second = new PeerProcess()
    const first = new PeerProcess()
    try {
      await withMesh(
        2,
        async (peers) => {
          const bootstrap = [...(peers[0]?.started?.addresses ?? [])]
          await first.start({ mesh: 'twins', bootstrap, identity })
          await second.start({ mesh: 'twins', bootstrap, identity, joinTimeoutMs: 1_000 })
          await first.ask({ do: 'set', key: 'mine', value: 'first' })
          await Promise.all(
            peers.map((peer) => until(async () => (await value(peer, 'mine')) === 'first')),
          )
          const stats = await Promise.all(peers.map((peer) => peer.ask({ do: 'stats' })))
          const refused = stats.map(
            (each) => (each as PeerStats).droppedCount['refused hello'] ?? 0,
          )
          expect(Math.max(...refused)).toBeGreaterThan(0)
        },
        { mesh: 'twins' },
      )
    } finally {
      await Promise.all([first.end(), second.end()])
      await rm(folder, { recursive: true })
    }
  }, 60_000)
})

describe('seesAlive', () => {
  it('holds for a mesh of two from both sides', async () => {
    await withMesh(2, async (peers) => {
      for (const peer of peers) expect(await seesAlive(peer, peers)).toBeGreaterThan(0)
    })
  }, 30_000)
})
