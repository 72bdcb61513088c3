import { parentPort } from 'node:worker_threads'
import type { QuickHandlers } from './call.ts'
import { createCountTokens } from './handlers/count-tokens.ts'
import type { FromWorker, ToWorker } from './link.ts'
import { createContext, runCall } from './run-call.ts'

/** The thread for what is answered while the worker runs a model. Bundled to dist/node/engine-quick.js. */
const control = parentPort
if (!control) throw new Error('engine-quick.js is a worker thread of engine.js; it does not run by itself.')

const post = (message: FromWorker): void => control.postMessage(message)
const handlers: QuickHandlers = { countTokens: createCountTokens() }

control.on('message', (message: ToWorker) => {
  const { context } = createContext(message.call.id, message.controls, () => {}, post)
  void runCall(handlers, message, context, post)
})

post({ type: 'loaded' })
