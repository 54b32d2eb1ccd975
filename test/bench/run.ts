/**
 * The benchmarks: prints figures beside what is wanted. Nothing here fails for being slow; run it on an idle machine.
 *
 *   npm run bench               everything
 *   npm run bench -- kill peek  some
 */
import { ack } from './ack.js'
import { kill, stall } from './detection.js'
import { join } from './join.js'
import { memory, peek } from './local.js'
import { installSize, lonePeer, simultaneousStart } from './start.js'
import { visibility } from './visibility.js'

/** One figure. */
export interface Line {
  readonly what: string
  readonly figure: number
  readonly unit: string
  /** At most this is wanted. */
  readonly wanted?: number
}

const BENCHMARKS: Record<string, () => Promise<Line[]>> = {
  start: lonePeer,
  size: installSize,
  five: () => simultaneousStart(5, 2_000),
  twenty: () => simultaneousStart(20, 5_000),
  visibility,
  ack,
  kill,
  stall,
  join,
  peek,
  memory,
}

const names = process.argv.slice(2)
const unknown = names.find((name) => !(name in BENCHMARKS))
if (unknown !== undefined) {
  console.error(`no benchmark ${unknown}; there are ${Object.keys(BENCHMARKS).join(', ')}`)
  process.exit(2)
}
for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
  if (names.length > 0 && !names.includes(name)) continue
  for (const { what, figure, unit, wanted } of await benchmark()) {
    const digits = figure >= 100 || Number.isInteger(figure) ? 0 : 2
    const text = `${figure.toFixed(digits)} ${unit}`.trim()
    const verdict =
      wanted === undefined
        ? ''
        : `   wanted at most ${wanted}: ${figure <= wanted ? 'met' : 'MISSED'}`
    console.log(`${what}: ${text}${verdict}`)
  }
}
process.exit()
