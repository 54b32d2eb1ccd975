/** Meshes of processes whose links can be cut. */
import type { PeerOptions } from 'hearsay'
import { Links } from '../../../src/cli/chaos/links.js'
import { vacantPort } from '../../support/ports.js'
import { Child, untilSettled } from './children.js'

/**
 * Runs `work` with `count` owners of one mesh that reach each other by links, named by their places, once each has taken over
 * what it owns; and ends them whatever happens.
 */
export async function withLinkedChildren<T>(
  count: number,
  work: (children: Child[], links: Links) => Promise<T>,
  options: PeerOptions = {},
): Promise<T> {
  const children = Array.from({ length: count }, () => new Child())
  const links = new Links()
  try {
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
    await untilSettled(children)
    return await work(children, links)
  } finally {
    links.close()
    await Promise.all(children.map((child) => child.end()))
  }
}
