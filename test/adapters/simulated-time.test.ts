/** Simulated time and chance: the ground on which every simulation stands. */
import { describe, expect, it } from 'vitest'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { SimulatedTime } from '../../src/adapters/simulated/time.js'
import { seeded, testSeed } from '../support/random.js'

const pause = (time: SimulatedTime, ms: number) =>
  new Promise<void>((resolve) => time.after(ms, resolve))

describe('simulated time', () => {
  it('stands still until it is told to move, and then moves by exactly so much', async () => {
    const time = new SimulatedTime({ epochMs: 1_000 })
    expect([time.now(), time.monotonicMs()]).toEqual([1_000, 0])
    await time.advance(250)
    await time.advance(0.5)
    expect([time.now(), time.monotonicMs()]).toEqual([1_250, 250.5])
  })

  it('runs tasks when they are due, in the order of their times and then of their making', async () => {
    const time = new SimulatedTime()
    const ran: string[] = []
    const note = (name: string) => () => void ran.push(`${name} ${time.monotonicMs()}`)
    time.after(20, note('late'))
    time.after(10, note('first'))
    time.after(10, note('second'))
    time.after(0, note('now'))
    time.defer(note('deferred'))
    time.after(30, note('not yet'))
    await time.advance(20)
    expect(ran).toEqual(['now 0', 'deferred 0', 'first 10', 'second 10', 'late 20'])
  })

  it('keeps that order among thousands of tasks that are made and cancelled at random', async () => {
    const seed = testSeed()
    const random = seeded(seed)
    const time = new SimulatedTime()
    const expected: Array<readonly [atMs: number, made: number]> = []
    const ran: Array<readonly [atMs: number, made: number]> = []
    for (let made = 0; made < 5_000; made++) {
      const dueMs = Math.floor(random() * 500)
      const timer = time.after(dueMs, () => ran.push([time.monotonicMs(), made]))
      if (random() < 0.6) timer.cancel()
      else expected.push([dueMs, made])
    }
    expected.sort((a, b) => a[0] - b[0] || a[1] - b[1])
    await time.advance(500)
    expect(ran, `seed ${seed}`).toEqual(expected)
    expect(time.pending).toBe(0)
  })

  it('never runs what was cancelled, however late that was done', async () => {
    const time = new SimulatedTime()
    const ran: string[] = []
    const second = time.after(10, () => ran.push('second'))
    time.after(5, () => second.cancel())
    second.cancel()
    second.cancel()
    expect(time.pending).toBe(1)
    await time.advance(20)
    expect(ran).toEqual([])
    expect(time.pending).toBe(0)
  })

  it('lets everything that waits for promises go on before the next task runs', async () => {
    const time = new SimulatedTime()
    const ran: string[] = []
    const walk = async () => {
      await pause(time, 10)
      for (let i = 0; i < 50; i++) await Promise.resolve()
      ran.push('walked')
      await pause(time, 0)
      ran.push('and on')
    }
    const walking = walk()
    time.after(10, () => ran.push('next'))
    await time.advance(10)
    await walking
    expect(ran).toEqual(['walked', 'next', 'and on'])
  })

  it('runs what a task schedules for the time that is left', async () => {
    const time = new SimulatedTime()
    let count = 0
    const again = () => {
      count++
      time.after(10, again)
    }
    time.after(10, again)
    await time.advance(100)
    expect(count).toBe(10)
    expect(time.pending).toBe(1)
  })

  it('passes on what a task throws, and goes on afterwards', async () => {
    const time = new SimulatedTime()
    time.after(1, () => {
      throw new Error('from a task')
    })
    await expect(time.advance(5)).rejects.toThrow('from a task')
    await time.advance(5)
  })

  it('waits for a condition, and gives up at a limit', async () => {
    const time = new SimulatedTime()
    let done = false
    time.after(40, () => {
      done = true
    })
    await time.runUntil(() => done)
    expect(time.monotonicMs()).toBe(40)
    time.after(2_000, () => {})
    await expect(time.runUntil(() => false, 1_000)).rejects.toThrow('not so within 1000')
  })

  it('waits for a promise, and settles like it', async () => {
    const time = new SimulatedTime()
    expect(await time.settled(pause(time, 10).then(() => 'done'))).toBe('done')
    const failing = pause(time, 10).then(() => Promise.reject(new Error('broken')))
    await expect(time.settled(failing)).rejects.toThrow('broken')
    await expect(time.settled(new Promise(() => {}), 100)).rejects.toThrow('did not settle')
  })
})

describe('time as a member has it', () => {
  it('may be set wrong, either way, without touching its timers or anybody else', async () => {
    const time = new SimulatedTime({ epochMs: 10_000 })
    const [fast, slow] = [time.member(), time.member()]
    fast.setOffset(3_000)
    slow.setOffset(-4_000)
    const ran: number[] = []
    slow.after(100, () => ran.push(slow.now()))
    await time.advance(100)
    expect([fast.now(), slow.now(), time.now()]).toEqual([13_100, 6_100, 10_100])
    expect([fast.monotonicMs(), slow.monotonicMs()]).toEqual([100, 100])
    expect(ran).toEqual([6_100])
  })

  it('may run fast or slow, its timers with it', async () => {
    const time = new SimulatedTime({ epochMs: 0 })
    const member = time.member()
    await time.advance(1_000)
    member.setDrift(0.5)
    let ranAtMs = 0
    member.after(150, () => {
      ranAtMs = time.monotonicMs()
    })
    await time.advance(200)
    expect(ranAtMs).toBe(1_100)
    expect([member.monotonicMs(), member.now()]).toEqual([1_300, 1_300])
    member.setDrift(0)
    await time.advance(100)
    expect(member.monotonicMs()).toBe(1_400)
  })

  it('may stand still: what came due meanwhile runs late, in order, and before what is due then', async () => {
    const time = new SimulatedTime()
    const [member, other] = [time.member(), time.member()]
    const ran: string[] = []
    const note = (name: string) => () => void ran.push(`${name} ${time.monotonicMs()}`)
    member.after(300, note('due at the end'))
    member.after(200, note('late'))
    member.after(100, note('later'))
    member.after(50, note('before'))
    other.after(150, note('other'))
    await time.advance(60)
    member.stall(240)
    expect(member.isStalled).toBe(true)
    await time.advance(340)
    expect(ran).toEqual(['before 50', 'other 150', 'later 300', 'late 300', 'due at the end 300'])
    expect(time.pending).toBe(0)
  })

  it('may stand still until it is told to go on', async () => {
    const time = new SimulatedTime()
    const member = time.member()
    let ran = 0
    member.after(10, () => ran++)
    member.stall()
    await time.advance(1_000_000)
    expect([ran, time.pending]).toEqual([0, 1])
    member.resume()
    await time.advance(0)
    expect([ran, time.pending]).toEqual([1, 0])
  })

  it('may end: nothing of it is left, and nothing more is taken', async () => {
    const time = new SimulatedTime()
    const member = time.member()
    let ran = 0
    member.after(10, () => ran++)
    member.after(20, () => ran++)
    member.stall(15)
    await time.advance(12)
    member.kill()
    member.after(1, () => ran++)
    await time.advance(100)
    expect([ran, time.pending]).toEqual([0, 0])
  })
})

describe('simulated chance', () => {
  const draw = (random: SimulatedRandom, count: number) =>
    Array.from({ length: count }, () => random.next())

  it('is the same for the same seed, and another for another', () => {
    expect(draw(new SimulatedRandom(7), 100)).toEqual(draw(new SimulatedRandom(7), 100))
    expect(draw(new SimulatedRandom(7), 3)).not.toEqual(draw(new SimulatedRandom(8), 3))
  })

  it('is spread evenly over [0, 1)', () => {
    const seed = testSeed()
    const random = new SimulatedRandom(seed)
    const counts = new Array<number>(10).fill(0)
    for (const number of draw(random, 100_000)) {
      counts[Math.floor(number * 10)] = (counts[Math.floor(number * 10)] as number) + 1
    }
    // Ten standard deviations: a fair generator does not get there in the age of the universe.
    for (const count of counts) expect(Math.abs(count - 10_000), `seed ${seed}`).toBeLessThan(950)
  })

  it('forks into streams that depend on their names alone, not on what was drawn before', () => {
    const [one, two] = [new SimulatedRandom(7), new SimulatedRandom(7)]
    draw(two, 10)
    expect(draw(one.fork('a'), 5)).toEqual(draw(two.fork('a'), 5))
    expect(draw(one.fork('a'), 5)).not.toEqual(draw(one.fork('b'), 5))
    expect(draw(one.fork('a'), 5)).not.toEqual(draw(one, 5))
  })
})
