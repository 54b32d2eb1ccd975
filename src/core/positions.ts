/**
 * How far this member has taken in what each other member published.
 *
 * Every member numbers its batches 1, 2, 3 … within an epoch (one run of the process). A number that is missing, or
 * that the sender says it has reached and we have not, is a gap: something was lost, or is late.
 */

/** How far one sender has been taken in. */
export interface Position {
  readonly member: string
  readonly epoch: number
  /** Every batch up to this one has been applied. */
  readonly sequence: number
}

/** Batches that came early, remembered for one sender; beyond it, a gap can only be closed by a transfer of state. */
const AHEAD_MAX = 10_000

interface Sender {
  epoch: number
  sequence: number
  /** The highest number heard of. */
  announced: number
  readonly ahead: Set<number>
}

export class Positions {
  readonly #senders = new Map<string, Sender>()

  /** A batch has been applied. */
  received(member: string, epoch: number, sequence: number): void {
    const sender = this.#sender(member, epoch)
    if (sender === undefined) return
    sender.announced = Math.max(sender.announced, sequence)
    if (sequence <= sender.sequence) return
    if (sequence === sender.sequence + 1) this.#advance(sender, sequence)
    else if (sender.ahead.size < AHEAD_MAX) sender.ahead.add(sequence)
  }

  /** The sender says that it has published this many batches. */
  announced(member: string, epoch: number, sequence: number): void {
    const sender = this.#sender(member, epoch)
    if (sender !== undefined) sender.announced = Math.max(sender.announced, sequence)
  }

  /** Somebody who had taken in that much has given us all that it held. */
  adopt({ member, epoch, sequence }: Position): void {
    const sender = this.#sender(member, epoch)
    if (sender === undefined) return
    sender.announced = Math.max(sender.announced, sequence)
    if (sequence > sender.sequence) this.#advance(sender, sequence)
  }

  /** What is missing of a member's is to be had from nobody: it counts as lost. */
  giveUp(member: string): void {
    const sender = this.#senders.get(member)
    if (sender !== undefined) this.#advance(sender, sender.announced)
  }

  /** Whether everything up to `sequence` has been applied. */
  hasReached(member: string, epoch: number, sequence: number): boolean {
    const sender = this.#senders.get(member)
    return (
      sender !== undefined &&
      (sender.epoch > epoch || (sender.epoch === epoch && sender.sequence >= sequence))
    )
  }

  /** Whether something the member published is missing here. */
  isBehind(member: string): boolean {
    const sender = this.#senders.get(member)
    return sender !== undefined && sender.sequence < sender.announced
  }

  /** The members of whose writes something is missing here. */
  behind(): string[] {
    return [...this.#senders.keys()].filter((member) => this.isBehind(member))
  }

  /** How far a member has been taken in; epoch 0 when nothing of it was heard. */
  of(member: string): { readonly epoch: number; readonly sequence: number } {
    return this.#senders.get(member) ?? { epoch: 0, sequence: 0 }
  }

  list(): Position[] {
    return [...this.#senders].map(([member, { epoch, sequence }]) => ({ member, epoch, sequence }))
  }

  forget(member: string): void {
    this.#senders.delete(member)
  }

  /** The sender's record for that epoch; undefined when a later epoch has begun. */
  #sender(member: string, epoch: number): Sender | undefined {
    const known = this.#senders.get(member)
    if (known !== undefined && known.epoch >= epoch)
      return known.epoch === epoch ? known : undefined
    const sender = { epoch, sequence: 0, announced: 0, ahead: new Set<number>() }
    this.#senders.set(member, sender)
    return sender
  }

  #advance(sender: Sender, sequence: number): void {
    sender.sequence = sequence
    for (const early of sender.ahead) if (early <= sequence) sender.ahead.delete(early)
    while (sender.ahead.delete(sender.sequence + 1)) sender.sequence++
  }
}

/** What both have reached: the lower of the two, sender by sender. */
export function lowest(a: readonly Position[], b: readonly Position[]): Position[] {
  const others = new Map(b.map((position) => [position.member, position]))
  return a.flatMap((position) => {
    const other = others.get(position.member)
    if (other === undefined) return []
    if (other.epoch !== position.epoch) return other.epoch < position.epoch ? [other] : [position]
    return [other.sequence < position.sequence ? other : position]
  })
}
