/** Scenarios of keys that have three owners among more members: who may be lost, cut off, or come and go. */
import { loadHash64 } from '../../../src/adapters/system/hash.js'
import { keyHashOf, partitionAt, Ring } from '../../../src/core/ring.js'
import { DEFAULT_CACHE, memberName, type Scenario, type Step } from '../operations.js'
import { ALL, at, first, held, paragraph, read, unheard, writes } from './steps.js'

const THREE = { replicas: 3 } as const

/** Nobody passes on what others published: only the direct way counts. */
const DIRECT = { forwardPeersMax: 0 }

const hash = await loadHash64()

/** So many members in the order in which they own a key: the first three are its owners. */
export function inOrder(key: string, count = 5): [string, string, string, string, string] {
  const members = Array.from({ length: count }, (_, index) => memberName(index + 1))
  const ring = new Ring(members, { hash, replicas: 'all' })
  const order = ring.preferenceList(partitionAt(keyHashOf(hash, DEFAULT_CACHE, key)))
  return [...order] as [string, string, string, string, string]
}

const [A, B, C, D, E] = inOrder('k')

/** Writes that wait for a quorum, to ten keys, of which each member owns some. */
function load(members: string, fromMs: number, toMs: number): Step[] {
  return writes(members, { fromMs, toMs, everyMs: 50, ack: 'quorum' })
}

/** Each of the five is killed while the others write, and comes back with nothing when those have taken over. */
const KILLINGS = ALL.split(' ').flatMap((member, index) => {
  const others = ALL.split(' ').filter((other) => other !== member)
  const atMs = 3_000 + index * 6_000
  return [
    ...load(others.join(' '), atMs - 1_000, atMs + 5_000),
    ...at(atMs, { do: 'crash', member }),
    ...at(atMs + 3_000, { do: 'restart', member }),
  ]
})

const LOSSES: readonly Scenario[] = [
  {
    name: 'any-one-of-five',
    proves: paragraph`Each of five members in turn is killed while the others write and wait for a quorum of three owners, and comes back
      with nothing three seconds later. No write that was acknowledged is missing to anybody, then or at the end: of two
      that had it one is left, and gives it to whoever takes the place of the other before the next one may go. A mesh in
      which the new owner serves before it has taken over loses something at the first.`,
    shows: ['crash'],
    options: THREE,
    steps: [
      ...at(2_900, { do: 'set', at: D, key: 'k', value: 'from before', ack: 'quorum' }),
      ...KILLINGS,
      ...at(36_000, read(ALL, 'k', 'from before')),
    ],
  },
  {
    name: 'two-at-once-under-all',
    proves: paragraph`Two of the three owners of a key are killed in the same moment. What was written with \`all\` is still
      there: the third one has it, and gives it to the new owners. A mesh that waits for a quorum of the old owners before
      it lets anybody serve never comes to rest.`,
    shows: ['crash'],
    options: THREE,
    steps: [
      ...at(2_000, { do: 'set', at: D, key: 'k', value: 'of all', ack: 'all' }),
      ...at(2_100, { do: 'expectOutcome', at: D, of: 'set', outcome: 'ok' }),
      ...at(2_100, { do: 'crash', member: A }, { do: 'crash', member: B }),
      ...at(6_000, read(`${C} ${D} ${E}`, 'k', 'of all')),
    ],
  },
  {
    name: 'two-one-after-the-other',
    proves: paragraph`An owner that a quorum write waited for is killed, and, once the others have taken over its keys, a second
      one. The write is still there, though two of the two that had acknowledged it are gone: it had been given on. Where the
      third owner had missed the write, it does not come by itself; a rebalance that asks one earlier owner only, and just
      that one, loses it.`,
    shows: ['partition', 'crash'],
    options: THREE,
    network: DIRECT,
    steps: [
      ...load(ALL, 1_000, 2_000),
      ...at(2_500, { do: 'cut', from: [A, B], to: [C] }),
      ...at(2_600, { do: 'set', at: A, key: 'k', value: 'of two', ack: 'quorum' }),
      ...at(2_700, { do: 'expectOutcome', at: A, of: 'set', outcome: 'ok' }),
      ...at(2_700, { do: 'crash', member: A }),
      ...at(2_750, { do: 'mend', from: [A, B], to: [C] }),
      ...at(6_000, { do: 'expectStat', at: C, stat: 'openPartitions', atMost: 0 }),
      ...at(6_000, { do: 'crash', member: B }),
      ...at(10_000, read(`${C} ${D} ${E}`, 'k', 'of two')),
    ],
  },
  {
    name: 'owner-that-stood-still',
    proves: paragraph`The only owner of a key stands still for half a minute and is called dead; another one takes its place, and
      acknowledges a write. The first wakes, hears that it was called dead, and is an owner again: by its own account it has
      had everything all along. It has to take over anew what it owns, or the write is dropped by the one that has it.`,
    shows: ['stall'],
    options: { replicas: 1 },
    steps: [
      ...at(2_000, { do: 'set', at: D, key: 'k', value: 'before', ack: 'quorum' }),
      ...at(3_000, { do: 'stall', member: A, forMs: 30_000 }),
      ...at(15_000, { do: 'set', at: D, key: 'k', value: 'meanwhile', ack: 'quorum' }),
      ...at(15_500, { do: 'expectOutcome', at: D, of: 'set', outcome: 'ok' }),
      ...at(45_000, read(ALL, 'k', 'meanwhile')),
    ],
  },
  ...Object.entries({ five: 5_000, six: 6_000, seven: 7_000 }).map(([seconds, forMs]) => ({
    name: `owner-that-stood-still-${seconds}-seconds`,
    proves: paragraph`As above, but the owner wakes while its connections last, and finds in one go that it was suspected, and then
      that it was called dead. Speaking up against the suspicion must not bring it back as the owner that it was: the others
      take it back once it says which death it has outlived, and by then it knows that it has missed something.`,
    shows: ['stall'],
    options: { replicas: 1 },
    steps: [
      ...at(2_000, { do: 'set', at: D, key: 'k', value: 'before', ack: 'quorum' }),
      ...at(3_000, { do: 'stall', member: A, forMs }),
      ...at(2_400 + forMs, { do: 'set', at: D, key: 'k', value: 'meanwhile', ack: 'quorum' }),
      ...at(15_000, { do: 'expectOutcome', at: D, of: 'set', outcome: 'ok' }),
      ...at(20_000, read(ALL, 'k', 'meanwhile')),
    ],
  })),
  {
    name: 'owner-of-a-part-of-the-mesh',
    proves: paragraph`The only owner of a key is cut off, one way, with another member: what it says does not arrive. The three others
      place its keys by a ring of their own, and acknowledge a write. When they meet again it hears of that ring, and takes
      over from its owner what it has missed, though it never took anybody to be dead.`,
    shows: ['one-way'],
    options: { replicas: 1 },
    steps: [
      ...at(3_000, { do: 'cut', from: [A, B], to: [C, D, E], oneWay: true }),
      ...at(20_000, { do: 'set', at: D, key: 'k', value: 'meanwhile', ack: 'quorum' }),
      ...at(20_500, { do: 'expectOutcome', at: D, of: 'set', outcome: 'ok' }),
      ...at(25_000, { do: 'mend', from: [A, B], to: [C, D, E] }),
      ...at(55_000, read(ALL, 'k', 'meanwhile')),
    ],
  },
  {
    name: 'deleted-while-it-is-taken-over',
    proves: paragraph`A member writes to a key of others, of whom it cannot reach the first, so that it keeps the write for that one.
      Another owner dies; the member takes its place, has yet to take over what the first one holds, and deletes the key.
      It knows of the delete itself, and does not read the value that it keeps. A member that looks at what it keeps for
      others before it looks at what it knows reads back what it has deleted.`,
    shows: ['partition', 'crash'],
    options: THREE,
    steps: [
      ...at(3_000, { do: 'cut', from: [D], to: [A] }),
      ...at(3_200, { do: 'set', at: D, key: 'k', value: 'kept for others' }),
      ...at(3_500, { do: 'crash', member: C }),
      ...at(6_000, { do: 'delete', at: D, key: 'k' }),
      ...at(6_100, read(D, 'k', undefined, 'local')),
      ...at(8_000, { do: 'mend', from: [D], to: [A] }),
      ...at(20_000, read([A, B, D, E].join(' '), 'k', undefined)),
    ],
  },
  {
    name: 'back-at-once-with-nothing',
    proves: paragraph`Of three owners two have a write, and one of these is killed and started again within 20 ms, at the same
      address and with nothing in memory: too soon for the ring of the others to change. Who reads it there finds it all
      the same, for an owner that has come back knows that it lacks what it owns, and takes it over: then the other one may
      go. A mesh that knows members by their ids alone takes an empty one for whole.`,
    shows: ['partition', 'crash'],
    options: THREE,
    network: DIRECT,
    steps: [
      ...load(ALL, 1_000, 2_000),
      ...at(2_500, { do: 'cut', from: [A, B], to: [C] }),
      ...at(2_600, { do: 'set', at: A, key: 'k', value: 'of two', ack: 'quorum' }),
      ...at(2_700, { do: 'expectOutcome', at: A, of: 'set', outcome: 'ok' }),
      ...at(2_700, { do: 'mend', from: [A, B], to: [C] }, { do: 'crash', member: A }),
      ...at(2_720, { do: 'restart', member: A }),
      ...[2_800, 2_850, 2_900, 3_000, 3_200].flatMap((atMs) =>
        at(atMs, read(`${A} ${C}`, 'k', 'of two', 'one')),
      ),
      ...at(5_000, { do: 'expectStat', at: A, stat: 'openPartitions', atMost: 0 }),
      ...at(5_000, { do: 'crash', member: B }),
      ...at(8_000, read(`${A} ${C} ${D} ${E}`, 'k', 'of two')),
    ],
  },
  {
    name: 'joins-and-leaves-under-load',
    proves: paragraph`Two members join and two leave, one after the other and two at once, while all write and wait for a quorum. Each
      time keys change owners, and each write needs a quorum of the old and of the new ones. Nothing that was acknowledged
      is lost, and every call ends well. A mesh that goes by the new ring at once lets two majorities decide that know
      nothing of each other.`,
    shows: ['join', 'leave'],
    options: THREE,
    steps: [
      ...load(first(4), 1_000, 14_000),
      ...at(2_000, { do: 'set', at: 'p01', key: 'k', value: 'from before', ack: 'quorum' }),
      ...at(3_000, { do: 'start', member: 'p06' }),
      ...at(6_000, { do: 'leave', member: 'p05' }),
      ...at(9_000, { do: 'start', member: 'p07' }, { do: 'leave', member: 'p06' }),
      ...at(15_000, read('p01 p02 p03 p04 p07', 'k', 'from before')),
    ],
  },
  {
    name: 'ten-joins-at-once',
    proves: paragraph`Ten members join a mesh of three within a fifth of a second, while others write. The ring changes a few times
      and not ten, everybody takes over its share, and comes to rest; what was acknowledged before is there. A mesh that
      moves everything for each of ten keeps moving.`,
    shows: ['join'],
    members: 3,
    options: THREE,
    steps: [
      ...load(first(3), 1_000, 3_000),
      ...at(1_500, { do: 'set', at: 'p01', key: 'k', value: 'from before', ack: 'quorum' }),
      ...Array.from({ length: 10 }, (_, index) => ({
        atMs: 2_000 + index * 20,
        do: 'start' as const,
        member: memberName(index + 4),
      })),
      ...at(6_000, { do: 'expectStat', at: 'p13', stat: 'openPartitions', atMost: 0 }),
      ...at(6_000, { do: 'expectStat', at: 'p13', stat: 'ownedPartitions', atLeast: 400 }),
      ...at(6_000, read(`p01 ${memberName(13)}`, 'k', 'from before')),
    ],
  },
]

const SPLITS: readonly Scenario[] = [
  {
    name: 'alone-without-a-quorum',
    proves: paragraph`A member is cut off from four, and calls them dead; by its own ring it then owns every key, alone. Its writes are
      not acknowledged by a quorum, for two of three owners are needed, however many are left; nor does it read at quorum.
      The others go on. A mesh that counts the owners that are there lets one member promise what it cannot keep.`,
    shows: ['partition'],
    options: THREE,
    steps: [
      ...at(2_000, { do: 'set', at: A, key: 'k', value: 'from before', ack: 'quorum' }),
      ...at(3_000, { do: 'cut', from: [A], to: [B, C, D, E] }),
      ...at(12_000, { do: 'expectSeen', at: A, member: B, state: 'dead' }),
      ...at(12_000, { do: 'set', at: A, key: 'k', value: 'of one', ack: 'quorum' }),
      ...at(12_000, { do: 'get', at: A, key: 'k', consistency: 'quorum' }),
      ...at(12_000, { do: 'set', at: E, key: 'l', value: 'of four', ack: 'quorum' }),
      ...at(12_100, { do: 'expectOutcome', at: E, of: 'set', outcome: 'ok' }),
      ...at(23_000, { do: 'expectOutcome', at: A, of: 'set', outcome: 'NOT_CONFIRMED' }),
      ...at(23_000, { do: 'expectOutcome', at: A, of: 'get', outcome: 'NOT_CONFIRMED' }),
      ...at(24_000, { do: 'mend', from: [A], to: [B, C, D, E] }),
      ...at(60_000, read(ALL, 'k', 'of one'), read(ALL, 'l', 'of four')),
    ],
  },
  {
    name: 'two-views',
    proves: paragraph`Nothing that a member sends arrives, and it hears everything: the others call it dead, and it takes them to be
      alive. So there are two rings at once, and requests between those who go by different ones. Every call ends, in time,
      with a result or an error; nobody passes a request on, and so nothing goes in circles; and when the link is whole
      again, all agree, and what was acknowledged is there.`,
    shows: ['one-way'],
    options: THREE,
    steps: [
      ...at(2_000, { do: 'set', at: A, key: 'k', value: 'from before', ack: 'quorum' }),
      ...load(ALL, 1_000, 22_000),
      ...at(3_000, { do: 'cut', from: [A], to: [B, C, D, E], oneWay: true }),
      ...[4_000, 6_000, 8_000, 10_000, 12_000].flatMap((atMs) =>
        at(
          atMs,
          ALL.split(' ').map((member) => ({ do: 'get', at: member, key: 'k' })),
        ),
      ),
      ...at(18_000, { do: 'mend', from: [A], to: [B, C, D, E] }),
      ...at(60_000, read(ALL, 'k', 'from before')),
    ],
  },
  {
    name: 'three-and-two',
    proves: paragraph`Five members fall apart into three and two, each side calls the other dead, and both go on: on either there are
      owners enough for a quorum. When they meet again, each takes over what the other wrote, and every acknowledged write
      is there, or a later one. A mesh that lets the larger side win loses what it told callers of the smaller one.`,
    shows: ['partition'],
    options: THREE,
    steps: [
      ...at(2_000, { do: 'cut', from: [A, B], to: [C, D, E] }),
      ...at(12_000, { do: 'set', at: A, key: 'k', value: 'of two', ack: 'quorum' }),
      ...at(12_000, { do: 'set', at: D, key: 'l', value: 'of three', ack: 'quorum' }),
      ...load(ALL, 12_000, 16_000),
      ...at(20_000, { do: 'expectOutcome', at: A, of: 'set', outcome: 'ok' }),
      ...at(20_000, { do: 'mend', from: [A, B], to: [C, D, E] }),
      ...at(60_000, read(ALL, 'k', 'of two'), read(ALL, 'l', 'of three')),
    ],
  },
]

const COPIES: readonly Scenario[] = [
  {
    name: 'near-copy-without-news',
    proves: paragraph`A member has read a key that others own, and keeps a copy. The news that the key has been written is lost. The
      copy is read for no longer than its bound, five seconds from when the owner was asked, though it is read again and
      again: to be read makes no copy younger. One that counts from its last use is old for ever.`,
    shows: ['loss'],
    options: THREE,
    network: DIRECT,
    steps: [
      ...at(2_000, { do: 'set', at: A, key: 'k', value: 'first', ack: 'all' }),
      ...at(3_000, { do: 'get', at: E, key: 'k' }),
      ...at(3_100, held(E, 'k', 'first'), unheard(A, E)),
      ...at(3_110, { do: 'set', at: A, key: 'k', value: 'second', ack: 'all' }),
      ...at(3_200, unheard(A, E, false), held(`${A} ${B} ${C}`, 'k', 'second')),
      ...[4_000, 5_000, 6_000, 7_000].flatMap((atMs) => at(atMs, { do: 'get', at: E, key: 'k' })),
      ...at(7_900, { do: 'get', at: E, key: 'k' }, held(E, 'k', 'first')),
      ...at(8_100, read(E, 'k', 'second', 'local')),
    ],
  },
  {
    name: 'client-of-the-mesh',
    proves: paragraph`A client owns nothing, and reads and writes everything, with every kind of acknowledgement; also when one of
      the owners has just been killed. It is on nobody's ring, and holds no entries. A client that is taken for an owner
      would be waited for, and lose its share when it ends.`,
    shows: ['crash'],
    members: 6,
    clients: ['p06'],
    options: THREE,
    steps: [
      ...at(2_000, { do: 'set', at: 'p06', key: 'k', value: 'of a client', ack: 'all' }),
      ...at(2_100, { do: 'expectOutcome', at: 'p06', of: 'set', outcome: 'ok' }),
      ...at(2_100, read(first(6), 'k', 'of a client', 'local'), read(first(6), 'k', 'of a client')),
      ...at(2_200, { do: 'crash', member: A }),
      ...at(2_200, { do: 'set', at: 'p06', key: 'k', value: 'when one is gone', ack: 'quorum' }),
      ...at(2_210, { do: 'get', at: 'p06', key: 'k' }),
      ...at(5_000, { do: 'expectOutcome', at: 'p06', of: 'set', outcome: 'ok' }),
      ...at(5_000, read(`${B} ${C} ${D} ${E} p06`, 'k', 'when one is gone', 'one')),
      ...at(5_000, { do: 'expectStat', at: 'p06', stat: 'ownedPartitions', atMost: 0 }),
      ...at(5_000, { do: 'expectStat', at: 'p06', stat: 'itemCount', atMost: 0 }),
    ],
  },
  {
    name: 'writes-for-owners-that-are-away',
    proves: paragraph`A client cannot reach the three owners of a key when it writes it. It keeps the write, reads it itself, and hands
      it over as soon as the owners are back. Then it keeps it no longer. A client that lets go of a write once it has been
      published has given it to nobody.`,
    shows: ['partition'],
    members: 6,
    clients: ['p06'],
    options: THREE,
    steps: [
      ...at(2_000, { do: 'cut', from: ['p06'], to: [A, B, C] }),
      ...at(2_100, { do: 'set', at: 'p06', key: 'k', value: 'kept' }),
      ...at(2_200, { do: 'expectStat', at: 'p06', stat: 'hintCount', atLeast: 1 }),
      ...at(2_200, held('p06', 'k', 'kept'), held(`${A} ${B} ${C}`, 'k', undefined)),
      ...at(4_000, { do: 'mend', from: ['p06'], to: [A, B, C] }),
      ...at(20_000, held(`${A} ${B} ${C}`, 'k', 'kept')),
      ...at(20_000, { do: 'expectStat', at: 'p06', stat: 'hintCount', atMost: 0 }),
    ],
  },
]

export const OWNERS: readonly Scenario[] = [...LOSSES, ...SPLITS, ...COPIES]
