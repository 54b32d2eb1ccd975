/**
 * The benchmarks: prints figures beside what is wanted. Nothing here fails for being slow; run it on an idle machine.
 *
 *   npm run bench               everything, but for `profile` and those that take long: `busy`, `idle`, `growth`
 *   npm run bench -- kill peek  some
 */
import { ack } from './ack.js'
import { busy } from './busy.js'
import { kill, silence, stall } from './detection.js'
import { growth } from './growth.js'
import { idle } from './idle.js'
import { join } from './join.js'
import { memory, peek } from './local.js'
import { moves } from './moves.js'
import { profile } from './profile.js'
import { remote } from './remote.js'
import { repair } from './repair.js'
import { splits } from './splits.js'
import { installSize, lonePeer, simultaneousStart } from './start.js'
import { throughput } from './throughput.js'
import { visibility } from './visibility.js'
import { wire } from './wire.js'

/** One figure. */
export interface Line {
  readonly what: string
  readonly figure: number
  readonly unit: string
  /** At most this is wanted. */
  readonly wanted?: number
  /** At least this is wanted. */
  readonly wantedAtLeast?: number
}

const BENCHMARKS: Record<string, () => Promise<Line[]>> = {
  start: lonePeer,
  size: installSize,
  five: () => simultaneousStart(5, 2_000),
  twenty: () => simultaneousStart(20, 5_000),
  visibility,
  ack,
  remote,
  throughput,
  wire,
  repair,
  splits,
  moves,
  kill,
  silence,
  stall,
  busy,
  growth,
  idle,
  join,
  peek,
  memory,
  profile,
}

/** Run only where they are asked for. */
const ON_REQUEST = new Set(['profile', 'busy', 'idle', 'growth'])

const names = process.argv.slice(2)
const unknown = names.find((name) => !(name in BENCHMARKS))
if (unknown !== undefined) {
  console.error(`no benchmark ${unknown}; there are ${Object.keys(BENCHMARKS).join(', ')}`)
  process.exit(2)
}
for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
  if (names.length > 0 ? !names.includes(name) : ON_REQUEST.has(name)) continue
  for (const line of await benchmark()) {
    const { what, figure, unit } = line
    const digits = figure >= 100 || Number.isInteger(figure) ? 0 : 2
    const text = `${figure.toFixed(digits)} ${unit}`.trim()
    console.log(`${what}: ${text}${verdict(line)}`)
  }
}
process.exit()

function verdict({ figure, wanted, wantedAtLeast }: Line): string {
  if (wanted !== undefined) {
    return `   wanted at most ${wanted}: ${figure <= wanted ? 'met' : 'MISSED'}`
  }
  if (wantedAtLeast !== undefined) {
    return `   wanted at least ${wantedAtLeast}: ${figure >= wantedAtLeast ? 'met' : 'MISSED'}`
  }
  return ''
}
