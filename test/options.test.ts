import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { InvalidOptionError } from '../src/errors.js'
import { type PeerOptions, resolveOptions } from '../src/options.js'

const MIB = 1024 * 1024
const MINUTE_MS = 60_000

/** What is wrong with the options; undefined when nothing is. */
function refusal(options: unknown): InvalidOptionError | undefined {
  try {
    resolveOptions(options as PeerOptions)
    return undefined
  } catch (error) {
    if (error instanceof InvalidOptionError) return error
    throw error
  }
}

/** Option, a value that it refuses, and what the message must say beside the option: the value, the limit. */
const REFUSED: Array<[keyof PeerOptions, unknown, ...string[]]> = [
  ['mesh', 'my mesh', '"my mesh"', 'letters, digits, dot, dash and underscore'],
  ['mesh', '', '""', 'begin with a letter or digit'],
  ['mesh', '-shop', '"-shop"', 'begin with a letter or digit'],
  ['mesh', 'm'.repeat(65), `"${'m'.repeat(65)}"`, '64 characters'],
  ['mesh', 7, '7', 'must be text'],
  ['name', 'peer/1', '"peer/1"', 'letters, digits'],
  ['name', 'n'.repeat(65), '64 characters'],
  ['listen', 'x', `"x" must be a list of addresses, such as ['/ip4/127.0.0.1/tcp/0']`],
  ['listen', [], 'must name an address'],
  ['listen', [4001], '4001 is not a loopback address'],
  ['announce', ['peer.example:4001'], '"peer.example:4001"', 'multiaddr'],
  ['announce', [null], 'null is not a multiaddr'],
  ['announce', 'x', `"x" must be a list of addresses, such as ['/ip4/10.0.0.1/tcp/4001']`],
  [
    'bootstrap',
    ['127.0.0.1:4001'],
    '"127.0.0.1:4001"',
    '/ip4/127.0.0.1/tcp/4001',
    'dns://host:port',
  ],
  ['bootstrap', ['/ip4/127.0.0.1/tcp/1', 'dns://host'], '"dns://host"', 'dns://host:port'],
  ['bootstrap', ['/ip4/10.0.0.1/udp/1'], '/udp/', 'multiaddr'],
  ['bootstrap', [7], '7 is neither a multiaddr', 'dns://host:port'],
  ['bootstrap', 'dns://host:1', '"dns://host:1" must be a list of addresses', "['/ip4/"],
  ['mdns', 'yes', '"yes"', 'true or false'],
  ['replicas', 0, '0', "from 1 to 16, or 'all'"],
  ['replicas', 17, '17', "from 1 to 16, or 'all'"],
  ['replicas', -1, '-1', "from 1 to 16, or 'all'"],
  ['replicas', 2.5, '2.5', 'whole number'],
  ['replicas', Number.NaN, 'NaN', 'from 1 to 16', "'all'"],
  ['replicas', Number.POSITIVE_INFINITY, 'Infinity', "from 1 to 16, or 'all'"],
  ['replicas', '3', '"3"', 'from 1 to 16', "'all'"],
  ['replicas', 'some', '"some"', 'from 1 to 16', "'all'"],
  ['replicas', null, 'null', 'from 1 to 16', "'all'"],
  ['role', 'observer', '"observer"', "'owner'", "'client'"],
  ['role', 1, '1', "'owner'", "'client'"],
  ['identity', '', '""', 'path'],
  ['identity', 5, '5', 'path'],
  ['maxItems', 0, '0', 'at least 1'],
  ['maxItems', -1, '-1', 'at least 1'],
  ['maxItems', 2.5, '2.5', 'whole number'],
  ['maxItems', '10', '"10"', 'whole number'],
  ['maxItems', Number.NaN, 'NaN', 'whole number'],
  ['maxBytes', MIB - 1, `${MIB - 1}`, `at least ${MIB}`],
  ['maxBytes', '256MiB', '"256MiB"', 'whole number'],
  ['nearBytesMax', -1, '-1', 'at least 0'],
  ['nearBytesMax', 0.5, '0.5', 'whole number'],
  ['nearBytesMax', '32MiB', '"32MiB"', 'whole number'],
  ['hintBytesMax', MIB - 1, `${MIB - 1}`, `at least ${MIB}`],
  ['hintBytesMax', '64MiB', '"64MiB"', 'whole number'],
  ['hintAgeMaxMs', 999, '999', 'at least 1000 ms'],
  ['hintAgeMaxMs', 30 * MINUTE_MS + 1, '1800001', 'half of tombstoneGraceMs, 3600000'],
  ['hintAgeMaxMs', 2 ** 31, '2147483648', 'at most 2147483647 ms'],
  ['hintAgeMaxMs', '10min', '"10min"', 'number of ms'],
  ['http', true, 'true', 'not a loopback address', '127.0.0.1:7700'],
  ['http', 7700, '7700', 'not a loopback address', '127.0.0.1:7700'],
  ['flushIntervalMs', -1, '-1', 'at least 0 ms'],
  ['flushIntervalMs', 10_001, '10001', 'at most 10000 ms'],
  ['batchEntriesMax', 0, '0', 'at least 1'],
  ['batchEntriesMax', 10_001, '10001', 'at most 10000'],
  ['batchEntriesMax', Number.POSITIVE_INFINITY, 'Infinity', 'at most 10000'],
  ['syncQueueMax', 0, '0', 'at least 1'],
  ['syncQueueMax', 10_000_001, '10000001', 'at most 10000000'],
  ['syncTimeoutMs', 0, '0', 'at least 1 ms'],
  ['syncTimeoutMs', Number.NaN, 'NaN', 'number of ms'],
  ['syncTimeoutMs', 2 ** 31, '2147483648', 'at most 2147483647 ms'],
  ['heartbeatIntervalMs', 19, '19', 'at least 20 ms'],
  ['heartbeatIntervalMs', 60_001, '60001', 'at most 60000 ms'],
  ['suspicionPhi', 0.5, '0.5', 'at least 1'],
  ['suspicionPhi', 301, '301', 'at most 300'],
  ['suspicionPhi', '8', '"8" must be a number'],
  ['suspicionMinMs', 0, '0', 'at least 1 ms'],
  ['suspicionMaxMs', 0, '0', 'at least 1 ms'],
  ['joinTimeoutMs', -5, '-5', 'at least 0 ms'],
  ['preset', 'moon', '"moon"', "'host', 'lan', 'wan'"],
  ['heartbeatBytesPerSecond', 255, '255', 'at least 256'],
  ['sweepIntervalMs', 9, '9', 'at least 10 ms'],
  ['antiEntropyIntervalMs', 99, '99', 'at least 100 ms'],
  ['antiEntropyIntervalMs', 3_600_001, '3600001', 'at most 3600000 ms'],
  ['repairBytesPerSecond', 1_023, '1023', 'at least 1024'],
  ['tombstoneGraceMs', 999, '999', 'at least 1000 ms'],
  ['tombstonesMax', 0, '0', 'at least 1'],
  ['markersMax', 0, '0', 'at least 1'],
  ['markersMax', 40_001, '40001', 'at most 40000'],
  ['logger', {}, 'debug, info, warn and error'],
  ['logger', null, 'null', 'debug, info, warn and error'],
  ['logger', { debug() {}, info() {}, warn() {} }, 'debug, info, warn and error'],
]

/** What the declaration of the options says of each, on one line. */
const DOCUMENTED = new Map(
  [
    ...readFileSync(new URL('../src/options.ts', import.meta.url), 'utf8').matchAll(
      /^ {2}\/\*\*((?:(?!\*\/).)*)\*\/\n {2}(\w+)\?: /gms,
    ),
  ].map(([, text = '', option = '']) => [option, text.replace(/\s+(\* )?/g, ' ')]),
)

describe('the documentation of an option', () => {
  it.each([...new Set(REFUSED.map(([option]) => option))])('%s: has its default', (option) => {
    expect(DOCUMENTED.get(option)).toContain('@default ')
  })

  it.each(
    REFUSED.flatMap(([option, , ...parts]) =>
      parts
        .flatMap((part) => [...part.matchAll(/at (?:least|most) (\d+)/g)])
        .map(([, limit = '']) => [option, Number(limit) === MIB ? '1 MiB' : limit] as const),
    ),
  )('%s: names the limit %s', (option, limit) => {
    expect(DOCUMENTED.get(option)).toMatch(new RegExp(`\\b${limit}\\b`))
  })
})

describe('resolveOptions refuses', () => {
  it.each(REFUSED)('%s: %j', (option, value, ...parts) => {
    const error = refusal({ [option]: value })
    expect(error?.code).toBe('INVALID_OPTION')
    expect(error?.option.split('.')[0]).toBe(option)
    for (const part of [`option ${option}`, ...parts]) expect(error?.message).toContain(part)
  })

  it('no value in the words of the library that checks it', () => {
    for (const [option, value] of REFUSED) {
      expect(refusal({ [option]: value })?.message).not.toMatch(/Invalid|Expected|received/)
    }
  })

  it('a bad value of each option that there is', () => {
    const options = new Set([...Object.keys(resolveOptions()), 'name', 'identity', 'announce'])
    expect(new Set(REFUSED.map(([option]) => option))).toEqual(options)
  })

  it.each(['replica', 'maxbytes', 'psk', ''])('the unknown option %j by name', (option) => {
    const error = refusal({ [option]: 1 })
    expect(error?.option).toBe(option)
    expect(error?.message).toBe(`option ${option}: is not an option`)
  })

  it.each([5, null, 'x', true])('%j in place of options', (options) => {
    expect(refusal(options)?.option).toBe('options')
  })

  it.each([
    '/ip4/0.0.0.0/tcp/0',
    '/ip4/192.168.1.4/tcp/4001',
    '/ip6/::/tcp/0',
    '/dns4/localhost.example/tcp/0',
    '/ip4/127.0.0.1/udp/0',
    '127.0.0.1:4001',
  ])('to listen on %s, and says why', (address) => {
    const error = refusal({ listen: ['/ip4/127.0.0.1/tcp/0', address] })
    expect(error?.message).toContain(`"${address}" is not a loopback address`)
    expect(error?.message).toContain('no pre-shared key')
  })

  it.each([
    '0.0.0.0:7700',
    ':7700',
    '7700',
    'localhost',
    '127.0.0.1',
    '127.0.0.1:65536',
    '[::]:7700',
    'localhost.example:7700',
    '192.168.1.4:7700',
  ])('to serve HTTP on %s', (http) => {
    const error = refusal({ http })
    expect(error?.option).toBe('http')
    expect(error?.message).toContain(`"${http}"`)
  })

  it('a shortest suspicion longer than the longest, naming both', () => {
    const error = refusal({ suspicionMinMs: 5_000, suspicionMaxMs: 4_999 })
    expect(error?.option).toBe('suspicionMinMs')
    for (const part of ['5000', 'suspicionMaxMs', '4999']) expect(error?.message).toContain(part)
  })

  it('hints kept longer than half of what deletes are remembered, naming both', () => {
    const error = refusal({ hintAgeMaxMs: 5_001, tombstoneGraceMs: 10_000 })
    expect(error?.option).toBe('hintAgeMaxMs')
    for (const part of ['5001', 'tombstoneGraceMs', '10000']) expect(error?.message).toContain(part)
  })

  it('a batch larger than the queue, naming both', () => {
    const error = refusal({ batchEntriesMax: 101, syncQueueMax: 100 })
    expect(error?.option).toBe('batchEntriesMax')
    for (const part of ['101', 'syncQueueMax', '100']) expect(error?.message).toContain(part)
  })
})

describe('resolveOptions', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('fills in every default that the options document', () => {
    const { logger: _, ...defaults } = resolveOptions()
    expect(defaults).toEqual({
      mesh: 'hearsay',
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: [],
      mdns: false,
      replicas: 3,
      role: 'owner',
      nearBytesMax: 32 * MIB,
      hintBytesMax: 64 * MIB,
      hintAgeMaxMs: 10 * MINUTE_MS,
      maxItems: Number.POSITIVE_INFINITY,
      maxBytes: 256 * MIB,
      http: false,
      flushIntervalMs: 5,
      batchEntriesMax: 500,
      syncQueueMax: 10_000,
      syncTimeoutMs: 10_000,
      preset: 'lan',
      heartbeatIntervalMs: 1_000,
      heartbeatBytesPerSecond: 3_072,
      suspicionPhi: 8,
      suspicionMinMs: 2_000,
      suspicionMaxMs: 3_000,
      joinTimeoutMs: 5_000,
      sweepIntervalMs: 1_000,
      tombstoneGraceMs: 60 * MINUTE_MS,
      tombstonesMax: 1_000_000,
      markersMax: 20_000,
      antiEntropyIntervalMs: 3_000,
      repairBytesPerSecond: 16 * 1024 * 1024,
    })
  })

  it.each([
    ['host', 500, 1_500, 2_500, 5_000, 10_000],
    ['lan', 1_000, 2_000, 3_000, 5_000, 10_000],
    ['wan', 3_000, 5_000, 10_000, 15_000, 30_000],
  ] as const)('sets the timings of a %s', (preset, heartbeat, min, max, join, sync) => {
    expect(resolveOptions({ preset })).toMatchObject({
      heartbeatIntervalMs: heartbeat,
      suspicionMinMs: min,
      suspicionMaxMs: max,
      joinTimeoutMs: join,
      syncTimeoutMs: sync,
    })
  })

  it('sets no timing of a preset that is given by itself, nor one that contradicts it', () => {
    const given = { heartbeatIntervalMs: 20, suspicionMinMs: 12_000, syncTimeoutMs: 7 }
    expect(resolveOptions({ preset: 'wan', ...given })).toMatchObject({
      ...given,
      suspicionMaxMs: 12_000,
    })
  })

  it('takes an option given as undefined for one not given', () => {
    expect(resolveOptions({ mesh: undefined, http: undefined } as PeerOptions)).toMatchObject({
      mesh: 'hearsay',
      http: false,
    })
  })

  it.each<[number, number]>([
    [3_600_000, 600_000],
    [1_200_000, 600_000],
    [1_199_998, 599_999],
    [2_000, 1_000],
  ])('keeps hints for at most half of a grace of %i ms: %i', (tombstoneGraceMs, hintAgeMaxMs) => {
    expect(resolveOptions({ tombstoneGraceMs })).toMatchObject({ hintAgeMaxMs })
  })

  it('gives each peer lists of its own', () => {
    expect(resolveOptions().listen).not.toBe(resolveOptions().listen)
    expect(resolveOptions().bootstrap).not.toBe(resolveOptions().bootstrap)
  })

  it.each<[PeerOptions]>([
    [{ mesh: 'a' }],
    [{ mesh: `${'m'.repeat(63)}1`, name: '0.peer_A-1' }],
    [{ listen: ['/ip4/127.8.9.10/tcp/4001', '/ip6/::1/tcp/0'] }],
    [{ announce: ['/ip4/203.0.113.9/tcp/4001', '/dns/peer.example/tcp/1/p2p/12D3KooWabc'] }],
    [{ bootstrap: ['/ip6/2001:db8::1/tcp/4001', '/dns4/cache/tcp/4001', 'dns://cache:4001'] }],
    [{ http: '127.0.0.1:7700' }],
    [{ http: '127.0.0.1:0' }],
    [{ http: 'localhost:65535' }],
    [{ http: '[::1]:7700' }],
    [{ http: false, mdns: true, replicas: 'all', identity: './peer.key' }],
    [{ replicas: 1, role: 'client' }],
    [{ replicas: 16, role: 'owner' }],
    [{ nearBytesMax: 0, hintBytesMax: MIB, hintAgeMaxMs: 1_000 }],
    [{ hintAgeMaxMs: 5_000, tombstoneGraceMs: 10_000 }],
    [{ maxItems: 1, maxBytes: MIB }],
    [{ maxItems: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }],
    [{ flushIntervalMs: 0, joinTimeoutMs: 0, syncTimeoutMs: 1, sweepIntervalMs: 10 }],
    [{ flushIntervalMs: 10_000, syncTimeoutMs: 2 ** 31 - 1, heartbeatIntervalMs: 60_000 }],
    [{ batchEntriesMax: 1, syncQueueMax: 1 }],
    [{ batchEntriesMax: 10_000, syncQueueMax: 10_000_000 }],
    [{ heartbeatIntervalMs: 20, suspicionPhi: 1, suspicionMinMs: 7, suspicionMaxMs: 7 }],
    [{ tombstoneGraceMs: 1_000, tombstonesMax: 1 }],
  ])('accepts %j as it is', (options) => {
    expect(resolveOptions(options)).toMatchObject(options)
  })

  it('keeps the logger it is given', () => {
    const logger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() }
    resolveOptions({ logger }).logger.warn('clock is off')
    expect(logger.warn).toHaveBeenCalledExactlyOnceWith('clock is off')
  })

  it('writes warnings and errors to the console, and nothing else, without one', () => {
    const written = (['debug', 'info', 'log', 'warn', 'error'] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation(() => {}),
    )
    const { logger } = resolveOptions()
    for (const level of ['debug', 'info', 'warn', 'error'] as const) logger[level]('text')
    expect(written.map((spy) => spy.mock.calls.length)).toEqual([0, 0, 0, 1, 1])
  })
})
