/** How long a joiner takes until it has 100,000 entries of 100 bytes. */
import { PeerProcess, withMesh } from '../support/processes/peers.js'
import type { Line } from './run.js'

const ENTRIES = 100_000
const BYTES = 100

export async function join(): Promise<Line[]> {
  return await withMesh(
    2,
    async ([first]) => {
      const fillMs = (await first?.ask({ do: 'fill', count: ENTRIES, bytes: BYTES })) as number
      const joiner = new PeerProcess()
      try {
        const { tookMs } = await joiner.start({
          mesh: 'bench-join',
          bootstrap: [...(first?.started?.addresses ?? [])],
        })
        const size = await joiner.ask({ do: 'size' })
        if (size !== ENTRIES) throw new Error(`the joiner has ${size} of ${ENTRIES} entries`)
        return [
          {
            what: `${ENTRIES} sets of ${BYTES} B, confirmed by 2 processes`,
            figure: (ENTRIES / fillMs) * 1_000,
            unit: 'sets/s',
          },
          {
            what: `a joiner has ${ENTRIES} entries of ${BYTES} B, createPeer to ready`,
            figure: tookMs,
            unit: 'ms',
            wanted: 2_000,
          },
        ]
      } finally {
        await joiner.end()
      }
    },
    { mesh: 'bench-join' },
  )
}
