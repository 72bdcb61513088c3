import type { RunEvent } from '#app/contract/engine.ts'

type StepEvent = Extract<RunEvent, { type: 'step' }>

/** The steps of a run, of all its stages together, as events. `from` and `share`: their part of the progress bar. */
export function stepEvents(totalSteps: number, from: number, share: number): () => StepEvent {
  const started = performance.now()
  let step = 0
  return () => {
    step++
    return {
      type: 'step',
      step,
      totalSteps,
      progress: from + (share * step) / totalSteps,
      secondsLeft: ((performance.now() - started) / 1000 / step) * (totalSteps - step),
      freeu: null,
      loraScales: {},
    }
  }
}
