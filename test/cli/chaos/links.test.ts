/** Links that can be cut and slowed down: bytes keep their order, and what is cut off hears nothing. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { Links } from '../../../src/cli/chaos/links.js'

const open: Array<{ close?(): void; destroy?(): void }> = []

afterEach(() => {
  for (const one of open.splice(0)) one.destroy === undefined ? one.close?.() : one.destroy()
})

/** Process 1 listens; process 0 dials it through its proxy. */
async function linked() {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const links = new Links()
  const { port } = server.address() as AddressInfo
  const proxy = await links.openOne(0, 1, port)
  open.push(server, links)
  return { server, links, proxy }
}

async function connected() {
  const { server, links, proxy } = await linked()
  const taken = once(server, 'connection')
  const dialler = connect({ port: proxy, host: '127.0.0.1' })
  const [target] = (await taken) as [Socket]
  open.push(dialler, target)
  return { links, dialler: heard(dialler), target: heard(target) }
}

function heard(socket: Socket) {
  const state = { socket, text: '', hasEnded: false }
  socket.on('data', (bytes) => {
    state.text += bytes
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    state.hasEnded = true
  })
  return state
}

/** Longer than loopback takes. */
const LONG_ENOUGH_MS = 60

describe('links', () => {
  it('hold back what is sent while they are cut, and pass it on, in order, when they are mended', async () => {
    const { links, dialler, target } = await connected()
    dialler.socket.write('a')
    await expect.poll(() => target.text).toBe('a')
    links.cut([0], [1])
    dialler.socket.write('b')
    target.socket.write('1')
    await sleep(LONG_ENOUGH_MS)
    expect([target.text, dialler.text]).toEqual(['a', ''])
    dialler.socket.write('c')
    links.mend([0], [1])
    await expect.poll(() => [target.text, dialler.text]).toEqual(['abc', '1'])
  })

  it.each([
    ['from the dialler', [0], [1], ['', '1']],
    ['to the dialler', [1], [0], ['a', '']],
  ] as const)('can be cut one way, %s', async (_, from, to, texts) => {
    const { links, dialler, target } = await connected()
    links.cutOneWay(from, to)
    dialler.socket.write('a')
    target.socket.write('1')
    await sleep(LONG_ENOUGH_MS)
    expect([target.text, dialler.text]).toEqual(texts)
    links.mend([1], [0])
    await expect.poll(() => [target.text, dialler.text]).toEqual(['a', '1'])
  })

  it('delay each direction by as much as they are told, and keep the order when they are faster again', async () => {
    const { links, dialler, target } = await connected()
    links.delay([0], [1], 200)
    const beganMs = performance.now()
    dialler.socket.write('a')
    target.socket.write('1')
    await expect.poll(() => dialler.text).toBe('1')
    expect(target.text).toBe('')
    links.delay([0], [1], 0)
    dialler.socket.write('b')
    await expect.poll(() => target.text, { interval: 10 }).toBe('ab')
    expect(performance.now() - beganMs).toBeGreaterThanOrEqual(195)
  })

  it('pass on a lot, though nobody reads for a while', async () => {
    const { dialler, target } = await connected()
    const text = 'x'.repeat(8 * 1024 * 1024)
    target.socket.pause()
    dialler.socket.write(text)
    await sleep(LONG_ENOUGH_MS)
    target.socket.resume()
    await expect.poll(() => target.text.length, { timeout: 10_000 }).toBe(text.length)
  })

  it('refuse whoever dials a process that is gone', async () => {
    const { links, proxy } = await linked()
    links.gone(1)
    const refused = connect({ port: proxy, host: '127.0.0.1' })
    const [error] = await once(refused, 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('let nobody who is cut off hear that a process is gone, until they are mended', async () => {
    const { links, dialler } = await connected()
    links.cut([0], [1])
    links.gone(1)
    await sleep(LONG_ENOUGH_MS)
    expect(dialler.hasEnded).toBe(false)
    links.mend([0], [1])
    await expect.poll(() => dialler.hasEnded).toBe(true)
  })

  it('are cut for a process that comes in place of another', async () => {
    const { server, links } = await linked()
    links.cut([0], [1])
    const { port } = server.address() as AddressInfo
    const proxy = await links.openOne(0, 1, port)
    let count = 0
    server.on('connection', () => count++)
    open.push(connect({ port: proxy, host: '127.0.0.1' }))
    await sleep(LONG_ENOUGH_MS)
    expect(count).toBe(0)
    links.mend([0], [1])
    await expect.poll(() => count).toBe(1)
  })
})
