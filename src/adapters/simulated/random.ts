/**
 * Chance that can be repeated: the generator sfc32 (Doty-Humphrey, PractRand, 2010), small, fast, and sound in
 * PractRand's own tests, with its state spread from a seed by splitmix32 (after Steele, Lea and Flood, 2014).
 *
 * Everything that draws has a stream of its own, forked by name, so that one member that draws once more does not
 * change what happens to all the others.
 */
import type { Random } from '../../services/ports.js'

/** Numbers drawn before the first is given out: sfc32 mixes its seed in over these. */
const WARM_UP = 12

export class SimulatedRandom implements Random {
  readonly #seed: number
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** @param seed a whole number; its lower 32 bits count */
  constructor(seed: number) {
    this.#seed = seed | 0
    this.#a = splitmix32(this.#seed, 1)
    this.#b = splitmix32(this.#seed, 2)
    this.#c = splitmix32(this.#seed, 3)
    for (let i = 0; i < WARM_UP; i++) this.next()
  }

  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }

  /** A stream that depends on this one's seed and on `label`, but not on what has been drawn so far. */
  fork(label: string): SimulatedRandom {
    let hash = this.#seed
    for (let i = 0; i < label.length; i++) hash = splitmix32(hash ^ label.charCodeAt(i), 1)
    return new SimulatedRandom(hash)
  }
}

/** The `step`th number of splitmix32 from `seed`, as a signed 32-bit integer. */
function splitmix32(seed: number, step: number): number {
  let mixed = (seed + Math.imul(step, 0x9e3779b9)) | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return mixed ^ (mixed >>> 15)
}
