/**
 * Two connections between two peers, of which the one that carries gossip is dropped: from then on gossip between the two
 * is dead for good, although both are connected, unless somebody notices.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { Libp2pTransport, loadIdentity } from '../../src/adapters/libp2p/index.js'
import { createNode, type Node } from '../../src/adapters/libp2p/node.js'
import { loadHash64 } from '../../src/adapters/system/hash.js'
import { HistogramLatency } from '../../src/adapters/system/latency.js'
import {
  SystemLoopMonitor,
  systemClock,
  systemRandom,
  systemScheduler,
} from '../../src/adapters/system/runtime.js'
import { MeshPeer } from '../../src/mesh-peer.js'
import { resolveOptions } from '../../src/options.js'
import { createPeer } from '../../src/peer.js'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

describe('one of two connections that is dropped', () => {
  it.each([
    ['first', 0],
    ['second', 1],
  ])(
    'does not end the exchange of writes: the %s',
    async (_, index) => {
      // Of the same sources as this one: either of the two may be who notices.
      const other = await createPeer({ mesh: 'twice', logger: silent })
      let node: Node | undefined
      const transport = new Libp2pTransport(
        {
          privateKey: await loadIdentity(),
          listen: ['/ip4/127.0.0.1/tcp/0'],
          announce: undefined,
          mdns: false,
        },
        async (options) => {
          node = await createNode(options)
          return node
        },
      )
      const runtime = {
        clock: systemClock,
        scheduler: systemScheduler,
        random: systemRandom,
        log: silent,
      }
      const peer = new MeshPeer(
        {
          runtime,
          transport,
          hash: await loadHash64(),
          loop: new SystemLoopMonitor(),
          latency: new HistogramLatency(systemClock),
        },
        resolveOptions({ mesh: 'twice', bootstrap: [...other.addresses], logger: silent }),
        'this one',
      )
      await peer.start()
      try {
        await peer.ready()
        await node?.dial(
          other.addresses.map((address) => multiaddr(address)),
          { force: true },
        )
        const connections = node?.getConnections()
        expect(connections).toHaveLength(2)
        await sleep(200)
        expect(transport.gossipsWith(other.id)).toBe(true)
        await connections?.[index]?.close()
        // What gossip goes over is the first: without it the two stay connected, and deaf.
        if (index === 0) await expect.poll(() => transport.gossipsWith(other.id)).toBe(false)
        expect(transport.isConnected(other.id)).toBe(true)

        const [here, there] = [peer.cache('bench'), other.cache('bench')]
        // Written again and again: what is lost while gossip is dead would be made up for all the same.
        await expect
          .poll(
            async () => {
              await here.set('here', 'there')
              await peer.flush().catch(() => {})
              return [transport.gossipsWith(other.id), await there.get('here')]
            },
            { timeout: 20_000, interval: 100 },
          )
          .toEqual([true, 'there'])
        await there.set('back', 'again')
        await other.flush()
        expect(here.peek('back')).toBe('again')
      } finally {
        await peer.stop()
        await other.stop()
      }
    },
    60_000,
  )
})
