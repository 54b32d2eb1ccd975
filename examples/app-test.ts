/**
 * An app's own tests, on a simulated mesh: what becomes of sessions when links are cut and instances die.
 *
 *   npx tsx examples/app-test.ts
 *   SEED=7 npx tsx examples/app-test.ts     # another run; the same seed is the same run
 *
 * In an app the first half is a module, and the second its test. The module takes the peer that it works with, so that
 * a test can hand it a simulated one. No sockets and no waiting: all of it takes less than a second.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Peer } from 'hearsay'
import { simulateMesh } from 'hearsay/testing'

// The app: sessions, read through a cache that all its instances share.

interface Session {
  user: string
}

/** The database behind the instances of the app. */
interface Database {
  load(token: string): Promise<Session | undefined>
  save(token: string, session: Session): Promise<void>
  remove(token: string): Promise<void>
}

function createSessions(peer: Peer, database: Database) {
  const cache = peer.cache<Session>('sessions', { ttl: 60_000 })
  return {
    async open(token: string, session: Session): Promise<void> {
      await database.save(token, session)
      await cache.set(token, session)
    },

    /** From the cache; from the database when that is the first one to ask. */
    async find(token: string): Promise<Session | undefined> {
      const cached = await cache.get(token)
      if (cached !== undefined) return cached
      const session = await database.load(token)
      // One that is closed just now, by another instance, is kept for a minute more: the price of the cache.
      if (session !== undefined) await cache.set(token, session)
      return session
    },

    /** When this resolves, no instance that is in reach knows the session any more. */
    async close(token: string): Promise<void> {
      await database.remove(token)
      await cache.delete(token)
      await peer.flush()
    },
  }
}

// Its test.

const seed = Number(process.env.SEED ?? 1)

/** A database in memory that counts how often it is asked. */
function createDatabase() {
  const rows = new Map<string, Session>()
  return {
    loadCount: 0,
    async load(token: string) {
      this.loadCount++
      return rows.get(token)
    },
    async save(token: string, session: Session) {
      rows.set(token, session)
    },
    async remove(token: string) {
      rows.delete(token)
    },
  }
}

interface Instance {
  peer: Peer
  sessions: ReturnType<typeof createSessions>
}

/** Three instances of the app, on peers that know each other. */
async function startApp(t: TestContext) {
  const mesh = await simulateMesh({ peers: 3, seed })
  t.after(() => mesh.stop())
  const database = createDatabase()
  const instances = mesh.peers.map((peer) => ({ peer, sessions: createSessions(peer, database) }))
  const [ada, bob, cyd] = instances as [Instance, Instance, Instance]
  return { mesh, database, ada, bob, cyd }
}

test('a session is known everywhere, and the database is not asked', async (t) => {
  const { mesh, database, ada, bob, cyd } = await startApp(t)
  await ada.sessions.open('token', { user: 'Grace' })
  await mesh.settle()
  assert.deepEqual(await bob.sessions.find('token'), { user: 'Grace' })
  assert.deepEqual(await cyd.sessions.find('token'), { user: 'Grace' })
  assert.equal(database.loadCount, 0)
})

test('an instance that is cut off serves a session from the database', async (t) => {
  const { mesh, database, ada, bob, cyd } = await startApp(t)
  mesh.partition([ada.peer], [bob.peer, cyd.peer])
  await ada.sessions.open('token', { user: 'Grace' })
  await mesh.advance(1_000)
  assert.deepEqual(await bob.sessions.find('token'), { user: 'Grace' })
  assert.equal(database.loadCount, 1)
})

test('a session closed elsewhere goes on where that is not heard of, until the partition heals', async (t) => {
  const { mesh, ada, bob, cyd } = await startApp(t)
  await ada.sessions.open('token', { user: 'Grace' })
  await mesh.settle()

  mesh.partition([ada.peer], [bob.peer, cyd.peer])
  // Closing waits for the others, so it needs time to pass: here until ada is called dead.
  await mesh.run(bob.sessions.close('token'))
  assert.equal(await cyd.sessions.find('token'), undefined)
  assert.deepEqual(await ada.sessions.find('token'), { user: 'Grace' })

  mesh.heal()
  await mesh.settle()
  assert.equal(await ada.sessions.find('token'), undefined)
})

test('a session outlives the instance that opened it', async (t) => {
  const { mesh, database, ada, bob, cyd } = await startApp(t)
  await ada.sessions.open('token', { user: 'Grace' })
  await mesh.settle()

  mesh.crash(ada.peer)
  await mesh.settle()
  assert.deepEqual(await bob.sessions.find('token'), { user: 'Grace' })
  assert.deepEqual(await cyd.sessions.find('token'), { user: 'Grace' })

  // It comes back with nothing in memory, and takes over what the others have.
  const peer = await mesh.restart(ada.peer)
  const sessions = createSessions(peer, database)
  await mesh.settle()
  assert.deepEqual(await sessions.find('token'), { user: 'Grace' })
  assert.equal(database.loadCount, 0)
})

test('a session that has expired in the cache is loaded again', async (t) => {
  const { mesh, database, ada, bob } = await startApp(t)
  await ada.sessions.open('token', { user: 'Grace' })
  await mesh.advance(60_000)
  assert.deepEqual(await bob.sessions.find('token'), { user: 'Grace' })
  assert.equal(database.loadCount, 1)
})
