/** Waiting that can be given up, where the work itself cannot. */

/** All who wait on one signal. To the signal they are one listener: Node takes more than ten for a leak, and warns. */
class Waiters {
  readonly #signal: AbortSignal
  readonly #listeners = new Set<() => void>()
  readonly #aborted = () => {
    bySignal.delete(this.#signal)
    for (const listener of this.#listeners) listener()
  }

  constructor(signal: AbortSignal) {
    this.#signal = signal
    bySignal.set(signal, this)
    signal.addEventListener('abort', this.#aborted, { once: true })
  }

  add(listener: () => void): void {
    this.#listeners.add(listener)
  }

  delete(listener: () => void): void {
    this.#listeners.delete(listener)
    if (this.#listeners.size > 0 || bySignal.get(this.#signal) !== this) return
    bySignal.delete(this.#signal)
    this.#signal.removeEventListener('abort', this.#aborted)
  }
}

const bySignal = new WeakMap<AbortSignal, Waiters>()

/**
 * Calls `listener`, which must not throw, once the signal aborts; never, when it has.
 * @returns what ends that
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const waiters = bySignal.get(signal) ?? new Waiters(signal)
  waiters.add(listener)
  return () => waiters.delete(listener)
}

/** Waits for `promise`, or until the signal aborts; then nobody minds how the promise ends. @throws the signal's reason */
export async function abortable<Result>(
  promise: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return promise
  if (signal.aborted) {
    promise.catch(() => {})
    throw signal.reason
  }
  return new Promise<Result>((resolve, reject) => {
    const settled = onAbort(signal, () => reject(signal.reason))
    promise.then(resolve, reject).finally(settled)
  })
}
