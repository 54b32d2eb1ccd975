/** Of whom a member expects state: those that it has missed something of, as long as they may give it. */
import { expect, it } from 'vitest'
import type { Member, MemberState } from '../../src/core/members.js'
import { CatchUp, type CatchUpComponents } from '../../src/services/catch-up.js'
import { FakeClock } from '../support/clock.js'

const member = (state: MemberState): Member => ({
  id: 'p02',
  name: 'p02',
  incarnation: 1,
  outlived: undefined,
  status: 'serving',
  role: 'owner',
  addresses: [],
  state,
  sinceMs: 0,
})

/** A member that serves, and is connected to nobody. */
function open() {
  const components = {
    runtime: { clock: new FakeClock(), scheduler: {} },
    membership: { status: 'serving', list: new Map() },
    handshake: { isAccepted: () => false },
  } as unknown as CatchUpComponents
  let paidCount = 0
  const catchUp = new CatchUp(
    components,
    {
      joinTimeoutMs: 1,
      expectsOthers: true,
      role: 'owner',
      keepsAll: false,
      partitions: () => undefined,
      hasSettled: () => true,
      settled: async () => {},
    },
    {
      started: () => {},
      ended: () => {},
      alone: () => {},
      paid: () => {
        paidCount++
      },
    },
  )
  return { catchUp, paid: () => paidCount }
}

it('who answers a greeting, and was not there before, owes what it has until it gives it or is gone', () => {
  const { catchUp, paid } = open()
  catchUp.accepted(member('alive'), false)
  expect(catchUp.owes).toBe(true)
  catchUp.gone('p02')
  expect([catchUp.owes, paid()]).toEqual([false, 1])
})

it.each(['dead', 'left'] as const)(
  'who is known to be %s when its answer to a greeting comes owes nothing: it would for ever',
  (state) => {
    const { catchUp } = open()
    catchUp.accepted(member(state), false)
    expect(catchUp.owes).toBe(false)
  },
)
