import { z } from 'zod'

/**
 * The weights of a motion UNet, when only its motion is to be trained: those that stay, those that may change, and
 * their numbers.
 */
export const parameterListsSchema = z.object({
  frozen: z.array(z.string()),
  trainable: z.array(z.string()),
  frozenParameters: z.int(),
  trainableParameters: z.int(),
})
export type ParameterLists = z.infer<typeof parameterListsSchema>
