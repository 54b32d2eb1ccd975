/**
 * Reads what people type: sizes, numbers, URLs. Each parser names the flag, the value and what
 * would do.
 */
import { UsageError } from './failure.js'

/** Bytes by unit: `mb` is a million, `mib` is 1024 × 1024. */
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
}

/** Reads a size such as `512mb`, `1.5gib` or `268435456`, in bytes. */
export function parseBytes(flag: string, text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? []
  const factor = UNITS[unit.toLowerCase()]
  if (digits === '' || factor === undefined) {
    throw new UsageError(
      `${flag}: ${JSON.stringify(text)} is not a size such as 512mb, 1gib or 268435456`,
    )
  }
  return Math.floor(Number(digits) * factor)
}

/** Reads a decimal number; its bounds are for whoever takes it. */
export function parseNumber(flag: string, text: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(text)) {
    throw new UsageError(`${flag}: ${JSON.stringify(text)} is not a number`)
  }
  return Number(text)
}

/** Reads a whole number between two bounds. */
export function parseWhole(flag: string, text: string, min: number, max: number): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) {
    throw new UsageError(`${flag}: ${text} is not a whole number from ${min} to ${max}`)
  }
  return value
}

/** Reads the base URL of a peer's HTTP gateway; the result has no slash at its end. */
export function parsePeerUrl(flag: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    throw new UsageError(
      `${flag}: ${JSON.stringify(text)} is not a URL such as http://127.0.0.1:7700`,
    )
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}
