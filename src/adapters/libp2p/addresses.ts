/**
 * Addresses: `dns://host:port` to multiaddrs, and whether somebody listens at one.
 */
import { lookup } from 'node:dns/promises'
import { connect } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { DialError, type Probe } from '../../services/ports.js'

/** How long an address may take to answer a probe, in ms. */
const PROBE_TIMEOUT_MS = 1_000

/** Every multiaddr that `address` stands for. @throws DialError when a name has none */
export async function resolveAddress(address: string): Promise<string[]> {
  const [, host, port] = /^dns:\/\/([^/:]+):(\d+)$/.exec(address) ?? []
  if (host === undefined) return [address]
  try {
    const found = await lookup(host, { all: true })
    return found.map(({ address: ip, family }) => `/ip${family}/${ip}/tcp/${port}`)
  } catch (cause) {
    throw new DialError('unreachable', `${host} has no address: ${(cause as Error).message}`, {
      cause,
    })
  }
}

/** What an address answers to a TCP connection that is closed as soon as it opens. */
export async function probeAddress(address: string): Promise<Probe> {
  const { host, port } = multiaddr(address).toOptions()
  return await new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS })
    const answer = (probe: Probe) => {
      socket.destroy()
      resolve(probe)
    }
    socket.once('connect', () => answer('open'))
    socket.once('timeout', () => answer('silent'))
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      answer(code === 'ECONNREFUSED' ? 'refused' : 'silent'),
    )
  })
}
