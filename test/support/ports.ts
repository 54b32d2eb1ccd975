/** Ports of this machine: one that is taken, and whether somebody listens. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'

/** Listens on a free port of the loopback interface. */
export async function takenPort(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, server }
}

/** Whether somebody listens on a port of the loopback interface. */
export async function isListening(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  return await new Promise((resolve) => {
    const answer = (open: boolean) => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
  })
}
