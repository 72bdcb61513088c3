import { elementwise } from './elementwise.ts'
import type { Op } from './op.ts'
import { products } from './products.ts'
import { reductions } from './reductions.ts'
import { shape } from './shape.ts'

/** Every operator that a graph may hold. Semantics: ONNX operators, opset 21, and onnxruntime's ContribOperators.md. */
const table = { ...elementwise, ...reductions, ...products, ...shape } satisfies Record<string, Op>

export type OpName = keyof typeof table
export const ops: Readonly<Record<OpName, Op>> = table
