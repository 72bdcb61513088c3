import type { LoraLayer } from '#app/checkpoints/lora/layer.ts'
import type { Weight } from '#app/checkpoints/weights.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { add, mul, reshape, slice } from './functions.ts'
import type { Value } from './graph.ts'
import { changeOf, strength, type Branch } from './lora-changes.ts'
import type { Scope } from './scope.ts'

/** The scale of each LoRA as one graph input of shape (count): a slider compiles and loads nothing. */
export const loraScalesInput = 'lora_scales'

/** A LoRA's layers by the paths of the model's. `name` is what the user calls it. */
export type Lora = { readonly name: string; readonly layers: ReadonlyMap<string, LoraLayer> }

/** The LoRAs of one graph: what each layer adds, and whether each was asked for. */
export class LoraBranches {
  readonly #loras: readonly Lora[]
  /** Made outside of all bodies, because layers inside and outside use them. */
  readonly #scales: readonly Value[]
  readonly #used = new Set<string>()

  constructor(loras: readonly Lora[], scales: Value) {
    this.#loras = loras
    this.#scales = loras.map((_, i) => slice(scales, 0, i, i + 1))
  }

  at(path: string, widened: (weight: Weight) => Value): Branch[] {
    this.#used.add(path)
    return this.#loras.flatMap(({ layers }, i) => {
      const layer = layers.get(path)
      if (!layer) return []
      // Files name their layers alike; in one graph each weight needs a name of its own.
      const value = (weight: Weight, name: string): Value => widened({ ...weight, name: `lora.${i}.${path}.${name}` })
      const weights = Object.entries(layer.weights).map(([name, weight]) => [name, value(weight, name)])
      return {
        layer,
        weights: Object.fromEntries(weights) as Branch['weights'],
        bias: layer.bias && value(layer.bias, 'bias'),
        magnitude: layer.magnitude && value(layer.magnitude.weight, 'magnitude'),
        scale: this.#scales[i]!,
      }
    })
  }

  /**
   * Throws bad-input naming a layer that a LoRA changes and that no linear layer or convolution of the graph has been.
   */
  audit(model: string, resting: (path: string) => boolean): void {
    for (const { name, layers } of this.#loras)
      for (const path of layers.keys())
        if (!this.#used.has(path) && !resting(path))
          throw new ProblemError(
            'bad-input',
            `the LoRA "${name}" changes the layer "${path}", which ${model} does not run as it is set now: choose another attention processor, or unload the LoRA`,
            { field: path },
          )
  }
}

/** What a linear layer of weight `base` (out, in) makes of `x` (..., in), with what LoRAs add to it: (..., out). */
export function withLinearLoras(scope: Scope, x: Value, base: Value, output: Value): Value {
  const times = (rows: Value, weight: Value): Value => scope.emit('Gemm', [rows, weight], { transB: 1 })
  let sum = output
  for (const branch of scope.loras()) {
    const rows = reshape(x, [-1, x.shape.at(-1)!])
    const change = isPlain(branch)
      ? times(mul(times(rows, branch.weights.down!), strength(branch, branch.scale)), branch.weights.up!)
      : productOf(branch, base, (weight) => times(rows, weight))
    if (change) sum = add(sum, reshape(change, output.shape))
    if (branch.bias) sum = add(sum, mul(branch.bias, branch.scale))
  }
  return sum
}

/**
 * What a convolution of weight `base` makes of `x` (N, in, H, W), with what LoRAs add to it. Strides and padding are
 * the convolution's own.
 */
export function withConvLoras(
  scope: Scope,
  x: Value,
  base: Value,
  output: Value,
  { stride, padding }: { stride: number; padding: number },
): Value {
  const conv = (input: Value, weight: Value, strides: number, pads: number): Value => {
    const kernel = weight.shape.slice(2)
    return scope.emit('Conv', [input, weight], {
      kernel_shape: kernel,
      pads: [pads, pads, pads, pads],
      strides: [strides, strides],
    })
  }
  const inTurn = ({ down, up, mid }: Branch['weights'], by: Value): Value => {
    const low = mid ? conv(conv(x, down!, 1, 0), mid, stride, padding) : conv(x, down!, stride, padding)
    return conv(mul(low, by), up!, 1, 0)
  }
  let sum = output
  for (const branch of scope.loras()) {
    const change = isPlain(branch)
      ? inTurn(branch.weights, strength(branch, branch.scale))
      : productOf(branch, base, (weight) => conv(x, weight, stride, padding))
    if (change) sum = add(sum, change)
    if (branch.bias) sum = add(sum, reshape(mul(branch.bias, branch.scale), [1, -1, 1, 1]))
  }
  return sum
}

/** A norm's weight and bias (C), where it has one, with what LoRAs add to them. */
export function withNormLoras(scope: Scope, weight: Value, bias?: Value): [weight: Value, bias: Value | undefined] {
  for (const branch of scope.loras()) {
    const change = branch.weights.w_norm ?? branch.weights.diff
    if (change) weight = add(weight, mul(change, branch.scale))
    if (bias && branch.bias) bias = add(bias, mul(branch.bias, branch.scale))
  }
  return [weight, bias]
}

/** A low rank alone: two thin products beside the layer's own cost less than to make its change first. */
const isPlain = ({ layer }: Branch): boolean => layer.kind === 'LoRA' && !layer.magnitude

function productOf(branch: Branch, base: Value, times: (weight: Value) => Value): Value | null {
  const change = changeOf(branch, base)
  return change && times(change)
}
