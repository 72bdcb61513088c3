/**
 * The attention processors by diffusers' class names (attention_processor.py@58eb52c, AttentionProcessor), in the order
 * of a menu. The types below and the schemas of attn-processors.ts are made from it.
 * - kernel: how the scores are computed.
 * - addedKv: it is for layers that project a context of their own, beside their own keys and values.
 * - argument: what it takes beside its name.
 * - resets: set_default_attn_processor goes back from it (CROSS_ATTENTION_PROCESSORS, ADDED_KV_ATTENTION_PROCESSORS).
 * - menu: how a menu calls it; null for what only files and recipes name.
 */
export const attnProcessorTable = {
  AttnProcessor2_0: { kernel: 'fused', addedKv: false, argument: 'none', resets: true, menu: 'Fused' },
  AttnProcessor: { kernel: 'explicit', addedKv: false, argument: 'none', resets: true, menu: 'Plain steps' },
  SlicedAttnProcessor: { kernel: 'sliced', addedKv: false, argument: 'slice_size', resets: true, menu: 'Sliced' },
  XFormersAttnProcessor: { kernel: 'fused', addedKv: false, argument: 'none', resets: true, menu: null },
  FusedAttnProcessor2_0: { kernel: 'fused', addedKv: false, argument: 'none', resets: false, menu: null },
  AttnAddedKVProcessor2_0: { kernel: 'fused', addedKv: true, argument: 'none', resets: true, menu: 'Fused' },
  AttnAddedKVProcessor: { kernel: 'explicit', addedKv: true, argument: 'none', resets: true, menu: 'Plain steps' },
  SlicedAttnAddedKVProcessor: { kernel: 'sliced', addedKv: true, argument: 'slice_size', resets: true, menu: 'Sliced' },
  XFormersAttnAddedKVProcessor: { kernel: 'fused', addedKv: true, argument: 'none', resets: true, menu: null },
  CustomDiffusionAttnProcessor2_0: {
    kernel: 'fused',
    addedKv: false,
    argument: 'weights',
    resets: false,
    menu: 'Custom Diffusion',
  },
  CustomDiffusionAttnProcessor: { kernel: 'explicit', addedKv: false, argument: 'weights', resets: false, menu: null },
  CustomDiffusionXFormersAttnProcessor: {
    kernel: 'fused',
    addedKv: false,
    argument: 'weights',
    resets: false,
    menu: null,
  },
  // Names of old files: LoRAs are branches of a layer, whatever its processor.
  LoRAAttnProcessor: { kernel: 'explicit', addedKv: false, argument: 'none', resets: false, menu: null },
  LoRAAttnProcessor2_0: { kernel: 'explicit', addedKv: false, argument: 'none', resets: false, menu: null },
  LoRAXFormersAttnProcessor: { kernel: 'explicit', addedKv: false, argument: 'none', resets: false, menu: null },
  LoRAAttnAddedKVProcessor: { kernel: 'explicit', addedKv: true, argument: 'none', resets: false, menu: null },
} as const

type Table = typeof attnProcessorTable
export type AttnProcessorName = keyof Table
/** What a processor takes beside its name. */
export type AttnArgument = Table[AttnProcessorName]['argument']
export type AttnProcessorWith<Argument extends AttnArgument> = {
  [Name in AttnProcessorName]: Table[Name]['argument'] extends Argument ? Name : never
}[AttnProcessorName]

/**
 * How an attention layer computes: a processor's name and arguments, as data. `weights` names Custom Diffusion weights,
 * whose keys lie under the layers' own paths: by a model's id in settings, by the file's path where a model is called.
 */
export type AttnProcessor =
  | { readonly processor: AttnProcessorWith<'none'> }
  | { readonly processor: AttnProcessorWith<'slice_size'>; readonly slice_size: number }
  | { readonly processor: AttnProcessorWith<'weights'>; readonly weights?: string | undefined }

export const attnProcessorNames = Object.keys(attnProcessorTable) as AttnProcessorName[]

export const namesWith = <Argument extends AttnArgument>(argument: Argument): AttnProcessorWith<Argument>[] =>
  attnProcessorNames.filter(
    (name): name is AttnProcessorWith<Argument> => attnProcessorTable[name].argument === argument,
  )

export const isAddedKv = ({ processor }: AttnProcessor): boolean => attnProcessorTable[processor].addedKv

/**
 * What a menu offers for layers with or without added keys and values, those with weights aside. A layer starts with
 * the first; slices begin with one head at a time.
 */
export const offered = (addedKv: boolean): AttnProcessor[] =>
  [
    ...namesWith('none').map((processor) => ({ processor })),
    ...namesWith('slice_size').map((processor) => ({ processor, slice_size: 1 })),
  ].filter((one) => isAddedKv(one) === addedKv && attnProcessorTable[one.processor].menu !== null)
