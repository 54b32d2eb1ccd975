/** What a peer tells of its own start. */
import { expect, it } from 'vitest'
import type { Alert } from '../src/api.js'
import { SimulatedMesh } from './support/mesh.js'

it('tells whoever listens as soon as it has started what happened before', async () => {
  const mesh = new SimulatedMesh(1)
  const process = mesh.process({ bootstrap: ['/ip4/127.0.0.1/tcp/9'], joinTimeoutMs: 0 })
  await mesh.launch(process)
  // It gave up looking for others while it started.
  expect(process.peer.status).toBe('serving')
  const alerts: Alert[] = []
  process.peer.on('alert', (alert) => alerts.push(alert))
  await mesh.advance(1)
  expect(alerts).toEqual([expect.objectContaining({ code: 'serving-alone' })])
})
