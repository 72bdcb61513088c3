import type { LoraLayer } from '#app/checkpoints/lora/layer.ts'
import type { Weight } from '#app/checkpoints/weights.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { add, mul, reshape, slice } from './functions.ts'
import type { Value } from './graph.ts'
import type { Scope } from './scope.ts'

/** The scale of each LoRA as one graph input of shape (count): a slider compiles and loads nothing. */
export const loraScalesInput = 'lora_scales'

/** A LoRA's layers by the paths of the model's. `name` is what the user calls it. */
export type Lora = { readonly name: string; readonly layers: ReadonlyMap<string, LoraLayer> }

/** One LoRA's part of a layer, in the graph. */
type Branch = { readonly down: Value; readonly up: Value; readonly mid: Value | undefined; readonly strength: Value }

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
      const weight = (role: 'down' | 'up' | 'mid'): Value =>
        widened({ ...layer[role]!, name: `lora.${i}.${path}.${role}` })
      const scale = this.#scales[i]!
      return [
        {
          down: weight('down'),
          up: weight('up'),
          mid: layer.mid && weight('mid'),
          strength: layer.factor === 1 ? scale : mul(scale, layer.factor),
        },
      ]
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

/** What a linear layer makes of `x` (..., in), with what LoRAs add to it: (..., out). */
export function withLinearLoras(scope: Scope, x: Value, output: Value): Value {
  let sum = output
  for (const { down, up, strength } of scope.loras()) {
    const rows = reshape(x, [-1, x.shape.at(-1)!])
    const low = mul(scope.emit('Gemm', [rows, down], { transB: 1 }), strength) // (rows, rank)
    sum = add(sum, reshape(scope.emit('Gemm', [low, up], { transB: 1 }), output.shape))
  }
  return sum
}

/**
 * What a convolution makes of `x` (N, in, H, W), with what LoRAs add to it. Strides and padding are the convolution's
 * own.
 */
export function withConvLoras(
  scope: Scope,
  x: Value,
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
  let sum = output
  for (const { down, up, mid, strength } of scope.loras()) {
    const low = mid ? conv(conv(x, down, 1, 0), mid, stride, padding) : conv(x, down, stride, padding)
    sum = add(sum, conv(mul(low, strength), up, 1, 0))
  }
  return sum
}
