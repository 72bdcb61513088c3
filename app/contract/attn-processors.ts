import { z } from 'zod'
import { ProblemError } from './errors.ts'

/**
 * An attention processor by diffusers' class name and arguments: data that can be saved, named and put in a recipe. `weights` is the
 * path of a Custom Diffusion file.
 */
export const attnProcessorSchema = z.discriminatedUnion('processor', [
  z.object({
    processor: z.enum([
      'AttnProcessor',
      'AttnProcessor2_0',
      'XFormersAttnProcessor',
      'FusedAttnProcessor2_0',
      'AttnAddedKVProcessor',
      'AttnAddedKVProcessor2_0',
      'XFormersAttnAddedKVProcessor',
    ]),
  }),
  z.object({
    processor: z.enum(['SlicedAttnProcessor', 'SlicedAttnAddedKVProcessor']),
    slice_size: z.int().min(1),
  }),
  z.object({
    processor: z.enum([
      'CustomDiffusionAttnProcessor',
      'CustomDiffusionAttnProcessor2_0',
      'CustomDiffusionXFormersAttnProcessor',
    ]),
    weights: z.string().min(1).optional(),
  }),
])

export type AttnProcessor = z.infer<typeof attnProcessorSchema>

/** A processor for every layer, by diffusers' paths: "mid_block.attentions.0.transformer_blocks.0.attn1.processor". */
export const attnProcessorMapSchema = z.record(z.string(), attnProcessorSchema)
export type AttnProcessorMap = z.infer<typeof attnProcessorMapSchema>

export type AttnChoice = AttnProcessor | AttnProcessorMap

export const isOneProcessor = (choice: AttnChoice): choice is AttnProcessor => typeof choice.processor === 'string'

const namesFile = (one: AttnProcessor): boolean => 'weights' in one && one.weights !== undefined

/**
 * The processors that a run's settings may name: one for all layers, or one for each. Settings travel, from the page and inside clips,
 * so they open no file: Custom Diffusion weights are left to the model interface.
 */
export const attnChoiceSchema = z
  .union([attnProcessorSchema, attnProcessorMapSchema])
  .refine((choice) => !(isOneProcessor(choice) ? [choice] : Object.values(choice)).some(namesFile), {
    error: 'Processors with weights of their own cannot be part of the settings: they name a file.',
  })

/** Reads the JSON of a processor or of a map by layer. Throws bad-input with the layer that is wrong. */
export function parseAttnChoice(text: string): AttnChoice {
  const refuse = (message: string): never => {
    throw new ProblemError('bad-input', message, { field: 'attnProcessor' })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse('This is no JSON.')
  }
  const parsed = attnChoiceSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const layers = Object.entries(z.record(z.string(), z.unknown()).catch({}).parse(value))
  const wrong = layers.find(([, processor]) => !attnProcessorSchema.safeParse(processor).success)
  return refuse(
    wrong && wrong[0].endsWith('.processor')
      ? `${JSON.stringify(wrong[1])} is no attention processor, at the layer "${wrong[0]}".`
      : `This is no attention processor and no map of them: ${parsed.error.issues[0]?.message}.`,
  )
}
