/** Meshes of processes whose links can be cut. */
import type { PeerOptions } from 'hearsay'
import { Links } from '../../../src/cli/chaos/links.js'
import { vacantPort } from '../../../src/cli/free-port.js'
import { Child, untilSettled } from './children.js'

/** How often a port that was free a moment ago may be taken by somebody else before a child listens. */
const PORT_TRIES_MAX = 5

interface Linked {
  readonly children: Child[]
  readonly links: Links
}

/**
 * Runs `work` with `count` owners of one mesh that reach each other by links, named by their places, once each has taken over
 * what it owns; and ends them whatever happens.
 */
export async function withLinkedChildren<T>(
  count: number,
  work: (children: Child[], links: Links) => Promise<T>,
  options: PeerOptions = {},
): Promise<T> {
  const linked = await start(count, options)
  try {
    await untilSettled(linked.children)
    return await work(linked.children, linked.links)
  } finally {
    await end(linked)
  }
}

async function start(count: number, options: PeerOptions): Promise<Linked> {
  for (let tries = 1; ; tries++) {
    const linked = {
      children: Array.from({ length: count }, () => new Child()),
      links: new Links(),
    }
    try {
      await tryStart(linked, options)
      return linked
    } catch (error) {
      await end(linked)
      const isTaken = (error as { code?: string }).code === 'ADDRESS_IN_USE'
      if (!isTaken || tries >= PORT_TRIES_MAX) throw error
    }
  }
}

async function tryStart({ children, links }: Linked, options: PeerOptions): Promise<void> {
  const ports: number[] = []
  for (const _ of children) ports.push(await vacantPort())
  const routes = await links.open(ports)
  const mesh = `mesh-${process.pid}-${ports[0]}`
  const listens = ports.map((port) => `/ip4/127.0.0.1/tcp/${port}`)
  for (const [index, child] of children.entries()) {
    await child.ask({ do: 'route', ports: routes[index] ?? [] })
    const bootstrap = listens.slice(0, Math.min(index, 1))
    await child.start({ mesh, ...options, listen: listens.slice(index, index + 1), bootstrap })
  }
}

async function end({ children, links }: Linked): Promise<void> {
  links.close()
  await Promise.all(children.map((child) => child.end()))
}
