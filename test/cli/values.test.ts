/**
 * What people may type, and how figures are shown to them.
 */
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/cli/failure.js'
import { formatBytes, formatMs, formatShare, quantile, shortId } from '../../src/cli/format.js'
import { parseBytes, parseNumber, parsePeerUrl, parseWhole } from '../../src/cli/values.js'

describe('sizes', () => {
  it.each([
    ['268435456', 268_435_456],
    ['512mb', 512_000_000],
    ['512MB', 512_000_000],
    ['1gib', 1_073_741_824],
    ['1.5 GiB', 1_610_612_736],
    ['64KiB', 65_536],
    ['10b', 10],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseBytes('--max-bytes', text)).toBe(bytes)
  })

  it.each(['', 'mb', '1tb', '-1mb', '1e9', '1,5gb', '0x10', 'Infinity'])('refuses %j', (text) => {
    expect(() => parseBytes('--max-bytes', text)).toThrow(UsageError)
    expect(() => parseBytes('--max-bytes', text)).toThrow(`--max-bytes: ${JSON.stringify(text)}`)
  })
})

describe('numbers', () => {
  it.each(['', ' ', 'NaN', 'Infinity', '1e3', '0x10', '1_000', '1ms'])('refuses %j', (text) => {
    expect(() => parseNumber('--ms', text)).toThrow('--ms: ')
    expect(() => parseWhole('N', text, 1, 50)).toThrow('1 to 50')
  })

  it('takes the bounds of a range, and nothing beyond', () => {
    expect(parseWhole('N', '1', 1, 50)).toBe(1)
    expect(parseWhole('N', '50', 1, 50)).toBe(50)
    for (const text of ['0', '51', '-1', '1.5', '99999999999999999999']) {
      expect(() => parseWhole('N', text, 1, 50)).toThrow(`N: ${text} is not`)
    }
  })
})

describe('URLs of peers', () => {
  it.each([
    ['http://127.0.0.1:7700', 'http://127.0.0.1:7700'],
    ['http://127.0.0.1:7700/', 'http://127.0.0.1:7700'],
    ['https://cache.example/mesh/', 'https://cache.example/mesh'],
    ['http://[::1]:7700', 'http://[::1]:7700'],
  ])('%s is taken as %s', (text, url) => {
    expect(parsePeerUrl('--peer', text)).toBe(url)
  })

  it.each(['', '127.0.0.1:7700', 'localhost:7700', '7700', 'file:///etc', 'http://', 'http://a b'])(
    'refuses %j',
    (text) => {
      expect(() => parsePeerUrl('--peer', text)).toThrow(`--peer: ${JSON.stringify(text)} is not`)
    },
  )
})

describe('figures', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [268_435_456, '256 MiB'],
    [2 ** 50, '1024 TiB'],
  ])('%d bytes are shown as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })

  it.each([
    [0, '0 ms'],
    [0.034, '0.03 ms'],
    [-0.25, '-0.25 ms'],
    [1.26, '1.3 ms'],
    [8, '8 ms'],
    [12.6, '13 ms'],
    [4_200, '4.2 s'],
    [600_000, '10 min'],
    [-4_200, '-4.2 s'],
  ])('%d ms are shown as %s', (ms, text) => {
    expect(formatMs(ms)).toBe(text)
  })

  it('shows shares in percent, and the end of an id', () => {
    expect(formatShare(0.125)).toBe('12.5 %')
    expect(shortId('12D3KooWLD5HXzUc52F1xKQ8')).toBe('…52F1xKQ8')
  })

  it('finds quantiles, also of few figures and of none', () => {
    expect(quantile([], 0.5)).toBe(0)
    expect(quantile([7], 0.99)).toBe(7)
    expect(quantile([3, 1, 2], 0.5)).toBe(2)
    expect(quantile([...Array(100).keys()], 0.99)).toBe(98)
  })
})
