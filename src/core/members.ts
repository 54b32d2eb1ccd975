export type MemberState = 'alive' | 'suspect' | 'dead' | 'left'

/** Whether a member already serves; only a serving member is on the ring. */
export type MemberStatus = 'joining' | 'serving' | 'draining'

/** Whether a member owns keys, or only takes part. */
export type MemberRole = 'owner' | 'client'

/** What a member says of itself. */
export interface MemberDescription {
  readonly id: string
  readonly name: string
  readonly incarnation: number
  /**
   * It has made up for whatever it missed while it was called dead in this incarnation, or in an earlier one; all before its
   * own where it does not say. Who has taken it to be dead in a later one does not take it back yet.
   */
  readonly outlived?: number | undefined
  readonly status: MemberStatus
  readonly role: MemberRole
  /** Multiaddrs at which it can be dialled. */
  readonly addresses: readonly string[]
}

export interface Member extends MemberDescription {
  readonly state: MemberState
  /** When it came into this state here, on the monotonic clock in ms. */
  readonly sinceMs: number
}

/** A change of state that others see as well. */
export interface Transition {
  readonly member: Member
  /** Undefined when the member is new here. */
  readonly from: MemberState | undefined
}

const RANK: Record<MemberState, number> = { alive: 0, suspect: 1, dead: 2, left: 3 }

/** Options of {@link MemberList}. */
export interface MemberListOptions {
  /** How long a dead or left member is remembered, in ms. */
  readonly goneRetentionMs: number
  /** Dead and left members beyond this multiple of the live ones are forgotten, the longest gone first. */
  readonly goneFactorMax: number
  /** But never so few as this: one that is cut off from a whole mesh has to find it again. */
  readonly goneMin: number
}

export class MemberList {
  readonly #options: MemberListOptions
  readonly #members = new Map<string, Member>()

  constructor(options: MemberListOptions) {
    this.#options = options
  }

  get(id: string): Member | undefined {
    return this.#members.get(id)
  }

  /** Every member known, whatever its state. */
  all(): Member[] {
    return [...this.#members.values()]
  }

  /** Members taken to be running: alive or suspect. */
  live(): Member[] {
    return this.all().filter(isLive)
  }

  /** Ids of the members on the ring: live, serving, and no clients. */
  serving(): string[] {
    return this.all()
      .filter(isOnRing)
      .map(({ id }) => id)
  }

  /**
   * Takes in news of a member. Returns the transition when its state or incarnation changed, undefined when the
   * news is old. `description` may be missing when the news is of a member already known.
   */
  apply(
    news: { id: string; incarnation: number; state: MemberState },
    nowMs: number,
    description?: MemberDescription,
  ): Transition | undefined {
    const known = this.#members.get(news.id)
    if (known === undefined && description === undefined) return undefined
    const outlived = description?.incarnation === news.incarnation ? outlivedBy(description) : -1
    if (known !== undefined && !overrides({ ...news, outlived }, known)) return undefined
    const member: Member = {
      ...(known ?? (description as MemberDescription)),
      ...(description?.incarnation === news.incarnation ? description : {}),
      id: news.id,
      incarnation: news.incarnation,
      state: news.state,
      sinceMs:
        known?.state === news.state && known.incarnation === news.incarnation
          ? known.sinceMs
          : nowMs,
    }
    this.#put(member)
    return { member, from: known?.state }
  }

  /** Updates what a member says of itself, within the incarnation already known. */
  describe(description: MemberDescription): void {
    const known = this.#members.get(description.id)
    if (known?.incarnation !== description.incarnation) return
    const { state, sinceMs } = known
    this.#put({ ...known, ...description, state, sinceMs })
  }

  /**
   * Drops a suspicion on the strength of direct evidence (a newer heartbeat of the same incarnation), which
   * only this observer has.
   */
  vindicate(id: string, nowMs: number): Transition | undefined {
    const known = this.#members.get(id)
    if (known?.state !== 'suspect') return undefined
    const member: Member = { ...known, state: 'alive', sinceMs: nowMs }
    this.#put(member)
    return { member, from: 'suspect' }
  }

  /** Forgets a member that is dead or left. False when it is live or unknown. */
  forget(id: string): boolean {
    const known = this.#members.get(id)
    if (known === undefined || isLive(known)) return false
    return this.#members.delete(id)
  }

  /** Forgets those gone for too long, or too many. Returns their ids. */
  prune(nowMs: number): string[] {
    const gone = this.all()
      .filter((member) => !isLive(member))
      .sort((a, b) => a.sinceMs - b.sinceMs)
    const { goneFactorMax, goneMin } = this.#options
    const goneMax = Math.max(goneMin, goneFactorMax * (this.#members.size - gone.length))
    const surplus = gone.length - goneMax
    return gone
      .filter(
        ({ sinceMs }, index) => index < surplus || nowMs - sinceMs >= this.#options.goneRetentionMs,
      )
      .map(({ id }) => id)
      .filter((id) => this.forget(id))
  }

  #put(member: Member): void {
    this.#members.set(member.id, member)
  }
}

/** Whether a member owns keys now. */
export function isOnRing(member: Member): boolean {
  return isLive(member) && member.status === 'serving' && member.role === 'owner'
}

export function isLive({ state }: { readonly state: MemberState }): boolean {
  return state === 'alive' || state === 'suspect'
}

/** The last incarnation whose death a member has outlived, by its own account. */
export function outlivedBy({ outlived, incarnation }: MemberDescription): number {
  return outlived ?? incarnation - 1
}

/** Whether news of a member is newer than what is known of it, and takes back one that is gone only if it knows that. */
export function overrides(
  news: { readonly incarnation: number; readonly state: MemberState; readonly outlived: number },
  known: { readonly incarnation: number; readonly state: MemberState },
): boolean {
  if (isLive(news) && !isLive(known) && news.outlived < known.incarnation) return false
  return news.incarnation !== known.incarnation
    ? news.incarnation > known.incarnation
    : RANK[news.state] > RANK[known.state]
}
