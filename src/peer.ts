/**
 * createPeer(): the one place that joins the services to the adapters.
 */
import { randomBytes } from 'node:crypto'
import { loadHash64 } from './adapters/system/hash.js'
import { HistogramLatency } from './adapters/system/latency.js'
import {
  SystemLoopMonitor,
  systemClock,
  systemRandom,
  systemScheduler,
} from './adapters/system/runtime.js'
import type { Peer } from './api.js'
import { MeshPeer } from './mesh-peer.js'
import { type PeerOptions, resolveOptions } from './options.js'
import type { Runtime } from './services/ports.js'

/**
 * Starts a peer. It resolves when the peer listens and has begun to look for the mesh; `peer.ready()` resolves when
 * it has caught up.
 *
 * @throws InvalidOptionError, AddressInUseError, ListenError, IdentityError
 * @example
 * ```ts
 * const peer = await createPeer({ mesh: 'shop', bootstrap: ['/dns4/cache/tcp/4001'] })
 * const users = peer.cache<User>('users', { ttl: 60_000 })
 * await users.set('42', { name: 'Ada' })
 * await users.get('42')
 * await peer.stop({ drain: true })
 * ```
 */
export async function createPeer(options: PeerOptions = {}): Promise<Peer> {
  const resolved = resolveOptions(options)
  const [hash, { Libp2pTransport, loadIdentity }] = await Promise.all([
    loadHash64(),
    import('./adapters/libp2p/index.js'),
  ])
  const transport = new Libp2pTransport({
    privateKey: await loadIdentity(resolved.identity),
    listen: resolved.listen,
    announce: resolved.announce,
    mdns: resolved.mdns,
  })
  const runtime: Runtime = {
    clock: systemClock,
    scheduler: systemScheduler,
    random: systemRandom,
    log: resolved.logger,
  }
  const { http, logger } = resolved
  const openGateway = async (peer: Peer) => {
    const { startHttpGateway } = await import('./gateways/http/index.js')
    return await startHttpGateway(peer, { address: http as string, logger })
  }
  const peer = new MeshPeer(
    {
      runtime,
      transport,
      hash,
      loop: new SystemLoopMonitor(),
      latency: new HistogramLatency(systemClock),
      openGateway: http === false ? undefined : openGateway,
    },
    resolved,
    randomBytes(8).toString('hex'),
  )
  await peer.start()
  return peer
}
