import { expect, it } from 'vitest'
import { LocalHealth, TROUBLE_MAX } from '../../src/core/local-health.js'

it('one in good health gives nobody more time', () => {
  const health = new LocalHealth()
  health.better()
  expect(health.multiplier).toBe(1)
})

it('each sign of trouble gives the others more time, and each quiet while takes it back', () => {
  const health = new LocalHealth()
  health.worse()
  health.worse()
  expect(health.multiplier).toBe(3)
  health.better()
  expect(health.multiplier).toBe(2)
})

it('no trouble makes a member wait for ever', () => {
  const health = new LocalHealth()
  for (let i = 0; i < 100; i++) health.worse()
  expect(health.multiplier).toBe(1 + TROUBLE_MAX)
})
