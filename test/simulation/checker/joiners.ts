/**
 * Who says that it is ready has caught up: it holds at least what every member that served when it began had by then.
 */

import { type Record, wins } from '../../../src/testing/checker/records.js'
import type { SimulatedProcess, Simulation } from '../../../src/testing/simulation.js'
import type { Sessions } from './sessions.js'

export class JoinerRules {
  readonly #components: { readonly simulation: Simulation; readonly sessions: Sessions }

  constructor(components: { readonly simulation: Simulation; readonly sessions: Sessions }) {
    this.#components = components
  }

  /** A process begins. */
  watch(process: SimulatedProcess): void {
    const others = this.#components.simulation.running().filter((other) => other !== process)
    if (others.length === 0) return
    // One that is still catching up may pass on less than all.
    if (others.some(({ peer }) => peer.status !== 'serving')) return
    const promised = this.#common(others)
    let isAlone = false
    process.peer.on('alert', ({ code }) => {
      isAlone ||= code === 'serving-alone'
    })
    process.peer.ready().then(
      () => {
        if (isAlone || !process.isRunning) return
        // Who meets none of them, but others that have just started, begins anew with those.
        if (!others.some(({ id }) => isAlive(process, id))) return
        this.#components.sessions.mustHold(process, promised, 'joiner')
      },
      () => {},
    )
  }

  /** For each key, the least of what the processes have. */
  #common(processes: readonly SimulatedProcess[]): Record[] {
    const [first] = processes.map((process) => this.#components.sessions.floors(process))
    return (first?.snapshot() ?? []).flatMap(({ cache, key }) => {
      if (key === undefined) return []
      const floors = processes.map((process) =>
        this.#components.sessions.floors(process).of(cache, key),
      )
      if (floors.some((floor) => floor === undefined)) return []
      const known = floors as Record[]
      const least = known.reduce((least, record) => (wins(least, record) ? record : least))
      // A clear counts for this key here: of others not all may know it.
      return [{ ...least, key }]
    })
  }
}

function isAlive({ peer }: SimulatedProcess, id: string): boolean {
  return peer.members.some((member) => member.id === id && member.state === 'alive')
}
