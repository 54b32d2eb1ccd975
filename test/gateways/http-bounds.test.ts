/** What the gateway does at its bounds: large batches, failures, slow peers and slow readers. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Cache } from '../../src/api.js'
import { SyncQueueFullError } from '../../src/errors.js'
import { connection, deferred, type ErrorBody, openEvents } from './client.js'
import { gatewayOver, PUT } from './stand-in.js'

afterEach(() => {
  vi.useRealTimers()
})

function batch(url: string, operations: readonly unknown[]) {
  return fetch(`${url}/v1/caches/c/batch`, {
    method: 'POST',
    body: JSON.stringify(operations),
    headers: { 'content-type': 'application/json' },
  })
}

describe('a batch', () => {
  it('leaves out the values that would make its answer too large', async () => {
    const text = 'x'.repeat(33 * 1024 * 1024)
    const getMany = async <T>(keys: Iterable<string>) =>
      new Map([...keys].map((key) => [key, (key === 'small' ? 'x' : text) as T]))
    const { url } = await gatewayOver({ cache: { getMany } })
    const keys = ['large', 'large', 'small']
    const response = await batch(
      url,
      keys.map((key) => ({ op: 'get', key })),
    )
    const items = (await response.json()) as Array<{ status: number } & Partial<ErrorBody>>
    expect(items.map(({ status }) => status)).toEqual([200, 413, 200])
    expect(items[1]?.error?.code).toBe('ANSWER_TOO_LARGE')
    expect(items[1]?.error?.message).toContain('67108864')
  })

  it('gives the rest of the process its turn', async () => {
    const { url } = await gatewayOver({ cache: { set: async () => {} } })
    let turns = 0
    const count = () => {
      turns++
      immediate = setImmediate(count)
    }
    let immediate = setImmediate(count)
    await batch(url, Array(5_000).fill({ op: 'set', key: 'k', value: 1 }))
    clearImmediate(immediate)
    expect(turns).toBeGreaterThan(50)
  })
})

describe('a failure', () => {
  it('that is not expected is logged, and the client is not told what it was', async () => {
    const stats = () => {
      throw new Error('secret')
    }
    const { url, lines } = await gatewayOver({ peer: { stats } })
    const response = await fetch(`${url}/v1/stats`)
    expect(response.status).toBe(500)
    const body = await response.text()
    expect((JSON.parse(body) as ErrorBody).error.code).toBe('INTERNAL')
    expect(body).not.toContain('secret')
    expect(lines.join()).toContain('secret')
  })

  it('to queue a write is a 503', async () => {
    const set = () => Promise.reject(new SyncQueueFullError(10, 1_000))
    const { url } = await gatewayOver({ cache: { set } })
    const response = await fetch(`${url}/v1/caches/c/k`, PUT)
    expect(response.status).toBe(503)
    expect(((await response.json()) as ErrorBody).error.code).toBe('SYNC_QUEUE_FULL')
  })

  it('to queue one write of a batch is not waited for again by the next', async () => {
    let attempts = 0
    const set = () => {
      attempts++
      return Promise.reject(new SyncQueueFullError(10, 1_000))
    }
    const getMany = async <T>(keys: Iterable<string>) =>
      new Map([...keys].map((key) => [key, 'found' as T]))
    const { url } = await gatewayOver({ cache: { set, getMany } })
    const write = { op: 'set', key: 'k', value: 1 }
    const response = await batch(url, [write, write, { op: 'get', key: 'k' }])
    const items = (await response.json()) as Array<{ status: number }>
    expect(items.map(({ status }) => status)).toEqual([503, 503, 200])
    expect(attempts).toBe(1)
  })
})

describe('a write that waits', () => {
  it('goes on while its client does', async () => {
    let aborted: boolean | undefined
    const set: Cache['set'] = async (_key, _value, options) => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      aborted = options?.signal?.aborted
    }
    const { url } = await gatewayOver({ cache: { set } })
    expect((await fetch(`${url}/v1/caches/c/k`, PUT)).status).toBe(204)
    expect(aborted).toBe(false)
  })

  it('is given up when its client goes away, which is no failure', async () => {
    const waiting = deferred()
    const givenUp = deferred()
    const set: Cache['set'] = (_key, _value, options) =>
      new Promise((_resolve, reject) => {
        options?.signal?.addEventListener('abort', () => {
          givenUp.resolve()
          reject(options.signal?.reason)
        })
        waiting.resolve()
      })
    const { url, lines } = await gatewayOver({ cache: { set } })
    const client = new AbortController()
    const response = fetch(`${url}/v1/caches/c/k`, { ...PUT, signal: client.signal })
    response.catch(() => {})
    await waiting.promise
    client.abort()
    await givenUp.promise
    await expect(response).rejects.toThrow()
    expect(lines).toEqual([])
  })
})

describe('a stream of events', () => {
  const alert = { code: 'test', message: 'x'.repeat(64 * 1024) }

  it('whose reader does not read is cut off, which is logged, and the others go on', async () => {
    const { url, emitter, lines } = await gatewayOver()
    const events = await openEvents(url)
    const sleeper = await connection(url, 'GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n')
    sleeper.pause()
    // The kernel takes some megabytes before anything waits in the process.
    for (let sent = 0; lines.length === 0 && sent < 1_000; sent++) {
      emitter.emit('alert', { ...alert, code: `${sent}` })
      expect(await events.next()).toMatchObject({ data: { code: `${sent}` } })
    }
    expect(lines.join()).toMatch(/cut off.*1048576.*1 so far/)
    emitter.emit('alert', { code: 'last', message: '' })
    expect(await events.next()).toMatchObject({ data: { code: 'last' } })
    sleeper.destroy()
    events.close()
  })

  it('beyond the limit is a 503, until one of the others ends', async () => {
    const { url } = await gatewayOver()
    const first = await openEvents(url)
    const others = await Promise.all(Array.from({ length: 99 }, () => openEvents(url)))
    const refused = await fetch(`${url}/v1/events`)
    expect(refused.status).toBe(503)
    const { error } = (await refused.json()) as ErrorBody
    expect(error.code).toBe('TOO_MANY_STREAMS')
    expect(error.message).toContain('100')
    first.close()
    await expect.poll(() => openEvents(url).then((late) => late.close(), String)).toBe(undefined)
    for (const other of others) other.close()
  })

  it('on which nothing happens says that it is still there', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const { url } = await gatewayOver()
    const response = await fetch(`${url}/v1/events`)
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const read = async () => Buffer.from((await reader.read()).value ?? []).toString()
    expect(await read()).toMatch(/^: /)
    vi.advanceTimersByTime(15_000)
    expect(await read()).toMatch(/^: .*\n\n$/)
    await reader.cancel()
  })
})
