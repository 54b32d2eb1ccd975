/**
 * Errors: one class for each thing a caller can handle, each with a stable `code`. Messages name the value and
 * the limit. A caller's mistake throws at once; another peer's mistake is counted and dropped, never thrown.
 */

/** Base of every error that hearsay throws. */
export abstract class HearsayError extends Error {
  /** Stable: safe to compare, log and alert on. */
  abstract readonly code: string

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = new.target.name
  }
}

/** An option is unknown, out of range, or contradicts another. */
export class InvalidOptionError extends HearsayError {
  readonly code = 'INVALID_OPTION'
  /**
   * @param option name of the option, as the caller wrote it
   * @param problem what is wrong with it
   */
  constructor(
    readonly option: string,
    readonly problem: string,
  ) {
    super(`option ${option}: ${problem}`)
  }
}

/** A key is not a non-empty string, or is over the limit. */
export class InvalidKeyError extends HearsayError {
  readonly code = 'INVALID_KEY'
}

/** An encoded value is over the limit. */
export class ValueTooLargeError extends HearsayError {
  readonly code = 'VALUE_TOO_LARGE'
  constructor(
    readonly bytes: number,
    readonly bytesMax: number,
    what = 'the encoded value',
  ) {
    super(`${what} is ${bytes} bytes, the limit is ${bytesMax}`)
  }
}

/** A value holds something that cannot be carried to another process: a function, a symbol, a promise. */
export class UnsupportedValueError extends HearsayError {
  readonly code = 'UNSUPPORTED_VALUE'
}

/** A time to live is not a number of milliseconds between 0 and the limit. */
export class InvalidTtlError extends HearsayError {
  readonly code = 'INVALID_TTL'
}

/** A tag is empty or too long, or there are too many. */
export class InvalidTagError extends HearsayError {
  readonly code = 'INVALID_TAG'
}

/** A cache is opened a second time with options that contradict the first. */
export class CacheOptionsConflictError extends HearsayError {
  readonly code = 'CACHE_OPTIONS_CONFLICT'
}

/** The peer was stopped, or is stopping. */
export class PeerStoppedError extends HearsayError {
  readonly code = 'PEER_STOPPED'
  constructor(operation: string) {
    super(`${operation}: this peer has been stopped`)
  }
}

/** An address to listen on is taken by another process. */
export class AddressInUseError extends HearsayError {
  readonly code = 'ADDRESS_IN_USE'
  constructor(
    readonly address: string,
    options?: { cause?: unknown },
  ) {
    super(`cannot listen on ${address}: the port is in use`, options)
  }
}

/** An address cannot be listened on, for a reason other than being taken. */
export class ListenError extends HearsayError {
  readonly code = 'LISTEN_FAILED'
}

/** An identity file cannot be read, written or understood. */
export class IdentityError extends HearsayError {
  readonly code = 'INVALID_IDENTITY'
}

/** A write waited `syncTimeoutMs` for room in the write queue; it took no effect. */
export class SyncQueueFullError extends HearsayError {
  readonly code = 'SYNC_QUEUE_FULL'
  constructor(
    readonly queueMax: number,
    readonly waitedMs: number,
  ) {
    super(
      `the write queue has held its limit of ${queueMax} writes (syncQueueMax) for ${waitedMs} ms (syncTimeoutMs)`,
    )
  }
}

/**
 * A write to a key that others own waited `syncTimeoutMs` because too much is kept already that no owner has taken; it took
 * no effect.
 */
export class HintsFullError extends HearsayError {
  readonly code = 'HINTS_FULL'
  constructor(
    readonly bytesMax: number,
    readonly waitedMs: number,
  ) {
    super(
      `writes that their owners have not taken have filled the limit of ${bytesMax} bytes (hintBytesMax) for ${waitedMs} ms (syncTimeoutMs)`,
    )
  }
}

/** This peer's wall clock is too far from those of its peers for it to write: what it wrote would not be believed. */
export class ClockSkewError extends HearsayError {
  readonly code = 'CLOCK_SKEW'
  /** @param skewMs how far the clock is ahead of the median of the peers'; negative when it is behind */
  constructor(
    readonly skewMs: number,
    readonly limitMs: number,
  ) {
    super(
      `this peer's clock is ${Math.abs(Math.round(skewMs))} ms ${skewMs > 0 ? 'ahead of' : 'behind'} those of its peers, the limit for writes is ${limitMs} ms: set the clock right`,
    )
  }
}

/**
 * Too few members confirmed in time: that they have a write, or all that was written before (`flush`), or what they
 * know of a key. A write that is not confirmed has taken effect here and may reach the others yet: its outcome is open.
 */
export class NotConfirmedError extends HearsayError {
  readonly code = 'NOT_CONFIRMED'
  /**
   * @param confirmed ids of those that did
   * @param missing ids of those that were to confirm and did not; none where too few could be asked
   */
  constructor(
    readonly confirmed: readonly string[],
    readonly missing: readonly string[],
    timeoutMs: number,
  ) {
    super(
      `too few members confirmed in up to ${timeoutMs} ms (syncTimeoutMs): ${listed(confirmed)} did, ${
        missing.length === 0 ? 'and no other was there to be asked' : `${listed(missing)} did not`
      }`,
    )
  }
}

function listed(ids: readonly string[]): string {
  return ids.length === 0 ? 'none' : ids.join(', ')
}

/** Two peers may not share a mesh: something that must be equal differs. */
export class HelloRefusedError extends HearsayError {
  readonly code = 'HELLO_REFUSED'
  /**
   * @param field what differs: `mesh`, `protocol`, `replicas`, `partitions`, `virtualNodes`, `tombstoneGraceMs`, or `identity`
   * @param ours this peer's value
   * @param theirs the other peer's
   */
  constructor(
    readonly field: string,
    readonly ours: string,
    readonly theirs: string,
    readonly peer: string,
  ) {
    super(
      field === 'identity'
        ? `two processes run with one identity (${ours}, ${theirs}): the one that came second is refused`
        : `${peer} is not of this mesh: its ${field} is ${theirs}, ours is ${ours}`,
    )
  }
}

/** Some members could not be compared with, so that it is not known whether they hold the same. */
export class SyncError extends HearsayError {
  readonly code = 'NOT_SYNCED'
  /**
   * @param failed ids of those with whom there was no round of repair
   * @param count how many there should have been
   */
  constructor(
    readonly failed: readonly string[],
    count: number,
  ) {
    super(
      `${failed.length} of ${count} members could not be compared with: ${listed(failed)} did not answer, or place keys by another ring`,
    )
  }
}

/** An address did not answer, or what answered is not a hearsay peer. */
export class UnreachableError extends HearsayError {
  readonly code = 'UNREACHABLE'
}

/** An id is not that of a known member. */
export class UnknownMemberError extends HearsayError {
  readonly code = 'UNKNOWN_MEMBER'
  constructor(readonly id: string) {
    super(`no member has the id ${id}`)
  }
}

/** A member that is alive cannot be forgotten. */
export class MemberLiveError extends HearsayError {
  readonly code = 'MEMBER_LIVE'
  constructor(
    readonly id: string,
    readonly state: string,
  ) {
    super(`member ${id} is ${state}: only a dead or left member can be forgotten`)
  }
}
