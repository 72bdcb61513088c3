import { ProblemError } from '#app/contract/errors.ts'
import { summarise, type Checkpoint } from '../folder.ts'
import { openWeightsFile } from '../open.ts'
import type { Weight, Weights } from '../weights.ts'
import { contentsOf } from './contents.ts'
import { below, countOf, renamed } from './views.ts'

/**
 * The diffusers name of a path in AnimateDiff's own layout; a name that already is diffusers' stays.
 * Source: scripts/convert_animatediff_motion_module_to_diffusers.py of diffusers.
 */
export const motionModulePath = (path: string): string =>
  path
    .replace(/^module\./, '')
    .replace('.temporal_transformer.', '.')
    .replace(/\.attention_blocks\.([01])\./, (_, i) => `.attn${Number(i) + 1}.`)
    .replace(/\.norms\.([01])\./, (_, i) => `.norm${Number(i) + 1}.`)
    .replace('.ff_norm.', '.norm3.')

/**
 * Tables of positions are computed exactly, and the published ones are rounded; one entry of later files is no weight.
 */
const passedOver = /\.pos_encoder\.pe$|\.pos_embed\.pe$|^animatediff_config/

/**
 * Opens one file of motion modules (mm_sd_v15_v2.ckpt and its like, of AnimateDiff v1, v2, v3 and SDXL; or with
 * diffusers' keys) as a MotionAdapter: of a training checkpoint that holds the whole UNet around them, the modules
 * alone. What shapes do not tell is as in all of these: 8 heads, 32 groups.
 * Throws `bad-model` that says what the file is instead.
 */
export async function openMotionModule(path: string): Promise<Checkpoint> {
  const { weights: all } = await openWeightsFile(path)
  const { kind, name } = contentsOf(all)
  if (kind !== 'motion-module')
    throw new ProblemError('bad-model', `${path} holds ${name}; a motion module is needed.`, { file: path })
  const found = withoutPrefix(all)
  const inUnet = [...found.keys()].some((key) => /^(down|up|mid)_blocks?\.(\d+\.)?resnets\./.test(key))
  const weights = new Map<string, Weight>()
  for (const [key, weight] of found) {
    if (passedOver.test(key) || (!inMotion.test(key) && (inUnet || key.includes('motion_modules.')))) continue
    const plain = motionModulePath(key)
    weights.set(plain, renamed(weight, plain))
  }
  const files = new Set([...weights.values()].flatMap(({ source }) => ('file' in source ? [source.file] : [])))
  // PIA's first convolution takes a picture beside the latents; that of the UNet around the modules is left with it.
  const convIn = found.get('conv_in.weight')?.shape[1]
  const ownConvIn = inUnet && convIn === latentChannels ? undefined : convIn
  return {
    folder: path,
    config: configOf(found, weights, path, ownConvIn),
    weights,
    files: files.size ? [...files] : [path],
    summary: summarise(weights),
  }
}

const latentChannels = 4
const inMotion = /^(?:(?:down|up)_blocks\.\d+|mid_block)\.motion_modules\./

/**
 * The weights without what wrappers and trainers write before their names (module., unet., module.unet.). Of several
 * copies, such as averaged ones, the first counts.
 */
function withoutPrefix(all: Weights): Weights {
  for (const key of all.keys()) {
    const start = /\b(?:(?:down|up)_blocks\.\d+|mid_block)\.motion_modules\./.exec(key)?.index
    if (start !== undefined) return below(all, key.slice(0, start))
  }
  return all
}

function configOf(found: Weights, weights: Weights, path: string, convIn?: number): Record<string, unknown> {
  const keys = [...weights.keys()]
  const levels = countOf(keys, /^down_blocks\.(\d+)\.motion_modules\./)
  if (levels === 0)
    throw new ProblemError('bad-model', `${path} has motion modules, but none of down_blocks; it is incomplete.`, {
      file: path,
    })
  const channels = Array.from({ length: levels }, (_, i) => {
    const key = `down_blocks.${i}.motion_modules.0.proj_in.weight`
    const shape = weights.get(key)?.shape
    if (!shape) throw new ProblemError('bad-model', `${path} has no weight "${key}"; it is incomplete.`, { file: path })
    return shape[0]!
  })
  const [positions] = [...found].filter(([key]) => /\.(pos_encoder|pos_embed)\.pe$/.test(key))
  return {
    _class_name: 'MotionAdapter',
    block_out_channels: channels,
    motion_layers_per_block: countOf(keys, /^down_blocks\.0\.motion_modules\.(\d+)\./),
    motion_transformer_layers_per_block: countOf(keys, /^down_blocks\.0\..*\.transformer_blocks\.(\d+)\./),
    motion_num_attention_heads: 8,
    motion_norm_num_groups: 32,
    motion_max_seq_length: positions?.[1].shape[1] ?? 32,
    use_motion_mid_block: keys.some((key) => key.startsWith('mid_block.motion_modules.')),
    ...(convIn !== undefined && { conv_in_channels: convIn }),
  }
}
