/** Waiting in real time, for a condition and never for a fixed while. */

/** Longest wait, in ms: far more than anything here takes on a busy machine. */
const PATIENCE_MS = 10_000

export async function waitFor(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`not so in time: ${String(condition)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
