import { isOneProcessor, type AttnChoice, type AttnProcessorMap } from '#app/contract/attn-processors.ts'
import type { AutotuneSettings, Figures, Proposal, TuneReport, Tuning } from '#app/contract/profile.ts'
import type { CompileOptions } from '#app/graph/index.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { attentionCandidates } from './candidates.ts'
import { landmarks, paretoFront, unbeaten } from './front.ts'
import type { Choice } from './forms.ts'
import { measureOptions } from './measure-options.ts'
import { requireProcessor, weightBytes } from './profile-model.ts'
import { liveMemory } from './live-memory.ts'
import { peakOf, runProfiled } from './run-profiled.ts'
import type { Subject } from './subject.ts'
import { timeInTurn, type Run } from './time-in-turn.ts'

export type TuneStage = { readonly stage: string; readonly progress: number }

type Planned = Tuning & { readonly predicted: Figures }
type Measured = Planned & { readonly measured: Figures }

const usual: Tuning = { attnProcessor: null, forwardChunking: null }
const [firstShare, layersShare] = [0.15, 0.6]
/** Of the whole model. */
const rounds = { fewest: 1, most: 3, enoughMs: 4000 }

/**
 * Measures how the attention and feed-forward layers of a model can compute on this machine, and proposes what nothing
 * beats in both time and memory: each proposal is predicted from its layers, then run as a whole. `between` is called
 * between runs and may throw.
 * Throws as `profileModel` does.
 */
export async function* autotune(
  sessions: SessionCache,
  subject: Subject,
  settings: AutotuneSettings,
  between: () => void,
): AsyncGenerator<TuneStage, TuneReport> {
  requireProcessor(settings.compute)
  const { model, call } = subject
  const prepare = (tuning: Tuning): Promise<Run> =>
    model.lowered(call, settings.compute, optionsOf(tuning, model.attnProcessors))
  yield { stage: 'Running the model as it is', progress: 0 }
  const asItIs = await prepare(usual)
  const profiled = await runProfiled(sessions, asItIs.graph, asItIs.inputs, settings.compute, between)
  const [milliseconds] = await timeInTurn(sessions, [asItIs], settings.compute, rounds, between)
  const figures = { milliseconds: milliseconds!, peakBytes: peakOf(liveMemory(asItIs.graph)) }

  const usualRun = { graph: asItIs.graph, run: profiled, milliseconds: figures.milliseconds }
  const measuring = measureOptions(sessions, subject, settings.compute, usualRun, between)
  let next = await measuring.next()
  while (!next.done) {
    yield { stage: 'Comparing ways to compute its layers', progress: firstShare + layersShare * next.value }
    next = await measuring.next()
  }
  const options = next.value
  const plans = options.chunkings.flatMap(({ chunking, layers }) =>
    paretoFront(layers, options.rest).map(({ choices, milliseconds, peakBytes }): Planned & Figures => ({
      attnProcessor: shortest(choices, model.attnProcessors),
      forwardChunking: chunking,
      predicted: { milliseconds, peakBytes },
      milliseconds,
      peakBytes,
    })),
  )
  const others = distinct(toTry(plans, settings.memoryBytes)).filter((planned) => !sameTuning(planned, usual))
  const planned: Planned[] = [{ ...usual, predicted: figures }, ...others]
  const runs = await Promise.all(planned.map(prepare))
  let times = [figures.milliseconds]
  if (others.length > 0) {
    yield { stage: `Running ${planned.length} proposals in turn`, progress: firstShare + layersShare }
    times = await timeInTurn(sessions, runs, settings.compute, rounds, between)
  }
  // The machine may be quicker now, or slower, than when the model was timed first.
  const pace = times[0]! / figures.milliseconds
  const measured = planned.map((plan, i): Measured => ({
    ...plan,
    predicted: { ...plan.predicted, milliseconds: plan.predicted.milliseconds * pace },
    measured: { milliseconds: times[i]!, peakBytes: peakOf(liveMemory(runs[i]!.graph)) },
  }))
  const proposals = named(measured, settings.memoryBytes)
  return {
    className: subject.className,
    settings,
    weightBytes: weightBytes(asItIs.graph),
    proposals,
    advised: (proposals.find(({ fits }) => fits) ?? leastOf(proposals)).name,
    shapes: options.shapes,
    layers: options.layers,
  }
}

/** The ends of the front, the best between, and the fastest within the memory that is allowed. */
function toTry<T extends Figures>(plans: readonly T[], memoryBytes: number | null): T[] {
  const { fastest, balanced, least } = landmarks(unbeaten(plans))
  const within = plans
    .filter(({ peakBytes }) => memoryBytes !== null && peakBytes <= memoryBytes)
    .sort((a, b) => a.milliseconds - b.milliseconds)[0]
  return [fastest, balanced, within, least].filter((plan) => plan !== undefined)
}

const sameTuning = (a: Tuning, b: Tuning): boolean =>
  JSON.stringify([a.attnProcessor, a.forwardChunking]) === JSON.stringify([b.attnProcessor, b.forwardChunking])

const distinct = <T extends Tuning>(plans: readonly T[]): T[] =>
  plans.filter((plan, i) => plans.findIndex((other) => sameTuning(plan, other)) === i)

const leastOf = <T extends { measured: Figures }>(proposals: readonly T[]): T =>
  proposals.reduce((least, one) => (one.measured.peakBytes < least.measured.peakBytes ? one : least))

/**
 * Named by what they were measured to be. One that another beats is left out, but for what the model does without a
 * choice.
 */
function named(measured: readonly Measured[], memoryBytes: number | null): Proposal[] {
  const sorted = [...measured].sort((a, b) => a.measured.milliseconds - b.measured.milliseconds)
  const [fastest, least] = [sorted[0]!, leastOf(sorted)]
  const beats = ({ measured: a }: Measured, { measured: b }: Measured): boolean =>
    a.milliseconds <= b.milliseconds && a.peakBytes <= b.peakBytes
  const kept = sorted.filter(
    (one) => sameTuning(one, usual) || !sorted.some((other) => other !== one && beats(other, one)),
  )
  const nameOf = (one: Measured): string => {
    if (one === fastest) return one === least ? 'Fastest, least memory' : 'Fastest'
    if (one === least) return 'Least memory'
    return sameTuning(one, usual) ? 'As it is' : 'Balanced'
  }
  let balanced = 0
  return kept.map((one): Proposal => {
    const name = nameOf(one)
    const numbered = name === 'Balanced' && ++balanced > 1 ? `Balanced ${balanced}` : name
    const fits = memoryBytes === null || one.measured.peakBytes <= memoryBytes
    return { ...one, name: numbered, fits }
  })
}

function optionsOf({ attnProcessor, forwardChunking }: Tuning, map: AttnProcessorMap): Partial<CompileOptions> {
  const layers = attnProcessor ? layersOf(attnProcessor, map) : attentionCandidates(map)[0]!
  return { processors: { default: null, layers }, forwardChunking }
}

const layersOf = (choice: AttnChoice, map: AttnProcessorMap): AttnProcessorMap =>
  isOneProcessor(choice) ? Object.fromEntries(Object.keys(map).map((path) => [path, choice])) : choice

/** null where each layer has what it would have anyway, one processor where all are alike, else a map. */
function shortest(choices: readonly Choice[], map: AttnProcessorMap): AttnChoice | null {
  const layers = Object.fromEntries(
    choices.flatMap(({ path, processor }) => (processor ? [[`${path}.processor`, processor] as const] : [])),
  )
  const text = (value: unknown): string => JSON.stringify(value)
  const usualLayers = attentionCandidates(map)[0]!
  if (Object.entries(layers).every(([path, processor]) => text(processor) === text(usualLayers[path]))) return null
  const [first, ...others] = Object.values(layers)
  if (others.every((other) => text(other) === text(first))) return first!
  return { ...usualLayers, ...layers }
}
