/** The transport of production, loaded on first use: libp2p is most of hearsay's weight. */

export { loadIdentity } from './identity.js'
export { Libp2pTransport } from './transport.js'
