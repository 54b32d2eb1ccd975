/**
 * What `up` makes of what its children say: news told once, states by the worst that is said,
 * tables that fit.
 */
import { describe, expect, it } from 'vitest'
import type { MemberInfo, MemberState, PeerStats } from '../../src/api.js'
import { renderMesh } from '../../src/cli/mesh-table.js'
import { MeshView } from '../../src/cli/mesh-view.js'
import { describeSighting, suggestions } from '../../src/cli/up-screens.js'

const names = ['peer-1', 'peer-2', 'peer-3']
const idOf = (name: string) => `id-of-${name}`
const killed = (at: number) => ({ code: null, signal: 'SIGKILL', at }) as const

function member(name: string, state: MemberState, self = false): MemberInfo {
  const partitions = state === 'alive' ? 1024 : 0
  const common = { incarnation: 1, addresses: [], role: 'owner', breaker: 'closed' } as const
  return { ...common, id: idOf(name), name, state, self, partitions }
}

function news(state: MemberState, name: string, at = 0) {
  return { event: `member:${state}`, at, id: idOf(name), name }
}

/** Three peers that serve and see each other. */
function meshOfThree(): MeshView {
  const view = new MeshView()
  for (const [index, name] of names.entries()) {
    view.spawned(name, 100 + index)
    view.ready(name, { id: idOf(name), http: `http://127.0.0.1:${7700 + index}` })
  }
  for (const observer of names) {
    for (const name of names) view.heard(observer, news('alive', name))
  }
  return view
}

const stateOf = (view: MeshView, name: string) => {
  const row = view.rows().find((one) => one.name === name)
  return row && [row.state, row.stateSayers, row.observers]
}

describe('news', () => {
  it('is not that peers see each other for the first time', () => {
    const view = meshOfThree()
    expect(view.heard('peer-1', news('alive', 'peer-2'))).toBeUndefined()
  })

  it('is each change once, by each observer', () => {
    const view = meshOfThree()
    expect(view.heard('peer-1', news('dead', 'peer-3', 5))).toEqual({
      subject: 'peer-3',
      observer: 'peer-1',
      state: 'dead',
      at: 5,
    })
    expect(view.heard('peer-1', news('dead', 'peer-3'))).toBeUndefined()
    expect(view.heard('peer-2', news('dead', 'peer-3'))).toBeDefined()
    expect(view.heard('peer-1', news('alive', 'peer-3'))).toBeDefined()
  })

  it('is not lost when a poll is first to see it', () => {
    const view = meshOfThree()
    view.polled('peer-1', {} as PeerStats, [member('peer-3', 'dead')])
    expect(view.heard('peer-1', news('dead', 'peer-3'))).toBeDefined()
  })

  it('is nothing about strangers, and nothing that is not about a member', () => {
    const view = meshOfThree()
    expect(view.heard('peer-1', news('dead', 'stranger'))).toBeUndefined()
    expect(view.heard('peer-1', { event: 'alert', code: 'x', message: 'y' })).toBeUndefined()
  })

  it('says how long after the end of a process it came', () => {
    const view = meshOfThree()
    const sighting = view.heard('peer-1', news('dead', 'peer-3', 1_320))
    if (sighting === undefined) throw new Error('no news')
    expect(describeSighting(sighting, view.sinceExitMs(sighting))).toBe(
      'peer-3 is dead, says peer-1',
    )
    view.exited('peer-3', killed(1_000))
    expect(describeSighting(sighting, view.sinceExitMs(sighting))).toBe(
      'peer-3 is dead, says peer-1 after 320 ms',
    )
  })
})

describe('the state of a peer', () => {
  it('is the worst that any other says, with the number of those who say it', () => {
    const view = meshOfThree()
    expect(stateOf(view, 'peer-3')).toEqual(['alive', 2, 2])
    view.heard('peer-1', news('suspect', 'peer-3'))
    expect(stateOf(view, 'peer-3')).toEqual(['suspect', 1, 2])
    view.heard('peer-2', news('dead', 'peer-3'))
    expect(stateOf(view, 'peer-3')).toEqual(['dead', 1, 2])
  })

  it('is no longer what the dead said', () => {
    const view = meshOfThree()
    view.heard('peer-3', news('suspect', 'peer-1'))
    view.exited('peer-3', killed(0))
    expect(stateOf(view, 'peer-1')).toEqual(['alive', 1, 1])
    view.polled('peer-3', {} as PeerStats, [member('peer-1', 'dead')])
    expect(stateOf(view, 'peer-1')).toEqual(['alive', 1, 1])
  })

  it('is that of its process where nobody else says anything', () => {
    const view = new MeshView()
    view.spawned('peer-1', 1)
    expect(stateOf(view, 'peer-1')).toEqual(['starting', 0, 0])
    view.ready('peer-1', { id: 'x', http: 'http://127.0.0.1:7700' })
    expect(stateOf(view, 'peer-1')).toEqual(['alive', 0, 0])
    view.exited('peer-1', killed(0))
    expect(stateOf(view, 'peer-1')).toEqual(['dead', 0, 0])
  })
})

describe('the table', () => {
  const stats = {
    itemCount: 123_456,
    memoryBytes: 2 ** 30 - 1,
    hitCount: 1,
    missCount: 0,
    hitRate: 1,
    syncQueueSize: 10_000,
    syncLatencyMs: 12.34,
  } as PeerStats

  it.each([40, 80, 120, 200])('fits %d columns', (width) => {
    const view = meshOfThree()
    view.heard('peer-1', news('suspect', 'peer-3'))
    for (const name of names) {
      view.polled(
        name,
        stats,
        names.map((one) => member(one, 'alive', one === name)),
      )
    }
    for (const line of renderMesh(view.rows(), width, 10)) expect(line.length).toBeLessThan(width)
  })

  it('shows URLs where there is room, and how a process ended', () => {
    const view = meshOfThree()
    view.exited('peer-2', killed(0))
    view.exited('peer-3', { code: 1, signal: null, at: 0 })
    const wide = renderMesh(view.rows(), 120, 10)
    expect(wide[1]).toContain('http://127.0.0.1:7700')
    expect(wide[2]).toMatch(/^peer-2 +SIGKILL/)
    expect(wide[3]).toMatch(/^peer-3 +exit 1/)
    expect(renderMesh(view.rows(), 80, 10)[1]).toMatch(/ :7700 /)
  })

  it('says how many peers it has no room for', () => {
    const lines = renderMesh(meshOfThree().rows(), 80, 2)
    expect(lines).toHaveLength(4)
    expect(lines[3]).toContain('1 more')
  })
})

describe('the next things to try', () => {
  it('name a peer where it is not the one asked by default', () => {
    expect(suggestions(meshOfThree().rows())).toEqual([
      'npx hearsay set demo greeting hello',
      'npx hearsay get demo greeting --peer http://127.0.0.1:7701',
      'kill -9 102  # peer-3: watch the others notice',
    ])
  })

  it('are about peers that run, and leave the last one alone', () => {
    const view = meshOfThree()
    view.exited('peer-1', killed(0))
    view.exited('peer-3', killed(0))
    expect(suggestions(view.rows())).toEqual([
      'npx hearsay set demo greeting hello --peer http://127.0.0.1:7701',
      'npx hearsay get demo greeting --peer http://127.0.0.1:7701',
    ])
    view.exited('peer-2', killed(0))
    expect(suggestions(view.rows())).toEqual([])
  })
})
