import { add, concat, constant, matmul, mul, slice, sub, type Scope, type Value } from '#app/graph/index.ts'

/** In the graph input freeu (4), and in diffusers' enable_freeu. */
const order = ['s1', 's2', 'b1', 'b2'] as const

/**
 * FreeU at one of the first two up blocks: the first half of the backbone's channels times b, and the lowest
 * frequencies of the skip connection times s. A factor of 1 changes nothing, so one graph serves on and off.
 * Source: arXiv 2309.11497; diffusers/src/diffusers/utils/torch_utils.py@58eb52c apply_freeu (threshold 1).
 */
export function applyFreeU(
  scope: Scope,
  resolution: number,
  freeu: Value | undefined,
  hiddenStates: Value,
  skip: Value,
): [Value, Value] {
  if (!freeu || resolution > 1) return [hiddenStates, skip]
  const factor = (name: (typeof order)[number]): Value => {
    const at = order.indexOf(name)
    return slice(freeu, 0, at, at + 1)
  }
  const [s, b] = resolution === 0 ? [factor('s1'), factor('b1')] : [factor('s2'), factor('b2')]
  const channels = hiddenStates.shape[1]!
  const half = Math.floor(channels / 2)
  // The up block's own work, though the states are of other layers.
  const sizes = scope.builder.integers([half, channels - half])
  const [backbone, rest] = scope.emitAll('Split', [hiddenStates, sizes], { axis: 1 }) as [Value, Value]
  return [concat([mul(backbone, b), rest], 1), add(skip, mul(lowFrequencies(scope, skip), sub(s, 1)))]
}

/**
 * The part of (N, C, H, W) at the frequencies {-1, 0} x {-1, 0}, which is what the reference's filter scales. Along one
 * axis the projection on them is P = A + iB with A = (1 + cos t) / n and B = -sin t / n, t = 2 pi (j - k) / n; so the
 * real part of P_h X P_w^T is A_h X A_w^T - B_h X B_w^T, and no Fourier transform is needed.
 */
function lowFrequencies(scope: Scope, x: Value): Value {
  const [height, width] = [x.shape[2]!, x.shape[3]!]
  const project = (rows: Float32Array, columns: Float32Array): Value =>
    matmul(scope.emit('MatMul', [constant(x, [height, height], rows), x]), constant(x, [width, width], columns))
  // The matrices stand at the right transposed: A is symmetric and B^T = -B, which turns the minus into a plus.
  return add(project(cosines(height), cosines(width)), project(sines(height), sines(width)))
}

const matrix = (n: number, entry: (t: number) => number): Float32Array =>
  Float32Array.from({ length: n * n }, (_, i) => entry((2 * Math.PI * (Math.floor(i / n) - (i % n))) / n) / n)

// With a single row the frequencies -1 and 0 are one and the same.
const cosines = (n: number): Float32Array => matrix(n, (t) => (n === 1 ? 1 : 1 + Math.cos(t)))
const sines = (n: number): Float32Array => matrix(n, (t) => (n === 1 ? 0 : -Math.sin(t)))
