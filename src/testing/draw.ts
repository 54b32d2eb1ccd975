/** Draws for making up runs, all from one seed. */
import { SimulatedRandom } from '../adapters/simulated/random.js'

export class Draw {
  readonly #random: SimulatedRandom

  constructor(random: SimulatedRandom) {
    this.#random = random
  }

  static of(seed: number): Draw {
    return new Draw(new SimulatedRandom(seed))
  }

  /** A stream of its own, so that drawing more in one place changes nothing in another. */
  fork(label: string): Draw {
    return new Draw(this.#random.fork(label))
  }

  happens(probability: number): boolean {
    return this.#random.next() < probability
  }

  between(min: number, max: number): number {
    return min + this.#random.next() * (max - min)
  }

  /** A whole number, both ends included. */
  whole(min: number, max: number): number {
    return Math.min(max, min + Math.floor(this.#random.next() * (max - min + 1)))
  }

  pick<T>(items: readonly T[]): T {
    return items[this.whole(0, items.length - 1)] as T
  }

  /** One of some items, each as often as its weight says. */
  weighted<T>(items: ReadonlyArray<readonly [item: T, weight: number]>): T {
    let left = this.#random.next() * items.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [item, weight] of items) {
      left -= weight
      if (left < 0) return item
    }
    return (items.at(-1) as readonly [T, number])[0]
  }

  /** So many different items, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const left = [...items]
    return Array.from({ length: Math.min(count, items.length) }, () => {
      const [item] = left.splice(this.whole(0, left.length - 1), 1)
      return item as T
    })
  }
}
