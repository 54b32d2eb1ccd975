/**
 * The flags of `start` against the options of the library: none is missing, none means something
 * else.
 */
import { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/cli/failure.js'
import {
  checkPeerOptions,
  flagOf,
  inFlags,
  meshFlags,
  peerFlags,
  peerOptions,
} from '../../src/cli/peer-flags.js'
import type { MeshParameters } from '../../src/core/hello.js'
import { InvalidOptionError } from '../../src/errors.js'
import { resolveOptions } from '../../src/options.js'

function parse(text: string) {
  const command = new Command().exitOverride()
  for (const flag of peerFlags()) command.addOption(flag)
  return peerOptions(command.parse(text === '' ? [] : text.split(' '), { from: 'user' }).opts())
}

describe('flags of start', () => {
  it('give every option of the library its name', () => {
    const names = peerFlags().map((flag) => flag.attributeName())
    const options = Object.keys(resolveOptions())
    for (const option of options) if (option !== 'logger') expect(names).toContain(option)
    for (const flag of peerFlags()) expect(flag.long).toBe(flagOf(flag.attributeName()))
  })

  it('leave what is not given to the library, HTTP apart', () => {
    expect(parse('')).toEqual({ http: '127.0.0.1:7700' })
  })

  it('become options of the right types', () => {
    const options = parse(
      '--mesh shop --max-bytes 512mb --max-items 10 --http off --mdns --suspicion-phi 8.5 ' +
        '--listen /ip4/127.0.0.1/tcp/1 --listen /ip4/127.0.0.1/tcp/2 --replicas all --role client ' +
        '--near-bytes-max 16mib --hint-bytes-max 2mb --hint-age-max-ms 60000',
    )
    expect(options).toEqual({
      mesh: 'shop',
      maxBytes: 512_000_000,
      maxItems: 10,
      http: false,
      mdns: true,
      suspicionPhi: 8.5,
      listen: ['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/2'],
      replicas: 'all',
      role: 'client',
      nearBytesMax: 16 * 1024 * 1024,
      hintBytesMax: 2_000_000,
      hintAgeMaxMs: 60_000,
    })
    expect(parse('--replicas 5')).toMatchObject({ replicas: 5 })
    expect(() => checkPeerOptions(options)).not.toThrow()
  })
})

describe('the flags of another peer of a mesh', () => {
  it('are those of all that has to be equal in it', () => {
    const options = {
      mesh: 'shop',
      replicas: 'all',
      tombstoneGraceMs: 7_200_000,
    } satisfies Omit<MeshParameters, 'partitions' | 'virtualNodes'>
    const flags = meshFlags({ ...options, name: 'ada', maxItems: 10, heartbeatIntervalMs: 500 })
    expect(flags).toEqual([
      ...['--mesh', 'shop'],
      ...['--replicas', 'all'],
      ...['--tombstone-grace-ms', '7200000'],
    ])
    expect(parse(flags.join(' '))).toMatchObject(options)
  })

  it('leave out what is the default, given or not', () => {
    expect(meshFlags({})).toEqual([])
    expect(meshFlags({ mesh: 'hearsay', replicas: 3, tombstoneGraceMs: undefined })).toEqual([])
    expect(meshFlags({ mesh: 'hearsay', replicas: 2 })).toEqual(['--replicas', '2'])
  })
})

describe("the library's errors", () => {
  it('name flags instead of options, also in lists and in what they contradict', () => {
    const said = (option: string, problem: string) =>
      inFlags(new InvalidOptionError(option, problem)) as Error
    expect(said('maxBytes', '5 is too little')).toBeInstanceOf(UsageError)
    expect(said('maxBytes', '5 is too little').message).toBe('--max-bytes: 5 is too little')
    expect(said('listen.1', 'no').message).toBe('--listen: no')
    expect(said('batchEntriesMax', '9 is more than syncQueueMax, 8').message).toBe(
      '--batch-entries-max: 9 is more than --sync-queue-max, 8',
    )
  })

  it('stay as they are when they are about no option', () => {
    const error = new Error('something else')
    expect(inFlags(error)).toBe(error)
  })
})
