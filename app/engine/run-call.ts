import { ProblemError, toProblem } from '#app/contract/errors.ts'
import type { CallContext, Controls, Handler, Handlers, QuickHandlers } from './call.ts'
import { faultPoint } from './fault.ts'
import type { FromWorker, News, ToWorker } from './link.ts'
import type { EngineCalls, EngineMethod } from '#app/contract/engine.ts'

type Event = EngineCalls[EngineMethod]['event']
type Result = EngineCalls[EngineMethod]['result']

/** The state of one running call as the control thread reports it; `poll` fetches what has come meanwhile. */
export function createContext(id: number, first: Controls, poll: () => void, post: (message: FromWorker) => void) {
  const controller = new AbortController()
  let controls = first
  const context: CallContext = {
    signal: controller.signal,
    checkCancelled() {
      poll()
      controller.signal.throwIfAborted()
    },
    stage(stage, progress) {
      post({ type: 'event', id, event: { type: 'stage', stage, progress } })
    },
    controls() {
      poll()
      return controls
    },
  }
  /** False when the news is about another call. */
  const hear = (news: News): boolean => {
    if (news.id !== id) return false
    if (news.type === 'controls') controls = news.controls
    else controller.abort(new ProblemError('cancelled', 'Cancelled.'))
    return true
  }
  return { context, hear }
}

const eventIndex = (event: Event): number => ('step' in event ? event.step : 'index' in event ? event.index : 0)

async function resultOf(
  running: ReturnType<Handler<EngineMethod>>,
  context: CallContext,
  onEvent: (event: Event) => void,
): Promise<Result> {
  if (!(Symbol.asyncIterator in running)) return running
  for (;;) {
    const { done, value } = await running.next()
    if (done) return value
    onEvent(value)
    try {
      faultPoint(value.type, eventIndex(value))
      context.checkCancelled()
    } catch (error) {
      await running.return(undefined as never) // lets its `finally` blocks clean up
      throw error
    }
  }
}

/** Runs one call to its end. Never throws: a failure is a message. */
export async function runCall(
  handlers: Handlers | QuickHandlers,
  { call }: ToWorker,
  context: CallContext,
  post: (message: FromWorker) => void,
): Promise<void> {
  const { id, method, request } = call
  try {
    faultPoint(method)
    context.checkCancelled()
    const handler = (handlers as Handlers & QuickHandlers)[method] as Handler<EngineMethod>
    const result = await resultOf(handler(request, context), context, (event) => post({ type: 'event', id, event }))
    post({ type: 'result', id, result })
  } catch (error) {
    // A wait that the signal broke off fails with whatever error its library throws: the reason is still the cancel.
    const problem = context.signal.aborted ? toProblem(context.signal.reason) : toProblem(error)
    if (problem.code === 'internal') console.error(error)
    post({ type: 'failed', id, problem })
  }
}
