import { motionModulePath } from '../layouts/motion-module.ts'
import type { LoraWeightName } from './layer.ts'

/**
 * Which of a pipeline's models a LoRA layer is for. `denoiser` is the UNet, the transformer or the prior: the file's
 * only one.
 */
export type LoraPart = 'denoiser' | 'text_encoder' | 'text_encoder_2'

export type LoraRole = LoraWeightName | 'alpha' | 'bias' | 'on_input' | 'magnitude' | 'dora_scale'

/**
 * What one key of a LoRA file is. `path` is the layer's path in the model, with dots or, in kohya's files, with
 * underscores for dots: layers are found by `flat`, where both are the same.
 */
export type LoraKey = { readonly part: LoraPart; readonly path: string; readonly role: LoraRole }

export const flat = (path: string): string => path.replaceAll('.', '_')

const roles: readonly { readonly pattern: RegExp; readonly role: (word: string) => LoraRole }[] = [
  // PEFT, with or without the adapter's name before .weight
  { pattern: /^(.+)\.lora_([AB])(?:\.[\w-]+)?\.weight$/, role: (word) => (word === 'A' ? 'down' : 'up') },
  // diffusers: X.lora.down, X.lora_linear_layer.down, and X_lora.down of the old attention processors
  { pattern: /^(.+?)(?:\.lora|\.lora_linear_layer|_lora)\.(down|up)\.weight$/, role: (word) => word as LoraRole },
  // kohya and LyCORIS
  { pattern: /^(.+)\.lora_(down|up|mid)\.weight$/, role: (word) => word as LoraRole },
  { pattern: /^(.+)\.(alpha|on_input|dora_scale|oft_blocks|rescale|diff|w_norm)$/, role: (word) => word as LoraRole },
  { pattern: /^(.+)\.(hada_(?:w[12]_[ab]|t[12])|lokr_(?:w[12](?:_[ab])?|t2))$/, role: (word) => word as LoraRole },
  { pattern: /^(.+)\.([ab][12]|bm)\.weight$/, role: (word) => word as LoraRole },
  { pattern: /^(.+)\.(diff_b|b_norm)$/, role: () => 'bias' },
  { pattern: /^(.+)\.(lora_magnitude_vector)(?:\.[\w-]+)*$/, role: () => 'magnitude' },
  // IA3, beside its on_input
  { pattern: /^(.+)\.(weight)$/, role: () => 'scaling' },
]

const parts: readonly (readonly [prefix: string, part: LoraPart])[] = [
  ['unet.', 'denoiser'],
  ['transformer.', 'denoiser'],
  ['prior.', 'denoiser'],
  ['diffusion_model.', 'denoiser'],
  ['text_encoder_2.', 'text_encoder_2'],
  ['text_encoder.', 'text_encoder'],
  ['lora_unet_', 'denoiser'],
  ['lora_transformer_', 'denoiser'],
  ['lycoris_', 'denoiser'],
  ['oft_unet_', 'denoiser'],
  ['lora_te2_', 'text_encoder_2'],
  ['lora_te1_', 'text_encoder'],
  ['lora_te_', 'text_encoder'],
]

/** What PEFT, PyTorch's data parallelism and its compiler write before a name, and ComfyUI before the denoiser's. */
const wrappers = /^(base_model\.model\.|module\.|_orig_mod\.|model\.(?=diffusion_model\.))+/

/**
 * Reads a key as PEFT, diffusers (old and new), kohya, LyCORIS, ComfyUI or AnimateDiff's motion LoRA write it;
 * undefined when it is none of these.
 * Source: diffusers/src/diffusers/utils/state_dict_utils.py and loaders/lora_conversion_utils.py@58eb52c.
 */
export function parseLoraKey(key: string): LoraKey | undefined {
  const plain = key.replace(wrappers, '')
  const [prefix, part] = parts.find(([start]) => plain.startsWith(start)) ?? (['', 'denoiser'] as const)
  const inside = plain.slice(prefix.length).replace(wrappers, '')
  for (const { pattern, role } of roles) {
    const found = pattern.exec(inside)
    if (found) return { part, path: layerPath(found[1]!, part), role: role(found[2]!) }
  }
  return undefined
}

/** Old attention processors name their layers apart from those that they change. */
const inTextEncoder: Readonly<Record<string, string>> = {
  to_q: 'q_proj',
  to_k: 'k_proj',
  to_v: 'v_proj',
  to_out: 'out_proj',
}

function layerPath(path: string, part: LoraPart): string {
  if (part !== 'denoiser')
    return path.replace(/(self_attn)\.(to_q|to_k|to_v|to_out)$/, (_, attention, layer: string) => {
      return `${attention}.${inTextEncoder[layer]}`
    })
  return motionModulePath(path.replace('.processor.', '.')).replace(/\.to_out$/, '.to_out.0')
}
