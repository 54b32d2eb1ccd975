/**
 * Typed events. A listener that throws harms neither the emitter nor the other listeners: the error goes to
 * `onListenerError`.
 */

/** By event name: each listener, and what is called for it. */
type Listeners<Events> = {
  [Name in keyof Events]?: Map<Listener<Events[Name]>, Listener<Events[Name]>>
}

type Listener<Event> = (event: Event) => void

/** Something that can be listened to. */
export interface EventSource<Events> {
  /** Calls `listener` at each event. Returns a function that stops it. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void
  /** Calls `listener` at the next event only. Returns a function that stops it. */
  once<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void
  /** Stops calling `listener`. */
  off<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): void
}

export class Emitter<Events> implements EventSource<Events> {
  readonly #listeners: Listeners<Events> = {}
  readonly #onListenerError: (error: unknown) => void

  constructor(onListenerError: (error: unknown) => void) {
    this.#onListenerError = onListenerError
  }

  on<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    return this.#add(name, listener, listener)
  }

  once<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): () => void {
    return this.#add(name, listener, (event) => {
      this.off(name, listener)
      listener(event)
    })
  }

  off<Name extends keyof Events>(name: Name, listener: Listener<Events[Name]>): void {
    this.#listeners[name]?.delete(listener)
  }

  /** Whether anybody listens; lets a hot path skip building an event that nobody would see. */
  hears(name: keyof Events): boolean {
    return (this.#listeners[name]?.size ?? 0) > 0
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const listeners = this.#listeners[name]
    if (listeners === undefined) return
    // A copy: a listener added meanwhile hears the next event; one removed meanwhile hears no more.
    for (const [listener, call] of [...listeners]) {
      if (listeners.get(listener) !== call) continue
      try {
        call(event)
      } catch (error) {
        this.#onListenerError(error)
      }
    }
  }

  #add<Name extends keyof Events>(
    name: Name,
    listener: Listener<Events[Name]>,
    call: Listener<Events[Name]>,
  ): () => void {
    let listeners = this.#listeners[name]
    if (listeners === undefined) {
      listeners = new Map()
      this.#listeners[name] = listeners
    }
    listeners.set(listener, call)
    return () => this.off(name, listener)
  }
}
