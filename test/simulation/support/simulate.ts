/** Runs the command `simulate` as a process of its own, as `npm run simulate` does. */
import { fileURLToPath } from 'node:url'
import { execa, type Options, type ResultPromise } from 'execa'
import { afterAll } from 'vitest'

const COMMAND = fileURLToPath(new URL('../simulate.ts', import.meta.url))
const MISTAKE = new URL('./mistake.ts', import.meta.url).href

/** A started command. Resolves when it and all its workers have ended, whatever the exit code. */
export type Simulating = ResultPromise<{ reject: false }>

const running = new Set<Simulating>()

afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
})

/** @param options `hasMistake`: the mesh makes a mistake that the checker finds */
export function simulate(
  args: readonly string[],
  { hasMistake = false, ...options }: Options & { readonly hasMistake?: boolean } = {},
): Simulating {
  const imports = ['--import', 'tsx', ...(hasMistake ? ['--import', MISTAKE] : [])]
  const child = execa('node', [...imports, COMMAND, ...args], {
    reject: false,
    stdin: 'ignore',
    maxBuffer: 256 * 1024 * 1024,
    ...options,
    env: { NO_COLOR: '1' },
  }) as unknown as Simulating
  running.add(child)
  child.finally(() => running.delete(child))
  return child
}
