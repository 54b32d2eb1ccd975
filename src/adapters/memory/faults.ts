/**
 * What is wrong with the links of a network in memory: how late, how lossy, cut or not. A link has a direction.
 */

/** How a link behaves. Times in ms of the network's clock. */
export interface LinkSettings {
  /** Chance that a published message is lost on its way, as where a peer cannot keep up. */
  readonly lossProbability: number
  /**
   * Chance that a frame of a channel has to be sent once more, as over TCP. It comes that much later, and all that
   * was sent after it; the connection breaks when too many tries in a row fail.
   */
  readonly frameLossProbability: number
  /** Chance that a published message is delivered a second time, as when gossip has forgotten that it was seen. */
  readonly duplicateProbability: number
  /**
   * Chance that a published message is held up on its way, so that later ones overtake it, and for how long at most.
   * It comes even when the connection that it was sent over has closed meanwhile, as by way of another peer.
   */
  readonly reorderProbability: number
  readonly reorderDelayMaxMs: number
  /** One-way delay, drawn for each message: those with much spread overtake each other. Frames keep their order. */
  readonly delayMs: { readonly min: number; readonly max: number }
}

/** A local network without faults. */
const LINK_DEFAULTS: LinkSettings = {
  lossProbability: 0,
  frameLossProbability: 0,
  duplicateProbability: 0,
  reorderProbability: 0,
  reorderDelayMaxMs: 1_000,
  delayMs: { min: 0.2, max: 1 },
}

export class Faults {
  readonly #initial: LinkSettings
  #defaults: LinkSettings
  readonly #links = new Map<string, LinkSettings>()
  /** Since when a link is cut. */
  readonly #cuts = new Map<string, number>()

  constructor(settings: Partial<LinkSettings> = {}) {
    this.#initial = { ...LINK_DEFAULTS, ...settings }
    this.#defaults = this.#initial
  }

  /** Every link is again as at the start, and none is cut. */
  reset(): void {
    this.#defaults = this.#initial
    this.#links.clear()
    this.#cuts.clear()
  }

  /** Changes every link that has no settings of its own. */
  configure(settings: Partial<LinkSettings>): void {
    this.#defaults = { ...this.#defaults, ...settings }
  }

  /** Gives one link settings of its own; what is not given is as for the network now. */
  configureLink(from: string, to: string, settings: Partial<LinkSettings>): void {
    this.#links.set(linkName(from, to), { ...this.settings(from, to), ...settings })
  }

  settings(from: string, to: string): LinkSettings {
    if (this.#links.size === 0) return this.#defaults
    return this.#links.get(linkName(from, to)) ?? this.#defaults
  }

  cut(from: string, to: string, nowMs: number): void {
    const name = linkName(from, to)
    if (!this.#cuts.has(name)) this.#cuts.set(name, nowMs)
  }

  heal(from: string, to: string): void {
    this.#cuts.delete(linkName(from, to))
  }

  /** Every link that is cut, as `[from, to]`. */
  cuts(): Array<[from: string, to: string]> {
    return [...this.#cuts.keys()].map((name) => name.split(' ') as [string, string])
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(linkName(from, to))
  }

  /** Since when two peers cannot exchange anything, because one of the two ways between them is cut. */
  cutSinceMs(a: string, b: string): number {
    if (this.#cuts.size === 0) return Number.POSITIVE_INFINITY
    return Math.min(
      this.#cuts.get(linkName(a, b)) ?? Number.POSITIVE_INFINITY,
      this.#cuts.get(linkName(b, a)) ?? Number.POSITIVE_INFINITY,
    )
  }
}

function linkName(from: string, to: string): string {
  return `${from} ${to}`
}
