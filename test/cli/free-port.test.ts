/**
 * Ports for children: free ones, each given once, also to those who ask at the same time.
 */
import { type AddressInfo, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { FreePorts } from '../../src/cli/free-port.js'

describe('free ports', () => {
  it('skip one that is taken, and are given once each', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const ports = new FreePorts(port)
    const taken = await Promise.all([ports.take(), ports.take(), ports.take()])
    server.close()
    expect(taken).not.toContain(port)
    expect(new Set(taken).size).toBe(3)
    for (const one of taken) expect(one).toBeGreaterThan(port)
  })

  it('are at an end at 65535', async () => {
    const ports = new FreePorts(65_535)
    await ports.take().catch(() => undefined)
    await expect(ports.take()).rejects.toThrow('no port is free from 65535 upwards')
  })
})
