/**
 * `Promise.withResolvers` for Node 20: a dependency of libp2p calls it, and it came with Node 22. To be imported before
 * libp2p. (The package that does the same brings ninety others along.)
 */
Promise.withResolvers ??= function withResolvers<T>(this: PromiseConstructor) {
  let resolve!: (value: T | PromiseLike<T>) => void
  let reject!: (reason?: unknown) => void
  const promise = new this<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
