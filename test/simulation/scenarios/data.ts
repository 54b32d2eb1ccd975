/** Scenarios of data: writes that race, deletes, clears, times to live, full queues and full stores. */
import type { PeerStats } from '../../../src/api.js'
import type { Expectation, Operation, Scenario, Step } from '../operations.js'
import {
  ALL,
  at,
  entries,
  first,
  HALVES,
  held,
  neverTold,
  paragraph,
  read,
  unheard,
} from './steps.js'

const THREE = first(3)

const FOUR = first(4)

/** Nobody passes on what others published: only the direct way counts. */
const DIRECT = { forwardPeersMax: 0 }

/** Gossip from `p01` takes a second and a half to get to `p03`: what others wrote since is there before it. */
const SLOW = {
  do: 'link',
  settings: { delayMs: { min: 1_500, max: 1_500 } },
  from: 'p01',
  to: 'p03',
} as const

/** Three owners of every key, and a client, to which none belongs. */
const WITH_CLIENT = { members: 4, clients: ['p04'] }

const MIB = 2 ** 20

/** Characters of a long value, which still goes into a message. */
const LONG = 100_000

/** Bytes that an entry is accounted with, beside its value and its key. */
const OVERHEAD_BYTES = 400

const WRITES: readonly Scenario[] = [
  {
    name: 'delete-and-set-at-once',
    proves: paragraph`One member deletes a key and another one sets it, in the same millisecond, each the other way round for a
      second key. Neither has heard of the other: all that is left to decide is the rule, and the delete wins, whoever
      made it. Where the order of arrival decides, each writer keeps its own.`,
    shows: [],
    members: 3,
    steps: [
      ...at(1_000, { do: 'setMany', at: 'p02', entries: entries('k', 2) }),
      ...at(2_000, { do: 'delete', at: 'p01', key: 'k1' }),
      ...at(2_000, { do: 'set', at: 'p03', key: 'k1', value: 'of the higher id' }),
      ...at(3_000, { do: 'set', at: 'p01', key: 'k2', value: 'of the lower id' }),
      ...at(3_000, { do: 'delete', at: 'p03', key: 'k2' }),
      ...at(3_100, held(THREE, 'k1', undefined), held(THREE, 'k2', undefined)),
    ],
  },
  {
    name: 'sets-at-once',
    proves: paragraph`All members set one key in the same millisecond. The clocks cannot tell which is later, so that the
      highest id wins, on every member. Without a last resort that all share, each keeps what came last.`,
    shows: [],
    steps: [
      ...at(
        2_000,
        ALL.split(' ').map((at) => ({ do: 'set', at, key: 'k', value: `of ${at}` })),
      ),
      ...at(2_100, held(ALL, 'k', 'of p05')),
    ],
  },
  {
    name: 'clear-races-sets',
    proves: paragraph`One member clears the cache while others write: just before, in the same millisecond, and just after. Only
      what was written after it lives, everywhere, also where a set from before the clear comes a second and a half after
      it. A clear that removes what is there at the moment removes something else on each member.`,
    shows: ['delay'],
    members: 3,
    network: DIRECT,
    steps: [
      ...at(1_000, { do: 'setMany', at: 'p02', entries: entries('e', 50) }),
      ...at(1_900, SLOW),
      ...at(1_990, { do: 'set', at: 'p01', key: 'before', value: 'before' }),
      ...at(2_000, { do: 'clear', at: 'p02' }),
      ...at(2_000, { do: 'set', at: 'p03', key: 'meanwhile', value: 'at the same time' }),
      ...at(2_010, { do: 'set', at: 'p03', key: 'after', value: 'after' }),
      ...at(2_010, { do: 'set', at: 'p01', key: 'e1', value: 'e 1 again' }),
      ...at(4_500, held(THREE, 'before', undefined), held(THREE, 'meanwhile', undefined)),
      ...at(4_500, held(THREE, 'after', 'after'), held(THREE, 'e1', 'e 1 again')),
      ...at(4_500, held(THREE, 'e2', undefined)),
    ],
  },
  {
    name: 'late-set-after-a-delete',
    proves: paragraph`A set takes a second and a half to one member, and a delete that was made because of it only a moment. The
      set comes to a member that has deleted the key, and stays without effect, for the delete is remembered. A member that
      just removes what it has shows the deleted value, alone, until somebody writes it again.`,
    shows: ['delay'],
    members: 3,
    network: DIRECT,
    steps: [
      ...at(1_500, SLOW),
      ...at(2_000, { do: 'set', at: 'p01', key: 'k', value: 'late' }),
      ...at(2_100, held('p02', 'k', 'late'), { do: 'delete', at: 'p02', key: 'k' }),
      ...at(2_200, held(THREE, 'k', undefined)),
      ...at(4_500, held(THREE, 'k', undefined), neverTold(THREE, 'suspect')),
    ],
  },
  {
    name: 'late-set-after-expiry',
    proves: paragraph`A value with a short life replaces one that lives for ever, expires and is swept away. The older value
      comes to one member only now. It must not show up in the empty place: the version of what has expired is remembered
      for a while. Where an expired entry leaves nothing behind, a value that was overwritten comes back.`,
    shows: ['delay'],
    members: 3,
    network: DIRECT,
    options: { sweepIntervalMs: 100 },
    steps: [
      ...at(1_500, SLOW),
      ...at(2_000, { do: 'set', at: 'p01', key: 'k', value: 'late' }),
      ...at(2_100, { do: 'set', at: 'p02', key: 'k', value: 'brief', ttlMs: 500 }),
      ...at(2_300, held(THREE, 'k', 'brief')),
      ...at(3_000, held(THREE, 'k', undefined)),
      ...at(4_500, held(THREE, 'k', undefined)),
    ],
  },
  {
    name: 'expired-overwrite',
    proves: paragraph`A value is overwritten by one that lives for a millisecond, and has expired when it gets to the others. It
      still takes the place of the value before. A member that drops what has expired on arrival goes on serving the old
      value, for ever.`,
    shows: ['delay'],
    members: 3,
    steps: [
      ...at(1_000, { do: 'link', settings: { delayMs: { min: 20, max: 50 } } }),
      ...at(2_000, { do: 'set', at: 'p01', key: 'k', value: 'old' }),
      ...at(3_000, held(THREE, 'k', 'old')),
      ...at(3_000, { do: 'set', at: 'p02', key: 'k', value: 'over at once', ttlMs: 1 }),
      ...at(3_200, held(THREE, 'k', undefined)),
      ...at(4_000, { do: 'get', at: 'p03', key: 'k' }, { do: 'start', member: 'p04' }),
      ...at(6_000, held('p04', 'k', undefined)),
    ],
  },
  {
    name: 'expiry-and-a-newcomer',
    proves: paragraph`A value is overwritten by one that expires, on two of three members: the third is behind. A newcomer that
      takes over the state learns of the version that has expired, and the one that is behind learns it, too, when what it
      lacks is fetched: nobody serves what was replaced. A transfer that sends only what lives leaves the old value there.`,
    shows: ['loss', 'join'],
    members: 3,
    network: DIRECT,
    options: { sweepIntervalMs: 50 },
    steps: [
      ...at(1_000, { do: 'set', at: 'p01', key: 'k', value: 'old' }),
      ...at(1_900, unheard('p02', 'p03')),
      ...at(2_000, { do: 'set', at: 'p02', key: 'k', value: 'brief', ttlMs: 200 }),
      ...at(2_010, held('p03', 'k', 'old'), unheard('p02', 'p03', false)),
      ...at(2_010, { do: 'start', member: 'p04' }),
      ...at(6_000, held('p01 p02 p03 p04', 'k', undefined)),
    ],
  },
  {
    name: 'full-queue',
    proves: paragraph`The write queue holds 16 writes, and two members set 200 keys each in one call. The caller waits, nothing is
      dropped, and the queue never holds more. A third one leaves while its caller waits: the caller gets an error, and what
      had been taken in before is published. A queue that drops its oldest loses writes that were promised; one without a
      bound eats the memory; one that forgets who waits never answers.`,
    shows: [],
    members: 3,
    options: { syncQueueMax: 16 },
    steps: [
      ...at(2_000, { do: 'setMany', at: 'p01', entries: entries('a', 200) }),
      ...at(2_000, { do: 'setMany', at: 'p02', entries: entries('b', 200) }),
      ...at(2_000, { do: 'setMany', at: 'p03', entries: entries('c', 200) }),
      ...at(2_000, { do: 'expectOutcome', at: 'p01', of: 'setMany', outcome: 'pending' }),
      ...at(2_000, { do: 'leave', member: 'p03' }),
      ...at(2_000, { do: 'expectStat', at: 'p01', stat: 'syncQueueSize', atLeast: 1, atMost: 16 }),
      ...at(3_000, { do: 'expectStat', at: 'p01', stat: 'syncQueueWaitCount', atLeast: 1 }),
      ...at(3_000, { do: 'expectOutcome', at: 'p01', of: 'setMany', outcome: 'ok' }),
      ...at(3_000, { do: 'expectOutcome', at: 'p02', of: 'setMany', outcome: 'ok' }),
      ...at(3_000, { do: 'expectOutcome', at: 'p03', of: 'setMany', outcome: 'PEER_STOPPED' }),
      ...at(3_000, held('p01 p02', 'a1', 'a 1'), held('p01 p02', 'a200', 'a 200')),
      ...at(3_000, held('p01 p02', 'b200', 'b 200'), held('p01 p02', 'c1', 'c 1')),
    ],
  },
  {
    name: 'eviction',
    proves: paragraph`Each member holds 8 entries at most, and 30 are written. The least recently used go, on each member for
      itself; the newest are there. Then the older value of a key that was evicted comes late to one of them, when there is
      nothing any more that it could lose against: its version is remembered, and the value stays out. Where an eviction
      leaves nothing behind, want of room undoes an overwrite.`,
    shows: ['delay'],
    members: 3,
    network: DIRECT,
    options: { maxItems: 8 },
    steps: [
      ...at(1_900, SLOW),
      ...at(2_000, { do: 'set', at: 'p01', key: 'k', value: 'late' }),
      ...at(2_100, { do: 'set', at: 'p02', key: 'k', value: 'new' }),
      ...at(2_200, held('p02 p03', 'k', 'new')),
      ...at(2_300, { do: 'setMany', at: 'p02', entries: entries('e', 30) }),
      ...at(2_400, held(THREE, 'k', undefined), held(THREE, 'e1', undefined)),
      ...at(2_400, held(THREE, 'e23', 'e 23'), held(THREE, 'e30', 'e 30')),
      ...at(4_500, held('p03', 'k', undefined)),
    ],
  },
  {
    name: 'eviction-and-a-partition',
    proves: paragraph`Each member holds 20 entries at most, and has evicted some. While two halves are apart, a member of one
      overwrites a value that all hold, and is killed. When the halves meet, nobody goes on serving the value from before:
      that members hold different entries for want of room is no reason not to compare those that they both hold.`,
    shows: ['partition', 'crash'],
    options: { maxItems: 20 },
    steps: [
      ...at(1_000, { do: 'setMany', at: 'p01', entries: entries('e', 30) }),
      ...at(2_000, { do: 'cut', ...HALVES }),
      ...at(3_000, { do: 'set', at: 'p05', key: 'e30', value: 'last words' }),
      ...at(3_100, { do: 'crash', member: 'p05' }),
      ...at(14_000, held('p03 p04', 'e30', 'last words'), held('p01 p02', 'e30', 'e 30')),
      ...at(14_000, { do: 'mend', ...HALVES }),
      ...at(34_000, held('p01 p02 p03 p04', 'e30', 'last words')),
    ],
  },
  {
    name: 'large-value',
    proves: paragraph`A value too large for a message is only announced, and fetched over a stream. One member does so, another one is
      killed the moment after it has announced one: nobody has it, and all keep the value from before. A receiver that puts
      the announcement in the place of the value has neither.`,
    shows: ['crash'],
    members: 4,
    steps: [
      ...at(1_000, { do: 'set', at: 'p02', key: 'k', value: 'before' }),
      ...at(2_000, { do: 'set', at: 'p01', key: 'large', value: large('announced') }),
      ...at(2_500, held('p01 p02 p03 p04', 'large', large('announced'))),
      ...at(3_000, { do: 'link', settings: { delayMs: { min: 20, max: 20 } } }),
      ...at(4_000, { do: 'set', at: 'p04', key: 'k', value: large('never fetched') }),
      ...at(4_030, { do: 'crash', member: 'p04' }),
      ...at(9_000, held(THREE, 'k', 'before'), held(THREE, 'large', large('announced'))),
    ],
  },
]

const BOUNDS: readonly Scenario[] = [
  {
    name: 'more-deletes-than-are-remembered',
    proves: paragraph`Each member remembers 4 deletes, and 10 are made. The latest 4 are remembered, everywhere, also by one
      that joins later and is told of them; that older ones were forgotten early, so that a late write could undo one, is
      counted and said once. Memory of what is gone that only its age bounds grows with every delete for an hour.`,
    shows: ['join'],
    members: 3,
    options: { tombstonesMax: 4 },
    steps: [
      ...at(2_000, { do: 'setMany', at: 'p01', entries: entries('t', 12) }),
      ...at(2_500, { do: 'deleteMany', at: 'p02', keys: numbered('t', 10) }),
      ...at(2_600, stat(THREE, 'tombstoneCount', { atLeast: 4, atMost: 4 })),
      ...at(2_600, stat(THREE, 'tombstoneOverflowCount', { atLeast: 6, atMost: 6 })),
      ...at(2_600, { do: 'expectAlert', at: 'p02', code: 'tombstones-full' }),
      ...at(4_500, { do: 'start', member: 'p04' }),
      ...at(7_500, stat(first(4), 'tombstoneCount', { atLeast: 4, atMost: 4 })),
      ...at(7_500, held(first(4), 't1', undefined), held(first(4), 't10', undefined)),
      ...at(7_500, held(first(4), 't11', 't 11')),
    ],
  },
  {
    name: 'full-stores-at-rest',
    proves: paragraph`Two members have room for 20 entries each, and 70 are written; each keeps those that it read last, so that
      they hold different ones. At rest, rounds of repair find nothing to do, for what was evicted is known by its version.
      Where it counts as missing, full stores fill each other up for ever, and evict what is in use.`,
    shows: [],
    members: 2,
    options: { maxItems: 20, replicas: 'all' },
    steps: [
      ...at(2_000, { do: 'setMany', at: 'p01', entries: entries('e', 60) }),
      ...at(3_000, { do: 'getMany', at: 'p02', keys: numbered('e', 60).slice(40, 50) }),
      ...at(3_500, { do: 'setMany', at: 'p02', entries: entries('f', 10) }),
      ...at(4_000, held('p01', 'e55', 'e 55'), held('p01', 'e45', undefined)),
      ...at(4_000, held('p02', 'e55', undefined), held('p02', 'e45', 'e 45')),
      ...at(9_000, stat('p01 p02', 'repairCount', { atMost: 0 })),
      ...at(20_000, stat('p01 p02', 'repairCount', { atMost: 0 })),
      ...at(20_000, stat('p01 p02', 'repairRoundCount', { atLeast: 3 })),
    ],
  },
  {
    name: 'cut-off-beyond-the-grace',
    proves: paragraph`A member is cut off for longer than deletes are remembered. What the others have deleted meanwhile, and forgotten,
      it still holds when it comes back: it is not theirs to take, for as of a moment when they were equal both knew it. What
      the one wrote in its exile they take, and it takes theirs. A member that takes what it lacks brings deleted values back.`,
    shows: ['partition'],
    options: { replicas: 'all', tombstoneGraceMs: 1_000 },
    steps: [
      ...at(2_000, { do: 'setMany', at: 'p01', entries: entries('k', 20) }),
      ...at(60_000, { do: 'cut', from: ['p05'], to: FOUR.split(' ') }),
      ...at(70_000, { do: 'deleteMany', at: 'p02', keys: numbered('k', 10) }),
      ...at(71_000, { do: 'set', at: 'p05', key: 'exile', value: 'kept' }),
      ...at(72_000, { do: 'set', at: 'p03', key: 'k15', value: 'newer' }),
      ...at(180_000, stat(FOUR, 'tombstoneCount', { atMost: 0 })),
      ...at(180_000, held('p05', 'k1', 'k 1'), held('p05', 'k15', 'k 15')),
      ...at(180_000, { do: 'mend', from: ['p05'], to: FOUR.split(' ') }),
      ...at(240_000, held(ALL, 'k1', undefined), held(ALL, 'k10', undefined)),
      ...at(240_000, held(ALL, 'k11', 'k 11'), held(ALL, 'k15', 'newer')),
      ...at(240_000, held(ALL, 'exile', 'kept')),
    ],
  },
  {
    name: 'deleted-young-beyond-the-grace',
    proves: paragraph`All have taken in a value, and before any two compare, one of them is cut off for longer than deletes are
      remembered, and called dead. The others delete the value. Nothing tells them later that the one in exile had it: so they
      keep the delete for as long as it may come back, while what they delete of older values they forget.`,
    shows: ['partition'],
    options: { replicas: 'all', tombstoneGraceMs: 1_000 },
    steps: [
      ...at(2_000, { do: 'setMany', at: 'p01', entries: entries('k', 10) }),
      ...at(60_000, { do: 'set', at: 'p01', key: 'young', value: 'of all', ack: 'all' }),
      ...at(60_500, { do: 'cut', from: ['p05'], to: FOUR.split(' ') }),
      ...at(70_000, { do: 'deleteMany', at: 'p02', keys: [...numbered('k', 10), 'young'] }),
      ...at(200_000, stat(FOUR, 'tombstoneCount', { atMost: 1 }), held('p05', 'young', 'of all')),
      ...at(200_000, { do: 'mend', from: ['p05'], to: FOUR.split(' ') }),
      ...at(260_000, held(ALL, 'young', undefined), held(ALL, 'k1', undefined)),
      ...at(400_000, stat(ALL, 'tombstoneCount', { atMost: 0 })),
    ],
  },
  {
    name: 'regained-beyond-the-grace',
    proves: paragraph`A joiner takes partitions over from members that had agreed on them, and is killed when deletes are remembered
      for as long no more. Those who had given the partitions up take them over again: what they lack they have dropped, and not
      deleted. A member that goes by when it was last equal with another, whatever it has given up since, has the other delete it all.`,
    shows: ['join', 'crash'],
    members: 4,
    options: { replicas: 3, tombstoneGraceMs: 1_000 },
    steps: [
      ...at(2_000, { do: 'setMany', at: 'p01', entries: entries('k', 30) }),
      ...at(60_000, { do: 'start', member: 'p05' }),
      ...at(200_000, { do: 'crash', member: 'p05' }),
      ...at(
        260_000,
        ...numbered('k', 30).map((key) => read('p03', key, `k ${key.slice(1)}`, 'quorum')),
        ...stat('p01 p02 p03 p04', 'tombstoneCount', { atMost: 0 }),
      ),
    ],
  },
  {
    name: 'delete-unheard-beyond-the-grace',
    proves: paragraph`A delete is heard by one other member only, and nobody compares what he holds for longer than deletes are
      remembered. The tombstone is kept all the same, until all who own the key have been told: when members compare again,
      the delete wins. Where tombstones go by their age alone, the value comes back to the one that had deleted it.`,
    shows: ['loss', 'crash', 'disconnect'],
    network: DIRECT,
    options: { replicas: 'all', tombstoneGraceMs: 1_000, antiEntropyIntervalMs: 3_600_000 },
    steps: [
      ...at(1_500, { do: 'set', at: 'p03', key: 'k', value: 'v' }),
      ...heardByOne({ do: 'delete', at: 'p01', key: 'k' }),
      ...at(100_000, stat('p02', 'tombstoneCount', { atLeast: 1 })),
      ...at(100_000, held('p03', 'k', 'v'), { do: 'disconnect', member: 'p02' }),
      ...at(140_000, held(ALL, 'k', undefined)),
    ],
  },
  {
    name: 'given-up-by-the-only-holder',
    proves: paragraph`Of two owners one alone holds what it has just written, for the other one has not heard of it, when a third
      joins and the ring moves a part of the keys to the other two. They have taken over all from one of the earlier owners,
      which is enough for whatever was acknowledged, and here the wrong one. What the first no longer owns it gives to them
      before it drops it: nothing is lost, though nobody had asked for an acknowledgement.`,
    shows: ['loss', 'join'],
    members: 2,
    options: { replicas: 2, antiEntropyIntervalMs: 20_000 },
    steps: [
      ...at(5_000, { do: 'link', settings: { lossProbability: 1 } }),
      ...at(5_001, { do: 'setMany', at: 'p01', entries: entries('k', 30) }),
      ...at(5_030, { do: 'link', settings: { lossProbability: 0 } }),
      ...at(5_030, { do: 'start', member: 'p03' }),
      ...at(
        60_000,
        ...numbered('k', 30).map((key) => read('p03', key, `k ${key.slice(1)}`, 'quorum')),
      ),
    ],
  },
  {
    name: 'heard-by-one-and-restarted',
    proves: paragraph`A member's write is heard by one other only, and the member is killed and started again before anybody
      could ask it for what is missing: no number tells of it, for its new life counts from one. Rounds of repair find it.
      Where members compare what they hold only when they meet, four of five never get it.`,
    shows: ['loss', 'crash'],
    network: DIRECT,
    options: { replicas: 'all' },
    steps: [
      ...heardByOne({ do: 'set', at: 'p01', key: 'k', value: 'v' }),
      ...at(20_000, held(ALL, 'k', 'v')),
    ],
  },
  {
    name: 'clear-heard-by-one',
    proves: paragraph`The same with the clear of a cache that is empty: there is nothing in which members differ but the clear
      itself. All hear of it, so that a write from before it, wherever it comes from, is cleared everywhere.`,
    shows: ['loss', 'crash'],
    network: DIRECT,
    options: { replicas: 'all' },
    steps: heardByOne({ do: 'clear', at: 'p01' }),
  },
  {
    name: 'invalidated-by-a-quorum',
    proves: paragraph`The invalidation of a tag is acknowledged by two of three members, and the one that made it is killed. The third
      one, which holds a value with that tag and has not heard of it, reads at quorum: the other one never had the value, and
      knows the marker. Nothing is read. Where owners tell of keys alone, there is nobody to say what a tag has undone.`,
    shows: ['partition', 'crash'],
    members: 3,
    network: DIRECT,
    options: { replicas: 'all', antiEntropyIntervalMs: 3_600_000 },
    steps: [
      ...at(1_990, unheard('p01', 'p03')),
      ...at(2_000, { do: 'set', at: 'p01', key: 'k', value: 'page', tags: ['t'] }),
      ...at(2_010, held('p02', 'k', 'page'), { do: 'cut', from: ['p01'], to: ['p02'] }),
      ...at(2_011, { do: 'invalidate', at: 'p01', tags: ['t'], ack: 'quorum' }),
      ...at(2_030, { do: 'expectOutcome', at: 'p01', of: 'invalidate', outcome: 'ok' }),
      ...at(2_040, { do: 'crash', member: 'p01' }),
      ...at(2_050, held('p02', 'k', 'page'), read('p02', 'k', undefined, 'quorum')),
    ],
  },
  {
    name: 'slow-writer',
    proves: paragraph`A member makes three writes and stands still before it has published them, for long enough to be called dead.
      Meanwhile one key is deleted, the tag of another invalidated, and the cache of the third cleared. What comes half a minute
      late is older than that, and undone: by a tombstone though nobody had ever held what it stands for, and by markers.`,
    shows: ['stall'],
    options: { replicas: 'all', flushIntervalMs: 500 },
    steps: [
      ...at(
        3_000,
        { do: 'set', at: 'p05', key: 'k', value: 'late' },
        { do: 'set', at: 'p05', key: 'l', value: 'late page', tags: ['t'] },
        { do: 'set', at: 'p05', cache: 'd', key: 'm', value: 'late in d' },
      ),
      ...at(3_001, { do: 'stall', member: 'p05', forMs: 30_000 }),
      ...at(
        20_000,
        { do: 'delete', at: 'p01', key: 'k' },
        { do: 'invalidate', at: 'p02', tags: ['t'] },
        { do: 'clear', at: 'p03', cache: 'd' },
      ),
      ...at(60_000, held(ALL, 'k', undefined), held(ALL, 'l', undefined)),
      ...at(60_000, { do: 'expectStat', at: 'p01', stat: 'itemCount', atMost: 0 }),
    ],
  },
  {
    name: 'tag-heard-by-one',
    proves: paragraph`The same with the invalidation of a tag, which one other member hears of before the one that made it is
      killed and started again. Rounds of repair compare the markers first, and all that bears the tag is gone everywhere.`,
    shows: ['loss', 'crash'],
    network: DIRECT,
    options: { replicas: 'all' },
    steps: [
      ...at(1_500, { do: 'set', at: 'p03', key: 'k', value: 'v', tags: ['t'] }),
      ...at(1_500, { do: 'set', at: 'p03', key: 'l', value: 'w', tags: ['u'] }),
      ...heardByOne({ do: 'invalidate', at: 'p01', tags: ['t'] }),
      ...at(20_000, held(ALL, 'k', undefined), held(ALL, 'l', 'w')),
    ],
  },
  {
    name: 'invalidation-unheard-beyond-the-grace',
    proves: paragraph`An invalidation is heard by one other member only, and nobody compares what he holds for longer than markers
      are remembered. It is kept all the same, until all others have been told; then it goes.`,
    shows: ['loss', 'crash', 'disconnect'],
    network: DIRECT,
    options: { replicas: 'all', tombstoneGraceMs: 1_000, antiEntropyIntervalMs: 3_600_000 },
    steps: [
      ...at(1_500, { do: 'set', at: 'p03', key: 'k', value: 'v', tags: ['t'] }),
      ...heardByOne({ do: 'invalidate', at: 'p01', tags: ['t'] }),
      ...at(200_000, stat('p02', 'markerCount', { atLeast: 1 })),
      ...at(200_000, held('p03', 'k', 'v'), { do: 'disconnect', member: 'p02' }),
      ...at(240_000, held(ALL, 'k', undefined)),
    ],
  },
  {
    name: 'markers-go-once-all-have-them',
    proves: paragraph`Clears and invalidations are remembered for as long as deletes are, and until all members have had them; after
      that nothing is left of them anywhere, though tags without number are invalidated in the life of a mesh.`,
    shows: [],
    options: { replicas: 3, tombstoneGraceMs: 1_000 },
    steps: [
      ...at(2_000, { do: 'invalidate', at: 'p01', tags: numbered('t', 50) }),
      ...at(2_500, { do: 'clear', at: 'p02', cache: 'd' }),
      ...at(3_000, stat(ALL, 'markerCount', { atLeast: 51, atMost: 51 })),
      ...at(400_000, stat(ALL, 'markerCount', { atMost: 0 })),
    ],
  },
  {
    name: 'older-than-what-a-tag-undid',
    proves: paragraph`A member is cut off with a value that the others overwrite by one with a tag, which they then invalidate. What
      the one still holds was outdated before: it does not show again, on any of them. Where a marker only takes away what
      bears its tag, the value of before comes back from the one that missed all of it.`,
    shows: ['partition'],
    options: { replicas: 'all' },
    steps: [
      ...at(2_000, { do: 'set', at: 'p05', key: 'k', value: 'old' }),
      ...at(3_000, { do: 'cut', from: ['p05'], to: FOUR.split(' ') }),
      ...at(4_000, { do: 'set', at: 'p01', key: 'k', value: 'page', tags: ['t'] }),
      ...at(5_000, { do: 'invalidate', at: 'p02', tags: ['t'] }),
      ...at(6_000, held(FOUR, 'k', undefined), held('p05', 'k', 'old')),
      ...at(30_000, { do: 'mend', from: ['p05'], to: FOUR.split(' ') }),
      ...at(60_000, held(ALL, 'k', undefined)),
    ],
  },
  {
    name: 'more-near-copies-than-there-is-room-for',
    proves: paragraph`A client reads 20 keys of others, and has room for copies of three. It is answered in full, and keeps
      those that it read last; a value larger than all its room it reads as well, and does not keep. Copies that go only
      when they are too old, or when somebody writes, take as much memory as all that is ever read.`,
    shows: [],
    ...WITH_CLIENT,
    options: { replicas: 3, nearBytesMax: 1_000 },
    steps: [
      ...at(2_000, { do: 'setMany', at: 'p01', entries: entries('n', 20) }),
      ...at(2_000, { do: 'set', at: 'p01', key: 'long', value: 'long'.padEnd(1_000, '.') }),
      ...at(3_000, { do: 'getMany', at: 'p04', keys: numbered('n', 20) }),
      ...at(3_100, stat('p04', 'nearBytes', { atLeast: 600, atMost: 1_000 })),
      // Not all are answered by one owner: the last to come is not known.
      ...at(3_100, { do: 'get', at: 'p04', key: 'n20' }),
      ...at(3_150, { do: 'get', at: 'p04', key: 'n20' }),
      ...at(3_200, stat('p04', 'nearHitCount', { atLeast: 1 })),
      ...at(3_200, read('p04', 'n1', 'n 1', 'local')),
      ...at(3_200, read('p04', 'long', 'long'.padEnd(1_000, '.'), 'local')),
      ...at(3_300, stat('p04', 'nearBytes', { atLeast: 600, atMost: 1_000 })),
      ...at(3_300, stat('p04', 'nearCount', { atLeast: 2, atMost: 3 })),
    ],
  },
  {
    name: 'more-hints-than-there-is-room-for',
    proves: paragraph`A client has room for a mebibyte of what its owners have not taken, cannot reach any of them, and has 20
      values of 100,000 characters written. Eleven go in, the last of which fills the room; those who write the others are
      slowed down, and told after two seconds that there is none. One who comes later still waits when the owners are back,
      and is let in. In the end the owners have all that was taken in, and nothing of what was refused.`,
    shows: ['partition'],
    ...WITH_CLIENT,
    options: { replicas: 3, hintBytesMax: MIB, syncTimeoutMs: 2_000 },
    steps: [
      ...at(2_000, { do: 'cut', from: ['p04'], to: THREE.split(' ') }),
      ...at(
        2_100,
        numbered('h', 20).map((key) => ({ do: 'set', at: 'p04', key, value: long(key) })),
      ),
      ...at(2_200, { do: 'expectOutcome', at: 'p04', of: 'set', outcome: 'pending' }),
      ...at(2_200, stat('p04', 'hintBytes', { atLeast: MIB, atMost: MIB + LONG + OVERHEAD_BYTES })),
      ...at(2_200, stat('p04', 'hintCount', { atLeast: 11, atMost: 11 })),
      ...at(2_200, stat('p04', 'hintWaitCount', { atLeast: 9, atMost: 9 })),
      ...at(4_200, { do: 'expectOutcome', at: 'p04', of: 'set', outcome: 'HINTS_FULL' }),
      ...at(4_200, stat('p04', 'hintCount', { atLeast: 11, atMost: 11 })),
      ...at(4_300, { do: 'set', at: 'p04', key: 'late', value: 'late' }),
      ...at(4_400, { do: 'expectOutcome', at: 'p04', of: 'set', outcome: 'pending' }),
      ...at(4_500, { do: 'mend', from: ['p04'], to: THREE.split(' ') }),
      ...at(6_300, { do: 'expectOutcome', at: 'p04', of: 'set', outcome: 'ok' }),
      ...at(10_000, held(THREE, 'h1', long('h1')), held(THREE, 'h11', long('h11'))),
      ...at(10_000, held(THREE, 'h12', undefined), held(THREE, 'late', 'late')),
      ...at(10_000, stat('p04', 'hintBytes', { atMost: 0 })),
    ],
  },
  {
    name: 'more-bytes-than-there-is-room-for',
    proves: paragraph`Each member holds a mebibyte at most, and 20 values of 100,000 characters are written. The least recently
      used go until the rest fits, on each member for itself; the newest are there, and so is the room: it is used. A value that
      would take more than all of it is refused, and nothing goes for its sake. A store that counts entries but not bytes, or
      bytes but not those of what is overwritten, eats the memory.`,
    shows: [],
    members: 3,
    // By a finite \`maxItems\` the checker knows that entries may go.
    options: { maxBytes: MIB, maxItems: 1_000 },
    steps: [
      ...numbered('b', 20).flatMap((key, index) =>
        at(2_000 + 50 * index, { do: 'set', at: 'p01', key, value: long(key) }),
      ),
      ...at(3_500, stat(THREE, 'memoryBytes', { atLeast: MIB - LONG, atMost: MIB })),
      ...at(3_500, stat(THREE, 'evictionCount', { atLeast: 10, atMost: 10 })),
      ...at(3_500, held(THREE, 'b10', undefined), held(THREE, 'b11', long('b11'))),
      ...at(3_600, { do: 'set', at: 'p02', key: 'b20', value: 'short again' }),
      ...at(3_700, stat(THREE, 'memoryBytes', { atMost: MIB - LONG })),
      ...at(3_800, { do: 'set', at: 'p02', key: 'b20', value: 'too long'.padEnd(MIB, '.') }),
      ...at(3_900, { do: 'expectOutcome', at: 'p02', of: 'set', outcome: 'VALUE_TOO_LARGE' }),
      ...at(3_900, stat(THREE, 'evictionCount', { atMost: 10 })),
      ...at(3_900, held(THREE, 'b11', long('b11'))),
    ],
  },
]

/** What the first of five does is heard by the second only, and the first is started again at once. */
function heardByOne(step: Operation): Step[] {
  const others = 'p03 p04 p05'
  return [
    ...at(2_000, unheard('p01', others)),
    ...at(2_010, step),
    ...at(2_050, { do: 'crash', member: 'p01' }),
    ...at(2_060, unheard('p01', others, false)),
    ...at(2_100, { do: 'restart', member: 'p01' }),
  ]
}

export const DATA: readonly Scenario[] = [...WRITES, ...BOUNDS]

/** A value over the 256 KiB that a message holds. */
function large(name: string): string {
  return name.padEnd(300 * 1_024, '.')
}

/** A value of so many characters that ten of them fit into a mebibyte. */
function long(name: string): string {
  return name.padEnd(LONG, '.')
}

/** A number of the stats of each of some members, named like `p01 p02`, is within bounds. */
function stat(
  members: string,
  name: keyof PeerStats,
  within: { atLeast?: number; atMost?: number },
): Expectation[] {
  return members.split(' ').map((at) => ({ do: 'expectStat', at, stat: name, ...within }))
}

/** Keys like those of `entries`. */
function numbered(prefix: string, count: number): string[] {
  return entries(prefix, count).map(([key]) => key)
}
