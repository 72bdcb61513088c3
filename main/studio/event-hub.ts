import type { StudioEvent } from '#app/contract/studio.ts'

export type EventHub = {
  publish(event: StudioEvent): void
  /** A snapshot, then what changes. Ends when the signal fires or the hub closes. */
  subscribe(signal?: AbortSignal): AsyncGenerator<StudioEvent, void>
  readonly subscribers: number
  close(): void
}

/**
 * What an event is about: a newer event about the same thing replaces one that was not taken yet, so a slow page holds
 * little.
 */
function subjectOf(event: StudioEvent): string {
  switch (event.type) {
    case 'job':
      return `job ${event.job.id}`
    case 'job-removed':
      return `job ${event.id}`
    case 'result-added':
      return `result ${event.result.id}`
    case 'result-removed':
      return `result ${event.id}`
    case 'command':
      return `command ${event.id}`
    case 'notice':
      return `notice ${event.message}`
    case 'snapshot':
    case 'engine':
    case 'models':
    case 'settings':
    case 'processor-maps':
      return event.type
  }
}

/** `sound`: an event as the contract allows it, or null when nothing of it can be told. */
export function createEventHub(
  snapshot: () => StudioEvent,
  sound: (event: StudioEvent) => StudioEvent | null = (event) => event,
): EventHub {
  type Subscriber = { waiting: Map<string, StudioEvent>; wake: () => void }
  const subscribers = new Set<Subscriber>()
  let closed = false

  return {
    publish(told) {
      const event = sound(told)
      if (event === null) return
      for (const { waiting, wake } of subscribers) {
        const subject = subjectOf(event)
        waiting.delete(subject) // so that it goes to the end: what a later event builds on comes first
        waiting.set(subject, event)
        wake()
      }
    },
    async *subscribe(signal) {
      const subscriber: Subscriber = { waiting: new Map(), wake: () => {} }
      const wake = (): void => subscriber.wake()
      signal?.addEventListener('abort', wake)
      subscribers.add(subscriber)
      try {
        const first = sound(snapshot())
        if (first) yield first
        while (!closed && !signal?.aborted) {
          const [next] = subscriber.waiting
          if (next) {
            subscriber.waiting.delete(next[0])
            yield next[1]
          } else await new Promise<void>((resolve) => (subscriber.wake = resolve))
        }
      } finally {
        signal?.removeEventListener('abort', wake)
        subscribers.delete(subscriber)
      }
    },
    get subscribers() {
      return subscribers.size
    },
    close() {
      closed = true
      for (const { wake } of subscribers) wake()
    },
  }
}
