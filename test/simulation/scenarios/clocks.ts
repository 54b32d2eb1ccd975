/** Scenarios of wall clocks that are wrong: stepped, fast, slow, drifting. */
import type { Expectation, Scenario, Step } from '../operations.js'
import { ALL, at, first, held, neverTold, paragraph, read, together } from './steps.js'

/** Everybody but `p05`, whose clock is wrong. */
const OTHERS = first(4)

const TEN_MINUTES_MS = 600_000

/** Members whose clocks are all ahead. */
const AHEAD = first(3).split(' ')

/** What the caller of a member with a broken clock gets, and what its operator sees. */
const REFUSED: Expectation[] = [
  { do: 'expectOutcome', at: 'p05', of: 'set', outcome: 'CLOCK_SKEW' },
  { do: 'expectAlert', at: 'p05', code: 'clock-skew' },
]

/** A member that starts alone, with a clock that is ahead, writes, and then meets the others. */
function aloneAhead(isSetRight: boolean): Step[] {
  const there = { from: ['p05'], to: OTHERS.split(' ') }
  return [
    ...at(500, { do: 'cut', ...there }),
    ...at(500, { do: 'start', member: 'p05', clockOffsetMs: TEN_MINUTES_MS }),
    ...at(8_000, {
      do: 'setMany',
      at: 'p05',
      entries: [
        ['k', 'of the future'],
        ['l', 'alone'],
      ],
    }),
    ...at(8_000, { do: 'delete', at: 'p05', key: 'm' }),
    ...at(8_500, {
      do: 'setMany',
      at: 'p01',
      entries: [
        ['k', 'of today'],
        ['m', 'stays'],
      ],
    }),
    ...(isSetRight ? at(9_000, { do: 'stepClock', member: 'p05', byMs: -TEN_MINUTES_MS }) : []),
    ...at(10_000, { do: 'mend', ...there }),
    ...at(40_000, held(ALL, 'k', 'of today'), held(ALL, 'l', undefined), held(ALL, 'm', 'stays')),
    ...at(40_000, { do: 'expectAlert', at: 'p05', code: 'clock-ahead' }),
    ...at(40_000, { do: 'expectStat', at: 'p05', stat: 'recalledCount', atLeast: 3 }),
    ...at(40_000, { do: 'set', at: 'p05', key: 'k', value: 'again' }),
    ...at(40_100, {
      do: 'expectOutcome',
      at: 'p05',
      of: 'set',
      outcome: isSetRight ? 'ok' : 'CLOCK_SKEW',
    }),
    ...at(42_000, held(ALL, 'k', isSetRight ? 'again' : 'of today')),
    ...at(
      TEN_MINUTES_MS + 60_000,
      held(ALL, 'k', isSetRight ? 'again' : 'of today'),
      held(ALL, 'l', undefined),
    ),
    ...(isSetRight
      ? []
      : at(TEN_MINUTES_MS + 61_000, { do: 'stepClock', member: 'p05', byMs: -TEN_MINUTES_MS })),
  ]
}

export const CLOCKS: readonly Scenario[] = [
  {
    name: 'alone-with-a-clock-ahead',
    proves: paragraph`A member is alone when its clock is ten minutes ahead, and writes. Then its clock is set right, and it meets
      the others, who refuse what it has: it gives that up, says so, and what it writes from now on is taken. It does not keep
      it until its time comes, when it would win over all that was written meanwhile.`,
    shows: ['clock-step', 'partition'],
    members: 4,
    steps: aloneAhead(true),
  },
  {
    name: 'set-back-and-joined',
    proves: paragraph`The clocks of all members are ten minutes ahead, and are set right; then as many join as there are, and write,
      none of whose timestamps come near those of what is held. It is held all the same, by those that had it, and can be
      read by those that joined: nobody was alone, for the others had come as far. A member that counts who is behind
      gives up all there is.`,
    shows: ['clock-step', 'join'],
    options: { replicas: 3 },
    members: 0,
    steps: [
      ...AHEAD.flatMap((member, index) =>
        at(index * 100, { do: 'start', member, clockOffsetMs: TEN_MINUTES_MS }),
      ),
      ...at(5_000, { do: 'set', at: 'p01', key: 'k', value: 'v', ack: 'all' }),
      ...at(
        6_000,
        AHEAD.map((member) => ({ do: 'stepClock', member, byMs: -TEN_MINUTES_MS }) as const),
      ),
      ...['p04', 'p05', 'p06'].flatMap((member, index) => [
        ...at(8_000 + index * 100, { do: 'start', member, options: { role: 'client' } }),
        ...at(12_000 + index * 100, { do: 'set', at: member, key: member, value: member }),
      ]),
      ...at(30_000, { do: 'crash', member: 'p03' }),
      ...at(45_000, held('p01 p02', 'k', 'v'), read('p05', 'k', 'v', 'one')),
      ...at(45_000, { do: 'expectStat', at: 'p01', stat: 'recalledCount', atMost: 0 }),
    ],
  },
  {
    name: 'alone-with-a-clock-that-stays-ahead',
    proves: paragraph`The same with a clock that nobody sets right: what it wrote alone is given up when it hears what time it is, and
      from then on it refuses its own writes.`,
    shows: ['clock-step', 'partition'],
    members: 4,
    steps: aloneAhead(false),
  },
  {
    name: 'clock-step-ahead',
    proves: paragraph`A clock jumps ten minutes ahead. Its member notices by its peers: it refuses its own writes with an error
      that says why, raises an alert, and goes on serving reads; values that live for a minute do not expire there, for it
      goes by the time of the mesh. When the clock is right again it writes again. A mesh that takes the last clock's word
      has all its writes of the next ten minutes lose against this one's; one that refuses them only at the receivers
      leaves this member alone with a value that nobody else has.`,
    shows: ['clock-step'],
    steps: [
      ...at(2_000, { do: 'set', at: 'p01', key: 'minute', value: 'a minute', ttlMs: 60_000 }),
      ...at(3_000, { do: 'stepClock', member: 'p05', byMs: TEN_MINUTES_MS }),
      ...at(8_000, { do: 'set', at: 'p05', key: 'k', value: 'of the future' }),
      ...at(8_000, { do: 'set', at: 'p01', key: 'new', value: 'another minute', ttlMs: 60_000 }),
      ...at(8_100, REFUSED, held(ALL, 'k', undefined)),
      ...at(8_100, held(ALL, 'minute', 'a minute'), held(ALL, 'new', 'another minute')),
      ...at(9_000, { do: 'stepClock', member: 'p05', byMs: -TEN_MINUTES_MS }),
      ...at(14_000, { do: 'set', at: 'p05', key: 'k', value: 'of today' }),
      ...at(14_100, { do: 'expectOutcome', at: 'p05', of: 'set', outcome: 'ok' }),
      ...at(14_100, held(ALL, 'k', 'of today'), together(ALL), neverTold(ALL, 'suspect')),
    ],
  },
  {
    name: 'clock-step-back',
    proves: paragraph`A clock jumps ten minutes back, so that all that the others write seems to come from the future. Its member
      refuses its own writes and raises an alert; a value that lives for four seconds is over there after four seconds,
      not after ten minutes. When the clock is right again it has all that it could not believe meanwhile. A member that
      counts as received what it refused never gets it.`,
    shows: ['clock-step'],
    steps: [
      ...at(2_000, { do: 'set', at: 'p01', key: 'brief', value: 'four seconds', ttlMs: 4_000 }),
      ...at(3_000, { do: 'stepClock', member: 'p05', byMs: -TEN_MINUTES_MS }),
      ...at(8_000, { do: 'set', at: 'p01', key: 'new', value: 'meanwhile' }),
      ...at(8_000, { do: 'set', at: 'p05', key: 'k', value: 'of the past' }),
      ...at(8_100, REFUSED, held(ALL, 'brief', undefined), held(ALL, 'k', undefined)),
      ...at(9_000, { do: 'stepClock', member: 'p05', byMs: TEN_MINUTES_MS }),
      ...at(14_000, { do: 'set', at: 'p05', key: 'k', value: 'of today' }),
      ...at(14_100, { do: 'expectOutcome', at: 'p05', of: 'set', outcome: 'ok' }),
      ...at(14_100, held(ALL, 'k', 'of today'), held(ALL, 'new', 'meanwhile'), together(ALL)),
      ...at(14_100, neverTold(ALL, 'suspect')),
    ],
  },
  {
    name: 'clock-wrong-and-cut-off',
    proves: paragraph`A member whose clock is ten minutes ahead is cut off with one other. Of the two clocks that are left neither
      can be told to be the right one by the other, but both members remember those of the others and go by them: a value
      that lives for ten minutes is still there. A member that goes by those alone whom it can hear lets everything expire.`,
    shows: ['clock-step', 'partition'],
    steps: [
      ...at(2_000, { do: 'set', at: 'p01', key: 'k', value: 'ten minutes', ttlMs: TEN_MINUTES_MS }),
      ...at(4_000, { do: 'stepClock', member: 'p05', byMs: TEN_MINUTES_MS }),
      ...at(6_000, { do: 'cut', from: ['p04', 'p05'], to: ['p01', 'p02', 'p03'] }),
      ...at(20_000, held(ALL, 'k', 'ten minutes')),
      ...at(20_000, { do: 'set', at: 'p05', key: 'l', value: 'of the future' }),
      ...at(20_100, REFUSED),
      ...at(21_000, { do: 'stepClock', member: 'p05', byMs: -TEN_MINUTES_MS }),
    ],
  },
  {
    name: 'clock-step-at-once',
    proves: paragraph`A member writes in the very millisecond in which its clock has jumped ten minutes ahead, before anybody
      could tell it. Whatever becomes of that write, it is the same for all; and when the clock is right again what this
      member writes is taken by the others, and what they write wins over it. A member whose logical clock followed the
      jump is refused by all for the next ten minutes, and alone with what it wrote.`,
    shows: ['clock-step'],
    steps: [
      ...at(3_000, { do: 'stepClock', member: 'p05', byMs: TEN_MINUTES_MS }),
      ...at(3_000, { do: 'set', at: 'p05', key: 'k', value: 'of the future' }),
      ...at(4_000, { do: 'set', at: 'p01', key: 'k', value: 'of today' }),
      ...at(5_000, { do: 'stepClock', member: 'p05', byMs: -TEN_MINUTES_MS }),
      ...at(11_000, held(ALL, 'k', 'of today')),
      ...at(11_000, { do: 'set', at: 'p05', key: 'after', value: 'of today, too' }),
      ...at(11_100, { do: 'expectOutcome', at: 'p05', of: 'set', outcome: 'ok' }),
      ...at(11_100, held(ALL, 'after', 'of today, too')),
    ],
  },
  {
    name: 'clock-wrong-from-the-start',
    proves: paragraph`A newcomer whose clock is ten minutes ahead joins. It takes over the state, with the values that live for a
      minute, and it does not write. A joiner finds all of them expired, and the others all of its writes refused.`,
    shows: ['clock-step', 'join'],
    members: 4,
    steps: [
      ...at(2_000, { do: 'set', at: 'p01', key: 'minute', value: 'a minute', ttlMs: 60_000 }),
      ...at(3_000, { do: 'start', member: 'p05', clockOffsetMs: TEN_MINUTES_MS }),
      ...at(8_000, { do: 'set', at: 'p05', key: 'k', value: 'of the future' }),
      ...at(8_100, REFUSED, held(ALL, 'minute', 'a minute'), held(OTHERS, 'k', undefined)),
      ...at(8_100, together(ALL)),
    ],
  },
  {
    name: 'drift',
    proves: paragraph`Two members' clocks run two per cent fast and slow, timers included, for half a minute, until they are more
      than a second apart. Heartbeats that come a little early or late are no cause for suspicion, values live about as long
      as they should everywhere, and of two writes that follow each other the later one wins, whoever made it.`,
    shows: ['drift'],
    steps: [
      ...at(1_000, { do: 'drift', member: 'p04', share: -0.02 }),
      ...at(1_000, { do: 'drift', member: 'p05', share: 0.02 }),
      ...at(25_000, { do: 'set', at: 'p05', key: 'brief', value: 'two seconds', ttlMs: 2_000 }),
      ...at(26_000, held(ALL, 'brief', 'two seconds')),
      ...at(30_000, { do: 'set', at: 'p05', key: 'k', value: 'fast' }),
      ...at(30_050, { do: 'set', at: 'p04', key: 'k', value: 'slow, and later' }),
      ...at(30_100, held(ALL, 'k', 'slow, and later'), held(ALL, 'brief', undefined)),
      ...at(30_100, neverTold(ALL, 'suspect')),
    ],
  },
  {
    name: 'three-seconds-fast',
    proves: paragraph`A member's clock is three seconds fast, and it writes. What others write because of it, a moment later, wins,
      though by their clocks it is three seconds older: a timestamp that was heard moves the clock. Of two writes that know
      nothing of each other the one with the fast clock wins; that is arbitrary, and the same for all. With plain wall
      clocks nobody could overwrite or delete what this member wrote for three seconds.`,
    shows: [],
    members: 4,
    steps: [
      ...at(500, { do: 'start', member: 'p05', clockOffsetMs: 3_000 }),
      ...at(2_000, { do: 'set', at: 'p05', key: 'k', value: 'fast' }),
      ...at(2_000, { do: 'set', at: 'p05', key: 'gone', value: 'short-lived' }),
      ...at(2_100, { do: 'set', at: 'p01', key: 'k', value: 'because of it' }),
      ...at(2_100, { do: 'delete', at: 'p02', key: 'gone' }),
      ...at(2_200, held(ALL, 'k', 'because of it'), held(ALL, 'gone', undefined)),
      // A second later the fast clock is ahead of all that was heard.
      ...at(4_000, { do: 'set', at: 'p01', key: 'race', value: 'right' }),
      ...at(4_000, { do: 'set', at: 'p05', key: 'race', value: 'fast again' }),
      ...at(4_100, held(ALL, 'race', 'fast again')),
    ],
  },
  {
    name: 'three-seconds-slow',
    proves: paragraph`A member's clock is three seconds slow. What it writes after it has heard another write wins over that one,
      and it can delete what others have written just now. With plain wall clocks its writes would vanish without an error
      wherever there is anything younger than three seconds.`,
    shows: [],
    members: 4,
    steps: [
      ...at(500, { do: 'start', member: 'p05', clockOffsetMs: -3_000 }),
      ...at(2_000, { do: 'set', at: 'p01', key: 'k', value: 'right' }),
      ...at(2_000, { do: 'set', at: 'p01', key: 'gone', value: 'short-lived' }),
      ...at(2_100, { do: 'set', at: 'p05', key: 'k', value: 'slow, and later' }),
      ...at(2_100, { do: 'delete', at: 'p05', key: 'gone' }),
      ...at(2_200, held(ALL, 'k', 'slow, and later'), held(ALL, 'gone', undefined)),
      // By the clocks of the others it wrote at 2,100 ms: it has heard nothing since.
      ...at(4_000, { do: 'set', at: 'p05', key: 'race', value: 'slow again' }),
      ...at(4_000, { do: 'set', at: 'p01', key: 'race', value: 'right again' }),
      ...at(4_100, held(ALL, 'race', 'right again'), together(ALL)),
    ],
  },
  {
    name: 'three-seconds-fast-and-slow',
    proves: paragraph`One clock is three seconds fast and another one three seconds slow: each is near enough to all the others
      to write, and the two are six seconds apart. What the fast one writes is five seconds and more ahead of the slow one,
      and so is what others write because of it. All of it is taken everywhere, for what is believed is measured against
      the mesh and not against the worst clock in it. A receiver that goes by its own clock alone refuses half the mesh.`,
    shows: [],
    members: 3,
    steps: [
      ...at(200, { do: 'start', member: 'p04', clockOffsetMs: -3_000 }),
      ...at(500, { do: 'start', member: 'p05', clockOffsetMs: 3_000 }),
      ...at(2_000, { do: 'set', at: 'p05', key: 'k', value: 'fast' }),
      ...at(2_100, held(ALL, 'k', 'fast'), { do: 'set', at: 'p01', key: 'k', value: 'right' }),
      ...at(2_200, held(ALL, 'k', 'right'), { do: 'set', at: 'p04', key: 'k', value: 'slow' }),
      ...at(2_300, held(ALL, 'k', 'slow'), { do: 'delete', at: 'p05', key: 'k' }),
      ...at(2_400, held(ALL, 'k', undefined), together(ALL)),
    ],
  },
  {
    name: 'tags-race-on-skewed-writers',
    proves: paragraph`A member's clock is three seconds fast, and another one's three seconds slow. An invalidation made by the slow one,
      because of what the fast one wrote, undoes it; a value that is set because of the invalidation stays. Of a set and an
      invalidation that know nothing of each other the one with the faster clock wins, for all the same way. A marker that
      is compared by arrival, or by the wall clock, leaves the value on some.`,
    shows: [],
    members: 3,
    steps: [
      ...at(200, { do: 'start', member: 'p04', clockOffsetMs: -3_000 }),
      ...at(500, { do: 'start', member: 'p05', clockOffsetMs: 3_000 }),
      ...at(2_000, { do: 'set', at: 'p05', key: 'k', value: 'fast', tags: ['t'] }),
      ...at(2_100, held(ALL, 'k', 'fast'), { do: 'invalidate', at: 'p04', tags: ['t'] }),
      ...at(2_200, held(ALL, 'k', undefined)),
      ...at(2_200, { do: 'set', at: 'p04', key: 'k', value: 'slow, and later', tags: ['t'] }),
      ...at(2_300, held(ALL, 'k', 'slow, and later'), together(ALL)),
      // By now the clocks are as far apart again as they were.
      ...at(7_000, { do: 'set', at: 'p05', key: 'race', value: 'fast again', tags: ['t'] }),
      ...at(7_000, { do: 'invalidate', at: 'p04', tags: ['t'] }),
      ...at(7_100, held(ALL, 'race', 'fast again')),
      ...at(12_000, { do: 'set', at: 'p04', key: 'race', value: 'slow again', tags: ['t'] }),
      ...at(12_000, { do: 'invalidate', at: 'p05', tags: ['t'] }),
      ...at(12_100, held(ALL, 'race', undefined), together(ALL)),
    ],
  },
  {
    name: 'clock-step-of-all',
    proves: paragraph`All clocks jump ten minutes ahead, as when a host of many virtual machines is set right. Nobody's clock is
      wrong by those of its peers, so that all may write, at the latest after a few heartbeats. A member that compares with
      what it heard long ago locks the whole mesh.`,
    shows: ['clock-step'],
    steps: [
      ...at(
        3_000,
        ALL.split(' ').map((member) => ({ do: 'stepClock', member, byMs: TEN_MINUTES_MS })),
      ),
      ...at(7_000, { do: 'set', at: 'p05', key: 'k', value: 'of tomorrow' }),
      ...at(7_100, { do: 'expectOutcome', at: 'p05', of: 'set', outcome: 'ok' }),
      ...at(7_100, held(ALL, 'k', 'of tomorrow'), together(ALL)),
    ],
  },
  {
    name: 'clock-step-back-of-all',
    proves: paragraph`All clocks jump ten minutes back. A hybrid clock never goes back, so that everybody's next timestamp is ten
      minutes ahead of everybody's wall clock, and nobody's clock is broken. The mesh goes on: what one writes all take. Where
      a timestamp is compared with the receiver's wall clock alone, nobody believes anybody for ten minutes, and the copies
      drift apart.`,
    shows: ['clock-step'],
    steps: [
      ...at(2_000, { do: 'set', at: 'p01', key: 'k', value: 'of today' }),
      ...at(
        3_000,
        ALL.split(' ').map((member) => ({ do: 'stepClock', member, byMs: -TEN_MINUTES_MS })),
      ),
      ...at(7_000, { do: 'set', at: 'p05', key: 'k', value: 'of yesterday' }),
      ...at(7_100, held(ALL, 'k', 'of yesterday'), together(ALL)),
    ],
  },
  {
    name: 'restart-three-seconds-slow',
    proves: paragraph`A member writes and is killed, and starts again on a host whose clock is three seconds slow. Its new writes
      win over its own of the life before, for it writes nothing before it has heard from another one how late it is. A
      process that trusts its clock writes into its own past: it says that the write was made, and the old value stays.`,
    shows: ['crash'],
    steps: [
      ...at(2_000, { do: 'set', at: 'p05', key: 'k', value: 'first life' }),
      ...at(2_000, { do: 'set', at: 'p05', key: 'gone', value: 'short-lived' }),
      ...at(2_100, { do: 'crash', member: 'p05' }),
      ...at(2_400, { do: 'restart', member: 'p05', clockOffsetMs: -3_000 }),
      ...at(2_401, { do: 'set', at: 'p05', key: 'k', value: 'second life' }),
      ...at(2_401, { do: 'delete', at: 'p05', key: 'gone' }),
      ...at(4_500, { do: 'expectOutcome', at: 'p05', of: 'set', outcome: 'ok' }, together(ALL)),
      ...at(4_500, held(ALL, 'k', 'second life'), held(ALL, 'gone', undefined)),
    ],
  },
]
