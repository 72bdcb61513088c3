import type { Weight, Weights } from '#app/checkpoints/weights.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { sinusoids } from './blocks/embeddings.ts'
import type { MotionAdapterConfig } from './unet-motion-join.ts'
import type { UNetMotionConfig } from './unet-motion-config.ts'

/** Whether a weight of a motion UNet is one of its motion modules': what a MotionAdapter holds. */
export const isMotionKey = (key: string): boolean => key.includes('motion_modules.')

/**
 * The config of the MotionAdapter that a motion UNet's modules make.
 * Source: unet_motion_model.py@58eb52c save_motion_modules, which leaves out the numbers of transformer layers.
 */
export const adapterConfigOf = (config: UNetMotionConfig) => ({
  _class_name: 'MotionAdapter',
  block_out_channels: config.block_out_channels,
  motion_layers_per_block: config.layers_per_block,
  motion_transformer_layers_per_block: config.temporal_transformer_layers_per_block,
  motion_mid_block_layers_per_block: config.mid_block_layers,
  motion_transformer_layers_per_mid_block: config.temporal_transformer_layers_per_mid_block ?? 1,
  motion_num_attention_heads: config.motion_num_attention_heads,
  motion_norm_num_groups: config.norm_num_groups ?? 32,
  motion_max_seq_length: config.motion_max_seq_length,
  use_motion_mid_block: config.use_motion_mid_block,
  conv_in_channels: null,
})

/**
 * Throws bad-input naming the setting in which an adapter differs from the modules whose place it is to take. Numbers
 * of heads are the model's own, and one without motion in its middle passes over the adapter's.
 */
export function checkExchange(config: UNetMotionConfig, adapter: MotionAdapterConfig): void {
  const own = adapterConfigOf(config)
  const spelled = (value: unknown, count: number): string =>
    JSON.stringify(typeof value === 'number' ? new Array<number>(count).fill(value) : value)
  for (const key of config.use_motion_mid_block ? [...exchanged, ...ofMiddle] : exchanged) {
    const [ours, theirs] = [own[key], adapter[key]]
    const count = key.includes('mid_block') ? config.mid_block_layers : config.block_out_channels.length
    if (spelled(ours, count) !== spelled(theirs, count))
      throw new ProblemError(
        'bad-input',
        `this motion adapter cannot take the place of the model's motion modules: its ${key} is ${JSON.stringify(theirs)}, the model's ${JSON.stringify(ours)}`,
        { field: key },
      )
  }
}

const exchanged = [
  'block_out_channels',
  'motion_layers_per_block',
  'motion_transformer_layers_per_block',
  'motion_max_seq_length',
] as const
const ofMiddle = [
  'use_motion_mid_block',
  'motion_mid_block_layers_per_block',
  'motion_transformer_layers_per_mid_block',
] as const

export const withoutMiddle = (weights: Weights): Weights =>
  new Map([...weights].filter(([key]) => !key.startsWith('mid_block.')))

/** Throws bad-input naming a setting of the motion modules that a MotionAdapter has no place for. */
export function checkSavable(config: UNetMotionConfig): void {
  const blocks = config.block_out_channels.length
  const whole = (key: 'temporal_transformer_layers_per_block' | 'motion_num_attention_heads'): number[] => {
    const value = config[key]
    const list = typeof value === 'number' ? new Array<number>(blocks).fill(value) : value
    return list.map((entry) => (typeof entry === 'number' ? entry : refuseToSave(key)))
  }
  whole('motion_num_attention_heads')
  const layers = whole('temporal_transformer_layers_per_block')
  const reverse = config.reverse_temporal_transformer_layers_per_block
  const upwards = typeof reverse === 'number' ? new Array<number>(blocks).fill(reverse) : reverse
  if (upwards && JSON.stringify(upwards) !== JSON.stringify(layers.toReversed()))
    refuseToSave('reverse_temporal_transformer_layers_per_block')
}

function refuseToSave(key: string): never {
  throw new ProblemError(
    'bad-input',
    `these motion modules cannot be saved as a MotionAdapter, which has no place for their ${key}`,
    { field: key },
  )
}

/**
 * The weights that a MotionAdapter folder holds, with the tables of `length` positions that files in AnimateDiff's own
 * layout come without.
 */
export function adapterWeights(weights: Weights, length: number): Weight[] {
  const motion = [...weights.values()].filter(({ name }) => isMotionKey(name))
  const tables = motion.flatMap(({ name, shape }): Weight[] => {
    const block = /^(.*\.transformer_blocks\.\d+)\.norm1\.weight$/.exec(name)?.[1]
    const table = `${block}.pos_embed.pe`
    if (block === undefined || weights.has(table)) return []
    const dim = shape[0]!
    const bytes = new Uint8Array(sinusoids(length, dim).buffer)
    return [{ name: table, dtype: 'float32', shape: [1, length, dim], source: { bytes } }]
  })
  return [...motion, ...tables]
}
