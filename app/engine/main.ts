import { writeSync } from 'node:fs'
import { MessageChannel, SHARE_ENV, Worker, type WorkerOptions } from 'node:worker_threads'
import type { FromEngine, ToEngine } from '#app/contract/engine.ts'
import { createCallQueue } from './call-queue.ts'
import { faultPoint } from './fault.ts'
import type { FromWorker } from './link.ts'
import { findFfmpeg } from '#app/media/node/find-ffmpeg.ts'
import { readMemory } from '#app/runtime/memory.ts'
import { noSessions, type SessionStats } from '#app/runtime/stats.ts'

/**
 * The engine process: forked by the host with an 'advanced' channel. This thread only carries messages, so that it
 * answers within milliseconds whatever the worker does. Bundled to dist/node/engine.js.
 */
const fail = (reason: string): never => {
  writeSync(2, `Engine problem: ${reason}\n`)
  process.exit(1)
}

if (process.versions['electron'])
  fail('it runs in Electron, whose allocator ends the process at 2 GiB. It needs a plain Node binary.')
if (!process.send) fail('it has no channel to a host. Start Frameloom with `npm start` or `frameloom`.')

// Not process.exit: that waits for the worker, which may be inside a model call for minutes, and ending a worker there
// aborts.
const end = (): boolean => process.kill(process.pid, 'SIGKILL')
process.on('disconnect', end)
// Ctrl+C reaches the whole process group; the host decides what it means and cancels.
process.on('SIGINT', () => {})
process.on('uncaughtException', (error) => {
  writeSync(2, `Engine problem: ${error.stack}\n`)
  end()
})

const toHost = (message: FromEngine): void => {
  if (process.connected) process.send?.(message)
}

faultPoint('start')
const { port1: newsPort, port2 } = new MessageChannel()
const startThread = (file: string, name: string, options: WorkerOptions = {}): Worker =>
  new Worker(new URL(file, import.meta.url), options)
    .on('error', (error) => fail(`the ${name} failed: ${error instanceof Error ? error.stack : String(error)}`))
    .on('exit', (code) => fail(`the ${name} ended with code ${code}`))
const worker = startThread('./engine-worker.js', 'worker thread', {
  workerData: { newsPort: port2 },
  transferList: [port2],
  // Its own copy would hide from native code what it sets.
  env: SHARE_ENV,
})

const queue = createCallQueue({
  toHost,
  toWorker: (message) => worker.postMessage(message),
  news: (message) => newsPort.postMessage(message),
})

let stats: SessionStats = noSessions
let hasFfmpeg = false
void findFfmpeg().then(
  () => (hasFfmpeg = true),
  () => {},
)
const sendStatus = (): void => {
  const { budgetBytes, usedBytes, ...rest } = stats
  toHost({ type: 'status', status: { ...rest, hasFfmpeg, memory: { budgetBytes, usedBytes, ...readMemory() } } })
}
setInterval(sendStatus, 1000)

worker.on('message', (message: FromWorker) => {
  if (message.type === 'stats') {
    stats = message.stats
    sendStatus()
  } else queue.fromWorker(message)
})

/** Does what is quick, while the worker may be in the middle of a run. Started with the first call of that kind. */
let quick: Worker | undefined
const quickQueue = createCallQueue({
  toHost: (message) => message.type !== 'ready' && toHost(message),
  toWorker: (message) => quick?.postMessage(message),
  news: () => {}, // what runs there has ended before it could hear of anything
})
function startQuick(): Worker {
  const thread = startThread('./engine-quick.js', 'quick thread')
  return thread.on('message', (message: Exclude<FromWorker, { type: 'stats' }>) => quickQueue.fromWorker(message))
}

process.on('message', (message: ToEngine) => {
  if (message.type === 'ping') faultPoint('ping')
  const isQuick = message.type === 'call' && message.method === 'countTokens'
  if (isQuick) quick ??= startQuick()
  if (isQuick || message.type === 'cancel') quickQueue.fromHost(message)
  if (!isQuick) queue.fromHost(message)
})
