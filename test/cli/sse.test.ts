/**
 * Server-sent events, however the chunks of the response are cut.
 */
import { describe, expect, it } from 'vitest'
import { parseServerSentEvents } from '../../src/cli/sse.js'

const STREAM = [
  ': a comment\n\n',
  'event: member:alive\ndata: {"name":"zoë"}\n\n',
  'id: 7\nretry: 10\ndata: one\ndata: two\n\n',
  'event: nothing\n\n',
  'event: alert\r\ndata: {}\r\n\r\n',
].join('')

const EVENTS = [
  { event: 'member:alive', data: '{"name":"zoë"}' },
  { event: 'message', data: 'one\ntwo' },
  { event: 'alert', data: '{}' },
]

async function* inChunks(bytes: Uint8Array, size: number) {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
}

async function parse(text: string, size: number) {
  const events = []
  const chunks = inChunks(new TextEncoder().encode(text), size)
  for await (const event of parseServerSentEvents(chunks)) events.push(event)
  return events
}

describe('server-sent events', () => {
  it.each([1, 2, 3, 7, 1_000])('are the same in chunks of %d bytes', async (size) => {
    expect(await parse(STREAM, size)).toEqual(EVENTS)
  })

  it('that are cut off at the end of the stream are dropped', async () => {
    expect(await parse('data: whole\n\ndata: hal', 5)).toEqual([
      { event: 'message', data: 'whole' },
    ])
  })
})
