/**
 * A peer as in `../bench/mesh/child.ts` that does not hear a part of what others publish: of the writes that come over the
 * network, a share as told by the environment is lost before the peer sees it.
 */
interface Receiver {
  receive(author: string, bytes: Uint8Array): void
}

const share = Number(process.env.HEARSAY_TEST_LOSS)
let isLossy = share > 0
let lostCount = 0

// The built package, as the peer itself loads it; a variable, for type checkers know of no such file.
const url = new URL('../../dist/services/replication.js', import.meta.url).href
const { Replication } = (await import(url)) as { Replication: { prototype: Receiver } }
const { receive } = Replication.prototype
Replication.prototype.receive = function (this: Receiver, author, bytes) {
  if (isLossy && Math.random() < share) lostCount++
  else receive.call(this, author, bytes)
}

// Whoever listens first starts the channel: the peer is to hear all that is said to it.
await import('../bench/mesh/child.js')

process.on('message', (message: { loss?: 'end' }) => {
  if (message.loss !== 'end') return
  isLossy = false
  process.send?.({ event: 'lost', count: lostCount })
})
