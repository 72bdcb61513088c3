import { ProblemError } from '#app/contract/errors.ts'
import type { Weight, Weights } from '../weights.ts'
import type { Family } from './family.ts'
import { countOf, renamed, withoutKernel } from './views.ts'

const inAttention: Readonly<Record<string, string>> = {
  norm: 'group_norm',
  q: 'to_q',
  k: 'to_k',
  v: 'to_v',
  proj_out: 'to_out.0',
}

/**
 * The diffusers key of LDM's autoencoder key; the same where both agree, or where it is not known. Source:
 * single_file_utils.py@58eb52c.
 */
export function ldmVaeKey(key: string, levels: number): string {
  return key
    .replace('.nin_shortcut.', '.conv_shortcut.')
    .replace(/^(encoder|decoder)\.norm_out\./, '$1.conv_norm_out.')
    .replace(/^(encoder|decoder)\.mid\.block_([12])\./, (_, half, i) => `${half}.mid_block.resnets.${Number(i) - 1}.`)
    .replace(
      /^(encoder|decoder)\.mid\.attn_1\.(norm|q|k|v|proj_out)\./,
      (_, half, layer: string) => `${half}.mid_block.attentions.0.${inAttention[layer]}.`,
    )
    .replace(/^encoder\.down\.(\d+)\.block\./, 'encoder.down_blocks.$1.resnets.')
    .replace(/^encoder\.down\.(\d+)\.downsample\./, 'encoder.down_blocks.$1.downsamplers.0.')
    .replace(/^decoder\.up\.(\d+)\.block\./, (_, i) => `decoder.up_blocks.${levels - 1 - Number(i)}.resnets.`)
    .replace(/^decoder\.up\.(\d+)\.upsample\./, (_, i) => `decoder.up_blocks.${levels - 1 - Number(i)}.upsamplers.0.`)
}

// The two families' own: the standard deviation of their latents, turned over.
const scalingFactor: Readonly<Record<Family, number>> = { sd1: 0.18215, sd2: 0.18215, sdxl: 0.13025 }
const sampleSize: Readonly<Record<Family, number>> = { sd1: 512, sd2: 768, sdxl: 1024 }

/**
 * An autoencoder with LDM's keys (without first_stage_model.) as AutoencoderKL. Its attention's 1x1 convolutions are
 * read as the matrices they are.
 */
export function ldmVae(ldm: Weights, family: Family): { weights: Weights; config: Record<string, unknown> } {
  const keys = [...ldm.keys()]
  const levels = countOf(keys, /^decoder\.up\.(\d+)\./)
  const weights = new Map<string, Weight>()
  for (const [key, weight] of ldm) {
    const name = ldmVaeKey(key, levels)
    weights.set(
      name,
      renamed(weight, name, name.includes('.attentions.0.') ? withoutKernel(weight.shape) : weight.shape),
    )
  }
  const shape = (key: string): readonly number[] => {
    const found = ldm.get(key)?.shape
    if (found) return found
    throw new ProblemError('bad-model', `its autoencoder has no weight "${key}"; the file is incomplete`, {
      field: key,
    })
  }
  const config = {
    _class_name: 'AutoencoderKL',
    in_channels: shape('encoder.conv_in.weight')[1]!,
    out_channels: shape('decoder.conv_out.weight')[0]!,
    latent_channels: shape('decoder.conv_in.weight')[1]!,
    block_out_channels: Array.from({ length: levels }, (_, i) => shape(`decoder.up.${i}.block.0.conv2.weight`)[0]!),
    down_block_types: new Array<string>(levels).fill('DownEncoderBlock2D'),
    up_block_types: new Array<string>(levels).fill('UpDecoderBlock2D'),
    layers_per_block: countOf(keys, /^encoder\.down\.0\.block\.(\d+)\./),
    use_quant_conv: ldm.has('quant_conv.weight'),
    use_post_quant_conv: ldm.has('post_quant_conv.weight'),
    mid_block_add_attention: ldm.has('decoder.mid.attn_1.q.weight'),
    sample_size: sampleSize[family],
    scaling_factor: scalingFactor[family],
  }
  return { weights, config }
}
