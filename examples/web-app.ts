/**
 * A web app with a peer inside: every instance keeps the users that any instance has loaded.
 *
 *   npx tsx examples/web-app.ts 8001
 *   npx tsx examples/web-app.ts 8002 ADDRESS     # the address that the first one printed
 *
 *   curl -i localhost:8001/users/42              # x-cache: miss, from the database
 *   curl -i localhost:8002/users/42              # x-cache: hit, the other one has loaded it
 *   curl -X PUT -d '{"name":"Ada"}' localhost:8002/users/42
 *   curl -X DELETE localhost:8001/users/42       # out of the cache, on both
 *
 * PORT and BOOTSTRAP (addresses, with commas between them) in the environment do the same as the
 * arguments. Ctrl-C stops an instance.
 */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPeer } from 'hearsay'

interface User {
  id: string
  name: string
}

interface Answer {
  status: number
  headers?: Record<string, string>
  body?: unknown
}

const port = process.argv[2] ?? process.env.PORT ?? '0'
const addresses = process.argv[3] ?? process.env.BOOTSTRAP ?? ''

const bootstrap = addresses.split(',').filter((address) => address !== '')
const peer = await createPeer({ mesh: 'web-app', bootstrap })
const users = peer.cache<User>('users', { ttl: 60_000 })
// Wait until this peer has what the others have, so that it begins with a warm cache.
await peer.ready()

/** Stands in for a slow database. A real one would be shared by all instances. */
const database = {
  readCount: 0,
  names: new Map<string, string>(),
  async read(id: string): Promise<User> {
    this.readCount++
    await sleep(200)
    return { id, name: this.names.get(id) ?? `User ${id}` }
  },
  async write({ id, name }: User): Promise<void> {
    await sleep(200)
    this.names.set(id, name)
  },
}

async function getUser(id: string): Promise<Answer> {
  const cached = await users.get(id)
  if (cached !== undefined) return { status: 200, headers: { 'x-cache': 'hit' }, body: cached }
  const user = await database.read(id)
  // When somebody has written this user meanwhile, here or elsewhere, theirs is newer.
  if (!(await users.has(id))) await users.set(id, user)
  return { status: 200, headers: { 'x-cache': 'miss' }, body: user }
}

async function putUser(id: string, request: IncomingMessage): Promise<Answer> {
  const body = (await json(request).catch(() => undefined)) as Partial<User> | null | undefined
  if (typeof body?.name !== 'string') return { status: 400, body: { error: 'a user has a name' } }
  const user = { id, name: body.name }
  await database.write(user)
  await users.set(id, user)
  return { status: 200, body: user }
}

/** Drops a user from the cache of every instance: the next read goes to the database. */
async function dropUser(id: string): Promise<Answer> {
  await users.delete(id)
  return { status: 204 }
}

function stats(): Answer {
  const { hitCount, missCount, itemCount, memberCount } = peer.stats()
  const databaseReadCount = database.readCount
  return { status: 200, body: { hitCount, missCount, itemCount, memberCount, databaseReadCount } }
}

async function answer(request: IncomingMessage): Promise<Answer> {
  const { method, url = '' } = request
  if (method === 'GET' && url === '/stats') return stats()
  const [, id] = /^\/users\/(\w+)$/.exec(url) ?? []
  if (id === undefined) return { status: 404 }
  if (method === 'GET') return await getUser(id)
  if (method === 'PUT') return await putUser(id, request)
  if (method === 'DELETE') return await dropUser(id)
  return { status: 405, headers: { allow: 'GET, PUT, DELETE' } }
}

const server = createServer(async (request, response) => {
  const { status, headers, body } = await answer(request).catch((error: Error): Answer => {
    console.error(error)
    return { status: 500 }
  })
  // An instance that is about to stop keeps no connection open.
  if (!server.listening) response.setHeader('connection', 'close')
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(body === undefined ? undefined : JSON.stringify(body))
})

server.listen(Number(port), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  console.log(`http://127.0.0.1:${port} shares its cache at ${peer.addresses[0]}`)
})

// Requests under way are answered first; then the peer hands over what it has written, and leaves.
function stop(): void {
  server.close(() => peer.stop({ drain: true }))
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
