/**
 * How an attention layer computes: diffusers' processor names and arguments, as data. `weights` is the path of a Custom Diffusion
 * file, whose keys lie under the layers' own paths.
 */
export type AttnProcessor =
  | { readonly processor: PlainAttnProcessor }
  | { readonly processor: SlicedAttnProcessor; readonly slice_size: number }
  | { readonly processor: CustomDiffusionAttnProcessor; readonly weights?: string | undefined }

export type PlainAttnProcessor =
  | 'AttnProcessor'
  | 'AttnProcessor2_0'
  | 'XFormersAttnProcessor'
  | 'FusedAttnProcessor2_0'
  | 'AttnAddedKVProcessor'
  | 'AttnAddedKVProcessor2_0'
  | 'XFormersAttnAddedKVProcessor'
  | 'LoRAAttnProcessor'
  | 'LoRAAttnProcessor2_0'
  | 'LoRAXFormersAttnProcessor'
  | 'LoRAAttnAddedKVProcessor'
export type SlicedAttnProcessor = 'SlicedAttnProcessor' | 'SlicedAttnAddedKVProcessor'
export type CustomDiffusionAttnProcessor =
  'CustomDiffusionAttnProcessor' | 'CustomDiffusionAttnProcessor2_0' | 'CustomDiffusionXFormersAttnProcessor'

/** What may differ between two graphs of one model with the same inputs. Part of the key that a compiled graph is kept under. */
export type CompileOptions = {
  /** Processors by layer path; `default` for the layers that it does not name, null for what each kind of layer starts with. */
  readonly processors: {
    readonly default: AttnProcessor | null
    readonly layers: Readonly<Record<string, AttnProcessor>>
  }
  /** Feed-forward layers in chunks of `chunkSize` along `dim` (0 batch, 1 sequence), as diffusers' enable_forward_chunking. */
  readonly forwardChunking: { readonly chunkSize: number; readonly dim: 0 | 1 } | null
  /** The forward's own arguments that change the graph, such as output_attentions or num_frames. */
  readonly args: Readonly<Record<string, number | boolean | string>>
}

export const defaultOptions: CompileOptions = {
  processors: { default: null, layers: {} },
  forwardChunking: null,
  args: {},
}
