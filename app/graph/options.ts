import type { AttnProcessor } from '#app/contract/attn-processor-table.ts'

/**
 * What may differ between two graphs of one model with the same inputs. Part of the key that a compiled graph is kept
 * under.
 */
export type CompileOptions = {
  /**
   * Processors by layer path; `default` for the layers that it does not name, null for what each kind of layer starts
   * with.
   */
  readonly processors: {
    readonly default: AttnProcessor | null
    readonly layers: Readonly<Record<string, AttnProcessor>>
  }
  /**
   * Feed-forward layers in chunks of `chunkSize` along `dim` (0 batch, 1 sequence), as diffusers'
   * enable_forward_chunking.
   */
  readonly forwardChunking: { readonly chunkSize: number; readonly dim: 0 | 1 } | null
  /**
   * Motion modules look at windows of `contextLength` frames, which begin every `contextStride` frames and whose frames
   * count with `weights`, as diffusers' enable_free_noise.
   */
  readonly freeNoise: {
    readonly contextLength: number
    readonly contextStride: number
    readonly weights: readonly number[]
  } | null
  /**
   * Motion modules work on runs of `spatialSplitSize` pixels, all other layers of a level on runs of
   * `temporalSplitSize` frames, as diffusers' enable_free_noise_split_inference.
   */
  readonly splitInference: { readonly spatialSplitSize: number; readonly temporalSplitSize: number } | null
}

export const defaultOptions: CompileOptions = {
  processors: { default: null, layers: {} },
  forwardChunking: null,
  freeNoise: null,
  splitInference: null,
}
