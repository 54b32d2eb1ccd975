/** Waiting that can be given up, where the work itself cannot. */

/** Waits for `promise`, or until the signal aborts; then nobody minds how the promise ends. @throws the signal's reason */
export async function abortable<Result>(
  promise: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  if (signal === undefined) return promise
  return new Promise<Result>((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const settled = () => signal.removeEventListener('abort', onAbort)
    promise.then(resolve, reject).finally(settled)
    if (signal.aborted) onAbort()
  })
}
