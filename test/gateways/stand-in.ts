/**
 * A gateway over a stand-in for a peer, for what a real one does not do on demand: to fail, to be slow, to have
 * much to tell.
 */
import { afterEach } from 'vitest'
import type { Cache, Peer, PeerEvents } from '../../src/api.js'
import { Emitter } from '../../src/emitter.js'
import { type HttpGateway, startHttpGateway } from '../../src/gateways/http/index.js'
import { recordingLogger } from './client.js'

/** Gateways to be closed after the test. */
const gateways: HttpGateway[] = []

afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close()))
})

/** The stand-in has what the test gives it, and nothing else. */
export async function gatewayOver(
  parts: { peer?: Partial<Peer>; cache?: Partial<Cache>; address?: string } = {},
) {
  const emitter = new Emitter<PeerEvents>((error) => {
    throw error
  })
  const { logger, lines } = recordingLogger()
  const peer = {
    status: 'serving',
    on: emitter.on.bind(emitter),
    cache: () => parts.cache,
    ...parts.peer,
  } as Peer
  const gateway = await startHttpGateway(peer, { address: parts.address ?? '127.0.0.1:0', logger })
  gateways.push(gateway)
  return { gateway, url: gateway.url, emitter, lines }
}

/** A write of text. */
export const PUT = { method: 'PUT', body: 'text', headers: { 'content-type': 'text/plain' } }
