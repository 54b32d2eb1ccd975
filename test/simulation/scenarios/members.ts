/** Scenarios of members that stand still, come and go: stalls, suspensions, crashes, joins and leaves. */
import type { Scenario } from '../operations.js'
import {
  ALL,
  at,
  entries,
  first,
  HALVES,
  held,
  neverTold,
  paragraph,
  seen,
  together,
  unheard,
  writes,
} from './steps.js'

/** Everybody but `p05`, to whom it happens. */
const OTHERS = first(4)

/** Those that begin, and `p06`, who joins. */
const WITH_JOINER = first(6)

const HOUR_MS = 3_600_000

/** Nobody passes on what others published: only the direct way counts. */
const DIRECT = { forwardPeersMax: 0 }

const STALLS: readonly Scenario[] = [
  {
    name: 'stall-of-half-a-second',
    proves: paragraph`A member stands still for 500 ms, as in a garbage collection. Nobody so much as suspects it, it suspects
      nobody, and what was written meanwhile is there as soon as it runs. A detector set to react at once accuses every
      busy process.`,
    shows: ['stall'],
    steps: [
      ...at(3_000, { do: 'stall', member: 'p05', forMs: 500 }),
      ...at(3_200, { do: 'set', at: 'p01', key: 'k', value: 'meanwhile' }),
      ...at(3_600, held(ALL, 'k', 'meanwhile')),
      ...at(7_000, neverTold(ALL, 'suspect')),
    ],
  },
  {
    name: 'heartbeat-lost-before-a-stall',
    proves: paragraph`One member misses a heartbeat of another, which then stands still for three seconds. It suspects that one a
      second sooner than the others do, whom the last heartbeat reached; they come to suspect it as well, and the wait that is
      left is theirs: counted from the first suspicion it would be over before the stall is. Nobody calls the member dead.`,
    shows: ['loss', 'stall'],
    network: DIRECT,
    steps: [
      ...at(10_000, unheard('p04', 'p01')),
      ...at(11_000, unheard('p04', 'p01', false)),
      ...at(11_300, { do: 'stall', member: 'p04', forMs: 3_000 }),
      ...at(20_000, neverTold('p04', 'dead'), together(ALL)),
    ],
  },
  {
    name: 'stall-of-three-seconds',
    proves: paragraph`A member stands still for three seconds: the longest that is promised to be survived. It may be suspected,
      and it is not called dead, for a suspect has time to speak up. And when it runs again it does not take the silence
      that it was itself for everybody else's: it accuses nobody. Without the first the stall costs a death and a state
      transfer; without the second the sick member kills all the healthy ones.`,
    shows: ['stall'],
    steps: [
      ...at(3_000, { do: 'stall', member: 'p05', forMs: 3_000 }),
      ...at(4_000, { do: 'set', at: 'p01', key: 'k', value: 'meanwhile' }),
      ...at(6_100, held(ALL, 'k', 'meanwhile'), together(ALL)),
      ...at(10_000, neverTold(ALL, 'dead'), neverTold(OTHERS, 'suspect')),
    ],
  },
  {
    name: 'stall-of-five-seconds',
    proves: paragraph`A member stands still for five seconds, with a write that it has made and nobody has heard. Whether it is
      called dead or not, it comes back by itself, in time for nobody to notice: what it wrote last is everywhere, unless
      somebody wrote the same key meanwhile. A mesh that goes by the order of arrival lets the write of five seconds ago
      win over the later one.`,
    shows: ['stall'],
    steps: [
      ...at(3_000, { do: 'set', at: 'p05', key: 'own', value: 'unheard' }),
      ...at(3_000, { do: 'set', at: 'p05', key: 'k', value: 'stale' }),
      ...at(3_000, { do: 'stall', member: 'p05', forMs: 5_000 }),
      ...at(5_000, held(OTHERS, 'own', undefined)),
      ...at(5_000, { do: 'set', at: 'p01', key: 'k', value: 'meanwhile' }),
      ...at(11_000, held(ALL, 'own', 'unheard'), held(ALL, 'k', 'meanwhile'), together(ALL)),
      ...at(11_000, neverTold(OTHERS, 'dead')),
    ],
  },
  {
    name: 'stall-of-thirty-seconds',
    proves: paragraph`A member stands still for half a minute: long enough to be called dead, for connections to break and for
      messages to pile up. Its clock jumps when it wakes, and everything that it believes is old. It comes back by itself
      within seconds, calls nobody dead, and ends with everything that was written, and without what was deleted. A member
      that trusts its own memory serves and spreads old values; one that waits for an operator stays dead.`,
    shows: ['stall'],
    steps: [
      ...at(1_000, { do: 'set', at: 'p05', key: 'gone', value: 'short-lived' }),
      ...at(1_000, { do: 'set', at: 'p05', key: 'k', value: 'stale' }),
      ...at(2_000, { do: 'stall', member: 'p05', forMs: 30_000 }),
      ...at(10_000, seen(OTHERS, 'p05', 'dead'), { do: 'delete', at: 'p01', key: 'gone' }),
      ...at(20_000, { do: 'set', at: 'p02', key: 'k', value: 'meanwhile' }),
      ...at(31_999, held('p05', 'k', 'stale')),
      ...at(37_000, together(ALL), held(ALL, 'k', 'meanwhile'), held(ALL, 'gone', undefined)),
      ...at(37_000, neverTold(OTHERS, 'dead')),
    ],
  },
  {
    name: 'stall-of-all',
    proves: paragraph`A laptop that runs the whole mesh is closed for half a minute. When it opens, each member sees that all the
      others have been silent for half a minute, and that its connections are broken, and knows that it has slept itself:
      nobody calls anybody dead, and all are connected again in no time. Where each process only looks at the clock, all
      call all others dead.`,
    shows: ['stall'],
    steps: [
      ...at(2_000, { do: 'set', at: 'p01', key: 'k', value: 'before the sleep' }),
      ...at(
        3_000,
        ALL.split(' ').map((member) => ({ do: 'stall', member, forMs: 30_000 })),
      ),
      ...at(36_000, { do: 'set', at: 'p02', key: 'k', value: 'after the sleep' }),
      ...at(36_100, held(ALL, 'k', 'after the sleep'), together(ALL), neverTold(ALL, 'dead')),
    ],
  },
  {
    name: 'suspend-of-two-seconds',
    proves: paragraph`A host is suspended for two seconds: its connections break and nobody calls it dead, so that to the others
      it has never been away. What they published meanwhile went nowhere. It is found missing by its number all the same: a
      mesh that takes over state only from those who were dead, or that trusts a connection to carry all, loses it.`,
    shows: ['suspend'],
    network: DIRECT,
    steps: [
      ...at(3_000, { do: 'suspend', member: 'p05', forMs: 2_000 }),
      ...at(4_000, { do: 'set', at: 'p01', key: 'k', value: 'meanwhile' }),
      ...at(9_000, held(ALL, 'k', 'meanwhile'), together(ALL), neverTold(ALL, 'dead')),
    ],
  },
  {
    name: 'suspend-of-ten-seconds',
    proves: paragraph`A host is suspended for ten seconds, right after its process wrote something that nobody has heard. It
      comes back with all it knew: what was changed or deleted meanwhile must lose, here and everywhere, though this member
      firmly believes in it, and what only it has must spread. A mesh that lets whoever comes back tell its state as news
      brings the deleted value back; one that makes it begin anew loses its last write.`,
    shows: ['suspend'],
    steps: [
      ...at(2_000, { do: 'set', at: 'p05', key: 'gone', value: 'short-lived' }),
      ...at(3_000, { do: 'set', at: 'p05', key: 'k', value: 'stale' }),
      ...at(3_000, { do: 'set', at: 'p05', key: 'own', value: 'unheard' }),
      ...at(3_000, { do: 'suspend', member: 'p05', forMs: 10_000 }),
      ...at(5_000, { do: 'set', at: 'p01', key: 'k', value: 'meanwhile' }),
      ...at(5_000, { do: 'delete', at: 'p01', key: 'gone' }),
      ...at(12_000, held(OTHERS, 'own', undefined), seen(OTHERS, 'p05', 'dead')),
      ...at(18_000, together(ALL), held(ALL, 'k', 'meanwhile'), held(ALL, 'gone', undefined)),
      ...at(18_000, held(ALL, 'own', 'unheard'), neverTold(OTHERS, 'dead')),
    ],
  },
]

const CRASHES: readonly Scenario[] = [
  {
    name: 'crash-and-restart',
    proves: paragraph`A process is killed, and starts again at its address with its id and an empty memory. It is known to be
      dead within a second, by evidence, without waiting for silence. The new process is the same member in a later life:
      it takes its own earlier writes back from the others, and what it writes now wins over them and is counted anew. A
      mesh that knows members by id alone takes the new batches 1, 2, 3 for old ones, and drops them.`,
    shows: ['crash'],
    steps: [
      ...at(2_000, { do: 'set', at: 'p05', key: 'k', value: 'first life' }),
      ...at(2_000, { do: 'set', at: 'p05', key: 'own', value: 'first life, too' }),
      ...at(2_500, { do: 'crash', member: 'p05' }),
      ...at(3_500, seen(OTHERS, 'p05', 'dead'), held(OTHERS, 'own', 'first life, too')),
      ...at(5_000, { do: 'restart', member: 'p05' }),
      ...at(7_000, { do: 'expectStatus', member: 'p05', status: 'serving' }, together(ALL)),
      ...at(7_000, held('p05', 'k', 'first life'), held('p05', 'own', 'first life, too')),
      ...at(7_000, { do: 'set', at: 'p05', key: 'k', value: 'second life' }),
      ...at(7_100, held(ALL, 'k', 'second life')),
    ],
  },
  {
    name: 'crash-and-restart-at-once',
    proves: paragraph`A supervisor restarts a killed process within 50 ms, before anybody has found out that it was gone. The
      others must not take the new process for the old one: its heartbeats begin at 1, it has nothing, and it says so by
      its instance and a higher incarnation. Whoever goes on where the old one was ignores the new one's signs of life as
      old news, calls a running member dead, or believes that it has what it lacks.`,
    shows: ['crash'],
    steps: [
      ...at(2_000, { do: 'set', at: 'p05', key: 'k', value: 'first life' }),
      ...at(4_000, { do: 'crash', member: 'p05' }),
      ...at(4_050, { do: 'restart', member: 'p05' }),
      ...at(7_000, { do: 'expectStatus', member: 'p05', status: 'serving' }, together(ALL)),
      ...at(7_000, held('p05', 'k', 'first life')),
      ...at(7_000, { do: 'set', at: 'p05', key: 'k', value: 'second life' }),
      ...at(7_100, held(ALL, 'k', 'second life')),
    ],
  },
  {
    name: 'crash-of-a-host',
    proves: paragraph`A whole host is gone without a word: nothing refuses, nothing closes, there is only silence. It is not
      taken for dead within the first second, and it is after eight. A flush that waits for it does not fail: a member that
      dies is not waited for. A mesh that relies on closed connections waits for minutes; one that is hasty calls every
      hiccup a death.`,
    shows: ['crash'],
    steps: [
      ...at(3_000, { do: 'crash', member: 'p05', silent: true }),
      ...at(
        3_100,
        { do: 'set', at: 'p01', key: 'k', value: 'meanwhile' },
        { do: 'flush', at: 'p01' },
      ),
      ...at(4_000, seen(OTHERS, 'p05', 'alive')),
      ...at(4_000, { do: 'expectOutcome', at: 'p01', of: 'flush', outcome: 'pending' }),
      ...at(11_000, seen(OTHERS, 'p05', 'dead'), together(OTHERS), neverTold(OTHERS, 'dead')),
      ...at(11_000, { do: 'expectOutcome', at: 'p01', of: 'flush', outcome: 'ok' }),
    ],
  },
  {
    name: 'crash-of-a-writer',
    proves: paragraph`A writer is killed right after its write has reached one of the others, and was lost on its way to the
      rest. Nobody is left to ask the writer. The survivors tell each other how far they had come with it, those who are
      behind take over the state of the one that is not, and all hold its last words. Where everybody asks only the author
      the copies differ for good.`,
    shows: ['crash', 'loss'],
    network: DIRECT,
    steps: [
      ...at(3_000, unheard('p05', 'p02 p03 p04')),
      ...at(3_000, { do: 'set', at: 'p05', key: 'k', value: 'last words' }),
      ...at(3_010, held('p01', 'k', 'last words'), held('p02 p03 p04', 'k', undefined)),
      ...at(3_010, { do: 'crash', member: 'p05' }),
      ...at(10_000, held(OTHERS, 'k', 'last words'), seen(OTHERS, 'p05', 'dead')),
    ],
  },
  {
    name: 'crash-of-a-writer-that-restarts',
    proves: paragraph`As before, but the value is to live for an hour, and the writer's process starts again 100 ms later, which is sooner than anybody has asked for
      what is missing. Its new life numbers its batches anew, and what the last one published and only one member has is
      still missing at the others. Where a new life wipes out what was known of the one before, the gap is forgotten and
      the copies differ for good.`,
    shows: ['crash', 'loss'],
    network: DIRECT,
    steps: [
      ...at(3_000, unheard('p05', 'p02 p03 p04')),
      ...at(3_000, { do: 'set', at: 'p05', key: 'k', value: 'last words', ttlMs: HOUR_MS }),
      ...at(3_010, held('p01', 'k', 'last words'), held('p02 p03 p04', 'k', undefined)),
      ...at(3_010, { do: 'crash', member: 'p05' }, unheard('p05', 'p02 p03 p04', false)),
      ...at(3_110, { do: 'restart', member: 'p05' }),
      ...at(10_000, held('p01 p02 p03 p04', 'k', 'last words'), together(ALL)),
    ],
  },
  {
    name: 'crash-of-a-writer-unreported',
    proves: paragraph`A writer is killed, and for two seconds two of the others hear neither its last write nor what the rest say
      of its death. They find the death out for themselves, and say how far they had come; those who have more must say so
      until it is heard. A mesh that says it once, on a channel that may lose it, has told nobody.`,
    shows: ['crash', 'loss'],
    network: DIRECT,
    steps: [
      ...at(
        3_000,
        ['p03', 'p04', 'p05'].flatMap((writer) => unheard(writer, 'p01 p02')),
      ),
      ...at(3_000, { do: 'set', at: 'p05', key: 'k', value: 'last words' }),
      ...at(3_010, { do: 'crash', member: 'p05' }),
      ...at(
        5_000,
        ['p03', 'p04', 'p05'].flatMap((writer) => unheard(writer, 'p01 p02', false)),
      ),
      ...at(12_000, held(OTHERS, 'k', 'last words'), together(OTHERS)),
    ],
  },
  {
    name: 'crash-of-a-deleter-unreported',
    proves: paragraph`A member deletes the only entry there is and is killed, and for two seconds two of the others hear nothing of
      it. To have nothing is a state like any other: those who still hold the value must find out that they differ from
      those who hold none, and what was deleted is gone from all. Where a member that is empty has nothing to compare, the
      deleted value lives on.`,
    shows: ['crash', 'loss'],
    network: DIRECT,
    steps: [
      ...at(1_000, { do: 'set', at: 'p05', key: 'gone', value: 'short-lived' }),
      ...at(
        3_000,
        ['p03', 'p04', 'p05'].flatMap((writer) => unheard(writer, 'p01 p02')),
      ),
      ...at(3_000, { do: 'delete', at: 'p05', key: 'gone' }),
      ...at(3_010, held('p01 p02', 'gone', 'short-lived'), { do: 'crash', member: 'p05' }),
      ...at(
        5_000,
        ['p03', 'p04', 'p05'].flatMap((writer) => unheard(writer, 'p01 p02', false)),
      ),
      ...at(12_000, held(OTHERS, 'gone', undefined), together(OTHERS)),
    ],
  },
  {
    name: 'crash-in-a-partition',
    proves: paragraph`While two halves are apart, one of a half writes and deletes, and is killed. Its half has its last words, the other one
      has it down as dead and knows nothing of them. When the halves meet, the dead says nothing, and those who heard it
      have nothing new to say: only by taking over each other's whole state do both sides end with the same. A mesh in
      which only the living are asked for what they published leaves the halves different for good.`,
    shows: ['partition', 'crash'],
    steps: [
      ...at(1_000, { do: 'set', at: 'p01', key: 'gone', value: 'short-lived' }),
      ...at(2_000, { do: 'cut', ...HALVES }),
      ...at(3_000, { do: 'set', at: 'p05', key: 'k', value: 'last words' }),
      ...at(3_000, { do: 'set', at: 'p05', key: 'hour', value: 'an hour', ttlMs: HOUR_MS }),
      ...at(3_000, { do: 'delete', at: 'p05', key: 'gone' }),
      ...at(3_100, { do: 'crash', member: 'p05' }),
      ...at(14_000, held('p03 p04', 'k', 'last words'), held('p01 p02', 'k', undefined)),
      ...at(14_000, { do: 'mend', ...HALVES }),
      ...at(34_000, together(OTHERS), held(OTHERS, 'k', 'last words')),
      ...at(34_000, held(OTHERS, 'hour', 'an hour'), held(OTHERS, 'gone', undefined)),
    ],
  },
  {
    name: 'crash-of-two',
    proves: paragraph`Two are killed at once: a writer, and the only one that has heard its last write. The write is lost, and it
      is lost for all: every survivor has the value from before. Another member, the one through which all others found the
      mesh, loses its host in the same moment, and a newcomer still finds in. Where a quorum, a leader or a seed is needed,
      three of five gone is the end.`,
    shows: ['crash', 'join'],
    network: DIRECT,
    steps: [
      ...at(2_000, { do: 'set', at: 'p05', key: 'k', value: 'before' }),
      ...at(3_000, unheard('p05', 'p01 p02 p03')),
      ...at(3_000, { do: 'set', at: 'p05', key: 'k', value: 'last words' }),
      ...at(3_010, held('p04', 'k', 'last words'), { do: 'crash', member: 'p05' }),
      ...at(3_010, { do: 'crash', member: 'p04' }, { do: 'crash', member: 'p01', silent: true }),
      ...at(3_500, { do: 'set', at: 'p02', key: 'new', value: 'of a survivor' }),
      ...at(12_000, together('p02 p03'), seen('p02 p03', 'p04', 'dead')),
      ...at(12_000, { do: 'start', member: 'p06' }),
      ...at(14_000, { do: 'expectStatus', member: 'p06', status: 'serving' }),
      ...at(14_000, held('p02 p03 p06', 'k', 'before'), held('p03 p06', 'new', 'of a survivor')),
    ],
  },
]

const JOINS: readonly Scenario[] = [
  {
    name: 'join',
    proves: paragraph`A newcomer finds a mesh of 100 entries, in which all go on writing. It says that it is ready once it has
      what the others had when it came, not before, and misses nothing of what is written while it takes over the state. A
      joiner that first copies and then subscribes misses what is published in between.`,
    shows: ['join'],
    steps: [
      ...at(1_000, { do: 'setMany', at: 'p01', entries: entries('e', 100) }),
      ...at(1_500, { do: 'delete', at: 'p02', key: 'e100' }),
      ...writes(ALL, { fromMs: 2_900, toMs: 4_000, everyMs: 20 }),
      ...at(3_000, { do: 'start', member: 'p06' }),
      ...at(3_000, { do: 'expectStatus', member: 'p06', status: 'joining' }),
      ...at(5_000, { do: 'expectStatus', member: 'p06', status: 'serving' }, together(WITH_JOINER)),
      ...at(5_000, held('p06', 'e1', 'e 1'), held('p06', 'e99', 'e 99')),
      ...at(5_000, held('p06', 'e100', undefined), held('p06', 'w4', 'w at 3980')),
    ],
  },
  {
    name: 'join-and-stall',
    proves: paragraph`A newcomer stands still for three seconds while it joins, and the one that it came to for six. It says that
      it is ready late, or alone, but never without what the others have: when all is well again it is in, with all of it.
      A joiner whose time-outs run while it does not run itself decides that nobody is there.`,
    shows: ['join', 'stall'],
    steps: [
      ...at(1_000, { do: 'setMany', at: 'p02', entries: entries('e', 100) }),
      ...at(3_000, { do: 'start', member: 'p06' }),
      ...at(3_015, { do: 'stall', member: 'p06', forMs: 3_000 }),
      ...at(4_000, { do: 'set', at: 'p03', key: 'k', value: 'meanwhile' }),
      ...at(6_020, { do: 'stall', member: 'p01', forMs: 6_000 }),
      ...at(7_000, { do: 'set', at: 'p04', key: 'e1', value: 'changed' }),
      ...at(
        22_000,
        { do: 'expectStatus', member: 'p06', status: 'serving' },
        together(WITH_JOINER),
      ),
      ...at(22_000, held('p06', 'e1', 'changed'), held('p06', 'e100', 'e 100')),
      ...at(22_000, held(WITH_JOINER, 'k', 'meanwhile')),
    ],
  },
  {
    name: 'join-while-sources-crash',
    proves: paragraph`A newcomer on a slow link takes over the state, and two of those that it could have it from are killed, one
      after the other, the first of them the one that it came through. It goes on with another, and is ready with all. A
      joiner that clings to its source, or takes half a state for the whole, is not.`,
    shows: ['join', 'crash', 'delay'],
    steps: [
      ...at(1_000, { do: 'setMany', at: 'p01', entries: entries('e', 200) }),
      ...at(
        3_000,
        { do: 'link', settings: { delayMs: { min: 150, max: 150 } } },
        { do: 'start', member: 'p06' },
      ),
      ...at(4_500, { do: 'crash', member: 'p01' }),
      ...at(4_800, { do: 'crash', member: 'p02' }),
      ...at(15_000, { do: 'expectStatus', member: 'p06', status: 'serving' }),
      ...at(15_000, together('p03 p04 p05 p06')),
      ...at(15_000, held('p06', 'e1', 'e 1'), held('p06', 'e200', 'e 200')),
    ],
  },
  {
    name: 'join-in-a-partition',
    proves: paragraph`A newcomer joins one half of a mesh that has just come apart, and hears of members that it cannot reach. It
      does not wait for them for ever: it serves with what its half has. When the halves meet it learns the rest like all
      others, and the other half learns of it. A joiner that insists on everybody never serves; one that counts a transfer
      as the state of the whole mesh lacks the other half's writes for good.`,
    shows: ['join', 'partition'],
    steps: [
      ...at(2_000, { do: 'cut', ...HALVES }, { do: 'cut', from: ['p06'], to: HALVES.to }),
      ...at(2_500, { do: 'set', at: 'p01', key: 'left', value: 'of the left' }),
      ...at(2_500, { do: 'set', at: 'p05', key: 'right', value: 'of the right' }),
      ...at(3_000, { do: 'start', member: 'p06' }),
      ...at(14_000, { do: 'expectStatus', member: 'p06', status: 'serving' }),
      ...at(14_000, held('p06', 'left', 'of the left'), together('p01 p02 p06')),
      ...at(14_000, { do: 'set', at: 'p06', key: 'new', value: 'of the newcomer' }),
      ...at(14_100, { do: 'mend', ...HALVES }, { do: 'mend', from: ['p06'], to: HALVES.to }),
      ...at(34_000, together(WITH_JOINER), held(WITH_JOINER, 'right', 'of the right')),
      ...at(34_000, held(WITH_JOINER, 'new', 'of the newcomer')),
    ],
  },
  {
    name: 'join-between-halves',
    proves: paragraph`Two halves cannot reach each other, each with the last words of a member of its own that has been killed
      since, and a newcomer joins that reaches both. It takes over the state of one, and it needs the other's as well, for
      the dead will not tell it. When the halves meet, all have everything. A newcomer that is done with the
      first transfer is ready with half of the mesh.`,
    shows: ['join', 'partition', 'crash'],
    members: 6,
    steps: [
      ...at(2_000, { do: 'cut', from: ['p01', 'p02', 'p03'], to: ['p04', 'p05', 'p06'] }),
      ...at(3_000, { do: 'set', at: 'p03', key: 'left', value: 'of the left' }),
      ...at(3_000, { do: 'set', at: 'p06', key: 'right', value: 'of the right' }),
      ...at(3_100, { do: 'crash', member: 'p03' }, { do: 'crash', member: 'p06' }),
      ...at(9_000, { do: 'start', member: 'p07' }),
      ...at(22_000, { do: 'expectStatus', member: 'p07', status: 'serving' }),
      ...at(22_000, { do: 'mend', from: ['p01', 'p02', 'p03'], to: ['p04', 'p05', 'p06'] }),
      ...at(45_000, together('p01 p02 p04 p05 p07')),
      ...at(45_000, held('p01 p02 p04 p05 p07', 'left', 'of the left')),
      ...at(45_000, held('p01 p02 p04 p05 p07', 'right', 'of the right')),
    ],
  },
  {
    name: 'join-alone',
    proves: paragraph`A newcomer reaches nobody. After five seconds it serves alone, says so with an alert, and takes writes, while
      the mesh goes on without it. When the way is free the two meet, and both have all that either of them wrote, the
      later value of each key. A newcomer that waits for the mesh is no use to its application; one that, once it serves,
      takes nothing over, or gives nothing back, is a mesh of its own for ever.`,
    shows: ['join', 'partition'],
    members: 3,
    steps: [
      ...at(2_000, { do: 'cut', from: ['p04'], to: ['p01', 'p02', 'p03'] }),
      ...at(2_500, { do: 'set', at: 'p01', key: 'k', value: 'of the mesh' }),
      ...at(2_500, { do: 'set', at: 'p01', key: 'mesh', value: 'only of the mesh' }),
      ...at(
        3_000,
        { do: 'start', member: 'p04' },
        { do: 'set', at: 'p04', key: 'k', value: 'alone' },
      ),
      ...at(3_100, { do: 'expectOutcome', at: 'p04', of: 'set', outcome: 'pending' }),
      ...at(
        9_000,
        { do: 'expectStatus', member: 'p04', status: 'serving' },
        held('p04', 'k', 'alone'),
      ),
      ...at(9_000, { do: 'expectAlert', at: 'p04', code: 'serving-alone' }),
      ...at(10_000, { do: 'mend', from: ['p04'], to: ['p01', 'p02', 'p03'] }),
      ...at(28_000, together('p01 p02 p03 p04'), held('p01 p02 p03 p04', 'k', 'alone')),
      ...at(28_000, held('p04', 'mesh', 'only of the mesh')),
    ],
  },
  {
    name: 'restart-in-a-partition',
    proves: paragraph`While two halves are apart, a member of one is killed and starts again, one leaves for good, and one is
      killed and stays away. The other half has all three down as dead, in the lives that it knew. When the halves meet, the
      first is alive in its new life, the others stay gone, and what each wrote last is everywhere. Old news must not revive
      the dead, and old news of a death must not kill the new life.`,
    shows: ['partition', 'crash', 'leave'],
    members: 6,
    steps: [
      ...at(2_000, { do: 'cut', from: ['p01', 'p02'], to: ['p03', 'p04', 'p05', 'p06'] }),
      ...at(3_000, { do: 'set', at: 'p04', key: 'of the leaver', value: 'goodbye' }),
      ...at(3_000, { do: 'set', at: 'p05', key: 'of the dead', value: 'last words' }),
      ...at(3_000, { do: 'set', at: 'p06', key: 'k', value: 'first life' }),
      ...at(4_000, { do: 'crash', member: 'p06' }, { do: 'leave', member: 'p04' }),
      ...at(5_000, { do: 'crash', member: 'p05' }, { do: 'restart', member: 'p06' }),
      ...at(8_000, { do: 'set', at: 'p06', key: 'own', value: 'second life' }),
      ...at(10_000, seen('p01 p02', 'p06', 'dead'), together('p03 p06')),
      ...at(10_000, { do: 'mend', from: ['p01', 'p02'], to: ['p03', 'p04', 'p05', 'p06'] }),
      ...at(30_000, together('p01 p02 p03 p06'), seen('p01 p02 p03 p06', 'p05', 'dead')),
      ...at(30_000, seen('p03 p06', 'p04', 'left')),
      ...at(30_000, held('p01 p02 p03 p06', 'of the leaver', 'goodbye')),
      ...at(30_000, held('p01 p02 p03 p06', 'of the dead', 'last words')),
      ...at(30_000, held('p01 p02 p03 p06', 'k', 'first life')),
      ...at(30_000, held('p01 p02 p03 p06', 'own', 'second life')),
    ],
  },
]

const LEAVES: readonly Scenario[] = [
  {
    name: 'leave',
    proves: paragraph`A member writes and leaves in the same moment. It publishes what is queued, says goodbye and goes: the
      others have the write, and call it left, at once and not dead after a while. Nobody ever suspects it. A process that
      just ends loses what was queued, and costs everybody a failure detection.`,
    shows: ['leave'],
    steps: [
      ...at(3_000, { do: 'set', at: 'p05', key: 'k', value: 'last words' }),
      ...at(3_000, { do: 'leave', member: 'p05', drain: true }),
      ...at(3_500, held(OTHERS, 'k', 'last words'), seen(OTHERS, 'p05', 'left')),
      ...at(9_000, neverTold(ALL, 'dead'), neverTold(ALL, 'suspect'), together(OTHERS)),
    ],
  },
  {
    name: 'leave-unheard',
    proves: paragraph`The last write of a member that leaves without waiting is lost on its way to most of the others. The
      goodbye says how much it had published, so that they miss it, and have it from the one that heard it. Whoever closes
      the books on a member when it says goodbye never finds out.`,
    shows: ['leave', 'loss'],
    network: DIRECT,
    steps: [
      ...at(3_000, unheard('p05', 'p02 p03 p04')),
      ...at(3_000, { do: 'set', at: 'p05', key: 'k', value: 'last words' }),
      ...at(3_005, unheard('p05', 'p02 p03 p04', false), { do: 'leave', member: 'p05' }),
      ...at(9_000, held(OTHERS, 'k', 'last words'), seen(OTHERS, 'p05', 'left')),
    ],
  },
  {
    name: 'goodbye-lost',
    proves: paragraph`A member leaves, and one of the others does not hear it say so: to that one its connection breaks, and its
      address refuses. It says what it suspects, and those who know better tell it, though it heard the leaver a moment ago:
      for all the member has left, and for nobody it has died.`,
    shows: ['leave', 'loss'],
    network: DIRECT,
    steps: [
      ...at(3_000, unheard('p05', 'p01')),
      ...at(3_005, { do: 'leave', member: 'p05' }),
      ...at(3_700, seen(OTHERS, 'p05', 'left')),
      ...at(9_000, neverTold(ALL, 'dead'), together(OTHERS)),
    ],
  },
  {
    name: 'goodbye-lost-twice',
    proves: paragraph`Two of the others do not hear a member say goodbye, and both find that its address refuses: that would prove its
      death, and sooner than they have looked into it that others say it has left.`,
    shows: ['leave', 'loss'],
    network: DIRECT,
    steps: [
      ...at(3_000, unheard('p05', 'p01 p02')),
      ...at(3_005, { do: 'leave', member: 'p05' }),
      ...at(3_700, seen(OTHERS, 'p05', 'left')),
      ...at(9_000, neverTold(ALL, 'dead'), together(OTHERS)),
    ],
  },
  {
    name: 'leave-and-come-back',
    proves: paragraph`A member leaves and starts again seconds later, as in a rolling restart. Within one incarnation nothing is
      above left, so that it has to come with a higher one, and it does: it is alive for all, it holds what was written
      while it was away, and what was deleted does not come back with it. Where left is final, or where the newcomer is
      taken for the one that left, it stays outside.`,
    shows: ['leave'],
    steps: [
      ...at(2_000, { do: 'set', at: 'p05', key: 'gone', value: 'short-lived' }),
      ...at(2_000, { do: 'set', at: 'p05', key: 'k', value: 'stale' }),
      ...at(3_000, { do: 'leave', member: 'p05' }),
      ...at(4_000, { do: 'set', at: 'p01', key: 'k', value: 'meanwhile' }),
      ...at(4_000, { do: 'delete', at: 'p02', key: 'gone' }, seen(OTHERS, 'p05', 'left')),
      ...at(5_000, { do: 'restart', member: 'p05' }),
      ...at(7_000, { do: 'expectStatus', member: 'p05', status: 'serving' }, together(ALL)),
      ...at(7_000, held(ALL, 'k', 'meanwhile'), held(ALL, 'gone', undefined)),
      ...at(7_000, { do: 'set', at: 'p05', key: 'k', value: 'back' }),
      ...at(7_100, held(ALL, 'k', 'back'), neverTold(ALL, 'dead')),
    ],
  },
  {
    name: 'leave-unheard-and-come-back',
    proves: paragraph`The last write of a member that leaves is lost on its way to most of the others, and it starts again 100 ms
      later. The goodbye told the others what they lack; the new life, which counts anew, must not make them forget it.`,
    shows: ['leave', 'loss'],
    network: DIRECT,
    steps: [
      ...at(3_000, unheard('p05', 'p02 p03 p04')),
      ...at(3_000, { do: 'set', at: 'p05', key: 'k', value: 'last words' }),
      ...at(3_005, unheard('p05', 'p02 p03 p04', false), { do: 'leave', member: 'p05' }),
      ...at(3_105, { do: 'restart', member: 'p05' }),
      ...at(10_000, held(OTHERS, 'k', 'last words'), together(ALL)),
    ],
  },
  {
    name: 'rolling-restart',
    proves: paragraph`All members leave and start again, one after the other, two seconds apart: a new version is rolled out. No
      process outlives it, and all that was written does; callers are served all the time, and nobody is ever called dead.
      A mesh that keeps its data where it was first written ends empty.`,
    shows: ['leave'],
    steps: [
      ...at(1_000, { do: 'setMany', at: 'p01', entries: entries('e', 50) }),
      ...at(1_500, { do: 'delete', at: 'p02', key: 'e50' }),
      ...ALL.split(' ').flatMap((member, index) => [
        ...at(2_000 + index * 2_000, { do: 'leave', member }),
        ...at(2_500 + index * 2_000, { do: 'restart', member }),
      ]),
      ...at(13_000, together(ALL), neverTold(ALL, 'dead')),
      ...at(13_000, held(ALL, 'e1', 'e 1'), held(ALL, 'e49', 'e 49'), held(ALL, 'e50', undefined)),
    ],
  },
]

export const MEMBERS: readonly Scenario[] = [...STALLS, ...CRASHES, ...JOINS, ...LEAVES]
