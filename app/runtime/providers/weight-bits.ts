import { GraphBuilder } from '#app/graph/index.ts'
import { float32 } from '#app/tensor/tensor.ts'
import type { WeightBits } from '../quantize/quantize-weight.ts'
import { openSession } from '../session.ts'

const inner = 64
const columns = 32

/**
 * How many bits the weights of 8-bit products may have. x86 processors without VNNI (and AVX2 paths) add pairs of 8-bit
 * products in 16 bits, which saturate when the values are large; with 7 bits they cannot. Asked of the machine itself,
 * with the largest values.
 */
export function weightBits(): Promise<WeightBits> {
  known ??= measure()
  return known
}
let known: Promise<WeightBits> | undefined

async function measure(): Promise<WeightBits> {
  // Few rows and many rows go through different kernels.
  for (const rows of [1, 7, 64]) if (!(await isExact(rows))) return 7
  return 8
}

async function isExact(rows: number): Promise<boolean> {
  const builder = new GraphBuilder('weight-bits')
  const x = builder.input('x', 'float32', [rows, inner])
  const weights = Int8Array.from({ length: inner * columns }, (_, i) => (i % 2 ? 127 : -127))
  const one = new Float32Array(columns).fill(1)
  const [bytes, scale, zeroPoint] = builder.emitAll('DynamicQuantizeLinear', [x]) as [typeof x, typeof x, typeof x]
  const operands = [
    bytes,
    builder.constant({ dtype: 'int8', shape: [inner, columns], data: weights }),
    scale,
    builder.constant(float32([columns], one)),
    zeroPoint,
  ]
  builder.output('y', builder.emit('MatMulIntegerToFloat', operands))
  const session = await openSession(builder.finish(), { threads: 1, prepack: true })
  try {
    // 0 to 255: as bytes the values themselves, with scale 1. All but the first of each row are the largest.
    const data = Float32Array.from({ length: rows * inner }, (_, i) => (i % inner === 0 ? 0 : 255))
    const { y } = await session.run({ x: float32([rows, inner], data) })
    const exact = 255 * (inner - 1) * 127
    return (y!.data as Float32Array).every((value, i) => value === (i % 2 ? exact : -exact))
  } finally {
    await session.release()
  }
}
