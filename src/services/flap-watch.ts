/**
 * Keeps this member off the ring while it flaps: when others have called it dead again and again within minutes, it says that
 * it is draining, owns nothing for a while, and comes back by itself (see core/damping.ts), or as soon as it is needed.
 *
 * A member learns of its own deaths from those that have called it dead. One that alone does so, however often, is not
 * believed: who has lost everybody calls all others dead. Nor does it count when the mesh was split into halves: then each hears
 * from the other that it was dead, and nobody would be left to own the keys.
 */
import { Damping } from '../core/damping.js'
import { isLive, isOnRing, type MemberRole, type Transition } from '../core/members.js'
import type { Membership } from './membership.js'
import type { Runtime, Timer } from './ports.js'

/** How many have to have called this member dead, of late. */
const ACCUSERS_MIN = 2

/** Owners that are left on the ring, at least, as a share of all that live: many that flap at once are no few sick members. */
const OWNERS_LEFT_SHARE = 2 / 3

/** Spread of the moment when a member leaves the ring, in ms: of many that would, each sees how many have. */
const SPREAD_MS = 2_000

/** Those that come back within this, in ms, were away together. */
const TOGETHER_MS = 10_000

export interface FlapWatchComponents {
  readonly runtime: Runtime
  readonly membership: Membership
}

export interface FlapWatchOptions {
  /** Owners that the mesh has to keep: below it nobody is taken off the ring. */
  readonly ownersMin: number
  readonly role: MemberRole
}

export class FlapWatch {
  readonly #components: FlapWatchComponents
  readonly #options: FlapWatchOptions
  readonly #alert: (message: string) => void
  readonly #damping = new Damping()
  /** The latest incarnation whose death has been counted. */
  #diedIn = -1
  /** Who has called this member dead since all was well. */
  readonly #accusers = new Set<string>()
  /** Those that this member has taken to be dead and that are back, and since when. */
  readonly #lost = new Map<string, number>()
  #timer: Timer | undefined
  #isSuppressed = false
  #stopped = false
  #count = 0

  constructor(
    components: FlapWatchComponents,
    options: FlapWatchOptions,
    alert: (message: string) => void,
  ) {
    this.#components = components
    this.#options = options
    this.#alert = alert
  }

  /** Times this member was taken off the ring. */
  get count(): number {
    return this.#count
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#isSuppressed = false
  }

  /** A member's state has changed here. */
  changed({ member, from }: Transition): void {
    if (isLive(member) && from === 'dead') {
      this.#lost.set(member.id, this.#components.runtime.clock.monotonicMs())
    } else if (!isLive(member)) {
      this.#lost.delete(member.id)
    }
  }

  /** Another member says that it has taken this one to be dead. */
  calledDead(incarnation: number, accuser: string): void {
    if (!this.#wasAway(accuser)) return
    const nowMs = this.#components.runtime.clock.monotonicMs()
    if (this.#damping.isCalm(nowMs)) this.#accusers.clear()
    this.#accusers.add(accuser)
    if (incarnation > this.#diedIn) {
      this.#diedIn = incarnation
      this.#damping.died(nowMs)
    }
    if (this.#accusers.size >= ACCUSERS_MIN) this.#suppressSoon()
  }

  /** A member came onto the ring or left it: this one may be needed there. */
  viewChanged(): void {
    if (this.#isSuppressed && this.#ownersLeft() < this.#options.ownersMin) this.#release()
  }

  /**
   * Whether it was this member that was away. Those that it has not lost are on its side; who has come back to it just now was
   * on the other, as was who has yet to. It was, when one of its side says so, or when nearly all were on the other.
   */
  #wasAway(accuser: string): boolean {
    const { runtime, membership } = this.#components
    const nowMs = runtime.clock.monotonicMs()
    const isBackSince = (id: string) => nowMs - (this.#lost.get(id) ?? Number.NEGATIVE_INFINITY)
    const others = membership.others().map(({ id }) => id)
    const theirs = others.filter((id) => isBackSince(id) < TOGETHER_MS)
    const ours = others.length - theirs.length
    const isLost = !others.includes(accuser)
    if (!isLost && !theirs.includes(accuser)) return true
    return theirs.length + Number(isLost) >= 2 * (ours + 1)
  }

  #suppressSoon(): void {
    const { runtime } = this.#components
    // One that is kept off already is looked at again when its time is over.
    if (this.#stopped || this.#timer !== undefined || this.#options.role !== 'owner') return
    if (this.#damping.remainingMs(runtime.clock.monotonicMs()) === 0) return
    this.#timer = runtime.scheduler.after(runtime.random.next() * SPREAD_MS, () => this.#suppress())
  }

  #suppress(): void {
    this.#timer = undefined
    const { runtime, membership } = this.#components
    const remainingMs = this.#damping.remainingMs(runtime.clock.monotonicMs())
    if (remainingMs === 0 || membership.status !== 'serving' || !this.#isDispensable()) return
    this.#count++
    this.#alert(
      `the others have called this peer dead again and again: it owns nothing for ${Math.round(remainingMs / 1_000)} s or more`,
    )
    this.#isSuppressed = true
    membership.setStatus('draining')
    this.#releaseAfter(remainingMs)
  }

  /** Whether the ring can do without this member. */
  #isDispensable(): boolean {
    const live = this.#components.membership.list.live().filter(({ role }) => role === 'owner')
    const left = this.#ownersLeft()
    return left >= this.#options.ownersMin && left >= OWNERS_LEFT_SHARE * live.length
  }

  #ownersLeft(): number {
    return this.#components.membership.others().filter(isOnRing).length
  }

  #releaseAfter(delayMs: number): void {
    const { clock, scheduler } = this.#components.runtime
    this.#timer = scheduler.after(delayMs, () => {
      const remainingMs = this.#damping.remainingMs(clock.monotonicMs())
      if (remainingMs > 0) this.#releaseAfter(remainingMs)
      else this.#release()
    })
  }

  #release(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#isSuppressed = false
    this.#components.membership.setStatus('serving')
  }
}
