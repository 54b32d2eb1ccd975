/** A clock that moves only when it is told to. */
export class FakeClock {
  /** Wall time in ms; a test may set it back or forth. */
  wallMs: number
  #monotonicMs = 0

  constructor(wallMs = 1_000_000) {
    this.wallMs = wallMs
  }

  now = (): number => this.wallMs

  monotonicMs = (): number => this.#monotonicMs

  /** Lets time pass, on both clocks. */
  advance(ms: number): void {
    this.wallMs += ms
    this.#monotonicMs += ms
  }
}
