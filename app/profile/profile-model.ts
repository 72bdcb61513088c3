import { isOneProcessor, type AttnChoice, type AttnProcessor } from '#app/contract/attn-processors.ts'
import type { Compute } from '#app/contract/compute.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { LayerProfile, ModelProfile, PartProfile, ProfileSettings } from '#app/contract/profile.ts'
import type { Graph } from '#app/graph/index.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import type { Live } from './live-memory.ts'
import { runProfiled, type ProfiledRun } from './run-profiled.ts'
import type { Subject } from './subject.ts'
import { blockOf, unitAt, unitsOf } from './units.ts'

/** What onnxruntime does between the layers: it belongs to none. */
const nowhere = 'other'

/**
 * Runs a model and tells the time and memory of each block and of each attention and feed-forward layer. Throws
 * bad-input when the settings do not fit the model, unsupported for another provider than the processor.
 */
export async function profileModel(
  sessions: SessionCache,
  { className, model, call }: Subject,
  settings: ProfileSettings,
  between: () => void,
): Promise<ModelProfile> {
  requireProcessor(settings.compute)
  const { attnProcessor, forwardChunking } = settings
  if (attnProcessor) await model.setAttnProcessor(withoutWeights(attnProcessor))
  if (forwardChunking) model.enableForwardChunking(forwardChunking.chunkSize, forwardChunking.dim)
  else model.disableForwardChunking()
  const lowered = await model.lowered(call, settings.compute)
  const run = await runProfiled(sessions, lowered.graph, lowered.inputs, settings.compute, between)
  const processors = model.attnProcessors
  const units = unitsOf(lowered.graph, processors)
  const unitOf = unitAt(units)
  const blocks = partsOf(run, (path) => blockOf(path) || nowhere)
  const other = blocks.get(nowhere)
  if (other) blocks.set(nowhere, { ...other, milliseconds: other.milliseconds + run.otherMilliseconds })
  const last = new Set([nowhere, ...lowered.graph.nodes.map(({ path }) => blockOf(path)).toReversed()])
  const layers = partsOf(run, (path) => unitOf(path)?.path)
  return {
    className,
    settings,
    milliseconds: run.milliseconds,
    peakBytes: run.peakBytes,
    weightBytes: weightBytes(lowered.graph),
    blocks: [...last].toReversed().flatMap((path) => blocks.get(path) ?? []),
    layers: units.flatMap(({ path, kind }): LayerProfile[] => {
      const part = layers.get(path)
      return part ? [{ ...part, kind, processor: processors[`${path}.processor`] ?? null }] : []
    }),
  }
}

/** Custom Diffusion's layers are as large as those in whose place they stand, so they cost the same. */
function withoutWeights(choice: AttnChoice): AttnChoice {
  const plain = ({ weights: _, ...one }: AttnProcessor & { weights?: string | undefined }): AttnProcessor => one
  return isOneProcessor(choice)
    ? plain(choice)
    : Object.fromEntries(Object.entries(choice).map(([path, one]) => [path, plain(one)]))
}

/** The processor alone waits for each operator, so that it has a time of its own. */
export function requireProcessor({ provider }: Compute): void {
  if (provider !== 'cpu')
    throw new ProblemError('unsupported', 'Layers can be measured on the processor only: choose it as the provider.', {
      field: 'compute',
    })
}

function partsOf(run: ProfiledRun, partOf: (path: string) => string | undefined): Map<string, PartProfile> {
  const parts = new Map<string, PartProfile>()
  for (const live of run.live) {
    const path = partOf(live.node.path)
    if (path === undefined) continue
    const before = parts.get(path) ?? { path, milliseconds: 0, share: 0, peakBytes: 0, ownBytes: 0 }
    const milliseconds = before.milliseconds + (run.times.get(live.node) ?? 0)
    parts.set(path, {
      path,
      milliseconds,
      share: milliseconds / run.milliseconds,
      peakBytes: Math.max(before.peakBytes, live.bytes),
      ownBytes: Math.max(
        before.ownBytes,
        madeBy(live, (maker) => partOf(maker) === path),
      ),
    })
  }
  return parts
}

function madeBy({ made }: Live, isOurs: (path: string) => boolean): number {
  return [...made].reduce((sum, [{ path }, bytes]) => sum + (isOurs(path) ? bytes : 0), 0)
}

/** Each range of a file once: layers may read parts of one. */
export function weightBytes(graph: Graph): number {
  const ranges = new Map<string, number>()
  for (const known of graph.known.values())
    if ('weight' in known && 'file' in known.weight.source) {
      const { file, offset, length } = known.weight.source
      ranges.set(`${file}:${offset}`, Math.max(length, ranges.get(`${file}:${offset}`) ?? 0))
    }
  return [...ranges.values()].reduce((sum, bytes) => sum + bytes, 0)
}
