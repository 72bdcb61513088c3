import type { LoraPart } from '#app/checkpoints/lora/keys.ts'
import { openLora } from '#app/checkpoints/lora/open-lora.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { LoadedModel } from './loaded-model.ts'

type Models = Readonly<
  Partial<Record<LoraPart, Pick<LoadedModel, 'loadLora' | 'setLoraScale' | 'unloadLora' | 'loraScales'>>>
>

/**
 * What became of a LoRA file's layers, by the part of the pipeline. `unused` holds those that no model of the pipeline
 * has.
 */
export type PipelineLoraReport = {
  readonly applied: Readonly<Record<string, number>>
  readonly unused: readonly string[]
}

export type PipelineLoras = ReturnType<typeof pipelineLoras>

/**
 * LoRAs on all models of a pipeline at once. Source: diffusers/src/diffusers/loaders/lora_pipeline.py@58eb52c
 * load_lora_weights.
 */
export function pipelineLoras(models: Models) {
  const entries = Object.entries(models) as [LoraPart, NonNullable<Models[LoraPart]>][]
  const holding = (name: string) => entries.filter(([, model]) => Object.hasOwn(model.loraScales, name))
  return {
    /**
     * Throws bad-model when the file is no LoRA or none of its layers is in this pipeline, bad-input when the name is
     * taken.
     */
    async load(file: string, { name, scale = 1 }: { name: string; scale?: number }): Promise<PipelineLoraReport> {
      const lora = await openLora(file)
      const applied: Record<string, number> = {}
      const unused = lora.layers.filter(({ part }) => !models[part]).map(({ part, path }) => `${part}.${path}`)
      try {
        for (const [part, model] of entries) {
          const report = await model.loadLora(lora, { name, scale, part })
          applied[part] = report.applied
          unused.push(...report.unused.map((path) => `${part}.${path}`))
        }
        if (holding(name).length === 0)
          throw new ProblemError('bad-model', `${file}: none of this LoRA's layers is in this model.`, { file })
      } catch (error) {
        for (const [part, model] of holding(name)) if (part in applied) model.unloadLora(name)
        throw error
      }
      return { applied, unused }
    },
    /** From the next step on. Throws bad-input for a name that is not loaded. */
    setScale(name: string, scale: number): void {
      for (const [, model] of known(name)) model.setLoraScale(name, scale)
    },
    /** All scales by one factor, as diffusers' cross_attention_kwargs and fuse_lora have it. */
    scaleAll(factor: number): void {
      for (const [, model] of entries)
        for (const [name, scale] of Object.entries(model.loraScales)) model.setLoraScale(name, scale * factor)
    },
    unload(name: string): void {
      for (const [, model] of known(name)) model.unloadLora(name)
    },
  }

  function known(name: string): typeof entries {
    const found = holding(name)
    if (found.length > 0) return found
    throw new ProblemError('bad-input', `no LoRA "${name}" is loaded`, { field: 'name' })
  }
}
