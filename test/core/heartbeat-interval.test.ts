import { describe, expect, it } from 'vitest'
import {
  HEARTBEAT_INTERVAL_MAX_MS,
  heartbeatIntervalMs,
} from '../../src/core/heartbeat-interval.js'

const COST = { listeners: 0, bytes: 300, bytesPerSecond: 3_000, intervalMinMs: 1_000 }

describe('the interval between heartbeats', () => {
  it.each([
    [0, 1_000],
    [4, 1_000],
    [10, 1_000],
    [20, 2_000],
    [99, 9_900],
    [299, 29_900],
    [10_000, HEARTBEAT_INTERVAL_MAX_MS],
  ])('with %i listeners is %i ms', (listeners, expected) => {
    expect(heartbeatIntervalMs({ ...COST, listeners })).toBe(expected)
  })

  it('keeps what is sent the same from where it grows', () => {
    for (const listeners of [10, 50, 100, 200]) {
      const intervalMs = heartbeatIntervalMs({ ...COST, listeners })
      expect((listeners * COST.bytes * 1_000) / intervalMs).toBeCloseTo(COST.bytesPerSecond, 5)
    }
  })

  it('is never shorter than the shortest, nor is that cut where it is very long', () => {
    expect(heartbeatIntervalMs({ ...COST, bytesPerSecond: Number.POSITIVE_INFINITY })).toBe(1_000)
    expect(heartbeatIntervalMs({ ...COST, intervalMinMs: 90_000 })).toBe(90_000)
  })
})
