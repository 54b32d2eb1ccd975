/**
 * One direction of a connection through a proxy: bytes keep their order, wait while it is cut, and
 * are late by as much as they are told.
 */
import type { Socket } from 'node:net'

/** Bytes that wait to be passed on before the sender is held back. */
const WAITING_BYTES_MAX = 1024 * 1024

/** How a direction behaves. */
export interface FlowSettings {
  readonly isCut: boolean
  readonly delayMs: number
}

/** Bytes, or the end, and when they are to go on, by the monotonic clock, in ms. */
interface Waiting {
  readonly bytes: Buffer | undefined
  readonly dueMs: number
}

/** Passes on what comes from one socket to the other, no faster than that one takes it. */
export class Flow {
  readonly #from: Socket
  readonly #to: Socket
  readonly #waiting: Waiting[] = []
  #settings: FlowSettings
  #waitingBytes = 0
  #isFull = false
  #timer: NodeJS.Timeout | undefined

  constructor(from: Socket, to: Socket, settings: FlowSettings) {
    this.#from = from
    this.#to = to
    this.#settings = settings
    from.on('data', (bytes: Buffer) => this.#take(bytes))
    from.once('end', () => this.#take(undefined))
    from.once('close', () => clearTimeout(this.#timer))
    to.on('drain', () => {
      this.#isFull = false
      this.#pass()
    })
    this.#pace()
  }

  set(settings: FlowSettings): void {
    this.#settings = settings
    this.#pass()
  }

  #take(bytes: Buffer | undefined): void {
    const dueMs = performance.now() + this.#settings.delayMs
    this.#waiting.push({ bytes, dueMs })
    this.#waitingBytes += bytes?.length ?? 0
    this.#pass()
  }

  /** Passes on what is due, in the order in which it came. */
  #pass(): void {
    clearTimeout(this.#timer)
    while (!this.#settings.isCut && !this.#isFull) {
      const [next] = this.#waiting
      if (next === undefined) break
      const waitMs = next.dueMs - performance.now()
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pass(), Math.ceil(waitMs))
        break
      }
      this.#waiting.shift()
      this.#waitingBytes -= next.bytes?.length ?? 0
      if (next.bytes === undefined) this.#to.end()
      else this.#isFull = !this.#to.write(next.bytes)
    }
    this.#pace()
  }

  #pace(): void {
    const { isCut } = this.#settings
    const isHeldBack = isCut || this.#isFull || this.#waitingBytes > WAITING_BYTES_MAX
    if (isHeldBack) this.#from.pause()
    else this.#from.resume()
  }
}
