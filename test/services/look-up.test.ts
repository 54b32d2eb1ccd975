/** Looking keys up at another member: what is asked, and what of the answers. The member is made up here. */
import { describe, expect, it } from 'vitest'
import { announcementOf, type KeyName, type Write } from '../../src/core/entry.js'
import { FETCH_KEYS_MAX } from '../../src/protocol/limits.js'
import type { Answer, Ask } from '../../src/protocol/messages.js'
import { lookUp } from '../../src/services/look-up.js'
import { RequestError, type RequestStreams } from '../../src/services/request-streams.js'
import { at, set } from '../support/writes.js'

type Read = Extract<Ask, { kind: 'read' }>

/** A member that answers in its own way, and what it was asked. */
function memberThat(gives: (write: Write, index: number, ask: Read) => Write, open: number[] = []) {
  const asked: Read[] = []
  const requests = {
    ask: async (_: string, ask: Read): Promise<Extract<Answer, { kind: 'read' }>> => {
      asked.push(ask)
      const writes = ask.keys.map(({ key }, index) => gives(set(key, `${key}!`, at(1)), index, ask))
      return { kind: 'read', records: { writes, markers: [] }, ring: 7n, open }
    },
  } as unknown as RequestStreams
  return { asked, requests }
}

const keysOf = (...keys: string[]): KeyName[] => keys.map((key) => ({ cache: 'c', key }))

async function told(requests: RequestStreams, keys: readonly KeyName[], wanted?: () => []) {
  const values: Record<string, unknown> = {}
  const open: string[] = []
  for await (const answer of lookUp(requests, 'm', keys, {
    ring: 7n,
    timeoutMs: 1_000,
    ...(wanted && { wanted }),
  })) {
    for (const { key, payload } of answer.writes) if (payload !== undefined) values[key] = payload
    open.push(...answer.open)
  }
  return { values, open }
}

const asksOf = (asked: readonly Read[]) =>
  asked.map(
    ({ keys, large }) => `${keys.map(({ key }) => key).join(' ')}${large ? ' (large)' : ''}`,
  )

describe('a look-up', () => {
  it('asks once where all is told', async () => {
    const { asked, requests } = memberThat((write) => write)
    expect((await told(requests, keysOf('a', 'b'))).values).toEqual({ a: 'a!', b: 'b!' })
    expect(asksOf(asked)).toEqual(['a b'])
  })

  it('asks again for what is only announced', async () => {
    const { asked, requests } = memberThat((write, index) =>
      index < 2 ? write : announcementOf(write),
    )
    const { values } = await told(requests, keysOf('a', 'b', 'c'))
    expect(values).toEqual({ a: 'a!', b: 'b!', c: 'c!' })
    expect(asksOf(asked)).toEqual(['a b c', 'c'])
  })

  it('asks for values that nothing else fits beside as large ones, one after the other', async () => {
    const { asked, requests } = memberThat((write, index, { large }) =>
      large && index === 0 ? write : announcementOf(write),
    )
    const { values } = await told(requests, keysOf('a', 'b'))
    expect(values).toEqual({ a: 'a!', b: 'b!' })
    expect(asksOf(asked)).toEqual(['a b', 'a b (large)', 'b (large)'])
  })

  it('leaves out what is not wanted', async () => {
    const { asked, requests } = memberThat(announcementOf)
    expect((await told(requests, keysOf('a'), () => [])).values).toEqual({})
    expect(asked).toHaveLength(1)
  })

  it('gives up on a member that announces and never gives', async () => {
    const { asked, requests } = memberThat(announcementOf)
    await expect(told(requests, keysOf('a'))).rejects.toThrow(RequestError)
    expect(asked).toHaveLength(2)
  })

  it('names the keys of which the member need not know the latest', async () => {
    const { requests } = memberThat((write) => write, [1, 99])
    const [, second] = keysOf('a', 'b')
    const { open } = await told(requests, keysOf('a', 'b'))
    expect(open).toHaveLength(1)
    expect(open[0]).toContain(second?.key)
  })

  it('asks for no more keys at once than a request may name', async () => {
    const { asked, requests } = memberThat((write) => write)
    const many = keysOf(...Array.from({ length: FETCH_KEYS_MAX + 1 }, (_, index) => `k${index}`))
    expect(Object.keys((await told(requests, many)).values)).toHaveLength(many.length)
    expect(asked.map(({ keys }) => keys.length)).toEqual([FETCH_KEYS_MAX, 1])
  })
})
