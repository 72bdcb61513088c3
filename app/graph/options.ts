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
}

export const defaultOptions: CompileOptions = {
  processors: { default: null, layers: {} },
  forwardChunking: null,
}
