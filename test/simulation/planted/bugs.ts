/**
 * The bugs that the checker has to find: mistakes that are easily made in this code, each as a change to the text of
 * one source.
 */
import type { Rule } from '../checker/violations.js'
import * as soils from './soils.js'

export interface PlantedBug {
  /** As in the query that plants it. */
  readonly name: string
  /** What it is, after "finds". */
  readonly is: string
  /** How one comes to make it. */
  readonly because: string
  readonly file: string
  /** The text that is replaced, once in the file. */
  readonly find: string
  readonly replace: string
  /** The runs in which it shows. */
  readonly soil: soils.Soil
  /** The rules of which the checker has to say that one is broken. */
  readonly breaks: readonly Rule[]
}

/** Which of two writes wins. */
const VERSIONS: readonly PlantedBug[] = [
  {
    name: 'tie-by-member',
    is: 'a tie of two writes broken by member id alone',
    because: 'the member id makes the order total, so that the other rule seems to be superfluous',
    file: 'src/core/version.ts',
    find: '  if (a.deleted !== b.deleted) return a.deleted\n',
    replace: '',
    soil: soils.QUIET,
    breaks: ['session', 'convergence'],
  },
  {
    name: 'set-over-delete',
    is: 'a delete that loses to a set of the same moment',
    because: 'one letter is wrong, and every copy still agrees with every other',
    file: 'src/core/version.ts',
    find: 'if (a.deleted !== b.deleted) return a.deleted',
    replace: 'if (a.deleted !== b.deleted) return b.deleted',
    soil: soils.QUIET,
    breaks: ['session', 'convergence'],
  },
  {
    name: 'wall-ms-alone',
    is: 'a last write that wins by its millisecond alone',
    because: 'two writes of one key in one millisecond seem not to happen',
    file: 'src/core/version.ts',
    find: 'a.wallMs - b.wallMs : a.counter - b.counter',
    replace: 'a.wallMs - b.wallMs : 0',
    soil: soils.QUIET,
    breaks: ['session', 'convergence'],
  },
  {
    name: 'clock-of-others-ignored',
    is: 'a clock that follows those of others at the start only',
    because: 'all clocks of a network that works show the same time',
    file: 'src/core/hlc.ts',
    find: 'if (compareTimestamps(timestamp, this.#last) > 0) {',
    replace: 'if (this.#last === TIMESTAMP_ZERO) {',
    soil: soils.DRIFTING_CLOCKS,
    breaks: ['session', 'convergence'],
  },
  {
    name: 'clock-of-hello-ignored',
    is: 'a clock that goes back over a restart',
    because:
      'the state brings the clock of the mesh with it, but a first write does not wait for that',
    file: 'src/services/handshake.ts',
    find: "    if (!hlc.observe(hello.clock)) drops.add('clock')\n",
    replace: '',
    soil: soils.BACK_WITH_OLD_CLOCK,
    breaks: ['clock'],
  },
]

/** What the store makes of a write. */
const STORE: readonly PlantedBug[] = [
  {
    name: 'no-tombstone',
    is: 'a delete that leaves no tombstone',
    because: 'the entry is gone, and that is what was asked for',
    file: 'src/core/store.ts',
    find: '    this.#tombstones.remember(write, this.#options.clock.monotonicMs())\n',
    replace: '',
    soil: soils.LATE,
    breaks: ['session', 'convergence'],
  },
  {
    name: 'tombstone-where-held',
    is: 'a tombstone that is kept only where the key is held',
    because: 'a delete of what is not there looks like nothing to do',
    file: 'src/core/store.ts',
    find: '    if (write.payload === undefined) this.#bury(write, held)\n',
    replace: '    if (write.payload === undefined) held && this.#bury(write, held)\n',
    soil: soils.LATE,
    breaks: ['session', 'convergence'],
  },
  {
    name: 'clear-without-marker',
    is: 'a clear that only drops what is held at that moment',
    because: 'a clear that is emptied maps and nothing else is right on every single peer',
    file: 'src/core/store.ts',
    find: '    space.marker = marker\n',
    replace: '',
    soil: soils.LATE,
    breaks: ['session', 'convergence'],
  },
  {
    name: 'late-clear-drops-all',
    is: 'a late clear that drops what was written after it',
    because: 'clearing seems to mean everything',
    file: 'src/core/store.ts',
    find: '        if (!supersedes(entry, marker)) this.#remove(entry)\n',
    replace: '        this.#remove(entry)\n',
    soil: soils.OVERTAKEN,
    breaks: ['session', 'convergence'],
  },
  {
    name: 'serves-expired',
    is: 'a read that is answered with an expired entry',
    because: 'the sweeper removes what has expired',
    file: 'src/core/store.ts',
    find: '    if (entry.expiresAt !== 0 && entry.expiresAt <= this.#options.clock.now()) return undefined\n',
    replace: '',
    soil: soils.QUIET,
    breaks: ['session'],
  },
  {
    name: 'expiry-without-stub',
    is: 'an expiry after which an older value comes back',
    because: 'what has expired seems to need no memory',
    file: 'src/core/store.ts',
    find: '    if (!held) return\n    this.#rememberStub(entry)\n',
    replace: '    if (!held) return\n',
    soil: soils.SWEPT,
    breaks: ['session', 'convergence'],
  },
  {
    name: 'expiry-as-delete',
    is: 'an expiry that is replicated as a delete',
    because: 'the others have to forget the entry, too',
    file: 'src/mesh-peer.ts',
    find: '      expire: ({ cache, key, version }) =>\n        emitter(cache)',
    replace:
      '      expire: ({ cache, key, version }) => (this.#member.replication.delete(cache, key), emitter(cache))',
    soil: soils.QUIET,
    breaks: ['phantom'],
  },
  {
    name: 'items-unbounded',
    is: 'a store that holds more entries than it may',
    because: 'bytes are what memory is short of',
    file: 'src/core/store.ts',
    find: ' || this.#itemCount > itemsMax) {',
    replace: ') {',
    soil: soils.SMALL,
    breaks: ['bounds'],
  },
]

/** How writes get to the others. */
const REPLICATION: readonly PlantedBug[] = [
  {
    name: 'queue-drops',
    is: 'a write queue that drops what it has no room for',
    because: 'who writes should never wait',
    file: 'src/services/write-queue.ts',
    find: '    this.#items.push(item)\n',
    replace: `    if (this.size >= this.#options.syncQueueMax / 2) return
    this.#items.push(item)\n`,
    soil: soils.CROWDED,
    breaks: ['repair', 'session', 'convergence'],
  },
  {
    name: 'queue-unbounded',
    is: 'a write queue that takes more than it may hold',
    because: 'the check for room looks like one of speed',
    file: 'src/services/write-queue.ts',
    find: 'this.size + this.#reserved + this.#elsewhere() < this.#options.syncQueueMax',
    replace: 'this.#reserved >= 0',
    soil: soils.CROWDED,
    breaks: ['bounds'],
  },
  {
    name: 'batch-loses-last',
    is: 'a batch without its last record',
    because: 'the end of a slice is counted from one',
    file: 'src/services/replication.ts',
    find: 'const batch = { epoch, sequence, markers, writes }',
    replace: `const some = writes.slice(0, Math.max(1, writes.length - 1))
    const batch = { epoch, sequence, markers, writes: some }`,
    soil: soils.QUIET,
    breaks: ['repair'],
  },
  {
    name: 'gap-unnoticed',
    is: 'a lost batch that nobody asks for',
    because: 'gossip delivers, nearly always',
    file: 'src/services/gaps.ts',
    find: '        this.#listener.gap(member)\n',
    replace: '',
    soil: soils.LOST_BATCH,
    breaks: ['expectation'],
  },
  {
    name: 'gap-skipped',
    is: 'a lost batch that is forgotten when the next one comes',
    because: 'the highest number received looks like how far one has come',
    file: 'src/core/positions.ts',
    find: '    else if (sender.ahead.size < AHEAD_MAX) sender.ahead.add(sequence)\n',
    replace: '    else this.#advance(sender, sequence)\n',
    soil: soils.LOST_BATCH,
    breaks: ['expectation'],
  },
  {
    name: 'epoch-ignored',
    is: 'batches of a restarted member that are taken for those of its earlier life',
    because: 'numbers only rise, as long as nobody restarts',
    file: 'src/core/positions.ts',
    find: '    if (known !== undefined && known.epoch >= epoch)\n      return known.epoch === epoch ? known : undefined\n',
    replace: '    if (known !== undefined) return known\n',
    soil: soils.LOST_FIRST_BATCH,
    breaks: ['expectation'],
  },
  {
    name: 'deaf-gossip-unnoticed',
    is: 'a connection over which no messages flow, and that is kept',
    because: 'a connection that is open works',
    file: 'src/services/watchdog.ts',
    find: "      if (++watched.misses >= WATCH_MISSES_MAX) this.#hangUp(id, 'messages do not flow')\n",
    replace: '',
    soil: soils.DEAF_GOSSIP,
    breaks: ['convergence', 'membership'],
  },
  {
    name: 'announced-is-received',
    is: 'a large value that counts as received when it has only been announced',
    because: 'the batch that it was to be in has come',
    file: 'src/services/replication.ts',
    find: 'if (announced.length > 0) void this.#complete(',
    replace: 'if (announced.length > batch.writes.length) void this.#complete(',
    soil: soils.LARGE_VALUE,
    breaks: ['expectation'],
  },
  {
    name: 'flush-without-waiting',
    is: 'a flush that does not wait for the others',
    because: 'all has been published by then',
    file: 'src/services/confirmation.ts',
    find: '    if (sequence === 0) return\n',
    replace: '    if (sequence >= 0) return\n',
    soil: soils.LOSSY,
    breaks: ['flush'],
  },
]

/** How a member takes over what others have. */
const CATCHING_UP: readonly PlantedBug[] = [
  {
    name: 'ready-while-transferring',
    is: 'a joiner that serves while the state is still on its way',
    because: 'an await is missing',
    file: 'src/services/catch-up.ts',
    find: "if (!this.#options.keepsAll || (await this.#transfer(source, 'join', transfer))) {",
    replace: "if (this.#transfer(source, 'join', transfer)) {",
    soil: soils.SLOW_JOINS,
    breaks: ['joiner'],
  },
  {
    name: 'ready-after-failed-transfer',
    is: 'a joiner that serves after a transfer that broke off',
    because: 'the error is logged, and that looks like being dealt with',
    file: 'src/services/catch-up.ts',
    find: '      ok = false\n',
    replace: '',
    soil: soils.BROKEN_JOINS,
    breaks: ['joiner'],
  },
  {
    name: 'ready-without-transfer',
    is: 'a joiner that serves without having taken over anything',
    because: 'what is missing will be noticed as a gap',
    file: 'src/services/catch-up.ts',
    find: "if (!this.#options.keepsAll || (await this.#transfer(source, 'join', transfer))) {",
    replace: '{',
    soil: soils.RESTARTS,
    breaks: ['joiner'],
  },
  {
    name: 'tombstones-not-transferred',
    is: 'a transfer of state that leaves out the tombstones',
    because: 'a joiner holds nothing that they could delete',
    file: 'src/services/state-transfer.ts',
    find: 'for (const tombstone of [...store.tombstones()]) {',
    replace: 'for (const tombstone of [...store.tombstones()].slice(0, 0)) {',
    soil: soils.LOSSY,
    breaks: ['convergence'],
  },
  {
    name: 'clears-not-transferred',
    is: 'a transfer of state that leaves out the clears',
    because: 'an empty cache has nothing to transfer',
    file: 'src/services/state-transfer.ts',
    find: '      page.markers.push(...store.markers())\n',
    replace: '',
    soil: soils.SPLITS,
    breaks: ['convergence'],
  },
  {
    name: 'page-loses-first',
    is: 'a transfer of state that loses a record where a page ends',
    because: 'what did not fit was looked at, and did not get into the next page',
    file: 'src/services/state-transfer.ts',
    find: '        if (page.isFull(entry)) yield page.take(partition, hlc.last)\n        page.add(entry)\n',
    replace:
      '        if (page.isFull(entry)) yield page.take(partition, hlc.last)\n        else page.add(entry)\n',
    soil: soils.MANY_PAGES,
    breaks: ['session'],
  },
]

/** What an acknowledgement rests on. */
const ACKNOWLEDGEMENT: readonly PlantedBug[] = [
  {
    name: 'quorum-of-the-living',
    is: 'a part of the mesh that acknowledges by a majority of its own',
    because: 'a majority is one of those that are there',
    file: 'src/core/quorum.ts',
    find: "(state === 'dead' || (state !== 'left' && status !== 'joining')),",
    replace: "state !== 'dead' && state !== 'left' && status !== 'joining',",
    soil: soils.SPLITS,
    breaks: ['ack'],
  },
  {
    name: 'acknowledged-unread',
    is: 'an acknowledgement of what was not taken in',
    because: 'the answer is the same whatever becomes of the write',
    file: 'src/services/mesh-member.ts',
    find: '          ...this.replication.accept(ask.records),\n',
    replace: '          refused: 0,\n          foreign: [],\n',
    soil: { ...soils.QUIET, link: { lossProbability: 0.5 } },
    breaks: ['ack'],
  },
  {
    name: 'quorum-of-one',
    is: 'a read at quorum that asks nobody',
    because: 'this member holds everything',
    file: 'src/cache.ts',
    find: "    if (consistency === 'quorum') return undefined\n",
    replace: '',
    soil: soils.READ_IN_A_MINORITY,
    breaks: ['ack'],
  },
]

/** Where keys belong, and what is kept of those that belong to others. */
const OWNERSHIP: readonly PlantedBug[] = [
  {
    name: 'other-ring-counts',
    is: 'a confirmation that counts though it was given by another ring',
    because: 'who confirms has the write, whatever its ring',
    file: 'src/services/delivery.ts',
    find: '      if (!ownership.counts(ring)) return false\n',
    replace: '',
    soil: soils.UNHEARD_WRITER,
    breaks: ['expectation'],
  },
  {
    name: 'settled-for-oneself',
    is: 'an earlier ring that is given up before all have taken over',
    because: 'this member has all that it owns',
    file: 'src/services/ownership.ts',
    find: 'members.some((id) => this.#settledRings.get(id) !== digest)',
    replace: 'this.#settledRings.get(this.placement.self) !== digest',
    soil: soils.scenario('ten-joins-at-once'),
    breaks: ['ack', 'expectation'],
  },
  {
    name: 'dropped-at-once',
    is: 'entries that are given up before others have taken them over',
    because: 'they belong to others by now',
    file: 'src/services/rebalance.ts',
    find: '    this.#owned = placement.owned\n',
    replace: `    for (let partition = 0; partition < PARTITIONS; partition++) {
      if (!placement.owns(partition)) this.#components.store.drop(partition)
    }
    this.#owned = placement.owned\n`,
    soil: soils.scenario('ten-joins-at-once'),
    breaks: ['ack', 'expectation'],
  },
  {
    name: 'open-owner-answers',
    is: 'an owner that is taking over, and for which a miss is final',
    because: 'it owns the key, and has nothing',
    file: 'src/services/rebalance.ts',
    find: '    return this.#complete[partition] === 1\n',
    replace: '    return ownership.placement.holds(partition)\n',
    soil: soils.scenario('back-at-once-with-nothing'),
    breaks: ['ack', 'expectation'],
  },
  {
    name: 'one-source',
    is: 'a member that takes over from one earlier owner alone',
    because: 'every owner has everything',
    file: 'src/services/rebalance.ts',
    find: '      neededCount: readQuorum(ring.listLength, quorum),\n',
    replace: '      neededCount: 1,\n',
    soil: soils.FIRST_OWNER_BEHIND,
    breaks: ['ack', 'expectation'],
  },
  {
    name: 'hint-before-knowledge',
    is: 'a member that reads what it keeps for others though it knows of a later delete',
    because: 'its own write is the latest that it made',
    file: 'src/services/reads.ts',
    find: 'if (hint !== undefined && !store.outranks(hint)) return',
    replace: 'if (hint !== undefined) return',
    soil: soils.scenario('deleted-while-it-is-taken-over'),
    breaks: ['expectation', 'session'],
  },
  {
    name: 'quorum-of-those-left',
    is: 'a quorum that is counted from the owners that are left',
    because: 'a majority is one of those on the list',
    file: 'src/services/ownership.ts',
    find: 'electorate = { lists, quorum: this.quorum, owners }',
    replace: 'electorate = { lists, quorum: Math.floor((lists[0]?.length ?? 0) / 2) + 1, owners }',
    soil: soils.scenario('alone-without-a-quorum'),
    breaks: ['ack', 'expectation'],
  },
  {
    name: 'near-copy-made-younger',
    is: 'a near copy that news makes younger',
    because: 'what was just heard looks like the latest',
    file: 'src/core/near-cache.ts',
    find: '    const { asOfMs } = copy\n',
    replace: '    const asOfMs = Number.POSITIVE_INFINITY\n',
    soil: soils.NEWS_THEN_SILENCE,
    breaks: ['stale', 'expectation'],
  },
  {
    name: 'near-copy-from-before-the-news',
    is: 'a near copy that is kept though something later was heard of meanwhile',
    because: 'an answer looks later than what came before it',
    file: 'src/core/near-cache.ts',
    find: '    if (fill.latest !== undefined && supersedes(fill.latest, answer)) return\n',
    replace: '',
    soil: soils.NEWS_BEFORE_THE_ANSWER,
    breaks: ['expectation'],
  },
  {
    name: 'near-copy-for-ever',
    is: 'a near copy that is read for as long as it is there',
    because: 'news of a write drops it',
    file: 'src/core/near-cache.ts',
    find: 'if (copy.asOfMs < sinceMs) {',
    replace: 'if (copy.asOfMs < 0) {',
    soil: soils.OWNED_LOSSY,
    breaks: ['stale'],
  },
  {
    name: 'published-is-handed-over',
    is: 'a write for others that is let go of once it has been published',
    because: 'all have heard of it by then',
    file: 'src/services/mesh-member.ts',
    find: 'hinted: (write, partition) => handoff.add(write, partition),',
    replace: `hinted: (write, partition) => {
          handoff.add(write, partition)
          void replication.drained().then(() => handoff.delivered(write))
        },`,
    soil: soils.scenario('writes-for-owners-that-are-away'),
    breaks: ['expectation'],
  },
]

/** What is bounded. */
const BOUNDS: readonly PlantedBug[] = [
  {
    name: 'tombstones-unbounded',
    is: 'deletes that are remembered, however many they are',
    because: 'each is forgotten when its time is over',
    file: 'src/core/remembered.ts',
    find: '    if (this.#order.size > this.#options.itemsMax) {',
    replace: '    if (this.#options.itemsMax === 0) {',
    soil: soils.scenario('more-deletes-than-are-remembered'),
    breaks: ['bounds'],
  },
  {
    name: 'near-copies-unbounded',
    is: 'near copies that take more than their room',
    because: 'one that is too large is not kept, and all others are small',
    file: 'src/core/near-cache.ts',
    find: '    while (this.#bytes > this.#bytesMax) this.#remove(this.#eviction.victim() as NearCopy)\n',
    replace: '',
    soil: soils.scenario('more-near-copies-than-there-is-room-for'),
    breaks: ['bounds'],
  },
  {
    name: 'hints-unbounded',
    is: 'hints that take more than their room',
    because: 'the room that writers hold looks like all that is taken',
    file: 'src/services/handoff.ts',
    find: '    return this.hints.bytes + this.#reservedBytes < this.#hintBytesMax\n',
    replace: '    return this.#reservedBytes < this.#hintBytesMax\n',
    soil: soils.scenario('more-hints-than-there-is-room-for'),
    breaks: ['bounds'],
  },
  {
    name: 'bytes-unbounded',
    is: 'a store that takes more bytes than it may',
    because: 'each entry was looked at for its size, and there are not too many',
    file: 'src/core/store.ts',
    find: '    while (this.#memoryBytes > bytesMax || ',
    replace: '    while (',
    soil: soils.scenario('more-bytes-than-there-is-room-for'),
    breaks: ['bounds'],
  },
]

/** Who is there. */
const MEMBERSHIP: readonly PlantedBug[] = [
  {
    name: 'heartbeat-by-arrival',
    is: 'a heartbeat taken for a sign of life because it has just arrived',
    because: 'messages seem to come in the order in which they were sent',
    file: 'src/services/heartbeats.ts',
    find: '    if (!isNewer(heartbeat, pulse)) return\n',
    replace: '',
    soil: soils.VOICES_OF_THE_DEAD,
    breaks: ['expectation'],
  },
  {
    name: 'old-news-revives',
    is: 'a dead member that old news calls alive again',
    because: 'the latest news looks like the newest',
    file: 'src/core/members.ts',
    find: `  if (isLive(news) && !isLive(known) && news.outlived < known.incarnation) return false
  return news.incarnation !== known.incarnation
    ? news.incarnation > known.incarnation
    : RANK[news.state] > RANK[known.state]`,
    replace: `  return news.incarnation !== known.incarnation
    ? news.incarnation > known.incarnation
    : news.state !== known.state`,
    soil: soils.SPLITS,
    breaks: ['revival'],
  },
  {
    name: 'death-of-before-unheard',
    is: 'a member that takes its death for an old story, for it has spoken up against the suspicion since',
    because: 'it is of an earlier incarnation',
    file: 'src/services/membership.ts',
    find: '    if (incarnation <= this.#outlived) return false\n',
    replace: '    if (incarnation < this.#incarnation) return false\n',
    soil: soils.scenario('owner-that-stood-still-seven-seconds'),
    breaks: ['expectation', 'membership'],
  },
  {
    name: 'dead-for-good',
    is: 'a dead member that cannot come back',
    because: 'dead is dead',
    file: 'src/core/members.ts',
    find: '!overrides({ ...news, outlived }, known)',
    replace: '!(isLive(known) && overrides({ ...news, outlived }, known))',
    soil: soils.RESTARTS,
    breaks: ['membership'],
  },
  {
    name: 'never-refutes',
    is: 'a member that lets itself be called dead',
    because: 'its heartbeats show that it lives',
    file: 'src/services/membership.ts',
    find: "      if (state !== 'alive' && state !== 'forgotten') this.#refute(incarnation, state)\n",
    replace: '',
    soil: soils.SPLITS,
    breaks: ['membership'],
  },
  {
    name: 'incarnation-from-the-clock-alone',
    is: 'a member that comes back below its last incarnation',
    because: 'a process that starts later has a later clock',
    file: 'src/services/membership.ts',
    find: '    if (incarnation < this.#incarnation) return\n    this.#incarnation = incarnation + 1\n',
    replace: '    if (incarnation < this.#incarnation) return\n',
    soil: soils.BACK_FROM_BEFORE,
    breaks: ['expectation', 'membership'],
  },
  {
    name: 'dead-on-disconnect',
    is: 'a member called dead because its connection closed',
    because: 'a connection closes when a process ends',
    file: 'src/services/failure-detector.ts',
    find: '    if (!this.#stopped) void this.#probe(id)\n',
    replace: `    const member = this.#components.membership.list.get(id)
    if (!this.#stopped && member !== undefined) this.#convict(id, member.incarnation)\n`,
    soil: soils.DISCONNECTS,
    breaks: ['false death'],
  },
  {
    name: 'suspect-is-dead',
    is: 'a suspect that is given no time to speak up',
    because: 'a level of suspicion that high is as good as certain',
    file: 'src/services/failure-detector.ts',
    find: '      if (leftMs === 0) this.#convict(id, incarnation)\n',
    replace: '      if (leftMs >= 0) this.#convict(id, incarnation)\n',
    soil: soils.STALLS,
    breaks: ['false death'],
  },
  {
    name: 'stale-ring',
    is: 'a ring on which those stay who are gone',
    because: 'a list is easier to add to than to make anew',
    file: 'src/services/ownership.ts',
    find: 'this.#ringOf(membership.list.serving())',
    replace: 'this.#ringOf([...this.ring.members, ...membership.list.serving()])',
    soil: soils.RESTARTS,
    breaks: ['membership'],
  },
]

const STOPPING: readonly PlantedBug[] = [
  {
    name: 'leave-unsaid',
    is: 'a member that leaves without a word',
    because: 'the others notice when it is gone',
    file: 'src/services/membership.ts',
    find: "    await this.#publish([this.#newsOf(this.id, this.#incarnation, 'left')])\n",
    replace: '',
    soil: soils.LEAVES,
    breaks: ['false death'],
  },
  {
    name: 'stop-without-publishing',
    is: 'a stop that leaves behind what is queued',
    because: 'the queue empties itself',
    file: 'src/services/mesh-member.ts',
    find: "    this.membership.setStatus('draining')\n    await this.replication.drained()\n",
    replace: "    this.membership.setStatus('draining')\n",
    soil: soils.LEAVES_AFTER_WRITING,
    breaks: ['outcome'],
  },
  {
    name: 'timer-after-stop',
    is: 'a timer that is left behind after the stop',
    because: 'it fires once more, and does no harm in most tests',
    file: 'src/services/sweeper.ts',
    find: '    this.#timer?.cancel()\n',
    replace: '',
    soil: soils.QUIET,
    breaks: ['stop'],
  },
]

export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...VERSIONS,
  ...STORE,
  ...REPLICATION,
  ...CATCHING_UP,
  ...MEMBERSHIP,
  ...STOPPING,
  ...ACKNOWLEDGEMENT,
  ...OWNERSHIP,
  ...BOUNDS,
]
