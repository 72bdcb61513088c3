import { isEmbedding } from '../embedding.ts'
import type { Weights } from '../weights.ts'
import { tinyBlockKey } from './taesd.ts'

/**
 * What a weights file without a config holds, told from its keys alone. `name` is for messages. `unsupported` are
 * models of kinds that are not run here; `unknown` is everything else.
 */
export type Contents = {
  readonly kind:
    | 'stable-diffusion'
    | 'motion-module'
    | 'lora'
    | 'custom-diffusion'
    | 'embedding'
    | 'vae'
    | 'text-encoder'
    | 'ip-adapter'
    | 'controlnet'
    | 'unsupported'
    | 'unknown'
  readonly name: string
}

const ldm = 'model.diffusion_model.input_blocks.0.0.weight'

type Mark = { readonly has: RegExp; readonly kind: Contents['kind']; readonly name: string }

// In this order: a LoRA of motion modules is a LoRA, and a ControlNet may have motion modules. Marks of what is not
// supported are those of single_file_utils.py@58eb52c; those of motion modules' families are the layers that only they
// have (HotshotXL: hotshot_xl/models/transformer_temporal.py; AnimateLCM-I2V: img_encoder; ModelScope: unet_sd.py).
const marks: readonly Mark[] = [
  { has: /^ip_adapter\.\d+\.to_k_ip\./, kind: 'ip-adapter', name: 'an IP-Adapter' },
  {
    has: /[._]lora[._]|\.lora_(A|B|down|up|mid)\.|\.(hada_|lokr_|oft_)|^(lora|lycoris|oft_unet)_/,
    kind: 'lora',
    name: 'a LoRA',
  },
  {
    has: /\.(dora_scale|diff|w_norm|on_input)$/,
    kind: 'lora',
    name: 'a LoRA',
  },
  { has: /\.processor\.to_\w+_custom_diffusion\./, kind: 'custom-diffusion', name: 'Custom Diffusion weights' },
  {
    has: /\bcontrolnet_(cond_embedding|down_blocks|mid_block)\.|^control_model\.|^zero_convs\.\d/,
    kind: 'controlnet',
    name: 'a ControlNet',
  },
  {
    has: /\btemporal_attentions\.|\.pos_encoder\.positional_encoding$/,
    kind: 'unsupported',
    name: 'a HotshotXL motion module (for Stable Diffusion XL)',
  },
  { has: /(^|\.)img_encoder\./, kind: 'unsupported', name: 'an AnimateLCM-I2V motion module' },
  { has: /(^|\.)FancyVideo\b/, kind: 'unsupported', name: 'a FancyVideo motion module' },
  { has: /\bmotion_modules\./, kind: 'motion-module', name: 'a motion module' },
  {
    has: /\btemporal_transformer_blocks\.|\.time_stack\./,
    kind: 'unsupported',
    name: 'a Stable Video Diffusion model',
  },
  { has: /\btemp_convs\.|\.temopral_conv\./, kind: 'unsupported', name: "a text-to-video UNet of ModelScope's kind" },
  { has: /\bjoint_blocks\.0\./, kind: 'unsupported', name: 'a Stable Diffusion 3 checkpoint' },
  { has: /\bdouble_blocks\.0\./, kind: 'unsupported', name: 'a Flux checkpoint' },
  { has: /^edm_mean$/, kind: 'unsupported', name: 'a Playground 2.5 checkpoint' },
  { has: /^conditioner\.embedders\.0\.model\./, kind: 'unsupported', name: 'a Stable Diffusion XL refiner' },
  { has: /^model\.diffusion_model\.label_emb\.weight$/, kind: 'unsupported', name: 'a Stable Diffusion upscaler' },
  { has: /^model\.diffusion_model\.input_blocks\.0\.0\.weight$/, kind: 'stable-diffusion', name: 'Stable Diffusion' },
  { has: /^(first_stage_model\.)?decoder\.up\.0\.block\./, kind: 'vae', name: 'an autoencoder alone' },
  { has: tinyBlockKey, kind: 'vae', name: 'a tiny autoencoder alone' },
  {
    has: /^text_model\.embeddings\.token_embedding\.weight$/,
    kind: 'text-encoder',
    name: 'a text encoder alone',
  },
  {
    has: /^down_blocks\.0\.resnets\./,
    kind: 'unsupported',
    name: "a model of diffusers' layout without its config.json",
  },
]

export function contentsOf(weights: Weights): Contents {
  const keys = [...weights.keys()]
  const found = marks.find(({ has }) => keys.some((key) => has.test(key)))
  if (!found && isEmbedding(weights)) return { kind: 'embedding', name: 'a textual inversion' }
  if (!found) return { kind: 'unknown', name: 'nothing that is known' }
  if (found.kind === 'stable-diffusion') {
    const channels = weights.get(ldm)?.shape[1]
    if (channels === 9) return { kind: 'unsupported', name: 'a Stable Diffusion inpainting checkpoint' }
    if (channels === 8) return { kind: 'unsupported', name: 'an InstructPix2Pix checkpoint' }
  }
  if (found.kind === 'controlnet' && keys.some((key) => key.includes('motion_modules.')))
    return { kind: 'unsupported', name: 'a SparseCtrl without its config.json' }
  return { kind: found.kind, name: found.name }
}
