/** The transport of production keeps the promises of a transport, over real TCP on the loopback interface. */
import { createServer } from 'node:net'
import type { PrivateKey } from '@libp2p/interface'
import { Libp2pTransport, loadIdentity } from '../../src/adapters/libp2p/index.js'
import type { Transport } from '../../src/services/ports.js'
import { type Bench, describeTransport } from './transport-compliance.js'
import { waitFor } from './wait.js'

describeTransport('over libp2p', async () => {
  const keys = new Map<Transport, PrivateKey>()
  const transport: Bench['transport'] = async ({ identityOf } = {}) => {
    const privateKey = (identityOf && keys.get(identityOf)) ?? (await loadIdentity())
    const made = new Libp2pTransport({
      privateKey,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: undefined,
      mdns: false,
    })
    keys.set(made, privateKey)
    return made
  }
  return {
    transport,
    vacantAddress,
    run: (promise) => promise,
    until: waitFor,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }
})

/** An address that was free a moment ago. */
async function vacantAddress(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return `/ip4/127.0.0.1/tcp/${address.port}`
}
