/** Scenarios of writes that wait for acknowledgements, and of reads that ask a majority. */
import type { Scenario } from '../operations.js'
import { ALL, at, first, held, paragraph } from './steps.js'

export const ACKS: readonly Scenario[] = [
  {
    name: 'quorum-of-a-minority',
    proves: paragraph`Two of five are cut off. They call the others dead, and are then all that they see of the mesh; yet a
      write there is never acknowledged by a quorum, for the dead that are not forgotten count. The three on the other side
      go on. A mesh that counts the living lets both sides promise that what they wrote is safe. What was refused an
      acknowledgement may still come to stay: here it does, for it is the later write.`,
    shows: ['partition'],
    steps: [
      ...at(2_000, { do: 'cut', from: ['p01', 'p02'], to: ['p03', 'p04', 'p05'] }),
      ...at(20_000, { do: 'expectSeen', at: 'p01', member: 'p05', state: 'dead' }),
      ...at(20_000, { do: 'set', at: 'p03', key: 'k', value: 'of three', ack: 'quorum' }),
      ...at(20_100, { do: 'set', at: 'p01', key: 'k', value: 'of two', ack: 'quorum' }),
      ...at(20_200, { do: 'expectOutcome', at: 'p03', of: 'set', outcome: 'ok' }),
      ...at(20_200, { do: 'expectOutcome', at: 'p01', of: 'set', outcome: 'pending' }),
      ...at(31_000, { do: 'expectOutcome', at: 'p01', of: 'set', outcome: 'NOT_CONFIRMED' }),
      ...at(32_000, { do: 'mend', from: ['p01', 'p02'], to: ['p03', 'p04', 'p05'] }),
      ...at(75_000, held(ALL, 'k', 'of two')),
    ],
  },
  {
    name: 'quorum-outlives-its-writer',
    proves: paragraph`Nothing that a member publishes arrives. It writes, waits for a quorum, is told that it has one, and is
      killed. The write is there: acknowledged writes go straight to the members, and do not wait for gossip. A mesh that
      counts what it has sent as received loses it.`,
    shows: ['loss', 'crash'],
    steps: [
      ...at(2_000, { do: 'link', settings: { lossProbability: 1 } }),
      ...at(2_100, { do: 'set', at: 'p05', key: 'k', value: 'last words', ack: 'quorum' }),
      ...at(2_200, { do: 'expectOutcome', at: 'p05', of: 'set', outcome: 'ok' }),
      ...at(2_200, { do: 'crash', member: 'p05' }),
      ...at(2_300, { do: 'link', settings: { lossProbability: 0 } }),
      ...at(10_000, held(first(4), 'k', 'last words')),
    ],
  },
  {
    name: 'all-waits-for-a-member-that-stands-still',
    proves: paragraph`A member stands still for two seconds. A write that waits for all waits for it, and a write that waits for
      a quorum does not.`,
    shows: ['stall'],
    steps: [
      ...at(2_000, { do: 'stall', member: 'p05', forMs: 2_000 }),
      ...at(2_100, { do: 'set', at: 'p01', key: 'k', value: 'for all', ack: 'all' }),
      ...at(2_100, { do: 'set', at: 'p02', key: 'l', value: 'for most', ack: 'quorum' }),
      ...at(3_900, { do: 'expectOutcome', at: 'p01', of: 'set', outcome: 'pending' }),
      ...at(3_900, { do: 'expectOutcome', at: 'p02', of: 'set', outcome: 'ok' }),
      ...at(6_000, { do: 'expectOutcome', at: 'p01', of: 'set', outcome: 'ok' }),
      ...at(6_000, held(ALL, 'k', 'for all')),
    ],
  },
  {
    name: 'quorum-read-of-what-never-came',
    proves: paragraph`Nothing that is published arrives, and a member has no link to the writer. A local read there finds nothing;
      one that asks a majority finds the write that a majority acknowledged, and has it from then on.`,
    shows: ['loss', 'partition'],
    steps: [
      ...at(2_000, { do: 'link', settings: { lossProbability: 1 } }),
      ...at(2_000, { do: 'cut', from: ['p01'], to: ['p05'] }),
      ...at(2_100, { do: 'set', at: 'p01', key: 'k', value: 'unheard', ack: 'quorum' }),
      ...at(2_200, { do: 'expectOutcome', at: 'p01', of: 'set', outcome: 'ok' }),
      ...at(2_200, held('p05', 'k', undefined)),
      ...at(2_300, { do: 'get', at: 'p05', key: 'k', consistency: 'quorum' }),
      ...at(2_400, { do: 'expectOutcome', at: 'p05', of: 'get', outcome: 'ok' }),
      ...at(2_400, held('p05', 'k', 'unheard')),
    ],
  },
]
