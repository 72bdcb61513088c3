import { expect, test } from 'vitest'
import type { FromEngine } from '#app/contract/engine.ts'
import { createCallQueue } from './call-queue.ts'
import type { News, ToWorker } from './link.ts'

function start() {
  const toHost: FromEngine[] = []
  const toWorker: number[] = []
  const controls: unknown[] = []
  const news: News[] = []
  const queue = createCallQueue({
    toHost: (message) => toHost.push(message),
    toWorker: (message: ToWorker) => {
      toWorker.push(message.call.id)
      controls.push(message.controls)
    },
    news: (message) => news.push(message),
  })
  const call = (id: number): void => queue.fromHost({ type: 'call', id, method: 'doctor', request: { full: false } })
  const result = (id: number): void => queue.fromWorker({ type: 'result', id, result: null })
  return { queue, toHost, toWorker, controls, news, call, result }
}
const freeu = { s1: 1, s2: 1, b1: 1, b2: 1 }

test('one call at a time, in order, once the worker is there', () => {
  const { queue, toWorker, toHost, call, result } = start()
  call(1)
  call(2)
  expect(toWorker).toEqual([])
  queue.fromWorker({ type: 'loaded' })
  expect(toWorker).toEqual([1])
  result(1)
  expect(toWorker).toEqual([1, 2])
  expect(toHost.map(({ type }) => type)).toEqual(['ready', 'result'])
})

test('a failed call lets the next one start; an event does not', () => {
  const { queue, toWorker, call } = start()
  queue.fromWorker({ type: 'loaded' })
  call(1)
  call(2)
  queue.fromWorker({ type: 'event', id: 1, event: { type: 'note', note: '' } })
  expect(toWorker).toEqual([1])
  queue.fromWorker({ type: 'failed', id: 1, problem: { code: 'internal', message: '' } })
  expect(toWorker).toEqual([1, 2])
})

test('a cancel of the running call is acknowledged at once and passed on', () => {
  const { queue, toHost, news, call } = start()
  queue.fromWorker({ type: 'loaded' })
  call(1)
  queue.fromHost({ type: 'cancel', id: 1 })
  expect(toHost.at(-1)).toEqual({ type: 'cancelling', id: 1 })
  expect(news).toEqual([{ type: 'cancel', id: 1 }])
})

test('a cancelled waiting call ends without having started; a cancel of none is ignored', () => {
  const { queue, toHost, toWorker, news, call, result } = start()
  queue.fromWorker({ type: 'loaded' })
  call(1)
  call(2)
  queue.fromHost({ type: 'cancel', id: 2 })
  expect(toHost.slice(-2)).toMatchObject([
    { type: 'cancelling', id: 2 },
    { type: 'failed', id: 2, problem: { code: 'cancelled' } },
  ])
  result(1)
  queue.fromHost({ type: 'cancel', id: 1 })
  expect(toWorker).toEqual([1])
  expect(news).toEqual([])
})

test('controls of a waiting call travel with it, those of the running one as news', () => {
  const { queue, controls, news, call, result } = start()
  queue.fromWorker({ type: 'loaded' })
  call(1)
  call(2)
  queue.fromHost({ type: 'controls', id: 2, controls: { freeu } })
  queue.fromHost({ type: 'controls', id: 1, controls: { freeu: null } })
  result(1)
  expect(controls).toEqual([undefined, { freeu }])
  expect(news).toEqual([{ type: 'controls', id: 1, controls: { freeu: null } }])
})

test('a ping is answered by its number', () => {
  const { queue, toHost } = start()
  queue.fromHost({ type: 'ping', id: 7 })
  expect(toHost).toEqual([{ type: 'pong', id: 7 }])
})
