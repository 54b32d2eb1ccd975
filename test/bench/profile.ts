/**
 * Where the time goes, by function, in a process that writes and in one that only receives: under sets whose arrival is
 * confirmed by flush, and under sets with `ack: 'quorum'`, eight under way at any time.
 */
import { type Child, withChildren } from './mesh/children.js'
import type { ProfileSummary } from './mesh/profile.js'
import type { Line } from './run.js'
import { clear, round } from './throughput.js'

const PEERS = 3
const WARM_UP_CALLS = 16_000
const CALLS = 24_000
const PARTS_SHOWN = 14
const FUNCTIONS_SHOWN = 25

export async function profile(): Promise<Line[]> {
  await withChildren(PEERS, async (children) => {
    const [writer, receiver] = children as [Child, Child]
    for (const [how, batch] of [
      ['set after set', 0],
      ['setMany of 100', 100],
    ] as const) {
      const work = () => round(children, [writer], batch)
      await work()
      await clear(children)
      await profiled(`throughput, ${how}`, { writer, receiver }, work)
      await clear(children)
    }
    await acknowledged(writer, WARM_UP_CALLS)
    await profiled('ack quorum', { writer, receiver }, () => acknowledged(writer, CALLS))
  })
  return []
}

async function acknowledged(writer: Child, calls: number): Promise<void> {
  const keys = { prefix: 'timed', count: 1_000 }
  await writer.ask({ do: 'time', what: { ack: 'quorum' }, keys, calls, inFlight: 8 })
}

async function profiled(
  what: string,
  processes: Readonly<Record<string, Child>>,
  work: () => Promise<unknown>,
): Promise<void> {
  const children = Object.values(processes)
  await Promise.all(children.map((child) => child.ask({ do: 'profile' })))
  await work()
  const summaries = await Promise.all(
    children.map((child) => child.ask<ProfileSummary>({ do: 'profiled' })),
  )
  for (const [index, name] of Object.keys(processes).entries()) {
    const { busy, parts, functions } = summaries[index] as ProfileSummary
    console.log(`${what}, the ${name}, busy ${(busy * 100).toFixed(0)} %; by part:`)
    for (const { name, share } of parts.slice(0, PARTS_SHOWN)) print(share, name)
    console.log('by function:')
    for (const { name, share } of functions.slice(0, FUNCTIONS_SHOWN)) print(share, name)
  }
}

function print(share: number, name: string): void {
  console.log(`  ${(share * 100).toFixed(1).padStart(5)} %  ${name}`)
}
