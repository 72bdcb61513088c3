import { expect, test } from 'vitest'
import { ProblemError } from '#app/contract/errors.ts'
import type { CallContext, Handlers } from './call.ts'
import type { FromWorker, News } from './link.ts'
import { createContext, runCall } from './run-call.ts'

const freeu = { s1: 1, s2: 1, b1: 1, b2: 1 }

/** Runs `exportClip` as the given generator; `mail` is what the control thread has sent by then. */
async function run(
  work: (
    context: CallContext,
    mail: News[],
  ) => AsyncGenerator<{ type: 'stage'; stage: string; progress: number }, { bytes: number }>,
) {
  const mail: News[] = []
  const posted: FromWorker[] = []
  const post = (message: FromWorker): void => void posted.push(message)
  const call = createContext(5, undefined, () => mail.splice(0).forEach((news) => call.hear(news)), post)
  const handlers = {
    exportClip: (_request: unknown, context: CallContext) => work(context, mail),
  } as unknown as Handlers
  const request = { file: '', format: 'gif' as const, out: '' }
  const message = {
    call: { type: 'call' as const, id: 5, method: 'exportClip' as const, request },
    controls: undefined,
  }
  const done = runCall(handlers, message, call.context, post)
  return { posted, done }
}
const stage = { type: 'stage', stage: 'x', progress: 0 } as const

test('events, then the result', async () => {
  const { posted, done } = await run(async function* () {
    yield stage
    return { bytes: 3 }
  })
  await done
  expect(posted).toEqual([
    { type: 'event', id: 5, event: stage },
    { type: 'result', id: 5, result: { bytes: 3 } },
  ])
})

test('a stage is told at once, in the middle of work that yields nothing', async () => {
  const { posted, done } = await run(async function* (context) {
    context.stage('at once', 0)
    yield stage
    return { bytes: 3 }
  })
  await done
  expect(posted.slice(0, 2)).toEqual([
    { type: 'event', id: 5, event: { ...stage, stage: 'at once' } },
    { type: 'event', id: 5, event: stage },
  ])
})

test('a cancel that is polled for ends the call after its next event, and the handler cleans up', async () => {
  let cleaned = false
  const { posted, done } = await run(async function* (_, mail) {
    try {
      mail.push({ type: 'cancel', id: 4 }, { type: 'cancel', id: 5 })
      yield stage
      return { bytes: 0 }
    } finally {
      cleaned = true
    }
  })
  await done
  expect(cleaned).toBe(true)
  expect(posted.at(-1)).toMatchObject({ type: 'failed', problem: { code: 'cancelled' } })
})

test('a wait that the signal breaks off is a cancel, whatever its error', async () => {
  const { posted, done } = await run(async function* (context, mail) {
    yield stage
    mail.push({ type: 'cancel', id: 5 })
    try {
      context.checkCancelled()
    } catch {
      throw new Error('AbortError of some library')
    }
    return { bytes: 0 }
  })
  await done
  expect(posted.at(-1)).toMatchObject({ type: 'failed', problem: { code: 'cancelled' } })
})

test('controls are the newest that came', async () => {
  const seen: unknown[] = []
  const { done } = await run(async function* (context, mail) {
    seen.push(context.controls())
    mail.push({ type: 'controls', id: 5, controls: { freeu: null } }, { type: 'controls', id: 5, controls: { freeu } })
    seen.push(context.controls())
    yield stage
    return { bytes: 0 }
  })
  await done
  expect(seen).toEqual([undefined, { freeu }])
})

test('a failure keeps its problem', async () => {
  const { posted, done } = await run(async function* () {
    yield stage
    throw new ProblemError('disk', 'full', { file: 'x' })
  })
  await done
  expect(posted.at(-1)).toEqual({ type: 'failed', id: 5, problem: { code: 'disk', message: 'full', file: 'x' } })
})
