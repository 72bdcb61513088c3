import { ProblemError } from '#app/contract/errors.ts'
import { sameShape, showShape, sizeOf, type Shape } from '#app/tensor/tensor.ts'
import { quoted } from '../file.ts'
import { renamed } from '../layouts/views.ts'
import type { Weight } from '../weights.ts'
import type { LoraLayer, LoraWeightName, LoraWeights } from './layer.ts'

/** A model's weight as one matrix: convolutions have their kernel beside the inputs. */
type Base = { readonly out: number; readonly input: number; readonly kernel: Shape; readonly shape: Shape }

type Forms = Readonly<Partial<Record<LoraWeightName, Shape>>>

/**
 * A layer's weights in the shapes that the graph takes them in, for a weight of the model of shape `shape`. Throws
 * `bad-model` naming the weight that belongs to another model.
 */
export function fitted(layer: LoraLayer, shape: Shape, path: string, file: string): LoraLayer {
  const [out, input = 1, ...kernel] = shape as [number, number?, ...number[]]
  const base = { out, input, kernel, shape }
  const fit = (weight: Weight, wanted: Shape): Weight => {
    const loose = layer.kind !== 'LoRA' || !Object.values(layer.weights).includes(weight)
    if (sameShape(bare(weight.shape), bare(wanted)) || (loose && isFlat(weight.shape, wanted)))
      return renamed(weight, weight.name, wanted)
    throw new ProblemError(
      'bad-model',
      `${file}: the LoRA weight ${quoted(weight.name)} has shape ${showShape(weight.shape)}, where the model's layer "${path}" asks for ${showShape(wanted)}. It was made for another model.`,
      { file, field: weight.name },
    )
  }
  const forms = formsOf(layer, base)
  const weights = Object.fromEntries(
    (Object.entries(layer.weights) as [LoraWeightName, Weight][]).map(([name, weight]) => {
      const form = forms[name]
      if (form) return [name, fit(weight, form)]
      throw new ProblemError('bad-model', `${file}: a ${layer.kind} has no use for ${quoted(weight.name)}.`, {
        file,
        field: weight.name,
      })
    }),
  )
  return {
    ...layer,
    weights,
    ...(layer.bias && { bias: fit(layer.bias, [out]) }),
    ...(layer.magnitude && {
      magnitude: { ...layer.magnitude, weight: fit(layer.magnitude.weight, magnitudeForm(layer.magnitude, base)) },
    }),
  }
}

// A 1x1 kernel and a matrix are the same thing.
const bare = (sizes: Shape): Shape => sizes.slice(0, 2).concat(sizes.slice(2).filter((size) => size !== 1))

/** LyCORIS' other kinds write a kernel flat or not, and vectors with sizes of 1 around them. */
const isFlat = (given: Shape, wanted: Shape): boolean =>
  sizeOf(given) === sizeOf(wanted) && given.find((size) => size !== 1) === wanted.find((size) => size !== 1)

/** Rows are one beside another, columns one below another; LyCORIS has trained both. */
function magnitudeForm({ weight, by }: NonNullable<LoraLayer['magnitude']>, { out, input, kernel }: Base): Shape {
  const ones = kernel.map(() => 1)
  const byColumn = by === 'LyCORIS' && weight.shape[0] === 1 && weight.shape.length > 1
  return byColumn ? [1, input, ...ones] : [out, 1, ...ones]
}

function formsOf({ kind, weights, onInput }: LoraLayer, base: Base): Forms {
  const { out, input, kernel, shape } = base
  const columns = input * sizeOf(kernel)
  const ones = kernel.map(() => 1)
  switch (kind) {
    case 'LoRA': {
      const rank = weights.down!.shape[0]!
      return {
        down: [rank, input, ...(weights.mid ? ones : kernel)],
        mid: [rank, rank, ...kernel],
        up: [out, rank, ...ones],
      }
    }
    case 'LoHa': {
      const [first, second] = [weights.hada_w1_b!.shape[0]!, weights.hada_w2_b!.shape[0]!]
      return {
        hada_w1_a: weights.hada_t1 ? [first, out] : [out, first],
        hada_w1_b: [first, weights.hada_t1 ? input : columns],
        hada_t1: [first, first, ...kernel],
        hada_w2_a: weights.hada_t2 ? [second, out] : [out, second],
        hada_w2_b: [second, weights.hada_t2 ? input : columns],
        hada_t2: [second, second, ...kernel],
      }
    }
    case 'LoKr':
      return kroneckerForms(weights, base)
    case 'GLoRA': {
      const [first, second] = [weights.a2!.shape[0]!, weights.b2!.shape[0]!]
      return {
        a1: [input, first],
        a2: [first, input],
        b1: [out, second],
        b2: [second, weights.bm ? input : columns],
        bm: [second, second, ...kernel],
      }
    }
    case 'IA3':
      return { scaling: onInput ? [1, input, ...ones] : [out, 1, ...ones] }
    case 'OFT':
    case 'BOFT': {
      const size = weights.oft_blocks!.shape.at(-1)!
      const stages = kind === 'BOFT' ? [weights.oft_blocks!.shape[0]!] : []
      // Each stage turns pairs of rows that are twice as far apart as those of the one before.
      const pairs = kind === 'OFT' || (size % 2 === 0 && out % (size * 2 ** (stages[0]! - 1)) === 0)
      return { oft_blocks: [...(pairs ? stages : [0]), out / size, size, size], rescale: [out, 1, ...ones] }
    }
    case 'full difference':
      return { diff: shape }
    case 'norms':
      return { w_norm: shape }
  }
}

/** (a, b) times (out / a, input / b, kernel), each whole or of two smaller ones. */
function kroneckerForms(weights: LoraWeights, { out, input, kernel }: Base): Forms {
  const a = (weights.lokr_w1 ?? weights.lokr_w1_a)!.shape[0]!
  const b = (weights.lokr_w1 ?? weights.lokr_w1_b)!.shape[1]!
  const [rows, columns] = [out / a, input / b]
  const first = weights.lokr_w1_b?.shape[0] ?? 0
  const second = weights.lokr_w2_b?.shape[0] ?? 0
  return {
    lokr_w1: [a, b],
    lokr_w1_a: [a, first],
    lokr_w1_b: [first, b],
    lokr_w2: [rows, columns, ...kernel],
    lokr_w2_a: weights.lokr_t2 ? [second, rows] : [rows, second],
    lokr_w2_b: [second, weights.lokr_t2 ? columns : columns * sizeOf(kernel)],
    lokr_t2: [second, second, ...kernel],
  }
}
