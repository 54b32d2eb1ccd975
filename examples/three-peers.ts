/**
 * Three peers in one script: what one sets the others read, what one deletes is gone for all.
 *
 *   npx tsx examples/three-peers.ts
 *
 * In an app each process has one peer; three in one process show the same, and are easier to watch.
 */
import { createPeer, type MemberInfo } from 'hearsay'

const alice = await createPeer({ mesh: 'three-peers', name: 'alice' })
// One address is enough to begin with: bob and carol learn of each other from alice.
const bootstrap = [...alice.addresses]
const bob = await createPeer({ mesh: 'three-peers', name: 'bob', bootstrap })
const carol = await createPeer({ mesh: 'three-peers', name: 'carol', bootstrap })
await Promise.all([bob.ready(), carol.ready()])
console.log('members:', alice.members.map(({ name, state }) => `${name} ${state}`).join(', '))

// A cache is a named keyspace. Its events tell what happens to it, whoever does it.
const fromAlice = alice.cache<Date>('birthdays')
const fromBob = bob.cache<Date>('birthdays')
const fromCarol = carol.cache<Date>('birthdays')
fromCarol.on('set', ({ key }) => console.log('carol hears that somebody set', key))
fromCarol.on('delete', ({ key }) => console.log('carol hears that somebody deleted', key))

// Values keep their types: a Date comes out as a Date.
await fromAlice.set('Ada', new Date('1815-12-10'))
// A write reaches the others within milliseconds; flush() waits until all of them have it.
await alice.flush()
console.log('bob reads', (await fromBob.get('Ada'))?.getUTCFullYear())
console.log('carol reads', (await fromCarol.get('Ada'))?.getUTCFullYear())

await fromBob.delete('Ada')
await bob.flush()
console.log('alice reads', await fromAlice.get('Ada'))

for (const peer of [alice, bob, carol]) {
  const { setCount, deleteCount, hitCount, missCount } = peer.stats()
  console.log(
    `${peer.name}: ${setCount} sets, ${deleteCount} deletes, ${hitCount} hits, ${missCount} misses`,
  )
}

// One that leaves says so: nobody has to find out.
const left = new Promise<MemberInfo>((resolve) => alice.once('member:left', resolve))
await carol.stop()
console.log('alice hears that', (await left).name, 'left')
await Promise.all([alice.stop(), bob.stop()])
