/** A process of `simulate --jobs`: runs the seeds that it is sent, one by one, for as long as its parent is there. */
import type { GenerateOptions } from '../generate.js'
import { runSeed } from './seeds.js'

const options = JSON.parse(process.argv[2] ?? '{}') as GenerateOptions

process.on('message', ({ seed }: { seed: number }) => {
  void runSeed(seed, options).then((outcome) => process.send?.(outcome))
})

// However the parent ends.
process.on('disconnect', () => process.exit())

// Ctrl-C in a terminal reaches both: the parent decides.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
