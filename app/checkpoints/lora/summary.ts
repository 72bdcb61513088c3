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
