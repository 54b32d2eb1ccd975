import { describe, expect, it } from 'vitest'
import { Pulse } from '../../src/core/pulse.js'

const INTERVAL_MS = 1_000

/** Heartbeats number 1 to `count` of one that started when the observer's clock showed 5,000, each 10 ms on its way. */
function regular(count: number, pulse = new Pulse(INTERVAL_MS)) {
  for (let i = 1; i <= count; i++) pulse.heard(heartbeat(i), 5_010 + i * INTERVAL_MS)
  return pulse
}

function heartbeat(sequence: number, more: Partial<Parameters<Pulse['heard']>[0]> = {}) {
  const uptimeMs = sequence * INTERVAL_MS
  return { incarnation: 7, sequence, uptimeMs, intervalMs: INTERVAL_MS, ...more }
}

describe('a pulse', () => {
  it.each([
    ['of an earlier incarnation', { incarnation: 6 }],
    ['that was heard before', { sequence: 5 }],
    ['with a sequence that was heard before', { sequence: 3 }],
    ['of a shorter uptime', { uptimeMs: 4_000 }],
  ])('takes a heartbeat %s for old', (_, change) => {
    const pulse = regular(5)
    expect(pulse.heard(heartbeat(6, change), 11_010)).toEqual({ isNew: false, isLate: false })
    expect(pulse.heardAtMs).toBe(10_010)
  })

  it('takes a heartbeat that was held up by more than an interval for no sign of life', () => {
    const pulse = regular(5)
    // Said a second after the fifth, and passed on 20 s later.
    expect(pulse.heard(heartbeat(6), 31_010)).toEqual({ isNew: true, isLate: true })
    expect(pulse.heardAtMs).toBe(11_010)
    expect(pulse.phi(31_010)).toBeGreaterThan(8)
  })

  it('forgives a heartbeat that is late by less than an interval', () => {
    const pulse = regular(5)
    expect(pulse.heard(heartbeat(6), 11_900)).toEqual({ isNew: true, isLate: false })
    expect(pulse.heardAtMs).toBe(11_900)
  })

  it('gets used to a way that has become longer for good, and to a host that has slept', () => {
    const pulse = regular(20)
    const lates = Array.from({ length: 12 }, (_, i) => {
      const sequence = 21 + i
      return pulse.heard(heartbeat(sequence), 5_010 + sequence * INTERVAL_MS + 600_000).isLate
    })
    expect(lates.slice(0, 7)).not.toContain(false)
    expect(lates.slice(7)).not.toContain(true)
  })

  it('gets used to it at once when the member itself has answered', () => {
    const pulse = regular(20)
    pulse.answered({ uptimeMs: 20_500, intervalMs: INTERVAL_MS }, 625_520)
    expect(pulse.heard(heartbeat(21), 626_010).isLate).toBe(false)
  })

  it('does not take an excuse for a sign of life', () => {
    const pulse = regular(5)
    pulse.excuse(20_000)
    expect(pulse.phi(20_000)).toBeLessThan(0.01)
    expect(pulse.heardAtMs).toBe(10_010)
    pulse.met(21_000)
    expect(pulse.heardAtMs).toBe(21_000)
  })

  it('takes no sample of the rhythm when the interval has changed meanwhile', () => {
    const pulse = regular(5)
    pulse.heard(heartbeat(6, { intervalMs: 60_000 }), 11_010)
    pulse.pingedEvery(INTERVAL_MS)
    pulse.answered({ uptimeMs: 36_000, intervalMs: 60_000 }, 41_010)
    pulse.answered({ uptimeMs: 37_000, intervalMs: 60_000 }, 42_010)
    expect(pulse.phi(42_010 + 2_700)).toBeGreaterThan(8)
  })

  it('does not mind a clock that is slow by one in a thousand', () => {
    const pulse = new Pulse(INTERVAL_MS)
    for (let i = 1; i <= 1_000; i++) {
      const { isLate } = pulse.heard(heartbeat(i, { uptimeMs: i * 999 }), 5_000 + i * INTERVAL_MS)
      expect(isLate).toBe(false)
    }
  })

  it('waits for as long as the sender has announced', () => {
    const pulse = regular(5)
    pulse.heard(heartbeat(6, { intervalMs: 10_000 }), 11_010)
    expect(pulse.phi(11_010 + 12_000)).toBeLessThan(3)
    expect(pulse.phi(11_010 + 30_000)).toBeGreaterThan(8)
  })

  it('waits for as long as one that is pinged may stay silent, whatever it has announced', () => {
    const pulse = regular(5)
    pulse.heard(heartbeat(6, { intervalMs: 10_000 }), 11_010)
    pulse.pingedEvery(INTERVAL_MS)
    expect(pulse.phi(11_010 + 3_000)).toBeGreaterThan(8)
    pulse.pingedEvery()
    expect(pulse.phi(11_010 + 3_000)).toBeLessThan(1)
  })
})
