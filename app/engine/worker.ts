import { join } from 'node:path'
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { createHandlers } from './handlers.ts'
import type { FromWorker, News, ToWorker } from './link.ts'
import { createContext, runCall } from './run-call.ts'
import { createWeightHashes } from '#app/catalog/weight-hashes.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'

/**
 * The thread that does the work and may block for as long as a model call takes. Bundled to dist/node/engine-worker.js.
 */
const control = parentPort
if (!control) throw new Error('engine-worker.js is a worker thread of engine.js; it does not run by itself.')
const newsPort = (workerData as { newsPort: MessagePort }).newsPort

const post = (message: FromWorker): void => control.postMessage(message)
const sessions = new SessionCache()
const cacheFolder = process.env['FRAMELOOM_CACHE']
if (cacheFolder !== undefined) sessions.configure({ kernelFile: join(cacheFolder, 'kernels.json') })
const hashes = createWeightHashes(cacheFolder === undefined ? undefined : join(cacheFolder, 'weight-hashes.json'))
const handlers = createHandlers(sessions, hashes)

let statsAt = 0
const postStats = (): void => {
  statsAt = performance.now()
  post({ type: 'stats', stats: sessions.stats() })
}

let hear: (news: News) => boolean = () => false
/** News that overtook its call: they travel on different ports. */
let early: News[] = []
const take = (news: News): void => {
  if (!hear(news)) early.push(news)
}
/** Takes messages off the port without an event loop turn, which a handler between two model calls never gives. */
const poll = (): void => {
  for (let next = receiveMessageOnPort(newsPort); next; next = receiveMessageOnPort(newsPort))
    take(next.message as News)
  if (performance.now() - statsAt > 1000) postStats()
}
newsPort.on('message', take)

control.on('message', (message: ToWorker) => {
  const call = createContext(message.call.id, message.controls, poll, post)
  hear = call.hear
  early = early.filter((news) => !hear(news) && news.id > message.call.id)
  void runCall(handlers, message, call.context, (reply) => {
    if (reply.type !== 'event') postStats() // so that the status after a call is of after the call
    post(reply)
  })
})

post({ type: 'loaded' })
