/** Scenarios of links: lossy, slow, cut, deaf. The processes at both ends are well. */
import type { Scenario, Step } from '../operations.js'
import {
  ALL,
  at,
  first,
  HALVES,
  held,
  neverTold,
  paragraph,
  seen,
  together,
  writes,
} from './steps.js'

/** Nobody passes on what others published: only the direct way counts. */
const DIRECT = { forwardPeersMax: 0 }

export const LINKS: readonly Scenario[] = [
  {
    name: 'loss',
    proves: paragraph`Gossip may lose messages, and no write is lost. One message in five does not arrive while all write,
      and the very last write is nobody's next: that it is missing is told by the number on the heartbeats alone. A mesh
      that only publishes, or that looks for gaps only when the next message comes, leaves the copies different for ever;
      one with a plain time-out on heartbeats calls the living dead.`,
    shows: ['loss'],
    network: DIRECT,
    steps: [
      ...at(1_000, { do: 'link', settings: { lossProbability: 0.2 } }),
      ...writes(ALL, { fromMs: 1_000, toMs: 5_000, everyMs: 100 }),
      ...at(5_000, { do: 'set', at: 'p01', key: 'last', value: 'the last' }),
      ...at(10_000, held(ALL, 'last', 'the last'), neverTold(ALL, 'dead')),
    ],
  },
  {
    name: 'heavy-loss',
    proves: paragraph`Of five messages four are lost, and streams stutter, for ten seconds. Members may well take each other
      to be dead; but writers go on without waiting for anybody, and when it is over all find each other and all that was
      written, by themselves. A mesh in which a death is final, or in which a state transfer that breaks off is given up,
      stays in pieces.`,
    shows: ['heavy-loss'],
    steps: [
      ...at(2_000, { do: 'link', settings: { lossProbability: 0.8, frameLossProbability: 0.3 } }),
      ...writes(ALL, { fromMs: 2_000, toMs: 12_000, everyMs: 500 }),
      ...at(11_900, { do: 'set', at: 'p03', key: 'k', value: 'in the storm' }),
      ...at(11_901, { do: 'expectOutcome', at: 'p03', of: 'set', outcome: 'ok' }),
      ...at(12_000, { do: 'link', settings: { lossProbability: 0, frameLossProbability: 0 } }),
      ...at(30_000, together(ALL), held(ALL, 'k', 'in the storm')),
    ],
  },
  {
    name: 'last-words-passed-on-late',
    proves: paragraph`Every message is held up, some for half a minute, so that what a member says of itself is old when it comes.
      Nobody is called dead for that, for all answer when they are asked. Then a host is gone, and its last words go on
      coming for half a minute, each one newer than those that came before: it is called dead as soon as any other. A detector
      that goes by when something arrives, or by its number alone, takes a dead member for alive as long as anybody repeats it.`,
    shows: ['reorder'],
    steps: [
      ...at(5_000, {
        do: 'link',
        settings: { reorderProbability: 1, reorderDelayMaxMs: 30_000 },
      }),
      ...at(25_000, neverTold(ALL, 'dead')),
      ...at(25_000, { do: 'crash', member: 'p05', silent: true }),
      ...at(33_000, seen(first(4), 'p05', 'dead'), neverTold(first(4), 'dead')),
    ],
  },
  {
    name: 'duplicate',
    proves: paragraph`Every message comes twice, and the second copy up to 300 ms late, after what was written since. The later
      write stays, and what was deleted stays deleted. A mesh that lets the message that comes last win brings the first
      value and the deleted one back, on some members and not on others.`,
    shows: ['duplicate', 'delay'],
    steps: [
      ...at(1_000, {
        do: 'link',
        settings: { duplicateProbability: 1, delayMs: { min: 1, max: 300 } },
      }),
      ...at(
        2_000,
        { do: 'set', at: 'p01', key: 'k', value: 'first' },
        { do: 'set', at: 'p04', key: 'gone', value: 'short-lived' },
      ),
      ...at(
        2_100,
        { do: 'set', at: 'p02', key: 'k', value: 'second' },
        { do: 'delete', at: 'p04', key: 'gone' },
      ),
      ...at(3_000, held(ALL, 'k', 'second'), held(ALL, 'gone', undefined)),
      ...at(3_000, neverTold(ALL, 'suspect')),
    ],
  },
  {
    name: 'reorder',
    proves: paragraph`One message in five is held up, for up to ten seconds, so that later ones overtake it, and a member
      crashes and starts again meanwhile: what its earlier life wrote and said comes after the first words of the new one.
      Writes take effect by version, what is missing is fetched long before it arrives, and a heartbeat counts by the
      sender's own account. A mesh that goes by the order of arrival shows old values, revives deleted ones, and takes the
      sequence numbers of the earlier life for those of the new one.`,
    shows: ['reorder', 'crash'],
    network: DIRECT,
    steps: [
      ...at(1_000, {
        do: 'link',
        settings: { reorderProbability: 0.2, reorderDelayMaxMs: 10_000 },
      }),
      ...[1, 2, 3, 4, 5].flatMap((n) =>
        at(1_000 + n * 100, { do: 'set', at: 'p05', key: 'k', value: `value ${n}` }),
      ),
      ...at(1_200, { do: 'set', at: 'p01', key: 'gone', value: 'short-lived' }),
      ...at(1_500, { do: 'delete', at: 'p02', key: 'gone' }),
      ...at(2_000, { do: 'crash', member: 'p05' }),
      ...at(3_000, { do: 'restart', member: 'p05' }),
      ...at(5_000, { do: 'set', at: 'p05', key: 'k', value: 'a new life' }),
      ...at(9_000, held(ALL, 'k', 'a new life'), held(ALL, 'gone', undefined)),
      ...at(11_000, { do: 'link', settings: { reorderProbability: 0 } }),
      ...at(15_000, held(ALL, 'k', 'a new life'), held(ALL, 'gone', undefined), together(ALL)),
      ...at(15_000, neverTold('p01 p02 p03 p04', 'dead')),
    ],
  },
  {
    name: 'delay',
    proves: paragraph`Everything takes 100 to 300 ms, so that messages of one member overtake each other. That is late, and
      it is not lost, nor is anybody under suspicion; a flush confirms all the same, and a write that was made because of
      another one wins over it wherever the two arrive in the wrong order. A mesh that takes late for lost drowns in state
      transfers.`,
    shows: ['delay'],
    steps: [
      ...at(1_000, { do: 'link', settings: { delayMs: { min: 100, max: 300 } } }),
      ...at(3_000, { do: 'set', at: 'p01', key: 'k', value: 'cause' }),
      ...at(3_400, { do: 'set', at: 'p02', key: 'k', value: 'effect' }, { do: 'flush', at: 'p02' }),
      ...at(5_500, { do: 'expectOutcome', at: 'p02', of: 'flush', outcome: 'ok' }),
      ...at(5_500, held(ALL, 'k', 'effect'), neverTold(ALL, 'suspect')),
    ],
  },
  {
    name: 'partition',
    proves: paragraph`Two halves cannot reach each other for ten seconds. Each goes on, serves and writes, and calls the other
      dead. When the link is back they find each other, though each has the other down as dead, and both end with the
      later write of each key, with the delete that one side made, and with what only one side had. A mesh that retries
      only the living stays two meshes; one that sends only new writes after the merge never sends those of the meantime.`,
    shows: ['partition'],
    steps: [
      ...at(1_000, { do: 'set', at: 'p02', key: 'gone', value: 'short-lived' }),
      ...at(2_000, { do: 'cut', ...HALVES }),
      ...at(3_000, { do: 'set', at: 'p01', key: 'k', value: 'of the left' }),
      ...at(3_000, { do: 'set', at: 'p02', key: 'left only', value: 'left only' }),
      ...at(4_000, { do: 'set', at: 'p03', key: 'k', value: 'of the right' }),
      ...at(4_000, { do: 'delete', at: 'p04', key: 'gone' }),
      ...at(5_000, { do: 'set', at: 'p05', key: 'right only', value: 'right only' }),
      ...at(5_001, { do: 'expectOutcome', at: 'p05', of: 'set', outcome: 'ok' }),
      ...at(12_000, held('p01 p02', 'k', 'of the left'), held('p01 p02', 'right only', undefined)),
      ...at(
        12_000,
        held('p03 p04 p05', 'k', 'of the right'),
        held('p01 p02', 'gone', 'short-lived'),
      ),
      ...at(12_000, seen('p01 p02', 'p03', 'dead'), seen('p03 p04 p05', 'p02', 'dead')),
      ...at(12_000, together('p01 p02'), together('p03 p04 p05'), { do: 'mend', ...HALVES }),
      ...at(32_000, together(ALL), held(ALL, 'k', 'of the right'), held(ALL, 'gone', undefined)),
      ...at(32_000, held(ALL, 'left only', 'left only'), held(ALL, 'right only', 'right only')),
    ],
  },
  {
    name: 'partition-of-two-seconds',
    proves: paragraph`A partition that is over before anybody can be called dead. Connections outlive it, and what was
      written meanwhile comes through them, once. A detector that counts missed heartbeats, or one that takes a connection
      that stalls for one that is gone, makes a short hiccup into deaths, and each death into state transfers.`,
    shows: ['partition'],
    steps: [
      ...at(2_000, { do: 'cut', ...HALVES }),
      ...at(3_000, { do: 'set', at: 'p01', key: 'k', value: 'meanwhile' }),
      ...at(3_900, held('p02', 'k', 'meanwhile'), held('p03 p04 p05', 'k', undefined)),
      ...at(4_000, { do: 'mend', ...HALVES }),
      ...at(5_500, held(ALL, 'k', 'meanwhile')),
      ...at(10_000, together(ALL), neverTold(ALL, 'dead')),
    ],
  },
  {
    name: 'partition-older-deletes',
    proves: paragraph`A member writes on one side of a partition, and its counterparts delete on the other: one key before it
      was written, one after, and a clear of everything before. What was written later than the delete lives, what was
      written earlier is gone, on all of them. A mesh in which tombstones always win loses the newer value; one in which
      each side sends only its values, and no tombstones, brings back the deleted one.`,
    shows: ['partition'],
    steps: [
      ...at(1_000, { do: 'set', at: 'p05', key: 'set last', value: 'before the partition' }),
      ...at(1_000, { do: 'set', at: 'p05', key: 'cleared', value: 'long ago' }),
      ...at(2_000, { do: 'cut', ...HALVES }),
      ...at(3_000, { do: 'delete', at: 'p01', key: 'set last' }),
      ...at(3_000, { do: 'set', at: 'p05', key: 'deleted last', value: 'too early' }),
      ...at(3_100, { do: 'clear', at: 'p02' }),
      ...at(4_000, { do: 'set', at: 'p05', key: 'set last', value: 'after the delete' }),
      ...at(4_000, { do: 'delete', at: 'p01', key: 'deleted last' }),
      ...at(10_000, held('p01 p02', 'set last', undefined), held('p04', 'cleared', 'long ago')),
      ...at(10_000, { do: 'mend', ...HALVES }),
      ...at(30_000, held(ALL, 'set last', 'after the delete')),
      ...at(30_000, held(ALL, 'deleted last', undefined), held(ALL, 'cleared', undefined)),
    ],
  },
  {
    name: 'one-way-between-two',
    proves: paragraph`Nothing gets from one member to another, though everything comes back, and all others hear both. What
      it writes comes round by the others, and so do its heartbeats: nobody is under suspicion, for one bad link is no
      evidence against a member that others pass on. A detector that goes by its own connections alone accuses both.`,
    shows: ['one-way'],
    network: { forwardPeersMax: 3 },
    steps: [
      ...at(2_000, { do: 'cut', from: ['p01'], to: ['p02'], oneWay: true }),
      ...at(4_000, { do: 'set', at: 'p01', key: 'there', value: 'there' }),
      ...at(4_000, { do: 'set', at: 'p02', key: 'back', value: 'back' }),
      ...at(4_500, held(ALL, 'there', 'there'), held(ALL, 'back', 'back')),
      // By now the connection is broken for want of answers.
      ...at(14_000, { do: 'set', at: 'p01', key: 'there', value: 'there again' }),
      ...at(14_500, held(ALL, 'there', 'there again'), neverTold(ALL, 'suspect')),
      ...at(14_500, { do: 'mend', from: ['p01'], to: ['p02'] }),
    ],
  },
  {
    name: 'one-way-from-one',
    proves: paragraph`A member hears all others and is heard by none. They call it dead, it hears that and objects, and the
      objection does not get through: it must neither believe them, nor call anybody dead whom it hears, nor take itself
      for connected when the way is free again. A mesh that trusts its own open connection never finds out that the other
      end has closed it.`,
    shows: ['one-way'],
    steps: [
      ...at(2_000, { do: 'cut', from: ['p01'], to: ['p02', 'p03', 'p04', 'p05'], oneWay: true }),
      ...at(3_000, { do: 'set', at: 'p01', key: 'unheard', value: 'unheard' }),
      ...at(3_000, { do: 'set', at: 'p02', key: 'heard', value: 'heard' }),
      ...at(4_000, held('p01', 'heard', 'heard'), held('p02 p03 p04 p05', 'unheard', undefined)),
      ...at(9_500, seen('p02 p03 p04 p05', 'p01', 'dead'), together('p02 p03 p04 p05')),
      ...at(12_000, { do: 'mend', from: ['p01'], to: ['p02', 'p03', 'p04', 'p05'] }),
      ...at(32_000, together(ALL), held(ALL, 'unheard', 'unheard')),
    ],
  },
  {
    name: 'flip',
    proves: paragraph`The link between two members goes, or comes, every twenty seconds, and a third one hears both all the
      time. The two never call each other dead, connect anew each time, and always have what the other wrote. A mesh that
      connects twice, keeps the dead connection, or backs off further at each break goes deaf after a few rounds.`,
    shows: ['flip'],
    members: 3,
    network: { forwardPeersMax: 1 },
    steps: [
      ...[0, 40_000, 80_000].flatMap((roundMs): Step[] => [
        ...at(roundMs + 2_000, { do: 'cut', from: ['p01'], to: ['p02'] }),
        ...at(roundMs + 21_000, { do: 'set', at: 'p01', key: 'cut', value: `cut ${roundMs}` }),
        ...at(roundMs + 21_500, held('p02 p03', 'cut', `cut ${roundMs}`)),
        ...at(roundMs + 22_000, { do: 'mend', from: ['p01'], to: ['p02'] }),
        ...at(roundMs + 40_000, { do: 'set', at: 'p02', key: 'whole', value: `whole ${roundMs}` }),
        ...at(roundMs + 40_500, held('p01 p03', 'whole', `whole ${roundMs}`)),
      ]),
      ...at(120_500, neverTold('p01 p02 p03', 'dead'), together('p01 p02 p03')),
    ],
  },
  {
    name: 'mute',
    proves: paragraph`Two members stay connected, and not one message passes between them any more: what happens over libp2p
      when the first of two connections closes. Whoever watches connections only sees nothing wrong, and the silence would
      make both suspects. The watchdog notices, hangs up and connects anew before that, and what was published into the
      void meanwhile is found missing by its number.`,
    shows: ['mute'],
    members: 3,
    network: DIRECT,
    steps: [
      ...at(2_000, { do: 'mute', between: ['p01', 'p02'] }),
      ...at(2_100, { do: 'set', at: 'p01', key: 'k', value: 'into the void' }),
      ...at(2_200, held('p03', 'k', 'into the void'), held('p02', 'k', undefined)),
      ...at(7_000, held('p02', 'k', 'into the void')),
      ...at(7_000, { do: 'set', at: 'p02', key: 'back', value: 'back' }),
      ...at(7_100, held('p01 p03', 'back', 'back'), neverTold('p01 p02 p03', 'suspect')),
    ],
  },
  {
    name: 'disconnect',
    proves: paragraph`All connections of a member break at once, as when a router forgets them, and everybody runs on. Nobody
      is called dead, or even suspected: an address that answers belongs to somebody who lives. All are connected again at
      once, and what was written in between is everywhere.`,
    shows: ['disconnect'],
    steps: [
      ...at(3_000, { do: 'disconnect', member: 'p03' }),
      ...at(3_000, { do: 'set', at: 'p03', key: 'k', value: 'cut off' }),
      ...at(6_000, held(ALL, 'k', 'cut off'), together(ALL)),
      ...at(6_000, neverTold(ALL, 'suspect'), neverTold(ALL, 'dead')),
    ],
  },
]
