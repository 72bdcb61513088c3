import type { PixArtConfig } from '#app/models/pixart-transformer-2d.ts'
import { LoadedModel } from './loaded-model.ts'

/** PixArtTransformer2DModel with diffusers' own calls. */
export class PixArtTransformer extends LoadedModel<PixArtConfig> {
  /** From any processor, unlike the other models' (pixart_transformer_2d.py@58eb52c). */
  override setDefaultAttnProcessor(): void {
    this.resetAttnProcessors({ processor: 'AttnProcessor' })
  }
}
