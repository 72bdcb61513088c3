import type { Weights } from '#app/checkpoints/weights.ts'
import { classOf } from '#app/models/classes.ts'
import { auditKeys, type KeyAudit } from '#app/models/compile.ts'
import { parseConfig } from '#app/models/model.ts'
import { isMotionKey } from '#app/models/motion-adapter.ts'
import { joinedConfig, motionAdapterConfig } from '#app/models/unet-motion-join.ts'
import { unetMotionModel } from '#app/models/unet-motion.ts'

/**
 * Compares a config and weights with the architecture. Throws what is wrong with the config, or what it asks for that
 * is not supported.
 */
type Audit = (config: Readonly<Record<string, unknown>>, weights: Weights) => KeyAudit

/** The modules of an adapter in a UNet around them: only their own keys count. */
const motionAdapter: Audit = (json, weights) => {
  const adapter = parseConfig({ className: 'MotionAdapter', config: motionAdapterConfig }, json)
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

/** The audit of a class that a config names; undefined for one that is not run here. */
export function auditOf(className: string): Audit | undefined {
  if (className === 'MotionAdapter') return motionAdapter
  const model = classOf(className)
  return model && ((json, weights) => auditKeys(model, parseConfig(model, json), weights))
}
