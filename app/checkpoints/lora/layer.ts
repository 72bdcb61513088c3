import type { Weight } from '../weights.ts'

/**
 * The ways to write down what changes in a layer: LoRA (of convolutions also called LoCon), and LyCORIS' others. DoRA
 * is one of the first three with a magnitude.
 */
export type LoraKind = 'LoRA' | 'LoHa' | 'LoKr' | 'GLoRA' | 'IA3' | 'OFT' | 'BOFT' | 'full difference' | 'norms'

/** The weights of a layer's change, by the names that LyCORIS' files give them. */
export type LoraWeightName =
  | ('down' | 'up' | 'mid')
  | ('hada_w1_a' | 'hada_w1_b' | 'hada_w2_a' | 'hada_w2_b' | 'hada_t1' | 'hada_t2')
  | ('lokr_w1' | 'lokr_w1_a' | 'lokr_w1_b' | 'lokr_w2' | 'lokr_w2_a' | 'lokr_w2_b' | 'lokr_t2')
  | ('a1' | 'a2' | 'b1' | 'b2' | 'bm')
  | ('scaling' | 'oft_blocks' | 'rescale' | 'diff' | 'w_norm')

export type LoraWeights = Readonly<Partial<Record<LoraWeightName, Weight>>>

/** What changes in one layer. */
export type LoraLayer = {
  readonly kind: LoraKind
  readonly weights: LoraWeights
  /** alpha / rank; 1 where the file gives no alpha, and where the kind has no such strength. */
  readonly factor: number
  /** Added to the layer's bias. */
  readonly bias?: Weight | undefined
  /**
   * How long the changed rows or columns of the weight are (DoRA, arXiv 2402.09353). PEFT and LyCORIS scale it apart.
   */
  readonly magnitude?: { readonly weight: Weight; readonly by: 'PEFT' | 'LyCORIS' } | undefined
  /** IA3: whether its factors are for the layer's inputs. */
  readonly onInput?: boolean | undefined
  /** OFT and BOFT: how large their blocks may be together, for each output channel; 0 for as they are. */
  readonly constraint?: number | undefined
}
