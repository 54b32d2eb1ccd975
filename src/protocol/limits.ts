/**
 * Sizes that a message may have. A sender keeps to them; a receiver drops, and counts, what does not.
 */

/** Major version of the protocol: the first byte of every message. Another one is refused by name. */
export const PROTOCOL_MAJOR = 1

/** Minor version: peers of different ones serve together. */
export const PROTOCOL_MINOR = 0

/** Longest key, in bytes of UTF-8. */
export const KEY_BYTES_MAX = 1024

/** Longest cache name, in bytes of UTF-8. */
export const CACHE_NAME_BYTES_MAX = 256

/** Longest tag, in bytes of UTF-8, and most tags of an entry. */
export const TAG_BYTES_MAX = 128
export const TAGS_MAX = 32

/** Largest encoded value, in bytes. */
export const VALUE_BYTES_MAX = 8 * 1024 * 1024

/**
 * Encoded bytes after which a batch of writes is closed, and a page of state. A value larger than this does not
 * travel in a batch: it is announced, and fetched.
 */
export const BATCH_BYTES_MAX = 256 * 1024

/** Largest frame of a stream: one value of the largest size, with its key and bookkeeping. */
export const FRAME_BYTES_MAX = VALUE_BYTES_MAX + 64 * 1024

/** Most records in one message. */
export const RECORDS_MAX = 50_000

/** Most members in one message. */
export const MEMBERS_MAX = 10_000

/** Most addresses of one member. */
export const ADDRESSES_MAX = 32

/** Longest member id, name, address or other short text, in characters. */
export const TEXT_MAX = 512

/** Most keys in one request for values. */
export const FETCH_KEYS_MAX = 1_000

/** Most requests, or answers, in one frame. */
export const ASKS_MAX = 10_000

/** Most rings that a peer places keys by at once. */
export const RINGS_MAX = 16

/** Most keys in one answer to a scan; it ends with the partition in which so many are reached. */
export const SCAN_KEYS_MAX = 1_000_000

/** Keys after which an answer to a scan ends. */
export const SCAN_KEYS = 2_000

/** Most ids in one list of what is held, and in one answer to it. */
export const LIST_IDS_MAX = 65_536
