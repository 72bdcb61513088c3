import type { LoraFile } from './open-lora.ts'

/** Which kinds of change a file holds, as people call them, and the ranks of those that have one. */
export function loraSummary({ layers }: LoraFile): { kinds: string[]; ranks: number[] } {
  const kinds = new Set(
    layers.map(({ layer: { kind, weights, magnitude } }) => {
      // LyCORIS calls a LoRA that reaches convolutions LoCon.
      const name =
        kind === 'LoRA' && (weights.mid ?? weights.down)!.shape.slice(2).some((size) => size > 1) ? 'LoCon' : kind
      return magnitude ? (name === 'LoRA' ? 'DoRA' : `${name} with DoRA`) : name
    }),
  )
  if (kinds.has('LoCon')) kinds.delete('LoRA')
  const ranks = new Set(layers.flatMap(({ rank }) => rank ?? []))
  return { kinds: [...kinds], ranks: [...ranks].sort((a, b) => a - b) }
}

/** How wide the text states are that the denoiser's layers read which a LoRA changes: it tells the base. */
export function textWidthOf({ layers }: LoraFile): number | undefined {
  for (const { part, path, layer } of layers) {
    if (part !== 'denoiser' || !/attn2[._]to_[kv]$/.test(path)) continue
    const { down, hada_w1_b: factor, diff, a2 } = layer.weights
    const width = (down ?? factor ?? diff ?? a2)?.shape[1]
    // A motion module's second attention reads the frames themselves.
    if (width !== undefined && !/motion_modules/.test(path)) return width
  }
  return undefined
}
