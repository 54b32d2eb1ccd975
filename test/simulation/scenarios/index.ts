/** All scenarios: runs written by hand, each to prove one thing, and each to be read. */
import type { Scenario } from '../operations.js'
import { ACKS } from './acks.js'
import { CLOCKS } from './clocks.js'
import { DATA } from './data.js'
import { LINKS } from './links.js'
import { MEMBERS } from './members.js'
import { OWNERS } from './owners.js'

export { planOf } from './steps.js'

export const SCENARIOS: readonly Scenario[] = [
  ...LINKS,
  ...MEMBERS,
  ...CLOCKS,
  ...DATA,
  ...ACKS,
  ...OWNERS,
]
