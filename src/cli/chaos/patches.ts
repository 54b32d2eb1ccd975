/**
 * What is bent in a child of a chaos run, and in no other process: whom it reaches when it dials a
 * port, and what time its wall clock shows. To be imported before anything that dials.
 */
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import type { Route } from './links.js'

const routes = new Map<number, number>()

const dial = net.connect
const instead = ((options: net.TcpNetConnectOpts, ...rest: []) =>
  dial({ ...options, port: routes.get(options.port) ?? options.port }, ...rest)) as typeof dial
net.connect = instead
net.createConnection = instead
// Also for those that import the functions by name.
syncBuiltinESMExports()

/** From now on whoever dials one of some ports in this process dials another one. */
export function dialInstead(changes: readonly Route[]): void {
  for (const [port, other] of changes) routes.set(port, other)
}

const realNow = Date.now
let offsetMs = 0
Date.now = () => realNow() + offsetMs

/** From now on the wall clock of this process is so far ahead of the machine's, in ms. */
export function setClockOffset(ms: number): void {
  offsetMs = ms
}
