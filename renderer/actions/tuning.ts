import { toProblem } from '#app/contract/errors.ts'
import type { Proposal, Tuning } from '#app/contract/profile.ts'
import { draftStore, editDraft, toRun } from '#renderer/store/draft.ts'
import { callHost } from '#renderer/store/host.ts'
import { tuningStore, type TuningState } from '#renderer/store/tuning.ts'
import { tell, tellFailure } from '#renderer/store/toasts.ts'

type Measured<T> = { type: 'stage'; stage: string; progress: number } | { type: 'done'; result: T }

let stopping: AbortController | undefined

/** Measures the blocks and layers of the form's model under the form's settings. */
export function profileDraft(): Promise<void> {
  const run = toRun(draftStore.getState())
  return measure(
    'profile',
    (signal) => callStream((host) => host.profile(run, { signal })),
    (profile) => ({ profile }),
  )
}

/** Looks for faster and smaller ways to run it. `memoryBytes`: what a step may take beside the weights. */
export function autotuneDraft(memoryBytes: number | null): Promise<void> {
  const run = toRun(draftStore.getState())
  return measure(
    'autotune',
    (signal) => callStream((host) => host.autotune({ run, memoryBytes }, { signal })),
    (report) => ({ report }),
  )
}

export function stopMeasuring(): void {
  stopping?.abort()
}

/** Puts a proposal into the form, and keeps it for this model and size. */
export async function takeProposal({ name, measured, attnProcessor, forwardChunking }: Proposal): Promise<void> {
  const run = toRun(draftStore.getState())
  applyTuning({ attnProcessor, forwardChunking })
  const tuning = { name, measured, attnProcessor, forwardChunking }
  try {
    await callHost((host) => host.keepTuning({ run, tuning }))
    tell('success', `${name} is in use`, 'It is kept for this model and size.')
    await findKept()
  } catch (error) {
    tellFailure('The proposal is in use, but could not be kept', error)
  }
}

export function applyTuning({ attnProcessor, forwardChunking }: Tuning): void {
  editDraft({
    attnProcessor,
    fuseQkv: false,
    chunkingOn: forwardChunking !== null,
    ...(forwardChunking && { forwardChunking }),
  })
}

/** Asks the host what was chosen before for the form's model and size. Settings that cannot be run have nothing. */
export async function findKept(): Promise<void> {
  const run = toRun(draftStore.getState())
  const kept = await callHost((host) => host.keptTuning(run)).catch(() => null)
  tuningStore.setState({ kept })
}

type Client = Parameters<Parameters<typeof callHost>[0]>[0]

/** A call whose answer comes as events; failures on the way are ProblemErrors too. */
async function* callStream<T>(open: (host: Client) => Promise<AsyncIterable<T>>): AsyncGenerator<T> {
  const iterator = (await callHost(open))[Symbol.asyncIterator]()
  for (;;) {
    const next = await callHost(() => iterator.next())
    if (next.done) return
    yield next.value
  }
}

async function measure<T>(
  what: 'profile' | 'autotune',
  start: (signal: AbortSignal) => AsyncIterable<Measured<T>>,
  found: (result: T) => Partial<TuningState>,
): Promise<void> {
  stopping?.abort()
  const mine = new AbortController()
  stopping = mine
  tuningStore.setState({ measuring: { what, stage: 'Waiting for the engine', progress: 0 }, problem: null })
  try {
    for await (const event of start(mine.signal)) {
      if (event.type === 'done') tuningStore.setState(found(event.result))
      else tuningStore.setState({ measuring: { what, stage: event.stage, progress: event.progress } })
    }
  } catch (error) {
    if (!mine.signal.aborted) tuningStore.setState({ problem: toProblem(error).message })
  } finally {
    if (stopping === mine) tuningStore.setState({ measuring: null })
  }
}
