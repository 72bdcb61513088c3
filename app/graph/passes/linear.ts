import type { Node } from '../graph.ts'

/** x W^T + bias, as layers.ts builds it. */
export const isLinear = ({ op, attributes: { transA = 0, transB = 0, alpha = 1, beta = 1 } }: Node): boolean =>
  op === 'Gemm' && transA === 0 && transB === 1 && alpha === 1 && beta === 1
