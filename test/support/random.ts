/**
 * Seeded randomness for tests of statistics. Each run takes a new seed; a failing test prints it, and
 * `HEARSAY_TEST_SEED=<seed>` runs it again.
 */

/** A number in [0, 1), and the next one at each call. */
export type Random = () => number

export function testSeed(): number {
  const given = process.env.HEARSAY_TEST_SEED
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given)
}

/** The generator mulberry32: small, and good enough to pick ids. */
export function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Text in the form of a member id. */
export function randomId(random: Random): string {
  const letters = Array.from({ length: 44 }, () => BASE58[Math.floor(random() * BASE58.length)])
  return `12D3KooW${letters.join('')}`
}
