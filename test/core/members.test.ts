import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type MemberDescription,
  MemberList,
  type MemberState,
  overrides,
} from '../../src/core/members.js'

const STATES: MemberState[] = ['alive', 'suspect', 'dead', 'left']
const RETENTION_MS = 1_000

function newList({ goneFactorMax = 4, goneMin = 4 } = {}): MemberList {
  return new MemberList({ goneRetentionMs: RETENTION_MS, goneFactorMax, goneMin })
}

function describing(id: string, incarnation = 1, more: Partial<MemberDescription> = {}) {
  const description: MemberDescription = {
    id,
    name: `name of ${id}`,
    incarnation,
    status: 'serving',
    role: 'owner',
    addresses: [`/dns4/${id}/tcp/1`],
    ...more,
  }
  return description
}

/** Tells the list of a member, with a description. */
function tell(list: MemberList, id: string, incarnation: number, state: MemberState, nowMs = 0) {
  return list.apply({ id, incarnation, state }, nowMs, describing(id, incarnation))
}

describe('overrides', () => {
  it.each(STATES.flatMap((news, rank) => STATES.map((known, of) => [news, known, rank > of])))(
    'within one incarnation, %s over %s: %s',
    (news, known, wins) => {
      const incarnation = 5
      expect(
        overrides(
          { incarnation, state: news as MemberState, outlived: incarnation },
          { incarnation, state: known as MemberState },
        ),
      ).toBe(wins)
    },
  )

  it.each(STATES.flatMap((news) => STATES.map((known) => [news, known] as const)))(
    'an older incarnation never wins and a newer one always does: %s, %s',
    (news, known) => {
      const held = { incarnation: 5, state: known }
      expect(overrides({ incarnation: 4, state: news, outlived: 5 }, held)).toBe(false)
      expect(overrides({ incarnation: 6, state: news, outlived: 5 }, held)).toBe(true)
    },
  )

  it.each(['dead', 'left'] as const)('who was %s comes back once it knows that', (state) => {
    const held = { incarnation: 5, state }
    const alive = { incarnation: 9, state: 'alive' } as const
    expect(overrides({ ...alive, outlived: 4 }, held)).toBe(false)
    expect(overrides({ ...alive, outlived: 5 }, held)).toBe(true)
  })
})

describe('MemberList.apply', () => {
  it('ignores news of an unknown member that nobody describes', () => {
    const list = newList()
    expect(list.apply({ id: 'a', incarnation: 1, state: 'alive' }, 0)).toBeUndefined()
    expect(list.all()).toEqual([])
  })

  it('ignores old news', () => {
    const list = newList()
    tell(list, 'a', 2, 'suspect')
    expect(tell(list, 'a', 2, 'alive')).toBeUndefined()
    expect(tell(list, 'a', 1, 'left')).toBeUndefined()
    expect(tell(list, 'a', 2, 'suspect')).toBeUndefined()
    expect(list.get('a')).toMatchObject({ incarnation: 2, state: 'suspect' })
  })

  it('does not revive a dead member within its incarnation', () => {
    const list = newList()
    tell(list, 'a', 1, 'dead')
    expect(tell(list, 'a', 1, 'alive')).toBeUndefined()
    expect(tell(list, 'a', 1, 'suspect')).toBeUndefined()
    expect(list.get('a')?.state).toBe('dead')
  })

  it('takes in a new member and says that it is new', () => {
    const list = newList()
    const transition = tell(list, 'a', 1, 'alive', 7)
    expect(transition?.from).toBeUndefined()
    expect(list.get('a')).toEqual({ ...describing('a', 1), state: 'alive', sinceMs: 7 })
    expect(transition?.member).toEqual(list.get('a'))
  })

  it('lets a suspect refute with a higher incarnation', () => {
    const list = newList()
    tell(list, 'a', 1, 'alive', 0)
    tell(list, 'a', 1, 'suspect', 10)
    expect(tell(list, 'a', 2, 'alive', 20)?.from).toBe('suspect')
    expect(list.get('a')).toMatchObject({ incarnation: 2, state: 'alive', sinceMs: 20 })
    expect(tell(list, 'a', 1, 'dead', 30)).toBeUndefined()
  })

  it.each(['dead', 'left'] as const)('lets a %s member come back', (state) => {
    const list = newList()
    tell(list, 'a', 1, state)
    expect(tell(list, 'a', 2, 'alive')?.from).toBe(state)
    expect(list.serving()).toEqual(['a'])
  })

  it('keeps what a member said of itself when news without a description comes', () => {
    const list = newList()
    tell(list, 'a', 1, 'alive')
    list.apply({ id: 'a', incarnation: 1, state: 'suspect' }, 0)
    expect(list.get('a')).toMatchObject({ name: 'name of a', addresses: ['/dns4/a/tcp/1'] })
  })

  it('takes no description of another incarnation than the news is of', () => {
    const list = newList()
    tell(list, 'a', 2, 'alive')
    const stale = describing('a', 1, { name: 'old name' })
    list.apply({ id: 'a', incarnation: 3, state: 'alive' }, 0, stale)
    expect(list.get('a')).toMatchObject({ name: 'name of a', incarnation: 3 })
  })

  it('says since when a member is in its state, and not since the news came again', () => {
    const list = newList()
    tell(list, 'a', 1, 'alive', 5)
    tell(list, 'a', 1, 'alive', 50)
    expect(list.get('a')?.sinceMs).toBe(5)
    tell(list, 'a', 2, 'alive', 55)
    expect(list.get('a')?.sinceMs).toBe(55)
    tell(list, 'a', 2, 'dead', 60)
    expect(list.get('a')?.sinceMs).toBe(60)
  })

  it('ends in the same list, whatever the order of the news and however often it comes', () => {
    const news = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      incarnation: fc.integer({ min: 1, max: 3 }),
      state: fc.constantFrom(...STATES),
    })
    const orders = fc
      .array(news, { minLength: 1, maxLength: 10 })
      .chain((all) =>
        fc.tuple(
          fc.shuffledSubarray(all, { minLength: all.length }),
          fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length }),
        ),
      )
    fc.assert(
      fc.property(orders, (bothOrders) => {
        const [one, other] = bothOrders.map((order) => {
          const list = newList()
          for (const { id, incarnation, state } of order) tell(list, id, incarnation, state)
          return list
        }) as [MemberList, MemberList]
        const summary = (list: MemberList) =>
          new Map(list.all().map(({ id, incarnation, state }) => [id, { incarnation, state }]))
        expect(summary(one)).toEqual(summary(other))
      }),
    )
  })
})

describe('MemberList.describe', () => {
  it.each([
    ['older', 1],
    ['newer', 3],
  ])('ignores what a member says of itself in an %s incarnation', (_, incarnation) => {
    const list = newList()
    tell(list, 'a', 2, 'alive')
    list.describe(describing('a', incarnation, { name: 'other' }))
    expect(list.get('a')?.name).toBe('name of a')
  })

  it('ignores a member that is not known', () => {
    const list = newList()
    list.describe(describing('a'))
    expect(list.all()).toEqual([])
  })

  it('changes what a member says of itself and not its state', () => {
    const list = newList()
    tell(list, 'a', 1, 'suspect', 9)
    list.describe(describing('a', 1, { status: 'draining' }))
    expect(list.get('a')).toMatchObject({ status: 'draining', state: 'suspect', sinceMs: 9 })
  })
})

describe('MemberList.vindicate', () => {
  it.each(['alive', 'dead', 'left'] as const)('does nothing for a member that is %s', (state) => {
    const list = newList()
    tell(list, 'a', 1, state)
    expect(list.vindicate('a', 5)).toBeUndefined()
    expect(list.get('a')?.state).toBe(state)
  })

  it('does nothing for a member that is not known', () => {
    expect(newList().vindicate('a', 5)).toBeUndefined()
  })

  it('drops a suspicion within the incarnation', () => {
    const list = newList()
    tell(list, 'a', 3, 'suspect', 1)
    expect(list.vindicate('a', 5)).toMatchObject({ from: 'suspect', member: { state: 'alive' } })
    expect(list.get('a')).toMatchObject({ incarnation: 3, state: 'alive', sinceMs: 5 })
  })
})

describe('MemberList.forget', () => {
  it.each(['alive', 'suspect'] as const)('refuses a member that is %s', (state) => {
    const list = newList()
    tell(list, 'a', 1, state)
    expect(list.forget('a')).toBe(false)
    expect(list.get('a')).toBeDefined()
  })

  it('refuses a member that is not known', () => {
    expect(newList().forget('a')).toBe(false)
  })

  it.each(['dead', 'left'] as const)('forgets a member that is %s', (state) => {
    const list = newList()
    tell(list, 'a', 1, state)
    expect(list.forget('a')).toBe(true)
    expect(list.get('a')).toBeUndefined()
    expect(list.forget('a')).toBe(false)
  })
})

describe('MemberList.prune', () => {
  it('never forgets a live member', () => {
    const list = newList({ goneFactorMax: 0 })
    tell(list, 'a', 1, 'alive')
    tell(list, 'b', 1, 'suspect')
    expect(list.prune(1_000_000)).toEqual([])
    expect(list.all().length).toBe(2)
  })

  it('forgets those gone for as long as they are remembered, and no sooner', () => {
    const list = newList()
    tell(list, 'a', 1, 'dead', 100)
    tell(list, 'b', 1, 'left', 101)
    expect(list.prune(100 + RETENTION_MS - 1)).toEqual([])
    expect(list.prune(100 + RETENTION_MS)).toEqual(['a'])
    expect(list.prune(101 + RETENTION_MS)).toEqual(['b'])
  })

  it('forgets those beyond the multiple of the live, the longest gone first', () => {
    const list = newList({ goneFactorMax: 2, goneMin: 0 })
    tell(list, 'live', 1, 'alive')
    tell(list, 'late', 1, 'dead', 30)
    tell(list, 'early', 1, 'dead', 10)
    tell(list, 'middle', 1, 'left', 20)
    expect(list.prune(40)).toEqual(['early'])
    expect(list.prune(40)).toEqual([])
  })

  it('remembers some of a whole mesh that it lost sight of, so that it can find it again', () => {
    const list = newList({ goneFactorMax: 2, goneMin: 2 })
    for (const [sinceMs, id] of ['a', 'b', 'c'].entries()) tell(list, id, 1, 'dead', sinceMs)
    expect(list.prune(5)).toEqual(['a'])
    expect(list.prune(5)).toEqual([])
  })
})

describe('the members on the ring', () => {
  it('are those that are live and serving', () => {
    const list = newList()
    for (const state of STATES) tell(list, state, 1, state)
    for (const status of ['joining', 'draining'] as const) {
      list.apply(
        { id: status, incarnation: 1, state: 'alive' },
        0,
        describing(status, 1, { status }),
      )
    }
    expect(list.serving()).toEqual(['alive', 'suspect'])
    expect(list.live().map(({ id }) => id)).toEqual(['alive', 'suspect', 'joining', 'draining'])
  })
})
