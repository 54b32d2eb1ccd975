import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Evictable, LruEviction } from '../../src/core/eviction.js'

class Item implements Evictable {
  older: this | undefined = undefined
  newer: this | undefined = undefined
  constructor(readonly name: string) {}
}

/** Takes victims until none is left: the order in which entries would go. */
function drain(policy: LruEviction<Item>): string[] {
  const names: string[] = []
  for (let item = policy.victim(); item !== undefined; item = policy.victim()) {
    names.push(item.name)
    policy.remove(item)
  }
  return names
}

function admitted(...names: string[]) {
  const policy = new LruEviction<Item>()
  const items = names.map((name) => new Item(name))
  for (const item of items) policy.admit(item)
  return { policy, items }
}

describe('LruEviction', () => {
  it('has no victim when it is empty', () => {
    expect(new LruEviction<Item>().victim()).toBeUndefined()
  })

  it('has no victim when all have left', () => {
    const { policy, items } = admitted('a')
    policy.remove(items[0] as Item)
    expect(policy.victim()).toBeUndefined()
  })

  it('gives up the one that came first', () => {
    expect(drain(admitted('a', 'b', 'c').policy)).toEqual(['a', 'b', 'c'])
  })

  it.each([
    ['oldest', 0, ['b', 'c', 'a']],
    ['middle', 1, ['a', 'c', 'b']],
    ['newest', 2, ['a', 'b', 'c']],
  ])('keeps the %s longest once it is used', (_, index, order) => {
    const { policy, items } = admitted('a', 'b', 'c')
    policy.touch(items[index] as Item)
    expect(drain(policy)).toEqual(order)
  })

  it('naming a victim does not remove it', () => {
    const { policy, items } = admitted('a', 'b')
    expect(policy.victim()).toBe(items[0])
    expect(policy.victim()).toBe(items[0])
  })

  it('holds on to nothing through an entry that left', () => {
    const { policy, items } = admitted('a', 'b', 'c')
    const middle = items[1] as Item
    policy.remove(middle)
    expect([middle.older, middle.newer]).toEqual([undefined, undefined])
  })

  it('orders as a plain list would, whatever comes, is used and goes', () => {
    const step = fc.record({
      kind: fc.constantFrom('admit', 'admit', 'touch', 'remove'),
      index: fc.nat(1_000),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const policy = new LruEviction<Item>()
        const model: Item[] = []
        for (const { kind, index } of steps) {
          const at = model.length === 0 ? 0 : index % model.length
          if (kind === 'admit') {
            const item = new Item(`item ${index}`)
            model.push(item)
            policy.admit(item)
          } else if (model.length > 0) {
            const [item] = model.splice(at, 1) as [Item]
            if (kind === 'touch') model.push(item)
            policy[kind as 'touch' | 'remove'](item)
          }
          expect(policy.victim()).toBe(model[0])
        }
        expect(drain(policy)).toEqual(model.map(({ name }) => name))
      }),
    )
  })
})
