import type { LoraKind, LoraLayer, LoraWeightName } from '#app/checkpoints/lora/layer.ts'
import { type Shape } from '#app/tensor/tensor.ts'
import { add, constant, div, matmul, mul, reshape, slice, sub, transpose } from './functions.ts'
import type { Value } from './graph.ts'

/** One LoRA's part of a layer, in the graph. */
export type Branch = {
  readonly layer: LoraLayer
  readonly weights: Readonly<Partial<Record<LoraWeightName, Value>>>
  readonly bias: Value | undefined
  readonly magnitude: Value | undefined
  /** What the user sets, (1). */
  readonly scale: Value
}

/**
 * What a LoRA changes in the model's weight `base`, (out, in) or (out, in, kernel), at the scale that the user has set:
 * 0 changes nothing. Of several LoRAs each is measured by the model's own weight. It is computed anew at each run, so
 * that the scale is live and nothing beside the file's small weights is held. `null`: the layer's bias alone.
 * Source: lycoris/functional and lycoris/modules at f49d30d, whose einsums are written out here as products.
 */
export function changeOf(branch: Branch, base: Value): Value | null {
  const { layer, scale } = branch
  if (layer.magnitude) return withMagnitude(branch, base)
  if (layer.kind === 'BOFT') return butterflies(branch, base)
  const full = fullChange(branch, base)
  return full && mul(full, strength(branch, scale))
}

export const strength = ({ layer: { factor } }: Branch, scale: Value): Value =>
  factor === 1 ? scale : mul(scale, factor)

/** At the scale that it was trained with, without its factor alpha / rank. */
function fullChange({ layer, weights }: Branch, base: Value): Value | null {
  const { shape } = base
  const changes: { readonly [Kind in Exclude<LoraKind, 'BOFT'>]: () => Value | undefined } = {
    LoRA: () => lowRank(weights.down!, weights.up!, weights.mid, shape),
    LoHa: () => {
      const part = (w: 'hada_w1' | 'hada_w2', t: 'hada_t1' | 'hada_t2'): Value => {
        const [a, b, core] = [weights[`${w}_a`]!, weights[`${w}_b`]!, weights[t]]
        return reshape(core ? tucker(core, a, b) : matmul(a, b), shape)
      }
      return mul(part('hada_w1', 'hada_t1'), part('hada_w2', 'hada_t2'))
    },
    LoKr: () => {
      const first = weights.lokr_w1 ?? matmul(weights.lokr_w1_a!, weights.lokr_w1_b!)
      const [a, b] = first.shape as [number, number]
      const [c, d] = [shape[0]! / a, shape[1]! / b]
      const { lokr_w2: whole, lokr_w2_a: left, lokr_w2_b: right, lokr_t2: core } = weights
      const second = whole ?? (core ? tucker(core, left!, right!) : matmul(left!, right!))
      return reshape(mul(reshape(first, [a, 1, b, 1, 1]), reshape(second, [1, c, 1, d, -1])), shape)
    },
    GLoRA: () => {
      const rows = reshape(byInput(base), [-1, shape[1]!]) // (out * kernel, in)
      const within = fromInput(matmul(matmul(rows, weights.a1!), weights.a2!), shape)
      const { b1, b2, bm } = weights
      return add(within, reshape(bm ? tucker(bm, transpose(b1!, [1, 0]), b2!) : matmul(b1!, b2!), shape))
    },
    IA3: () => mul(base, weights.scaling!),
    OFT: () => {
      const [, size] = weights.oft_blocks!.shape as [number, number]
      const turned = matmul(transpose(weights.oft_blocks!, [0, 2, 1]), reshape(base, [shape[0]! / size, size, -1]))
      return rescaled(reshape(turned, shape), base, weights.rescale)
    },
    'full difference': () => weights.diff,
    norms: () => weights.w_norm,
  }
  return (layer.kind === 'BOFT' ? undefined : changes[layer.kind]()) ?? null
}

function lowRank(down: Value, up: Value, mid: Value | undefined, shape: Shape): Value {
  const rank = down.shape[0]!
  if (mid) return tucker(mid, transpose(reshape(up, [-1, rank]), [1, 0]), reshape(down, [rank, -1]))
  return reshape(matmul(reshape(up, [-1, rank]), reshape(down, [rank, -1])), shape)
}

/** core (i, j, kernel), a (i, out), b (j, in) -> (out, in, kernel). */
function tucker(core: Value, a: Value, b: Value): Value {
  const [i, j, ...kernel] = core.shape as [number, number, ...number[]]
  const [out, input] = [a.shape[1]!, b.shape[1]!]
  const rows = matmul(transpose(a, [1, 0]), reshape(core, [i, -1])) // (out, j * kernel)
  const columns = reshape(transpose(reshape(rows, [out, j, -1]), [0, 2, 1]), [-1, j]) // (out * kernel, j)
  return fromInput(matmul(columns, b), [out, input, ...kernel])
}

/** (out, in, kernel) -> (out, kernel, in). */
const byInput = (weight: Value): Value =>
  transpose(reshape(weight, [weight.shape[0]!, weight.shape[1]!, -1]), [0, 2, 1])

/** (out * kernel, in) -> (out, in, kernel). */
const fromInput = (rows: Value, shape: Shape): Value =>
  reshape(transpose(reshape(rows, [shape[0]!, -1, shape[1]!]), [0, 2, 1]), shape)

/** rescale * (base + change) - base. */
const rescaled = (change: Value, base: Value, rescale: Value | undefined): Value =>
  rescale ? sub(mul(add(base, change), rescale), base) : change

/** R_m ... R_1 base - base, each R of blocks of rows that lie twice as far apart as those of the one before. */
function butterflies({ weights, scale }: Branch, base: Value): Value {
  const [stages, count, size] = weights.oft_blocks!.shape as [number, number, number]
  const out = base.shape[0]!
  let rows = reshape(base, [out, -1])
  const rest = rows.shape[1]!
  for (let i = 0; i < stages; i++) {
    const apart = (2 ** i * size) / 2
    const groups = transpose(reshape(rows, [-1, 2, apart, rest]), [0, 2, 1, 3])
    const blocks = reshape(groups, [count, size, rest])
    const rotations = reshape(slice(weights.oft_blocks!, 0, i, i + 1), [count, size, size])
    const turned = add(blocks, mul(matmul(rotations, blocks), scale))
    rows = reshape(transpose(reshape(turned, [-1, apart, 2, rest]), [0, 2, 1, 3]), [out, rest])
  }
  const change = sub(reshape(rows, base.shape), base)
  if (!weights.rescale) return change
  const grown = add(mul(sub(weights.rescale, 1), scale), 1)
  return rescaled(change, base, grown)
}

const leastNorm = 1.1920929e-7

/**
 * DoRA: the changed weight with rows, or columns, of the trained lengths. PEFT scales the change alone and sets the
 * lengths in full (peft/tuners/lora/dora.py); LyCORIS goes from the model's weight to the trained one in a straight
 * line (lycoris/functional/general.py apply_dora_scale).
 */
function withMagnitude(branch: Branch, base: Value): Value {
  const { layer, scale } = branch
  const magnitude = branch.magnitude!
  const full = fullChange(branch, base)!
  const isPeft = layer.magnitude!.by === 'PEFT'
  const by = isPeft ? strength(branch, scale) : constant(base, [1], [layer.factor])
  const changed = add(base, mul(full, by))
  const norm = lengths(changed, magnitude.shape)
  const change = sub(mul(changed, div(magnitude, isPeft ? norm : add(norm, leastNorm))), base)
  return isPeft ? change : mul(change, scale)
}

/** The Euclidean lengths of a weight's rows (out, 1, ...) or columns (1, in, ...). */
function lengths(weight: Value, shape: Shape): Value {
  const axes = weight.shape.map((_, axis) => axis).filter((axis) => shape[axis] === 1)
  const { builder } = weight
  return builder.emit('Sqrt', [builder.emit('ReduceSum', [mul(weight, weight), builder.integers(axes)])])
}
