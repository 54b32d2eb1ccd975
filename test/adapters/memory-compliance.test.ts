/** The network in memory keeps the promises of a transport, on simulated time and on the system's. */
import { MemoryNetwork } from '../../src/adapters/memory/network.js'
import { SimulatedRandom } from '../../src/adapters/simulated/random.js'
import { SimulatedTime } from '../../src/adapters/simulated/time.js'
import { systemClock, systemScheduler } from '../../src/adapters/system/runtime.js'
import { FRAME_BYTES_MAX } from '../../src/protocol/limits.js'
import type { Clock, Scheduler } from '../../src/services/ports.js'
import { testSeed } from '../support/random.js'
import { type Bench, describeTransport } from './transport-compliance.js'
import { waitFor } from './wait.js'

const seed = testSeed()

function networkOn(time: { readonly clock: Clock; readonly scheduler: Scheduler }) {
  const network = new MemoryNetwork(
    { ...time, random: new SimulatedRandom(seed) },
    { frameBytesMax: FRAME_BYTES_MAX },
  )
  let count = 0
  const transport: Bench['transport'] = async ({ identityOf } = {}) =>
    network.transport({ id: identityOf?.id ?? `p${++count}` })
  return { transport, vacantAddress: async () => '/ip4/127.0.0.1/tcp/9' }
}

describeTransport(`in memory, simulated time, seed ${seed}`, async () => {
  const time = new SimulatedTime()
  return {
    ...networkOn({ clock: time, scheduler: time }),
    run: (promise) => time.settled(promise),
    until: (condition) => time.runUntil(condition),
    pass: (ms) => time.advance(ms),
  }
})

describeTransport(`in memory, real time, seed ${seed}`, async () => ({
  ...networkOn({ clock: systemClock, scheduler: systemScheduler }),
  run: (promise) => promise,
  until: waitFor,
  pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}))
