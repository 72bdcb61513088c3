import { ProblemError } from '#app/contract/errors.ts'
import {
  activation,
  add,
  cast,
  concat,
  conv2d,
  gather,
  layerNorm,
  linear,
  mul,
  reduceMean,
  reshape,
  silu,
  type Scope,
  type Value,
} from '#app/graph/index.ts'
import { dims, showShape } from '#app/tensor/tensor.ts'
import { fusedAttention } from './blocks/attention-kernels.ts'
import { timestepEmbedding, timestepMlp } from './blocks/embeddings.ts'
import { required, timestepOf } from './model.ts'
import type { UNet2DConfig } from './unet-2d-config.ts'
import { timeDim, type AddedCondition, type UNet2DInputs } from './unet-2d-inputs.ts'

const badModel = (key: string, why: string): never => {
  throw new ProblemError('bad-model', `config.json: ${key} is missing: ${why}`, { field: key })
}

/**
 * What the residual blocks take in: time, class and added conditions in one vector (1 or B, E), E doubled where classes
 * are appended.
 */
export function conditionEmbedding(scope: Scope, config: UNet2DConfig, inputs: UNet2DInputs, batch: number): Value {
  const time = timeProjection(scope, config, timestepOf(inputs, batch))
  const condition = config.time_cond_proj_dim == null ? undefined : inputs.timestep_cond
  // Without a condition the projection has no work, but its key has its place.
  if (config.time_cond_proj_dim != null)
    scope.at('time_embedding', 'cond_proj').weight('weight', [time.shape[1]!, config.time_cond_proj_dim])
  let embedding = timestepMlp(scope.at('time_embedding'), time, timeDim(config), {
    act: config.act_fn,
    postAct: config.timestep_post_act,
    condition,
  })
  const classes = classEmbedding(scope, config, inputs, batch)
  if (classes)
    embedding = config.class_embeddings_concat
      ? concat([repeatRows(embedding, batch), repeatRows(classes, batch)], 1)
      : add(embedding, classes)
  const added = addedEmbedding(scope, config, inputs, batch)
  if (added) embedding = add(embedding, added)
  return config.time_embedding_act_fn
    ? activation(config.time_embedding_act_fn, 'time_embedding_act_fn')(embedding)
    : embedding
}

const repeatRows = (x: Value, rows: number): Value =>
  x.shape[0] === rows ? x : concat(new Array<Value>(rows).fill(x), 0)

/** (N,) -> (N, in): sinusoids of fixed frequencies, or of those that the checkpoint brings. */
function timeProjection(scope: Scope, config: UNet2DConfig, steps: Value): Value {
  const { flip_sin_to_cos: flip, freq_shift: shift } = config
  if (config.time_embedding_type === 'positional')
    return timestepEmbedding(steps, config.block_out_channels[0]!, { flip, shift })
  const frequencies = scope.at('time_proj').weight('weight', [timeDim(config) / 2])
  const angles = mul(mul(reshape(steps, [-1, 1]), reshape(frequencies, [1, -1])), 2 * Math.PI)
  const [sine, cosine] = [steps.builder.emit('Sin', [angles]), steps.builder.emit('Cos', [angles])]
  return concat(flip ? [cosine, sine] : [sine, cosine], 1)
}

function classEmbedding(scope: Scope, config: UNet2DConfig, inputs: UNet2DInputs, batch: number): Value | undefined {
  const { class_embed_type: type, num_class_embeds: count, projection_class_embeddings_input_dim: width } = config
  if (type == null && count == null) return undefined
  const labels = required(inputs, 'class_labels', 'the model is conditioned on classes')
  const at = scope.at('class_embedding')
  const checked = (shape: readonly number[]): Value => {
    if (labels.shape.length === shape.length && shape.every((size, i) => labels.shape[i] === size)) return labels
    throw new ProblemError(
      'bad-input',
      `class_labels has shape ${showShape(labels.shape)}; it must be ${showShape(shape)}`,
      { field: 'class_labels' },
    )
  }
  switch (type) {
    case null:
    case undefined:
      return gather(at.weight('weight', [count!, timeDim(config)]), cast(checked([batch]), 'int64'), 0)
    case 'timestep':
      return timestepMlp(at, timeProjection(scope, config, cast(checked([batch]), 'float32')), timeDim(config), {
        act: config.act_fn,
      })
    case 'identity':
      return checked([batch, timeDim(config)])
    case 'projection':
    case 'simple_projection': {
      const input = width ?? badModel('projection_class_embeddings_input_dim', `class_embed_type is "${type}"`)
      const values = checked([batch, input])
      return type === 'projection' ? timestepMlp(at, values, timeDim(config)) : linear(at, values, timeDim(config))
    }
  }
}

const added = (inputs: UNet2DInputs, name: AddedCondition, config: UNet2DConfig): Value =>
  required(
    inputs,
    `added_cond_kwargs.${name}`,
    `config.json has addition_embed_type "${config.addition_embed_type}" and encoder_hid_dim_type "${config.encoder_hid_dim_type}"`,
  )

function addedEmbedding(scope: Scope, config: UNet2DConfig, inputs: UNet2DInputs, batch: number): Value | undefined {
  const at = scope.at('add_embedding')
  const dim = timeDim(config)
  switch (config.addition_embed_type) {
    case null:
    case undefined:
      return undefined
    case 'text':
      return pooledText(at, required(inputs, 'encoder_hidden_states'), config.addition_embed_type_num_heads, dim)
    case 'text_image': {
      const text = inputs['added_cond_kwargs.text_embeds'] ?? required(inputs, 'encoder_hidden_states')
      const ofText = layerNorm(at.at('text_norm'), linear(at.at('text_proj'), text, dim))
      return add(linear(at.at('image_proj'), added(inputs, 'image_embeds', config), dim), ofText)
    }
    case 'text_time': {
      const text = added(inputs, 'text_embeds', config)
      const ids = cast(added(inputs, 'time_ids', config), 'float32')
      const width =
        config.addition_time_embed_dim ?? badModel('addition_time_embed_dim', 'addition_embed_type is "text_time"')
      const times = timestepEmbedding(reshape(ids, [-1]), width, {
        flip: config.flip_sin_to_cos,
        shift: config.freq_shift,
      })
      return timestepMlp(at, concat([text, reshape(times, [batch, -1])], 1), dim)
    }
    case 'image':
    case 'image_hint':
      return layerNorm(at.at('image_norm'), linear(at.at('image_proj'), added(inputs, 'image_embeds', config), dim))
  }
}

/**
 * (B, L, D) -> (B, E): one query, the mean of the tokens, looks at all of them. Source: embeddings.py@58eb52c
 * TextTimeEmbedding.
 */
function pooledText(scope: Scope, states: Value, heads: number, dim: number): Value {
  const [batch, , width] = dims(states, 3)
  const tokens = layerNorm(scope.at('norm1'), states)
  const pool = scope.at('pool')
  const mean = add(reduceMean(tokens, [1]), pool.weight('positional_embedding', [1, width])) // (B, 1, D)
  const all = concat([mean, tokens], 1)
  const pooled = fusedAttention(
    linear(pool.at('q_proj'), mean, width),
    linear(pool.at('k_proj'), all, width),
    linear(pool.at('v_proj'), all, width),
    heads,
  )
  return layerNorm(scope.at('norm2'), linear(scope.at('proj'), reshape(pooled, [batch, width]), dim))
}

/**
 * Channels and strides of the small encoder of a control image. Source: embeddings.py@58eb52c ImageHintTimeEmbedding.
 */
const hintLayers = [[16, 1], [16, 1], [32, 2], [32, 1], [96, 2], [96, 1], [256, 2], [4, 1]] as const // prettier-ignore

/** Kandinsky's control image (B, 3, 8 * H, 8 * W) as four more channels of the sample. */
export function withHint(scope: Scope, config: UNet2DConfig, sample: Value, inputs: UNet2DInputs): Value {
  if (config.addition_embed_type !== 'image_hint') return sample
  let x = added(inputs, 'hint', config)
  hintLayers.forEach(([channels, stride], i) => {
    const convolved = conv2d(scope.at('add_embedding', 'input_hint_block', 2 * i), x, channels, { stride, padding: 1 })
    x = i < hintLayers.length - 1 ? silu(convolved) : convolved
  })
  return concat([sample, x], 1)
}

/** What the attention layers look at, (B, L, D); undefined where the model needs none and none is given. */
export function contextOf(scope: Scope, config: UNet2DConfig, inputs: UNet2DInputs): Value | undefined {
  const type = config.encoder_hid_dim_type ?? (config.encoder_hid_dim == null ? null : 'text_proj')
  const at = scope.at('encoder_hid_proj')
  const dim = [config.cross_attention_dim].flat()[0]!
  if (type !== null && config.encoder_hid_dim == null) badModel('encoder_hid_dim', `encoder_hid_dim_type is "${type}"`)
  const tokens = (name: string, from: Value, count: number): Value =>
    reshape(linear(at.at(name), from, count * dim), [from.shape[0]!, count, dim])
  switch (type) {
    case null:
      return inputs.encoder_hidden_states
    case 'text_proj':
      return linear(at, required(inputs, 'encoder_hidden_states'), dim)
    case 'text_image_proj': {
      const text = linear(at.at('text_proj'), required(inputs, 'encoder_hidden_states'), dim)
      return concat([tokens('image_embeds', added(inputs, 'image_embeds', config), 10), text], 1)
    }
    case 'image_proj':
      return layerNorm(at.at('norm'), tokens('image_embeds', added(inputs, 'image_embeds', config), 32))
  }
}
