import type { FromEngine, ToEngine } from '#app/contract/engine.ts'
import type { Controls } from './call.ts'
import type { Call, FromWorker, News, ToWorker } from './link.ts'

type Waiting = { call: Call; controls: Controls }

/**
 * The control thread's part of every call: first in, first out, one at a time to the worker. Nothing here waits for the
 * worker, so a cancel is acknowledged at once; a call that is cancelled before its turn never starts.
 */
export function createCallQueue(out: {
  toHost(message: FromEngine): void
  toWorker(message: ToWorker): void
  news(message: News): void
}) {
  const waiting: Waiting[] = []
  let running: number | undefined
  let workerLoaded = false

  const startNext = (): void => {
    if (!workerLoaded || running !== undefined) return
    const next = waiting.shift()
    if (!next) return
    running = next.call.id
    out.toWorker(next)
  }

  const cancel = (id: number): void => {
    if (id === running) {
      out.toHost({ type: 'cancelling', id })
      out.news({ type: 'cancel', id })
      return
    }
    const index = waiting.findIndex(({ call }) => call.id === id)
    if (index < 0) return // it ended while the cancel was on its way
    waiting.splice(index, 1)
    out.toHost({ type: 'cancelling', id })
    out.toHost({ type: 'failed', id, problem: { code: 'cancelled', message: 'Cancelled before it started.' } })
  }

  return {
    fromHost(message: ToEngine): void {
      switch (message.type) {
        case 'call':
          waiting.push({ call: message, controls: undefined })
          return startNext()
        case 'cancel':
          return cancel(message.id)
        case 'controls': {
          const { controls } = message
          const entry = waiting.find(({ call }) => call.id === message.id)
          if (entry) entry.controls = controls
          else if (message.id === running) out.news({ type: 'controls', id: message.id, controls })
          return
        }
        case 'ping':
          return out.toHost({ type: 'pong', id: message.id })
      }
    },
    fromWorker(message: Exclude<FromWorker, { type: 'stats' }>): void {
      if (message.type === 'loaded') {
        workerLoaded = true
        out.toHost({ type: 'ready', pid: process.pid })
      } else {
        out.toHost(message)
        if (message.type === 'event') return
        running = undefined
      }
      startNext()
    },
  }
}
