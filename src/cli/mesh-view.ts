/**
 * What `up` knows of its peers: fed by the lines that they write, by the exits of their processes,
 * and by polls. Pure: says what there is to show, and leaves the showing to others.
 */
import type { MemberInfo, MemberState, PeerStats } from '../api.js'
import type { Exit } from './child-peer.js'
import type { EventLine } from './events.js'
import { ringShares } from './ring-shares.js'

/** One peer as it is shown. */
export interface PeerRow {
  readonly name: string
  readonly pid: number
  readonly http: string | undefined
  /** How its process ended; undefined while it runs. */
  readonly exit: Exit | undefined
  /** What the others take it to be: the worst state that any of them says, and how many say so. */
  readonly state: MemberState | 'starting'
  readonly stateSayers: number
  readonly observers: number
  readonly ring: string
  readonly stats: PeerStats | undefined
}

/** One member's news about another. */
export interface Sighting {
  readonly subject: string
  readonly observer: string
  readonly state: MemberState
  /** Wall time, in ms. */
  readonly at: number
}

interface Known {
  readonly name: string
  pid: number
  id?: string
  http?: string
  exit?: Exit
  stats?: PeerStats
  ring?: string
  /** State by observer's name: the latest, by event or poll. */
  readonly seen: Map<string, MemberState>
  /** The same by events alone: a poll that is first with the news must not hide the event. */
  readonly told: Map<string, MemberState>
}

const WORST_FIRST: readonly MemberState[] = ['dead', 'left', 'suspect', 'alive']

/** The peers of one `up`, by name. */
export class MeshView {
  readonly #peers = new Map<string, Known>()

  spawned(name: string, pid: number): void {
    const known = this.#peers.get(name)
    if (known === undefined) this.#peers.set(name, { name, pid, seen: new Map(), told: new Map() })
    else known.pid = pid
  }

  ready(name: string, { id, http }: { id: string; http: string }): void {
    const known = this.#peers.get(name)
    if (known !== undefined) Object.assign(known, { id, http })
  }

  exited(name: string, exit: Exit): void {
    const known = this.#peers.get(name)
    if (known !== undefined) known.exit = exit
    // What the dead once said of others is no news.
    for (const { seen } of this.#peers.values()) seen.delete(name)
  }

  /**
   * Takes an event line of a peer. Returns what it says of another one, if it is news and not first
   * sight.
   */
  heard(observer: string, line: EventLine): Sighting | undefined {
    const [kind, state] = line.event.split(':') as [string, MemberState]
    const subject = this.#byId(line.id)
    if (kind !== 'member' || subject === undefined || subject.name === observer) return undefined
    const before = subject.told.get(observer)
    subject.told.set(observer, state)
    subject.seen.set(observer, state)
    const isFirstSight = before === undefined && state === 'alive'
    if (before === state || isFirstSight) return undefined
    return { subject: subject.name, observer, state, at: line.at ?? Date.now() }
  }

  /**
   * How long after the end of its subject's process something was seen; undefined while that runs.
   */
  sinceExitMs({ subject, at }: Sighting): number | undefined {
    const exit = this.#peers.get(subject)?.exit
    return exit && Math.max(0, at - exit.at)
  }

  /** Takes what a peer answered to a poll. */
  polled(name: string, stats: PeerStats, members: readonly MemberInfo[]): void {
    const known = this.#peers.get(name)
    if (known === undefined || known.exit !== undefined) return
    known.stats = stats
    for (const { id, self, state } of members) {
      if (!self) this.#byId(id)?.seen.set(name, state)
    }
  }

  /** Takes the ring as one peer sees it: shares from different views would not add up. */
  ringSeen(members: readonly MemberInfo[]): void {
    const shares = ringShares(members)
    for (const known of this.#peers.values()) known.ring = shares.get(known.id ?? '') ?? '-'
  }

  /** Names and URLs of the peers to poll: those that serve and run. */
  serving(): { name: string; http: string }[] {
    return [...this.#peers.values()].flatMap(({ name, http, exit }) =>
      http !== undefined && exit === undefined ? [{ name, http }] : [],
    )
  }

  rows(): PeerRow[] {
    return [...this.#peers.values()].map((known) => ({
      name: known.name,
      pid: known.pid,
      http: known.http,
      exit: known.exit,
      ring: known.ring ?? '-',
      stats: known.exit === undefined ? known.stats : undefined,
      ...judgeState(known),
    }))
  }

  #byId(id: unknown): Known | undefined {
    return [...this.#peers.values()].find((known) => known.id === id)
  }
}

function judgeState(known: Known): Pick<PeerRow, 'state' | 'stateSayers' | 'observers'> {
  const says = [...known.seen.values()]
  const worst = WORST_FIRST.find((state) => says.includes(state))
  const observers = says.length
  if (worst !== undefined) {
    return { state: worst, stateSayers: says.filter((state) => state === worst).length, observers }
  }
  return { state: ownState(known), stateSayers: 0, observers: 0 }
}

/** What its process says, where no other peer says anything. */
function ownState({ exit, http }: Known): PeerRow['state'] {
  if (exit !== undefined) return exit.code === 0 ? 'left' : 'dead'
  return http === undefined ? 'starting' : 'alive'
}
