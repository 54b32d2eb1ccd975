/**
 * One peer of a chaos run, in a process of its own: driven over its channel, dialling through the
 * driver's proxies, under a constant workload. It never outlives its driver.
 */
// First: it bends what the others take from Node.

import type { MemberState, Peer } from '../../api.js'
import { HearsayError } from '../../errors.js'
import { createPeer } from '../../index.js'
import {
  type Answer,
  CACHES,
  type ChildPlan,
  type Command,
  type Contents,
  KEYS,
  type Look,
  type Readings,
  type Report,
} from './messages.js'
import { dialInstead, setClockOffset } from './patches.js'
import { Workload } from './workload.js'

/** How often it looks whether it has stood still, and what is worth telling, in ms. */
const TICK_MS = 100
const STALL_TOLD_MS = 200

const STATES: readonly MemberState[] = ['alive', 'suspect', 'dead', 'left']

let peer: Peer | undefined
let workload: Workload | undefined

async function carryOut(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'route':
      return dialInstead(command.routes)
    case 'start':
      return await start(command.plan)
    case 'ready':
      return await started().ready()
    case 'work':
      return workload?.start()
    case 'rest':
      return await workload?.stop()
    case 'clock':
      return setClockOffset(command.offsetMs)
    case 'look':
      return look(started())
    case 'contents':
      return contentsOf(started())
    case 'read':
      return await readAll(started())
  }
}

async function start(plan: ChildPlan): Promise<{ id: string; addresses: readonly string[] }> {
  const tell = (level: string) => (message: string) => report({ event: 'log', level, message })
  peer = await createPeer({
    mesh: plan.mesh,
    name: plan.name,
    listen: [`/ip4/127.0.0.1/tcp/${plan.port}`],
    bootstrap: [...plan.bootstrap],
    replicas: plan.replicas,
    logger: { debug() {}, info: tell('info'), warn: tell('warn'), error: tell('error') },
  })
  for (const state of STATES) {
    peer.on(`member:${state}`, ({ id }) => report({ event: 'member', id, state }))
  }
  workload = new Workload(peer, plan, report)
  peer.on('alert', ({ code }) => {
    if (code === 'clock-ahead') workload?.clockFellBack()
  })
  return { id: peer.id, addresses: peer.addresses }
}

function started(): Peer {
  if (peer === undefined) throw new Error('the peer has not been started')
  return peer
}

function look(peer: Peer): Look {
  const { status, members, ring } = peer
  const { openPartitions, hintCount, syncQueueSize } = peer.stats()
  const idsOf = (state: MemberState) =>
    members.flatMap((member) => (member.state === state ? [member.id] : [])).sort()
  return {
    status,
    alive: idsOf('alive'),
    suspect: idsOf('suspect'),
    ring: ring.members,
    openPartitions,
    hintCount,
    syncQueueSize,
  }
}

function contentsOf(peer: Peer): Contents {
  const owned = CACHES.flatMap((cache) =>
    KEYS.filter((key) => peer.ring.locate(cache, key).owners.includes(peer.id)).map(
      (key) => [cache, key] as const,
    ),
  )
  const held = CACHES.flatMap((cache) =>
    Array.from(
      peer.cache<string>(cache).local.entries(),
      ({ key, value, version, createdAt, expiresAt }) => {
        return { cache, key, value, version, createdAt, expiresAt }
      },
    ),
  )
  return { owned, held }
}

async function readAll(peer: Peer): Promise<Readings> {
  const found = await Promise.all(
    CACHES.map((cache) => peer.cache<string>(cache).getMany(KEYS, { consistency: 'quorum' })),
  )
  return CACHES.flatMap((cache, index) =>
    KEYS.map((key) => [cache, key, found[index]?.get(key)] as const),
  )
}

/** Resolves when it is on its way, which a SIGKILL does not undo. */
function report(message: Report): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()))
}

let lookedAtMs = performance.now()
setInterval(() => {
  const lateMs = performance.now() - lookedAtMs - TICK_MS
  lookedAtMs = performance.now()
  if (lateMs > STALL_TOLD_MS) report({ event: 'stall', forMs: lateMs })
}, TICK_MS)

process.on('message', ({ number, command }: { number: number; command: Command }) => {
  carryOut(command).then(
    (result) => process.send?.({ answer: number, result } satisfies Answer),
    (error: Error) => {
      const code = error instanceof HearsayError ? error.code : undefined
      process.send?.({ answer: number, error: error.message, code } satisfies Answer)
    },
  )
})
process.on('disconnect', () => process.exit())
// A terminal sends it to all of its processes: the driver says when a child ends.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
