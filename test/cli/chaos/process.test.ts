/** Children of a chaos run, seen by its driver. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ChaosProcess, Guard } from '../../../src/cli/chaos/process.js'

const { execPath } = process

describe('a child that cannot be started', () => {
  beforeEach(() => {
    process.execPath = `${execPath}-that-is-not-there`
  })
  afterEach(() => {
    process.execPath = execPath
  })

  it('is over at once, and says why to whoever asks or waits', async () => {
    const exits: string[] = []
    const guard = new Guard()
    const child = new ChaosProcess('peer-1.1', 0, guard, {
      onSpawn: () => {},
      onReport: () => {},
      onExit: ({ name }) => exits.push(name),
    })
    const failure = { code: 'CHILD_FAILED', message: /^peer-1\.1: could not be started: .*ENOENT/ }
    await expect(child.ask({ do: 'look' })).rejects.toMatchObject({
      code: failure.code,
      message: expect.stringMatching(failure.message),
    })
    await child.exited
    expect(child.isRunning).toBe(false)
    expect(exits).toEqual(['peer-1.1'])
    await expect(child.ask({ do: 'look' })).rejects.toThrow('the process has ended')
    child.kill()
    // Nor does the guard, which could not be started either, keep anybody waiting.
    await guard.stop()
  })
})
