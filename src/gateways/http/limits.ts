/**
 * The bounds of the gateway, in one place. What a client runs into names the bound in its error message.
 */

const KIB = 1024
const MIB = 1024 * KIB

/** Largest value that a cache takes, encoded. The cache itself is the judge of it. */
const VALUE_BYTES_MAX = 8 * MIB

/** Longest time to live, a hundred years in ms. The cache itself is the judge of it, too. */
export const TTL_MS_MAX = 100 * 365.25 * 24 * 3_600_000

/**
 * Largest request body. A little more than the largest value, so that it is the cache which refuses a value that
 * is just too large, with the figures of the encoded value.
 */
export const BODY_BYTES_MAX = VALUE_BYTES_MAX + 64 * KIB

/** How long a client may take to send a request, in ms: bounds what an unfinished one can hold on to. */
export const REQUEST_TIMEOUT_MS = 60_000

/** Connections served at a time; further ones are closed at once. */
export const CONNECTIONS_MAX = 1_024

/** Operations in one batch. */
export const BATCH_ITEMS_MAX = 10_000

/**
 * Characters of one batch's answer. The gets past it answer 413 and are to be asked for again: ten thousand
 * values of 8 MiB would be more than the process can hold.
 */
export const BATCH_ANSWER_CHARS_MAX = 64 * MIB

/**
 * Characters of one value as JSON, about. Encoded values are far smaller, but one that holds the same object in
 * many places has it written out in each of them.
 */
export const JSON_CHARS_MAX = 64 * MIB

/** Addresses in one request to join. */
export const JOIN_ADDRESSES_MAX = 100

/** Streams of events at a time. */
export const EVENT_STREAMS_MAX = 100

/** Bytes that may wait for a reader of events before it is cut off. */
export const EVENT_BUFFER_BYTES_MAX = MIB

/** Time between two comments on an idle stream of events, in ms: proxies and clients drop silent connections. */
export const EVENT_KEEP_ALIVE_MS = 15_000

/** How long requests under way may take to finish when the gateway closes, in ms; then they are cut off. */
export const CLOSE_GRACE_MS = 1_000

/** Time between two looks for connections that have become idle while the gateway closes, in ms. */
export const CLOSE_SWEEP_MS = 20
