import type { Weights } from '#app/checkpoints/weights.ts'
import { auditKeys, type KeyAudit } from './compile.ts'
import { parseConfig } from './model.ts'
import { isMotionKey } from './motion-adapter.ts'
import { joinedConfig, parseAdapterConfig } from './unet-motion-join.ts'
import { unetMotionModel } from './unet-motion.ts'

/**
 * Compares a MotionAdapter's config and weights: its modules in a UNet around them, of which only their own keys count.
 * Throws what is wrong with the config.
 */
export function auditAdapter(json: Readonly<Record<string, unknown>>, weights: Weights): KeyAudit {
  const adapter = parseAdapterConfig(json)
  const { block_out_channels: channels, motion_layers_per_block: layers } = adapter
  const around = {
    block_out_channels: channels,
    layers_per_block: layers,
    norm_num_groups: adapter.motion_norm_num_groups,
    attention_head_dim: 1,
    cross_attention_dim: 8,
    down_block_types: channels.map(() => 'DownBlock2D'),
    up_block_types: channels.map(() => 'UpBlock2D'),
  }
  const config = parseConfig(unetMotionModel, joinedConfig(around, adapter))
  const { missing, wrong, unused } = auditKeys(unetMotionModel, config, weights)
  return { missing: missing.filter(isMotionKey), wrong, unused }
}
