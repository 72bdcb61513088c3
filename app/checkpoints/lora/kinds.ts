import type { LoraKind, LoraWeightName, LoraWeights } from './layer.ts'

/** `needs`: one weight of each row. `rank`: the weight whose first size is the rank, the first that is there. */
type KindRecord = {
  readonly kind: LoraKind
  readonly needs: readonly (readonly LoraWeightName[])[]
  readonly rank: readonly LoraWeightName[]
}

const all = (...names: LoraWeightName[]): LoraWeightName[][] => names.map((name) => [name])

const kinds: readonly KindRecord[] = [
  { kind: 'LoRA', needs: all('down', 'up'), rank: ['down'] },
  { kind: 'LoHa', needs: all('hada_w1_a', 'hada_w1_b', 'hada_w2_a', 'hada_w2_b'), rank: ['hada_w1_b'] },
  {
    kind: 'LoKr',
    needs: [
      ['lokr_w1', 'lokr_w1_a'],
      ['lokr_w1', 'lokr_w1_b'],
      ['lokr_w2', 'lokr_w2_a'],
      ['lokr_w2', 'lokr_w2_b'],
    ],
    rank: ['lokr_t2', 'lokr_w2_b', 'lokr_w1_b'],
  },
  { kind: 'GLoRA', needs: all('a1', 'a2', 'b1', 'b2'), rank: ['a2'] },
  { kind: 'IA3', needs: all('scaling'), rank: [] },
  { kind: 'OFT', needs: all('oft_blocks'), rank: [] },
  { kind: 'full difference', needs: all('diff'), rank: [] },
  { kind: 'norms', needs: all('w_norm'), rank: [] },
]

/** What kind of change has such weights, its rank, and the weight that it lacks. A change of the bias alone is a full
 * difference. */
export function kindOf(weights: LoraWeights): {
  kind: LoraKind
  rank: number | undefined
  missing: string | undefined
} {
  const record = kinds.find(({ needs, rank }) => [...needs.flat(), ...rank].some((name) => weights[name]))
  if (!record) return { kind: 'full difference', rank: undefined, missing: undefined }
  const { kind, needs, rank } = record
  return {
    kind: kind === 'OFT' && weights.oft_blocks?.shape.length === 4 ? 'BOFT' : kind,
    rank: rank.map((name) => weights[name]?.shape[0]).find((size) => size !== undefined),
    missing: needs.find((any) => !any.some((name) => weights[name]))?.join(' or '),
  }
}
