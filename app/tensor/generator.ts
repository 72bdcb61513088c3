import { float32, sizeOf, type Shape, type Tensor } from './tensor.ts'
import { mersenneTwister } from './mersenne-twister.ts'
import { cosSinOfTurn, logOfFraction } from './rounded-math.ts'

/** Values that one call of Box and Muller's transform makes, from as many uniform ones. */
const group = 16

/**
 * Standard normal noise of a seed, drawn one tensor after the other, with the numbers that
 * `torch.Generator('cpu').manual_seed(seed)` gives `torch.randn`, to float32 rounding: a seed means here what it means
 * in diffusers and ComfyUI. Every machine draws the same. As there, only the seed's low 32 bits count. Source: the
 * Mersenne Twister; Box and Muller (1958), over groups of 16 values, in the order of
 * pytorch/aten/src/ATen/native/cpu/DistributionTemplates.h (normal_fill).
 */
export type Generator = {
  /** Throws RangeError for a shape of fewer than 16 numbers, which torch draws in another way. */
  normal(shape: Shape): Tensor<'float32'>
  /**
   * The numbers below `count` in a random order, as `torch.randperm` gives them. Source:
   * pytorch/aten/src/ATen/native/TensorFactories.cpp (randperm_cpu).
   */
  permutation(count: number): number[]
}

/** Throws RangeError unless the seed is an integer from 0 to 2^53 - 1. */
export function createGenerator(seed: number): Generator {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new RangeError(`a seed is an integer from 0 to ${Number.MAX_SAFE_INTEGER}, not ${seed}`)
  const nextWord = mersenneTwister(seed)
  /** Of 2^24 equal steps from 0 on. */
  const uniforms = (count: number): Uint32Array => Uint32Array.from({ length: count }, () => nextWord() & 0xffffff)
  return {
    normal(shape) {
      const size = sizeOf(shape)
      if (size < group) throw new RangeError(`noise has at least ${group} numbers, not ${size}`)
      const drawn = uniforms(size)
      const values = new Float32Array(size)
      for (let at = 0; at + group <= size; at += group) transform(values, at, drawn.subarray(at, at + group))
      if (size % group !== 0) transform(values, size - group, uniforms(group))
      return float32(shape, values)
    },
    permutation(count) {
      const order = Array.from({ length: count }, (_, i) => i)
      for (let i = 0; i < count - 1; i++) {
        const other = i + (nextWord() % (count - i))
        ;[order[i], order[other]] = [order[other]!, order[i]!]
      }
      return order
    },
  }
}

/** Sixteen normal values at `out[at]` from eight radii and eight angles, as whole numbers of 2^-24. */
function transform(out: Float32Array, at: number, drawn: Uint32Array): void {
  for (let i = 0; i < group / 2; i++) {
    const radius = Math.sqrt(-2 * logOfFraction(0x1000000 - drawn[i]!))
    const { cos, sin } = cosSinOfTurn(drawn[i + group / 2]!)
    out[at + i] = radius * cos
    out[at + i + group / 2] = radius * sin
  }
}
