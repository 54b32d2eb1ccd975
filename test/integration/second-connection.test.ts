/**
 * Two connections between two peers, of which one is dropped: from then on gossip between the two is dead for good,
 * although both are connected, unless somebody notices.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { Libp2pTransport, loadIdentity } from '../../src/adapters/libp2p/index.js'
import { createNode, type Node } from '../../src/adapters/libp2p/node.js'
import { loadHash64 } from '../../src/adapters/system/hash.js'
import { HistogramLatency } from '../../src/adapters/system/latency.js'
import { systemClock, systemRandom, systemScheduler } from '../../src/adapters/system/runtime.js'
import { MeshPeer } from '../../src/mesh-peer.js'
import { resolveOptions } from '../../src/options.js'
import { PeerProcess } from '../support/processes/peers.js'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

describe('a second connection that is dropped', () => {
  it('does not end the exchange of writes', async () => {
    const other = new PeerProcess()
    const { addresses } = await other.start({ mesh: 'twice' })
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
      { runtime, transport, hash: await loadHash64(), latency: new HistogramLatency(systemClock) },
      resolveOptions({ mesh: 'twice', bootstrap: [...addresses], logger: silent }),
      'this one',
    )
    await peer.start()
    try {
      await peer.ready()
      const [address] = addresses
      const second = await node?.dial(multiaddr(address), { force: true })
      expect(node?.getConnections()).toHaveLength(2)
      await sleep(200)
      await second?.close()

      const cache = peer.cache('bench')
      // Written again and again: what is lost while gossip is dead would be made up for all the same.
      await expect
        .poll(
          async () => {
            await cache.set('here', 'there')
            await peer.flush().catch(() => {})
            return [
              node !== undefined && transport.gossipsWith(other.id),
              await other.ask({ do: 'get', key: 'here' }),
            ]
          },
          { timeout: 20_000, interval: 100 },
        )
        .toEqual([true, 'there'])
      await other.ask({ do: 'set', key: 'back', value: 'again' })
      await other.ask({ do: 'flush' })
      expect(cache.peek('back')).toBe('again')
    } finally {
      await peer.stop()
      await other.end()
    }
  }, 60_000)
})
