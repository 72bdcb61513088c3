/**
 * The matrices of Winograd's minimal filtering F(m, 3): with d an input tile of m + 2 and g a filter of 3 along one
 * axis, the m outputs are outputs . ((weights . g) * (inputs . d)), by Cook and Toom's interpolation at m + 1 points
 * and infinity.
 * Source: arXiv 1509.09308 (Lavin, Gray); the points of F(4) were chosen by the rounding error that they leave
 * (docs/decisions/precision.md, "The points of Winograd's F(4)").
 */
export type Transforms = {
  /** Side of an output tile. */
  readonly tile: number
  /** (m + 2, m + 2) */
  readonly inputs: readonly (readonly number[])[]
  /** (m + 2, 3) */
  readonly weights: readonly (readonly number[])[]
  /** (m, m + 2) */
  readonly outputs: readonly (readonly number[])[]
}

/**
 * Relative error of one convolution with normal values: 4e-7 and 2e-6 of the largest output; the plain sum has 3e-7.
 */
export const transforms: Readonly<Record<'winograd2' | 'winograd4', Transforms>> = {
  winograd2: transformsAt([0, 1, -1]),
  winograd4: transformsAt([0, 0.75, -0.75, 1.5, -1.5]),
}

function transformsAt(points: readonly number[]): Transforms {
  const tile = points.length - 1
  const others = points.map((_, i) => points.filter((_, j) => j !== i))
  const scale = others.map((rest, i) => rest.reduce((product, point) => product * (points[i]! - point), 1))
  const powers = (point: number, count: number): number[] => Array.from({ length: count }, (_, k) => point ** k)
  const last = (count: number): number[] => [...new Array<number>(count - 1).fill(0), 1]
  const columns = [...points.map((point) => powers(point, tile)), last(tile)]
  return {
    tile,
    inputs: [...others.map((rest) => [...polynomial(rest), 0]), polynomial(points)],
    weights: [...points.map((point, i) => powers(point, 3).map((power) => power / scale[i]!)), last(3)],
    outputs: Array.from({ length: tile }, (_, row) => columns.map((column) => column[row]!)),
  }
}

/** Coefficients of (x - r1)(x - r2)..., the constant one first. */
function polynomial(roots: readonly number[]): number[] {
  return roots.reduce(
    (coefficients, root) => [...coefficients, 0].map((own, i) => (coefficients[i - 1] ?? 0) - root * own),
    [1],
  )
}
