import { ProblemError } from '#app/contract/errors.ts'
import { quoted } from '../file.ts'
import { ldmUnetLayer } from '../layouts/ldm-unet.ts'
import { countOf } from '../layouts/views.ts'
import type { Weights } from '../weights.ts'
import { fitted } from './fit.ts'
import { flat, type LoraPart } from './keys.ts'
import type { LoraLayer } from './layer.ts'
import type { LoraFile } from './open-lora.ts'

/** The layers of a LoRA file that one model has, by their paths in it; and those of the file's that it has not. */
export type ResolvedLora = { readonly layers: ReadonlyMap<string, LoraLayer>; readonly unused: readonly string[] }

/**
 * Finds the model's layer for each of a LoRA's, and brings the weights to that layer's form: matrices for a linear
 * layer, kernels for a convolution. Throws `bad-model` naming the layer whose shape does not fit, and when the file has
 * layers for such a model but none fits.
 */
export function resolveLora({ file, layers }: LoraFile, part: LoraPart, weights: Weights): ResolvedLora {
  const paths = new Map<string, string>()
  for (const key of weights.keys())
    if (key.endsWith('.weight')) {
      const path = key.slice(0, -'.weight'.length)
      paths.set(plain(flat(path)), path)
    }
  const layersPerBlock = countOf(weights.keys(), /^down_blocks\.0\.resnets\.(\d+)\./)
  const resolved = new Map<string, LoraLayer>()
  const unused: string[] = []
  const own = layers.filter((layer) => layer.part === part)
  for (const { path, layer } of own) {
    const wanted = plain(flat(path))
    const found = paths.get(wanted) ?? paths.get(flat(fromLdm(wanted, layersPerBlock) ?? ''))
    if (found === undefined) unused.push(path)
    else resolved.set(found, fitted(layer, weights.get(`${found}.weight`)!.shape, found, file))
  }
  if (own.length > 0 && resolved.size === 0)
    throw new ProblemError(
      'bad-model',
      `${file}: none of this LoRA's ${own.length} layers is in this model, for instance ${quoted(own[0]!.path)}. It was made for another kind of model.`,
      { file, field: own[0]!.path },
    )
  return { layers: resolved, unused }
}

/** Text encoders come with and without this prefix, and so do their LoRAs. */
const plain = (path: string): string => path.replace(/^text_model_/, '')

/** kohya trains XL on LDM's UNet: its layers' names, with underscores for dots, as the model's own. */
function fromLdm(path: string, layersPerBlock: number): string | undefined {
  const dotted = path
    .replace(/^(input_blocks|output_blocks)_(\d+)_(\d+)(?:_|$)/, '$1.$2.$3.')
    .replace(/^middle_block_(\d+)_/, 'middle_block.$1.')
    .replace(/^(time_embed|out)_(\d+)$/, '$1.$2')
    .replace(/^label_emb_(\d+)_(\d+)$/, 'label_emb.$1.$2')
    .replace(/\.(in_layers|out_layers|emb_layers)_(\d+)$/, '.$1.$2')
    .replace(/\.$/, '')
  return ldmUnetLayer(dotted, layersPerBlock)
}
