import { writeSync } from 'node:fs'
import { MessageChannel, SHARE_ENV, Worker } from 'node:worker_threads'
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
const worker = new Worker(new URL('./engine-worker.js', import.meta.url), {
  workerData: { newsPort: port2 },
  transferList: [port2],
  // Its own copy would hide from native code what it sets.
  env: SHARE_ENV,
})
worker.on('error', (error) => fail(`the worker thread failed: ${error instanceof Error ? error.stack : String(error)}`))
worker.on('exit', (code) => fail(`the worker thread ended with code ${code}`))

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
process.on('message', (message: ToEngine) => {
  if (message.type === 'ping') faultPoint('ping')
  queue.fromHost(message)
})
