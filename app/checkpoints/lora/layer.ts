import type { Weight } from '../weights.ts'

/** One low-rank change: y = W x + scale * factor * up(mid(down(x))). Paper: arXiv 2106.09685. */
export type LoraLayer = {
  readonly down: Weight
  readonly up: Weight
  /** LyCORIS splits a large kernel in three. */
  readonly mid?: Weight
  /** alpha / rank; 1 where the file gives no alpha. */
  readonly factor: number
}
