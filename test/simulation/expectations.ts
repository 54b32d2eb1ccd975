/** What scenarios expect, and whether it is so. */
import type { SimulatedProcess } from '../../src/testing/simulation.js'
import { DEFAULT_CACHE, type Operation } from './operations.js'
import type { Outcomes } from './outcomes.js'

/** Why an expectation does not hold; undefined when it does, or when the operation is none. */
export function expectationFailure(
  step: Operation,
  members: ReadonlyMap<string, SimulatedProcess>,
  outcomes: Outcomes,
  told: ReadonlySet<string>,
  alerts: ReadonlyMap<string, ReadonlySet<string>>,
): string | undefined {
  const peerOf = (member: string) => {
    const peer = members.get(member)?.peer
    if (peer === undefined) throw new Error(`${member}, of which something is expected, never ran`)
    return peer
  }
  switch (step.do) {
    case 'expectHeld': {
      const held = peerOf(step.at)
        .cache<string>(step.cache ?? DEFAULT_CACHE)
        .peek(step.key)
      return unless(held === step.value, `${step.at} holds ${step.key} =`, held, step.value)
    }
    case 'expectSeen': {
      const seen = peerOf(step.at).members.find(({ id }) => id === step.member)?.state
      return unless(seen === step.state, `${step.at} sees ${step.member}`, seen, step.state)
    }
    case 'expectNeverTold': {
      const wasTold = told.has(`${step.state} ${step.member}`)
      return wasTold ? `somebody told that ${step.member} is ${step.state}` : undefined
    }
    case 'expectStatus': {
      const status = peerOf(step.member).status
      return unless(status === step.status, `${step.member} is`, status, step.status)
    }
    case 'expectOutcome': {
      const outcome = outcomes.latest(step.at, step.of)
      return unless(outcome === step.outcome, `${step.of} at ${step.at}:`, outcome, step.outcome)
    }
    case 'expectAlert': {
      const has = alerts.get(step.at)?.has(step.code) ?? false
      return has ? undefined : `${step.at} has not raised the alert ${step.code}`
    }
    case 'expectStat': {
      const {
        at,
        stat,
        atLeast = Number.NEGATIVE_INFINITY,
        atMost = Number.POSITIVE_INFINITY,
      } = step
      const value = Number(peerOf(at).stats()[stat])
      const isWithin = value >= atLeast && value <= atMost
      return unless(isWithin, `${stat} of ${at} is`, value, `${atLeast} to ${atMost}`)
    }
    default:
      return undefined
  }
}

function unless(holds: boolean, what: string, is: unknown, should: unknown): string | undefined {
  return holds ? undefined : `${what} ${String(is)}, expected ${String(should)}`
}
