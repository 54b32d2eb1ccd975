/** A CPU profile of this process, summed up. */
import { Session } from 'node:inspector/promises'

/** A share of the time in which the process did anything. */
export interface Share {
  readonly name: string
  readonly share: number
}

/** What a process did between two moments. */
export interface ProfileSummary {
  /** Share of the time in which it did anything. */
  readonly busy: number
  /** By function: the time spent in it, and in nothing that it called. */
  readonly functions: readonly Share[]
  /** The same, by package and by file of our own; `node` is what Node and V8 do themselves, in JavaScript or not. */
  readonly parts: readonly Share[]
}

const SAMPLING_INTERVAL_US = 200

export class Profile {
  readonly #session: Session

  private constructor(session: Session) {
    this.#session = session
  }

  static async begin(): Promise<Profile> {
    const session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US })
    await session.post('Profiler.start')
    return new Profile(session)
  }

  async end(): Promise<ProfileSummary> {
    const { profile } = await this.#session.post('Profiler.stop')
    this.#session.disconnect()
    const frames = new Map(profile.nodes.map((node) => [node.id, node.callFrame]))
    const functions = new Map<string, number>()
    const parts = new Map<string, number>()
    let idleUs = 0
    let busyUs = 0
    for (const [index, id] of (profile.samples ?? []).entries()) {
      const us = profile.timeDeltas?.[index] ?? 0
      const frame = frames.get(id)
      const { functionName = '(idle)', url = '', lineNumber = 0 } = frame ?? {}
      // `dispatch` is the profiler itself.
      if (functionName === '(idle)' || (functionName === 'dispatch' && url === '')) {
        idleUs += us
        continue
      }
      busyUs += us
      const name = functionName || '(anonymous)'
      const where = url === '' ? '' : `  ${shortened(url)}:${lineNumber + 1}`
      add(functions, `${name}${where}`, us)
      add(parts, name === '(garbage collector)' ? name : partOf(url), us)
    }
    const shares = (times: ReadonlyMap<string, number>) =>
      [...times]
        .toSorted(([, a], [, b]) => b - a)
        .slice(0, 60)
        .map(([name, us]) => ({ name, share: us / busyUs }))
    return {
      busy: busyUs / (busyUs + idleUs),
      functions: shares(functions),
      parts: shares(parts),
    }
  }
}

function add(times: Map<string, number>, name: string, us: number): void {
  times.set(name, (times.get(name) ?? 0) + us)
}

/** Of a package its name and file, of our own the last three parts. */
function shortened(url: string): string {
  return inPackages(url) ?? url.split('/').slice(-3).join('/')
}

function partOf(url: string): string {
  if (!url.startsWith('file:')) return 'node'
  const [scope = '', name] = inPackages(url)?.split('/') ?? []
  if (scope === '') return shortened(url)
  return scope.startsWith('@') ? `${scope}/${name}` : scope
}

function inPackages(url: string): string | undefined {
  return /^.*\/node_modules\/(.*)$/.exec(url)?.[1]
}
