import { z } from 'zod'
import { namesWith, type AttnProcessor } from './attn-processor-table.ts'
import { ProblemError } from './errors.ts'

export type { AttnProcessor }

/** An attention processor as settings, clips and files hold it: attnProcessorTable as a schema. */
export const attnProcessorSchema = z.discriminatedUnion('processor', [
  z.object({ processor: z.enum(namesWith('none')) }),
  z.object({ processor: z.enum(namesWith('slice_size')), slice_size: z.int().min(1) }),
  z.object({ processor: z.enum(namesWith('weights')), weights: z.string().min(1).optional() }),
])

/** A processor for every layer, by diffusers' paths: "mid_block.attentions.0.transformer_blocks.0.attn1.processor". */
export const attnProcessorMapSchema = z.record(z.string(), attnProcessorSchema)
export type AttnProcessorMap = z.infer<typeof attnProcessorMapSchema>

export type AttnChoice = AttnProcessor | AttnProcessorMap

export const isOneProcessor = (choice: AttnChoice): choice is AttnProcessor => typeof choice.processor === 'string'

const processorsOf = (choice: AttnChoice): AttnProcessor[] =>
  isOneProcessor(choice) ? [choice] : Object.values(choice)

/** Which Custom Diffusion weights are used, each once. */
export const weightsOf = (choice: AttnChoice | null): string[] => [
  ...new Set(
    (choice ? processorsOf(choice) : []).flatMap((one) =>
      'weights' in one && one.weights !== undefined ? [one.weights] : [],
    ),
  ),
]

/** The same processors, their weights named in another way. */
export function withWeights(choice: AttnChoice, name: (weights: string) => string): AttnChoice {
  const renamed = (one: AttnProcessor): AttnProcessor =>
    'weights' in one && one.weights !== undefined ? { ...one, weights: name(one.weights) } : one
  return isOneProcessor(choice)
    ? renamed(choice)
    : Object.fromEntries(Object.entries(choice).map(([path, one]) => [path, renamed(one)]))
}

/**
 * The processors that a run's settings may name: one for all layers, or one for each. Settings travel, from the page
 * and inside clips, so they name no file: Custom Diffusion weights are a model's id.
 */
export const attnChoiceSchema = z
  .union([attnProcessorSchema, attnProcessorMapSchema])
  .refine((choice) => weightsOf(choice).every((id) => /^[\w.-]+$/.test(id)), {
    error: 'The weights of a processor are named by the id of a model, never by a file.',
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
