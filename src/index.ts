/**
 * hearsay: a peer-to-peer cache mesh with no coordinator.
 *
 * An app embeds a peer; peers find each other, share every Set and Delete by gossip, and converge by last-write-wins
 * on hybrid logical time.
 *
 * @example
 * ```ts
 * import { createPeer } from 'hearsay'
 *
 * const first = await createPeer()
 * const second = await createPeer({ bootstrap: [...first.addresses] })
 * await second.ready()
 *
 * await first.cache('greetings').set('en', 'hello')
 * await first.flush()
 * console.log(await second.cache('greetings').get('en')) // hello
 *
 * await Promise.all([first.stop(), second.stop()])
 * ```
 */
export type * from './api.js'
export type { EventSource } from './emitter.js'
export * from './errors.js'
export type { Logger, PeerOptions, Preset } from './options.js'
export { createPeer } from './peer.js'
